//! Exchanging a code, refreshing, revoking.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use gatepost_core::SecretText;
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, ExtraTokenFields, HttpRequest, HttpResponse,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, StandardTokenResponse, TokenResponse,
    TokenUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::failure::{OAuthFailure, OAuthRefusal};
use super::scrub::scrub;
use super::{Application, OAuthClient};
use crate::service::ClientAuth;
use crate::{OAuthService, OAuthTrouble, Uses};

/// A wait that a service may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Lifetimes of access tokens that are believed: Microsoft's go up to 28 hours.
const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=100_800;

/// A code to exchange.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// Where the flow began.
    pub service: &'a OAuthService,
    /// As which application.
    pub application: &'a Application,
    /// Where the code goes: the address that was kept with the flow (OC-3).
    pub token_url: &'a str,
    /// The redirect address that the flow began with.
    pub redirect_uri: &'a str,
    /// The code.
    pub code: &'a SecretText,
    /// The verifier that was kept with the flow.
    pub verifier: &'a SecretText,
}

/// What a service gave.
pub struct Granted {
    /// For signing in at the mailbox's servers.
    pub access_token: SecretText,
    /// For the next refresh. After a refresh: absent if the one that was used goes on.
    pub refresh_token: Option<SecretText>,
    /// How long the access token lives, as far as that is believed.
    pub lifetime: Duration,
    /// What was granted; absent if it is what was asked for (RFC 6749 §5.1).
    pub scopes: Option<Vec<String>>,
    /// Tells whose mailbox it is.
    pub(super) id_token: Option<SecretText>,
    /// Whether it came over TLS. Only then does an ID token prove anything without its signature.
    pub(super) came_over_tls: bool,
}

/// What a grant lacks to be of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// Permissions, in the words of the service's own page.
    Scopes(Vec<String>),
    /// A refresh token: it would be over in an hour.
    RefreshToken,
}

impl Lacking {
    /// What the catalogue says about it.
    #[must_use]
    pub fn trouble(&self) -> OAuthTrouble {
        match self {
            Self::Scopes(_) => OAuthTrouble::ScopesMissing,
            Self::RefreshToken => OAuthTrouble::NoLastingGrant,
        }
    }
}

impl Granted {
    /// What a new grant lacks for an account of these protocols (OC-1).
    #[must_use]
    pub fn lacks(&self, service: &OAuthService, uses: Uses) -> Option<Lacking> {
        self.lacks_scopes(service, uses)
            .or_else(|| self.refresh_token.is_none().then_some(Lacking::RefreshToken))
    }

    /// The same after a refresh, which need not give a new refresh token.
    #[must_use]
    pub fn lacks_scopes(&self, service: &OAuthService, uses: Uses) -> Option<Lacking> {
        let granted = self.scopes.as_ref()?;
        let needed = service.needed_scopes(uses);
        let missing = service.missing_scopes(&needed, granted);
        let in_words = missing.iter().map(|it| service.scope_in_words(it).to_owned()).collect::<Vec<_>>();
        (!in_words.is_empty()).then_some(Lacking::Scopes(in_words))
    }
}

/// The request's text (RFC 7009 §2.1), and its `Authorization` where the service wants the secret there.
fn revocation(
    service: &OAuthService,
    application: &Application,
    refresh_token: &SecretText,
) -> (String, Option<String>) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", refresh_token.reveal()).append_pair("token_type_hint", "refresh_token");
    form.append_pair("client_id", &application.client_id);
    let header = match (service.client_auth, &application.secret) {
        (ClientAuth::Post, Some(secret)) => {
            form.append_pair("client_secret", secret.reveal());
            None
        }
        (ClientAuth::Basic, Some(secret)) => Some(basic(&application.client_id, secret)),
        (ClientAuth::Post | ClientAuth::Basic, None) | (ClientAuth::None, _) => None,
    };
    (form.finish(), header)
}

