//! Check now: signs in for sending and for reading, and shows each step.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::{Direction, Errand, NotUsable, Outcome, Proof};
use gatepost_core::{MailAccountId, OrganisationId};

use super::act::changed;
use super::card::{Button, button};
use super::checks::{Checking, Ended};
use super::path;
use super::right::{Held, find_to_act};
use crate::frame::{Alert, Answer, App, Id, Nav, Page, Problem, Signed, see_other, show};
use crate::page::course::{Course, courses};
use crate::page::outbox::visible;

/// Why a direction failed, and what to do.
struct Failure {
    title: String,
    cause: String,
    cure: String,
    who: String,
    words: Option<String>,
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "accounts/check_steps.html")]
struct Steps {
    page: Page,
    courses: Vec<Course>,
    failures: Vec<Failure>,
    is_running: bool,
    is_known: bool,
    /// Whether everything worked.
    is_well: bool,
    not_possible: Option<String>,
    /// What cures the account, where another check does not.
    cure: Option<Button>,
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
    // First how the check goes: when it is over, the account knows it already.
    let checking = app.checks.find(id);
    let held = find_to_act(&app, &page, &signed, id).await?;
    let name = held.entry.account.short_name.clone();
    let shown = CheckPage {
        title: page.t.fill("accounts.check_title", &[("name", &name)]),
        path: path(id, ""),
        name,
        steps: steps(&page, checking, &held),
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
    let checking = app.checks.find(id);
    let held = find_to_act(&app, &page, &signed, id).await?;
    let html = steps(&page, checking, &held).render();
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
    let name = signed.person().name.clone();
    check_in_background(app, signed.organisation(), held.entry.account.id, name)
}

/// Checks an account with a letter, which names who wants it; its page shows how it goes.
pub(crate) fn check_in_background(
    app: &App,
    organisation: OrganisationId,
    id: MailAccountId,
    asked_by: String,
) -> Result<(), super::checks::Full> {
    let in_background = app.clone();
    app.checks.begin(id, |progress| async move {
        let app = in_background;
        let proof = Proof::Letter { asked_by };
        let errand = Errand { reach: &app.rooms.reach, proof: &proof, progress: &progress };
        match app.rooms.accounts.check(organisation, id, errand).await {
            Ok(check) => {
                if let Err(problem) = changed(&app, organisation, id, check.change).await {
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

fn steps(page: &Page, checking: Option<Checking>, held: &Held) -> Steps {
    let is_known = checking.is_some();
    let Checking { progress, ended } = checking.unwrap_or_default();
    let failures: Vec<Failure> =
        progress.taken.iter().filter_map(|it| failure(page, it.direction, &it.outcome)).collect();
    let not_possible = match &ended {
        Some(Ended::NotPossible(words)) if words.is_empty() => {
            Some(page.t.of("accounts.check_broken").to_owned())
        }
        Some(Ended::NotPossible(words)) => Some(words.clone()),
        Some(Ended::Done) | None => None,
    };
    let is_well = matches!(ended, Some(Ended::Done)) && failures.is_empty();
    let is_over = ended.is_some() && !is_well;
    let Held { entry, right } = held;
    let cure = button(page, &entry.account, &entry.status, *right).filter(|it| is_over && it.is_main);
    Steps {
        cure,
        page: page.clone(),
        courses: courses(page, &progress),
        failures,
        is_running: is_known && ended.is_none(),
        is_known,
        is_well,
        not_possible,
    }
}

fn failure(page: &Page, direction: Direction, outcome: &Outcome) -> Option<Failure> {
    let Outcome::Failed { diagnosis, reply } = outcome else { return None };
    let title = page.t.of(match direction {
        Direction::Sending => "accounts.sending",
        Direction::Reading => "accounts.reading",
    });
    Some(Failure {
        title: title.to_owned(),
        cause: diagnosis.cause.clone(),
        cure: diagnosis.cure.clone(),
        who: diagnosis.who.to_string(),
        words: reply.as_deref().map(visible).filter(|it| !it.is_empty()),
    })
}
