//! One connection's life: claim, send, conclude and claim the next in one transaction, until nothing is left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gatepost_store::StoreError;

use super::account::AccountWork;
use super::attempt::{AccountState, Open, attempt};
use crate::claim::{Claimed, Preference, Want, claim};
use crate::conclude::{Finished, conclude};

/// How long a connection without work is kept open for the next letter.
const KEPT_IDLE: Duration = Duration::from_secs(10);
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
    let mut finished: Option<Finished> = None;
    loop {
        let may_claim = !work.stop.is_cancelled();
        let rings = work.rings();
        let Ok(claimed) = turn(work, finished.take(), may_claim).await else { break };
        work.answered(rings);
        if let Some(claimed) = claimed {
            if claimed.has_more {
                work.ring();
            }
            work.took(claimed.attempt);
            let done = attempt(&work.shop, &work.account, &mut open, claimed).await;
            if done.account == AccountState::Stopped || work.account.is_trial {
                work.stop.cancel();
            }
            finished = Some(done.finished);
        } else {
            let has_more =
                may_claim && (work.wait_for_more(KEPT_IDLE).await || !work.is_answered(work.rings()));
            if !has_more {
                break;
            }
        }
    }
    if let Some(open) = open {
        open.session.quit().await;
    }
}

/// Writes down what is finished and claims the next letter, in one transaction. What is finished must not get lost: a full
/// disk is waited for. `Err` means that this process must not go on with the account.
async fn turn(
    work: &AccountWork,
    finished: Option<Finished>,
    may_claim: bool,
) -> Result<Option<Claimed>, ()> {
    if finished.is_none() && !may_claim {
        return Ok(None);
    }
    let finished = finished.map(Arc::new);
    loop {
        let (holder, world, job) = (work.holder, work.shop.outbox.store().world().clone(), finished.clone());
        let want = Want {
            preference: work.turns.preference(),
            most_recipients: work.account.limits.n_recipients_per_transaction,
        };
        let written = work.shop.outbox.store().write(move |tx| {
            tx.holds(&holder.lease)?;
            if let Some(finished) = &job {
                conclude(tx, &holder, finished, world.now())?;
            }
            if may_claim { claim(tx, &world, &holder, want) } else { Ok(None) }
        });
        match written.await {
            Ok(claimed) => {
                if let Some(finished) = &finished {
                    work.concluded(finished);
                }
                return Ok(claimed);
            }
            Err(StoreError::LeaseLost | StoreError::Stopped | StoreError::SyncFailed) => {
                work.stop.cancel();
                return Err(());
            }
            Err(err) => {
                work.lost_track();
                tracing::error!(account.id = %holder.account, error = %err, "an outcome cannot be stored yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