/// RFC 6749 §2.3.1: each part in the form's own spelling first, so that a colon in it divides nothing.
fn basic(client_id: &str, secret: &SecretText) -> String {
    let spelled = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", spelled(client_id), spelled(secret.reveal()));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

/// What `oauth2` reads besides its own members.
#[derive(Debug, Serialize, Deserialize)]
struct Extra {
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<AccessToken>,
}

/// `oauth2`'s own type for secrets, whose `Debug` shows nothing.
type AccessToken = oauth2::AccessToken;

impl ExtraTokenFields for Extra {}

type Answer = StandardTokenResponse<Extra, BasicTokenType>;

type Client = oauth2::Client<
    BasicErrorResponse,
    Answer,
    oauth2::StandardTokenIntrospectionResponse<Extra, BasicTokenType>,
    oauth2::StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Carries a failure through `oauth2`.
struct Failed(OAuthFailure);

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failed")
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the service gave no token")
    }
}

impl std::error::Error for Failed {}

impl OAuthClient {
    /// Exchanges a code, once: it is spent whatever comes back (RFC 6749 §4.1.2).
    pub async fn exchange(&self, it: Exchange<'_>) -> Result<Granted, OAuthFailure> {
        let client = client(it.service, it.application, it.token_url)?;
        let redirect =
            RedirectUrl::new(it.redirect_uri.to_owned()).map_err(|_| not_understood("redirect address"))?;
        let client = client.set_redirect_uri(redirect);
        let ask = self.asking(secrets_of(it.application, &[it.code, it.verifier]));
        let asked = client
            .exchange_code(AuthorizationCode::new(it.code.reveal().to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(it.verifier.reveal().to_owned()))
            .request_async(&ask)
            .await;
        granted(asked, it.service, it.token_url)
    }

    /// Asks for a new access token. A rotated refresh token in the answer must be stored before anything else is done with
    /// the answer (OC-6).
    pub async fn refresh(
        &self,
        service: &OAuthService,
        application: &Application,
        token_url: &str,
        refresh_token: &SecretText,
    ) -> Result<Granted, OAuthFailure> {
        let client = client(service, application, token_url)?;
        let ask = self.asking(secrets_of(application, &[refresh_token]));
        let token = RefreshToken::new(refresh_token.reveal().to_owned());
        // No scopes: RFC 6749 §6, as they were granted.
        let asked = client.exchange_refresh_token(&token).request_async(&ask).await;
        granted(asked, service, token_url)
    }

    /// Takes a refresh token back at the service (RFC 7009). At a service that [`OAuthService::revoking_ends_all`] this ends
    /// every other grant of the same account and application too.
    pub async fn revoke(
        &self,
        service: &OAuthService,
        application: &Application,
        refresh_token: &SecretText,
    ) -> Result<(), OAuthFailure> {
        let Some(url) = service.revoke_url(application.tenant.as_deref()) else { return Ok(()) };
        let (form, authorization) = revocation(service, application, refresh_token);
        let mut request = oauth2::http::Request::post(url.as_str())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(form.into_bytes()).map_err(|_| not_understood("request"))?;
        let secrets = secrets_of(application, &[refresh_token]);
        let answer = self.carry(request).await?;
        // RFC 7009 §2.2: a token that is unknown already is revoked.
        if answer.status().is_success() { Ok(()) } else { Err(judged(&answer, &secrets, self)) }
    }

    /// Whether a service knows the application and its secret: a code that nobody gave is refused as a code, or the
    /// application is refused first.
    pub async fn prove_application(
        &self,
        service: &OAuthService,
        application: &Application,
        redirect_uri: &str,
    ) -> Result<(), OAuthFailure> {
        let Some(token_url) = service.token_url(application.tenant.as_deref()) else {
            return Err(not_understood("tenant"));
        };
        let nobodys = SecretText::new("0".repeat(43));
        let exchange = Exchange {
            service,
            application,
            token_url: token_url.as_str(),
            redirect_uri,
            code: &nobodys,
            verifier: &nobodys,
        };
        match self.exchange(exchange).await {
            Ok(_) => Err(not_understood("token for a code that nobody gave")),
            Err(OAuthFailure::Refused(refusal))
                if !refusal.is_of_the_application() && refusal.error != "redirect_uri_mismatch" =>
            {
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }

    /// Carries `oauth2`'s requests. Owns all it needs, so that whoever waits for it can be moved between threads.
    fn asking(
        &self,
        secrets: Vec<&SecretText>,
    ) -> impl Fn(HttpRequest) -> BoxFuture<Result<HttpResponse, Failed>> + Send + Sync + use<> {
        let (client, secrets) = (self.clone(), Arc::new(secrets.into_iter().cloned().collect::<Vec<_>>()));
        move |request| {
            let (client, secrets) = (client.clone(), Arc::clone(&secrets));
            Box::pin(async move { client.ask(request, &secrets.iter().collect::<Vec<_>>()).await })
        }
    }

    /// Carries a request; what comes back is a token answer in its plain form, or a failure.
    async fn ask(&self, request: HttpRequest, secrets: &[&SecretText]) -> Result<HttpResponse, Failed> {
        let answer = self.carry(request).await.map_err(Failed)?;
        if answer.status() != oauth2::http::StatusCode::OK {
            return Err(Failed(judged(&answer, secrets, self)));
        }
        let is_json = content_type(&answer).is_some_and(|it| it.starts_with("application/json"));
        let Some(members) = members(&answer).filter(|_| is_json) else {
            return Err(Failed(not_understood("token answer that is not JSON")));
        };
        if members.get("access_token").is_none() && members.contains_key("error") {
            return Err(Failed(judged(&answer, secrets, self)));
        }
        let plain =
            plain(members).ok_or_else(|| Failed(not_understood("token answer without a bearer token")))?;
        let (parts, _) = answer.into_parts();
        Ok(HttpResponse::from_parts(parts, plain))
    }

    pub(super) async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, OAuthFailure> {
        self.carrier.carry(request).await.map_err(|it| OAuthFailure::Trouble {
            trouble: it.trouble,
            retry_after: None,
            words: scrub(&it.words, &[]),
        })
    }
}

pub(super) fn not_understood(what: &str) -> OAuthFailure {
    let words = format!("no usable {what}");
    OAuthFailure::Trouble { trouble: OAuthTrouble::NotUnderstood, retry_after: None, words }
}

fn client(
    service: &OAuthService,
    application: &Application,
    token_url: &str,
) -> Result<Client, OAuthFailure> {
    let token_url = TokenUrl::new(token_url.to_owned()).map_err(|_| not_understood("token address"))?;
    let mut client =
        oauth2::Client::new(ClientId::new(application.client_id.clone())).set_token_uri(token_url);
    let auth_type = match service.client_auth {
        ClientAuth::Basic => AuthType::BasicAuth,
        ClientAuth::Post | ClientAuth::None => AuthType::RequestBody,
    };
    client = client.set_auth_type(auth_type);
    if let Some(secret) = application.secret.as_ref().filter(|_| service.client_auth != ClientAuth::None) {
        client = client.set_client_secret(ClientSecret::new(secret.reveal().to_owned()));
    }
    Ok(client)
}

fn secrets_of<'a>(application: &'a Application, more: &[&'a SecretText]) -> Vec<&'a SecretText> {
    more.iter().copied().chain(&application.secret).collect()
}

fn granted(
    asked: Result<Answer, RequestTokenError<Failed, BasicErrorResponse>>,
    service: &OAuthService,
    token_url: &str,
) -> Result<Granted, OAuthFailure> {
    let answer = asked.map_err(|error| match error {
        RequestTokenError::Request(Failed(failure)) => failure,
        RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            not_understood("token answer")
        }
    })?;
    let secret = |text: &String| SecretText::new(text.clone());
    let scopes = answer.scopes().map(|scopes| scopes.iter().map(|it| it.as_str().to_owned()).collect());
    Ok(Granted {
        access_token: secret(answer.access_token().secret()),
        refresh_token: answer.refresh_token().map(|it| secret(it.secret())),
        lifetime: answer.expires_in().unwrap_or(service.access_lifetime),
        scopes,
        id_token: answer.extra_fields().id_token.as_ref().map(|it| secret(it.secret())),
        came_over_tls: token_url.starts_with("https://"),
    })
}

/// What an answer that gives nothing means.
pub(super) fn judged(answer: &HttpResponse, secrets: &[&SecretText], client: &OAuthClient) -> OAuthFailure {
    let status = answer.status().as_u16();
    let retry_after = retry_after(answer, client.world.now().seconds());
    let said = members(answer);
    let said = said.as_ref();
    let text = |name: &str| said.and_then(|it| it.get(name)).and_then(Value::as_str);
    // OC-7: these say nothing about the grant, whatever stands in them.
    if status >= 500 || matches!(status, 408 | 425 | 429) {
        let words =
            [text("error"), text("error_description")].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let words = scrub(format!("{status} {words}").trim_end(), secrets);
        return OAuthFailure::Trouble { trouble: OAuthTrouble::Busy, retry_after, words };
    }
    match text("error") {
        Some(error) if !error.is_empty() && !(300..400).contains(&status) => {
            let codes = said.and_then(|it| it.get("error_codes")).and_then(Value::as_array);
            let codes = codes.into_iter().flatten().filter_map(|it| u32::try_from(it.as_u64()?).ok());
            let description = text("error_description").unwrap_or_default();
            let codes: Vec<u32> = codes.collect();
            OAuthFailure::Refused(OAuthRefusal::new(error, text("suberror"), &codes, description, secrets))
        }
        _ => {
            let words = format!("an answer with the status {status} and nothing that is understood in it");
            OAuthFailure::Trouble { trouble: OAuthTrouble::NotUnderstood, retry_after, words }
        }
    }
}

fn content_type(answer: &HttpResponse) -> Option<String> {
    let value = answer.headers().get("content-type")?.to_str().ok()?;
    Some(value.trim().to_ascii_lowercase())
}

pub(super) fn members(answer: &HttpResponse) -> Option<Map<String, Value>> {
    match serde_json::from_slice(answer.body()) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// The members that are read, each in the one form that RFC 6749 §5.1 gives it: services write numbers as text, scopes as
/// lists, and leave the type of the token out. Nothing if there is no token that can be used as a bearer's.
fn plain(members: Map<String, Value>) -> Option<Vec<u8>> {
    let token = |name: &str| {
        let text = members.get(name)?.as_str()?;
        // RFC 6749 appendix A.12: visible characters, which no mechanism of sign-in can mistake for its own signs.
        let is_token = !text.is_empty() && text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        is_token.then(|| Value::String(text.to_owned()))
    };
    let mut plain = Map::new();
    plain.insert("access_token".to_owned(), token("access_token")?);
    let token_type = members.get("token_type").map_or(Some("bearer"), Value::as_str)?;
    if !token_type.eq_ignore_ascii_case("bearer") {
        return None;
    }
    plain.insert("token_type".to_owned(), Value::String("bearer".to_owned()));
    for name in ["refresh_token", "id_token"] {
        if let Some(value) = token(name) {
            plain.insert(name.to_owned(), value);
        }
    }
    let seconds = match members.get("expires_in") {
        Some(Value::Number(it)) => it.as_u64(),
        Some(Value::String(it)) => it.trim().parse().ok(),
        _ => None,
    };
    // What is no lifetime at all is as if it were not said; a long one is cut, and refreshed earlier than it must.
    if let Some(seconds) = seconds.filter(|it| *it > 0) {
        plain.insert("expires_in".to_owned(), seconds.clamp(*LIFETIMES.start(), *LIFETIMES.end()).into());
    }
    let scopes = match members.get("scope") {
        Some(Value::String(it)) => Some(it.split_ascii_whitespace().collect::<Vec<_>>()),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        _ => None,
    };
    if let Some(scopes) = scopes.filter(|it| !it.is_empty()) {
        plain.insert("scope".to_owned(), Value::String(scopes.join(" ")));
    }
    serde_json::to_vec(&plain).ok()
}

/// RFC 9110 §10.2.3: seconds, or a date.
fn retry_after(answer: &HttpResponse, now: i64) -> Option<Duration> {
    let text = answer.headers().get("retry-after")?.to_str().ok()?.trim();
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_second();
            u64::try_from(at.saturating_sub(now)).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
}
