//! The list of letters, a page at a time.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_core::SubmissionId;
use gatepost_delivery::SubmissionView;
use gatepost_delivery::state::StateName;
use serde::Deserialize;

use super::letter::shown_state;
use super::{LetterRow, Mine};
use crate::frame::{Answer, App, Nav, Page, Problem, Query, Signed, paths, show};

/// Letters on one page.
const PAGE: usize = 25;

/// Letters that are looked at for one page, however few of them fit.
const LOOKED_AT: usize = 400;

/// Read at a time.
const BATCH: u32 = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    before: String,
}

/// One of the tabs.
struct Tab {
    word: String,
    href: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "outbox.html")]
struct OutboxPage {
    page: Page,
    tabs: Vec<Tab>,
    letters: Vec<LetterRow>,
    /// Where older ones are.
    older: Option<String>,
    /// Whether this is not the newest page.
    is_later_page: bool,
    newest: String,
    is_filtered: bool,
}

/// What a tab shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    All,
    Only(StateName),
    /// On its way, also after a try.
    Waiting,
}

impl Show {
    const ALL: [Self; 5] = [
        Self::All,
        Self::Waiting,
        Self::Only(StateName::Held),
        Self::Only(StateName::Failed),
        Self::Only(StateName::Sent),
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Waiting => "waiting",
            Self::Only(state) => state.word(),
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::All => "outbox.tab_all",
            Self::Waiting => "outbox.tab_waiting",
            Self::Only(StateName::Held) => "outbox.state_held",
            Self::Only(StateName::Failed) => "outbox.state_failed",
            Self::Only(_) => "outbox.state_sent",
        }
    }

    fn fits(self, state: StateName) -> bool {
        match self {
            Self::All => true,
            Self::Waiting => matches!(state, StateName::Waiting | StateName::Deferred),
            Self::Only(wanted) => state == wanted,
        }
    }

    fn href(self, before: Option<SubmissionId>) -> String {
        match (self.word(), before) {
            ("", None) => paths::OUTBOX.to_owned(),
            ("", Some(id)) => format!("{}?before={id}", paths::OUTBOX),
            (word, None) => format!("{}?state={word}", paths::OUTBOX),
            (word, Some(id)) => format!("{}?state={word}&before={id}", paths::OUTBOX),
        }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Answer {
    let show_only = Show::ALL.into_iter().find(|it| it.word() == asked.state).unwrap_or(Show::All);
    let before = asked.before.parse().ok();
    app.rooms.accounts.refresh(signed.organisation()).await?;
    let (found, older) = collect(&app, &page, &signed, show_only, before).await?;
    let tab = |it: Show| Tab {
        word: page.t.of(it.key()).to_owned(),
        href: it.href(None),
        is_here: it == show_only,
    };
    let tabs = Show::ALL.into_iter().map(tab).collect();
    let letters = found.iter().map(|it| LetterRow::new(&page, it)).collect();
    Ok(show(
        StatusCode::OK,
        &OutboxPage {
            tabs,
            letters,
            older: older.map(|id| show_only.href(Some(id))),
            is_later_page: before.is_some(),
            newest: show_only.href(None),
            is_filtered: show_only != Show::All,
            page: page.at(Nav::Outbox),
        },
    ))
}

/// The letters of one page, and behind which one the next begins. Only so many are looked at: where few fit, the page is short, and
/// the next one goes on from there.
async fn collect(
    app: &App,
    page: &Page,
    signed: &Signed,
    show_only: Show,
    mut before: Option<SubmissionId>,
) -> Result<(Vec<SubmissionView>, Option<SubmissionId>), Problem> {
    let is_open = matches!(show_only, Show::Waiting | Show::Only(StateName::Held));
    let letters = Mine::of(app, page, signed).await?.letters(is_open);
    let (mut found, mut n_looked_at) = (Vec::new(), 0);
    loop {
        let batch = app.rooms.outbox.page(signed.organisation(), letters, before, BATCH).await?;
        let is_last = batch.len() < BATCH as usize;
        for letter in batch {
            if found.len() == PAGE {
                // One more is there: the next page begins behind the last that is shown.
                return Ok((found, before));
            }
            before = Some(letter.id);
            n_looked_at += 1;
            if show_only.fits(shown_state(page, &letter)) {
                found.push(letter);
            }
        }
        if is_last {
            return Ok((found, None));
        }
        if n_looked_at >= LOOKED_AT {
            return Ok((found, before));
        }
    }
}
