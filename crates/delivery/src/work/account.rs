//! One account at work: as many connections as it may have and needs.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_accounts::SendingAccount;
use gatepost_core::{AttemptId, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::connection::{self, Turns};
use crate::claim::Holder;

/// What the connections of one account share.
///
/// No ring is lost: each claim notes the number of rings before it looks, and whoever ends compares. A ring that comes after
/// [`AccountWork::run`] has ended does nothing here; the dispatcher looks at the account again when it hears of the end.
pub(super) struct AccountWork {
    pub(super) shop: Shared,
    pub(super) account: SendingAccount,
    pub(super) holder: Holder,
    /// No further claims: the account or the program stops.
    pub(super) stop: CancellationToken,
    pub(super) turns: Turns,
    connections: TaskTracker,
    n_running: AtomicU32,
    n_idle: AtomicU32,
    more: Notify,
    n_rings: AtomicU64,
    n_rings_answered: AtomicU64,
    has_ended: Mutex<bool>,
    in_hand: Mutex<HashSet<AttemptId>>,
    in_doubt_since: Mutex<Option<Timestamp>>,
    is_lease_lost: AtomicBool,
    /// Cuts connections that do not end by themselves.
    pub(super) abort: CancellationToken,
}

impl AccountWork {
    pub(super) fn new(
        shop: Shared,
        account: SendingAccount,
        holder: Holder,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            shop,
            account,
            holder,
            stop,
            turns: Turns::default(),
            connections: TaskTracker::new(),
            n_running: AtomicU32::new(0),
            n_idle: AtomicU32::new(0),
            more: Notify::new(),
            n_rings: AtomicU64::new(0),
            n_rings_answered: AtomicU64::new(0),
            has_ended: Mutex::new(false),
            in_hand: Mutex::default(),
            in_doubt_since: Mutex::default(),
            is_lease_lost: AtomicBool::new(false),
            abort: CancellationToken::new(),
        })
    }

    /// Waits until every connection has ended, after `stop` or `abort`.
    pub(super) async fn connections_ended(&self) {
        self.connections.close();
        self.connections.wait().await;
    }

    /// Works until nothing is left and every connection has ended.
    pub(super) async fn run(self: Arc<Self>) {
        self.ring();
        loop {
            self.connections.close();
            self.connections.wait().await;
            self.connections.reopen();
            let mut has_ended = lock(&self.has_ended);
            // A ring may have started a connection just after the last one ended.
            let is_idle = self.connections.is_empty();
            if is_idle && (self.stop.is_cancelled() || self.is_answered(self.rings())) {
                *has_ended = true;
                return;
            }
            drop(has_ended);
            if is_idle {
                self.ring();
            }
        }
    }

    /// There is something new to send.
    pub(super) fn ring(self: &Arc<Self>) {
        let has_ended = lock(&self.has_ended);
        self.n_rings.fetch_add(1, Ordering::SeqCst);
        if *has_ended || self.stop.is_cancelled() {
            return;
        }
        if self.n_idle.load(Ordering::SeqCst) > 0 {
            self.more.notify_one();
        } else {
            self.start_connection();
        }
    }

    /// How often it was rung so far; noted before a claim looks.
    pub(super) fn rings(&self) -> u64 {
        self.n_rings.load(Ordering::SeqCst)
    }

    /// A claim that began after so many rings has looked.
    pub(super) fn answered(&self, rings: u64) {
        self.n_rings_answered.fetch_max(rings, Ordering::SeqCst);
    }

    pub(super) fn is_answered(&self, rings: u64) -> bool {
        self.n_rings_answered.load(Ordering::SeqCst) >= rings
    }

    fn start_connection(self: &Arc<Self>) {
        // An account that has just failed is tried with one letter first.
        let most = if self.account.is_trial { 1 } else { self.account.limits.n_connections };
        let started =
            self.n_running.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| (n < most).then_some(n + 1));
        if started.is_ok() {
            let work = Arc::clone(self);
            self.connections.spawn(async move {
                let _running = Running(&work);
                // Dropping it half-way leaves its attempt in doubt, which is what it is.
                work.abort.run_until_cancelled(connection::run(&work)).await;
            });
        }
    }

    /// Waits for a ring; false when it is time to close.
    pub(super) async fn wait_for_more(&self, patience: Duration) -> bool {
        self.n_idle.fetch_add(1, Ordering::SeqCst);
        // Rung between the claim that found nothing and this moment.
        let is_late = !self.is_answered(self.rings());
        let rung = is_late
            || tokio::select! {
                () = self.more.notified() => true,
                () = self.stop.cancelled() => false,
                () = tokio::time::sleep(patience) => false,
            };
        self.n_idle.fetch_sub(1, Ordering::SeqCst);
        rung
    }

    /// Notes an attempt as under way, until it is concluded or dropped.
    pub(super) fn take_in_hand(&self, attempt: AttemptId) -> InHand<'_> {
        lock(&self.in_hand).insert(attempt);
        InHand { work: self, attempt, is_concluded: false }
    }

    /// A claim or an outcome may have been written without our knowing.
    pub(super) fn lost_track(&self) {
        let now = self.shop.outbox.store().world().now();
        lock(&self.in_doubt_since).get_or_insert(now);
    }

    /// Since when something may be in hand that no connection knows of.
    pub(super) fn in_doubt_since(&self) -> Option<Timestamp> {
        *lock(&self.in_doubt_since)
    }

    /// What was in doubt up to `since` has been settled.
    pub(super) fn doubt_ended(&self, since: Timestamp) {
        let mut doubt = lock(&self.in_doubt_since);
        if *doubt == Some(since) {
            *doubt = None;
        }
    }

    /// The attempts that are under way.
    pub(super) fn attempts(&self) -> HashSet<AttemptId> {
        lock(&self.in_hand).clone()
    }

    /// Another node has taken the account over: no further claims.
    pub(super) fn lost_lease(&self) {
        self.is_lease_lost.store(true, Ordering::SeqCst);
        self.stop.cancel();
    }

    pub(super) fn is_lease_lost(&self) -> bool {
        self.is_lease_lost.load(Ordering::SeqCst)
    }
}

/// An attempt under way. Dropped before it was concluded (a panic, a cut at the end), it leaves a doubt behind.
pub(super) struct InHand<'a> {
    work: &'a AccountWork,
    attempt: AttemptId,
    is_concluded: bool,
}

impl InHand<'_> {
    pub(super) fn concluded(mut self) {
        self.is_concluded = true;
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        if !self.is_concluded {
            self.work.lost_track();
        }
        lock(&self.work.in_hand).remove(&self.attempt);
    }
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a connection out, also when it panics.
struct Running<'a>(&'a AccountWork);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.n_running.fetch_sub(1, Ordering::SeqCst);
    }
}
