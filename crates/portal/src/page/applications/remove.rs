//! Removing one: which mailboxes were connected with it, then the question, then it is used no more.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_journal::Actor;

use super::{own, path, service};
use crate::frame::{Alert, Answer, App, Id, Page, Problem, Signed, paths, see_other, show};

struct Connected {
    name: String,
    address: String,
}

#[derive(Template)]
#[template(path = "applications/remove.html")]
struct RemovePage {
    page: Page,
    service: String,
    client_id: String,
    path: String,
    connected: Vec<Connected>,
}

pub(super) async fn ask(State(app): State<App>, page: Page, signed: Signed, Id(word): Id<String>) -> Answer {
    let service = service(&app, &word)?;
    let Some(own) = own(&app, &signed, service).await? else {
        return Ok(was_removed(&page));
    };
    let connected = app.rooms.accounts.connected_with(signed.organisation(), own.id).await?;
    let connected = connected
        .into_iter()
        .map(|it| Connected { name: it.short_name, address: it.address.to_string() })
        .collect();
    let shown = RemovePage {
        service: service.name.clone(),
        client_id: own.client_id,
        path: path(service, ""),
        connected,
        page,
    };
    Ok(show(StatusCode::OK, &shown))
}

pub(super) async fn remove(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(word): Id<String>,
) -> Answer {
    let service = service(&app, &word)?;
    let (organisation, by) = (signed.organisation(), Actor::Person(signed.person().id));
    let Some(own) = own(&app, &signed, service).await? else {
        return Ok(was_removed(&page));
    };
    let removed = app.rooms.accounts.remove_application(Some(organisation), own.id, organisation, by).await;
    if !removed.map_err(Problem::from)? {
        return Ok(was_removed(&page));
    }
    page.leave(Alert::good(page.t.fill("applications.removed", &[("service", &service.name)])));
    Ok(see_other(paths::APPLICATIONS))
}

/// The same button once more, or another tab.
fn was_removed(page: &Page) -> axum::response::Response {
    page.leave(Alert::warn(page.t.of("applications.removed_before")));
    see_other(paths::APPLICATIONS)
}
