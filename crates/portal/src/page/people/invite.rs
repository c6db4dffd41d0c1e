//! Inviting somebody, and inviting them again.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::{EmailAddress, LinkId, PersonId};
use gatepost_identity::{IdentityError, NewPerson, Role};
use gatepost_journal::Actor;

use super::details::{Place, Typed, Wrong, chosen, places};
use super::refused::{name_words, words};
use super::{get, handed, path};
use crate::frame::{Alert, Answer, App, Form, Id, Nav, Page, Problem, Signed, see_other, show};

#[derive(Template)]
#[template(path = "people/invite.html")]
struct InvitePage {
    page: Page,
    typed: Typed,
    wrong: Wrong,
    places: Vec<Place>,
}

/// The id of a form, which its second click carries too: that of the link which it makes.
pub(super) fn form_id(page: &Page) -> String {
    LinkId::new(page.app.rooms.store.world()).to_string()
}

fn form(page: Page, typed: Typed, wrong: Wrong, places: Vec<Place>) -> Response {
    let status = if wrong.is_any() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    show(status, &InvitePage { page: page.at(Nav::People), typed, wrong, places })
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(mut typed): Form<Typed>,
) -> Answer {
    let places = places(&app, &signed).await?;
    if typed.form_id.is_empty() {
        typed.form_id = form_id(&page);
        "operator".clone_into(&mut typed.role);
        // Where there is one location, it is everybody's.
        if let [only] = places.as_slice() {
            typed.location.clone_from(&only.id);
        }
    }
    Ok(form(page, typed, Wrong::default(), places))
}

pub(super) async fn invite(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let form_id = link_id(&typed.form_id)?;
    let places = places(&app, &signed).await?;
    let home_location = chosen(&places, &typed.location)?;
    let (address, role) = (typed.address.trim().parse::<EmailAddress>(), typed.role.parse::<Role>());
    let mut wrong = Wrong::default();
    if typed.name.trim().is_empty() {
        wrong.name = Some(page.t.of("people.name_empty").to_owned());
    }
    if address.is_err() {
        wrong.address = Some(page.t.of("people.not_an_address").to_owned());
    }
    if role.is_err() {
        wrong.role = Some(page.t.of("people.no_role").to_owned());
    }
    let (Ok(address), Ok(role), false) = (address, role, wrong.is_any()) else {
        return Ok(form(page, typed, wrong, places));
    };
    let new = NewPerson {
        organisation: signed.organisation(),
        address: address.clone(),
        name: typed.name.clone(),
        role,
        home_location,
    };
    let by = Actor::Person(signed.person().id);
    match app.rooms.identity.invite_person_by_link(new, form_id, by).await {
        Ok(person) => handed::hand(&page, &signed, &person, form_id).await,
        Err(IdentityError::PersonExists(_)) => {
            let found = app.rooms.identity.find_person(signed.organisation(), &address).await?;
            let Some(found) = found else {
                wrong.address = Some(page.t.of("common.address_taken").to_owned());
                return Ok(form(page, typed, wrong, places));
            };
            if let Some(result) = handed::made_before(&page, &signed, found.id, form_id).await? {
                return Ok(result);
            }
            if !found.has_password && found.disabled_at.is_none() {
                page.leave(Alert::warn(page.t.fill("people.invited_before", &[("name", &found.name)])));
                return Ok(see_other(&path(found.id, "")));
            }
            wrong.address = Some(page.t.fill("people.is_here", &[("name", &found.name)]));
            Ok(form(page, typed, wrong, places))
        }
        Err(IdentityError::BadName(problem)) => {
            wrong.name = Some(name_words(&page, problem));
            Ok(form(page, typed, wrong, places))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn again(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let (person, form_id) = (get(&app, &signed, id).await?, link_id(&typed.form_id)?);
    if let Some(result) = handed::made_before(&page, &signed, id, form_id).await? {
        return Ok(result);
    }
    let by = Actor::Person(signed.person().id);
    match app.rooms.identity.invite_again(signed.organisation(), id, form_id, by).await {
        Ok(person) => handed::hand(&page, &signed, &person, form_id).await,
        // The other of two clicks was faster.
        Err(IdentityError::LinkExists) => {
            handed::made_before(&page, &signed, id, form_id).await?.ok_or(Problem::NotFound)
        }
        Err(error) => {
            page.leave(Alert::warn(words(&page, &person.name, error)?));
            Ok(see_other(&path(id, "")))
        }
    }
}

/// The link that a form makes.
pub(super) fn link_id(form_id: &str) -> Result<LinkId, Problem> {
    form_id.parse().map_err(|_| Problem::Bad)
}
