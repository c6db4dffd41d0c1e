//! Proof again, before something that matters (A12), or one factor for a session that lasts.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::also;
use crate::frame::{
    Access, Answer, App, OtherWay, Page, ProofField, ProofPage, Query, Route, Signed, Then, TypedForm,
    misses_of, paths, proof_of, see_other,
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

    fn page(self, page: Page, n_misses: u8) -> ProofPage {
        let Self { field, action, other, .. } = self;
        let other = other.map(OtherWay::Link);
        ProofPage { page, action, carried: Vec::new(), field, n_misses, error: None, other }
    }
}

async fn ask(State(app): State<App>, page: Page, signed: Signed, Query(asked): Query<Asked>) -> Response {
    let asking = Asking::new(&app, &signed, &asked);
    if !signed.needs_factor && signed.is_proven(page.now) {
        return see_other(asking.then.as_str());
    }
    asking.page(page, 0).show()
}

async fn confirm(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
    TypedForm(mut form): TypedForm,
) -> Answer {
    let asking = Asking::new(&app, &signed, &asked);
    let n_misses = misses_of(&form);
    let Some((field, proof)) = proof_of(&mut form) else {
        let refused = asking.field.empty(&page);
        return Ok(asking.page(page, n_misses).refuse(&refused));
    };
    match page.confirm(&signed, proof).await {
        Ok(new) => {
            let answer = CookieJar::new().add(page.continue_as(&signed, &new));
            Ok((answer, see_other(asking.then.as_str())).into_response())
        }
        Err(refusal) => {
            let refused = field.refused(&page, refusal)?;
            Ok(asking.page(page, n_misses).refuse(&refused))
        }
    }
}
