//! The applications that read a mailbox at this moment, and "End".

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{EndedConnection, MailAccount};
use gatepost_core::MailAccountId;
use gatepost_gateway::OpenConnection;
use gatepost_journal::Actor;
use gatepost_web::Moment;
use serde::Deserialize;

use super::path;
use super::right::find_to_act;
use crate::frame::{Alert, Answer, App, Form, Id, Page, Problem, Signed, see_other};
use crate::page::size;

/// The part that renews itself.
#[derive(Template)]
#[template(path = "accounts/open.html")]
pub(super) struct OpenPart {
    page: Page,
    action: String,
    lines: Vec<Line>,
}

/// One connection.
struct Line {
    number: u64,
    application: String,
    protocol: &'static str,
    since: Moment,
    source: String,
    /// How much of the mailbox the application has read, and how much it has put there.
    passed: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    number: Option<u64>,
}

/// What is open to the mailbox.
pub(super) async fn open(app: &App, page: &Page, account: &MailAccount) -> Result<OpenPart, Problem> {
    let mut lines = Vec::new();
    for it in app.rooms.reading.of(account.organisation, account.id) {
        lines.push(line(app, page, account, &it).await?);
    }
    Ok(OpenPart { page: page.clone(), action: path(account.id, "/open/end"), lines })
}

async fn line(app: &App, page: &Page, account: &MailAccount, it: &OpenConnection) -> Result<Line, Problem> {
    // One that has just been removed ends within a second.
    let found = app.rooms.identity.get_app_password(account.organisation, it.app_password).await;
    let application =
        found.map_or_else(|_gone| page.t.of("accounts.open_unnamed").to_owned(), |found| found.name);
    let passed = [("down", size(it.n_down)), ("up", size(it.n_up))];
    let passed: Vec<(&str, &str)> = passed.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Ok(Line {
        number: it.number,
        application,
        protocol: it.protocol.name(),
        since: page.moment(it.since),
        source: it.source.to_string(),
        passed: page.t.fill("accounts.open_passed", &passed),
    })
}

pub(super) async fn part(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    let part = open(&app, &page, &held.entry.account).await?;
    let html = part.render().map_err(|error| Problem::Broken(Box::new(error)))?;
    Ok(Html(html).into_response())
}

pub(super) async fn end(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
    Form(typed): Form<Typed>,
) -> Answer {
    find_to_act(&app, &page, &signed, id).await?;
    let ended = typed.number.and_then(|it| app.rooms.reading.end(signed.organisation(), id, it));
    let key = if ended.is_some() { "accounts.open_ended" } else { "accounts.open_gone" };
    page.leave(Alert::good(page.t.of(key)));
    if let Some(it) = ended {
        tell(&app, &signed, &it).await?;
    }
    Ok(see_other(&path(id, "")))
}

/// Who ended what: in the log, and among what happened to the account.
async fn tell(app: &App, signed: &Signed, it: &OpenConnection) -> Result<(), Problem> {
    let (organisation, person) = (signed.organisation(), signed.person());
    let found = app.rooms.identity.get_app_password(organisation, it.app_password).await;
    let OpenConnection { app_password, protocol, source, .. } = *it;
    let name = found.ok().map(|found| found.name);
    let ended = EndedConnection { app_password, name, protocol, source, by: person.name.clone() };
    let by = Actor::Person(person.id);
    Ok(app.rooms.accounts.connection_ended(organisation, it.account, ended, by).await?)
}
