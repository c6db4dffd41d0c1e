//! The data file of OAuth services, as serde sees it, with what the configuration says over it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Table;

use super::{ClientAuth, OAuthService, ServiceScopes};
use crate::{DataError, key};

/// The services as they are written, by word.
pub(crate) fn read(text: &str) -> Result<Table, DataError> {
    let file: ServiceFile = toml::from_str(text)?;
    if file.schema != 1 {
        return Err(DataError::Contradiction(format!(
            "the OAuth services have schema {}, not 1",
            file.schema
        )));
    }
    Ok(file.services)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    schema: u32,
    services: Table,
}

/// [`key::SERVICE`] has checked what these hold.
#[derive(Deserialize)]
struct ServiceEntry {
    name: String,
    kind: String,
    authorize: String,
    token: String,
    revoke: Option<String>,
    userinfo: Option<String>,
    #[serde(default)]
    revoke_ends_all: bool,
    #[serde(default)]
    tenants: bool,
    #[serde(default)]
    issuers: Vec<String>,
    #[serde(default)]
    sends_issuer: bool,
    #[serde(default)]
    client_auth: ClientAuthWord,
    scopes: ScopesEntry,
    #[serde(default)]
    scope_aliases: BTreeMap<String, String>,
    #[serde(default)]
    scope_words: BTreeMap<String, String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    again: BTreeMap<String, String>,
    #[serde(default)]
    login_hint: bool,
    #[serde(default = "usual_subject")]
    subject: Vec<String>,
    #[serde(default = "usual_address")]
    address: Vec<String>,
    #[serde(default = "an_hour")]
    access_lifetime_s: u64,
    #[serde(default)]
    refresh_rotates: bool,
    #[serde(default)]
    refresh_old_stays_valid: bool,
    refresh_idle_days: Option<u64>,
    #[serde(default = "usual_loopback")]
    loopback: String,
    register: Option<String>,
    error_help: Option<String>,
}

fn usual_subject() -> Vec<String> {
    vec!["sub".to_owned()]
}

fn usual_address() -> Vec<String> {
    vec!["email".to_owned()]
}

const fn an_hour() -> u64 {
    3_600
}

/// RFC 8252 §7.3.
fn usual_loopback() -> String {
    "http://127.0.0.1".to_owned()
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClientAuthWord {
    #[default]
    Post,
    Basic,
    None,
}

#[derive(Deserialize)]
struct ScopesEntry {
    #[serde(default)]
    smtp: Vec<String>,
    #[serde(default)]
    imap: Vec<String>,
    #[serde(default)]
    pop3: Vec<String>,
    #[serde(default)]
    lasting: Vec<String>,
    #[serde(default)]
    identity: Vec<String>,
}

/// One service.
pub(crate) fn service(word: &str, table: &Table) -> Result<OAuthService, DataError> {
    if let Some((name, _)) = key::faults(table, key::SERVICE).first() {
        return Err(DataError::Contradiction(format!(
            "the key {name:?} of the OAuth service {word} is not as it should be"
        )));
    }
    let it: ServiceEntry = table.clone().try_into()?;
    let ScopesEntry { smtp, imap, pop3, lasting, identity } = it.scopes;
    let addresses = [Some(&it.authorize), Some(&it.token), it.revoke.as_ref(), it.userinfo.as_ref()];
    if addresses.into_iter().flatten().any(|address| address.contains("{tenant}") && !it.tenants) {
        return Err(DataError::Contradiction(format!(
            "an address of the OAuth service {word} holds a tenant, but it has none"
        )));
    }
    Ok(OAuthService {
        word: word.to_owned(),
        name: it.name,
        kind: it.kind,
        authorize: it.authorize,
        token: it.token,
        revoke: it.revoke,
        userinfo: it.userinfo,
        revoking_ends_all: it.revoke_ends_all,
        has_tenants: it.tenants,
        issuers: it.issuers,
        sends_issuer: it.sends_issuer,
        client_auth: match it.client_auth {
            ClientAuthWord::Post => ClientAuth::Post,
            ClientAuthWord::Basic => ClientAuth::Basic,
            ClientAuthWord::None => ClientAuth::None,
        },
        scopes: ServiceScopes { smtp, imap, pop3, lasting, identity },
        scope_aliases: it.scope_aliases,
        scope_words: it.scope_words,
        parameters: it.parameters,
        again: it.again,
        takes_login_hint: it.login_hint,
        subject: it.subject,
        address: it.address,
        access_lifetime: Duration::from_secs(it.access_lifetime_s),
        rotates: it.refresh_rotates,
        old_stays_valid: it.refresh_old_stays_valid,
        idle_limit: it.refresh_idle_days.map(|days| Duration::from_secs(days.saturating_mul(86_400))),
        loopback: it.loopback,
        register: it.register,
        error_help: it.error_help,
    })
}
