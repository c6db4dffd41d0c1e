//! Removing one: what will stop working, then the question, then it is gone (B8).

use askama::Template;
use axum::http::StatusCode;
use gatepost_core::AppPasswordId;
use gatepost_journal::Actor;

use super::list::{LastSeen, last_seen};
use super::path;
use super::right;
use crate::frame::{Alert, Answer, Id, Nav, Page, Problem, Signed, paths, see_other, show};

#[derive(Template)]
#[template(path = "app_passwords/remove.html")]
struct RemovePage {
    page: Page,
    path: String,
    name: String,
    /// User name, and whose it is where that says more.
    who: String,
    last_use: Option<LastSeen>,
}

pub(super) async fn ask(page: Page, signed: Signed, Id(id): Id<AppPasswordId>) -> Answer {
    let (it, held) = right::find(&page, &signed, id).await?;
    let shown = RemovePage {
        path: path(id, ""),
        last_use: last_seen(&page, &it),
        name: it.name,
        who: held.who(&it.user_name),
        page: page.at(Nav::AppPasswords),
    };
    Ok(show(StatusCode::OK, &shown))
}

pub(super) async fn remove(page: Page, signed: Signed, Id(id): Id<AppPasswordId>) -> Answer {
    match right::find(&page, &signed, id).await {
        Ok((it, _)) => {
            let by = Actor::Person(signed.person().id);
            page.app.rooms.identity.revoke_app_password(signed.organisation(), id, by).await?;
            page.leave(Alert::good(page.t.fill("app_passwords.removed", &[("name", &it.name)])));
        }
        // The same button once more, or another tab.
        Err(Problem::NotFound) if right::was_removed(&page, &signed, id).await? => {
            page.leave(Alert::good(page.t.of("app_passwords.removed_before")));
        }
        Err(problem) => return Err(problem),
    }
    Ok(see_other(paths::APP_PASSWORDS))
}
