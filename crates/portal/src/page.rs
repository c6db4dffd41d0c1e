//! Views into HTML.

mod account;
mod badge;
mod letter;
mod texts;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use gatepost_core::Timestamp;
use gatepost_web::{Moment, Zone};

use crate::{AccountView, SubmissionView};
use account::AccountCard;
use badge::{Badge, Shape};
use letter::LetterCard;

/// What every page is shown with.
pub(crate) struct Frame<'a> {
    pub(crate) zone: &'a Zone,
    pub(crate) now: Timestamp,
    /// Whether the page is not renewed by itself.
    pub(crate) is_still: bool,
}

impl Frame<'_> {
    fn moment(&self, at: Timestamp) -> Moment {
        self.zone.show(at, self.now)
    }
}

/// Octets of texts on one page; a page has 60 KB in all, its style and markup included.
const TEXTS_AT_MOST: usize = 16 * 1024;

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    is_renewed: bool,
    now: Moment,
    accounts: Vec<AccountCard>,
    letters: Vec<LetterCard>,
    n_hidden: usize,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage {
    is_renewed: bool,
    title: &'static str,
    text: &'static str,
    link: &'static str,
}

pub(crate) fn status(frame: &Frame<'_>, accounts: &[AccountView], letters: &[SubmissionView]) -> Response {
    let mut texts = 0;
    let cards: Vec<_> = letters
        .iter()
        .map(|it| LetterCard::new(frame, it))
        .take_while(|card| {
            let is_room = texts < TEXTS_AT_MOST;
            texts += card.text_bytes();
            is_room
        })
        .collect();
    let page = StatusPage {
        is_renewed: !frame.is_still,
        now: frame.moment(frame.now),
        accounts: accounts.iter().map(|it| AccountCard::new(frame, it)).collect(),
        n_hidden: letters.len() - cards.len(),
        letters: cards,
    };
    show(StatusCode::OK, &page)
}

pub(crate) fn unavailable(frame: &Frame<'_>) -> Response {
    let page = NoticePage {
        is_renewed: !frame.is_still,
        title: texts::UNAVAILABLE.0,
        text: texts::UNAVAILABLE.1,
        link: texts::UNAVAILABLE.2,
    };
    show(StatusCode::SERVICE_UNAVAILABLE, &page)
}

pub(crate) fn not_found() -> Response {
    let (title, text, link) = texts::NOT_FOUND;
    show(StatusCode::NOT_FOUND, &NoticePage { is_renewed: false, title, text, link })
}

fn show(status: StatusCode, page: &impl Template) -> Response {
    let html = page.render().expect("a template of texts always renders");
    (status, Html(html)).into_response()
}
