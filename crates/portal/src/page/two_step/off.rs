//! Turning two-step verification off. Not for administrators, who are told why.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use gatepost_identity::{AccountProblem, Policy};

use super::CODES;
use crate::frame::{Alert, Answer, App, Nav, Page, Signed, paths, problem_words, see_other, show};

#[derive(Template)]
#[template(path = "two_step/off.html")]
struct OffPage {
    page: Page,
    /// An administrator.
    has_to_keep: bool,
    codes: &'static str,
}

fn draw(page: Page, has_to_keep: bool, status: StatusCode) -> axum::response::Response {
    show(status, &OffPage { has_to_keep, codes: CODES, page: page.at(Nav::Security) })
}

pub(super) async fn ask(page: Page, signed: Signed) -> Answer {
    if signed.person().two_step_at.is_none() {
        return Ok(see_other(paths::SECURITY));
    }
    Ok(draw(page, Policy::of(signed.person().role).needs_two_step, StatusCode::OK))
}

pub(super) async fn turn_off(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    match app.rooms.people.turn_two_step_off(&signed, &page.visitor).await {
        Ok(new) => {
            page.leave(Alert::warn(page.t.of("two_step.is_off")));
            let answer = CookieJar::new().add(page.continue_as(&signed, &new));
            Ok((answer, see_other(paths::SECURITY)).into_response())
        }
        Err(AccountProblem::TwoStepNeeded) => Ok(draw(page, true, StatusCode::FORBIDDEN)),
        Err(problem) => {
            page.leave(Alert::bad(problem_words(&page, problem)?));
            Ok(see_other(paths::SECURITY))
        }
    }
}
