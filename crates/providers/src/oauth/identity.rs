//! Whose mailbox it is (OC-4).

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use gatepost_core::{EmailAddress, SecretText};
use serde_json::{Map, Value};

use super::token::{judged, members, not_understood};
use super::{Application, Granted, OAuthClient, OAuthFailure, is_issuer_of, is_tenant_id, nonce_of};
use crate::{OAuthService, OAuthTrouble};

/// How far two clocks may be apart, in seconds.
const SKEW: i64 = 300;

/// Who signed in, as the service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who says it.
    pub issuer: String,
    /// Names the account for good, whatever its address becomes. Compared at re-authentication.
    pub subject: String,
    /// The address it shows, if it is one.
    pub address: Option<EmailAddress>,
    /// Whether the service says that the address was proven to it. Without that it is a name that somebody wrote there.
    pub is_address_verified: bool,
}

/// What an ID token must fit.
#[derive(Clone, Copy)]
pub struct IdentityCheck<'a> {
    /// The service that was asked.
    pub service: &'a OAuthService,
    /// The application it must be for.
    pub application: &'a Application,
    /// The state of the flow; absent after a refresh, whose ID token need not repeat its nonce (OpenID Connect Core §12.2).
    pub state: Option<&'a SecretText>,
}

impl OAuthClient {
    /// Who signed in, by the ID token; nothing if there is none, or if it did not come over TLS: it was taken from the token
    /// URL itself, so its signature would add nothing (OpenID Connect Core §3.1.3.7, 6).
    pub fn identity(
        &self,
        granted: &Granted,
        check: IdentityCheck<'_>,
    ) -> Result<Option<Identity>, OAuthFailure> {
        let Some(token) = granted.id_token.as_ref().filter(|_| granted.came_over_tls) else {
            return Ok(None);
        };
        let now = self.world.now().seconds();
        let found = claims(token.reveal()).and_then(|claims| proven(&claims, check, now));
        found.map(Some).ok_or_else(|| OAuthFailure::trouble(OAuthTrouble::IdentityUnproven))
    }

    /// Who signed in, by the service's own word, for services without ID tokens. Nothing if it has no such address.
    pub async fn userinfo(
        &self,
        service: &OAuthService,
        application: &Application,
        access_token: &SecretText,
    ) -> Result<Option<Identity>, OAuthFailure> {
        let Some(url) = service.userinfo_url(application.tenant.as_deref()) else { return Ok(None) };
        let request = oauth2::http::Request::get(url.as_str())
            .header("authorization", format!("Bearer {}", access_token.reveal()))
            .header("accept", "application/json")
            .body(Vec::new())
            .map_err(|_| not_understood("request"))?;
        let answer = self.carry(request).await?;
        if answer.status() != oauth2::http::StatusCode::OK {
            return Err(judged(&answer, &[access_token], self));
        }
        let said = members(&answer).ok_or_else(|| not_understood("answer about the account"))?;
        let issuer = service.issuers.first().cloned().unwrap_or_else(|| service.word.clone());
        let found = identity(&said, service, issuer);
        found.map(Some).ok_or_else(|| not_understood("answer about the account"))
    }
}

/// The claims of a JSON Web Token (RFC 7519 §3), whatever its signature.
fn claims(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let bytes = URL_SAFE_NO_PAD.decode(payload).or_else(|_| URL_SAFE.decode(payload)).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(claims)) => Some(claims),
        _ => None,
    }
}

fn proven(claims: &Map<String, Value>, check: IdentityCheck<'_>, now: i64) -> Option<Identity> {
    let IdentityCheck { service, application, state } = check;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss")?;
    // The tenant in the issuer is the one that the token itself names (Microsoft), and the application's own if it has one.
    let tenant = application.tenant.as_deref().filter(|it| is_tenant_id(it));
    let is_of_tenant = text("tid").is_none_or(|tid| tenant.is_none_or(|it| it.eq_ignore_ascii_case(tid)));
    let is_issued = is_issuer_of(service, issuer, text("tid").or(tenant)) && is_of_tenant;
    let (is_ours, n_audiences) = match claims.get("aud")? {
        Value::String(it) => (*it == application.client_id, 1),
        Value::Array(items) => {
            (items.iter().any(|it| it.as_str() == Some(&application.client_id)), items.len())
        }
        _ => (false, 0),
    };
    // OpenID Connect Core §3.1.3.7, 4 and 5.
    let is_party = match text("azp") {
        Some(party) => party == application.client_id,
        None => n_audiences <= 1,
    };
    let expires_at =
        claims.get("exp").and_then(|it| it.as_i64().or_else(|| it.as_f64().map(|it| it as i64)))?;
    let is_fresh = expires_at.saturating_add(SKEW) > now;
    let is_of_flow = state.is_none_or(|state| {
        let wanted = SecretText::new(nonce_of(state));
        text("nonce").is_some_and(|it| wanted.matches(&SecretText::new(it.to_owned())))
    });
    let holds = is_issued && is_ours && is_party && is_fresh && is_of_flow;
    holds.then(|| identity(claims, service, issuer.to_owned())).flatten()
}

fn identity(claims: &Map<String, Value>, service: &OAuthService, issuer: String) -> Option<Identity> {
    let text = |name: &String| claims.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let subject: Option<Vec<&str>> = service.subject.iter().map(text).collect();
    let subject = subject.filter(|it| !it.is_empty())?.join("/");
    if subject.len() > 512 || subject.contains(char::is_control) {
        return None;
    }
    let found =
        service.address.iter().find_map(|name| Some((name, text(name)?.parse::<EmailAddress>().ok()?)));
    let is_verified = matches!(claims.get("email_verified"), Some(Value::Bool(true)))
        || claims.get("email_verified").and_then(Value::as_str) == Some("true");
    let is_address_verified = found.as_ref().is_some_and(|(name, _)| name.as_str() == "email") && is_verified;
    Some(Identity { issuer, subject, address: found.map(|(_, it)| it), is_address_verified })
}
