//! Light or dark.

use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use crate::frame::{Access, Form, Page, Route, Theme, paths, see_other};

pub(crate) fn rows() -> Vec<Route> {
    vec![Route::post(paths::THEME, Access::Public, choose)]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    theme: String,
    /// The page that it was chosen on.
    back: String,
}

async fn choose(page: Page, Form(choice): Form<Choice>) -> Response {
    let theme = choice.theme.parse::<Theme>().unwrap_or_default();
    let back = page.app.thens.find_back(&choice.back);
    (CookieJar::new().add(page.cookies().theme(theme)), see_other(back.as_str())).into_response()
}
