//! Making an operator an administrator, and back.

use axum::extract::State;
use gatepost_core::PersonId;
use gatepost_identity::{Person, Role};
use gatepost_journal::Actor;
use serde::Deserialize;

use super::ask::AskPage;
use super::refused::words;
use super::{get, is_last_administrator, path};
use crate::frame::{Alert, Answer, App, Form, Id, Page, Problem, Signed, see_other};

/// What was asked for, so that a second click does not undo the first.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    form_id: String,
}

const fn other(role: Role) -> Role {
    match role {
        Role::Administrator => Role::Operator,
        Role::Operator => Role::Administrator,
    }
}

async fn page_of(app: &App, page: Page, signed: &Signed, person: &Person) -> Result<AskPage, Problem> {
    let t = page.t;
    let (title, button) = match person.role {
        Role::Operator => ("people.promote_title", "people.promote"),
        Role::Administrator => ("people.demote_title", "people.demote"),
    };
    let mut shown = AskPage::new(page, person, title, button);
    let name = [("name", person.name.as_str())];
    let mut text = match person.role {
        Role::Operator => vec![t.of("people.promote_text").to_owned()],
        Role::Administrator => vec![t.of("people.demote_text").to_owned()],
    };
    text.push(if person.id == signed.person().id {
        t.of("people.role_ends_mine").to_owned()
    } else {
        t.fill("people.role_ends", &name)
    });
    if person.role == Role::Operator && person.has_password && person.two_step_at.is_none() {
        text.push(t.fill("people.promote_two_step", &name));
    }
    if !person.has_password {
        text.push(t.fill("people.role_ends_links", &name));
    }
    shown.text = text;
    // The role that the button gives travels in the place of a form's id.
    shown.form_id = other(person.role).to_string();
    shown.action = Some(path(person.id, "/role"));
    if is_last_administrator(app, person).await? {
        return Ok(shown.refuse(t.fill("people.last_administrator", &name)));
    }
    Ok(shown)
}

pub(super) async fn ask(State(app): State<App>, page: Page, signed: Signed, Id(id): Id<PersonId>) -> Answer {
    let person = get(&app, &signed, id).await?;
    Ok(page_of(&app, page, &signed, &person).await?.show())
}

pub(super) async fn change(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Form(asked): Form<Asked>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let role: Role = asked.form_id.parse().map_err(|()| Problem::Bad)?;
    let by = Actor::Person(signed.person().id);
    match app.rooms.identity.change_role(signed.organisation(), id, role, by).await {
        Ok(()) => {
            let key = match role {
                Role::Administrator => "people.promoted",
                Role::Operator => "people.demoted",
            };
            page.leave(Alert::good(page.t.fill(key, &[("name", &person.name)])));
            Ok(see_other(&path(id, "")))
        }
        Err(error) => {
            let words = words(&page, &person.name, error)?;
            Ok(page_of(&app, page, &signed, &person).await?.refuse(words).show_refused())
        }
    }
}
