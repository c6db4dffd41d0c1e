//! `gatepost app-password …`

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use gatepost_core::{AppPasswordId, EmailAddress, Network};

/// `gatepost app-password …`
#[derive(Debug, Subcommand)]
pub enum AppPasswordCommand {
    /// Make an app password and show it once
    Create(AppPasswordCreate),
    /// All app passwords with their last use
    #[command(before_help = "Examples:\n  gatepost app-password list\n  gatepost app-password list --json")]
    List,
    /// End an app password; its open connections end within a second
    #[command(before_help = "Examples:\n  gatepost app-password revoke 01938f6e-0000-7000-8000-000000000000")]
    Revoke {
        /// Its id, as `list` shows it
        #[arg(value_parser = known_id)]
        id: AppPasswordId,
    },
}

/// Names a login by what it points at.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("login").required(true).args(["account", "person", "location"]))]
pub struct LoginArgs {
    /// The login of this mail account
    #[arg(long, value_name = "ADDRESS")]
    pub account: Option<EmailAddress>,
    /// The login of this person
    #[arg(long, value_name = "ADDRESS")]
    pub person: Option<EmailAddress>,
    /// The login of this location
    #[arg(long, value_name = "NAME")]
    pub location: Option<String>,
}

/// `gatepost app-password create`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost app-password create --account reception@example.org --name \"Scanner, ground floor\"
  gatepost app-password create --account reception@example.org --name TDO --allow smtp --network 192.168.1.0/24 --expires 365")]
pub struct AppPasswordCreate {
    /// Whose login it is for
    #[command(flatten)]
    pub login: LoginArgs,
    /// Which application or device it is for
    #[arg(long)]
    pub name: String,
    /// What it may do
    #[arg(long, value_enum, value_delimiter = ',', default_value = "smtp,imap,pop3")]
    pub allow: Vec<Protocol>,
    /// Only from this network; may be repeated
    #[arg(long = "network", value_name = "CIDR")]
    pub networks: Vec<Network>,
    /// End it after so many days
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub expires: Option<u32>,
    /// Accept letters whose lines end in LF alone, and repair them
    #[arg(long)]
    pub repair_line_ends: bool,
}

/// A door that an app password may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// Sending
    Smtp,
    /// Reading by IMAP
    Imap,
    /// Reading by POP3
    Pop3,
    /// The HTTP API
    Api,
}

impl Protocol {
    /// The word of the command line, of JSON and of rows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Api => "api",
        }
    }
}

/// An id as the list shows it.
fn known_id(text: &str) -> Result<AppPasswordId, &'static str> {
    text.parse().map_err(|_| "this is no id: gatepost app-password list shows them")
}
