//! One person: who they are, how safe their account is, and what can be done.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_core::PersonId;
use gatepost_identity::{ContactKind, Person, Role};
use gatepost_journal::NoticeKind;
use gatepost_web::Moment;

use super::invite::form_id;
use super::letter::Letter;
use super::list::{role_words, state, two_step};
use super::owned::{Owned, words};
use super::{get, is_last_administrator, path};
use crate::frame::{Answer, App, Id, Nav, Page, Problem, Signed, show};
use crate::page::badge::Badge;

/// An app password, and where it is removed.
struct AppPasswordLine {
    words: String,
    name: String,
    href: String,
}

#[derive(Template)]
#[template(path = "people/person.html")]
struct PersonPage {
    page: Page,
    name: String,
    address: String,
    path: String,
    role: String,
    state: Badge,
    two_step: Badge,
    home: Option<String>,
    telephone: Option<String>,
    added: Moment,
    password_changed: Option<Moment>,
    two_step_since: Option<Moment>,
    signed_in: Option<Moment>,
    own: Vec<AppPasswordLine>,
    made: Vec<AppPasswordLine>,
    /// What became of their invitation.
    letter: Option<Letter>,
    form_id: String,
    is_invited: bool,
    is_disabled: bool,
    is_administrator: bool,
    is_me: bool,
    /// Nobody else could look after the organisation.
    is_last: bool,
    has_two_step: bool,
}

/// The number to call before somebody is let in who has lost everything.
pub(super) async fn telephone(app: &App, person: &Person) -> Result<Option<String>, Problem> {
    let overview = app.rooms.people.security_overview(person).await?;
    let found = overview.contacts.into_iter().find(|it| it.kind == ContactKind::Telephone);
    Ok(found.map(|it| it.value))
}

pub(super) async fn person(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let overview = app.rooms.people.security_overview(&person).await?;
    let locations = app.rooms.identity.list_locations(person.organisation).await?;
    let home = locations.into_iter().find(|it| Some(it.id) == person.home_location);
    let owned = Owned::of(&app, &person).await?;
    let line = |it: &gatepost_identity::AppPassword| AppPasswordLine {
        words: words(&page, it),
        name: it.name.clone(),
        href: format!("/app-passwords/{}/remove", it.id),
    };
    let (own, made) = (owned.own.iter().map(line).collect(), owned.made.iter().map(line).collect());
    let is_invited = !person.has_password && person.disabled_at.is_none();
    let letter = if is_invited {
        Letter::newest(&app, &page, &person, NoticeKind::Invitation, person.created_at).await?
    } else {
        None
    };
    let telephone = overview.contacts.into_iter().find(|it| it.kind == ContactKind::Telephone);
    let shown = PersonPage {
        path: path(id, ""),
        role: role_words(&page, person.role),
        state: state(&page, &person),
        two_step: two_step(&page, &person),
        home: home.map(|it| it.name),
        telephone: telephone.map(|it| it.value),
        added: page.moment(person.created_at),
        password_changed: overview.password_changed_at.map(|at| page.moment(at)),
        two_step_since: person.two_step_at.map(|at| page.moment(at)),
        signed_in: person.signed_in_at.map(|at| page.moment(at)),
        own,
        made,
        letter,
        form_id: form_id(&page),
        is_invited,
        is_disabled: person.disabled_at.is_some(),
        is_administrator: person.role == Role::Administrator,
        is_me: person.id == signed.person().id,
        is_last: is_last_administrator(&app, &person).await?,
        has_two_step: person.two_step_at.is_some(),
        name: person.name,
        address: person.address.to_string(),
        page: page.at(Nav::People),
    };
    Ok(show(StatusCode::OK, &shown))
}
