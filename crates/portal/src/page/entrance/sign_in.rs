//! The first step: address and password.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::device;
use super::enter::enter;
use crate::frame::{
    Access, Answer, App, Form, Page, Query, Refused, Route, Secret, Signed, paths, see_other, show,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::SIGN_IN, Access::Public, ask),
        Route::post(paths::SIGN_IN, Access::Public, sign_in),
    ]
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    page: Page,
    address: String,
    /// Whether the address was chosen already, so that the password alone is asked for (A1).
    is_chosen: bool,
    then: String,
    address_error: Option<String>,
    password_error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    address: String,
    password: Secret,
    then: String,
    /// "Use another address".
    switch: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    then: String,
}

async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Option<Signed>,
    Query(asked): Query<Asked>,
    Form(typed): Form<Typed>,
) -> Response {
    let then = if typed.then.is_empty() { asked.then } else { typed.then };
    let then = app.thens.find_or_home(&then);
    if signed.is_some() {
        return see_other(then.as_str());
    }
    let (address, then) = (typed.address, then.as_str().to_owned());
    let is_chosen = false;
    show(
        StatusCode::OK,
        &SignInPage { page, address, is_chosen, then, address_error: None, password_error: None },
    )
}

async fn sign_in(
    State(app): State<App>,
    page: Page,
    signed: Option<Signed>,
    jar: CookieJar,
    Form(typed): Form<Typed>,
) -> Answer {
    let then = app.thens.find_or_home(&typed.then);
    if signed.is_some() {
        return Ok(see_other(then.as_str()));
    }
    let t = page.t;
    let address = typed.address.trim().to_owned();
    let mut shown = SignInPage {
        page: page.clone(),
        address,
        is_chosen: false,
        then: then.as_str().to_owned(),
        address_error: None,
        password_error: None,
    };
    if !typed.switch.is_empty() {
        return Ok(show(StatusCode::OK, &shown));
    }
    if shown.address.is_empty() {
        shown.address_error = Some(t.of("sign_in.address_empty").to_owned());
    }
    if typed.password.is_empty() {
        shown.password_error = Some(t.of("sign_in.password_empty").to_owned());
    }
    if shown.address_error.is_some() || shown.password_error.is_some() {
        return Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    }
    let device = device::find(&page, &jar);
    let people = &app.rooms.people;
    match people.sign_in(&shown.address, typed.password.text(), device.as_ref(), &page.visitor).await {
        Ok(entrance) => Ok(enter(&page, &entrance, &then, true)),
        Err(refusal) => {
            let refused = Refused::of(&page, refusal)?;
            shown.is_chosen = true;
            shown.password_error = Some(refused.words.clone());
            Ok(refused.mark(show(refused.status, &shown)))
        }
    }
}
