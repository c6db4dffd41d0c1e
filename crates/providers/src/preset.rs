//! Presets: what is filled in for a mail account of a known provider.

pub(crate) mod file;

use gatepost_core::{Domain, EmailAddress, TlsMode};
use gatepost_wire::sasl::Mechanism;

use crate::method::MethodRule;

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// What commands and rows call it, for example `google_workspace`.
    pub word: String,
    /// What people call it, for example "Google Workspace".
    pub name: String,
    /// Which catalogue rules speak of it; several providers may be of one kind (Gmail and Workspace are `google`).
    pub kind: String,
    /// The domains whose mailboxes live there.
    pub domains: Vec<Domain>,
    /// How the names of the mail exchangers of other domains end whose mailboxes live there. `{zone}` stands for any zone.
    pub(crate) mx_suffixes: Vec<String>,
    /// Regions with servers of their own, the usual one first; mostly none.
    pub zones: Vec<String>,
    /// What its user names look like, by protocol.
    pub user_names: UserNames,
    /// Where it takes letters, best first. Empty for custom hosts and the sandbox: their servers are given with the account.
    pub smtp: Vec<Server>,
    /// Where it lets letters be read by IMAP.
    pub imap: Vec<Server>,
    /// Where it lets letters be read by POP3.
    pub pop3: Vec<Server>,
    /// Mechanisms, best first; those it does not offer are skipped.
    pub mechanisms: Vec<Mechanism>,
    /// POP3: `AUTH` and the credential want a line each (Microsoft). Gatepost always does so, because every server takes it
    /// (RFC 5034 §4).
    pub is_pop3_auth_in_two_lines: bool,
    /// It files a copy of what is sent by itself.
    pub saves_sent_copy: bool,
    /// How mailboxes are connected, judged in order.
    pub(crate) methods: Vec<MethodRule>,
    /// The word of the OAuth service that it signs in with.
    pub oauth: Option<String>,
    /// The tenant to ask there, unless the registered application names one.
    pub tenant: Option<String>,
    /// The word of the guide to its app passwords.
    pub app_password: Option<String>,
    /// How fast and how much at once.
    pub limits: Limits,
}

/// What a provider wants as user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserNames {
    /// For sending.
    pub smtp: UserNameRule,
    /// For reading by IMAP.
    pub imap: UserNameRule,
    /// For reading by POP3.
    pub pop3: UserNameRule,
}

/// One rule about user names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserNameRule {
    /// The mailbox's address.
    Address,
    /// The sign-in name of the organisation, which mostly equals the address (Microsoft 365).
    PrincipalName,
    /// What stands before the @. The address is worth a second try (iCloud).
    LocalPart,
    /// Whatever the provider told its customer.
    Any,
}

impl UserNameRule {
    /// What to fill in for a mailbox; nothing where nobody can know.
    #[must_use]
    pub fn suggestion(self, address: &EmailAddress) -> Option<String> {
        match self {
            Self::Address | Self::PrincipalName => Some(address.to_string()),
            Self::LocalPart => Some(address.local_part().to_owned()),
            Self::Any => None,
        }
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name. It may contain `{zone}`, see [`Server::in_zone`].
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How encryption begins there; never without.
    pub tls: TlsMode,
}

impl Server {
    /// The server of a region.
    #[must_use]
    pub fn in_zone(&self, zone: &str) -> Self {
        Self { host: self.host.replace("{zone}", zone), ..self.clone() }
    }
}

/// What one mailbox may do there. Empty: not limited by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time.
    pub n_connections: u32,
    /// Messages in any minute.
    pub n_messages_per_minute: Option<u32>,
    /// Recipients of one transaction.
    pub n_recipients_per_transaction: u32,
    /// The largest message in bytes, as it goes on the wire.
    pub max_message_bytes: Option<u64>,
    /// Connections by IMAP that read live at the same time.
    pub n_imap_connections: u32,
    /// The same by POP3, whose servers mostly lock the mailbox.
    pub n_pop3_connections: u32,
}

impl Limits {
    /// For hosts that nothing is known about: no rate, 20 connections, and 10 for reading.
    ///
    /// RFC 5321 §4.5.3.1.8: a server takes at least 100 recipients.
    pub const UNKNOWN_HOST: Self = Self {
        n_connections: 20,
        n_messages_per_minute: None,
        n_recipients_per_transaction: 100,
        max_message_bytes: None,
        n_imap_connections: 10,
        n_pop3_connections: 1,
    };
}
