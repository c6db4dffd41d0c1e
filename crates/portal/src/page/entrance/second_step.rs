//! The second step: the strongest method first, the others on request (A7).

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use gatepost_identity::{Method, Policy, PreSession, SecondStep};
use serde::Deserialize;

use super::{also, enter};
use crate::frame::{
    Access, Alert, Answer, App, CLOCK_FROM, CookieName, Form, Page, PreSigned, Query, Refused, Route, Secret,
    Then, clock, paths, see_other, show,
};

/// "Use another account".
const LEAVE: &str = "/second-step/leave";

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::SECOND_STEP, Access::SecondStep, ask),
        Route::post(paths::SECOND_STEP, Access::SecondStep, show_it),
        Route::post(LEAVE, Access::SecondStep, leave),
    ]
}

/// What the page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Code,
    RecoveryCode,
    /// The list of ways.
    Other,
    /// None of them is at hand.
    Lost,
}

#[derive(Template)]
#[template(path = "second_step.html")]
struct SecondStepPage {
    page: Page,
    address: String,
    way: Way,
    has_app: bool,
    has_recovery_codes: bool,
    /// "Don't ask again on this device for 30 days", where policy offers it.
    trust: Option<String>,
    is_trust_ticked: bool,
    n_misses: u8,
    clock: Option<String>,
    error: Option<String>,
    then: Then,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    code: Secret,
    recovery_code: Secret,
    trust: String,
    /// Counted by the page for itself: it only decides whether the clock is shown.
    misses: String,
}

/// Kept in the address, so that the page that comes back is the same one.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    by: String,
    then: String,
}

impl Way {
    /// What was asked for, if it is there; else the strongest.
    fn of(by: &str, pre_session: &PreSession) -> Self {
        let has = |method| pre_session.methods.contains(&method);
        match by {
            "recovery" if has(Method::RecoveryCode) => Self::RecoveryCode,
            "other" => Self::Other,
            "lost" => Self::Lost,
            _ => match pre_session.methods.first() {
                Some(Method::AuthenticatorApp) => Self::Code,
                Some(Method::RecoveryCode) => Self::RecoveryCode,
                None => Self::Lost,
            },
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::RecoveryCode => "recovery",
            Self::Other => "other",
            Self::Lost => "lost",
        }
    }
}

impl SecondStepPage {
    fn new(page: Page, pre_session: &PreSession, asked: &Asked) -> Self {
        let has = |method| pre_session.methods.contains(&method);
        let days =
            Policy::of(pre_session.person.role).trusts_devices_for.filter(|_| pre_session.may_trust_device);
        let trust = days.map(|it| page.t.count("second_step.trust", it.as_secs() / (24 * 60 * 60), &[]));
        Self {
            address: pre_session.person.address.to_string(),
            way: Way::of(&asked.by, pre_session),
            has_app: has(Method::AuthenticatorApp),
            has_recovery_codes: has(Method::RecoveryCode),
            trust,
            is_trust_ticked: false,
            n_misses: 0,
            clock: None,
            error: None,
            then: page.app.thens.find_or_home(&asked.then),
            page,
        }
    }

    /// The address of this page in another way.
    fn to(&self, way: Way) -> String {
        also(&self.then.behind(paths::SECOND_STEP), &format!("by={}", way.word()))
    }
}

async fn ask(
    page: Page,
    pre_signed: PreSigned,
    Query(asked): Query<Asked>,
    Form(typed): Form<Typed>,
) -> Response {
    let mut shown = SecondStepPage::new(page, &pre_signed.pre_session, &asked);
    shown.is_trust_ticked = !typed.trust.is_empty();
    show(StatusCode::OK, &shown)
}

async fn show_it(
    State(app): State<App>,
    page: Page,
    pre_signed: PreSigned,
    Query(asked): Query<Asked>,
    Form(typed): Form<Typed>,
) -> Answer {
    let mut shown = SecondStepPage::new(page.clone(), &pre_signed.pre_session, &asked);
    let (code, is_recovery) = match shown.way {
        Way::Code => (typed.code, false),
        Way::RecoveryCode => (typed.recovery_code, true),
        Way::Other | Way::Lost => return Ok(show(StatusCode::OK, &shown)),
    };
    shown.is_trust_ticked = !typed.trust.is_empty();
    shown.n_misses = typed.misses.parse().unwrap_or_default();
    if code.is_empty() {
        let key = if is_recovery { "second_step.recovery_empty" } else { "second_step.code_empty" };
        return Ok(refuse(shown, &Refused::empty(page.t.of(key))));
    }
    let step = if is_recovery {
        SecondStep::RecoveryCode(code.into_text())
    } else {
        SecondStep::Code(code.into_text())
    };
    // A recovery code is used where the telephone is not at hand: no reason to trust the device (A10).
    let trusts = shown.is_trust_ticked && !is_recovery;
    let people = &app.rooms.people;
    match people.second_step(&pre_signed.token, &step, trusts, &page.visitor).await {
        Ok(passed) => {
            if let Some(n) = passed.recovery_codes_left {
                page.leave(Alert::warn(page.t.count("second_step.recovery_left", n.into(), &[])));
            }
            Ok(enter::sign_in(&page, CookieJar::new(), &passed.session, &shown.then, true))
        }
        Err(refusal) => {
            let refused = if is_recovery {
                Refused::of_recovery_code(&page, refusal)?
            } else {
                Refused::of(&page, refusal)?
            };
            Ok(refuse(shown, &refused))
        }
    }
}

fn refuse(mut shown: SecondStepPage, refused: &Refused) -> Response {
    shown.n_misses = shown.n_misses.saturating_add(u8::from(refused.is_miss));
    if shown.way == Way::Code && shown.n_misses >= CLOCK_FROM {
        shown.clock = Some(clock(&shown.page));
    }
    shown.error = Some(refused.words.clone());
    refused.mark(show(refused.status, &shown))
}

async fn leave(State(app): State<App>, page: Page, pre_signed: PreSigned) -> Answer {
    app.rooms.people.leave_pre_session(&pre_signed.token).await?;
    let answer = CookieJar::new().add(page.cookies().end(CookieName::PreSession));
    Ok((answer, see_other(paths::SIGN_IN)).into_response())
}
