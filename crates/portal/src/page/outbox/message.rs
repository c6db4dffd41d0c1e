//! One letter: where it stands, what was tried, what can be done.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use axum::response::IntoResponse as _;
use gatepost_core::{MailAccountId, SubmissionId};
use gatepost_delivery::state::{Delivery, HoldReason, StateName};
use gatepost_delivery::{AttemptView, Command, OutboxError, RecipientView, SubmissionView};
use gatepost_journal::Actor;
use gatepost_web::Moment;

use super::Mine;
use super::letter::{because, recipient_state, sender, shown_state, visible};
use crate::frame::{Alert, Answer, App, Id, Nav, Page, Problem, Signed, paths, see_other, show};
use crate::page::accounts::{Button, glance};
use crate::page::badge::{Badge, Shape};

/// Tries that are shown; the earlier ones are counted.
const TRIES_AT_MOST: usize = 40;

/// Recipients that are named.
const RECIPIENTS_AT_MOST: usize = 50;

struct RecipientLine {
    address: String,
    badge: Badge,
    is_uncertain: bool,
}

/// One step of the time line.
pub(crate) struct Step {
    pub(crate) badge: Badge,
    pub(crate) at: Option<Moment>,
    pub(crate) recipient: Option<String>,
    pub(crate) words: Option<String>,
}

/// What can be done with the letter as it is.
#[derive(Default)]
struct Doable {
    retry: bool,
    hold: bool,
    release: bool,
    cancel: bool,
    /// What the account needs for which it waits.
    of_account: Option<Button>,
}

impl Doable {
    const fn is_any(&self) -> bool {
        self.retry || self.hold || self.release || self.cancel || self.of_account.is_some()
    }
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "message_time_line.html")]
struct TimeLine {
    page: Page,
    badge: Badge,
    because: Option<String>,
    recipients: Vec<RecipientLine>,
    more_recipients: Option<String>,
    steps: Vec<Step>,
}

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    page: Page,
    title: String,
    href: String,
    line: TimeLine,
    is_open: bool,
    from: String,
    /// In words, and where it is seen by those who see it.
    account: Option<(String, Option<String>)>,
    chosen_because: Option<String>,
    message_id: String,
    size: String,
    client: String,
    erased: Option<Moment>,
    doable: Doable,
}

pub(super) async fn message(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<SubmissionId>,
) -> Answer {
    let page = page.at(Nav::Outbox);
    app.rooms.accounts.refresh(signed.organisation()).await?;
    let letter = Mine::of(&app, &page, &signed).await?.find(&app, &signed, id).await?;
    let account = match letter.account {
        Some(id) => app.rooms.accounts.list(signed.organisation()).await?.into_iter().find(|it| it.id == id),
        None => None,
    };
    let seen = match letter.account {
        Some(id) => glance(&app, &page, &signed, id).await?,
        None => None,
    };
    let (href, button) = seen.map_or((None, None), |(href, button)| (Some(href), button));
    let waits = letter.recipients.iter().any(|it| waits_for_account(&page, it));
    let first = letter.recipients.first().map(|it| it.address.to_string()).unwrap_or_default();
    Ok(show(
        StatusCode::OK,
        &MessagePage {
            title: page.t.fill("message.title", &[("to", &first)]),
            href: format!("{}/{id}", paths::OUTBOX),
            is_open: letter.finished_at.is_none(),
            from: sender(&page, &letter),
            account: account.map(|it| (format!("{} ({})", it.short_name, it.address), href)),
            chosen_because: page.is_administrator().then(|| letter.chosen_because.clone()),
            message_id: letter.message_id.trim_matches(['<', '>']).to_owned(),
            size: crate::page::size(letter.size_bytes),
            client: letter.client.clone(),
            erased: letter.body_erased_at.map(|at| page.moment(at)),
            doable: Doable {
                of_account: button.filter(|_| waits),
                ..doable(&app, &page, &signed, &letter).await?
            },
            line: line(&page, &letter),
            page,
        },
    ))
}

pub(super) async fn time_line(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<SubmissionId>,
) -> Answer {
    app.rooms.accounts.refresh(signed.organisation()).await?;
    let letter = Mine::of(&app, &page, &signed).await?.find(&app, &signed, id).await?;
    let html = line(&page, &letter).render().map_err(|error| Problem::Broken(Box::new(error)))?;
    Ok(Html(html).into_response())
}

