//! The command line, as docs and scripts know it. Names here are a contract: add, but do not rename.

mod account;
mod app_password;
mod demo;
mod oauth_client;
mod outbox;
mod person;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use gatepost_core::EmailAddress;

pub use account::{
    AccountAdd, AccountCommand, AccountDefault, AccountEdit, AccountReauthenticate, HostPort, SANDBOX,
    TlsMode,
};
pub use app_password::{AppPasswordCommand, AppPasswordCreate, LoginArgs, Protocol};
pub use demo::{Demo, Sandbox, SandboxPorts};
pub use oauth_client::{ClientKind, OAuthClientAdd, OAuthClientCommand, OAuthClientGuide, OneOAuthClient};
pub use outbox::{OutboxCommand, OutboxList};
pub use person::{OnePerson, PersonAdd, PersonCommand, Role};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "gatepost",
    version,
    about = "A mail post between applications and the mailboxes of their providers",
    before_help = "Examples:
  gatepost demo                                          everything on this machine, ready to click and to send
  gatepost init --config FILE --admin anna@example.org   make configuration, master key and database
  gatepost serve --config FILE                           run
  gatepost person reset-password anna@example.org        a link to choose a new password with
  gatepost outbox list --state held                      what waits, and why"
)]
pub struct CommandLine {
    /// Configuration; else ./gatepost.toml, then /etc/gatepost/gatepost.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Answer in JSON, one object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything on loopback with the sandbox provider, ready to click and to send
    Demo(Demo),
    /// Write configuration, master key and database
    Init(Init),
    /// Run: take letters from applications and hand them to the providers
    #[command(before_help = "Examples:\n  gatepost serve --config /etc/gatepost/gatepost.toml")]
    Serve,
    /// Say what is wrong with configuration, key, database, certificates and ports
    #[command(
        before_help = "Examples:\n  gatepost check\n  gatepost check --config /etc/gatepost/gatepost.toml --json"
    )]
    Check,
    /// Connections to mailboxes at a provider
    Account(Scoped<AccountCommand>),
    /// Passwords that applications sign in with
    AppPassword(Scoped<AppPasswordCommand>),
    /// Applications of one's own, registered where mailboxes are signed in to
    #[command(name = "oauth-client")]
    OAuthClient(Scoped<OAuthClientCommand>),
    /// People who sign in to the portal
    Person(Scoped<PersonCommand>),
    /// Letters on their way
    Outbox(Scoped<OutboxCommand>),
    /// The pretend provider alone
    Sandbox(Sandbox),
}

/// A command about the things of one organisation.
#[derive(Debug, clap::Args)]
pub struct Scoped<C: Subcommand> {
    /// Whose; needed once there are two organisations
    #[arg(long, global = true, value_name = "NAME")]
    pub organisation: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: C,
}

/// `gatepost init`.
#[derive(Debug, clap::Args)]
#[command(before_help = "Examples:
  gatepost init --config /etc/gatepost/gatepost.toml --admin anna@example.org
  gatepost init --admin anna@example.org --organisation \"Lakeside Practice\"

A configuration that is there already is kept, and only what is missing is made.")]
pub struct Init {
    /// E-mail address of the first administrator
    #[arg(long, value_name = "EMAIL")]
    pub admin: EmailAddress,
    /// Name of the practice, clinic or charity
    #[arg(long, value_name = "NAME", default_value = "My organisation")]
    pub organisation: String,
    /// Folder for the database and what belongs to it; else `data` beside the configuration
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
