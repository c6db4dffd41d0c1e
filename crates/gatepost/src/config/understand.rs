//! From the raw form to the checked one, section by section.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatepost_core::SecretText;

use super::key::{self, Key};
use super::problem::Problem;
use super::raw::{Given, Raw, Value};
use super::reader::{Reader, bad_value};
use super::settings::{
    CertificateFiles, DatabasePlace, KeyPlace, LogFormat, LogSettings, OutboxSettings, PortalSettings,
    ReadingSettings, Settings, SubmissionSettings, UpstreamSettings,
};
use super::value::{self, Misfit};

impl Settings {
    /// Understands all of `raw`. `None` where `problems` says why.
    pub(super) fn understand(raw: Raw, config_file: &Path, problems: &mut Vec<Problem>) -> Option<Self> {
        let folder = config_file.parent().unwrap_or_else(|| Path::new(""));
        let mut read = Reader::new(raw, problems);
        let data_dir = read.take(&key::DATA_DIR, |it| value::path(it, folder));
        let database = read.take(&key::DATABASE_URL, |it| database(it, folder));
        let bodies = read.take(&key::BODIES_URL, |it| bodies(it, folder));
        let (portal, public_url) = portal(&mut read);
        let master_key = master_key(&mut read, folder);
        let submission = submission(&mut read);
        let (imap, pop3) = (reading(&mut read, &IMAP), reading(&mut read, &POP3));
        let tls = certificate_files(&mut read, folder);
        let upstream = upstream(&mut read, folder);
        let given = std::mem::take(&mut read.raw.providers);
        let providers = given.understand(!upstream.allow_private_addresses.is_empty(), read.problems);
        let outbox = outbox(&mut read);
        let log = log(&mut read);
        let Some(data_dir) = data_dir else {
            if read.problems.is_empty() {
                read.problems.push(Problem::NoDataDir { path: config_file.to_owned() });
            }
            return None;
        };
        Some(Self {
            config_file: config_file.to_owned(),
            text_hash: 0,
            database: database.unwrap_or_else(|| DatabasePlace::Sqlite(data_dir.join("gatepost.db"))),
            bodies: bodies.unwrap_or_else(|| data_dir.join("bodies")),
            data_dir,
            public_url,
            master_key,
            portal,
            submission,
            imap,
            pop3,
            tls,
            upstream,
            providers,
            outbox,
            log,
        })
    }
}

fn database(given: &Value, folder: &Path) -> Result<DatabasePlace, Misfit> {
    let url = value::text(given)?;
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(DatabasePlace::Postgres(SecretText::new(url)));
    }
    let file = url.strip_prefix("sqlite:").filter(|file| !file.is_empty()).ok_or_else(Misfit::new)?;
    Ok(DatabasePlace::Sqlite(folder.join(file.strip_prefix("//").unwrap_or(file))))
}

fn bodies(given: &Value, folder: &Path) -> Result<PathBuf, Misfit> {
    let url = value::text(given)?;
    match url.strip_prefix("file://") {
        Some(path) => Ok(PathBuf::from(path)),
        None if url.contains("://") => Err(Misfit::new()),
        None => Ok(folder.join(url)),
    }
}

fn public_url(given: &Value) -> Result<String, Misfit> {
    let url = value::text(given)?;
    let host =
        url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(Misfit::new)?;
    let host = host.trim_end_matches('/');
    let is_plain =
        !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#'));
    is_plain.then(|| url.trim_end_matches('/').to_owned()).ok_or_else(|| "without a path".to_owned())
}

