//! The checked form: every default filled in, every path, address and span understood.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{Domain, Network, SecretText};
use gatepost_net::AllowedNetwork;
use gatepost_providers::Providers;

/// What `gatepost.toml` and the environment say, understood.
pub struct Settings {
    /// The file it came from.
    pub config_file: PathBuf,
    /// Tells texts of that file from each other.
    pub text_hash: u64,
    /// Folder of the database, the lock, the control socket and, unless set elsewhere, the bodies.
    pub data_dir: PathBuf,
    /// Where the database is.
    pub database: DatabasePlace,
    /// Folder of the bodies too large for a row.
    pub bodies: PathBuf,
    /// Address under which people and applications reach this installation.
    pub public_url: Option<String>,
    /// Where the master key comes from; empty means a credential of systemd or the environment.
    pub master_key: Option<KeyPlace>,
    /// The pages for people.
    pub portal: PortalSettings,
    /// The door that applications send through.
    pub submission: SubmissionSettings,
    /// The door that applications read through by IMAP.
    pub imap: ReadingSettings,
    /// The same by POP3.
    pub pop3: ReadingSettings,
    /// Certificate of the doors; none means one made by the local authority.
    pub tls: Option<CertificateFiles>,
    /// How providers are reached.
    pub upstream: UpstreamSettings,
    /// The providers that are known, with what the configuration says over them.
    pub providers: Arc<Providers>,
    /// How long letters are kept and tried.
    pub outbox: OutboxSettings,
    /// What is written about the running.
    pub log: LogSettings,
}

/// SQLite or PostgreSQL.
pub enum DatabasePlace {
    /// A file, made if it is not there.
    Sqlite(PathBuf),
    /// A `postgres://` address, which may hold a password.
    Postgres(SecretText),
}

/// Where the master key is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// A file, or a pipe such as `/dev/fd/3`.
    File(PathBuf),
    /// A program that prints it, with its arguments.
    Command(Vec<String>),
}

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// `[portal]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSettings {
    /// Where the pages are; nowhere if empty.
    pub listen: Vec<SocketAddr>,
    /// From where administrators reach the pages that are theirs alone; from anywhere if empty.
    pub administration_networks: Vec<Network>,
    /// Proxies whose word about the browser's address is believed.
    pub trusted_proxies: Vec<Network>,
}

/// `[submission]`.
pub struct SubmissionSettings {
    /// Where STARTTLS is offered.
    pub starttls: Vec<SocketAddr>,
    /// Where TLS begins with the first byte.
    pub tls: Vec<SocketAddr>,
    /// The name this server greets with; none means the machine's.
    pub hostname: Option<Domain>,
    /// Largest message.
    pub max_message_bytes: u64,
    /// Most recipients of one message.
    pub max_recipients: u64,
    /// Most connections in all.
    pub connections_total: u64,
    /// Most connections of one source at a time.
    pub connections_per_source: u64,
    /// Most new connections of one source in a minute.
    pub new_connections_per_minute: u64,
    /// Networks the two limits per source do not count; loopback is always one.
    pub exempt_networks: Vec<Network>,
    /// Proxies whose word about the client's address is believed.
    pub trusted_proxies: Vec<Network>,
}

/// `[imap]` or `[pop3]`.
pub struct ReadingSettings {
    /// Whether anything is said of it.
    pub is_mentioned: bool,
    /// Where STARTTLS, or STLS, is offered.
    pub starttls: Vec<SocketAddr>,
    /// Where TLS begins with the first byte.
    pub tls: Vec<SocketAddr>,
    /// Most connections in all.
    pub connections_total: u64,
    /// Most connections of one source at a time.
    pub connections_per_source: u64,
    /// Most connections of one app password at a time.
    pub connections_per_app_password: u64,
    /// Most new connections of one source in a minute.
    pub new_connections_per_minute: u64,
    /// Networks the limits per source and per app password do not count; loopback is always one.
    pub exempt_networks: Vec<Network>,
    /// Proxies whose word about the client's address is believed.
    pub trusted_proxies: Vec<Network>,
}

impl ReadingSettings {
    /// Whether anything listens.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.starttls.is_empty() || !self.tls.is_empty()
    }
}

/// `[upstream]`.
pub struct UpstreamSettings {
    /// The name this client greets with; none means the machine's.
    pub hostname: Option<Domain>,
    /// PEM files of authorities trusted besides the public ones.
    pub extra_authorities: Vec<PathBuf>,
    /// Private networks that may be dialled all the same.
    pub allow_private_addresses: Vec<AllowedNetwork>,
    /// Name server to ask instead of the system's.
    pub resolver: Option<SocketAddr>,
}

/// `[outbox]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxSettings {
    /// How long a body is kept after its last recipient is done.
    pub keep_bodies_for: Duration,
}

/// `[log]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The least important level that is written.
    pub level: tracing::Level,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: tracing::Level::INFO, format: LogFormat::Human }
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    Human,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// The address that links to the portal begin with: as configured, else this machine's own name for a portal on
    /// loopback. None where no portal listens.
    #[must_use]
    pub fn portal_url(&self) -> Option<String> {
        let port = self.portal.listen.first()?.port();
        // Browsers let passkeys work at this name and at no address.
        Some(self.public_url.clone().unwrap_or_else(|| format!("http://localhost:{port}")))
    }
}
