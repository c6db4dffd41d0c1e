//! Signing out.

use axum::http::{HeaderName, HeaderValue};
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;

use super::enter::leave;
use crate::frame::{Access, Alert, Answer, CookieName, Page, Route, Signed, paths, see_other};

pub(super) fn rows() -> Vec<Route> {
    vec![Route::post(paths::SIGN_OUT, Access::Signed, sign_out).opens_before_factor()]
}

/// What the browser kept of our pages goes (WP-4). Not its cookies: the one of the device stays.
const CLEAR: &str = "\"cache\", \"storage\"";

async fn sign_out(page: Page, signed: Signed) -> Answer {
    leave(&page, Some(&signed)).await?;
    page.leave(Alert::good(page.t.of("sign_in.signed_out")));
    let answer = CookieJar::new().add(page.cookies().end(CookieName::Session));
    let clear = [(HeaderName::from_static("clear-site-data"), HeaderValue::from_static(CLEAR))];
    Ok((answer, clear, see_other(paths::SIGN_IN)).into_response())
}