/// The portal and the address that its links begin with: one is of no use without the other.
fn portal(read: &mut Reader<'_>) -> (PortalSettings, Option<String>) {
    let listen = read.raw.take(&key::PORTAL_LISTEN);
    let listening_at = listen.as_ref().map(|given| given.origin.clone());
    let listen = listen.and_then(|given| match value::all_parsed(&given.value) {
        Ok(addresses) => {
            read.listens(&key::PORTAL_LISTEN, &given.origin, &addresses);
            Some(addresses)
        }
        Err(misfit) => {
            read.problems.push(bad_value(&key::PORTAL_LISTEN, given, &misfit));
            None
        }
    });
    let settings = PortalSettings {
        listen: listen.unwrap_or_default(),
        administration_networks: read
            .take(&key::PORTAL_ADMINISTRATION_NETWORKS, value::all_parsed)
            .unwrap_or_default(),
        trusted_proxies: read.take(&key::PORTAL_TRUSTED_PROXIES, value::all_parsed).unwrap_or_default(),
    };
    let given = read.raw.take(&key::PUBLIC_URL);
    let url_at = given.as_ref().map(|given| given.origin.clone());
    let url = given.and_then(|given| match public_url(&given.value) {
        Ok(url) => Some(url),
        Err(misfit) => {
            read.problems.push(bad_value(&key::PUBLIC_URL, given, &misfit));
            None
        }
    });
    let others_reach = settings.listen.iter().find(|it| !it.ip().is_loopback());
    if let (Some(address), Some(origin), None) = (others_reach, listening_at, &url_at) {
        read.problems.push(Problem::NoPublicUrl { origin, address: *address });
    }
    // Browsers keep the portal's cookies on an encrypted connection and on this machine, and nowhere else.
    if let (Some(url), Some(origin), false) = (&url, url_at, settings.listen.is_empty())
        && url.starts_with("http://")
        && (others_reach.is_some() || !is_this_machine(url))
    {
        read.problems.push(Problem::PlainPublicUrl { origin, url: url.clone() });
    }
    (settings, url)
}

