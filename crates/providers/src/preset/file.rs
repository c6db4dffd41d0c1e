//! The presets' data file, as serde sees it, with what the configuration says over it.

use gatepost_core::Domain;
use gatepost_wire::sasl::Mechanism;
use serde::Deserialize;
use toml::Table;

use super::{Limits, Preset, Server, UserNameRule, UserNames};
use crate::method::MethodRule;
use crate::{DataError, TlsMode, key};

/// Keys of a limit that are facts for parts yet to come: daily limits, reading, mail APIs.
const LIMIT_FACTS: &[&str] = &[
    "attachment_mb",
    "attachment_simple_mb",
    "attachment_upload_session_mb",
    "concurrent",
    "cost",
    "external_recipients_per_day",
    "external_recipients_per_message_web",
    "first_time_recipients_per_day_subscriber",
    "imap_download_mb_per_day",
    "imap_upload_mb_per_day",
    "messages_per_day",
    "messages_per_day_free_reported",
    "messages_per_day_trial",
    "messages_per_user_per_day",
    "pop_download_mb_per_day",
    "received_per_hour",
    "recipients_per_day",
    "recipients_per_day_subscriber",
    "recipients_per_message_api",
    "recipients_per_message_web",
    "request_bytes",
    "requests_per_10min_app_mailbox",
    "retry_after_in_body_regex",
    "tenant_external_formula",
    "tenant_external_trial",
    "unique_recipients_per_day",
    "units_per_day_project",
    "units_per_minute_project",
    "units_per_minute_user",
    "upload_mb_per_5min",
    "window",
];

/// The file, still as it is written; a configuration may be laid over it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PresetFile {
    schema: u32,
    defaults: Defaults,
    /// By word.
    pub(crate) providers: Table,
    limits: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    smtp_connections_per_account: u32,
    smtp_messages_per_minute: u32,
    smtp_rcpts_per_transaction: u32,
    #[serde(rename = "imap_connections_per_account")]
    _imap_connections_per_account: u32,
    pop_sessions_per_mailbox: u32,
    #[serde(rename = "pop_min_interval_s")]
    _pop_min_interval_s: u32,
}

/// Where the configuration's own limits of a provider are kept beside the word of its section.
pub(crate) const OWN_LIMITS: &str = "own_limits";

/// [`key::PROVIDER`] has checked what these hold.
#[derive(Deserialize)]
struct ProviderEntry {
    name: String,
    kind: String,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    mx_suffixes: Vec<String>,
    #[serde(default)]
    zones: Vec<String>,
    #[serde(default)]
    username: UserNameWord,
    username_imap: Option<UserNameWord>,
    username_pop3: Option<UserNameWord>,
    #[serde(default)]
    smtp: Vec<ServerEntry>,
    #[serde(default)]
    imap: Vec<ServerEntry>,
    #[serde(default)]
    pop3: Vec<ServerEntry>,
    #[serde(default)]
    sasl_prefer: Vec<String>,
    #[serde(default)]
    pop3_auth_two_lines: bool,
    #[serde(default)]
    saves_sent_copy: bool,
    #[serde(default)]
    methods: Vec<MethodRule>,
    oauth: Option<String>,
    tenant: Option<String>,
    app_password: Option<String>,
    limits: Option<String>,
    #[serde(default)]
    own_limits: OwnLimits,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UserNameWord {
    #[default]
    Email,
    Upn,
    LocalPart,
    Any,
}

/// `evidence` and `use` are for people who edit the file.
#[derive(Deserialize)]
struct ServerEntry {
    host: String,
    port: u16,
    tls: TlsWord,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsWord {
    Implicit,
    StartTls,
}

/// What the configuration says, which binds as it stands.
#[derive(Default, Deserialize)]
struct OwnLimits {
    smtp_concurrent_connections: Option<u32>,
    smtp_messages_per_minute: Option<u32>,
    recipients_per_message: Option<u32>,
    message_mb: Option<u64>,
    imap_connections: Option<u32>,
    pop3_connections: Option<u32>,
}

#[derive(Default, Deserialize)]
struct LimitEntry {
    smtp_concurrent_connections: Option<u32>,
    smtp_messages_per_minute: Option<u32>,
    recipients_per_message_smtp: Option<u32>,
    recipients_per_message: Option<u32>,
    recipients_per_message_default: Option<u32>,
    recipients_per_transaction: Option<u32>,
    message_size_bytes_ehlo: Option<u64>,
    message_mb: Option<u64>,
    imap_connections: Option<u32>,
    #[serde(flatten)]
    facts: Table,
}

impl PresetFile {
    /// Reads the file; its providers are read one by one with [`Self::preset`].
    pub(crate) fn read(text: &str) -> Result<Self, DataError> {
        let file: Self = toml::from_str(text)?;
        if file.schema != 2 {
            return Err(DataError::Contradiction(format!("the presets have schema {}, not 2", file.schema)));
        }
        Ok(file)
    }

