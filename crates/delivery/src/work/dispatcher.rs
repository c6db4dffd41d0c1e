//! Decides which account works when: rung by new letters, by time, and by accounts that change.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatepost_accounts::{AccountsError, Direction, NotUsable};
use gatepost_core::{MailAccountId, OrganisationId, Timestamp};
use gatepost_store::{StoreError, params};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, sleep};
use tokio_util::sync::CancellationToken;

use super::account::AccountWork;
use super::clock::StepWatch;
use super::probe::probe;
use super::{Shared, Workshop};
use crate::claim::Holder;
use crate::outbox::Ring;
use crate::settle::Which;
use crate::{settle, sql};

/// How often time alone makes it look: retries, probes, a clock that was set.
const TICK: Duration = Duration::from_millis(500);
/// Probes are minutes apart; looking for them costs a query.
const TICKS_BETWEEN_PROBES: u32 = 4;
/// How long attempts that are under way may take at the end (OP-10).
const LAST_ATTEMPTS: Duration = Duration::from_secs(30);
/// How soon an account is looked at again after trouble with the store or its lease.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);
/// How long a probe waits whose finding could not be stored: each is a sign-in that the provider counts.
const PROBE_PAUSE: Duration = Duration::from_mins(5);
/// How old a doubt must be before it is settled beside living connections.
const DOUBT_KEPT: Duration = Duration::from_mins(1);

type Key = (OrganisationId, MailAccountId);

/// The one task that starts all sending of this node.
pub struct Dispatcher {
    shop: Shared,
    holders: HashMap<Key, Holder>,
    at_work: HashMap<Key, Arc<AccountWork>>,
    ended: JoinSet<()>,
    key_of: HashMap<tokio::task::Id, Key>,
    probes: JoinSet<(Key, Result<(), AccountsError>)>,
    probing: HashSet<Key>,
    probe_paused: HashMap<Key, Instant>,
    /// Accounts of which something may be in hand that nobody works on.
    unsettled: HashSet<Key>,
    due: BTreeSet<(Timestamp, Key)>,
    steps: StepWatch,
    n_ticks: u32,
}

