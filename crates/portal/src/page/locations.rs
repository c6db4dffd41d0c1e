//! Locations, for administrators: their list, adding one, another name.

mod list;
mod rename;

use crate::frame::{Access, Route, paths};

const RENAME: &str = "/locations/{id}/rename";

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    vec![
        // The form that adds one stands on the list: it asks for a proof when it is sent.
        Route::get(paths::LOCATIONS, Access::Administrator, list::list),
        Route::post(paths::LOCATIONS, Access::Administrator, list::add).needs_proof(),
        Route::get(RENAME, Access::Administrator, rename::ask).needs_proof(),
        Route::post(RENAME, Access::Administrator, rename::rename).needs_proof(),
    ]
}
