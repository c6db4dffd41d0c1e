//! Another name. The user name of the location's app passwords stays.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_core::LocationId;
use gatepost_identity::IdentityError;
use gatepost_journal::Actor;
use serde::Deserialize;

use crate::frame::{Alert, Answer, App, Form, Id, Nav, Page, Signed, paths, see_other, show};
use crate::page::people::name_words;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    name: Option<String>,
}

#[derive(Template)]
#[template(path = "locations/rename.html")]
struct RenamePage {
    page: Page,
    title: String,
    action: String,
    typed: String,
    error: Option<String>,
}

fn page_of(
    page: Page,
    id: LocationId,
    old: &str,
    typed: String,
    error: Option<String>,
) -> axum::response::Response {
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let title = page.t.fill("locations.rename_title", &[("name", old)]);
    let action = format!("{}/{id}/rename", paths::LOCATIONS);
    show(status, &RenamePage { page: page.at(Nav::People), title, action, typed, error })
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<LocationId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let location = app.rooms.identity.get_location(signed.organisation(), id).await?;
    let name = typed.name.unwrap_or_else(|| location.name.clone());
    Ok(page_of(page, id, &location.name, name, None))
}

pub(super) async fn rename(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<LocationId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (identity, organisation) = (&app.rooms.identity, signed.organisation());
    let location = identity.get_location(organisation, id).await?;
    let name = typed.name.unwrap_or_default();
    let by = Actor::Person(signed.person().id);
    let error = match identity.rename_location(organisation, id, &name, by).await {
        Ok(renamed) => {
            page.leave(Alert::good(page.t.fill("locations.renamed", &[("name", &renamed.name)])));
            return Ok(see_other(paths::LOCATIONS));
        }
        Err(IdentityError::LocationExists(_)) => page.t.of("locations.exists").to_owned(),
        Err(IdentityError::BadName(problem)) => name_words(&page, problem),
        Err(error) => return Err(error.into()),
    };
    Ok(page_of(page, id, &location.name, name, Some(error)))
}
