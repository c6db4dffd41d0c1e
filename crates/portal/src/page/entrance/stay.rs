//! "Stay signed in?" (A11)

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::enter::may_stay;
use crate::frame::{Access, Answer, App, Form, Page, Query, Refused, Route, Signed, paths, see_other, show};

pub(super) fn rows() -> Vec<Route> {
    vec![Route::get(paths::STAY, Access::Signed, ask), Route::post(paths::STAY, Access::Signed, stay)]
}

#[derive(Template)]
#[template(path = "stay.html")]
struct StayPage {
    page: Page,
    then: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    answer: String,
    then: String,
}

async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Typed>,
    Form(typed): Form<Typed>,
) -> Response {
    let then = app.thens.find_or_home(if typed.then.is_empty() { &asked.then } else { &typed.then });
    if signed.is_lasting || !may_stay(signed.person()) {
        return see_other(then.as_str());
    }
    show(StatusCode::OK, &StayPage { page, then: then.as_str().to_owned() })
}

async fn stay(State(app): State<App>, page: Page, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    let then = app.thens.find_or_home(&typed.then);
    if typed.answer != "yes" || signed.is_lasting || !may_stay(signed.person()) {
        return Ok(see_other(then.as_str()));
    }
    match app.rooms.people.stay_signed_in(&signed).await {
        Ok(new) => {
            let answer = CookieJar::new().add(page.continue_as(&signed, &new));
            Ok((answer, see_other(then.as_str())).into_response())
        }
        Err(refusal) => {
            // Nothing is typed here, so nothing can be wrong: only "over" and "nobody can say" occur.
            let refused = Refused::of(&page, refusal)?;
            Ok(refused.mark(show(refused.status, &StayPage { page, then: then.as_str().to_owned() })))
        }
    }
}
