//! OAuth services: where people sign in, and what each service wants.

pub(crate) mod file;

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::key;

/// One OAuth service. Several providers may share one (Gmail and Google Workspace).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthService {
    /// What addresses and rows call it, for example `google`.
    pub word: String,
    /// What people call it.
    pub name: String,
    /// Which catalogue rules speak of it.
    pub kind: String,
    pub(crate) authorize: String,
    pub(crate) token: String,
    pub(crate) revoke: Option<String>,
    pub(crate) userinfo: Option<String>,
    /// Revoking one token ends everything that this account has granted to this application.
    pub revoking_ends_all: bool,
    /// Whether its addresses hold a tenant.
    pub has_tenants: bool,
    pub(crate) issuers: Vec<String>,
    pub(crate) sends_issuer: bool,
    pub(crate) client_auth: ClientAuth,
    pub(crate) scopes: ServiceScopes,
    pub(crate) scope_aliases: BTreeMap<String, String>,
    pub(crate) scope_words: BTreeMap<String, String>,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) again: BTreeMap<String, String>,
    pub(crate) takes_login_hint: bool,
    pub(crate) subject: Vec<String>,
    pub(crate) address: Vec<String>,
    /// How long an access token lives where the answer does not say it.
    pub access_lifetime: Duration,
    /// It gives a new refresh token with each refresh.
    pub rotates: bool,
    /// With a new refresh token the one before stays valid.
    pub old_stays_valid: bool,
    /// A refresh token that is not used for so long dies.
    pub idle_limit: Option<Duration>,
    /// The redirect address where no redirect reaches this installation.
    pub loopback: String,
    /// The word of the guide to an application of one's own. Nobody can register one without.
    pub register: Option<String>,
    pub(crate) error_help: Option<String>,
}

/// How the application proves that it is the registered one (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    Post,
    Basic,
    None,
}

/// The scopes of a service, by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServiceScopes {
    pub(crate) smtp: Vec<String>,
    pub(crate) imap: Vec<String>,
    pub(crate) pop3: Vec<String>,
    pub(crate) lasting: Vec<String>,
    pub(crate) identity: Vec<String>,
}

/// The protocols that an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// It sends.
    pub smtp: bool,
    /// It is read by IMAP.
    pub imap: bool,
    /// It is read by POP3.
    pub pop3: bool,
}

impl OAuthService {
    /// The address of the page where people sign in.
    #[must_use]
    pub fn authorize_url(&self, tenant: Option<&str>) -> Option<Url> {
        self.address_of(&self.authorize, tenant)
    }

    /// The address that gives tokens.
    #[must_use]
    pub fn token_url(&self, tenant: Option<&str>) -> Option<Url> {
        self.address_of(&self.token, tenant)
    }

    /// The address that takes tokens back, where there is one.
    #[must_use]
    pub fn revoke_url(&self, tenant: Option<&str>) -> Option<Url> {
        self.address_of(self.revoke.as_deref()?, tenant)
    }

    /// The address that tells whose token it is, where there is one.
    #[must_use]
    pub fn userinfo_url(&self, tenant: Option<&str>) -> Option<Url> {
        self.address_of(self.userinfo.as_deref()?, tenant)
    }

    /// Where a number of an error is explained.
    #[must_use]
    pub fn error_help(&self, code: u32) -> Option<String> {
        self.error_help.as_ref().map(|it| it.replace("{code}", &code.to_string()))
    }

    /// Absent if a tenant is needed and there is none, or it is none.
    fn address_of(&self, template: &str, tenant: Option<&str>) -> Option<Url> {
        match (self.has_tenants, tenant) {
            (false, _) => key::address(template, "").filter(|_| !template.contains("{tenant}")),
            (true, Some(tenant)) if key::is_tenant_text(tenant) => key::address(template, tenant),
            (true, _) => None,
        }
    }

    /// The scopes without which an account of these protocols is of no use; each once. POP3 beside IMAP is no such need: whoever was
    /// not given it still reads.
    #[must_use]
    pub fn needed_scopes(&self, uses: Uses) -> Vec<&str> {
        self.scopes_of(Uses { pop3: uses.pop3 && !uses.imap, ..uses })
    }

    fn scopes_of(&self, uses: Uses) -> Vec<&str> {
        let ServiceScopes { smtp, imap, pop3, .. } = &self.scopes;
        let parts = [(uses.smtp, smtp), (uses.imap, imap), (uses.pop3, pop3)];
        let mut all: Vec<&str> = Vec::new();
        for scope in parts.into_iter().filter(|(is_used, _)| *is_used).flat_map(|(_, scopes)| scopes) {
            if !all.contains(&scope.as_str()) {
                all.push(scope);
            }
        }
        all
    }

    /// All scopes to ask for: those of all its protocols, what keeps the grant alive, and what tells whose mailbox it is.
    #[must_use]
    pub fn asked_scopes(&self, uses: Uses) -> Vec<&str> {
        let more = self.scopes.lasting.iter().chain(&self.scopes.identity).map(String::as_str);
        self.scopes_of(uses).into_iter().chain(more).collect()
    }

    /// Which of the needed scopes were not granted. Services leave out or rename what is no permission of mail, so nothing
    /// else is compared.
    #[must_use]
    pub fn missing_scopes<'a>(&'a self, needed: &[&'a str], granted: &[String]) -> Vec<&'a str> {
        let is_granted = |scope: &str| {
            granted.iter().any(|it| {
                let own_name = self.scope_aliases.get(it).unwrap_or(it);
                own_name.eq_ignore_ascii_case(scope)
            })
        };
        needed.iter().copied().filter(|it| !is_granted(it)).collect()
    }

    /// What a scope is in words, as the service's own page says it.
    #[must_use]
    pub fn scope_in_words<'a>(&'a self, scope: &'a str) -> &'a str {
        self.scope_words.get(scope).map_or(scope, String::as_str)
    }
}
