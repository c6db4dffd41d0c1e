//! One account at work: as many connections as it may have and needs.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_accounts::SendingAccount;
use gatepost_core::AttemptId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::connection::{self, Turns};
use crate::claim::Holder;
use crate::conclude::Finished;

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
    is_in_doubt: AtomicBool,
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
            is_in_doubt: AtomicBool::new(false),
        })
    }

    /// Works until nothing is left and every connection has ended.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            self.ring();
            self.connections.close();
            self.connections.wait().await;
            self.connections.reopen();
            let mut has_ended = lock(&self.has_ended);
            if self.stop.is_cancelled() || self.is_answered(self.rings()) {
                *has_ended = true;
                return;
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
                let running = Running(&work);
                connection::run(&work).await;
                drop(running);
            });
        }
    }

    /// Waits for a ring; false when it is time to close.
    pub(super) async fn wait_for_more(&self, patience: Duration) -> bool {
        self.n_idle.fetch_add(1, Ordering::SeqCst);
        let rung = tokio::select! {
            () = self.more.notified() => true,
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(patience) => false,
        };
        self.n_idle.fetch_sub(1, Ordering::SeqCst);
        rung
    }

    pub(super) fn took(&self, attempt: AttemptId) {
        lock(&self.in_hand).insert(attempt);
    }

    pub(super) fn concluded(&self, finished: &Finished) {
        lock(&self.in_hand).remove(&finished.claimed.attempt);
    }

    /// A claim or an outcome may have been written without our knowing.
    pub(super) fn lost_track(&self) {
        self.is_in_doubt.store(true, Ordering::SeqCst);
    }

    /// Whether, now that all its connections have ended, something may still be in hand.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt.load(Ordering::SeqCst) || !lock(&self.in_hand).is_empty()
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
