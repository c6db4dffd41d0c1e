//! Mail accounts that are there: the board, one account with all that can be done to it, and the panel that tells of trouble on every
//! page. Connecting and re-authenticating have pages of their own.

mod act;
mod addresses;
mod ago;
mod board;
mod card;
mod check;
mod checks;
mod default;
mod detail;
mod edit;
mod history;
mod open;
mod pop_up;
mod remove;
mod right;
#[cfg(test)]
mod tests;
mod whom;

pub(crate) use ago::ago;
pub(crate) use card::{Button, Card, glance};
pub(crate) use check::check_in_background;
pub(crate) use checks::Checks;
pub(crate) use pop_up::PopUp;
pub(crate) use right::whose;

use gatepost_core::MailAccountId;

use crate::frame::{Access, Route, paths};
use act::Act;

const ONE: &str = "/accounts/{id}";
const CHECK: &str = "/accounts/{id}/check";
const EDIT: &str = "/accounts/{id}/edit";
const REMOVE: &str = "/accounts/{id}/remove";

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    let act = |path, act: Act| {
        Route::post(path, Access::Signed, move |app, page, signed, id| act::act(act, app, page, signed, id))
            .needs_proof()
    };
    vec![
        Route::get(paths::ACCOUNTS, Access::Signed, board::page),
        Route::get("/accounts/board", Access::Signed, board::part).part(),
        Route::get("/accounts/pop-up", Access::Signed, pop_up::part).part(),
        Route::post("/accounts/later", Access::Signed, pop_up::later),
        Route::get(ONE, Access::Signed, detail::page),
        Route::get("/accounts/{id}/status", Access::Signed, detail::part).part(),
        Route::get("/accounts/{id}/open", Access::Signed, open::part).part(),
        Route::post("/accounts/{id}/open/end", Access::Signed, open::end),
        act("/accounts/{id}/pause", Act::Pause),
        act("/accounts/{id}/resume", Act::Resume),
        // Signs in where the account signs in by itself anyway.
        Route::get(CHECK, Access::Signed, check::page),
        Route::get("/accounts/{id}/check/steps", Access::Signed, check::part).part(),
        Route::post(CHECK, Access::Signed, check::begin),
        Route::get(EDIT, Access::Signed, edit::ask).needs_proof(),
        Route::post(EDIT, Access::Signed, edit::edit).needs_proof(),
        // The form that adds an address stands on the account's page.
        Route::post(ONE, Access::Administrator, addresses::add).needs_proof(),
        Route::post("/accounts/{id}/addresses/remove", Access::Administrator, addresses::remove)
            .needs_proof(),
        Route::post("/accounts/{id}/default", Access::Administrator, default::choose).needs_proof(),
        Route::get(REMOVE, Access::Signed, remove::ask).needs_proof(),
        Route::post(REMOVE, Access::Signed, remove::remove).needs_proof(),
    ]
}

/// `/accounts/ID`, and what comes behind it.
fn path(id: MailAccountId, behind: &str) -> String {
    format!("{}/{id}{behind}", paths::ACCOUNTS)
}
