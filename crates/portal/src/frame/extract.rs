//! What handlers ask for. All of it was put into the request by the gate, so a handler cannot get it without passing there.

use std::convert::Infallible;
use std::ops::Deref;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use gatepost_core::OrganisationId;
use gatepost_identity::{Person, PreSession, Session, Token};
use serde::de::DeserializeOwned;

use super::{App, Page, Problem, RawForm};

/// Whoever is signed in. For rows with [`super::Access::Signed`], `Enrolling` or `Administrator`.
#[derive(Clone)]
pub(crate) struct Signed(pub(crate) Session);

impl Signed {
    pub(crate) const fn person(&self) -> &Person {
        &self.0.person
    }

    pub(crate) const fn organisation(&self) -> OrganisationId {
        self.0.person.organisation
    }
}

impl Deref for Signed {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

/// Whoever is between the two steps. For rows with [`super::Access::SecondStep`].
#[derive(Clone)]
pub(crate) struct PreSigned {
    pub(crate) token: Token,
    pub(crate) pre_session: PreSession,
}

/// What was posted, as a struct whose fields all have `#[serde(default)]`. On a GET it is all defaults, unless the form comes back
/// because its token was too old: then it is what was typed.
pub(crate) struct Form<T>(pub(crate) T);

/// The same, with the fields as they came.
pub(crate) struct TypedForm(pub(crate) RawForm);

/// What stands behind the question mark, as a struct whose fields all have `#[serde(default)]`.
pub(crate) struct Query<T>(pub(crate) T);

/// The one `{id}` of the path. What is no id is nothing that is there.
pub(crate) struct Id<T>(pub(crate) T);

fn missing(what: &str) -> Problem {
    Problem::Broken(format!("a handler asks for {what}, which its row does not give").into())
}

impl FromRequestParts<App> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing("a page"))
    }
}

impl FromRequestParts<App> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing("who is signed in"))
    }
}

/// On public rows: whoever is signed in, if anybody is.
impl axum::extract::OptionalFromRequestParts<App> for Signed {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

impl FromRequestParts<App> for PreSigned {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| missing("who is between the steps"))
    }
}

impl<T: DeserializeOwned> FromRequestParts<App> for Form<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let TypedForm(raw) = TypedForm::from_request_parts(parts, app).await?;
        raw.read().map(Self).ok_or(Problem::Bad)
    }
}

impl FromRequestParts<App> for TypedForm {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(Self(parts.extensions.get::<RawForm>().cloned().unwrap_or_default()))
    }
}

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        RawForm::parse(query.as_bytes()).and_then(|it| it.read()).map(Self).ok_or(Problem::Bad)
    }
}

impl<T: FromStr> FromRequestParts<App> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let found = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Problem::NotFound)?;
        let text = found.iter().next().map(|(_, value)| value.to_owned());
        text.and_then(|it| it.parse().ok()).map(Self).ok_or(Problem::NotFound)
    }
}
