//! `gatepost account …`

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use gatepost_core::EmailAddress;

/// `gatepost account …`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Connect a mailbox, once it is proven that it works
    Add(Box<AccountAdd>),
    /// All mail accounts with their state
    #[command(before_help = "Examples:\n  gatepost account list\n  gatepost account list --json")]
    List,
    /// One mail account: settings, state, cause and cure
    #[command(before_help = "Examples:\n  gatepost account show reception@example.org")]
    Show(OneAccount),
    /// Change names, addresses or whom it serves; only what is given changes
    Edit(Box<AccountEdit>),
    /// Let letters leave by this account where no other is named
    Default(AccountDefault),
    /// Sign in at the provider, send a letter from the mailbox to itself and find it there, step by step; success releases
    /// what the account holds
    #[command(
        before_help = "Examples:\n  gatepost account check reception@example.org\n  gatepost account check reception@example.org --no-letter"
    )]
    Check(AccountCheck),
    /// Sign in again at the provider, also at other servers: the account, its app passwords and what waits stay
    Reauthenticate(Box<AccountReauthenticate>),
    /// Neither send by this account nor read it until it is resumed: letters wait, and programs that read it are cut off
    #[command(before_help = "Examples:\n  gatepost account pause reception@example.org")]
    Pause(OneAccount),
    /// Let a paused account go on
    #[command(before_help = "Examples:\n  gatepost account resume reception@example.org")]
    Resume(OneAccount),
    /// Remove a mail account with its credential and its app passwords; says first what ends
    #[command(
        before_help = "Examples:\n  gatepost account remove reception@example.org\n  gatepost account remove reception@example.org --yes"
    )]
    Remove(AccountRemove),
}

/// Names one mail account.
#[derive(Debug, Args)]
pub struct OneAccount {
    /// Its e-mail address
    pub address: EmailAddress,
}

/// `gatepost account remove`.
#[derive(Debug, Args)]
pub struct AccountRemove {
    /// Its e-mail address
    pub address: EmailAddress,
    /// Do not ask; without a terminal nobody is asked
    #[arg(long)]
    pub yes: bool,
}

/// `gatepost account check`.
#[derive(Debug, Args)]
pub struct AccountCheck {
    /// Its e-mail address
    pub address: EmailAddress,
    /// Only sign in and open the mailbox; send nothing
    #[arg(long)]
    pub no_letter: bool,
}

/// `gatepost account reauthenticate`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost account reauthenticate reception@example.org
  gatepost account reauthenticate reception@example.org --password-stdin < FILE
  gatepost account reauthenticate reception@example.org --smtp mail.example.org:587 --imap mail.example.org:993

With servers or a user name the account gets these as well; nothing of it changes before they work.")]
pub struct AccountReauthenticate {
    /// Its e-mail address
    pub address: EmailAddress,
    /// Sign in on the provider's page, also where a password was used before
    #[arg(long, conflicts_with = "password_stdin")]
    pub sign_in: bool,
    /// Read the mailbox's password from standard input, also where somebody signed in on the provider's page before
    #[arg(long)]
    pub password_stdin: bool,
    /// Sign in as this from now on
    #[arg(long, value_name = "U")]
    pub user_name: Option<String>,
    /// Another SMTP server, for sending
    #[arg(long, value_name = "HOST:PORT")]
    pub smtp: Option<HostPort>,
    /// Encryption towards it; else implicit on port 465, STARTTLS on others
    #[arg(long, value_enum, requires = "smtp")]
    pub smtp_tls: Option<TlsMode>,
    /// Another IMAP server, for reading, in place of all before
    #[arg(long, value_name = "HOST:PORT")]
    pub imap: Option<HostPort>,
    /// Encryption towards it; else implicit on port 993, STARTTLS on others
    #[arg(long, value_enum, requires = "imap")]
    pub imap_tls: Option<TlsMode>,
    /// Another POP3 server, for reading, in place of all before
    #[arg(long, value_name = "HOST:PORT")]
    pub pop3: Option<HostPort>,
    /// Encryption towards it; else implicit on port 995, STARTTLS on others
    #[arg(long, value_enum, requires = "pop3")]
    pub pop3_tls: Option<TlsMode>,
}

/// `gatepost account add`.
#[derive(Debug, Args)]
#[command(before_help = "Examples:
  gatepost account add --provider custom --address reception@example.org --smtp mail.example.org:587
  gatepost account add --provider custom --address reception@example.org --short-name Reception \\
      --author-name \"Lakeside Practice\" --user-name reception --smtp mail.example.org:465 --password-stdin < FILE
  gatepost account add --provider gmail --address practice@gmail.com --sign-in
  gatepost account add --provider sandbox --address reception@sandbox.test

