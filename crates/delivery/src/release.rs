//! What an account's changes do to its letters: released, orphaned, adopted. In batches, so that a million rows do not stop
//! the store.

use gatepost_core::{LoginId, MailAccountId, OrganisationId, SubmissionId, Timestamp};
use gatepost_store::{Store, StoreError, Transaction, params};

use crate::command::write_move;
use crate::sql;
use crate::state::{Delivery, HoldReason};
use crate::submission::{ChosenAccount, RecipientRow};

/// Letters in one transaction.
const BATCH: u32 = 500;

/// The account can send again: its deferred letters are due at once, in the order they were accepted.
pub(crate) async fn release_deferred(
    store: &Store,
    organisation: OrganisationId,
    account: MailAccountId,
) -> Result<(), StoreError> {
    while store
        .write(move |tx| tx.execute(&sql::RELEASE_DEFERRED, params![account, organisation, BATCH]))
        .await?
        > 0
    {}
    Ok(())
}

/// The account was removed: its letters are held until another is chosen for them.
pub(crate) async fn hold_orphans(
    store: &Store,
    organisation: OrganisationId,
    account: MailAccountId,
    running_now: Timestamp,
) -> Result<u64, StoreError> {
    let mut n_held = 0;
    loop {
        let now = store.world().now();
        let held = store
            .write(move |tx| {
                let mut n_held = 0;
                for row in tx.rows(&sql::LIST_OPEN_OF_ACCOUNT, params![account, organisation, BATCH])? {
                    let id = row.get(0)?;
                    n_held += move_each(tx, organisation, id, now, |row| {
                        let is_orphan = row.account == Some(account) && !row.is_in_hand;
                        is_orphan
                            .then(|| row.delivery.clone().held(HoldReason::NoAccount, running_now).ok())
                            .flatten()
                    })?;
                }
                Ok::<_, StoreError>(n_held)
            })
            .await?;
        if held == 0 {
            return Ok(n_held);
        }
        n_held += held;
    }
}

/// A letter without an account, and who handed it in.
#[derive(Clone, Copy, Debug)]
pub struct Orphan {
    /// The letter.
    pub id: SubmissionId,
    /// What its application signed in as; `None` for letters of Gatepost's own.
    pub login: Option<LoginId>,
}

/// Letters without an account, oldest first, after a given one.
pub(crate) async fn orphans(
    store: &Store,
    organisation: OrganisationId,
    after: SubmissionId,
) -> Result<Vec<Orphan>, StoreError> {
    let rows = store
        .read(move |tx| tx.rows(&sql::LIST_WITHOUT_ACCOUNT, params![organisation, after, BATCH]))
        .await?;
    rows.iter().map(|row| Ok(Orphan { id: row.get(0)?, login: row.get(1)? })).collect()
}

/// An account was found for a letter: it goes on, with the rest of its life.
pub(crate) async fn adopt(
    store: &Store,
    organisation: OrganisationId,
    id: SubmissionId,
    account: ChosenAccount,
) -> Result<u64, StoreError> {
    let now = store.world().now();
    store
        .write(move |tx| {
            let rows = tx.rows(&sql::LOCK_DELIVERIES, params![organisation, id])?;
            for row in &rows {
                let row = RecipientRow::try_from(row)?;
                if is_orphan(&row) {
                    tx.execute(&sql::CHANGE_ACCOUNT, params![id, row.ordinal, organisation, account.id])?;
                }
            }
            move_each(tx, organisation, id, now, |row| {
                is_orphan(row).then(|| row.delivery.clone().released(account.running_now).ok()).flatten()
            })
        })
        .await
}

fn is_orphan(row: &RecipientRow) -> bool {
    matches!(row.delivery, Delivery::Held { because: HoldReason::NoAccount, .. }) && !row.is_in_hand
}

/// Moves those recipients of a letter for which `to` says where. Returns how many.
fn move_each(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: SubmissionId,
    now: Timestamp,
    to: impl Fn(&RecipientRow) -> Option<Delivery>,
) -> Result<u64, StoreError> {
    let mut n_moved = 0;
    for row in tx.rows(&sql::LOCK_DELIVERIES, params![organisation, id])? {
        let row = RecipientRow::try_from(&row)?;
        if let Some(moved) = to(&row) {
            n_moved += write_move(tx, organisation, id, &row, &moved, now)?;
        }
    }
    Ok(n_moved)
}
