//! The presets' data file, as serde sees it. Facts that no code reads yet are named here too, so that a typing error in
//! any key of a provider or a limit is found.

use gatepost_core::Domain;
use serde::Deserialize;
use toml::Table;

use crate::{DataError, Limits, Preset, SmtpServer, TlsMode, UserNameRule};

/// Keys of a provider that are facts for parts yet to come: OAuth, reading, mail APIs, discovery.
const PROVIDER_FACTS: &[&str] = &[
    "api_base",
    "api_ping",
    "api_send_raw",
    "app_only",
    "app_password",
    "autoconfig_urls",
    "data_centre_canada",
    "data_centres",
    "ehlo_must_be_fqdn",
    "envelope_from_must_be_account",
    "host_guesses",
    "imap",
    "imap_try",
    "mx_suffixes",
    "oauth",
    "oauth_tenant_default",
    "password_login",
    "pop3",
    "pop3_auth_two_lines",
    "pop3_try",
    "read_fallback",
    "sasl_names_upper_case_only",
    "sasl_prefer",
    "saves_sent_copy",
    "send_api",
    "service_account",
    "smtp_legacy_tls_optin_host",
    "smtp_try",
    "srv",
    "username_imap",
];

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
    "imap_connections",
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

/// All presets, with what they inherit and their limits filled in.
pub(crate) fn read(text: &str) -> Result<Vec<Preset>, DataError> {
    let file: PresetFile = toml::from_str(text)?;
    if file.schema != 1 {
        return Err(DataError::Contradiction(format!("the presets have schema {}, not 1", file.schema)));
    }
    file.providers.keys().map(|word| file.preset(word)).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresetFile {
    schema: u32,
    defaults: Defaults,
    providers: Table,
    limits: Table,
    #[serde(rename = "oauth")]
    _oauth: Table,
    #[serde(rename = "app_passwords")]
    _app_passwords: Table,
    #[serde(rename = "retirement")]
    _retirement: Table,
}

#[derive(Deserialize)]
struct Defaults {
    smtp_connections_per_account: u32,
    smtp_messages_per_minute: u32,
    smtp_rcpts_per_transaction: u32,
}

#[derive(Deserialize)]
struct ProviderEntry {
    name: String,
    kind: String,
    #[serde(default)]
    domains: Vec<String>,
    username: UserNameWord,
    #[serde(default)]
    smtp: Vec<ServerEntry>,
    limits: Option<String>,
    #[serde(flatten)]
    facts: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum UserNameWord {
    Email,
    Upn,
    Any,
}

/// A server; `evidence` and `use` are for people who edit the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerEntry {
    host: String,
    port: u16,
    tls: TlsWord,
    #[serde(rename = "evidence")]
    _evidence: Option<String>,
    #[serde(rename = "use")]
    _use: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TlsWord {
    Implicit,
    StartTls,
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
    #[serde(flatten)]
    facts: Table,
}

impl PresetFile {
    fn preset(&self, word: &str) -> Result<Preset, DataError> {
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
        let user_name = match entry.username {
            UserNameWord::Email => UserNameRule::Address,
            UserNameWord::Upn => UserNameRule::PrincipalName,
            UserNameWord::Any => UserNameRule::Any,
        };
        let smtp = entry.smtp.into_iter().map(ServerEntry::server).collect();
        Ok(Preset {
            word: word.to_owned(),
            name: entry.name,
            kind: entry.kind,
            domains,
            user_name,
            smtp,
            limits,
        })
    }

    /// The entry with what it inherits; one step is all that the data needs.
    fn provider(&self, word: &str) -> Result<ProviderEntry, DataError> {
        let mut table = section(&self.providers, word)?.clone();
        if let Some(parent) = table.remove("inherits") {
            let parent = section(&self.providers, parent.as_str().unwrap_or_default())?;
            for (key, value) in parent {
                table.entry(key.as_str()).or_insert_with(|| value.clone());
            }
        }
        let entry: ProviderEntry = table.try_into()?;
        refuse_unknown(word, &entry.facts, PROVIDER_FACTS)?;
        Ok(entry)
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
        })
    }
}

impl ServerEntry {
    fn server(self) -> SmtpServer {
        let tls = match self.tls {
            TlsWord::Implicit => TlsMode::Implicit,
            TlsWord::StartTls => TlsMode::StartTls,
        };
        SmtpServer { host: self.host, port: self.port, tls }
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
