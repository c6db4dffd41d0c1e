//! The cookie of a device. All that the ways in know of it stands here.

use axum_extra::extract::CookieJar;
use gatepost_identity::{NewSession, Token};

use crate::frame::{CookieName, Page};

/// What the browser brought.
pub(super) fn find(page: &Page, jar: &CookieJar) -> Option<Token> {
    page.cookies().find_token(jar, CookieName::Device)
}

/// What the browser keeps from now on.
pub(super) fn keep(page: &Page, answer: CookieJar, new: &NewSession) -> CookieJar {
    match &new.device {
        Some(token) => answer.add(page.cookies().device(token)),
        None => answer,
    }
}
