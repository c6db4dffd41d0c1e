//! How sign-ins and letters went, and what that makes of the account.

use gatepost_core::{MailAccountId, OrganisationId, Timestamp};
use gatepost_journal::{Actor, Entry, append};
use gatepost_store::{Store, StoreError};
use serde_json::json;

use crate::credential::{Present, Used};
use crate::record::Record;
use crate::standing::{Standing, State, What};
use crate::status::{Direction, StatusName};
use crate::told::Written;

/// Something that happened on a connection of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it signed in with.
    pub used: Used,
    /// When that sign-in began. What began before the present status says nothing about it.
    pub began_at: Timestamp,
    /// What happened.
    pub what: What,
}

/// What became of the account, as it is shown first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its status before.
    pub before: StatusName,
    /// Its status now.
    pub after: StatusName,
    /// Whether its deferred letters become due at once.
    pub released: bool,
}

impl Event {
    /// Where the direction stands after it; `None` if it changes nothing.
    pub(crate) fn moves(&self, record: &Record, direction: Direction, now: Timestamp) -> Option<Standing> {
        if !record.account.is_live() || record.credential != Some(self.used.grant) {
            return None;
        }
        let mut standing = record.standing(direction);
        if standing.is_older(self.began_at, now) {
            return None;
        }
        // A block was met behind a sign-in that succeeded: one event, because the second of two would be older than the first.
        if standing.state == State::NeedsSignIn && matches!(self.what, What::Blocked { .. }) {
            standing = standing.after(&What::Succeeded, now)?;
        }
        standing.after(&self.what, now)
    }
}

impl Change {
    /// Letters are released when the account may send again: no longer held, or no longer waiting for its trial.
    pub(crate) fn between(before: &Record, after: &Record) -> Self {
        let stood = |it: &Record| it.is_held() || it.sending.state.name() == StatusName::Failing;
        let released = after.account.is_live() && stood(before) && !stood(after);
        Self { before: before.shown(), after: after.shown(), released }
    }

    /// This change and the one behind it, as one.
    pub(crate) fn then(self, later: Self) -> Self {
        Self { before: self.before, after: later.after, released: self.released || later.released }
    }

    pub(crate) fn none(record: &Record) -> Self {
        Self { before: record.shown(), after: record.shown(), released: false }
    }
}

/// Moves the direction to where the event puts it, as it stands in the database at that moment. `None`: there is no such
/// account any more.
pub(crate) async fn report(
    store: &Store,
    organisation: OrganisationId,
    id: MailAccountId,
    direction: Direction,
    event: Event,
) -> Result<Option<Written>, StoreError> {
    let world = store.world().clone();
    store
        .write(move |tx| {
            let now = world.now();
            let Some(before) = Record::lock(tx, organisation, id)? else { return Ok(None) };
            let present = Present::find(tx, organisation, id)?;
            // Also where the status stays: what came before is kept no longer than it is needed.
            if let Some(it) = present.as_ref().filter(|it| it.present.used() == event.used)
                && before.account.is_live()
                && event.what.has_signed_in()
            {
                it.has_worked(tx, organisation, id, now)?;
            }
            let Some(standing) = event.moves(&before, direction, now) else {
                return Ok(Some(Written::nothing(before)));
            };
            // The last access token of a grant that is over still signs in for a while; that unparks nothing.
            if event.what.has_signed_in() && present.as_ref().is_some_and(|it| it.present.is_dead()) {
                return Ok(Some(Written::nothing(before)));
            }
            if matches!(event.what, What::SignInRefused { .. })
                && present.is_some_and(|it| event.used.serial < it.present.access.serial)
            {
                // The refused access token was replaced meanwhile: it says nothing about the grant.
                return Ok(Some(Written::nothing(before)));
            }
            let mut after = before.clone();
            let was = before.standing(direction).state.name();
            if standing.state.name() != was {
                append(tx, &world, &entry(&before, direction, was, &standing))?;
            }
            after.set_standing(direction, standing);
            after.save(tx, &before, now)?;
            Ok(Some(Written::new(before, after, None)))
        })
        .await
}

/// The journal's row about a status that changed by itself.
pub(crate) fn entry(record: &Record, direction: Direction, was: StatusName, standing: &Standing) -> Entry {
    let details = json!({
        "address": record.account.address.as_str(),
        "direction": direction.word(),
        "from": was.word(),
        "to": standing.state.name().word(),
        "rule": standing.rule,
    });
    Entry {
        organisation: record.account.organisation,
        actor: Actor::System(None),
        action: "mail_account.status_changed",
        subject: "mail_account",
        subject_id: Some(record.account.id.uuid()),
        details,
    }
}
