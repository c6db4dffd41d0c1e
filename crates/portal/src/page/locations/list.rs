//! The list, with the form that adds one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::LocationId;
use gatepost_identity::{IdentityError, Location, Target};
use gatepost_journal::Actor;
use gatepost_web::Moment;
use serde::Deserialize;

use crate::frame::{Alert, Answer, App, Form, Nav, Page, Problem, Signed, paths, see_other, show};
use crate::page::people::name_words;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: String,
}

struct LocationRow {
    id: LocationId,
    name: String,
    people: Option<String>,
    app_passwords: Option<String>,
    added: Moment,
}

#[derive(Template)]
#[template(path = "locations/list.html")]
struct LocationsPage {
    page: Page,
    rows: Vec<LocationRow>,
    typed: Typed,
    error: Option<String>,
}

async fn page_of(
    app: &App,
    page: Page,
    signed: &Signed,
    typed: Typed,
    error: Option<String>,
) -> Result<Response, Problem> {
    let (identity, organisation) = (&app.rooms.identity, signed.organisation());
    let people = identity.list_people(organisation).await?;
    let app_passwords = identity.list_app_passwords(organisation).await?;
    let mut rows = Vec::new();
    for Location { id, name, created_at, .. } in identity.list_locations(organisation).await? {
        let login = identity.find_login_of(organisation, Target::Location(id)).await?;
        let n_people = people.iter().filter(|it| it.home_location == Some(id)).count() as u64;
        let n_app_passwords =
            app_passwords.iter().filter(|it| Some(it.login) == login.as_ref().map(|it| it.id)).count() as u64;
        rows.push(LocationRow {
            people: (n_people > 0).then(|| page.t.count("locations.people", n_people, &[])),
            app_passwords: (n_app_passwords > 0)
                .then(|| page.t.count("locations.app_passwords", n_app_passwords, &[])),
            added: page.moment(created_at),
            id,
            name,
        });
    }
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(show(status, &LocationsPage { page: page.at(Nav::People), rows, typed, error }))
}

pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    page_of(&app, page, &signed, typed, None).await
}

pub(super) async fn add(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let by = Actor::Person(signed.person().id);
    let error = match app.rooms.identity.add_location(signed.organisation(), &typed.name, by).await {
        Ok(location) => {
            page.leave(Alert::good(page.t.fill("locations.added_now", &[("name", &location.name)])));
            return Ok(see_other(paths::LOCATIONS));
        }
        // Also the second of two clicks: the list above shows it.
        Err(IdentityError::LocationExists(_)) => page.t.of("locations.exists").to_owned(),
        Err(IdentityError::BadName(problem)) => name_words(&page, problem),
        Err(error) => return Err(error.into()),
    };
    page_of(&app, page, &signed, typed, Some(error)).await
}
