//! The board: a card for each account, those that need a person first.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _};
use gatepost_accounts::Shown;
use serde::Deserialize;

use super::{Card, whose};
use crate::frame::{Answer, App, Nav, Page, Problem, Query, Signed, paths, show};

/// Cards on one page.
const PER_PAGE: usize = 50;

/// From so many accounts on a search helps.
const SEARCH_FROM: usize = 10;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Part of a name, an address or a provider.
    find: String,
    /// From 1.
    page: usize,
}

/// The part that renews itself.
#[derive(Template)]
#[template(path = "accounts/board.html")]
struct Cards {
    page: Page,
    cards: Vec<Card>,
    is_search: bool,
    /// Which page it is, where there are several.
    place: Option<String>,
    before: Option<String>,
    after: Option<String>,
    n_all: usize,
}

#[derive(Template)]
#[template(path = "accounts/page.html")]
struct BoardPage {
    page: Page,
    cards: Cards,
    find: String,
    is_long: bool,
    /// This page, for those without scripts, and the part of it.
    href: String,
    live: String,
}

pub(super) async fn page(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Answer {
    // The board is where people look whether their change counts.
    app.rooms.accounts.refresh(signed.organisation()).await?;
    let cards = cards(&app, &page, &signed, &asked).await?;
    let shown = BoardPage {
        is_long: cards.n_all >= SEARCH_FROM,
        href: address(paths::ACCOUNTS, &asked.find, asked.page),
        live: address("/accounts/board", &asked.find, asked.page),
        find: asked.find.trim().to_owned(),
        cards,
        page: page.at(Nav::Accounts),
    };
    Ok(show(StatusCode::OK, &shown))
}

pub(super) async fn part(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Answer {
    let cards = cards(&app, &page, &signed, &asked).await?;
    let html = cards.render().map_err(|error| Problem::Broken(Box::new(error)))?;
    Ok(Html(html).into_response())
}

async fn cards(app: &App, page: &Page, signed: &Signed, asked: &Asked) -> Result<Cards, Problem> {
    let shown = Shown { whose: whose(page, signed), find: &asked.find, page: asked.page, per_page: PER_PAGE };
    let board = app.rooms.accounts.board(signed.organisation(), shown).await?;
    let other = |number: usize| address(paths::ACCOUNTS, &asked.find, number);
    let place = || {
        let (at, of) = (board.page.to_string(), board.n_pages.to_string());
        page.t.fill("accounts.place", &[("at", &at), ("of", &of)])
    };
    Ok(Cards {
        is_search: !asked.find.trim().is_empty(),
        place: (board.n_pages > 1).then(place),
        before: (board.page > 1).then(|| other(board.page - 1)),
        after: (board.page < board.n_pages).then(|| other(board.page + 1)),
        n_all: board.tally.n(),
        cards: Card::all(app, page, signed, board.entries).await?,
        page: page.clone(),
    })
}

/// With what was searched for and the page, where they say something.
fn address(path: &str, find: &str, number: usize) -> String {
    let find: String = find.trim().bytes().map(|byte| format!("%{byte:02X}")).collect();
    match (find.is_empty(), number) {
        (true, 0 | 1) => path.to_owned(),
        (true, number) => format!("{path}?page={number}"),
        (false, 0 | 1) => format!("{path}?find={find}"),
        (false, number) => format!("{path}?find={find}&page={number}"),
    }
}
