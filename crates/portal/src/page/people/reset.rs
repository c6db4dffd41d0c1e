//! Helping somebody who is locked out: two-step verification reset, a link for a new password.

use axum::extract::State;
use gatepost_core::PersonId;
use gatepost_identity::{ContactKind, Person};
use gatepost_journal::Actor;
use serde::Deserialize;

use super::ask::AskPage;
use super::invite::{form_id, link_id};
use super::person::telephone;
use super::refused::words;
use super::{get, handed, is_last_administrator, path};
use crate::frame::{Alert, Answer, App, Form, Id, Page, Problem, Signed, see_other};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    form_id: String,
}

/// All addresses that hear of it.
async fn told(app: &App, person: &Person) -> Result<String, Problem> {
    let contacts = app.rooms.people.security_overview(person).await?.contacts;
    let proven = contacts.into_iter().filter(|it| it.kind == ContactKind::Address && it.proven_at.is_some());
    let mut all = vec![person.address.to_string()];
    all.extend(proven.map(|it| it.value));
    Ok(all.join(", "))
}

async fn two_step_page(app: &App, page: Page, signed: &Signed, person: &Person) -> Result<AskPage, Problem> {
    let (t, name) = (page.t, [("name", person.name.as_str())]);
    let mut shown = AskPage::new(page, person, "people.two_step_title", "people.two_step_reset");
    shown.is_danger = true;
    if person.id == signed.person().id {
        return Ok(shown.refuse(t.of("people.own_two_step").to_owned()));
    }
    if person.two_step_at.is_none() {
        return Ok(shown.refuse(t.fill("people.two_step_is_off", &name)));
    }
    if is_last_administrator(app, person).await? {
        return Ok(shown.refuse(t.fill("people.last_administrator", &name)));
    }
    let to = told(app, person).await?;
    shown.text = vec![
        t.fill("people.two_step_text", &name),
        t.fill("people.two_step_told", &[("name", person.name.as_str()), ("to", to.as_str())]),
        t.fill("people.make_sure", &name),
    ];
    shown.telephone = telephone(app, person).await?;
    shown.action = Some(path(person.id, "/two-step"));
    Ok(shown)
}

pub(super) async fn ask_two_step(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    Ok(two_step_page(&app, page, &signed, &person).await?.show())
}

pub(super) async fn two_step(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let by = Actor::Person(signed.person().id);
    // The first of two clicks has done it.
    let is_done = person.two_step_at.is_none() && person.id != signed.person().id;
    let reset = async { app.rooms.identity.reset_two_step(signed.organisation(), id, by).await };
    match if is_done { Ok(()) } else { reset.await } {
        Ok(()) => {
            page.leave(Alert::good(page.t.fill("people.two_step_was_reset", &[("name", &person.name)])));
            Ok(see_other(&path(id, "")))
        }
        Err(error) => {
            let words = words(&page, &person.name, error)?;
            Ok(two_step_page(&app, page, &signed, &person).await?.refuse(words).show_refused())
        }
    }
}

async fn password_page(app: &App, page: Page, person: &Person) -> Result<AskPage, Problem> {
    let (t, name) = (page.t, [("name", person.name.as_str())]);
    let form_id = form_id(&page);
    let mut shown = AskPage::new(page, person, "people.password_title", "people.password_reset");
    if person.disabled_at.is_some() {
        return Ok(shown.refuse(t.fill("people.is_disabled", &name)));
    }
    if !person.has_password {
        return Ok(shown.refuse(t.fill("people.password_none", &name)));
    }
    let to = told(app, person).await?;
    shown.text = vec![
        t.fill("people.password_text", &name),
        t.fill("people.password_told", &[("name", person.name.as_str()), ("to", to.as_str())]),
        t.fill("people.make_sure", &name),
    ];
    shown.telephone = telephone(app, person).await?;
    shown.form_id = form_id;
    shown.action = Some(path(person.id, "/password"));
    Ok(shown)
}

pub(super) async fn ask_password(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    Ok(password_page(&app, page, &person).await?.show())
}

pub(super) async fn password(
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
    if person.disabled_at.is_some() || !person.has_password {
        return Ok(password_page(&app, page, &person).await?.show_refused());
    }
    handed::hand(&page, &signed, &person, form_id).await
}
