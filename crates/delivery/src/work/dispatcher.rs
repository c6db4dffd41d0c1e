//! Decides which account works when: rung by new letters, by time, and by accounts that change.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use gatepost_accounts::NotUsable;
use gatepost_core::{MailAccountId, OrganisationId, Timestamp};
use gatepost_store::{StoreError, params};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::account::AccountWork;
use super::clock::StepWatch;
use super::probe::probe;
use super::{Shared, Workshop};
use crate::claim::Holder;
use crate::{settle, sql};

/// How often time alone makes it look: retries, probes, a clock that was set.
const TICK: Duration = Duration::from_millis(500);
/// Probes are minutes apart; looking for them costs a query.
const TICKS_BETWEEN_PROBES: u32 = 4;
/// How long attempts that are under way may take at the end (OP-10).
const LAST_ATTEMPTS: Duration = Duration::from_secs(30);
/// How soon an account is looked at again whose status could not be read.
const UNREADABLE: Duration = Duration::from_secs(5);

type Key = (OrganisationId, MailAccountId);

/// The one task that starts all sending of this node.
pub struct Dispatcher {
    shop: Shared,
    holders: HashMap<Key, Holder>,
    at_work: HashMap<Key, Arc<AccountWork>>,
    ended: JoinSet<()>,
    key_of: HashMap<tokio::task::Id, Key>,
    probes: JoinSet<Key>,
    probing: HashSet<Key>,
    due: BTreeSet<(Timestamp, Key)>,
    steps: StepWatch,
    n_ticks: u32,
}

impl Dispatcher {
    /// Ready to run; does nothing yet.
    #[must_use]
    pub fn new(shop: Workshop) -> Self {
        let steps = StepWatch::new(shop.outbox.store().world());
        Self {
            shop: Arc::new(shop),
            holders: HashMap::new(),
            at_work: HashMap::new(),
            ended: JoinSet::new(),
            key_of: HashMap::new(),
            probes: JoinSet::new(),
            probing: HashSet::new(),
            due: BTreeSet::new(),
            steps,
            n_ticks: 0,
        }
    }

