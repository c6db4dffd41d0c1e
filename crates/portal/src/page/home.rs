//! Home.

use askama::Template;
use axum::http::StatusCode;

use crate::frame::{Access, Answer, Nav, Page, Route, Signed, paths, show};

pub(crate) fn rows() -> Vec<Route> {
    vec![Route::get(paths::HOME, Access::Signed, home)]
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    name: String,
}

async fn home(page: Page, signed: Signed) -> Answer {
    let name = signed.person().name.clone();
    Ok(show(StatusCode::OK, &HomePage { page: page.at(Nav::Home), name }))
}
