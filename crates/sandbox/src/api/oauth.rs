//! OAuth: how tokens live, trouble at the endpoints, grants and applications.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_core::{EmailAddress, SecretText};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, Refusal};
use crate::oauth::{
    Client, ClientError, Grant, NewClient, Rotation, Scope, Settings, Trouble, TroubleRequest, parse_scopes,
    write_scopes,
};

/// What a tester may set; what is absent stays as it is.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SetRequest {
    access_lifetime_s: Option<u64>,
    rotation: Option<Rotation>,
    narrow_scopes: Option<Vec<Scope>>,
    /// Null ends all trouble.
    #[serde(deserialize_with = "present")]
    outage: Option<Option<Outage>>,
}

/// A status of the token endpoint, or all that can be said.
#[derive(Deserialize)]
#[serde(untagged)]
enum Outage {
    Status(u16),
    Trouble(Box<TroubleRequest>),
}

/// Tells null from absent.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<Outage>>, D::Error> {
    Option::<Outage>::deserialize(from).map(Some)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    account: String,
    #[serde(default)]
    client_id: Option<String>,
    /// Words with spaces between them; all unless they are said.
    #[serde(default)]
    scopes: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensRequest {
    /// All accounts unless it is said.
    #[serde(default)]
    account: Option<String>,
    action: TokensAction,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TokensAction {
    Expire,
    Revoke,
}

#[derive(Serialize)]
pub(super) struct GrantAnswer {
    id: String,
    account: String,
    client_id: String,
    scopes: String,
    granted_at: String,
    refreshed_at: Option<String>,
    n_refreshes: u64,
    is_access_good: bool,
}

pub(super) async fn show(State(api): State<Api>) -> Json<Value> {
    let oauth = &api.provider.oauth;
    let settings = oauth.settings.get();
    let outages: Vec<_> = oauth.troubles.all().iter().map(TroubleRequest::from).collect();
    let issuer = &oauth.issuer;
    Json(json!({
        "access_lifetime_s": settings.access_lifetime_s,
        "rotation": settings.rotation,
        "narrow_scopes": settings.narrow_scopes,
        "outages": outages,
        "issuer": issuer,
        "authorize": format!("{issuer}/oauth2/auth"),
        "token": format!("{issuer}/oauth2/token"),
        "revoke": format!("{issuer}/oauth2/revoke"),
        "userinfo": format!("{issuer}/oauth2/userinfo"),
    }))
}

/// Answers with what counts now.
pub(super) async fn set(state: State<Api>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let request: SetRequest = read(&body)?;
    let oauth = &state.provider.oauth;
    let before = oauth.settings.get();
    let settings = Settings {
        access_lifetime_s: request.access_lifetime_s.unwrap_or(before.access_lifetime_s),
        rotation: request.rotation.unwrap_or(before.rotation),
        narrow_scopes: request.narrow_scopes.unwrap_or(before.narrow_scopes.clone()),
    };
    if !Settings::LIFETIMES_S.contains(&settings.access_lifetime_s) {
        return Err(Refusal::BadRequest(Settings::lifetime_error()));
    }
    let trouble = request.outage.map(|it| it.map(Outage::check).transpose()).transpose()?;
    if settings != before {
        let setting = state.provider.work(move |oauth| oauth.settings.set(settings));
        setting.await.map_err(Refusal::Failed)?;
    }
    match trouble {
        Some(Some(trouble)) => oauth.troubles.set(trouble),
        Some(None) => oauth.troubles.clear(),
        None => {}
    }
    Ok(show(state).await)
}

impl Outage {
    fn check(self) -> Result<Trouble, Refusal> {
        let request = match self {
            Self::Status(status) => TroubleRequest { status: Some(status), ..TroubleRequest::default() },
            Self::Trouble(request) => *request,
        };
        request.check().map_err(Refusal::BadRequest)
    }
}

/// Consent without a browser; answers as the token endpoint does.
pub(super) async fn grant(State(api): State<Api>, body: Bytes) -> Result<Json<Value>, Refusal> {
    let request: GrantRequest = read(&body)?;
    let account = address(&request.account)?;
    let client = match &request.client_id {
        Some(id) => api.provider.oauth.clients.find(id),
        None => Some(Client::built_in()),
    };
    let client = client.ok_or_else(|| {
        Refusal::BadRequest("There is no application with this client_id: register it first.".to_owned())
    })?;
    let scopes = match &request.scopes {
        Some(scopes) => parse_scopes(scopes)
            .map_err(|word| Refusal::BadRequest(format!("The scope {word:?} is not known.")))?,
        None => Scope::ALL.to_vec(),
    };
    let adding =
        api.provider.work(move |oauth| oauth.grants.add(account, &client, scopes, &oauth.settings.get()));
    let tokens = adding.await.map_err(Refusal::Failed)?;
    Ok(Json(json!({
        "id": tokens.grant.to_string(),
        "access_token": tokens.access.reveal(),
        "refresh_token": tokens.refresh.as_ref().map(SecretText::reveal),
        "expires_in": tokens.expires_in_s,
        "scope": write_scopes(&tokens.scopes),
    })))
}

pub(super) async fn grants(State(api): State<Api>) -> Json<Vec<GrantAnswer>> {
    let now = api.provider.world.now();
    let answer = |it: Grant| GrantAnswer {
        id: it.id.to_string(),
        account: it.account.to_string(),
        scopes: write_scopes(&it.scopes),
        granted_at: it.granted_at.to_string(),
        refreshed_at: it.refreshed_at.map(|at| at.to_string()),
        n_refreshes: it.n_refreshes,
        is_access_good: it.access_until(now).is_some(),
        client_id: it.client_id,
    };
    Json(api.provider.oauth.grants.list(None).into_iter().map(answer).collect())
}

/// Answers with the grants that are there now.
pub(super) async fn end(state: State<Api>, body: Bytes) -> Result<Json<Vec<GrantAnswer>>, Refusal> {
    let request: TokensRequest = read(&body)?;
    let account = request.account.as_deref().map(address).transpose()?;
    for grant in state.provider.oauth.grants.list(account.as_ref()) {
        let is_revoked = request.action == TokensAction::Revoke;
        state.provider.end_grant(grant.id, is_revoked).await.map_err(Refusal::Failed)?;
    }
    Ok(grants(state).await)
}

/// Answers with the id and the secret, which nothing shows again.
pub(super) async fn register(
    State(api): State<Api>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let new: NewClient = read(&body)?;
    let registering = api.provider.work(move |oauth| oauth.clients.register(&new, &oauth.world));
    let (client, secret) = registering.await.map_err(|error| match error {
        ClientError::Storage(error) => Refusal::Failed(error),
        mistake => Refusal::BadRequest(mistake.to_string()),
    })?;
    let secret = secret.as_ref().map(SecretText::reveal);
    Ok((StatusCode::CREATED, Json(json!({ "client_id": client.id, "client_secret": secret }))))
}

fn read<'de, T: Deserialize<'de>>(body: &'de Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::BadRequest(format!("This is not what is asked for, in JSON: {error}.")))
}

fn address(text: &str) -> Result<EmailAddress, Refusal> {
    text.parse().map_err(|error| Refusal::BadRequest(format!("{text:?} is not an address: {error}.")))
}
