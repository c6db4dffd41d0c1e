//! What was recognised, and how the mailbox can be connected: what is recommended first, then what works as well, then what does not,
//! and why.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_accounts::DraftState;
use gatepost_core::DraftId;
use gatepost_providers::{Explained, Method, Note, Offer};
use serde::Deserialize;

use super::application_path;
use super::desk::Desk;
use super::provider::{Choice, OTHER, choices};
use super::stopped::Done;
use crate::frame::{Alert, App, Id, Nav, Page, Query, Signed, paths, see_other, show};

/// A way that is offered.
struct Way {
    words: String,
    hint: Option<String>,
    /// The form that leads to the provider's page; else a link.
    goes: bool,
    href: String,
    /// Nobody can go this way before an application is registered: why, and where that is done.
    needs: Option<(String, Option<String>)>,
}

/// A way that is not offered.
struct Closed {
    words: String,
    because: String,
}

#[derive(Template)]
#[template(path = "connect/choose.html")]
struct ChoosePage {
    page: Page,
    title: String,
    recognised: String,
    href: String,
    then: String,
    revision: u64,
    /// What is recommended; nothing before the provider is known, or its servers are.
    first: Option<Way>,
    also: Vec<Way>,
    closed: Vec<Closed>,
    /// It is known which provider it is.
    is_known: bool,
    /// The look-up of the provider had no answer.
    is_unanswered: bool,
    address: String,
    providers: Vec<Choice>,
    /// There is something to sign in with already.
    has_secret: bool,
    is_again: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    unanswered: bool,
}

pub(super) async fn show_ways(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Query(asked): Query<Asked>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    let has_secret = match desk.draft.state {
        DraftState::Finished(_) | DraftState::Checking(_) => return desk.to("/check"),
        DraftState::HasSecret | DraftState::Checked(_) => true,
        DraftState::Open => false,
    };
    let client = desk.client().await?;
    let methods = desk.providers().methods(desk.preset(), client);
    let is_known = desk.preset().word != OTHER;
    let first = desk.draft.details.endpoints.as_ref().map(|_| way(&desk, &methods.first));
    let also = methods.also.iter().filter(|_| first.is_some()).map(|it| way(&desk, it)).collect();
    let is_unanswered = asked.unanswered && first.is_none();
    let closed = methods.explained.iter().map(|it| explained(&page, it)).collect();
    let shown = ChoosePage {
        title: desk.title(),
        recognised: recognised(&desk, is_unanswered),
        href: desk.path(""),
        then: desk.path("/waiting"),
        revision: desk.draft.revision,
        first,
        also,
        closed,
        is_known,
        is_unanswered,
        address: desk.draft.details.address.to_string(),
        providers: choices(&desk),
        has_secret,
        is_again: desk.is_again(),
        page: desk.page.clone().at(Nav::Accounts),
    };
    Ok(show(StatusCode::OK, &shown))
}

/// Which provider it is, and how that is known.
fn recognised(desk: &Desk, is_unanswered: bool) -> String {
    let (t, details, preset) = (desk.page.t, &desk.draft.details, desk.preset());
    let values = [
        ("provider", preset.name.as_str()),
        ("domain", details.address.domain()),
        ("address", details.address.as_str()),
        ("host", details.found_at.as_deref().unwrap_or_default()),
    ];
    match (&details.found_at, preset.word.as_str()) {
        (Some(_), _) => t.fill("connect.recognised_host", &values),
        (None, OTHER) if is_unanswered => t.fill("connect.no_answer", &values),
        (None, OTHER) if details.endpoints.is_none() => t.fill("connect.recognised_not", &values),
        (None, OTHER) => t.fill("connect.recognised_custom", &values),
        (None, _) => t.fill("connect.recognised_domain", &values),
    }
}

fn way(desk: &Desk, it: &Offer<'_>) -> Way {
    let t = desk.page.t;
    let service = desk.service().map_or("", |it| it.name.as_str());
    let sending = it.note.filter(|it| it.is_for_sending_only).map(|_| t.of("connect.sends_only").to_owned());
    let hint = it.note.map(words).into_iter().chain(sending).collect::<Vec<_>>().join(" ");
    let hint = Some(hint).filter(|it| !it.is_empty());
    match it.method {
        Method::SignIn if it.needs_client => Way {
            words: t.fill("connect.sign_in", &[("service", service)]),
            hint,
            goes: false,
            href: String::new(),
            needs: Some(if desk.rules {
                let word = desk.service().map_or("", |it| it.word.as_str());
                (t.fill("connect.no_application", &[("service", service)]), Some(application_path(word)))
            } else {
                (t.fill("connect.no_application_operator", &[("service", service)]), None)
            }),
        },
        Method::SignIn => Way {
            words: t.fill("connect.sign_in", &[("service", service)]),
            hint: hint.or_else(|| Some(t.fill("connect.sign_in_hint", &[("service", service)]))),
            goes: true,
            href: desk.path("/go"),
            needs: None,
        },
        Method::AppPassword => Way {
            words: t.of("connect.app_password").to_owned(),
            hint: hint.or_else(|| it.guide.map(|it| it.needs.clone())),
            goes: false,
            href: desk.path("/password?method=app_password"),
            needs: None,
        },
        Method::Password => Way {
            words: t.of("connect.password").to_owned(),
            hint,
            goes: false,
            href: desk.path("/password?method=password"),
            needs: None,
        },
    }
}

fn explained(page: &Page, it: &Explained<'_>) -> Closed {
    let key = match it.method {
        Method::SignIn => "connect.closed_sign_in",
        Method::AppPassword => "connect.closed_app_password",
        Method::Password => "connect.closed_password",
    };
    Closed { words: page.t.of(key).to_owned(), because: it.note.map(words).unwrap_or_default() }
}

/// What is so, and what to do instead.
fn words(note: &Note) -> String {
    match &note.instead {
        Some(instead) => format!("{} {instead}", note.text),
        None => note.text.clone(),
    }
}

/// Gives it up.
pub(super) async fn discard(State(app): State<App>, page: Page, signed: Signed, Id(id): Id<DraftId>) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    desk.connecting.discard(id).await.map_err(|why| desk.stopped(why))?;
    let words = [("address", desk.draft.details.address.as_str())];
    page.leave(Alert::good(page.t.fill("connect.given_up", &words)));
    Ok(see_other(paths::HOME))
}
