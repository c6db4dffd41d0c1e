//! "Forgot password?": the same answer for everybody.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::frame::{Access, Answer, App, Form, Page, Refused, Route, paths, see_other, show};

const SENT: &str = "/forgot/sent";

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::FORGOT, Access::Public, ask),
        Route::post(paths::FORGOT, Access::Public, send),
        Route::get(SENT, Access::Public, sent),
    ]
}

#[derive(Template)]
#[template(path = "forgot.html")]
struct ForgotPage {
    page: Page,
    address: String,
    error: Option<String>,
    /// Whether a letter was asked for just now.
    is_sent: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    address: String,
}

async fn ask(page: Page, Form(typed): Form<Typed>) -> Response {
    show(StatusCode::OK, &ForgotPage { page, address: typed.address, error: None, is_sent: false })
}

async fn send(State(app): State<App>, page: Page, Form(typed): Form<Typed>) -> Answer {
    let address = typed.address.trim().to_owned();
    let asked = if address.is_empty() {
        Err(Refused::empty(page.t.of("sign_in.address_empty")))
    } else {
        match app.rooms.people.forgot_password(&address, &page.visitor).await {
            Ok(()) => Ok(()),
            Err(refusal) => Err(Refused::of(&page, refusal)?),
        }
    };
    Ok(match asked {
        Ok(()) => see_other(SENT),
        Err(refused) => {
            let error = Some(refused.words.clone());
            refused.mark(show(refused.status, &ForgotPage { page, address, error, is_sent: false }))
        }
    })
}

async fn sent(page: Page) -> Response {
    show(StatusCode::OK, &ForgotPage { page, address: String::new(), error: None, is_sent: true })
}
