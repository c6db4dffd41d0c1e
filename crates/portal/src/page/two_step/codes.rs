//! Recovery codes: shown until one of them was typed back, then never again (A5, ID-21).

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use gatepost_identity::{AccountProblem, PersonRefusal, RecoveryCodes, SettingUp};
use serde::Deserialize;

use super::{CODES, CODES_FILE, DONE, Step};
use crate::frame::{
    Alert, Answer, App, Form, Nav, Page, Problem, Secret, Signed, paths, problem_words, see_other, show,
};

/// How long a set is shown that nobody has typed a code back of.
const SHOWN_FOR: Duration = Duration::from_mins(10);

/// The one set of a session.
const KEY: &str = "";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    recovery_code: Secret,
}

#[derive(Template)]
#[template(path = "two_step/codes.html")]
struct CodesPage {
    page: Page,
    step: Step,
    /// The first set, with which two-step verification is turned on.
    is_first: bool,
    codes: Vec<String>,
    file: &'static str,
    error: Option<String>,
}

/// None are shown: there is nothing to type back.
#[derive(Template)]
#[template(path = "two_step/codes_new.html")]
struct NewCodesPage {
    page: Page,
    step: Step,
    /// They were there, and nobody has typed one back in time, or Gatepost was started anew.
    is_first: bool,
}

fn as_text(codes: &RecoveryCodes) -> Vec<String> {
    codes.0.iter().map(|it| it.reveal().to_owned()).collect()
}

/// The page of the set that waits, or of none.
async fn draw(app: &App, page: Page, signed: &Signed, error: Option<String>) -> Answer {
    let is_first = signed.person().two_step_at.is_none();
    let page = page.at(Nav::Security);
    let waiting = app.recovery_codes.look(signed.id, KEY, as_text);
    if let Some(codes) = waiting {
        let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        return Ok(show(
            status,
            &CodesPage { step: Step(2), is_first, codes, file: CODES_FILE, error, page },
        ));
    }
    if is_first && !is_proven(app, &page, signed).await? {
        return Ok(see_other(paths::TWO_STEP));
    }
    Ok(show(StatusCode::OK, &NewCodesPage { step: Step(2), is_first, page }))
}

async fn is_proven(app: &App, page: &Page, signed: &Signed) -> Result<bool, Problem> {
    match app.rooms.people.setting_up(signed).await {
        Ok(standing) => Ok(matches!(standing, SettingUp::Proven)),
        Err(problem) => problem_words(page, problem).map(|_| false),
    }
}

pub(super) async fn ask(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    draw(&app, page, &signed, None).await
}

pub(super) async fn make(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    make_for(&app, &page, &signed).await
}

/// Makes a set, and leads to it. The old one counts until one of the new is typed back.
pub(super) async fn make_for(app: &App, page: &Page, signed: &Signed) -> Answer {
    match app.rooms.people.new_recovery_codes(signed).await {
        Ok(codes) => {
            app.recovery_codes.keep(signed.id, KEY, codes, SHOWN_FOR);
            Ok(see_other(CODES))
        }
        Err(AccountProblem::Refused(PersonRefusal::Over)) => {
            page.leave(Alert::warn(page.t.of("two_step.begin_anew")));
            Ok(see_other(paths::TWO_STEP))
        }
        Err(problem) => {
            page.leave(Alert::bad(problem_words(page, problem)?));
            Ok(see_other(CODES))
        }
    }
}

/// One of them typed back: the set counts, and two-step verification is on.
pub(super) async fn confirm(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let is_first = signed.person().two_step_at.is_none();
    let is_waiting = app.recovery_codes.look(signed.id, KEY, |_| ()).is_some();
    if !is_waiting {
        // Sent twice, after the back button, or too late.
        return if is_first { draw(&app, page, &signed, None).await } else { Ok(see_other(paths::SECURITY)) };
    }
    if typed.recovery_code.is_empty() {
        let words = page.t.of("two_step.recovery_empty").to_owned();
        return draw(&app, page, &signed, Some(words)).await;
    }
    let people = &app.rooms.people;
    match people.confirm_recovery_codes(&signed, typed.recovery_code.text(), &page.visitor).await {
        Ok(new) => {
            // Never shown a second time.
            drop(app.recovery_codes.take(signed.id, KEY));
            let place = if is_first {
                DONE
            } else {
                page.leave(Alert::good(page.t.of("two_step.codes_count")));
                paths::SECURITY
            };
            let answer = CookieJar::new().add(page.continue_as(&signed, &new));
            Ok((answer, see_other(place)).into_response())
        }
        Err(AccountProblem::Refused(PersonRefusal::Over)) => {
            drop(app.recovery_codes.take(signed.id, KEY));
            page.leave(Alert::warn(page.t.of("two_step.begin_anew")));
            Ok(see_other(paths::TWO_STEP))
        }
        Err(AccountProblem::Refused(PersonRefusal::WrongCode)) => {
            let words = page.t.of("two_step.recovery_wrong").to_owned();
            draw(&app, page, &signed, Some(words)).await
        }
        Err(problem) => {
            let words = problem_words(&page, problem)?;
            draw(&app, page, &signed, Some(words)).await
        }
    }
}

/// The same codes as a file, for whoever keeps them on a disk.
pub(super) async fn file(State(app): State<App>, page: Page, signed: Signed) -> Result<Response, Problem> {
    let codes = app.recovery_codes.look(signed.id, KEY, as_text).ok_or(Problem::NotFound)?;
    let address = signed.person().address.as_str();
    let at = page.moment(page.now).machine;
    let values = [("organisation", page.organisation.as_str()), ("address", address), ("at", &at)];
    let mut text = page.t.fill("two_step.file_head", &values);
    for code in codes {
        text.push('\n');
        text.push_str(&code);
    }
    text.push('\n');
    // Windows' own editor is where this is opened.
    let text = text.replace('\n', "\r\n");
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"gatepost-recovery-codes.txt\""),
    ];
    Ok((headers, text).into_response())
}
