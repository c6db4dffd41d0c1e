//! Connecting a mailbox, and signing in again to one that is connected (docs/decisions/0014, "Pages").
//!
//! The pages show and change a draft, which belongs to whoever began it. What a provider's page brings back arrives at
//! [`callback`], in a tab of its own; the page that the person began on waits and goes on by itself.

mod again;
mod begin;
mod callback;
mod check;
mod choose;
mod desk;
mod finish;
mod go;
mod password;
mod provider;
mod proving;
mod servers;
mod stopped;
#[cfg(test)]
mod tests;
mod waiting;

use gatepost_core::{DraftId, MailAccountId};

use crate::frame::{Access, Route, paths};

pub(crate) use password::Doubted;
pub(crate) use proving::Proving;

const ONE: &str = "/accounts/connect/{id}";
const WAITING: &str = "/accounts/connect/{id}/waiting";
const PASSWORD: &str = "/accounts/connect/{id}/password";
const SERVERS: &str = "/accounts/connect/{id}/servers";
const CHECK: &str = "/accounts/connect/{id}/check";

/// The rows of this subject. What is pasted needs no proof: like the callback it only brings what a provider gave for a sign-in that
/// began with one.
pub(crate) fn rows() -> Vec<Route> {
    let access = Access::Signed;
    vec![
        Route::get(paths::CONNECT, access, begin::ask),
        Route::post(paths::CONNECT, access, begin::begin).needs_proof(),
        Route::get(ONE, access, choose::show_ways),
        Route::post("/accounts/connect/{id}/go", access, go::go).needs_proof(),
        Route::post("/accounts/connect/{id}/provider", access, provider::choose).needs_proof(),
        Route::post("/accounts/connect/{id}/discard", access, choose::discard).needs_proof(),
        Route::get(WAITING, access, waiting::wait),
        Route::get("/accounts/connect/{id}/waiting/now", access, waiting::part).part(),
        Route::post(WAITING, access, waiting::paste),
        Route::get(PASSWORD, access, password::ask),
        Route::post(PASSWORD, access, password::put).needs_proof(),
        Route::get(SERVERS, access, servers::ask),
        Route::post(SERVERS, access, servers::put).needs_proof(),
        Route::get(CHECK, access, check::show_check),
        Route::get("/accounts/connect/{id}/check/steps", access, check::part).part(),
        Route::post("/accounts/connect/{id}/check/again", access, check::again).needs_proof(),
        Route::post(CHECK, access, finish::finish).needs_proof(),
        Route::post("/accounts/{id}/reauthenticate", access, again::begin).needs_proof(),
        Route::get(callback::CALLBACK, Access::Public, callback::callback),
    ]
}

/// `/accounts/connect/ID`, and what comes behind it.
fn path(id: DraftId, behind: &str) -> String {
    format!("{}/{id}{behind}", paths::CONNECT)
}

/// The page of an account.
fn account_path(id: MailAccountId) -> String {
    format!("{}/{id}", paths::ACCOUNTS)
}

/// Where administrators register an application of one's own at a service.
fn application_path(service: &str) -> String {
    format!("{}/{service}", paths::APPLICATIONS)
}
