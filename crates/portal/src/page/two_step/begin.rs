//! Where it begins: what two-step verification is, and which app is recommended.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_identity::{Policy, SettingUp};

use super::{APP, CODES, Step};
use crate::frame::{Alert, Answer, App, Nav, Page, Problem, Signed, problem_words, see_other, show};

#[derive(Template)]
#[template(path = "two_step/begin.html")]
struct BeginPage {
    page: Page,
    step: Step,
    /// It is on: another telephone is to take the place of the first.
    is_on: bool,
    /// An administrator, who gets nowhere before it is on.
    is_needed: bool,
    /// Begun earlier by this session, and not finished.
    is_begun: bool,
}

pub(super) async fn ask(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    let is_on = signed.person().two_step_at.is_some();
    let standing = app.rooms.people.setting_up(&signed).await;
    let standing = match standing {
        Ok(standing) => standing,
        Err(problem) => return refused(&page, problem),
    };
    if matches!(standing, SettingUp::Proven) {
        // The tab was closed between the code and the recovery codes.
        return Ok(see_other(CODES));
    }
    let is_needed = !is_on && Policy::of(signed.person().role).needs_two_step;
    let is_begun = matches!(standing, SettingUp::Begun(_));
    let page = page.at(Nav::Security);
    Ok(show(StatusCode::OK, &BeginPage { step: Step(1), is_on, is_needed, is_begun, page }))
}

/// Begins, or goes on with what was begun: the same secret is shown again.
pub(super) async fn begin(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    match app.rooms.people.begin_authenticator(&signed).await {
        Ok(_) => Ok(see_other(APP)),
        Err(problem) => refused(&page, problem),
    }
}

fn refused(page: &Page, problem: gatepost_identity::AccountProblem) -> Answer {
    let words = problem_words(page, problem)?;
    let shown = BeginPage {
        step: Step(1),
        is_on: false,
        is_needed: false,
        is_begun: false,
        page: page.clone().with(Alert::bad(words)),
    };
    Ok::<_, Problem>(show(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}
