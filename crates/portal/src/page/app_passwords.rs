//! App passwords: making them, what is shown once, their list, the listening panel, the set-up sheet.

mod application;
mod authority;
mod create;
mod detail;
mod list;
mod listen;
mod listeners;
mod made;
mod reads;
mod remove;
mod replace;
mod right;
mod seen;
mod settings;
mod sheet;
#[cfg(test)]
mod tests;

pub(crate) use listeners::Listeners;
pub(crate) use right::sees_all_of;

use gatepost_identity::{AppPassword, Protocol};

use crate::frame::{Access, Page, Route, Signed, paths};
use application::{Application, Applications};

const NEW: &str = "/app-passwords/new";
const ONE: &str = "/app-passwords/{id}";
const REPLACE: &str = "/app-passwords/{id}/replace";
const REMOVE: &str = "/app-passwords/{id}/remove";

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::APP_PASSWORDS, Access::Signed, list::list),
        Route::get(NEW, Access::Signed, create::ask).needs_proof(),
        Route::post(NEW, Access::Signed, create::create).needs_proof(),
        Route::get(ONE, Access::Signed, detail::detail),
        Route::get("/app-passwords/{id}/made", Access::Signed, made::made),
        Route::get("/app-passwords/{id}/listen", Access::Signed, listen::listen).part(),
        Route::get("/app-passwords/{id}/sheet", Access::Signed, sheet::sheet),
        Route::get(REPLACE, Access::Signed, replace::ask).needs_proof(),
        Route::post(REPLACE, Access::Signed, replace::replace).needs_proof(),
        Route::get(REMOVE, Access::Signed, remove::ask).needs_proof(),
        Route::post(REMOVE, Access::Signed, remove::remove).needs_proof(),
        Route::get("/authority.pem", Access::Public, authority::authority).part(),
    ]
}

/// Why app passwords are not offered to somebody (B1). The reasons that come with security keys and rules of the organisation get
/// their places here once there are such things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotOffered {
    /// Two-step verification is not set up.
    TwoStepOff,
}

impl NotOffered {
    /// None where they are offered.
    fn to(signed: &Signed) -> Option<Self> {
        signed.person().two_step_at.is_none().then_some(Self::TwoStepOff)
    }
}

/// The application that an app password is for: one of the list, or nothing but its owner's own words.
fn application_of(it: &AppPassword) -> Option<&'static Application> {
    it.application.as_deref().and_then(|word| Applications::embedded().find(word))
}

/// What it is for, in words: `TDO, computer at the reception`. Empty where nobody said.
fn purpose(it: &AppPassword) -> String {
    let application =
        it.application.as_deref().map(|word| application_of(it).map_or(word, |known| known.name.as_str()));
    // Said by the name already, most often.
    let application = application.filter(|word| *word != it.name);
    let parts: Vec<_> = application.into_iter().chain(it.device.as_deref()).collect();
    parts.join(", ")
}

/// What it may do, in words: `send letters, read letters by IMAP`.
pub(crate) fn allowed_words(page: &Page, it: &AppPassword) -> String {
    let allowed = it.limits.allowed;
    let read = match (allowed.allow(Protocol::Imap), allowed.allow(Protocol::Pop3)) {
        (true, true) => Some(page.t.of("app_passwords.may_read").to_owned()),
        (true, false) => Some(page.t.fill("app_passwords.may_read_by", &[("protocol", "IMAP")])),
        (false, true) => Some(page.t.fill("app_passwords.may_read_by", &[("protocol", "POP3")])),
        (false, false) => None,
    };
    let of = |protocol, key| allowed.allow(protocol).then(|| page.t.of(key).to_owned());
    let (send, api) =
        (of(Protocol::Smtp, "app_passwords.may_send"), of(Protocol::Api, "app_passwords.may_api"));
    [send, read, api].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `/app-passwords/ID`, and what comes behind it.
fn path(id: gatepost_core::AppPasswordId, behind: &str) -> String {
    format!("{}/{id}{behind}", paths::APP_PASSWORDS)
}
