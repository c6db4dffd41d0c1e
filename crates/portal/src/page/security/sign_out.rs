//! Ending what is signed in elsewhere.

use axum::extract::State;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use gatepost_core::{DeviceId, SessionId};
use gatepost_identity::PersonRefusal;

use crate::frame::{Alert, Answer, App, Id, Page, Problem, Signed, paths, see_other};

/// All sessions but this one, and all devices that are not asked for the second step.
pub(super) async fn everywhere(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    let renewed = app.rooms.people.sign_out_everywhere(&signed, &page.visitor).await;
    let new = renewed.map_err(|refusal| match refusal {
        PersonRefusal::Unavailable(error) => error.into(),
        // Somebody else, or another tab, was faster.
        _ => Problem::Over,
    })?;
    page.leave(Alert::good(page.t.of("security.signed_out_everywhere")));
    Ok((CookieJar::new().add(page.continue_as(&signed, &new)), see_other(paths::SECURITY)).into_response())
}

/// One session. One that is over already is what was wanted.
pub(super) async fn session(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<SessionId>,
) -> Answer {
    if id == signed.id {
        // Its own button is in the menu: that one takes the cookies along.
        return Ok(see_other(paths::SECURITY));
    }
    let is_done = app.rooms.people.end_session(&signed, id).await?;
    let words = if is_done { "security.session_ended" } else { "security.session_over" };
    page.leave(Alert::good(page.t.of(words)));
    Ok(see_other(paths::SECURITY))
}

/// One device is known no more: what is signed in there ends.
pub(super) async fn device(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DeviceId>,
) -> Answer {
    app.rooms.people.forget_device(&signed, id).await?;
    page.leave(Alert::good(page.t.of("security.device_forgotten")));
    Ok(see_other(paths::SECURITY))
}
