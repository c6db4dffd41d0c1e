//! Taking a letter in hand: recorded before anything is dialled.

use gatepost_core::{AttemptId, MailAccountId, NodeId, OrganisationId, SubmissionId, Timestamp, World};
use gatepost_store::{Lease, StoreError, Transaction, params};

use crate::sql;
use crate::submission::{RecipientRow, Submission};

/// An account as its owner works on it: every write begins by proving the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) account: MailAccountId,
    pub(crate) organisation: OrganisationId,
    pub(crate) lease: Lease,
}

impl Holder {
    fn node(&self) -> NodeId {
        self.lease.node
    }
}

/// A letter in hand, with those of its recipients that are due.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) attempt: AttemptId,
    pub(crate) submission: Submission,
    pub(crate) recipients: Vec<RecipientRow>,
    /// Whether something else is probably due too.
    pub(crate) has_more: bool,
}

/// Which letters a claim looks at first. Deferred ones get a share of their own, or new letters would starve them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preference {
    New,
    Deferred,
}

/// What a claim may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    pub(crate) preference: Preference,
    /// The provider's limit of recipients in one transaction.
    pub(crate) most_recipients: u32,
}

/// Takes the next due letter in hand, if there is one.
pub(crate) fn claim(
    tx: &mut Transaction<'_>,
    world: &World,
    holder: &Holder,
    want: Want,
) -> Result<Option<Claimed>, StoreError> {
    let now = world.now();
    let Some((id, has_more)) = next_due(tx, holder, want.preference, now)? else { return Ok(None) };
    let values = params![id, holder.organisation, holder.account, now, want.most_recipients];
    let mut recipients: Vec<RecipientRow> =
        tx.rows(&sql::CLAIMABLE, values)?.iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    if recipients.is_empty() {
        // Another connection of this account claims it at this very moment; its commit rings again.
        return Ok(None);
    }
    let row = tx.row(&sql::FIND_SUBMISSION, params![holder.organisation, id])?;
    let missing = StoreError::Contradiction {
        statement: "FIND_SUBMISSION",
        column: 0,
        expected: "the letter of a delivery",
    };
    let submission = Submission::try_from(&row.ok_or(missing)?)?;
    let attempt = AttemptId::new(world);
    tx.execute(
        &sql::INSERT_ATTEMPT,
        params![attempt, holder.organisation, id, holder.account, holder.node(), holder.lease.fence, now],
    )?;
    for recipient in &mut recipients {
        tx.execute(&sql::CLAIM, params![id, recipient.ordinal, attempt, holder.organisation])?;
        recipient.n_attempts += 1;
    }
    Ok(Some(Claimed { attempt, submission, recipients, has_more }))
}

/// Holds the letter that is next and whose rows cannot be read, as damaged.
pub(crate) fn quarantine(
    tx: &mut Transaction<'_>,
    holder: &Holder,
    now: Timestamp,
) -> Result<(), StoreError> {
    for preference in [Preference::New, Preference::Deferred] {
        if let Some((id, _)) = next_due(tx, holder, preference, now)? {
            tx.execute(&sql::QUARANTINE, params![id, holder.organisation, holder.account, now])?;
            return Ok(());
        }
    }
    Ok(())
}

/// The letter to claim, and whether something else is due.
fn next_due(
    tx: &mut Transaction<'_>,
    holder: &Holder,
    preference: Preference,
    now: Timestamp,
) -> Result<Option<(SubmissionId, bool)>, StoreError> {
    let (account, organisation) = (holder.account, holder.organisation);
    let waiting = |tx: &mut Transaction<'_>| tx.rows(&sql::NEXT_WAITING, params![account, organisation]);
    let deferred =
        |tx: &mut Transaction<'_>| tx.rows(&sql::NEXT_DEFERRED, params![account, organisation, now]);
    let mut rows = if preference == Preference::New { waiting(tx)? } else { deferred(tx)? };
    if rows.len() < 2 {
        rows.extend(if preference == Preference::New { deferred(tx)? } else { waiting(tx)? });
    }
    let Some(first) = rows.first() else { return Ok(None) };
    Ok(Some((first.get(0)?, rows.len() > 1)))
}