The mailbox is proven before it is connected: signed in to, and sent a letter to itself. What does not work is not stored.")]
pub struct AccountAdd {
    /// Whose mailbox it is: aol, fastmail, gmail, google_workspace, google_workspace_relay, icloud, mandrill, microsoft365,
    /// outlook_com, sandbox, yahoo, zoho, one of the configuration, or custom for any other
    #[arg(long, value_name = "WORD", value_parser = provider_word)]
    pub provider: String,
    /// E-mail address of the mailbox
    #[arg(long, value_name = "A")]
    pub address: EmailAddress,
    /// What people here call it; else the part before the @
    #[arg(long, value_name = "S")]
    pub short_name: Option<String>,
    /// Name that recipients see; else none
    #[arg(long, value_name = "N")]
    pub author_name: Option<String>,
    /// What Gatepost signs in as; else the address
    #[arg(long, value_name = "U")]
    pub user_name: Option<String>,
    /// SMTP server, for sending
    #[arg(long, value_name = "HOST:PORT", required_if_eq("provider", "custom"))]
    pub smtp: Option<HostPort>,
    /// Encryption towards it; else implicit on port 465, STARTTLS on others
    #[arg(long, value_enum, requires = "smtp")]
    pub smtp_tls: Option<TlsMode>,
    /// IMAP server, for reading
    #[arg(long, value_name = "HOST:PORT")]
    pub imap: Option<HostPort>,
    /// Encryption towards it; else implicit on port 993, STARTTLS on others
    #[arg(long, value_enum, requires = "imap")]
    pub imap_tls: Option<TlsMode>,
    /// POP3 server, for reading
    #[arg(long, value_name = "HOST:PORT")]
    pub pop3: Option<HostPort>,
    /// Encryption towards it; else implicit on port 995, STARTTLS on others
    #[arg(long, value_enum, requires = "pop3")]
    pub pop3_tls: Option<TlsMode>,
    /// Sign in on the provider's page: its address is printed, and the address you land on is pasted back
    #[arg(long, conflicts_with = "password_stdin")]
    pub sign_in: bool,
    /// Read the mailbox's password from standard input instead of asking for it
    #[arg(long)]
    pub password_stdin: bool,
    /// Add it without asking the provider, to prepare an installation that has no network yet: `account check` proves it later
    #[arg(long, conflicts_with = "sign_in")]
    pub unchecked: bool,
}

/// `gatepost account edit`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("serves").args(["for_organisation", "for_location", "for_person"]),
    before_help = "Examples:
  gatepost account edit reception@example.org --short-name \"Front desk\" --send-as info@example.org --send-as billing@example.org
  gatepost account edit north@example.org --for-location \"North branch\" --never-falls-back true"
)]
pub struct AccountEdit {
    /// Its e-mail address
    pub address: EmailAddress,
    /// What people here call it
    #[arg(long, value_name = "S")]
    pub short_name: Option<String>,
    /// Name that recipients see
    #[arg(long, value_name = "N")]
    pub author_name: Option<String>,
    /// What Gatepost signs in as
    #[arg(long, value_name = "U")]
    pub user_name: Option<String>,
    /// The mailbox that is opened, where it is another than the one that signs in; its own address for none
    #[arg(long, value_name = "A")]
    pub opens: Option<EmailAddress>,
    /// Letters may come from this address too; may be repeated. Those given take the place of all before
    #[arg(long = "send-as", value_name = "A")]
    pub send_as: Vec<EmailAddress>,
    /// Letters may come from its own address alone
    #[arg(long, conflicts_with = "send_as")]
    pub send_as_itself_only: bool,
    /// Serves everybody
    #[arg(long)]
    pub for_organisation: bool,
    /// Serves this location
    #[arg(long, value_name = "NAME")]
    pub for_location: Option<String>,
    /// Serves this person
    #[arg(long, value_name = "A")]
    pub for_person: Option<EmailAddress>,
    /// Once it is gone, its letters wait for a new choice instead of leaving by another account
    #[arg(long, value_name = "true|false")]
    pub never_falls_back: Option<bool>,
}

/// `gatepost account default`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("whose").args(["for_organisation", "for_location", "for_person"]).required(true),
    before_help = "Examples:
  gatepost account default reception@example.org --for-organisation
  gatepost account default north@example.org --for-location \"North branch\"
  gatepost account default dr.example@example.org --for-person dr.example@example.org"
)]
pub struct AccountDefault {
    /// Its e-mail address
    pub address: EmailAddress,
    /// The default of everybody who has no other
    #[arg(long)]
    pub for_organisation: bool,
    /// The default of this location
    #[arg(long, value_name = "NAME")]
    pub for_location: Option<String>,
    /// The default of this person
    #[arg(long, value_name = "A")]
    pub for_person: Option<EmailAddress>,
}

/// The word of the sandbox of the same data folder.
pub const SANDBOX: &str = "sandbox";

/// The word of a provider, which the configuration may have added: who is running knows whether there is one.
fn provider_word(text: &str) -> Result<String, String> {
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    let fits = !text.is_empty() && text.bytes().all(is_plain);
    fits.then(|| text.to_owned())
        .ok_or_else(|| "write a word such as custom, gmail or microsoft365".to_owned())
}

/// Encryption towards a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TlsMode {
    /// Asked for after the greeting
    Starttls,
    /// From the first byte
    Implicit,
    /// None: only towards addresses named in allow_private_addresses
    None,
}

impl TlsMode {
    /// What a server on `port` does unless told otherwise (RFC 8314 §7).
    #[must_use]
    pub fn usual_on(port: u16) -> Self {
        if matches!(port, 465 | 993 | 995) { Self::Implicit } else { Self::Starttls }
    }

    /// The word of the command line, of JSON and of rows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Implicit => "implicit",
            Self::None => "none",
        }
    }
}

/// A server as people write it: `mail.example.org:587`, `192.168.1.20:25`, `[fd00::5]:587`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

impl FromStr for HostPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or("write HOST:PORT, such as mail.example.org:587")?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or("the port must be 1 to 65535")?;
        let host = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            Some(inner) => {
                inner.parse::<Ipv6Addr>().map_err(|_| "in brackets stands an IPv6 address")?.to_string()
            }
            None if host.contains(':') => {
                return Err("put an IPv6 address in brackets, such as [fd00::5]:587");
            }
            None => host.to_owned(),
        };
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        if host.is_empty() || !host.chars().all(is_name) {
            return Err("the part before the port must be a host name or an address");
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
