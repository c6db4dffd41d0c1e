//! People, for administrators: who there is, inviting, roles, helping somebody who is locked out, and ending what somebody may do.

mod access;
mod ask;
mod details;
mod edit;
mod handed;
mod invite;
mod letter;
mod list;
mod owned;
mod person;
mod refused;
mod reset;
mod role;
#[cfg(test)]
mod tests;
mod withdraw;

pub(crate) use owned::words as app_password_words;
pub(crate) use refused::name_words;

use gatepost_core::PersonId;
use gatepost_identity::{Person, Role};

use crate::frame::{Access, App, Problem, Route, Signed, paths};

const NEW: &str = "/people/new";
const EDIT: &str = "/people/{id}/edit";
const ROLE: &str = "/people/{id}/role";
const DISABLE: &str = "/people/{id}/disable";
const WITHDRAW: &str = "/people/{id}/withdraw";
const TWO_STEP: &str = "/people/{id}/two-step";
const PASSWORD: &str = "/people/{id}/password";

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    let all = [
        Route::get(NEW, Access::Administrator, invite::ask),
        Route::post(NEW, Access::Administrator, invite::invite),
        Route::get(EDIT, Access::Administrator, edit::ask),
        Route::post(EDIT, Access::Administrator, edit::edit),
        Route::get(ROLE, Access::Administrator, role::ask),
        Route::post(ROLE, Access::Administrator, role::change),
        Route::get(DISABLE, Access::Administrator, access::ask),
        Route::post(DISABLE, Access::Administrator, access::disable),
        Route::post("/people/{id}/enable", Access::Administrator, access::enable),
        Route::post("/people/{id}/invite-again", Access::Administrator, invite::again),
        Route::get(WITHDRAW, Access::Administrator, withdraw::ask),
        Route::post(WITHDRAW, Access::Administrator, withdraw::withdraw),
        Route::get(TWO_STEP, Access::Administrator, reset::ask_two_step),
        Route::post(TWO_STEP, Access::Administrator, reset::two_step),
        Route::get(PASSWORD, Access::Administrator, reset::ask_password),
        Route::post(PASSWORD, Access::Administrator, reset::password),
    ];
    // Looking needs no proof; whatever changes something does, and is asked for it before anything is typed (ID-25).
    let mut rows: Vec<_> = all.into_iter().map(Route::needs_proof).collect();
    rows.extend([
        Route::get(paths::PEOPLE, Access::Administrator, list::list),
        Route::get("/people/{id}", Access::Administrator, person::person),
        Route::get("/people/{id}/link", Access::Administrator, handed::handed),
    ]);
    rows
}

/// `/people/ID`, and what comes behind it.
fn path(id: PersonId, behind: &str) -> String {
    format!("{}/{id}{behind}", paths::PEOPLE)
}

/// Of the organisation of whoever asks; anybody else's is not there.
async fn get(app: &App, signed: &Signed, id: PersonId) -> Result<Person, Problem> {
    Ok(app.rooms.identity.get_person(signed.organisation(), id).await?)
}

/// Whether nobody else could look after the organisation, as identity counts it at the moment of a change.
async fn is_last_administrator(app: &App, person: &Person) -> Result<bool, Problem> {
    let works = |it: &Person| {
        it.role == Role::Administrator
            && it.disabled_at.is_none()
            && it.has_password
            && it.two_step_at.is_some()
    };
    if person.role != Role::Administrator || person.disabled_at.is_some() {
        return Ok(false);
    }
    let all = app.rooms.identity.list_people(person.organisation).await?;
    Ok(!all.iter().any(|it| it.id != person.id && works(it)))
}
