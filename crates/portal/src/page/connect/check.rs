//! The check: its steps as they happen, then either the cross with its cure, or what is asked before the mailbox is connected.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{ConnectError, Direction, DraftState, Outcome, Progress, Step};
use gatepost_core::{Diagnosis, DraftId};
use gatepost_providers::Method;
use serde::Deserialize;

use super::desk::Desk;
use super::finish::Asked;
use super::proving;
use super::stopped::Done;
use crate::frame::{Alert, App, Form, Id, Nav, Page, Problem, Signed, see_other, show};
use crate::page::course::{Course, courses};
use crate::page::outbox::visible;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    revision: u64,
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "connect/check_steps.html")]
struct Steps {
    page: Page,
    courses: Vec<Course>,
    /// Nobody has begun yet.
    waits: bool,
}

/// The button that a cross comes with.
enum WayOn {
    Link(String),
    /// The form that leads to the provider's page.
    Go(String, String),
    /// The form that checks again.
    Again(String),
}

/// Cause, cure and who, in words; the provider's own below.
struct Cross {
    title: String,
    cause: String,
    cure: String,
    who: String,
    words: Option<String>,
    button: String,
    way_on: WayOn,
}

#[derive(Template)]
#[template(path = "connect/check.html")]
struct CheckPage {
    page: Page,
    title: String,
    href: String,
    ways: String,
    revision: u64,
    steps: Steps,
    is_running: bool,
    cross: Option<Cross>,
    /// The letter has not arrived so far.
    unseen: Option<String>,
    /// What is asked before it is connected, if it can be.
    asked: Option<Asked>,
}

pub(super) async fn show_check(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    check_page(&desk, None).await
}

/// With what was typed about the account, and what is wrong with it.
pub(super) async fn check_page(desk: &Desk, asked: Option<Asked>) -> Done {
    let draft = &desk.draft;
    let is_running = match draft.state {
        DraftState::Finished(account) => return finished(desk, account).await,
        DraftState::Open if draft.refused.is_some() => return desk.to("/waiting"),
        DraftState::Open => return desk.to(""),
        DraftState::HasSecret | DraftState::Checking(_) => true,
        DraftState::Checked(_) => false,
    };
    let asked = match asked {
        _ if is_running || desk.is_again() || !draft.is_proven() => None,
        Some(asked) => Some(asked),
        None => Some(Asked::of(desk).await?),
    };
    let status = if asked.as_ref().is_some_and(Asked::is_wrong) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    if !is_running && let Err(why) = desk.connecting.still_fits(draft).await {
        return Err(desk.stopped(why));
    }
    // It works, and is just being taken over.
    let is_running =
        is_running || (desk.is_again() && cross(desk, &draft.progress.clone().unwrap_or_default()).is_none());
    let progress = draft.progress.clone().unwrap_or_default();
    let shown = CheckPage {
        title: desk.title(),
        href: desk.path("/check"),
        ways: desk.path(""),
        revision: draft.revision,
        steps: steps(desk),
        is_running,
        cross: if is_running { None } else { cross(desk, &progress) },
        unseen: unseen(&desk.page, &progress).filter(|_| !is_running),
        asked,
        page: desk.page.clone().at(Nav::Accounts),
    };
    Ok(show(status, &shown))
}

/// On to the account. Whoever has signed in again is told what that has set free.
async fn finished(desk: &Desk, account: gatepost_core::MailAccountId) -> Done {
    let found = desk.app.rooms.accounts.get(desk.draft.organisation, account).await;
    if let Ok(it) = found
        && it.created_at < desk.draft.created_at
    {
        let (t, name) = (desk.page.t, ("name", it.short_name.as_str()));
        let n = desk.app.proving.n_released(desk.draft.id).unwrap_or_default();
        desk.page.leave(match (it.paused_at, n) {
            (Some(_), _) => Alert::warn(t.fill("connect.again_paused", &[name])),
            (None, 0) => Alert::good(t.fill("connect.again_done", &[name])),
            (None, n) => Alert::good(t.count("connect.again_released", n, &[name])),
        });
    }
    Ok(see_other(&super::account_path(account)))
}

