//! Trying whether a parked account can be read again (SC-8). Sending is probed by whoever sends; nobody reads all the time.

use std::time::Duration;

use gatepost_core::{MailAccountId, OrganisationId, Timestamp};
use gatepost_store::{StoreError, params};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::accounts::Accounts;
use crate::check::{Checking, Errand, Progress, Proof, Reach};
use crate::sending::NotUsable;
use crate::sql;
use crate::status::Direction;

/// Each probe is a sign-in that the provider counts: one whose finding cannot be stored is not made again before.
const CLAIMED_FOR: Duration = Duration::from_mins(5);
/// Probes at the same time.
const MOST: usize = 16;

impl Accounts {
    /// Parked accounts whose probe in this direction is due at `now`, the longest due first. A probe signs in by
    /// [`Self::signing_in`] and reports how it went; either way the account is due again only by its schedule (SC-8). Those whose
    /// grant is dead, or whose secret is gone, are never due: nothing can be learnt from asking again.
    pub async fn due_probes(
        &self,
        now: Timestamp,
        direction: Direction,
    ) -> Result<Vec<(OrganisationId, MailAccountId)>, StoreError> {
        let rows = self
            .store()
            .read(move |tx| tx.rows(&sql::LIST_DUE_PROBES, params![now, direction.word()]))
            .await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// Signs in for reading with each parked account whose probe is due, once among all nodes, and opens its mailbox. Returns how
    /// many were due. May be dropped: what was begun counts as made.
    pub async fn probe_reading(&self, reach: &Reach) -> Result<usize, StoreError> {
        let due = self.due_probes(self.now(), Direction::Reading).await?;
        let n_due = due.len();
        let mut running = JoinSet::new();
        for (organisation, id) in due {
            if running.len() >= MOST {
                running.join_next().await;
            }
            let (accounts, reach) = (self.clone(), reach.clone());
            running.spawn(async move {
                if let Err(failure) = accounts.probe_one(organisation, id, &reach).await {
                    tracing::warn!(account.id = %id, error = %failure, "an account cannot be probed for reading");
                }
            });
        }
        while running.join_next().await.is_some() {}
        Ok(n_due)
    }

    async fn probe_one(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        reach: &Reach,
    ) -> Result<(), StoreError> {
        let now = self.now();
        if !self.claim_probe(organisation, id, (now, now + CLAIMED_FOR)).await? {
            return Ok(());
        }
        // Whatever speaks against handing it out has moved the account's status itself.
        let Some(account) = usable(self.signing_in(organisation, id).await)? else { return Ok(()) };
        let (progress, _nobody) = watch::channel(Progress::default());
        let errand = Errand { reach, proof: &Proof::SignIn, progress: &progress };
        let mut checking = Checking::new(account, errand, self.means());
        let Some(Some(read)) = usable(checking.reading(Some(self)).await)? else { return Ok(()) };
        usable(self.report_examined(organisation, id, Direction::Reading, read).await)?;
        Ok(())
    }

    /// One conditional update, so that a crash and a second node make no second sign-in.
    async fn claim_probe(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let claimed = self.store().write(move |tx| {
            tx.execute(&sql::CLAIM_PROBE, params![organisation, id, now, until, Direction::Reading.word()])
        });
        Ok(claimed.await? == 1)
    }
}

fn usable<T>(handed: Result<T, NotUsable>) -> Result<Option<T>, StoreError> {
    match handed {
        Ok(account) => Ok(Some(account)),
        Err(NotUsable::Store(failure)) => Err(failure),
        Err(_) => Ok(None),
    }
}
