//! The state of the mail accounts in one line, and the cards of those that come first: crosses before ticks.

use askama::Template;
use gatepost_accounts::{Shown, StatusName, Tally};

use crate::frame::{App, Page, Problem, Signed};
use crate::page::accounts::{Card, whose};

/// Cards that home shows; the board has all.
const CARDS_AT_MOST: usize = 6;

/// The part of the home page that renews itself.
#[derive(Template)]
#[template(path = "home_board.html")]
pub(super) struct Board {
    page: Page,
    pub(super) cards: Vec<Card>,
    /// `12 mail accounts: 1 needs a sign-in, 11 connected`.
    tally: String,
}

impl Board {
    pub(super) async fn of(app: &App, page: &Page, signed: &Signed) -> Result<Self, Problem> {
        let organisation = signed.organisation();
        app.rooms.accounts.refresh(organisation).await?;
        let shown = Shown { whose: whose(page, signed), find: "", page: 1, per_page: CARDS_AT_MOST };
        let board = app.rooms.accounts.board(organisation, shown).await?;
        let cards = Card::all(app, page, signed, board.entries).await?;
        Ok(Self { tally: tally(page, &board.tally), cards, page: page.clone() })
    }
}

fn tally(page: &Page, tally: &Tally) -> String {
    let t = page.t;
    let parts = [
        (StatusName::NeedsSignIn, "home.tally_needs_sign_in"),
        (StatusName::Failing, "home.tally_failing"),
        (StatusName::Paused, "home.tally_paused"),
        (StatusName::Unchecked, "home.tally_unchecked"),
        (StatusName::Connected, "home.tally_connected"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|(status, _)| tally.of(*status) > 0)
        .map(|(status, key)| t.count(key, tally.of(status) as u64, &[]))
        .collect();
    format!("{} {}", t.count("home.tally", tally.n() as u64, &[]), parts.join(", "))
}
