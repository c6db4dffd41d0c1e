//! Proof again, before something that matters (A12), or one factor for a session that lasts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::also;
use super::refused::Refused;
use super::second_step::{CLOCK_FROM, clock};
use crate::frame::{
    Access, Answer, App, Form, Page, ProofField, ProofPage, Query, Route, Signed, Then, TypedForm, paths,
    proof_of, see_other, show,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::CONFIRM, Access::Signed, ask).opens_before_factor(),
        Route::post(paths::CONFIRM, Access::Signed, confirm).opens_before_factor(),
    ]
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    by: String,
    then: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    misses: String,
}

/// What is asked for, and where to go on.
struct Asking {
    field: ProofField,
    then: Then,
    action: String,
    other: Option<String>,
}

impl Asking {
    fn new(app: &App, signed: &Signed, asked: &Asked) -> Self {
        let (then, first) = (app.thens.find_or_home(&asked.then), ProofField::of(signed));
        let is_code = first == ProofField::Code;
        let action = then.behind(paths::CONFIRM);
        let by_recovery = also(&action, "by=recovery");
        if is_code && asked.by == "recovery" {
            return Self { field: ProofField::RecoveryCode, then, action: by_recovery, other: Some(action) };
        }
        Self { field: first, then, action, other: is_code.then_some(by_recovery) }
    }

    fn page(self, page: Page, misses: u8, error: Option<String>) -> ProofPage {
        let carried = if misses == 0 { Vec::new() } else { vec![("misses".to_owned(), misses.to_string())] };
        let Self { field, action, other, .. } = self;
        ProofPage { page, action, carried, field, error, other }
    }
}

async fn ask(State(app): State<App>, page: Page, signed: Signed, Query(asked): Query<Asked>) -> Response {
    let asking = Asking::new(&app, &signed, &asked);
    if !signed.needs_factor && signed.is_proven(page.now) {
        return see_other(asking.then.as_str());
    }
    show(StatusCode::OK, &asking.page(page, 0, None))
}

async fn confirm(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
    TypedForm(mut form): TypedForm,
    Form(typed): Form<Typed>,
) -> Answer {
    let asking = Asking::new(&app, &signed, &asked);
    let refuse = |page: Page, asking: Asking, refused: &Refused| {
        let before: u8 = typed.misses.parse().unwrap_or_default();
        let misses = before.saturating_add(u8::from(refused.is_miss));
        let is_clock = asking.field == ProofField::Code && misses >= CLOCK_FROM;
        let words = &refused.words;
        let error = if is_clock { format!("{words} {}", clock(&page)) } else { words.clone() };
        Ok(refused.mark(show(refused.status, &asking.page(page, misses, Some(error)))))
    };
    let Some((field, proof)) = proof_of(&mut form) else {
        let key = match asking.field {
            ProofField::Code => "second_step.code_empty",
            ProofField::RecoveryCode => "second_step.recovery_empty",
            ProofField::Password => "sign_in.password_empty",
        };
        let refused = Refused::empty(page.t.of(key));
        return refuse(page, asking, &refused);
    };
    match app.rooms.people.confirm(&signed, &proof, &page.visitor).await {
        Ok(new) => {
            let answer = CookieJar::new().add(page.continue_as(&signed, &new));
            Ok((answer, see_other(asking.then.as_str())).into_response())
        }
        Err(refusal) => {
            let refused = match field {
                ProofField::RecoveryCode => Refused::of_recovery_code(&page, refusal)?,
                ProofField::Password => Refused::of_password(&page, refusal)?,
                ProofField::Code => Refused::of(&page, refusal)?,
            };
            refuse(page, asking, &refused)
        }
    }
}
