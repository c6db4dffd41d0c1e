//! The outbox: its list, and one letter with its time line.

mod letter;
mod list;
mod message;
mod mine;

use gatepost_delivery::Command;

use crate::frame::{Access, Route, paths};

pub(crate) use letter::{LetterRow, shown_state, visible};
pub(crate) use mine::Mine;

pub(crate) fn rows() -> Vec<Route> {
    let command = |path, command: Command| {
        Route::post(path, Access::Signed, move |app, page, signed, id| {
            message::carry_out(command, app, page, signed, id)
        })
        .needs_proof_of_administrators()
    };
    vec![
        Route::get(paths::OUTBOX, Access::Signed, list::list),
        Route::get("/outbox/{id}", Access::Signed, message::message),
        Route::get("/outbox/{id}/time-line", Access::Signed, message::time_line).part(),
        command("/outbox/{id}/retry", Command::Retry),
        command("/outbox/{id}/hold", Command::Hold),
        command("/outbox/{id}/release", Command::Release),
        command("/outbox/{id}/cancel", Command::Cancel),
    ]
}

#[cfg(test)]
mod tests;
