//! The list.

use std::collections::HashMap;
use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use gatepost_core::Timestamp;
use gatepost_identity::{AppPassword, MOST_APP_PASSWORDS};
use gatepost_web::Moment;
use serde::Deserialize;

use super::right::{self, Held, Right};
use super::{NotOffered, allowed_words, path, purpose};
use crate::frame::{Answer, Nav, Page, Query, Signed, paths, show};
use crate::page::accounts::ago;
use crate::page::badge::{Badge, Shape};

/// Rows of one page, so that it stays small.
const ROWS: usize = 25;

/// What was not used for that long is pointed out (AP-4).
const UNUSED_FOR: Duration = Duration::from_hours(90 * 24);

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Part of a name, a user name or whose it is.
    find: String,
    /// From 1.
    page: usize,
}

#[derive(Template)]
#[template(path = "app_passwords/list.html")]
struct ListPage {
    page: Page,
    not_offered: Option<NotOffered>,
    most: String,
    find: String,
    /// Whether there are so many that a search helps.
    is_long: bool,
    /// In all, before the search.
    n: usize,
    rows: Vec<Row>,
    before: Option<String>,
    after: Option<String>,
}

struct Row {
    path: String,
    name: String,
    purpose: String,
    /// What it may do; empty where that is not theirs to see.
    allowed: String,
    whose: String,
    user_name: String,
    created: Moment,
    last_use: Option<LastSeen>,
    ends: Option<Moment>,
    badges: Vec<Badge>,
    /// Who still uses one that was replaced.
    still_used: Option<String>,
    may_replace: bool,
}

/// When it was last used, and from where.
pub(super) struct LastSeen {
    pub(super) at: Moment,
    pub(super) words: String,
}

pub(super) async fn list(page: Page, signed: Signed, Query(asked): Query<Asked>) -> Answer {
    let held: HashMap<_, _> =
        right::list(&page, &signed).await?.into_iter().map(|it| (it.login.id, it)).collect();
    let identity = &page.app.rooms.identity;
    let all = if held.len() > 100 {
        identity.list_app_passwords(signed.organisation()).await?
    } else {
        let logins: Vec<_> = held.keys().copied().collect();
        identity.list_app_passwords_of(signed.organisation(), &logins).await?
    };
    let mut all: Vec<_> = all.iter().filter_map(|it| Some((it, held.get(&it.login)?))).collect();
    // Their own and those that they look after first; the newest at the top.
    all.sort_by_key(|(it, held)| (held.right == Right::Remove, std::cmp::Reverse(it.created_at)));
    let n = all.len();
    let successors: HashMap<_, _> = all.iter().map(|(it, _)| (it.id, it.created_at)).collect();
    let find = asked.find.trim().to_lowercase();
    all.retain(|(it, held)| is_found(&find, it, held));
    let n_found = all.len();
    let at = asked.page.clamp(1, n_found.div_ceil(ROWS).max(1));
    let not_offered = NotOffered::to(&signed);
    let rows = all.into_iter().skip((at - 1) * ROWS).take(ROWS);
    let rows = rows.map(|(it, held)| row(&page, it, held, &successors, not_offered)).collect();
    let other = |number: usize| {
        let find: String = find.bytes().map(|byte| format!("%{byte:02X}")).collect();
        format!("{}?find={find}&page={number}", paths::APP_PASSWORDS)
    };
    let shown = ListPage {
        not_offered,
        most: MOST_APP_PASSWORDS.to_string(),
        is_long: n > 8,
        n,
        rows,
        before: (at > 1).then(|| other(at - 1)),
        after: (at * ROWS < n_found).then(|| other(at + 1)),
        find: asked.find.trim().to_owned(),
        page: page.at(Nav::AppPasswords),
    };
    Ok(show(StatusCode::OK, &shown))
}

fn is_found(find: &str, it: &AppPassword, held: &Held) -> bool {
    let words = [&it.name, &it.user_name, &held.whose];
    find.is_empty()
        || words.into_iter().any(|word| word.to_lowercase().contains(find))
        || purpose(it).to_lowercase().contains(find)
}

fn row(
    page: &Page,
    it: &AppPassword,
    held: &Held,
    successors: &HashMap<gatepost_core::AppPasswordId, Timestamp>,
    not_offered: Option<NotOffered>,
) -> Row {
    let is_replaced = it.replaced_by.is_some();
    let is_full = held.right == Right::Full;
    let successor_made = it.replaced_by.and_then(|id| successors.get(&id)).copied();
    Row {
        path: path(it.id, ""),
        name: it.name.clone(),
        purpose: purpose(it),
        allowed: if is_full { allowed_words(page, it) } else { String::new() },
        whose: held.whose_beside(&it.user_name),
        user_name: it.user_name.clone(),
        created: page.moment(it.created_at),
        last_use: last_seen(page, it),
        ends: it.limits.expires_at.map(|at| page.moment(at)),
        badges: badges(page, it),
        still_used: is_replaced.then(|| still_used(page, it, successor_made)),
        may_replace: is_full && !is_replaced && not_offered.is_none() && !is_over(page, it),
    }
}

pub(super) fn is_over(page: &Page, it: &AppPassword) -> bool {
    it.limits.expires_at.is_some_and(|at| at <= page.now)
}

pub(super) fn last_seen(page: &Page, it: &AppPassword) -> Option<LastSeen> {
    let used = it.last_use?;
    let protocol = used.protocol.to_string().to_uppercase();
    let (ago, from) = (ago(page.t, used.at, page.now), used.from.to_string());
    let words =
        page.t.fill("app_passwords.last_use", &[("ago", &ago), ("from", &from), ("protocol", &protocol)]);
    Some(LastSeen { at: page.moment(used.at), words })
}

/// What people should know of it at a glance.
pub(super) fn badges(page: &Page, it: &AppPassword) -> Vec<Badge> {
    let t = page.t;
    let seen_at = it.last_use.map_or(it.created_at, |it| it.at);
    if is_over(page, it) {
        return vec![Badge::new("bad", Shape::Cross, t.of("app_passwords.badge_over"))];
    }
    if it.replaced_by.is_some() {
        return vec![Badge::new("warn", Shape::Clock, t.of("app_passwords.badge_replaced"))];
    }
    if page.now.since(seen_at) >= UNUSED_FOR {
        return vec![Badge::new("warn", Shape::Warning, t.of("app_passwords.badge_unused"))];
    }
    Vec::new()
}

/// Whether something still uses the old one of two.
pub(super) fn still_used(page: &Page, it: &AppPassword, successor_made: Option<Timestamp>) -> String {
    let t = page.t;
    let used = it.last_use.filter(|used| successor_made.is_none_or(|made| used.at > made));
    match used {
        Some(used) => {
            let (ago, from) = (ago(t, used.at, page.now), used.from.to_string());
            t.fill("app_passwords.still_used", &[("from", &from), ("ago", &ago)])
        }
        None => t.of("app_passwords.not_used_any_more").to_owned(),
    }
}
