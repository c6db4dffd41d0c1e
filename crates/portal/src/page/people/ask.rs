//! The question before something is done to a person: what happens, what will stop working, and the way back.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_identity::Person;

use super::path;
use crate::frame::{Nav, Page, show};

/// Something that may be done along with it.
pub(super) struct Tick {
    pub(super) id: String,
    pub(super) words: String,
    pub(super) is_ticked: bool,
}

#[derive(Template)]
#[template(path = "people/ask.html")]
pub(super) struct AskPage {
    pub(super) page: Page,
    /// Who it is about, and their page.
    pub(super) name: String,
    pub(super) back: String,
    pub(super) title: String,
    pub(super) text: Vec<String>,
    /// What will stop working.
    pub(super) stops: Vec<String>,
    /// A number to call first.
    pub(super) telephone: Option<String>,
    /// What the ticks are about; empty without any.
    pub(super) ticks_title: String,
    pub(super) ticks_text: String,
    pub(super) ticks: Vec<Tick>,
    /// Where the form goes; none where it cannot be done, for the reason given.
    pub(super) action: Option<String>,
    /// The same act posted twice carries the same one.
    pub(super) form_id: String,
    pub(super) button: String,
    pub(super) is_danger: bool,
    /// Why it cannot be done, or was not.
    pub(super) refused: Option<String>,
}

impl AskPage {
    pub(super) fn new(page: Page, person: &Person, title: &str, button: &str) -> Self {
        let name = person.name.as_str();
        Self {
            title: page.t.fill(title, &[("name", name)]),
            button: page.t.of(button).to_owned(),
            name: name.to_owned(),
            back: path(person.id, ""),
            text: Vec::new(),
            stops: Vec::new(),
            telephone: None,
            ticks_title: String::new(),
            ticks_text: String::new(),
            ticks: Vec::new(),
            action: None,
            form_id: String::new(),
            is_danger: false,
            refused: None,
            page: page.at(Nav::People),
        }
    }

    /// Cannot be done: says why.
    pub(super) fn refuse(mut self, words: String) -> Self {
        self.refused = Some(words);
        self.action = None;
        self
    }

    pub(super) fn show(&self) -> Response {
        show(StatusCode::OK, self)
    }

    /// After a POST that was refused: what others have done in the meantime stands in the way.
    pub(super) fn show_refused(&self) -> Response {
        show(StatusCode::CONFLICT, self)
    }
}