    /// Sends until stopped, then lets attempts under way end for up to 30 s; what is unanswered by then is written down
    /// as uncertain.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        self.begin().await?;
        let doorbell = self.shop.outbox.doorbell().clone();
        loop {
            // All of these may be dropped half-way: the bell keeps what was rung, joins and ticks come again.
            tokio::select! {
                () = stop.cancelled() => break,
                rung = doorbell.rung() => {
                    for key in rung {
                        self.rung(key).await;
                    }
                }
                Some(ended) = self.ended.join_next_with_id() => {
                    let task = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
                    self.account_ended(task).await;
                }
                Some(ended) = self.probes.join_next() => {
                    if let Ok(key) = ended {
                        self.probing.remove(&key);
                        self.look(key).await;
                    }
                }
                () = tokio::time::sleep(TICK) => self.tick().await,
            }
        }
        self.end().await
    }

    /// Settles what an ended process had in hand, and finds out what is due.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let store = self.shop.outbox.store();
        let busy = store.read(|tx| tx.rows(&sql::LIST_BUSY_ACCOUNTS, &[])).await?;
        let due = store.read(|tx| tx.rows(&sql::LIST_DUE_ACCOUNTS, &[])).await?;
        for row in busy {
            self.hold((row.get(1)?, row.get(0)?)).await?;
        }
        for row in due {
            let key = (row.get(1)?, row.get(0)?);
            self.look(key).await;
        }
        Ok(())
    }

    /// The lease of an account, taken at first use; what an earlier holder had in hand is settled then.
    async fn hold(&mut self, key: Key) -> Result<Holder, StoreError> {
        if let Some(holder) = self.holders.get(&key) {
            return Ok(*holder);
        }
        let ((organisation, account), node) = (key, self.shop.node);
        let store = self.shop.outbox.store();
        let now = store.world().now();
        let lease = store.write(move |tx| tx.take_lease(account.uuid(), organisation, node, now)).await?;
        let holder = Holder { account, organisation, lease };
        let n_settled = settle::settle(store, holder, HashSet::new()).await?;
        if n_settled > 0 {
            tracing::warn!(account.id = %account, recipients = n_settled, "letters were being sent when Gatepost last ended; they are sent again and marked uncertain");
        }
        self.holders.insert(key, holder);
        Ok(holder)
    }

    fn now(&self) -> Timestamp {
        self.shop.outbox.store().world().now()
    }

    async fn rung(&mut self, key: Key) {
        match self.at_work.get(&key) {
            Some(work) => work.ring(),
            None => self.look(key).await,
        }
    }

    /// Starts an account that may and should work, or notes when to look again.
    async fn look(&mut self, key: Key) {
        if self.at_work.contains_key(&key) {
            return;
        }
        let now = self.now();
        match self.start(key, now).await {
            Ok(Some(later)) => {
                self.due.insert((later, key));
            }
            Ok(None) => {}
            Err(err) => {
                tracing::error!(account.id = %key.1, error = %err, "an account's letters cannot be looked at");
                self.due.insert((now + UNREADABLE, key));
            }
        }
    }

    /// Starts the account if something is due; otherwise when to look again, if ever.
    async fn start(&mut self, key: Key, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (organisation, id) = key;
        let row = self
            .shop
            .outbox
            .store()
            .read(move |tx| tx.row(&sql::NEXT_DUE, params![id, organisation]))
            .await?;
        let Some(due_at) = row.map(|row| row.get::<Timestamp>(0)).transpose()? else { return Ok(None) };
        if due_at > now {
            return Ok(Some(due_at));
        }
        let account = match self.shop.accounts.sending(organisation, id).await {
            Ok(account) => account,
            Err(NotUsable::NotBefore(later)) => return Ok(Some(later)),
            // Looked at again when a person or a probe changes it.
            Err(NotUsable::Paused | NotUsable::NeedsSignIn { .. } | NotUsable::NoSecret) => return Ok(None),
            Err(NotUsable::Removed) => {
                let running_now = self.shop.accounts.running_now(organisation, id).await?;
                self.shop.outbox.account_removed(organisation, id, running_now).await?;
                return Ok(None);
            }
            Err(NotUsable::Store(err)) => return Err(err),
        };
        let holder = self.hold(key).await?;
        let work = AccountWork::new(Arc::clone(&self.shop), account, holder, CancellationToken::new());
        self.at_work.insert(key, Arc::clone(&work));
        let task = self.ended.spawn(work.run());
        self.key_of.insert(task.id(), key);
        Ok(None)
    }

    /// All connections of an account have ended, in whatever way.
    async fn account_ended(&mut self, task: tokio::task::Id) {
        let Some(key) = self.key_of.remove(&task) else { return };
        let Some(work) = self.at_work.remove(&key) else { return };
        if work.is_in_doubt() {
            match settle::settle(self.shop.outbox.store(), work.holder, HashSet::new()).await {
                Ok(_) => {}
                Err(StoreError::LeaseLost) => {
                    self.holders.remove(&key);
                }
                Err(err) => {
                    tracing::error!(account.id = %key.1, error = %err, "letters in hand cannot be settled yet");
                    self.holders.remove(&key);
                }
            }
        }
        self.look(key).await;
    }

    async fn tick(&mut self) {
        let now = self.now();
        while let Some((at, key)) = self.due.first().copied() {
            if at > now {
                break;
            }
            self.due.pop_first();
            self.rung(key).await;
        }
        self.n_ticks = self.n_ticks.wrapping_add(1);
        if self.n_ticks.is_multiple_of(TICKS_BETWEEN_PROBES) {
            self.start_probes(now).await;
        }
        if self.steps.was_set_back(self.shop.outbox.store().world()) {
            self.clock_was_set_back(now).await;
        }
    }

    async fn start_probes(&mut self, now: Timestamp) {
        let due = match self.shop.accounts.due_probes(now).await {
            Ok(due) => due,
            Err(err) => return tracing::error!(error = %err, "parked accounts cannot be looked up"),
        };
        for key in due {
            if self.probing.insert(key) {
                let shop = Arc::clone(&self.shop);
                self.probes.spawn(async move {
                    probe(shop, key.0, key.1).await;
                    key
                });
            }
        }
    }

    /// Times in the future were written before the clock was set back: they mean now.
    async fn clock_was_set_back(&mut self, now: Timestamp) {
        tracing::warn!("the clock was set back; deferred letters are tried now");
        let repaired =
            self.shop.outbox.store().write(move |tx| tx.execute(&sql::REPAIR_FUTURE, params![now])).await;
        if let Err(err) = repaired {
            tracing::error!(error = %err, "deferred letters could not be brought back in time");
        }
        let waiting: Vec<Key> = std::mem::take(&mut self.due).into_iter().map(|(_, key)| key).collect();
        for key in waiting {
            self.look(key).await;
        }
    }

    async fn end(mut self) -> Result<(), StoreError> {
        self.probes.shutdown().await;
        for work in self.at_work.values() {
            work.stop.cancel();
        }
        let all_ended = async { while self.ended.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ATTEMPTS, all_ended).await.is_ok() {
            return Ok(());
        }
        let unanswered: Vec<Holder> = self.at_work.values().map(|work| work.holder).collect();
        self.ended.shutdown().await;
        for holder in unanswered {
            settle::settle(self.shop.outbox.store(), holder, HashSet::new()).await?;
        }
        Ok(())
    }
}
