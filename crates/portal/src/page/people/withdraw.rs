//! Taking an invitation back.

use axum::extract::State;
use gatepost_core::PersonId;
use gatepost_identity::Person;
use gatepost_journal::Actor;

use super::ask::AskPage;
use super::owned::{Owned, words};
use super::{get, path, refused};
use crate::frame::{Alert, Answer, App, Id, Page, Problem, Signed, paths, see_other};

async fn page_of(app: &App, page: Page, person: &Person) -> Result<AskPage, Problem> {
    let t = page.t;
    let mut shown = AskPage::new(page, person, "people.withdraw_title", "people.withdraw");
    if person.has_password {
        return Ok(shown.refuse(t.fill("people.has_password", &[("name", &person.name)])));
    }
    let values = [("name", person.name.as_str()), ("address", person.address.as_str())];
    shown.text.push(t.fill("people.withdraw_text", &values));
    let owned = Owned::of(app, person).await?;
    shown.stops = owned.own.iter().map(|it| words(&shown.page, it)).collect();
    shown.is_danger = true;
    shown.action = Some(path(person.id, "/withdraw"));
    Ok(shown)
}

pub(super) async fn ask(State(app): State<App>, page: Page, signed: Signed, Id(id): Id<PersonId>) -> Answer {
    let person = get(&app, &signed, id).await?;
    Ok(page_of(&app, page, &person).await?.show())
}

pub(super) async fn withdraw(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let by = Actor::Person(signed.person().id);
    match app.rooms.identity.withdraw_invitation(signed.organisation(), id, by).await {
        Ok(_) => {
            page.leave(Alert::good(page.t.fill("people.withdrawn", &[("name", &person.name)])));
            Ok(see_other(paths::PEOPLE))
        }
        Err(error) => {
            let words = refused::words(&page, &person.name, error)?;
            Ok(page_of(&app, page, &person).await?.refuse(words).show_refused())
        }
    }
}
