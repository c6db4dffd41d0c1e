//! What was made just now: its letters, once, with everything that is typed beside them (B3).

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use gatepost_core::AppPasswordId;
use gatepost_identity::CreatedAppPassword;

use super::right;
use super::seen::{Seen, first_use};
use super::settings::{Incoming, Settings, Typed};
use super::{NotOffered, path};
use crate::frame::{Answer, Id, Nav, Page, Signed, show};

/// How long the letters wait for the page that shows them.
const WAITS: Duration = Duration::from_mins(2);

#[derive(Template)]
#[template(path = "app_passwords/made.html")]
struct MadePage {
    page: Page,
    name: String,
    /// `abcd efgh ijkl mnop`, and without the spaces for those whose field is short.
    grouped: String,
    joined: String,
    settings: Settings,
    fields: Vec<Typed>,
    incoming: Vec<Incoming>,
    has_authority: bool,
    /// What to do in the application now, as the key of a text.
    first_use: &'static str,
    path: String,
}

impl MadePage {
    /// Nothing can have been seen of one that was made just now.
    const fn no_lines(&self) -> [Seen; 0] {
        []
    }
}

#[derive(Template)]
#[template(path = "app_passwords/shown_before.html")]
struct ShownBeforePage {
    page: Page,
    name: String,
    path: String,
    may_replace: bool,
}

/// Keeps what was just made for the page that shows it.
pub(super) fn keep(page: &Page, signed: &Signed, created: CreatedAppPassword) {
    let key = created.id.to_string();
    page.app.made_passwords.keep(signed.id, &key, created, WAITS);
}

pub(super) async fn made(page: Page, signed: Signed, Id(id): Id<AppPasswordId>) -> Answer {
    let (it, held) = right::find_full(&page, &signed, id).await?;
    let settings = Settings::of(&page, &signed, &it, &held).await?;
    let page = page.at(Nav::AppPasswords);
    let (name, path) = (it.name.clone(), path(id, ""));
    let Some(created) = page.app.made_passwords.take(signed.id, &id.to_string()) else {
        let may_replace = it.replaced_by.is_none() && NotOffered::to(&signed).is_none();
        return Ok(show(StatusCode::OK, &ShownBeforePage { page, name, path, may_replace }));
    };
    let grouped = created.text.grouped();
    let shown = MadePage {
        name,
        joined: grouped.reveal().replace(' ', ""),
        grouped: grouped.reveal().to_owned(),
        fields: settings.fields(&page, page.t.of("app_passwords.letters_above")),
        incoming: settings.incoming(&page, page.t.of("app_passwords.letters_above")),
        settings,
        has_authority: page.app.settings.mail.authority.is_some(),
        first_use: first_use(it.limits.allowed),
        path,
        page,
    };
    Ok(show(StatusCode::OK, &shown))
}
