//! Pause and resume, and what follows from every change of an account.

use axum::extract::State;
use gatepost_accounts::Change;
use gatepost_core::{MailAccountId, OrganisationId};
use gatepost_journal::Actor;

use super::path;
use super::right::find_to_act;
use crate::frame::{Alert, Answer, App, Id, Page, Problem, Signed, see_other};

/// What a button does.
#[derive(Clone, Copy)]
pub(super) enum Act {
    Pause,
    Resume,
}

pub(super) async fn act(
    act: Act,
    State(app): State<App>,
    page: Page,
    signed: Signed,
    Id(id): Id<MailAccountId>,
) -> Answer {
    let held = find_to_act(&app, &page, &signed, id).await?;
    let (accounts, organisation) = (&app.rooms.accounts, signed.organisation());
    let by = Actor::Person(signed.person().id);
    // A pause ends what reads the mailbox, too.
    let paused = match held.entry.account.endpoints.can_be_read() {
        true => "accounts.paused",
        false => "accounts.paused_sending",
    };
    let (change, key) = match act {
        Act::Pause => (accounts.pause(organisation, id, by).await?, paused),
        Act::Resume => (accounts.resume(organisation, id, by).await?, "accounts.resumed"),
    };
    changed(&app, signed.organisation(), id, change).await?;
    page.leave(Alert::good(page.t.fill(key, &[("name", &held.entry.account.short_name)])));
    Ok(see_other(&path(id, "")))
}

/// Lets the outbox act on a change.
pub(super) async fn changed(
    app: &App,
    organisation: OrganisationId,
    id: MailAccountId,
    change: Change,
) -> Result<(), Problem> {
    if change.released {
        app.rooms.outbox.account_released(organisation, id).await?;
    }
    app.rooms.outbox.account_changed(organisation, id);
    Ok(())
}
