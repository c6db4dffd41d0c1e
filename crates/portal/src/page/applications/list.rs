//! The services, and which application serves at each.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;

use super::{Shown, mailboxes, path};
use crate::frame::{Answer, App, Page, Signed, show};

struct Card {
    name: String,
    mailboxes: String,
    shown: Option<Shown>,
    path: String,
}

#[derive(Template)]
#[template(path = "applications/list.html")]
struct ListPage {
    page: Page,
    cards: Vec<Card>,
}

impl ListPage {
    /// Mailboxes can be connected with one of them.
    fn is_any_ready(&self) -> bool {
        self.cards.iter().filter_map(|it| it.shown.as_ref()).any(|it| it.trouble.is_none())
    }
}

pub(super) async fn list(State(app): State<App>, page: Page, signed: Signed) -> Answer {
    let mut all = app.rooms.accounts.applications(signed.organisation()).await?;
    let providers = app.rooms.accounts.providers();
    let mut cards: Vec<(usize, Card)> = providers
        .services()
        .map(|service| {
            let place = all.iter().position(|it| it.service == service.word);
            let shown = place.map(|at| Shown::new(&page, service, all.swap_remove(at)));
            // What needs somebody first, then what is in use, then where most kinds of mailboxes are.
            let rank = match &shown {
                Some(it) if it.trouble.is_some() => 0,
                Some(_) => 1,
                None => 100 - providers.at_service(service).count().min(90),
            };
            let card = Card {
                name: service.name.clone(),
                mailboxes: mailboxes(&app, service),
                shown,
                path: path(service, ""),
            };
            (rank, card)
        })
        .collect();
    cards.sort_by_key(|(rank, _)| *rank);
    let cards = cards.into_iter().map(|(_, card)| card).collect();
    Ok(show(StatusCode::OK, &ListPage { page, cards }))
}
