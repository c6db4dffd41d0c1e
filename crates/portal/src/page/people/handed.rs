//! The link to hand over, once.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::{LinkId, PersonId};
use gatepost_identity::{HandedLink, IdentityError, LinkKind, Person, Role};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_web::Moment;
use serde::Deserialize;

use super::letter::Letter;
use super::{get, path};
use crate::frame::{Answer, App, Id, Nav, Page, Problem, Query, Signed, see_other, show};

/// How long a link waits for the page that shows it.
const WAITS: Duration = Duration::from_mins(2);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// The form that it was made by.
    form: String,
}

#[derive(Template)]
#[template(path = "people/handed.html")]
struct HandedPage {
    page: Page,
    name: String,
    back: String,
    /// None where it was shown before, or a restart came in between.
    link: Option<String>,
    until: Option<Moment>,
    /// Whether they have a password: then it is a reset, else an invitation.
    is_reset: bool,
    is_administrator: bool,
    letter: Option<Letter>,
    /// Makes another one.
    again: String,
    /// A form's own address needs a POST.
    is_again_posted: bool,
}

fn key(id: PersonId, form: &str) -> String {
    format!("{id} {form}")
}

/// Keeps the link for its page, and leads there.
fn shown_at(page: &Page, signed: &Signed, id: PersonId, form: LinkId, link: Option<HandedLink>) -> Response {
    let form = form.to_string();
    if let Some(link) = link {
        page.app.handed_links.keep(signed.id, &key(id, &form), link, WAITS);
    }
    see_other(&path(id, &format!("/link?form={form}")))
}

/// Where this form has made a link already, its page is the answer: whoever sends it again sees the same link again.
pub(super) async fn made_before(
    page: &Page,
    signed: &Signed,
    id: PersonId,
    form: LinkId,
) -> Result<Option<Response>, Problem> {
    let made = page.app.rooms.identity.find_handed_link(signed.organisation(), id, form).await?;
    Ok(made.map(|link| shown_at(page, signed, id, form, link)))
}

/// Makes a link and leads to the page that shows it.
pub(super) async fn hand(page: &Page, signed: &Signed, person: &Person, form: LinkId) -> Answer {
    let kind = if person.has_password { LinkKind::PasswordReset } else { LinkKind::Invitation };
    let by = Actor::Person(signed.person().id);
    let (identity, of) = (&page.app.rooms.identity, signed.organisation());
    match identity.hand_link_by_id(of, person.id, kind, form, by).await {
        Ok(link) => Ok(shown_at(page, signed, person.id, form, Some(link))),
        // The other of two clicks was faster.
        Err(IdentityError::LinkExists) => {
            made_before(page, signed, person.id, form).await?.ok_or(Problem::NotFound)
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn handed(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<PersonId>,
    Query(asked): Query<Asked>,
) -> Answer {
    let person = get(&app, &signed, id).await?;
    let link = app.handed_links.take(signed.id, &key(id, &asked.form));
    let is_reset = person.has_password;
    let kind = if is_reset { NoticeKind::PasswordResetByAdministrator } else { NoticeKind::Invitation };
    let letter = Letter::newest(&app, &page, &person, kind, person.created_at).await?;
    let address = |it: &HandedLink| app.link(&format!("/link?token={}", it.token.reveal()));
    let shown = HandedPage {
        name: person.name.clone(),
        back: path(id, ""),
        until: link.as_ref().map(|it| page.moment(it.expires_at)),
        link: link.as_ref().map(address),
        is_reset,
        is_administrator: person.role == Role::Administrator,
        letter,
        again: path(id, if is_reset { "/password" } else { "/invite-again" }),
        is_again_posted: !is_reset,
        page: page.at(Nav::People),
    };
    Ok(show(StatusCode::OK, &shown))
}