    /// One provider, with what it inherits and its limits filled in.
    pub(crate) fn preset(&self, word: &str) -> Result<Preset, DataError> {
        let entry = self.provider(word)?;
        let domains = entry
            .domains
            .iter()
            .map(|it| it.parse::<Domain>())
            .collect::<Result<_, _>>()
            .map_err(|err| DataError::Contradiction(format!("a domain of {word}: {err}")))?;
        let limits = match entry.kind.as_str() {
            "custom" | "sandbox" => Limits::UNKNOWN_HOST,
            _ => self.limits(entry.limits.as_deref())?,
        };
        let rule = UserNameWord::rule;
        let user_names = UserNames {
            smtp: rule(entry.username),
            imap: rule(entry.username_imap.unwrap_or(entry.username)),
            pop3: rule(entry.username_pop3.unwrap_or(entry.username)),
        };
        let mechanisms = entry.sasl_prefer.iter();
        let mechanisms =
            mechanisms.filter_map(|name| Mechanism::ALL.into_iter().find(|it| it.name() == name));
        let servers = |of: Vec<ServerEntry>| of.into_iter().map(ServerEntry::server).collect();
        let methods = match entry.methods {
            own if !own.is_empty() => own,
            _ => MethodRule::usual(entry.oauth.is_some(), entry.app_password.is_some()),
        };
        Ok(Preset {
            word: word.to_owned(),
            name: entry.name,
            kind: entry.kind,
            domains,
            mx_suffixes: entry.mx_suffixes.iter().map(|it| it.to_ascii_lowercase()).collect(),
            zones: entry.zones,
            user_names,
            smtp: servers(entry.smtp),
            imap: servers(entry.imap),
            pop3: servers(entry.pop3),
            mechanisms: mechanisms.collect(),
            is_pop3_auth_in_two_lines: entry.pop3_auth_two_lines,
            saves_sent_copy: entry.saves_sent_copy,
            methods,
            oauth: entry.oauth,
            tenant: entry.tenant,
            app_password: entry.app_password,
            limits: entry.own_limits.over(limits),
        })
    }

    /// The entry with what it inherits; one step is all that the data needs.
    fn provider(&self, word: &str) -> Result<ProviderEntry, DataError> {
        let mut table = section(&self.providers, word)?.clone();
        let own_limits = table.remove(OWN_LIMITS);
        if let Some((name, _)) = key::faults(&table, key::PROVIDER).first() {
            return Err(DataError::Contradiction(format!(
                "the key {name:?} of {word} is not as it should be"
            )));
        }
        if let Some(parent) = table.remove("inherits") {
            let parent = section(&self.providers, parent.as_str().unwrap_or_default())?;
            for (key, value) in parent {
                table.entry(key.as_str()).or_insert_with(|| value.clone());
            }
        }
        table.remove("inherits");
        if let Some(own) = own_limits {
            table.insert(OWN_LIMITS.to_owned(), own);
        }
        Ok(table.try_into()?)
    }

    /// The provider's own figures, and never more than the defaults, which leave room for other programs.
    fn limits(&self, name: Option<&str>) -> Result<Limits, DataError> {
        let entry: LimitEntry = match name {
            Some(name) => section(&self.limits, name)?.clone().try_into()?,
            None => LimitEntry::default(),
        };
        refuse_unknown(name.unwrap_or_default(), &entry.facts, LIMIT_FACTS)?;
        let or_less = |default: u32, stated: Option<u32>| stated.map_or(default, |it| it.min(default));
        let n_recipients = entry
            .recipients_per_message_smtp
            .or(entry.recipients_per_transaction)
            .or(entry.recipients_per_message)
            .or(entry.recipients_per_message_default);
        let defaults = &self.defaults;
        Ok(Limits {
            n_connections: or_less(defaults.smtp_connections_per_account, entry.smtp_concurrent_connections),
            n_messages_per_minute: Some(or_less(
                defaults.smtp_messages_per_minute,
                entry.smtp_messages_per_minute,
            )),
            n_recipients_per_transaction: or_less(defaults.smtp_rcpts_per_transaction, n_recipients),
            max_message_bytes: entry
                .message_size_bytes_ehlo
                .or(entry.message_mb.map(|it| it.saturating_mul(1_000_000))),
            n_imap_connections: entry.imap_connections.unwrap_or(Limits::UNKNOWN_HOST.n_imap_connections),
            n_pop3_connections: defaults.pop_sessions_per_mailbox,
        })
    }
}

impl OwnLimits {
    fn over(&self, known: Limits) -> Limits {
        Limits {
            n_connections: self.smtp_concurrent_connections.unwrap_or(known.n_connections),
            n_messages_per_minute: self.smtp_messages_per_minute.or(known.n_messages_per_minute),
            n_recipients_per_transaction: self
                .recipients_per_message
                .unwrap_or(known.n_recipients_per_transaction),
            max_message_bytes: self
                .message_mb
                .map(|it| it.saturating_mul(1_000_000))
                .or(known.max_message_bytes),
            n_imap_connections: self.imap_connections.unwrap_or(known.n_imap_connections),
            n_pop3_connections: self.pop3_connections.unwrap_or(known.n_pop3_connections),
        }
    }
}

impl UserNameWord {
    const fn rule(self) -> UserNameRule {
        match self {
            Self::Email => UserNameRule::Address,
            Self::Upn => UserNameRule::PrincipalName,
            Self::LocalPart => UserNameRule::LocalPart,
            Self::Any => UserNameRule::Any,
        }
    }
}

impl ServerEntry {
    fn server(self) -> Server {
        let tls = match self.tls {
            TlsWord::Implicit => TlsMode::Implicit,
            TlsWord::StartTls => TlsMode::StartTls,
        };
        Server { host: self.host, port: self.port, tls }
    }
}

fn section<'a>(of: &'a Table, name: &str) -> Result<&'a Table, DataError> {
    of.get(name)
        .and_then(toml::Value::as_table)
        .ok_or_else(|| DataError::Contradiction(format!("there is no section {name:?}")))
}

fn refuse_unknown(section: &str, found: &Table, known: &[&str]) -> Result<(), DataError> {
    match found.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(DataError::Contradiction(format!("unknown key {key:?} in {section}"))),
        None => Ok(()),
    }
}
