//! The pretend phone.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use gatepost_core::SecretText;
use serde::{Deserialize, Serialize};

use super::{Api, Refusal};
use crate::mailbox::secret_json;
use crate::phone::{Account, Code, Name};

#[derive(Serialize)]
pub(super) struct CodeAnswer {
    issuer: String,
    account: String,
    code: String,
    seconds_left: u64,
}

/// What a phone reads from a QR code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddRequest {
    #[serde(default, deserialize_with = "secret_json::deserialize")]
    uri: Option<SecretText>,
}

/// Nothing here sends texts or calls.
pub(super) async fn messages() -> Json<[(); 0]> {
    Json([])
}

pub(super) async fn codes(State(api): State<Api>) -> Json<Vec<CodeAnswer>> {
    let codes = api.provider.phone.codes(api.provider.world.now());
    Json(codes.into_iter().map(CodeAnswer::from).collect())
}

pub(super) async fn add(State(api): State<Api>, body: Bytes) -> Result<Json<CodeAnswer>, Refusal> {
    // serde's own words could quote the secret.
    let request: Option<AddRequest> = serde_json::from_slice(&body).ok();
    let uri = request.and_then(|it| it.uri).ok_or_else(|| {
        Refusal::BadRequest(
            "Send a JSON object with uri, a text that begins with otpauth://totp/.".to_owned(),
        )
    })?;
    let account = Account::from_uri(&uri).map_err(|error| Refusal::BadRequest(error.to_string()))?;
    let code = account.code(api.provider.world.now());
    api.provider.add_to_phone(account).await.map_err(Refusal::Failed)?;
    Ok(Json(code.into()))
}

pub(super) async fn remove(State(api): State<Api>, name: Query<Name>) -> Result<StatusCode, Refusal> {
    match api.provider.remove_from_phone(name.0).await.map_err(Refusal::Failed)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Refusal::NotFound),
    }
}

impl From<Code> for CodeAnswer {
    fn from(it: Code) -> Self {
        Self {
            issuer: it.name.issuer,
            account: it.name.account,
            code: it.figures,
            seconds_left: it.seconds_left,
        }
    }
}
