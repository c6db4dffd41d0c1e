//! `gatepost oauth-client …`

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

/// `gatepost oauth-client …`
#[derive(Debug, Subcommand)]
pub enum OAuthClientCommand {
    /// How to register an application of one's own there, step by step, with every value to type
    Guide(OAuthClientGuide),
    /// Enter a registered application, or a new secret of it; it is verified before anything is stored
    Add(OAuthClientAdd),
    /// The services that mailboxes are signed in to, and the application of each
    #[command(before_help = "Examples:\n  gatepost oauth-client list\n  gatepost oauth-client list --json")]
    List,
    /// Use an application no more; mailboxes that were connected with it go on
    #[command(before_help = "Examples:\n  gatepost oauth-client remove --service google")]
    Remove(OneOAuthClient),
}

/// Names an application by the service it is registered at.
#[derive(Debug, Args)]
pub struct OneOAuthClient {
    /// Where it is registered: google, microsoft, or another that `list` shows
    #[arg(long, value_name = "WORD")]
    pub service: String,
    /// The one of the whole installation, not the organisation's own
    #[arg(long)]
    pub installation: bool,
}

/// `gatepost oauth-client guide`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost oauth-client guide --service google
  gatepost oauth-client guide --service microsoft --kind desktop")]
pub struct OAuthClientGuide {
    /// Where it is to be registered: google, microsoft, or another that `list` shows
    #[arg(long, value_name = "WORD")]
    pub service: String,
    /// Which kind of application; else the one that suits public_url
    #[arg(long, value_enum)]
    pub kind: Option<ClientKind>,
}

/// `gatepost oauth-client add`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("secret").args(["secret_stdin", "no_secret"]),
    before_help = "Examples:
  gatepost oauth-client add --service google --client-id ID --secret-stdin < FILE
  gatepost oauth-client add --service microsoft --client-id ID --tenant ID --kind desktop --no-secret"
)]
pub struct OAuthClientAdd {
    /// Where it is registered, and whose it is
    #[command(flatten)]
    pub one: OneOAuthClient,
    /// Its client ID there
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// Read the client secret from standard input instead of asking for it
    #[arg(long)]
    pub secret_stdin: bool,
    /// Enter no secret: it has none, or the one that is here already goes on
    #[arg(long)]
    pub no_secret: bool,
    /// The tenant it is registered in, at Microsoft; else any organisation
    #[arg(long, value_name = "ID")]
    pub tenant: Option<String>,
    /// Which kind of application it is; else the one that suits public_url
    #[arg(long, value_enum)]
    pub kind: Option<ClientKind>,
    /// The provider has reviewed it, so that nobody is warned and permissions last
    #[arg(long)]
    pub verified: bool,
}

/// Where the redirect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClientKind {
    /// People come back to the portal by themselves
    Web,
    /// People paste the address that their browser shows
    Desktop,
}

impl ClientKind {
    /// The word of the command line, of JSON and of rows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Desktop => "desktop",
        }
    }
}
