//! What handlers give back.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use gatepost_accounts::AccountsError;
use gatepost_identity::IdentityError;
use gatepost_store::StoreError;
use std::sync::Arc;

/// A page, a redirect, or the reason why there is neither.
pub(crate) type Answer = Result<Response, Problem>;

/// Why a request gets a page about a problem instead of its own. The gate makes that page: it knows who asked and what was typed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Nothing here, or nothing of theirs: the same answer.
    NotFound,
    /// There, and not for them. Only where they know that it is there.
    Forbidden,
    /// The request makes no sense.
    Bad,
    /// The session or the step is over: on to the sign-in page.
    Over,
    /// The database cannot be asked.
    Unavailable(StoreError),
    /// A mistake of ours. The words go to the log, an id to the page.
    Broken(Box<dyn std::error::Error + Send + Sync>),
}

/// Travels with an answer until the gate has made a page of it.
#[derive(Clone)]
pub(super) struct Marked(pub(super) Arc<Problem>);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Marked(Arc::new(self)));
        response
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Bad => StatusCode::BAD_REQUEST,
            Self::Over => StatusCode::SEE_OTHER,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // The database answered, and what it said makes no sense: waiting does not help.
            StoreError::Duplicate { .. } | StoreError::Contradiction { .. } => Self::Broken(Box::new(error)),
            error => Self::Unavailable(error),
        }
    }
}

/// For errors that no form has a place for.
impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Store(error) => error.into(),
            IdentityError::NoSuchLogin(_)
            | IdentityError::NoSuchAppPassword(_)
            | IdentityError::NoSuchLocation
            | IdentityError::NoSuchPerson => Self::NotFound,
            error => Self::Broken(Box::new(error)),
        }
    }
}

impl From<AccountsError> for Problem {
    fn from(error: AccountsError) -> Self {
        match error {
            AccountsError::Store(error) => error.into(),
            error => Self::Broken(Box::new(error)),
        }
    }
}

/// A page.
pub(crate) fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => Problem::Broken(Box::new(error)).into_response(),
    }
}

/// After every POST: so that "reload" repeats nothing.
pub(crate) fn see_other(path: &str) -> Response {
    // Paths are made of rows of the table, ids and tokens.
    match HeaderValue::from_str(path) {
        Ok(path) => (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response(),
        Err(_) => Problem::Bad.into_response(),
    }
}
