//! A new one in the place of one whose letters were forgotten (B7).

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::AppPasswordId;
use gatepost_identity::{AppPassword, IdentityError, OldOne};
use gatepost_journal::Actor;
use serde::Deserialize;

use super::list::{LastSeen, last_seen};
use super::made::keep;
use super::right;
use super::{NotOffered, path};
use crate::frame::{Alert, Answer, Form, Id, Nav, Page, Problem, Signed, paths, see_other, show};

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    form_id: String,
    /// `now` or `day`.
    old: String,
}

#[derive(Template)]
#[template(path = "app_passwords/replace.html")]
struct ReplacePage {
    page: Page,
    path: String,
    name: String,
    form_id: String,
    last_use: Option<LastSeen>,
    /// Whether the old one ends in a day.
    is_overlap: bool,
}

pub(super) async fn ask(
    page: Page,
    signed: Signed,
    Id(id): Id<AppPasswordId>,
    Form(filled): Form<Filled>,
) -> Answer {
    let (it, _) = right::find_full(&page, &signed, id).await?;
    if NotOffered::to(&signed).is_some() {
        return Ok(see_other(paths::APP_PASSWORDS));
    }
    if it.replaced_by.is_some() {
        page.leave(Alert::warn(page.t.of("app_passwords.replaced_already")));
        return Ok(see_other(&path(id, "")));
    }
    Ok(ask_page(page, &it, filled))
}

fn ask_page(page: Page, it: &AppPassword, filled: Filled) -> Response {
    let form_id = Some(filled.form_id).filter(|it| !it.is_empty());
    let shown = ReplacePage {
        path: path(it.id, ""),
        name: it.name.clone(),
        form_id: form_id.unwrap_or_else(|| AppPasswordId::new(page.app.rooms.store.world()).to_string()),
        last_use: last_seen(&page, it),
        is_overlap: filled.old == "day",
        page: page.at(Nav::AppPasswords),
    };
    show(StatusCode::OK, &shown)
}

pub(super) async fn replace(
    page: Page,
    signed: Signed,
    Id(old): Id<AppPasswordId>,
    Form(filled): Form<Filled>,
) -> Answer {
    let new: AppPasswordId = filled.form_id.parse().map_err(|_| Problem::Bad)?;
    let identity = &page.app.rooms.identity;
    // The same form once more: the old one may be gone, its successor is there.
    match identity.get_app_password(signed.organisation(), new).await {
        Ok(it) if it.created_by == Some(signed.person().id) => return Ok(see_other(&path(new, "/made"))),
        Ok(_) => return Err(Problem::Bad),
        Err(IdentityError::NoSuchAppPassword(_)) => {}
        Err(error) => return Err(error.into()),
    }
    right::find_full(&page, &signed, old).await?;
    if NotOffered::to(&signed).is_some() {
        return Ok(see_other(paths::APP_PASSWORDS));
    }
    let old_one = if filled.old == "day" { OldOne::EndsInADay } else { OldOne::EndsNow };
    let by = Actor::Person(signed.person().id);
    match identity.replace_app_password(signed.organisation(), old, new, old_one, by).await {
        Ok(created) => {
            keep(&page, &signed, created);
            Ok(see_other(&path(new, "/made")))
        }
        // Sent twice at the same moment.
        Err(IdentityError::AppPasswordExists(_)) => Ok(see_other(&path(new, "/made"))),
        Err(IdentityError::AppPasswordReplaced(_)) => {
            page.leave(Alert::warn(page.t.of("app_passwords.replaced_already")));
            Ok(see_other(&path(old, "")))
        }
        Err(IdentityError::ExpiresInThePast(_)) => {
            page.leave(Alert::warn(page.t.of("app_passwords.replace_over")));
            Ok(see_other(&path(old, "")))
        }
        Err(error) => Err(error.into()),
    }
}
