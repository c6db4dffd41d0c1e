//! The cookie of a device. All that the ways in know of it stands here.

use axum_extra::extract::CookieJar;
use gatepost_identity::{SecondStepPassed, Token};

use crate::frame::{CookieName, Page};

/// What the browser brought, for the first step.
pub(super) fn find(page: &Page, jar: &CookieJar) -> Option<Token> {
    page.cookies().find_token(jar, CookieName::TrustedDevice)
}

/// What the browser keeps from now on.
pub(super) fn keep(page: &Page, answer: CookieJar, passed: &SecondStepPassed) -> CookieJar {
    match &passed.trusted_device {
        Some(made) => answer.add(page.cookies().trusted_device(made)),
        None => answer,
    }
}