/// Whether only this machine's own browsers get anywhere with this address.
fn is_this_machine(url: &str) -> bool {
    let host = crate::app::public_host(url).unwrap_or_default();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

fn master_key(read: &mut Reader<'_>, folder: &Path) -> Option<KeyPlace> {
    let command = read.raw.take(&key::MASTER_KEY_COMMAND);
    let file = read.take(&key::MASTER_KEY_FILE, |it| value::path(it, folder)).map(KeyPlace::File);
    let Some(command) = command else { return file };
    if file.is_some() {
        let (key, other) = (key::MASTER_KEY_COMMAND.full_name(), key::MASTER_KEY_FILE.full_name());
        read.problems.push(Problem::Both { origin: command.origin, key, other });
        return None;
    }
    // A program and its arguments are told apart by the list, never by a shell's rules.
    match &command.value {
        Value::List(words) if !words.is_empty() => Some(KeyPlace::Command(words.clone())),
        Value::Word(program) if !program.trim().is_empty() => Some(KeyPlace::Command(vec![program.clone()])),
        _ => {
            read.problems.push(bad_value(&key::MASTER_KEY_COMMAND, command, ""));
            None
        }
    }
}

fn submission(read: &mut Reader<'_>) -> SubmissionSettings {
    SubmissionSettings {
        starttls: read.addresses(&key::SUBMISSION_STARTTLS),
        tls: read.addresses(&key::SUBMISSION_TLS),
        hostname: read.take(&key::SUBMISSION_HOSTNAME, value::parsed),
        max_message_bytes: read.number(&key::SUBMISSION_MAX_MESSAGE_BYTES, (65_536, 1 << 30), 50 << 20),
        // RFC 5321 §4.5.3.1.8: at least 100 recipients.
        max_recipients: read.number(&key::SUBMISSION_MAX_RECIPIENTS, (100, 10_000), 500),
        connections_total: read.number(&key::SUBMISSION_CONNECTIONS_TOTAL, (10, 100_000), 2_000),
        connections_per_source: read.number(&key::SUBMISSION_CONNECTIONS_PER_SOURCE, (1, 100_000), 50),
        new_connections_per_minute: read.number(&key::SUBMISSION_NEW_PER_MINUTE, (1, 1_000_000), 100),
        exempt_networks: read.take(&key::SUBMISSION_EXEMPT, value::all_parsed).unwrap_or_default(),
        trusted_proxies: read.take(&key::SUBMISSION_TRUSTED_PROXIES, value::all_parsed).unwrap_or_default(),
    }
}

/// The keys of one of the doors for reading.
struct ReadingKeys {
    starttls: &'static Key,
    tls: &'static Key,
    connections_total: &'static Key,
    connections_per_source: &'static Key,
    connections_per_app_password: &'static Key,
    new_per_minute: &'static Key,
    exempt: &'static Key,
    trusted_proxies: &'static Key,
}

const IMAP: ReadingKeys = ReadingKeys {
    starttls: &key::IMAP_STARTTLS,
    tls: &key::IMAP_TLS,
    connections_total: &key::IMAP_CONNECTIONS_TOTAL,
    connections_per_source: &key::IMAP_CONNECTIONS_PER_SOURCE,
    connections_per_app_password: &key::IMAP_CONNECTIONS_PER_APP_PASSWORD,
    new_per_minute: &key::IMAP_NEW_PER_MINUTE,
    exempt: &key::IMAP_EXEMPT,
    trusted_proxies: &key::IMAP_TRUSTED_PROXIES,
};

const POP3: ReadingKeys = ReadingKeys {
    starttls: &key::POP3_STARTTLS,
    tls: &key::POP3_TLS,
    connections_total: &key::POP3_CONNECTIONS_TOTAL,
    connections_per_source: &key::POP3_CONNECTIONS_PER_SOURCE,
    connections_per_app_password: &key::POP3_CONNECTIONS_PER_APP_PASSWORD,
    new_per_minute: &key::POP3_NEW_PER_MINUTE,
    exempt: &key::POP3_EXEMPT,
    trusted_proxies: &key::POP3_TRUSTED_PROXIES,
};

/// MP-12.
fn reading(read: &mut Reader<'_>, keys: &ReadingKeys) -> ReadingSettings {
    ReadingSettings {
        is_mentioned: read.raw.has_section(keys.tls.section),
        starttls: read.addresses(keys.starttls),
        tls: read.addresses(keys.tls),
        connections_total: read.number(keys.connections_total, (10, 100_000), 2_000),
        connections_per_source: read.number(keys.connections_per_source, (1, 100_000), 50),
        connections_per_app_password: read.number(keys.connections_per_app_password, (1, 100_000), 20),
        new_connections_per_minute: read.number(keys.new_per_minute, (1, 1_000_000), 100),
        exempt_networks: read.take(keys.exempt, value::all_parsed).unwrap_or_default(),
        trusted_proxies: read.take(keys.trusted_proxies, value::all_parsed).unwrap_or_default(),
    }
}

fn certificate_files(read: &mut Reader<'_>, folder: &Path) -> Option<CertificateFiles> {
    let given = [read.raw.take(&key::TLS_CERTIFICATE), read.raw.take(&key::TLS_KEY)];
    let alone = |given: Given, key: &Key, other: &Key| Problem::Alone {
        origin: given.origin,
        key: key.full_name(),
        other: other.full_name(),
    };
    let (certificate, key) = match given {
        [None, None] => return None,
        [Some(given), None] => {
            read.problems.push(alone(given, &key::TLS_CERTIFICATE, &key::TLS_KEY));
            return None;
        }
        [None, Some(given)] => {
            read.problems.push(alone(given, &key::TLS_KEY, &key::TLS_CERTIFICATE));
            return None;
        }
        [Some(certificate), Some(key)] => (certificate, key),
    };
    let mut path = |key: &Key, given: Given| {
        value::path(&given.value, folder)
            .map_err(|misfit| read.problems.push(bad_value(key, given, &misfit)))
            .ok()
    };
    let certificate = path(&key::TLS_CERTIFICATE, certificate);
    let key = path(&key::TLS_KEY, key);
    Some(CertificateFiles { certificate: certificate?, key: key? })
}

fn upstream(read: &mut Reader<'_>, folder: &Path) -> UpstreamSettings {
    UpstreamSettings {
        hostname: read.take(&key::UPSTREAM_HOSTNAME, value::parsed),
        extra_authorities: read
            .take(&key::UPSTREAM_EXTRA_AUTHORITIES, |it| value::paths(it, folder))
            .unwrap_or_default(),
        allow_private_addresses: read
            .take(&key::UPSTREAM_ALLOW_PRIVATE, value::all_parsed)
            .unwrap_or_default(),
        resolver: read.take(&key::UPSTREAM_RESOLVER, value::name_server),
    }
}

fn outbox(read: &mut Reader<'_>) -> OutboxSettings {
    const DAY: Duration = Duration::from_secs(86_400);
    OutboxSettings { keep_bodies_for: read.take(&key::OUTBOX_KEEP_BODIES_FOR, value::span).unwrap_or(DAY) }
}

fn log(read: &mut Reader<'_>) -> LogSettings {
    let level = |it: &Value| match value::text(it)?.as_str() {
        "error" => Ok(tracing::Level::ERROR),
        "warn" => Ok(tracing::Level::WARN),
        "info" => Ok(tracing::Level::INFO),
        "debug" => Ok(tracing::Level::DEBUG),
        "trace" => Ok(tracing::Level::TRACE),
        _ => Err(Misfit::new()),
    };
    let format = |it: &Value| match value::text(it)?.as_str() {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(Misfit::new()),
    };
    let default = LogSettings::default();
    LogSettings {
        level: read.take(&key::LOG_LEVEL, level).unwrap_or(default.level),
        format: read.take(&key::LOG_FORMAT, format).unwrap_or(default.format),
    }
}
