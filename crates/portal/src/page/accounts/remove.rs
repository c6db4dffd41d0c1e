//! Removing an account: what waits for it and what stops, then the question, then it is gone (C19).

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use gatepost_core::MailAccountId;
use gatepost_identity::Target;
use gatepost_journal::{Actor, newest_about};

use super::card::COUNTED;
use super::path;
use super::right::find_to_act;
use super::whom::Whom;
use crate::frame::{Alert, Answer, App, Id, Nav, Page, Problem, Signed, paths, see_other, show};
use crate::page::people::app_password_words;

#[derive(Template)]
#[template(path = "accounts/remove.html")]
struct RemovePage {
    page: Page,
    title: String,
    path: String,
    name: String,
    address: String,
    waiting: Option<String>,
    /// Applications that sign in as this account.
    stops: Vec<String>,
    /// Whose default it is.
    defaults: Vec<String>,
    never_falls_back: bool,
    can_be_read: bool,
}

pub(super) async fn ask(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let account = find_to_act(&app, &page, &signed, id).await?.entry.account;
    let (identity, organisation) = (&app.rooms.identity, signed.organisation());
    let n_waiting = app.rooms.outbox.n_waiting_of_each(organisation, &[id], COUNTED).await?;
    let login = identity.find_login_of(organisation, Target::Account(id)).await?;
    let logins: Vec<_> = login.iter().map(|it| it.id).collect();
    let stops = identity.list_app_passwords_of(organisation, &logins).await?;
    let whom = Whom::of(&app, &signed).await?;
    let defaults = app.rooms.accounts.defaults_of(organisation, id).await?;
    let mut defaults: Vec<_> = defaults.into_iter().map(|it| whom.words(&page, it)).collect();
    defaults.retain(|it| !it.is_empty());
    defaults.sort_unstable();
    let shown = RemovePage {
        title: page.t.fill("accounts.remove_title", &[("name", &account.short_name)]),
        path: path(id, ""),
        waiting: waits(&page, n_waiting.get(&id).copied().unwrap_or_default()),
        stops: stops.iter().map(|it| app_password_words(&page, it)).collect(),
        defaults,
        never_falls_back: account.overrides.never_falls_back,
        can_be_read: account.endpoints.can_be_read(),
        name: account.short_name,
        address: account.address.to_string(),
        page: page.at(Nav::Accounts),
    };
    Ok(show(StatusCode::OK, &shown))
}

fn waits(page: &Page, n: u64) -> Option<String> {
    match n {
        0 => None,
        n if n >= u64::from(COUNTED) => Some(page.t.of("accounts.remove_waiting_very_many").to_owned()),
        n => Some(page.t.count("accounts.remove_waiting", n, &[])),
    }
}

pub(super) async fn remove(
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let (organisation, by) = (signed.organisation(), Actor::Person(signed.person().id));
    match find_to_act(&app, &page, &signed, id).await {
        Ok(held) => {
            app.rooms.accounts.remove(organisation, id, by).await?;
            // What waits, also what is accepted at this very moment, is held until another account is found for it.
            app.rooms.outbox.account_removed(organisation, id, app.now()).await?;
            app.rooms.outbox.account_changed(organisation, id);
            app.rooms.identity.retire_login(organisation, Target::Account(id), by).await?;
            let name = held.entry.account.short_name;
            page.leave(Alert::good(page.t.fill("accounts.removed", &[("name", &name)])));
        }
        // The same button once more, or another tab.
        Err(Problem::NotFound) if was_removed(&app, &signed, id).await? => {
            page.leave(Alert::good(page.t.of("accounts.removed_before")));
        }
        Err(problem) => return Err(problem),
    }
    Ok(see_other(paths::ACCOUNTS))
}

/// Whether it is one that they removed themselves.
async fn was_removed(app: &App, signed: &Signed, id: MailAccountId) -> Result<bool, Problem> {
    let newest = newest_about(&app.rooms.store, signed.organisation(), id.uuid(), 1).await?;
    let me = Some(signed.person().id.uuid());
    Ok(newest.iter().any(|it| it.action == "mail_account.removed" && it.actor_id == me))
}
