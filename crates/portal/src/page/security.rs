//! Whatever a person does about the safety of their own account: what there is, what weakens it, and what changes it.

mod check_up;
mod contact;
mod mine;
mod overview;
mod password;
mod sign_out;
#[cfg(test)]
mod tests;

use crate::frame::{Access, Route, paths};

const PASSWORD: &str = "/security/password";
const ADDRESS: &str = "/security/contacts/address";
const TELEPHONE: &str = "/security/contacts/telephone";
const REMOVE: &str = "/security/contacts/{id}/remove";
const SIGN_IN_WITH: &str = "/security/contacts/{id}/sign-in";

/// The rows of this subject. Signing out and asking a device again need no proof: they open nothing, and whoever does them may have
/// lost their telephone just now.
pub(crate) fn rows() -> Vec<Route> {
    let access = Access::Signed;
    vec![
        Route::get(paths::SECURITY, access, overview::overview),
        Route::get(PASSWORD, access, password::ask).needs_proof(),
        Route::post(PASSWORD, access, password::change).needs_proof(),
        Route::get(ADDRESS, access, contact::ask_address).needs_proof(),
        Route::post(ADDRESS, access, contact::add_address).needs_proof(),
        Route::get(TELEPHONE, access, contact::ask_telephone).needs_proof(),
        Route::post(TELEPHONE, access, contact::add_telephone).needs_proof(),
        Route::get(REMOVE, access, contact::ask_remove).needs_proof(),
        Route::post(REMOVE, access, contact::remove).needs_proof(),
        Route::get(SIGN_IN_WITH, access, contact::ask_sign_in_with).needs_proof(),
        Route::post(SIGN_IN_WITH, access, contact::sign_in_with).needs_proof(),
        Route::post("/security/sign-out-everywhere", access, sign_out::everywhere),
        Route::post("/security/sessions/{id}/end", access, sign_out::session),
        Route::post("/security/devices/{id}/forget", access, sign_out::device),
    ]
}
