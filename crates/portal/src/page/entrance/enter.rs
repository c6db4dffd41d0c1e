//! What every way in ends with: cookies, and where it goes on.

use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use gatepost_identity::{Entrance, NewSession, Person, Policy, Session};

use super::device;
use crate::frame::{CookieName, Page, Problem, Then, paths, see_other};

/// After the right password: straight in, or on to the second step. `stays` says whether "Stay signed in?" may be asked.
pub(super) fn enter(page: &Page, entrance: &Entrance, then: &Then, stays: bool) -> Response {
    match entrance {
        Entrance::SignedIn(new) => sign_in(page, CookieJar::new(), new, then, stays),
        Entrance::SecondStep { token, .. } => {
            let answer = CookieJar::new().add(page.cookies().pre_session(token));
            (answer, see_other(&then.behind(paths::SECOND_STEP))).into_response()
        }
    }
}

/// Somebody is signed in from now on.
pub(super) fn sign_in(
    page: &Page,
    answer: CookieJar,
    new: &NewSession,
    then: &Then,
    stays: bool,
) -> Response {
    let answer = device::keep(page, answer, new);
    let answer = answer.add(page.cookies().session(new)).add(page.cookies().end(CookieName::PreSession));
    let is_asked = stays && may_stay(&new.session.person);
    let place = if is_asked { then.behind(paths::STAY) } else { then.as_str().to_owned() };
    (answer, see_other(&place)).into_response()
}

/// Whether "Stay signed in?" is a question for them (A11).
pub(super) const fn may_stay(person: &Person) -> bool {
    Policy::of(person.role).may_stay_signed_in
}

/// The session that this browser had before somebody came in by a link: it would open nothing any more, and live on.
pub(super) async fn leave(page: &Page, old: Option<&Session>) -> Result<(), Problem> {
    if let Some(old) = old {
        page.app.forget(old.id);
        page.app.rooms.people.sign_out(old).await?;
    }
    Ok(())
}
