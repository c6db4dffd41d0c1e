//! What an ended owner had in hand: it may or may not have reached the provider.

use std::collections::HashSet;

use gatepost_core::{AttemptId, SubmissionId, Timestamp, Trouble};
use gatepost_store::{Store, StoreError, Transaction, params};

use crate::claim::Holder;
use crate::conclude::{Concluded, OutcomeKind, write};
use crate::schedule::retry_delay;
use crate::sql;
use crate::state::Delivery;
use crate::submission::RecipientRow;

/// Which attempts are settled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Which {
    /// Not these: they are under way.
    pub(crate) alive: HashSet<AttemptId>,
    /// Only those that began by then; later ones may not have been noted as under way yet.
    pub(crate) begun_by: Option<Timestamp>,
}

/// Lets go of every recipient of the account that is in hand of an attempt that is not under way: marked uncertain, and due now
/// after a first attempt, else by the delay of its count, so that a letter that ends the program does not do so at each
/// start. Returns how many.
pub(crate) async fn settle(store: &Store, holder: Holder, which: Which) -> Result<u64, StoreError> {
    let world = store.world().clone();
    store
        .write(move |tx| {
            tx.holds(&holder.lease)?;
            let rows = tx.rows(&sql::LIST_IN_HAND, params![holder.account, holder.organisation])?;
            let mut n_settled = 0;
            for row in rows {
                let in_hand = InHand {
                    submission: row.get(0)?,
                    ordinal: row.get(1)?,
                    attempt: row.get(2)?,
                    started_at: row.get(3)?,
                };
                let is_late = which.begun_by.is_some_and(|by| in_hand.started_at > by);
                if !which.alive.contains(&in_hand.attempt) && !is_late {
                    n_settled += let_go(tx, &holder, &in_hand, world.now())?;
                }
            }
            Ok(n_settled)
        })
        .await
}

struct InHand {
    submission: SubmissionId,
    ordinal: u32,
    attempt: AttemptId,
    started_at: Timestamp,
}

fn let_go(tx: &mut Transaction<'_>, holder: &Holder, it: &InHand, now: Timestamp) -> Result<u64, StoreError> {
    let organisation = holder.organisation;
    let rows = tx.rows(&sql::LOCK_DELIVERIES, params![organisation, it.submission])?;
    let found = rows
        .iter()
        .map(RecipientRow::try_from)
        .find(|row| row.as_ref().is_ok_and(|row| row.ordinal == it.ordinal));
    let Some(row) = found.transpose()? else { return Ok(0) };
    let delivery = match row.delivery {
        Delivery::Waiting { life_ends_at } | Delivery::Deferred { life_ends_at, .. } => {
            let next_attempt_at =
                if row.n_attempts <= 1 { now } else { it.started_at + retry_delay(row.n_attempts, 0.0) };
            Delivery::Deferred {
                next_attempt_at,
                life_ends_at,
                because: Trouble::Interrupted.rule().to_owned(),
            }
        }
        other => other,
    };
    let settled = Concluded {
        ordinal: it.ordinal,
        kind: OutcomeKind::Uncertain,
        reply: None,
        delivery,
        is_uncertain: true,
    };
    write(tx, organisation, it.submission, it.attempt, &settled, now)
}
