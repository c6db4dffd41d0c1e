//! "Two-step verification is on", with what comes next.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_identity::Role;

use super::Step;
use crate::frame::{Answer, App, Page, Signed, paths, see_other, show};

#[derive(Template)]
#[template(path = "two_step/done.html")]
struct DonePage {
    page: Page,
    step: Step,
    /// An administrator whose organisation has no name yet.
    sets_up: bool,
}

pub(super) async fn done(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    if signed.person().two_step_at.is_none() {
        return Ok(see_other(paths::TWO_STEP));
    }
    let house = app.house(signed.organisation()).await?;
    let sets_up = !house.is_set_up && signed.person().role == Role::Administrator;
    Ok(show(StatusCode::OK, &DonePage { step: Step(4), sets_up, page }))
}
