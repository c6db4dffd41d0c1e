//! `gatepost person …`

use clap::{Args, Subcommand, ValueEnum};
use gatepost_core::EmailAddress;

/// `gatepost person …`
#[derive(Debug, Subcommand)]
pub enum PersonCommand {
    /// Invite a person: a letter goes out, and a link to hand over is shown
    Add(PersonAdd),
    /// All people with their role and how they sign in
    #[command(before_help = "Examples:\n  gatepost person list\n  gatepost person list --json")]
    List,
    /// Sign a person out everywhere and let nothing of theirs sign in
    #[command(before_help = "Examples:\n  gatepost person disable paul@example.org")]
    Disable(OnePerson),
    /// Let a disabled person and their app passwords sign in again
    #[command(before_help = "Examples:\n  gatepost person enable paul@example.org")]
    Enable(OnePerson),
    /// Turn a person's two-step verification off, when the telephone is lost; they are told
    #[command(before_help = "Examples:\n  gatepost person reset-two-step paul@example.org")]
    ResetTwoStep(OnePerson),
    /// Show a link with which a person chooses a new password; two-step verification stays
    #[command(
        before_help = "Examples:\n  gatepost person reset-password paul@example.org\n  gatepost person reset-password paul@example.org --json"
    )]
    ResetPassword(OnePerson),
}

/// Names one person.
#[derive(Debug, Args)]
pub struct OnePerson {
    /// The address they sign in with
    pub address: EmailAddress,
}

/// `gatepost person add`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost person add --address paul@example.org --name \"Paul Berg\"
  gatepost person add --address paul@example.org --name \"Paul Berg\" --role administrator --location \"Main Street\"")]
pub struct PersonAdd {
    /// The address they sign in with, and that letters to them go to
    #[arg(long, value_name = "A")]
    pub address: EmailAddress,
    /// What people call them
    #[arg(long, value_name = "N")]
    pub name: String,
    /// What they may do
    #[arg(long, value_enum, default_value_t = Role::Operator)]
    pub role: Role,
    /// Where they work; their letters leave by that location's mail account when they have none of their own
    #[arg(long, value_name = "NAME")]
    pub location: Option<String>,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything in the organisation
    Administrator,
    /// What is their own
    Operator,
}

impl Role {
    /// The word of the command line, of JSON and of rows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }
}
