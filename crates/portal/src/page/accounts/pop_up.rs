//! The panel at the head of every page: which accounts need somebody, "Re-authenticate now" and "Later".

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{Postponed, Trouble, TroubleKind, Troubled, Watcher};
use gatepost_core::{MailAccountId, Timestamp};
use gatepost_identity::Session;
use serde::Deserialize;

use super::card::{COUNTED, waiting};
use super::path;
use crate::frame::{Answer, App, Form, Page, Problem, Query, Signed, paths, see_other};

/// Causes that are named; of the others it is said how many accounts they stop.
const NAMED: usize = 3;

/// Accounts for which it is counted what waits.
const COUNTED_FOR: usize = 50;

/// What a page begins with. Its forms need the page that they stand on.
#[derive(Clone, Debug)]
pub(crate) struct PopUp {
    pub(crate) entries: Vec<Entry>,
    pub(crate) more: Option<String>,
    /// Where the part is fetched anew; it knows where "Later" leads back to.
    pub(crate) live: String,
    pub(crate) back: String,
}

/// One cause.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// `Reception cannot send since 09:12.`
    pub(crate) sentence: String,
    pub(crate) cause: Option<String>,
    pub(crate) waiting: Option<String>,
    /// Where the form goes that signs in again.
    pub(crate) reauthenticate: Option<String>,
    /// Where more of it is said, unless that is this page.
    pub(crate) href: Option<String>,
    /// What "Later" is about.
    pub(crate) trouble: String,
}

#[derive(Template)]
#[template(path = "accounts/pop_up.html")]
struct PopUpPart {
    page: Page,
    it: PopUp,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    back: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    trouble: String,
    back: String,
}

impl PopUp {
    /// What whoever is signed in is to be told. Where nothing is wrong, the database is not asked.
    pub(crate) async fn of(page: &Page, session: &Session, back: &str) -> Result<Option<Self>, Problem> {
        let (rooms, organisation) = (&page.app.rooms, session.organisation());
        let troubles = rooms.accounts.troubles_for(organisation, watcher(page, session)).await?;
        if troubles.is_empty() {
            return Ok(None);
        }
        let n_more: usize = troubles.iter().skip(NAMED).map(|it| it.accounts.len()).sum();
        let named = troubles.get(..NAMED).unwrap_or(&troubles);
        let ids: Vec<_> =
            named.iter().flat_map(|it| &it.accounts).map(|it| it.id).take(COUNTED_FOR).collect();
        let n_waiting = rooms.outbox.n_waiting_of_each(organisation, &ids, COUNTED).await?;
        let entry = |it: &Trouble| {
            let of = |it: &Troubled| n_waiting.get(&it.id).copied().unwrap_or_default();
            entry(page, back, it, it.accounts.iter().map(of).sum())
        };
        let encoded: String = back.bytes().map(|byte| format!("%{byte:02X}")).collect();
        Ok(Some(Self {
            entries: named.iter().filter_map(entry).collect(),
            more: (n_more > 0).then(|| page.t.count("pop_up.more", n_more as u64, &[])),
            live: format!("/accounts/pop-up?back={encoded}"),
            back: back.to_owned(),
        }))
    }

    /// As a part of a page.
    pub(crate) fn html(&self, page: &Page) -> String {
        let part = PopUpPart { page: page.clone(), it: self.clone() };
        part.render().unwrap_or_else(|error| {
            tracing::error!(error = %error, "what needs a sign-in could not be shown");
            String::new()
        })
    }
}

fn watcher(page: &Page, session: &Session) -> Watcher {
    Watcher { person: session.person.id, rules: page.rules() }
}

fn entry(page: &Page, back: &str, it: &Trouble, n_waiting: u64) -> Option<Entry> {
    let first = it.accounts.first()?;
    let reauthenticate = match (it.kind, it.accounts.as_slice()) {
        (TroubleKind::SignIn, [only]) => Some(path(only.id, "/reauthenticate")),
        _ => None,
    };
    let href = if it.accounts.len() == 1 { path(first.id, "") } else { paths::ACCOUNTS.to_owned() };
    Some(Entry {
        sentence: sentence(page, &it.accounts, first),
        cause: it.diagnosis.as_ref().map(|it| it.cause.clone()),
        waiting: waiting(
            page,
            n_waiting,
            match it.kind {
                TroubleKind::SignIn => "accounts.waiting_sign_in",
                TroubleKind::Application => "accounts.waiting",
            },
        ),
        reauthenticate,
        href: Some(href).filter(|it| it != back),
        trouble: format!("{}.{}", first.id, first.since.millis()),
    })
}

/// What they cannot do, and since when.
fn sentence(page: &Page, all: &[Troubled], first: &Troubled) -> String {
    let (t, since) = (page.t, page.moment(first.since).words);
    let n_more = all.len().saturating_sub(1) as u64;
    let name = match n_more {
        0 => first.short_name.clone(),
        n => t.count("pop_up.and_more", n, &[("first", &first.short_name)]),
    };
    let values = [("name", name.as_str()), ("since", since.as_str())];
    let (cannot_send, cannot_read) =
        (all.iter().any(|it| it.cannot_send), all.iter().any(|it| it.cannot_read));
    match (cannot_send, cannot_read) {
        (true, true) => t.fill("pop_up.cannot", &values),
        (true, false) => t.fill("pop_up.cannot_send", &values),
        (false, _) => t.fill("pop_up.cannot_be_read", &values),
    }
}

/// Nothing at all where there is nothing to tell any more: then the panel is gone.
pub(super) async fn part(page: Page, signed: Signed, Query(asked): Query<Asked>) -> Answer {
    let back = page.app.thens.find_back(&asked.back);
    let found = PopUp::of(&page, &signed, back.as_str()).await?;
    Ok(Html(found.map_or_else(String::new, |it| it.html(&page))).into_response())
}

/// Silent for a day, for this person; about everything that has the same cause.
pub(super) async fn later(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Form(typed): Form<Typed>,
) -> Answer {
    let this = postponed(&typed.trouble).ok_or(Problem::Bad)?;
    let (accounts, organisation) = (&app.rooms.accounts, signed.organisation());
    let watcher = watcher(&page, &signed);
    let told = accounts.troubles_for(organisation, watcher).await?;
    let is_this = |it: &Troubled| it.id == this.account && it.since == this.since;
    // What is over by now needs no silence.
    if let Some(trouble) = told.into_iter().find(|it| it.accounts.iter().any(is_this)) {
        let all = trouble.accounts.iter().map(|it| Postponed { account: it.id, since: it.since });
        accounts.postpone(organisation, watcher, all.collect()).await?;
    }
    Ok(see_other(app.thens.find_back(&typed.back).as_str()))
}

/// `ID.MILLISECONDS`.
fn postponed(text: &str) -> Option<Postponed> {
    let (account, since) = text.split_once('.')?;
    let account: MailAccountId = account.parse().ok()?;
    Some(Postponed { account, since: Timestamp::from_millis(since.parse().ok()?) })
}
