//! The first page while somebody signs in in another tab; and what came of it, if that was nothing.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{ConnectError, DraftState, Refused};
use gatepost_core::DraftId;
use gatepost_providers::CallbackFault;
use serde::Deserialize;

use super::desk::Desk;
use super::proving;
use super::stopped::Done;
use crate::frame::{App, Form, Id, Nav, Page, Problem, Secret, Signed, show};
use crate::page::outbox::visible;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    /// The name begins like that of other secrets, so that it comes back in no page.
    code_address: Secret,
}

/// Why the last sign-in brought nothing.
struct Vain {
    cause: String,
    cure: String,
    who: String,
    words: Option<String>,
    /// The mailbox that was expected, and the one that signed in.
    others: Option<(String, String)>,
    missing: Vec<String>,
    /// Whether they may say that it is the same mailbox.
    may_be_same: bool,
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "connect/waiting_now.html")]
struct Now {
    page: Page,
    href: String,
    then: String,
    revision: u64,
    service: String,
    vain: Option<Vain>,
    /// The sign-in took too long.
    is_over: bool,
}

#[derive(Template)]
#[template(path = "connect/waiting.html")]
struct WaitingPage {
    page: Page,
    title: String,
    now: Now,
    href: String,
    ways: String,
    /// No redirect reaches this installation: the address has to be pasted.
    is_pasted: bool,
    error: Option<String>,
}

pub(super) async fn wait(State(app): State<App>, page: Page, signed: Signed, Id(id): Id<DraftId>) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    waiting_page(desk, None).await
}

async fn waiting_page(desk: Desk, error: Option<String>) -> Done {
    let Some((now, is_pasted)) = standing(&desk).await? else {
        return desk.to("/check");
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let shown = WaitingPage {
        title: desk.title(),
        now,
        href: desk.path("/waiting"),
        ways: desk.path(""),
        is_pasted,
        error,
        page: desk.page.at(Nav::Accounts),
    };
    Ok(show(status, &shown))
}

/// The part alone. Where the draft has moved on, the page that holds it is loaded again, and is led on.
pub(super) async fn part(State(app): State<App>, page: Page, signed: Signed, Id(id): Id<DraftId>) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    match standing(&desk).await? {
        Some((now, _)) => {
            let html = now.render().map_err(|error| Problem::Broken(Box::new(error)))?;
            Ok(Html(html).into_response())
        }
        None => desk.to("/check"),
    }
}

/// What there is to see, and whether the address has to be pasted; nothing where the sign-in has succeeded.
async fn standing(desk: &Desk) -> Result<Option<(Now, bool)>, super::stopped::Stopped> {
    let draft = &desk.draft;
    let flow = desk.connecting.under_way(draft).await?;
    // What came of the sign-in before the one that is under way says nothing any more.
    let is_answer = |it: &&Refused| flow.as_ref().is_none_or(|flow| flow.is_over || flow.began_at < it.at);
    let refused = draft.refused.as_ref().filter(is_answer);
    let has_secret = !matches!(draft.state, DraftState::Open);
    if matches!(draft.state, DraftState::Finished(_))
        || (has_secret && refused.is_none() && flow.as_ref().is_none_or(|it| it.is_over))
    {
        return Ok(None);
    }
    let is_pasted = flow.as_ref().is_some_and(|it| !it.redirect_uri.starts_with(&desk.app.public_url));
    let now = Now {
        href: desk.path("/go"),
        then: desk.path("/waiting"),
        revision: draft.revision,
        service: desk.service().map(|it| it.name.clone()).unwrap_or_default(),
        is_over: refused.is_none() && flow.as_ref().is_some_and(|it| it.is_over),
        vain: refused.map(|it| vain(desk, it)),
        page: desk.page.clone(),
    };
    Ok(Some((now, is_pasted)))
}

fn vain(desk: &Desk, it: &Refused) -> Vain {
    let expected = desk.draft.details.expected();
    let unknown = || desk.page.t.of("connect.somebody").to_owned();
    let others = it.other.as_ref().map(|other| {
        (expected.to_string(), other.address.as_ref().map_or_else(unknown, ToString::to_string))
    });
    Vain {
        cause: it.diagnosis.cause.clone(),
        cure: it.diagnosis.cure.clone(),
        who: it.diagnosis.who.to_string(),
        words: Some(visible(it.words.as_bytes())).filter(|it| !it.is_empty()),
        may_be_same: others.is_some() && desk.rules,
        others,
        missing: it.missing.clone(),
    }
}

/// The address that somebody landed on, where no redirect reached us.
pub(super) async fn paste(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    let callback = match desk.connecting.read_pasted(&desk.draft, typed.code_address.text().reveal()).await {
        Ok(callback) => callback,
        Err(ConnectError::Pasted(fault)) => {
            let words = page.t.of(fault_key(fault)).to_owned();
            return waiting_page(desk, Some(words)).await;
        }
        Err(why) => return Err(desk.stopped(why)),
    };
    // A sign-in of somebody else, of another draft, or of another browser spends nothing.
    let seen = app.rooms.accounts.seen_flow(&callback).await?;
    let is_theirs = seen.is_some_and(|it| {
        let whose = (it.whose.organisation, it.whose.person);
        whose == (signed.organisation(), Some(desk.me.id))
            && it.draft == id
            && it.lineage == Some(signed.lineage)
    });
    if !is_theirs {
        return Err(desk.stopped(ConnectError::FlowOver));
    }
    let answered = proving::answer(&app, &desk.connecting, callback, &desk.me.name).await;
    let draft = answered.map_err(|why| desk.stopped(why))?;
    if draft.refused.is_some() {
        return desk.to("/waiting");
    }
    desk.to("/check")
}

pub(super) const fn fault_key(fault: CallbackFault) -> &'static str {
    match fault {
        CallbackFault::CodeAlone => "connect.paste_code_alone",
        CallbackFault::NotAnAddress => "connect.paste_no_address",
        CallbackFault::OtherAddress => "connect.paste_other_address",
        CallbackFault::NotWhole => "connect.paste_not_whole",
    }
}
