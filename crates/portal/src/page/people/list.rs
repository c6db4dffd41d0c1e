//! All people, a page at a time.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_identity::{Person, Role};
use gatepost_web::Moment;
use serde::Deserialize;

use super::path;
use crate::frame::{Answer, App, Nav, Page, Query, Signed, paths, show};
use crate::page::badge::{Badge, Shape};

/// People on one page.
const PAGE: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    show: String,
    /// Part of a name or address.
    find: String,
    /// From 1; what is no number is the first.
    page: String,
}

/// What a tab shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    All,
    Administrators,
    WithoutTwoStep,
    Invited,
    Disabled,
}

struct Tab {
    word: String,
    href: String,
    is_here: bool,
}

struct PersonRow {
    href: String,
    name: String,
    address: String,
    role: String,
    state: Badge,
    two_step: Badge,
    signed_in: Option<Moment>,
}

#[derive(Template)]
#[template(path = "people/list.html")]
struct PeoplePage {
    page: Page,
    tabs: Vec<Tab>,
    rows: Vec<PersonRow>,
    find: String,
    /// Travels with what is looked for.
    shown: &'static str,
    is_filtered: bool,
    earlier: Option<String>,
    later: Option<String>,
}

impl Show {
    const ALL: [Self; 5] =
        [Self::All, Self::Administrators, Self::WithoutTwoStep, Self::Invited, Self::Disabled];

    const fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Administrators => "administrators",
            Self::WithoutTwoStep => "without-two-step",
            Self::Invited => "invited",
            Self::Disabled => "disabled",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::All => "people.tab_all",
            Self::Administrators => "people.tab_administrators",
            Self::WithoutTwoStep => "people.tab_without_two_step",
            Self::Invited => "people.state_invited",
            Self::Disabled => "people.state_disabled",
        }
    }

    fn fits(self, it: &Person) -> bool {
        let is_enabled = it.disabled_at.is_none();
        match self {
            Self::All => true,
            Self::Administrators => is_enabled && it.role == Role::Administrator,
            Self::WithoutTwoStep => is_enabled && it.has_password && it.two_step_at.is_none(),
            Self::Invited => is_enabled && !it.has_password,
            Self::Disabled => !is_enabled,
        }
    }

    fn href(self) -> String {
        match self.word() {
            "" => paths::PEOPLE.to_owned(),
            word => format!("{}?show={word}", paths::PEOPLE),
        }
    }

    /// Another page of the same list.
    fn page(self, find: &str, page: usize) -> String {
        let mut parts = Vec::new();
        if self != Self::All {
            parts.push(format!("show={}", self.word()));
        }
        if !find.is_empty() {
            parts.push(format!("find={}", encoded(find)));
        }
        parts.push(format!("page={page}"));
        format!("{}?{}", paths::PEOPLE, parts.join("&"))
    }
}

/// `application/x-www-form-urlencoded`.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

pub(super) fn role_words(page: &Page, role: Role) -> String {
    page.t
        .of(match role {
            Role::Administrator => "people.role_administrator",
            Role::Operator => "people.role_operator",
        })
        .to_owned()
}

pub(super) fn state(page: &Page, it: &Person) -> Badge {
    let t = page.t;
    match (it.disabled_at, it.has_password) {
        (Some(_), _) => Badge::new("bad", Shape::Cross, t.of("people.state_disabled")),
        (None, false) => Badge::new("calm", Shape::Clock, t.of("people.state_invited")),
        (None, true) => Badge::new("good", Shape::Tick, t.of("people.state_active")),
    }
}

pub(super) fn two_step(page: &Page, it: &Person) -> Badge {
    let t = page.t;
    if it.two_step_at.is_some() {
        Badge::new("good", Shape::Tick, t.of("people.two_step_on"))
    } else if it.has_password {
        Badge::new("warn", Shape::Warning, t.of("people.two_step_off"))
    } else {
        Badge::new("calm", Shape::Dot, t.of("people.two_step_not_yet"))
    }
}

pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Query(asked): Query<Asked>,
) -> Answer {
    let only = Show::ALL.into_iter().find(|it| it.word() == asked.show).unwrap_or(Show::All);
    let find = asked.find.trim().to_owned();
    let wanted = find.to_lowercase();
    let is_found = |it: &Person| {
        wanted.is_empty()
            || it.name.to_lowercase().contains(&wanted)
            || it.address.as_str().to_lowercase().contains(&wanted)
    };
    let mut people = app.rooms.identity.list_people(signed.organisation()).await?;
    people.retain(|it| only.fits(it) && is_found(it));
    let last = people.len().div_ceil(PAGE).max(1);
    let number = asked.page.parse().unwrap_or(1).clamp(1, last);
    let row = |it: &Person| PersonRow {
        href: path(it.id, ""),
        name: it.name.clone(),
        address: it.address.to_string(),
        role: role_words(&page, it.role),
        state: state(&page, it),
        two_step: two_step(&page, it),
        signed_in: it.signed_in_at.map(|at| page.moment(at)),
    };
    let rows = people.iter().skip((number - 1) * PAGE).take(PAGE).map(row).collect();
    let tab = |it: Show| Tab { word: page.t.of(it.key()).to_owned(), href: it.href(), is_here: it == only };
    let shown = PeoplePage {
        tabs: Show::ALL.into_iter().map(tab).collect(),
        rows,
        shown: only.word(),
        is_filtered: only != Show::All || !find.is_empty(),
        earlier: (number > 1).then(|| only.page(&find, number - 1)),
        later: (number < last).then(|| only.page(&find, number + 1)),
        find,
        page: page.at(Nav::People),
    };
    Ok(show(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_travels_in_the_address() {
        assert_eq!(Show::All.page("", 2), "/people?page=2");
        assert_eq!(Show::Invited.page("ä&b", 3), "/people?show=invited&find=%C3%A4%26b&page=3");
    }
}