/// The part alone. When the check is over, the page that holds it is loaded again.
pub(super) async fn part(State(app): State<App>, page: Page, signed: Signed, Id(id): Id<DraftId>) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    if !matches!(desk.draft.state, DraftState::HasSecret | DraftState::Checking(_)) {
        return desk.to("/check");
    }
    let html = steps(&desk).render().map_err(|error| Problem::Broken(Box::new(error)))?;
    Ok(Html(html).into_response())
}

pub(super) async fn again(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<DraftId>,
    Form(typed): Form<Typed>,
) -> Done {
    let desk = Desk::open(&app, &page, &signed, id).await?;
    if typed.revision != desk.draft.revision {
        return Err(desk.stopped(ConnectError::Changed));
    }
    proving::spawn(&app, &desk.connecting, &desk.draft, &desk.me.name);
    desk.to("/check")
}

fn steps(desk: &Desk) -> Steps {
    let progress = desk.draft.progress.clone().unwrap_or_default();
    let waits = !matches!(desk.draft.state, DraftState::Checking(_));
    Steps { page: desk.page.clone(), courses: courses(&desk.page, &progress), waits }
}

fn unseen(page: &Page, progress: &Progress) -> Option<String> {
    let is_unseen = progress.taken.iter().any(|it| matches!(it.outcome, Outcome::NotSeen { .. }));
    is_unseen.then(|| page.t.of("connect.unseen").to_owned())
}

/// The first cross, with the button that its cure begins with.
fn cross(desk: &Desk, progress: &Progress) -> Option<Cross> {
    let failed = progress.taken.iter().find_map(|it| match &it.outcome {
        Outcome::Failed { diagnosis, reply } => Some((it.direction, it.step, diagnosis, reply)),
        _ => None,
    });
    let Some((direction, step, diagnosis, reply)) = failed else {
        // The provider gave no token for the check.
        let it = desk.draft.refused.as_ref()?;
        let words = visible(it.words.as_bytes());
        return Some(Cross::new(desk, "connect.cannot_sign_in", &it.diagnosis, words, Step::SignIn));
    };
    let title = match direction {
        Direction::Sending => "connect.cannot_send",
        Direction::Reading => "connect.cannot_read",
    };
    let words = reply.as_deref().map(visible).unwrap_or_default();
    Some(Cross::new(desk, title, diagnosis, words, step))
}

impl Cross {
    fn new(desk: &Desk, title: &str, it: &Diagnosis, words: String, step: Step) -> Self {
        let t = desk.page.t;
        let signs_in = desk.draft.details.method == Some(Method::SignIn);
        let service = desk.service().map_or("", |it| it.name.as_str());
        // Names that somebody has typed may be wrong; those of the data are not.
        let is_custom = !signs_in && desk.preset().smtp.is_empty();
        let (button, way_on) = match step {
            Step::SignIn if signs_in => {
                let words = t.fill("connect.sign_in", &[("service", service)]);
                (words, WayOn::Go(desk.path("/go"), desk.path("/waiting")))
            }
            Step::SignIn => (t.of("connect.password_again").to_owned(), WayOn::Link(desk.path("/password"))),
            Step::Resolve | Step::Connect | Step::Greet | Step::Encrypt if is_custom => {
                (t.of("connect.see_servers").to_owned(), WayOn::Link(desk.path("/servers")))
            }
            _ => (t.of("connect.check_again").to_owned(), WayOn::Again(desk.path("/check/again"))),
        };
        Self {
            title: t.of(title).to_owned(),
            cause: it.cause.clone(),
            cure: it.cure.clone(),
            who: it.who.to_string(),
            words: Some(words).filter(|it| !it.is_empty()),
            button,
            way_on,
        }
    }
}
