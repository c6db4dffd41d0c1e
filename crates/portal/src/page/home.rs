//! Home: how the mail accounts fare, what waits, what was handed in, and what is usually done next.

mod board;
mod chart;
mod test_letter;
#[cfg(test)]
mod tests;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};

use super::outbox::{LetterRow, Mine};
use crate::frame::{Access, Answer, App, Form, Nav, Page, Problem, Route, Signed, paths, show};
use board::Board;
use chart::Chart;
pub(crate) use chart::Tally;
use test_letter::{TestLetter, Typed, Wrong};

pub(crate) fn rows() -> Vec<Route> {
    vec![
        Route::get(paths::HOME, Access::Signed, home),
        Route::post(paths::HOME, Access::Administrator, test_letter::send).needs_proof(),
        Route::get("/home/board", Access::Signed, board_part).part(),
    ]
}

/// Letters that are listed.
const NEWEST: u32 = 5;

/// Letters that are counted one by one; above it, "more than".
const COUNTED: u32 = 10_000;

/// What a new installation does first.
struct Start {
    has_account: bool,
    has_app_password: bool,
    has_letter: bool,
}

impl Start {
    const fn is_over(&self) -> bool {
        self.has_account && self.has_app_password && self.has_letter
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    page: Page,
    greeting: String,
    start: Option<Start>,
    board: Board,
    waiting: Option<String>,
    letters: Vec<LetterRow>,
    chart: Option<Chart>,
    test_letter: Option<TestLetter>,
}

async fn home(State(app): State<App>, page: Page, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    home_page(&app, page, &signed, typed, Wrong::default()).await
}

/// With what was typed for a test letter, and what is wrong with it.
async fn home_page(
    app: &App,
    page: Page,
    signed: &Signed,
    typed: Typed,
    wrong: Wrong,
) -> Result<Response, Problem> {
    let page = page.at(Nav::Home);
    let status = if wrong.is_any() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let organisation = signed.organisation();
    let board = Board::of(app, &page, signed).await?;
    let mine = Mine::of(app, &page, signed).await?;
    let newest = app.rooms.outbox.page(organisation, mine.letters(false), None, NEWEST).await?;
    let (mut start, mut chart, mut n_open) = (None, None, 0);
    if page.rules() {
        n_open = app.rooms.outbox.n_open(organisation, COUNTED + 1).await?;
        chart = Some(Chart::of(app, &page, organisation).await?);
        let steps = Start {
            has_account: !board.cards.is_empty(),
            has_app_password: !app.rooms.identity.list_app_passwords(organisation).await?.is_empty(),
            has_letter: !newest.is_empty(),
        };
        start = Some(steps).filter(|it| !it.is_over());
    }
    let waiting = match n_open {
        0 => None,
        n if n > u64::from(COUNTED) => Some(page.t.of("home.waiting_very_many").to_owned()),
        n => Some(page.t.count("home.waiting", n, &[])),
    };
    let letters = newest.iter().map(|it| LetterRow::new(&page, it)).collect();
    let test_letter = TestLetter::of(app, &page, signed, typed, wrong).await?;
    let greeting = page.t.fill("home.greeting", &[("name", &signed.person().name)]);
    Ok(show(status, &HomePage { greeting, start, board, waiting, letters, chart, test_letter, page }))
}

async fn board_part(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    let board = Board::of(&app, &page, &signed).await?;
    let html = board.render().map_err(|error| Problem::Broken(Box::new(error)))?;
    Ok(Html(html).into_response())
}
