//! Mailboxes and their messages.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use gatepost_core::{EmailAddress, SecretText};
use serde::{Deserialize, Serialize};
use tokio_util::io::ReaderStream;

use super::{Api, Refusal};
use crate::error::storage;
use crate::mailbox::{CredentialChange, Security, new_authenticator, secret_json};
use crate::pages::path_segment;

#[derive(Serialize)]
pub(super) struct MailboxAnswer {
    address: String,
    messages: usize,
}

#[derive(Serialize)]
pub(super) struct MessageAnswer {
    id: String,
    from: String,
    to: String,
    subject: String,
    message_id: String,
    size: u64,
    received_at: String,
    raw_url: String,
}

/// What a tester may set; what is absent or null stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetRequest {
    #[serde(default, deserialize_with = "secret_json::deserialize")]
    password: Option<SecretText>,
    #[serde(default, deserialize_with = "secret_json::deserialize")]
    app_password: Option<SecretText>,
    #[serde(default, deserialize_with = "secret_json::deserialize")]
    token: Option<SecretText>,
    #[serde(default)]
    security: Option<Security>,
    /// Addresses of those whose tokens open the mailbox too.
    #[serde(default)]
    members: Option<Vec<String>>,
}

pub(super) async fn list(State(api): State<Api>) -> Json<Vec<MailboxAnswer>> {
    let answer = api
        .provider
        .mailboxes
        .overview()
        .into_iter()
        .map(|it| MailboxAnswer { address: it.address.to_string(), messages: it.n_messages });
    Json(answer.collect())
}

pub(super) async fn set(
    State(api): State<Api>,
    Path(address): Path<String>,
    body: Bytes,
) -> Result<Json<MailboxAnswer>, Refusal> {
    let address = parse_address(&address)?;
    // serde's own words could quote a secret.
    let request: SetRequest = serde_json::from_slice(&body).map_err(|_| {
        Refusal::BadRequest(
            "Send a JSON object with password, app_password or token, each a text, security, an object, or members, a list of addresses."
                .to_owned(),
        )
    })?;
    let (security, change) = (request.security, request.check()?);
    let world = api.provider.world.clone();
    let owner = address.clone();
    let changed = api.provider.change_mailbox(&address, move |it| {
        it.change(change, &world);
        if let Some(security) = security {
            it.protect(security, || new_authenticator(&owner, &world));
        }
    });
    changed.await.map_err(Refusal::Failed)?;
    if security.is_some() {
        api.provider.show_codes(&address).await.map_err(Refusal::Failed)?;
    }
    let messages = api.provider.mailboxes.messages(&address).len();
    Ok(Json(MailboxAnswer { address: address.to_string(), messages }))
}

impl SetRequest {
    fn check(self) -> Result<CredentialChange, Refusal> {
        let is_empty = |text: &SecretText| text.reveal().is_empty();
        if self.password.as_ref().is_some_and(is_empty) || self.token.as_ref().is_some_and(is_empty) {
            return Err(Refusal::BadRequest("A password or token has at least one character.".to_owned()));
        }
        let joined = |it: SecretText| SecretText::new(it.reveal().split_whitespace().collect());
        let app_password = self.app_password.map(joined);
        // Like those of Google: 16 letters, in groups or not.
        let is_letters =
            |it: &SecretText| it.reveal().len() == 16 && it.reveal().bytes().all(|b| b.is_ascii_lowercase());
        if app_password.as_ref().is_some_and(|it| !is_letters(it)) {
            return Err(Refusal::BadRequest("An app password has 16 letters from a to z.".to_owned()));
        }
        let members = self.members.map(|all| all.iter().map(|it| parse_address(it)).collect()).transpose()?;
        Ok(CredentialChange { password: self.password, app_password, token: self.token, members })
    }
}

pub(super) async fn messages(
    State(api): State<Api>,
    Path(address): Path<String>,
) -> Result<Json<Vec<MessageAnswer>>, Refusal> {
    let address = parse_address(&address)?;
    let folder = format!("http://{}/api/mailboxes/{}/messages", api.own, path_segment(address.as_str()));
    let answer = api.provider.mailboxes.messages(&address).into_iter().map(|it| MessageAnswer {
        id: it.id.to_string(),
        // An application may leave out its To; the mailbox it lies in is then the best there is.
        to: if it.to.is_empty() { address.to_string() } else { it.to },
        from: it.from,
        subject: it.subject,
        message_id: it.message_id,
        size: it.size_bytes,
        received_at: it.id.received_at().to_string(),
        raw_url: format!("{folder}/{}/raw", it.id),
    });
    Ok(Json(answer.collect()))
}

/// The octets as they were kept, never as a page of ours.
pub(super) async fn raw(
    State(api): State<Api>,
    Path((address, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let address = parse_address(&address)?;
    let id = id.parse().map_err(|()| Refusal::NotFound)?;
    let (summary, path) = api.provider.mailboxes.find_message(&address, id).ok_or(Refusal::NotFound)?;
    let file =
        tokio::fs::File::open(&path).await.map_err(|error| Refusal::Failed(storage("read", &path)(error)))?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'".to_owned()),
        (header::CONTENT_LENGTH, summary.size_bytes.to_string()),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

fn parse_address(text: &str) -> Result<EmailAddress, Refusal> {
    text.parse().map_err(|error| Refusal::BadRequest(format!("{text:?} is not an address: {error}.")))
}
