//! One app password.

use askama::Template;
use axum::http::StatusCode;
use gatepost_core::AppPasswordId;
use gatepost_identity::{AppPassword, IdentityError};
use gatepost_web::Moment;

use super::list::{LastSeen, badges, is_over, last_seen, still_used};
use super::listen::REMEMBERS;
use super::right::{self, Held, Right};
use super::seen::{Seen, Watcher, first_use};
use super::{NotOffered, allowed_words, path, purpose};
use crate::frame::{Answer, Id, Nav, Page, Problem, Signed, show};
use crate::page::badge::Badge;

#[derive(Template)]
#[template(path = "app_passwords/detail.html")]
struct DetailPage {
    page: Page,
    path: String,
    name: String,
    purpose: String,
    whose: String,
    user_name: String,
    allowed: String,
    networks: String,
    created: Moment,
    last_use: Option<LastSeen>,
    ends: Option<Moment>,
    badges: Vec<Badge>,
    still_used: Option<String>,
    /// Where its successor is.
    successor: Option<String>,
    may_replace: bool,
    is_full: bool,
    /// What was seen at the doors; none where it is not theirs to see.
    seen: Vec<Seen>,
    /// What to do in the application now, as the key of a text.
    first_use: &'static str,
}

pub(super) async fn detail(page: Page, signed: Signed, Id(id): Id<AppPasswordId>) -> Answer {
    let (it, Held { right, whose, .. }) = right::find(&page, &signed, id).await?;
    let is_full = right == Right::Full;
    let seen = if is_full { seen(&page, &it).await? } else { Vec::new() };
    let successor = match it.replaced_by {
        Some(id) => match page.app.rooms.identity.get_app_password(it.organisation, id).await {
            Ok(successor) => Some(successor),
            // Removed since.
            Err(IdentityError::NoSuchAppPassword(_)) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let successor_made = successor.as_ref().map(|it| it.created_at);
    let networks: Vec<_> = it.limits.networks.iter().map(ToString::to_string).collect();
    let shown = DetailPage {
        path: path(id, ""),
        purpose: purpose(&it),
        whose,
        allowed: allowed_words(&page, &it),
        networks: networks.join(", "),
        created: page.moment(it.created_at),
        last_use: last_seen(&page, &it),
        ends: it.limits.expires_at.map(|at| page.moment(at)),
        badges: badges(&page, &it),
        still_used: it.replaced_by.map(|_| still_used(&page, &it, successor_made)),
        successor: successor.map(|it| path(it.id, "")),
        may_replace: is_full
            && it.replaced_by.is_none()
            && NotOffered::to(&signed).is_none()
            && !is_over(&page, &it),
        is_full,
        seen,
        first_use: first_use(it.limits.allowed),
        name: it.name,
        user_name: it.user_name,
        page: page.at(Nav::AppPasswords),
    };
    Ok(show(StatusCode::OK, &shown))
}

/// What is remembered, for those without script and for those who come later.
async fn seen(page: &Page, it: &AppPassword) -> Result<Vec<Seen>, Problem> {
    let watcher = Watcher::of(page, it).await?;
    let listening = page.app.rooms.reports.listen(it.organisation, it.login, it.id).await?;
    let past = listening.past(page.now - REMEMBERS);
    Ok(past.iter().filter_map(|it| watcher.seen(it, page.now)).collect())
}