/// Trouble that ends by itself or by somebody's hand, and must not end the doors: a full disk, a database that is away.
fn passes(err: &StoreError) -> bool {
    matches!(
        err,
        StoreError::Full | StoreError::Unreachable { .. } | StoreError::Unknown | StoreError::LeaseLost
    )
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
            probe_paused: HashMap::new(),
            unsettled: HashSet::new(),
            due: BTreeSet::new(),
            steps,
            n_ticks: 0,
        }
    }

    /// Sends until stopped, then lets attempts under way end for up to 30 s; what is unanswered by then is written down
    /// as uncertain.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), StoreError> {
        while let Err(err) = self.begin().await {
            if !passes(&err) {
                return Err(err);
            }
            tracing::error!(error = %err, "sending cannot begin yet");
            if stop.run_until_cancelled(sleep(AFTER_TROUBLE)).await.is_none() {
                return Ok(());
            }
        }
        let doorbell = self.shop.outbox.doorbell().clone();
        // One ticker for the whole run: a sleep made anew at each turn would never end in a busy house.
        let mut ticker = tokio::time::interval(TICK);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // All of these may be dropped half-way: the bell keeps what was rung, joins and ticks come again.
            tokio::select! {
                () = stop.cancelled() => break,
                rung = doorbell.rung() => {
                    for (key, ring) in rung {
                        self.rung(key, ring).await;
                    }
                }
                Some(ended) = self.ended.join_next_with_id() => {
                    let task = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
                    self.account_ended(task).await;
                }
                Some(ended) = self.probes.join_next() => {
                    if let Ok((key, probed)) = ended {
                        self.probe_ended(key, probed).await;
                    }
                }
                _ = ticker.tick() => self.tick().await,
            }
        }
        self.end().await
    }

    /// Settles what an ended process had in hand, then finds out what is due.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let (store, now) = (self.shop.outbox.store().clone(), self.now());
        // The clock may have been set back while nobody watched.
        store.write(move |tx| tx.execute(&sql::REPAIR_FUTURE, params![now])).await?;
        for row in store.read(|tx| tx.rows(&sql::LIST_BUSY_ACCOUNTS, &[])).await? {
            self.hold((row.get(1)?, row.get(0)?)).await?;
        }
        for row in store.read(|tx| tx.rows(&sql::LIST_DUE_ACCOUNTS, &[])).await? {
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
        let n_settled = settle::settle(store, holder, Which::default()).await?;
        if n_settled > 0 {
            tracing::warn!(account.id = %account, recipients = n_settled, "letters were being sent when Gatepost last ended; they are sent again and marked uncertain");
        }
        self.holders.insert(key, holder);
        self.unsettled.remove(&key);
        Ok(holder)
    }

    fn now(&self) -> Timestamp {
        self.shop.outbox.store().world().now()
    }

    async fn rung(&mut self, key: Key, ring: Ring) {
        match (self.at_work.get(&key), ring) {
            (Some(work), Ring::Letters) => work.ring(),
            // Paused, removed, or with another password: its connections end, and it starts anew if it may.
            (Some(work), Ring::Account) => work.stop.cancel(),
            (None, _) => self.look(key).await,
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
                self.due.insert((now + AFTER_TROUBLE, key));
            }
        }
    }

    /// Starts the account if something is due; otherwise when to look again, if ever.
    async fn start(&mut self, key: Key, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (organisation, id) = key;
        if self.unsettled.contains(&key) {
            self.hold(key).await?;
        }
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
            // Asked for by the connections alone.
            Err(NotUsable::NoToken { .. } | NotUsable::TokenOver { .. }) => return Ok(None),
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
        if work.is_lease_lost() {
            tracing::warn!(account.id = %key.1, "another Gatepost sends for this account on the same database");
            self.look_later(key);
            return;
        }
        if work.in_doubt_since().is_some()
            && let Err(err) = settle::settle(self.shop.outbox.store(), work.holder, Which::default()).await
        {
            tracing::error!(account.id = %key.1, error = %err, "letters in hand cannot be settled yet");
            self.look_later(key);
            return;
        }
        self.look(key).await;
    }

    /// After trouble: the lease is taken anew, and what is in hand settled, but not at once.
    fn look_later(&mut self, key: Key) {
        self.holders.remove(&key);
        self.unsettled.insert(key);
        self.due.insert((self.now() + AFTER_TROUBLE, key));
    }

    async fn probe_ended(&mut self, key: Key, probed: Result<(), AccountsError>) {
        self.probing.remove(&key);
        if probed.is_err() {
            // What it found could not be stored, so the store would ask for it again at once.
            self.probe_paused.insert(key, Instant::now() + PROBE_PAUSE);
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
            self.rung(key, Ring::Letters).await;
        }
        self.settle_doubts(now).await;
        self.n_ticks = self.n_ticks.wrapping_add(1);
        if self.n_ticks.is_multiple_of(TICKS_BETWEEN_PROBES) {
            self.start_probes(now).await;
        }
        if self.steps.was_set_back(self.shop.outbox.store().world()) {
            self.clock_was_set_back(now).await;
        }
    }

    async fn start_probes(&mut self, now: Timestamp) {
        let due = match self.shop.accounts.due_probes(now, Direction::Sending).await {
            Ok(due) => due,
            Err(err) => return tracing::error!(error = %err, "parked accounts cannot be looked up"),
        };
        self.probe_paused.retain(|_, until| *until > Instant::now());
        for key in due {
            if !self.probe_paused.contains_key(&key) && self.probing.insert(key) {
                let shop = Arc::clone(&self.shop);
                self.probes.spawn(async move { (key, probe(shop, key.0, key.1).await) });
            }
        }
    }

    /// Accounts that are busy for hours must not keep a letter in doubt so long. A minute after the doubt, every attempt
    /// from before it is either known to a connection or to nobody.
    async fn settle_doubts(&mut self, now: Timestamp) {
        let doubtful: Vec<_> = self
            .at_work
            .values()
            .filter_map(|work| work.in_doubt_since().map(|since| (Arc::clone(work), since)))
            .filter(|(_, since)| now.since(*since) >= DOUBT_KEPT)
            .collect();
        for (work, since) in doubtful {
            let which = Which { alive: work.attempts(), begun_by: Some(since) };
            match settle::settle(self.shop.outbox.store(), work.holder, which).await {
                Ok(_) => {
                    work.doubt_ended(since);
                    work.ring();
                }
                Err(err) => {
                    tracing::error!(account.id = %work.holder.account, error = %err, "a letter in doubt cannot be settled yet");
                }
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
        for work in self.at_work.values() {
            work.abort.cancel();
            work.connections_ended().await;
        }
        for work in self.at_work.values() {
            if let Err(err) = settle::settle(self.shop.outbox.store(), work.holder, Which::default()).await {
                // The next start finds the same rows in hand and settles them then.
                tracing::error!(account.id = %work.holder.account, error = %err, "unanswered letters could not be marked");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::Preference;
    use crate::state::StateName;
    use crate::tests::dispatch::workshop;
    use crate::tests::{Office, ROOMS};

    /// A full disk at the start ended the whole server.
    #[test]
    fn trouble_that_ends_by_itself_does_not_end_the_doors() {
        let unreachable = StoreError::Unreachable { database: "PostgreSQL".into(), reason: "gone".into() };
        for trouble in [StoreError::Full, unreachable, StoreError::Unknown, StoreError::LeaseLost] {
            assert!(passes(&trouble), "{trouble}");
        }
        for end in [StoreError::SyncFailed, StoreError::Stopped] {
            assert!(!passes(&end), "{end}");
        }
    }

    /// An account that was busy for hours kept a letter in doubt as long: it was settled only when the account fell idle.
    #[tokio::test]
    async fn a_letter_in_doubt_is_settled_beside_living_connections() {
        let office = Office::with_port(gatepost_testkit::sqlite(ROOMS).await, 1).await;
        let mut dispatcher = Dispatcher::new(workshop(&office).await);
        let key = (office.it.organisation, office.account);
        let (holder, account) =
            (dispatcher.hold(key).await.unwrap(), office.accounts.sending(key.0, key.1).await.unwrap());
        let stop = CancellationToken::new();
        let work = AccountWork::new(Arc::clone(&dispatcher.shop), account, holder, stop.clone());
        dispatcher.at_work.insert(key, Arc::clone(&work));
        // One connection is at work; a claim was committed that no connection heard of; and one came after the doubt, whose
        // connection has not noted it yet.
        let claim = async || {
            let id = office.accept(&["b@example.net"]).await;
            let claimed = office.claim(holder, Preference::New).await.unwrap();
            assert_eq!(claimed.submission.id, id);
            (id, claimed.attempt)
        };
        let (alive, attempt) = claim().await;
        let in_hand = work.take_in_hand(attempt);
        let (lost, _) = claim().await;
        work.lost_track();
        office.it.clock.advance(Duration::from_millis(1));
        let (fresh, _) = claim().await;
        // Nothing is sent in this test: the connections are not what it is about.
        stop.cancel();

        let states = async || {
            let mut states = Vec::new();
            for id in [alive, lost, fresh] {
                let shown = office.show(id).await;
                states.push((shown.recipients[0].delivery.name(), shown.recipients[0].is_uncertain));
            }
            states
        };
        let (waits, let_go) = ((StateName::Waiting, false), (StateName::Deferred, true));
        office.it.clock.advance(DOUBT_KEPT - Duration::from_millis(2));
        dispatcher.tick().await;
        assert_eq!(states().await, [waits; 3], "whoever has it in hand may still say so");
        office.it.clock.advance(Duration::from_millis(1));
        let n_rings = work.rings();
        dispatcher.tick().await;
        assert_eq!(states().await, [waits, let_go, waits]);
        assert_eq!(work.in_doubt_since(), None);
        assert!(work.rings() > n_rings, "the account is told that there is something to send");
        in_hand.concluded();
    }
}