/// Does it, and says how it went on the letter's page.
pub(super) async fn carry_out(
    command: Command,
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<SubmissionId>,
) -> Answer {
    Mine::of(&app, &page, &signed).await?.find(&app, &signed, id).await?;
    let clocks = app.rooms.accounts.running_clocks(signed.organisation()).await?;
    let now = app.now();
    let clock = move |account: Option<MailAccountId>| clocks.reading(account, now);
    let actor = Actor::Person(signed.person().id);
    let done = app.rooms.outbox.command(command, signed.organisation(), id, actor, clock).await;
    let t = page.t;
    page.leave(match done {
        Ok(()) => Alert::good(match command {
            Command::Retry => t.of("message.retried"),
            Command::Hold => t.of("message.held"),
            Command::Release => t.of("message.released"),
            Command::Cancel => t.of("message.cancelled"),
        }),
        Err(OutboxError::InHand) => Alert::warn(t.of("message.in_hand")),
        Err(OutboxError::Erased) => Alert::bad(t.of("message.erased_refusal")),
        // Somebody else, or the letter itself, was faster.
        Err(OutboxError::Move(_)) => Alert::warn(t.of("message.moved_on")),
        Err(OutboxError::NotFound(_)) => return Err(Problem::NotFound),
        Err(OutboxError::Store(error)) => return Err(error.into()),
    });
    Ok(see_other(&format!("{}/{id}", paths::OUTBOX)))
}

/// Whether it is held because its account is.
fn waits_for_account(page: &Page, it: &RecipientView) -> bool {
    recipient_state(page, it) == StateName::Held && !matches!(it.delivery, Delivery::Held { .. })
}

async fn doable(app: &App, page: &Page, signed: &Signed, letter: &SubmissionView) -> Result<Doable, Problem> {
    if letter.recipients.iter().any(|it| it.is_in_hand) {
        return Ok(Doable::default());
    }
    let clocks = app.rooms.accounts.running_clocks(signed.organisation()).await?;
    let mut can = Doable::default();
    for it in &letter.recipients {
        // Such a letter is held already, and trying it helps nothing.
        let is_movable = !waits_for_account(page, it);
        let (now, delivery) = (clocks.reading(it.account, app.now()), || it.delivery.clone());
        let is_due = matches!(it.delivery, Delivery::Waiting { .. });
        can.retry |=
            is_movable && !is_due && letter.body_erased_at.is_none() && delivery().retried(now).is_ok();
        can.hold |= is_movable && delivery().held(HoldReason::ByHand, now).is_ok();
        can.release |= delivery().released(now).is_ok();
        can.cancel |= delivery().cancelled().is_ok();
    }
    // Letting a held letter go and trying it again are the same to whoever looks at it.
    can.retry &= !can.release;
    Ok(can)
}

fn line(page: &Page, it: &SubmissionView) -> TimeLine {
    let state = shown_state(page, it);
    let recipients = it.recipients.iter().take(RECIPIENTS_AT_MOST).map(|to| RecipientLine {
        address: to.address.to_string(),
        badge: Badge::of_letter(page.t, recipient_state(page, to)),
        is_uncertain: to.is_uncertain,
    });
    let n_more = it.recipients.len().saturating_sub(RECIPIENTS_AT_MOST) as u64;
    TimeLine {
        badge: Badge::of_letter(page.t, state),
        because: because(page, it, state),
        recipients: recipients.collect(),
        more_recipients: (n_more > 0).then(|| page.t.count("message.more_recipients", n_more, &[])),
        steps: steps(page, it, state),
        page: page.clone(),
    }
}

/// Accepted, earlier tries, tries, and what comes next.
fn steps(page: &Page, it: &SubmissionView, state: StateName) -> Vec<Step> {
    let step = |badge, at, recipient, words| Step { badge, at, recipient, words };
    let accepted = Badge::new("good", Shape::Tick, page.t.of("message.accepted"));
    let mut steps = vec![step(accepted, Some(page.moment(it.accepted_at)), None, None)];
    let n_hidden = it.attempts.len().saturating_sub(TRIES_AT_MOST);
    if n_hidden > 0 {
        let words = page.t.count("message.earlier_tries", n_hidden as u64, &[]);
        steps.push(step(Badge::new("calm", Shape::Dot, &words), None, None, None));
    }
    let has_many = it.recipients.len() > 1;
    steps.extend(it.attempts.iter().skip(n_hidden).map(|attempt: &AttemptView| {
        let words = attempt.reply.as_deref().map(visible).filter(|it| !it.is_empty());
        let recipient = has_many.then(|| attempt.recipient.to_string());
        step(Badge::of_try(page.t, &attempt.result), Some(page.moment(attempt.at)), recipient, words)
    }));
    let is_to_come = matches!(state, StateName::Waiting | StateName::Deferred);
    if let Some(at) = it.next_attempt_at().filter(|at| is_to_come && *at > page.now) {
        let badge = Badge::new("calm", Shape::Clock, page.t.of("message.next_try"));
        steps.push(step(badge, Some(page.moment(at)), None, None));
    }
    steps
}
