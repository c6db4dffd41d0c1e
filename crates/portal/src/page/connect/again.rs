//! Signing in again to a mailbox that is connected: the same pages, on what its account says of itself.

use axum::extract::State;
use gatepost_accounts::{ConnectError, Serves};
use gatepost_core::MailAccountId;
use gatepost_providers::Method;
use serde::Deserialize;

use super::desk::connecting;
use super::path;
use super::stopped::{Done, Stopped};
use crate::frame::{App, Form, Id, Page, Problem, Signed, see_other};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// `servers`: it is these that are wrong.
    at: String,
}

pub(super) async fn begin(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Done {
    let account = app.rooms.accounts.get(signed.organisation(), id).await?;
    if !page.rules() && account.serves != Serves::Person(signed.person().id) {
        return Err(Problem::NotFound.into());
    }
    let begun = connecting(&app, &signed).begin_again(id).await;
    let draft = begun.map_err(|why| match why {
        ConnectError::AccountGone => Problem::NotFound.into(),
        why => Stopped::without_draft(&page, why),
    })?;
    Ok(see_other(&path(
        draft.id,
        match draft.details.method {
            _ if typed.at == "servers" => "/servers",
            Some(Method::AppPassword) => "/password?method=app_password",
            Some(Method::Password) => "/password?method=password",
            Some(Method::SignIn) | None => "",
        },
    )))
}
