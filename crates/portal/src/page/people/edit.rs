//! Name and home location.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::PersonId;
use gatepost_identity::{IdentityError, Person};
use gatepost_journal::Actor;

use super::details::{Place, Typed, Wrong, chosen, places};
use super::refused::name_words;
use super::{get, path};
use crate::frame::{Alert, Answer, App, Form, Id, Nav, Page, Signed, see_other, show};

#[derive(Template)]
#[template(path = "people/edit.html")]
struct EditPage {
    page: Page,
    /// As they are called now.
    name: String,
    back: String,
    action: String,
    typed: Typed,
    wrong: Wrong,
    places: Vec<Place>,
}

fn form(page: Page, person: &Person, typed: Typed, wrong: Wrong, places: Vec<Place>) -> Response {
    let status = if wrong.is_any() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let (back, action) = (path(person.id, ""), path(person.id, "/edit"));
    let (name, page) = (person.name.clone(), page.at(Nav::People));
    show(status, &EditPage { page, name, back, action, typed, wrong, places })
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Form(mut typed): Form<Typed>,
) -> Answer {
    let (person, places) = (get(&app, &signed, id).await?, places(&app, &signed).await?);
    if typed.form_id.is_empty() {
        typed.form_id = id.to_string();
        typed.name.clone_from(&person.name);
        typed.location = person.home_location.map(|it| it.to_string()).unwrap_or_default();
    }
    Ok(form(page, &person, typed, Wrong::default(), places))
}

pub(super) async fn edit(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (person, places) = (get(&app, &signed, id).await?, places(&app, &signed).await?);
    let home = chosen(&places, &typed.location)?;
    let (organisation, by) = (signed.organisation(), Actor::Person(signed.person().id));
    match app.rooms.identity.edit_person(organisation, id, &typed.name, home, by).await {
        Ok(_) => {
            page.leave(Alert::good(page.t.of("people.edited")));
            Ok(see_other(&path(id, "")))
        }
        Err(IdentityError::BadName(problem)) => {
            let wrong = Wrong { name: Some(name_words(&page, problem)), ..Wrong::default() };
            Ok(form(page, &person, typed, wrong, places))
        }
        Err(error) => Err(error.into()),
    }
}
