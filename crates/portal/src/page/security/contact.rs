//! Further addresses and the telephone number (A16).

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::ForNotices;
use gatepost_core::ContactId;
use gatepost_identity::{AccountProblem, Contact, ContactKind};
use serde::Deserialize;

use crate::frame::{
    Alert, Answer, App, Form, Id, Nav, Page, Problem, Signed, paths, problem_words, see_other, show,
};

/// A form that is sent twice by one click: the second time the contact is there already, and that is no mistake.
const TWICE_WITHIN: Duration = Duration::from_mins(1);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    contact: String,
}

#[derive(Template)]
#[template(path = "security/contact.html")]
struct AddPage {
    page: Page,
    is_address: bool,
    action: &'static str,
    value: String,
    error: Option<String>,
    /// Why no link can be mailed at this moment.
    no_mail: Option<String>,
}

impl AddPage {
    fn title(&self) -> &str {
        let key = if self.is_address { "security.add_address" } else { "security.telephone" };
        self.page.t.of(key)
    }
}

#[derive(Template)]
#[template(path = "security/contact_remove.html")]
struct RemovePage {
    page: Page,
    id: String,
    value: String,
    text: String,
}

#[derive(Template)]
#[template(path = "security/contact_sign_in.html")]
struct SignInPage {
    page: Page,
    id: String,
    value: String,
    text: String,
}

pub(super) async fn ask_address(app: State<App>, page: Page, signed: Signed, typed: Form<Typed>) -> Answer {
    ask(&app.0, page, &signed, ContactKind::Address, typed.0.contact, None).await
}

pub(super) async fn ask_telephone(app: State<App>, page: Page, signed: Signed, typed: Form<Typed>) -> Answer {
    ask(&app.0, page, &signed, ContactKind::Telephone, typed.0.contact, None).await
}

pub(super) async fn add_address(app: State<App>, page: Page, signed: Signed, typed: Form<Typed>) -> Answer {
    add(&app.0, page, &signed, ContactKind::Address, typed.0.contact).await
}

pub(super) async fn add_telephone(app: State<App>, page: Page, signed: Signed, typed: Form<Typed>) -> Answer {
    add(&app.0, page, &signed, ContactKind::Telephone, typed.0.contact).await
}

async fn ask(
    app: &App,
    page: Page,
    signed: &Signed,
    kind: ContactKind,
    value: String,
    error: Option<String>,
) -> Answer {
    let is_address = kind == ContactKind::Address;
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let no_mail = if is_address { no_mail(app, &page, signed).await? } else { None };
    let action = if is_address { super::ADDRESS } else { super::TELEPHONE };
    Ok(show(status, &AddPage { is_address, action, value, error, no_mail, page: page.at(Nav::Security) }))
}

async fn add(app: &App, page: Page, signed: &Signed, kind: ContactKind, value: String) -> Answer {
    let problem = match app.rooms.people.add_contact(signed, kind, &value).await {
        Ok(contact) => {
            page.leave(added(app, &page, signed, &contact).await?);
            return Ok(see_other(paths::SECURITY));
        }
        Err(problem) => problem,
    };
    if matches!(problem, AccountProblem::ContactExists) {
        let of = app.rooms.people.security_overview(signed.person()).await?;
        let is_same = |it: &Contact| it.kind == kind && it.value.eq_ignore_ascii_case(value.trim());
        let found = of.contacts.iter().find(|it| is_same(it));
        if found.is_some_and(|it| page.now.since(it.created_at) <= TWICE_WITHIN) {
            return Ok(see_other(paths::SECURITY));
        }
    }
    let words = problem_words(&page, problem)?;
    ask(app, page, signed, kind, value, Some(words)).await
}

async fn added(app: &App, page: &Page, signed: &Signed, contact: &Contact) -> Result<Alert, Problem> {
    let t = page.t;
    if contact.kind == ContactKind::Telephone {
        return Ok(Alert::good(t.of("security.telephone_added")));
    }
    Ok(match no_mail(app, page, signed).await? {
        Some(because) => Alert::warn(
            t.fill("security.address_added_waits", &[("address", &contact.value), ("because", &because)]),
        ),
        None => Alert::good(t.fill("security.address_added", &[("address", &contact.value)])),
    })
}

/// Why a letter of Gatepost's own cannot leave at this moment, and what to do; none where it can.
async fn no_mail(app: &App, page: &Page, signed: &Signed) -> Result<Option<String>, Problem> {
    let t = page.t;
    Ok(match app.rooms.accounts.for_notices(signed.organisation()).await? {
        ForNotices::Account { .. } => None,
        ForNotices::Wait { because } => Some(t.fill("security.no_mail", &[("because", &because)])),
    })
}

/// One of the person's own.
async fn find(app: &App, signed: &Signed, id: ContactId) -> Result<Contact, Problem> {
    let of = app.rooms.people.security_overview(signed.person()).await?;
    of.contacts.into_iter().find(|it| it.id == id).ok_or(Problem::NotFound)
}

pub(super) async fn ask_remove(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<ContactId>,
) -> Answer {
    let contact = find(&app, &signed, id).await?;
    let text = match (contact.kind, contact.proven_at) {
        (ContactKind::Telephone, _) => "security.remove_telephone_text",
        (ContactKind::Address, Some(_)) => "security.remove_address_text",
        (ContactKind::Address, None) => "security.remove_waiting_text",
    };
    let text = page.t.of(text).to_owned();
    let page = page.at(Nav::Security);
    Ok(show(StatusCode::OK, &RemovePage { id: id.to_string(), value: contact.value, text, page }))
}

pub(super) async fn remove(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<ContactId>,
) -> Answer {
    let t = page.t;
    match app.rooms.people.remove_contact(&signed, id).await {
        Ok(()) => page.leave(Alert::good(t.of("security.contact_removed"))),
        // Sent twice, or in two tabs: it is as they wanted it.
        Err(AccountProblem::NotFound) => page.leave(Alert::good(t.of("security.contact_gone"))),
        Err(problem) => page.leave(Alert::bad(problem_words(&page, problem)?)),
    }
    Ok(see_other(paths::SECURITY))
}

pub(super) async fn ask_sign_in_with(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<ContactId>,
) -> Answer {
    let contact = find(&app, &signed, id).await?;
    if contact.kind != ContactKind::Address || contact.proven_at.is_none() {
        page.leave(Alert::warn(page.t.of("common.not_proven")));
        return Ok(see_other(paths::SECURITY));
    }
    let old = signed.person().address.to_string();
    let text = page.t.fill("security.sign_in_with_text", &[("new", &contact.value), ("old", &old)]);
    let page = page.at(Nav::Security);
    Ok(show(StatusCode::OK, &SignInPage { id: id.to_string(), value: contact.value, text, page }))
}

pub(super) async fn sign_in_with(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<ContactId>,
) -> Answer {
    match app.rooms.people.sign_in_with_contact(&signed, id).await {
        Ok(address) => {
            let words = page.t.fill("security.signs_in_with", &[("address", address.as_str())]);
            page.leave(Alert::good(words));
        }
        Err(AccountProblem::NotFound) => page.leave(Alert::warn(page.t.of("security.contact_gone"))),
        Err(problem) => page.leave(Alert::bad(problem_words(&page, problem)?)),
    }
    Ok(see_other(paths::SECURITY))
}
