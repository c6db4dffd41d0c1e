//! Faults.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;

use super::{Api, Refusal};
use crate::fault::FaultRequest;

pub(super) async fn list(State(api): State<Api>) -> Json<Vec<FaultRequest>> {
    Json(api.provider.faults.all().iter().map(FaultRequest::from).collect())
}

/// Answers with the faults that are on now.
pub(super) async fn set(state: State<Api>, body: Bytes) -> Result<Json<Vec<FaultRequest>>, Refusal> {
    let request: FaultRequest = serde_json::from_slice(&body)
        .map_err(|error| Refusal::BadRequest(format!("This is not a fault in JSON: {error}.")))?;
    let order = request.check().map_err(|error| Refusal::BadRequest(error.to_string()))?;
    state.provider.order(&order);
    Ok(list(state).await)
}
