//! Disabling somebody, and enabling them again.

use axum::extract::State;
use gatepost_core::{AppPasswordId, PersonId};
use gatepost_identity::Person;
use gatepost_journal::Actor;
use serde::Deserialize;

use super::ask::{AskPage, Tick};
use super::owned::{Owned, words};
use super::{get, is_last_administrator, path, refused};
use crate::frame::{Alert, Answer, App, Form, Id, Page, Problem, Signed, see_other};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    form_id: String,
    /// App passwords that are to go too.
    remove: Vec<String>,
}

async fn page_of(
    app: &App,
    page: Page,
    signed: &Signed,
    person: &Person,
    typed: &Typed,
) -> Result<AskPage, Problem> {
    let t = page.t;
    let owned = Owned::of(app, person).await?;
    let mut shown = AskPage::new(page, person, "people.disable_title", "people.disable");
    let name = [("name", person.name.as_str())];
    shown.text.push(if person.id == signed.person().id {
        t.of("people.disable_text_me").to_owned()
    } else {
        t.fill("people.disable_text", &name)
    });
    shown.stops = owned.own.iter().map(|it| words(&shown.page, it)).collect();
    let is_first = typed.form_id.is_empty();
    let tick = |it: &gatepost_identity::AppPassword| Tick {
        id: it.id.to_string(),
        words: words(&shown.page, it),
        is_ticked: is_first || typed.remove.iter().any(|id| *id == it.id.to_string()),
    };
    shown.ticks = owned.made.iter().map(tick).collect();
    shown.ticks_title = t.of("people.disable_made").to_owned();
    shown.ticks_text = t.fill("people.disable_made_text", &name);
    shown.form_id = person.id.to_string();
    shown.is_danger = true;
    shown.action = Some(path(person.id, "/disable"));
    if is_last_administrator(app, person).await? {
        return Ok(shown.refuse(t.fill("people.last_administrator", &name)));
    }
    Ok(shown)
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    if person.disabled_at.is_some() {
        return Ok(see_other(&path(id, "")));
    }
    Ok(page_of(&app, page, &signed, &person, &typed).await?.show())
}

pub(super) async fn disable(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Form(typed): Form<Typed>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let (identity, organisation) = (&app.rooms.identity, signed.organisation());
    let by = Actor::Person(signed.person().id);
    // Whatever was not in the list is not removed, whoever asks.
    let made = Owned::of(&app, &person).await?.made;
    let chosen: Vec<AppPasswordId> =
        made.iter().map(|it| it.id).filter(|id| typed.remove.contains(&id.to_string())).collect();
    if let Err(error) = identity.disable_person(organisation, id, &chosen, by).await {
        let words = refused::words(&page, &person.name, error)?;
        return Ok(page_of(&app, page, &signed, &person, &typed).await?.refuse(words).show_refused());
    }
    let words = if chosen.is_empty() {
        page.t.fill("people.disabled", &[("name", &person.name)])
    } else {
        page.t.count("people.disabled_and_removed", chosen.len() as u64, &[("name", &person.name)])
    };
    page.leave(Alert::good(words));
    Ok(see_other(&path(id, "")))
}

pub(super) async fn enable(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let by = Actor::Person(signed.person().id);
    app.rooms.identity.enable_person(signed.organisation(), id, by).await?;
    page.leave(Alert::good(page.t.fill("people.enabled", &[("name", &person.name)])));
    Ok(see_other(&path(id, "")))
}
