//! Two-step verification: setting it up (A4), another telephone, new recovery codes, turning it off.

mod app;
mod begin;
mod codes;
mod done;
mod off;
#[cfg(test)]
mod tests;

use gatepost_identity::PersonRefusal;

use crate::frame::{Access, Page, Route, paths};

/// The authenticator app: its QR code, and the code that it shows.
const APP: &str = "/two-step/app";
/// The recovery codes.
pub(super) const CODES: &str = "/two-step/codes";
/// The same as a file.
const CODES_FILE: &str = "/two-step/recovery-codes.txt";
const DONE: &str = "/two-step/done";
const OFF: &str = "/two-step/off";

/// From this many misses on the page says what time it is here: a clock that is wrong is the usual reason.
const CLOCK_FROM: u8 = 2;

/// The rows of this subject. Making a secret, showing it and letting it count need a proof. The pages of the recovery codes do not:
/// what they show was made by this very session at most ten minutes ago, with a proof, and storing it takes its time.
pub(crate) fn rows() -> Vec<Route> {
    let access = Access::Enrolling;
    vec![
        Route::get(paths::TWO_STEP, access, begin::ask),
        Route::post("/two-step/begin", access, begin::begin).needs_proof(),
        Route::get(APP, access, app::ask).needs_proof(),
        Route::post(APP, access, app::prove).needs_proof(),
        Route::post("/two-step/phone", access, app::send_to_phone).needs_proof(),
        Route::get(CODES, access, codes::ask),
        Route::post(CODES, access, codes::confirm),
        Route::post("/two-step/codes/new", access, codes::make).needs_proof(),
        Route::get(CODES_FILE, access, codes::file).part(),
        Route::get(DONE, access, done::done),
        Route::get(OFF, Access::Signed, off::ask).needs_proof(),
        Route::post(OFF, Access::Signed, off::turn_off).needs_proof(),
    ]
}

/// One of the step list at the top, as a class of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step(u8);

impl Step {
    /// What the `n`th of the list is while this one is now.
    const fn class(self, n: u8) -> &'static str {
        if n < self.0 {
            "done"
        } else if n == self.0 {
            "now"
        } else {
            ""
        }
    }

    /// For `aria-current`.
    const fn is(self, n: u8) -> bool {
        self.0 == n
    }
}

/// Whether the refusal is a miss, after which the clock may be named.
const fn is_miss(refusal: &PersonRefusal) -> bool {
    matches!(refusal, PersonRefusal::WrongCode | PersonRefusal::CodeExpired | PersonRefusal::CodeUsed)
}

/// The server's time, beside a code that is wrong.
fn clock(page: &Page) -> String {
    page.t.fill("code.clock", &[("time", &page.moment(page.now).words)])
}
