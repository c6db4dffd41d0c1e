//! The end of the set-up: the organisation gets its name and its first location.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_identity::{IdentityError, NameProblem, checked_name};
use gatepost_journal::Actor;
use serde::Deserialize;

use crate::frame::{Access, Alert, Answer, App, Form, Page, Problem, Route, Signed, paths, see_other, show};

pub(super) fn rows() -> Vec<Route> {
    // The gate leads here until it is done, so this page opens before it is.
    vec![
        Route::get(paths::SET_UP, Access::Enrolling, ask),
        Route::post(paths::SET_UP, Access::Enrolling, name_it),
    ]
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    page: Page,
    organisation: String,
    location: String,
    organisation_error: Option<String>,
    location_error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Typed {
    organisation: Option<String>,
    location: String,
}

/// Whether this page is for them now; everybody else goes home, from where the gate leads on.
async fn is_due(app: &App, page: &Page, signed: &Signed) -> Result<bool, Problem> {
    if !app.may_administer(page.visitor.source) {
        return Err(Problem::NotFound);
    }
    let may = page.is_administrator() && signed.person().two_step_at.is_some();
    Ok(may && !signed.needs_factor && !app.house(signed.organisation()).await?.is_set_up)
}

async fn ask(State(app): State<App>, page: Page, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    if !is_due(&app, &page, &signed).await? {
        return Ok(see_other(paths::HOME));
    }
    // What `init` called it is a first proposal.
    let organisation = typed.organisation.unwrap_or_else(|| page.organisation.clone());
    let (organisation_error, location_error) = (None, None);
    let location = typed.location;
    Ok(show(StatusCode::OK, &SetUpPage { page, organisation, location, organisation_error, location_error }))
}

async fn name_it(State(app): State<App>, page: Page, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    if !is_due(&app, &page, &signed).await? {
        return Ok(see_other(paths::HOME));
    }
    let organisation = typed.organisation.unwrap_or_default();
    let problem = |name: &str| checked_name(name).err().map(|it| words(&page, it));
    let mut shown = SetUpPage {
        organisation_error: problem(&organisation),
        location_error: problem(&typed.location),
        organisation,
        location: typed.location,
        page: page.clone(),
    };
    if shown.organisation_error.is_some() || shown.location_error.is_some() {
        return Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    }
    let (identity, of) = (&app.rooms.identity, signed.organisation());
    let by = || Actor::Person(signed.person().id);
    match identity.set_organisation_up(of, &shown.organisation, by()).await {
        Ok(()) => {}
        Err(IdentityError::OrganisationExists(_)) => {
            shown.organisation_error = Some(page.t.of("set_up.organisation_exists").to_owned());
            return Ok(show(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
        Err(error) => return Err(error.into()),
    }
    match identity.add_location(of, &shown.location, by()).await {
        // By the first of two clicks.
        Ok(_) | Err(IdentityError::LocationExists(_)) => {}
        Err(error) => return Err(error.into()),
    }
    page.leave(Alert::good(page.t.of("set_up.done")));
    Ok(see_other(paths::HOME))
}

fn words(page: &Page, problem: NameProblem) -> String {
    let key = match problem {
        NameProblem::Empty => "set_up.name_empty",
        NameProblem::TooLong => "set_up.name_too_long",
        NameProblem::Unprintable => "set_up.name_unprintable",
    };
    page.t.of(key).to_owned()
}
