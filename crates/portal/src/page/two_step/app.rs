//! The authenticator app: a QR code drawn by us, the key for typing, and the first code (ID-14).

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum_extra::extract::CookieJar;
use gatepost_identity::{AccountProblem, Enrolment, PersonRefusal, SettingUp};
use serde::Deserialize;

use super::{APP, CLOCK_FROM, CODES, Step, clock, codes, is_miss};
use crate::frame::{
    Alert, Answer, App, Form, Nav, Page, Problem, Secret, Signed, paths, problem_words, see_other, show,
};
use crate::page::qr::Qr;

/// How long the demo's telephone may take.
const PHONE_WAITS: Duration = Duration::from_secs(5);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    code: Secret,
    /// Which secret was shown: another one may have been begun in another tab.
    app: String,
    /// Counted by the page for itself: it only decides whether the clock is shown.
    misses: String,
}

#[derive(Template)]
#[template(path = "two_step/app.html")]
struct AppPage {
    page: Page,
    step: Step,
    replaces: bool,
    /// Of the enrolment.
    id: String,
    qr: Option<Qr>,
    key: String,
    /// Whom the app will name.
    address: String,
    /// Where the demo's pretend telephone is.
    phone: Option<String>,
    n_misses: u8,
    error: Option<String>,
    clock: Option<String>,
}

/// What was begun, or where to go instead.
async fn standing(
    app: &App,
    page: &Page,
    signed: &Signed,
) -> Result<Result<Enrolment, &'static str>, Problem> {
    match app.rooms.people.setting_up(signed).await {
        Ok(SettingUp::Begun(enrolment)) => Ok(Ok(enrolment)),
        Ok(SettingUp::Proven) => Ok(Err(CODES)),
        Ok(SettingUp::Nothing) => Ok(Err(paths::TWO_STEP)),
        Err(AccountProblem::Refused(PersonRefusal::Over)) => Ok(Err(paths::TWO_STEP)),
        Err(problem) => {
            page.leave(Alert::bad(problem_words(page, problem)?));
            Ok(Err(paths::TWO_STEP))
        }
    }
}

pub(super) async fn ask(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    match standing(&app, &page, &signed).await? {
        Ok(enrolment) => Ok(draw(page, &signed, &enrolment, 0, None)),
        Err(elsewhere) => Ok(see_other(elsewhere)),
    }
}

fn draw(
    page: Page,
    signed: &Signed,
    enrolment: &Enrolment,
    n_misses: u8,
    error: Option<String>,
) -> axum::response::Response {
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = AppPage {
        step: Step(1),
        replaces: enrolment.replaces,
        id: enrolment.id.to_string(),
        qr: Qr::of(enrolment.uri.reveal()),
        key: enrolment.key.reveal().to_owned(),
        address: signed.person().address.to_string(),
        phone: page.app.settings.phone.as_ref().map(|it| it.page()),
        n_misses,
        clock: (n_misses >= CLOCK_FROM).then(|| clock(&page)),
        error,
        page: page.at(Nav::Security),
    };
    show(status, &shown)
}

/// The first code. Recovery codes come next; where two-step verification is on already, the new app has taken the old one's place.
pub(super) async fn prove(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let misses: u8 = typed.misses.parse().unwrap_or_default();
    let enrolment = match standing(&app, &page, &signed).await? {
        Ok(enrolment) => enrolment,
        // Sent twice, or after the back button: what comes next is there already.
        Err(CODES) => return Ok(see_other(CODES)),
        Err(elsewhere) => {
            page.leave(Alert::warn(page.t.of("two_step.begin_anew")));
            return Ok(see_other(elsewhere));
        }
    };
    if typed.app != enrolment.id.to_string() && !typed.app.is_empty() {
        let words = page.t.of("two_step.other_secret").to_owned();
        return Ok(draw(page, &signed, &enrolment, 0, Some(words)));
    }
    if typed.code.is_empty() {
        let words = page.t.of("two_step.code_empty").to_owned();
        return Ok(draw(page, &signed, &enrolment, misses, Some(words)));
    }
    let proven =
        app.rooms.people.prove_authenticator(&signed, enrolment.id, typed.code.text(), &page.visitor).await;
    match proven {
        Ok(Some(new)) => {
            page.leave(Alert::good(page.t.of("two_step.replaced")));
            let answer = CookieJar::new().add(page.continue_as(&signed, &new));
            Ok((answer, see_other(paths::SECURITY)).into_response())
        }
        Ok(None) => codes::make_for(&app, &page, &signed).await,
        Err(problem) => {
            let is_miss = matches!(&problem, AccountProblem::Refused(refusal) if is_miss(refusal));
            let words = problem_words(&page, problem)?;
            Ok(draw(page, &signed, &enrolment, misses.saturating_add(u8::from(is_miss)), Some(words)))
        }
    }
}

/// Gives the demo's pretend telephone the secret, as a real one reads it from the QR code.
pub(super) async fn send_to_phone(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    let Some(phone) = &app.settings.phone else { return Err(Problem::NotFound) };
    let enrolment = match standing(&app, &page, &signed).await? {
        Ok(enrolment) => enrolment,
        Err(elsewhere) => return Ok(see_other(elsewhere)),
    };
    let sent = tokio::time::timeout(PHONE_WAITS, phone.enrol(&enrolment.uri)).await;
    page.leave(match sent {
        Ok(Ok(())) => Alert::good(page.t.of("two_step.phone_has_it")),
        Ok(Err(_)) | Err(_) => Alert::bad(page.t.of("two_step.phone_away")),
    });
    Ok(see_other(APP))
}
