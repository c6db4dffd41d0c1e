//! Check now: signs in for sending and for reading, and shows each step.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{Direction, Errand, NotUsable, Outcome, Proof, Step};
use gatepost_core::MailAccountId;

use super::act::changed;
use super::checks::{Checking, Ended};
use super::path;
use super::right::{Held, find_to_act};
use crate::frame::{Alert, Answer, App, Id, Nav, Page, Problem, Signed, see_other, show};
use crate::page::badge::Shape;
use crate::page::outbox::visible;

/// One step, with a tick, a cross or nothing yet.
struct Line {
    shape: Shape,
    tone: &'static str,
    words: String,
    /// What the shape says, for those who do not see it.
    outcome: String,
}

/// Why a direction failed, and what to do.
struct Failure {
    cause: String,
    cure: String,
    who: String,
    words: Option<String>,
}

/// The steps of one direction.
struct Group {
    title: String,
    lines: Vec<Line>,
    failure: Option<Failure>,
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "accounts/check_steps.html")]
struct Steps {
    page: Page,
    groups: Vec<Group>,
    is_running: bool,
    is_known: bool,
    /// Whether everything worked.
    is_well: bool,
    not_possible: Option<String>,
}

#[derive(Template)]
#[template(path = "accounts/check.html")]
struct CheckPage {
    page: Page,
    title: String,
    path: String,
    name: String,
    steps: Steps,
}

pub(super) async fn page(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    let name = held.entry.account.short_name;
    let shown = CheckPage {
        title: page.t.fill("accounts.check_title", &[("name", &name)]),
        path: path(id, ""),
        name,
        steps: steps(&page, app.checks.find(id)),
        page: page.at(Nav::Accounts),
    };
    Ok(show(StatusCode::OK, &shown))
}

pub(super) async fn part(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    find_to_act(&app, &page, &signed, id).await?;
    let html = steps(&page, app.checks.find(id)).render();
    Ok(Html(html.map_err(|error| Problem::Broken(Box::new(error)))?).into_response())
}

pub(super) async fn begin(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    if run(&app, signed, &held).is_err() {
        page.leave(Alert::warn(page.t.of("accounts.check_busy")));
        return Ok(see_other(&path(id, "")));
    }
    Ok(see_other(&path(id, "/check")))
}

/// Begins it, unless it runs already.
fn run(app: &App, signed: Signed, held: &Held) -> Result<(), super::checks::Full> {
    let (id, organisation) = (held.entry.account.id, signed.organisation());
    let in_background = app.clone();
    let asked_by = signed.person().name.clone();
    app.checks.begin(id, |progress| async move {
        let app = in_background;
        let proof = Proof::Letter { asked_by };
        let errand = Errand { reach: &app.rooms.reach, proof: &proof, progress: &progress };
        match app.rooms.accounts.check(organisation, id, errand).await {
            Ok(check) => {
                if let Err(problem) = changed(&app, &signed, id, check.change).await {
                    tracing::warn!(account.id = %id, ?problem, "what a check released is looked at later");
                }
                Ended::Done
            }
            Err(NotUsable::Store(failure)) => {
                tracing::warn!(account.id = %id, error = %failure, "a check could not be made");
                Ended::NotPossible(String::new())
            }
            Err(why) => Ended::NotPossible(why.to_string()),
        }
    })
}

fn steps(page: &Page, checking: Option<Checking>) -> Steps {
    let is_known = checking.is_some();
    let Checking { progress, ended } = checking.unwrap_or_default();
    let group = |direction: Direction, key: &str| {
        let all: Vec<_> = progress.taken.iter().filter(|it| it.direction == direction).collect();
        let failure = all.iter().find_map(|it| failure(&it.outcome));
        let under_way = progress.under_way.filter(|(it, _)| *it == direction && ended.is_none());
        let taken = all.into_iter().map(|it| line(page, it.step, Some(&it.outcome)));
        let lines: Vec<_> = taken.chain(under_way.map(|(_, step)| line(page, step, None))).collect();
        (!lines.is_empty()).then(|| Group { title: page.t.of(key).to_owned(), lines, failure })
    };
    let groups: Vec<_> =
        [group(Direction::Sending, "accounts.sending"), group(Direction::Reading, "accounts.reading")]
            .into_iter()
            .flatten()
            .collect();
    let not_possible = match &ended {
        Some(Ended::NotPossible(words)) if words.is_empty() => {
            Some(page.t.of("accounts.check_broken").to_owned())
        }
        Some(Ended::NotPossible(words)) => Some(words.clone()),
        Some(Ended::Done) | None => None,
    };
    let is_well = matches!(ended, Some(Ended::Done)) && groups.iter().all(|it| it.failure.is_none());
    Steps {
        page: page.clone(),
        groups,
        is_running: is_known && ended.is_none(),
        is_known,
        is_well,
        not_possible,
    }
}

/// One step; without an outcome it is being tried.
fn line(page: &Page, step: Step, outcome: Option<&Outcome>) -> Line {
    let t = page.t;
    let words = t.of(match step {
        Step::Resolve => "accounts.step_resolve",
        Step::Connect => "accounts.step_connect",
        Step::Greet => "accounts.step_greet",
        Step::Encrypt => "accounts.step_encrypt",
        Step::SignIn => "accounts.step_sign_in",
        Step::MaySend => "accounts.step_may_send",
        Step::Open => "accounts.step_open",
        Step::Arrival => "accounts.step_arrival",
    });
    let (shape, tone, outcome) = match outcome {
        Some(Outcome::Passed) => (Shape::Tick, "good", t.of("accounts.step_passed").to_owned()),
        Some(Outcome::PassedInJunk) => (Shape::Tick, "good", t.of("accounts.step_in_junk").to_owned()),
        Some(Outcome::NotSeen { in_sent: false }) => {
            (Shape::Question, "calm", t.of("accounts.step_not_seen").to_owned())
        }
        Some(Outcome::NotSeen { in_sent: true }) => {
            (Shape::Question, "calm", t.of("accounts.step_in_sent").to_owned())
        }
        Some(Outcome::Waits { until }) => {
            let time = page.moment(*until).words;
            (Shape::Question, "calm", t.fill("accounts.step_waits", &[("time", &time)]))
        }
        Some(Outcome::Failed { .. }) => (Shape::Cross, "bad", t.of("accounts.step_failed").to_owned()),
        Some(Outcome::NotReached) => (Shape::Dot, "calm", t.of("accounts.step_not_reached").to_owned()),
        None => (Shape::Dot, "calm", t.of("accounts.step_under_way").to_owned()),
    };
    Line { shape, tone, words: words.to_owned(), outcome }
}

fn failure(outcome: &Outcome) -> Option<Failure> {
    let Outcome::Failed { diagnosis, reply } = outcome else { return None };
    Some(Failure {
        cause: diagnosis.cause.clone(),
        cure: diagnosis.cure.clone(),
        who: diagnosis.who.to_string(),
        words: reply.as_deref().map(visible).filter(|it| !it.is_empty()),
    })
}
