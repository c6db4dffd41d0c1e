//! One connection's life: claim, send, conclude and claim the next in one transaction, until nothing is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gatepost_store::{StoreError, Transaction};

use super::account::{AccountWork, InHand};
use super::attempt::{AccountState, Open, attempt};
use crate::claim::{Claimed, Preference, Want, claim, quarantine};
use crate::conclude::{Finished, conclude};

/// How long a connection without work is kept open for the next letter.
const KEPT_IDLE: Duration = Duration::from_secs(10);
/// How long to wait when the store cannot write.
const TROUBLE: Duration = Duration::from_secs(1);
/// Each so many claims look at deferred letters first, or new ones would starve them.
const SHARE_OF_DEFERRED: u32 = 4;

/// Counts claims to share them between new and deferred letters.
#[derive(Default)]
pub(super) struct Turns(AtomicU32);

impl Turns {
    fn preference(&self) -> Preference {
        match self.0.fetch_add(1, Ordering::Relaxed) % SHARE_OF_DEFERRED {
            0 => Preference::Deferred,
            _ => Preference::New,
        }
    }
}

/// Works until there is nothing left, the account has to stop, or the program stops.
pub(super) async fn run(work: &Arc<AccountWork>) {
    let mut open: Option<Open> = None;
    let mut finished: Option<(Finished, InHand<'_>)> = None;
    loop {
        let rings = work.rings();
        let Ok(claimed) = turn(work, finished.take()).await else { break };
        work.answered(rings);
        if let Some(claimed) = claimed {
            let in_hand = work.take_in_hand(claimed.attempt);
            if claimed.has_more {
                work.ring();
            }
            let done = attempt(&work.shop, &work.account, &mut open, claimed).await;
            let is_proven = work.account.is_trial && done.account == AccountState::Proven;
            if done.account == AccountState::Stopped || is_proven {
                work.stop.cancel();
            }
            finished = Some((done.finished, in_hand));
        } else if work.stop.is_cancelled() || !work.wait_for_more(KEPT_IDLE).await {
            break;
        }
    }
    if let Some(open) = open {
        open.session.quit().await;
    }
}

/// The account must not be worked on any longer.
struct MustStop;

/// Writes down what is finished and claims the next letter, in one transaction. What is finished must not get lost: a full
/// disk is waited for.
async fn turn(
    work: &AccountWork,
    finished: Option<(Finished, InHand<'_>)>,
) -> Result<Option<Claimed>, MustStop> {
    let (finished, in_hand) = finished.map(|(finished, in_hand)| (Arc::new(finished), in_hand)).unzip();
    loop {
        let may_claim = !work.stop.is_cancelled();
        if finished.is_none() && !may_claim {
            return Ok(None);
        }
        match write_and_claim(work, finished.clone(), may_claim).await {
            Ok(claimed) => {
                if let Some(in_hand) = in_hand {
                    in_hand.concluded();
                }
                return Ok(claimed);
            }
            Err(StoreError::LeaseLost) => {
                work.lost_lease();
                return Err(MustStop);
            }
            Err(StoreError::Stopped | StoreError::SyncFailed) => {
                work.stop.cancel();
                return Err(MustStop);
            }
            Err(StoreError::Contradiction { statement, column, expected }) if may_claim => {
                tracing::error!(account.id = %work.holder.account, statement, column, expected, "a letter's row cannot be read; the letter is held");
                if quarantine_next(work).await.is_err() {
                    tokio::time::sleep(TROUBLE).await;
                }
            }
            Err(err) => {
                work.lost_track();
                tracing::error!(account.id = %work.holder.account, error = %err, "an outcome cannot be stored yet");
                tokio::time::sleep(TROUBLE).await;
            }
        }
    }
}

async fn write_and_claim(
    work: &AccountWork,
    finished: Option<Arc<Finished>>,
    may_claim: bool,
) -> Result<Option<Claimed>, StoreError> {
    let (holder, world) = (work.holder, work.shop.outbox.store().world().clone());
    let want = Want {
        preference: work.turns.preference(),
        most_recipients: work.account.limits.n_recipients_per_transaction,
    };
    let write = move |tx: &mut Transaction<'_>| {
        tx.holds(&holder.lease)?;
        if let Some(finished) = &finished {
            conclude(tx, &holder, finished, world.now())?;
        }
        if may_claim { claim(tx, &world, &holder, want) } else { Ok(None) }
    };
    work.shop.outbox.store().write(write).await
}

/// Holds the letter that cannot even be claimed, or nothing behind it would ever leave.
async fn quarantine_next(work: &AccountWork) -> Result<(), StoreError> {
    let (holder, world) = (work.holder, work.shop.outbox.store().world().clone());
    let hold = move |tx: &mut Transaction<'_>| {
        tx.holds(&holder.lease)?;
        quarantine(tx, &holder, world.now())
    };
    work.shop.outbox.store().write(hold).await
}
