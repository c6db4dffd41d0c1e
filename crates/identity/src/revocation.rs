//! Ending what is signed in with an app password that was removed or has expired (AP-7).
//!
//! Whoever removes an app password raises its organisation's epoch in the same transaction. Each node reads all epochs every
//! 250 ms; where one rose, the sessions of that organisation are looked at again, and those that may not stay are told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{AppPasswordId, OrganisationId, Timestamp};
use gatepost_store::{Store, StoreError, params};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::{SignedIn, sql};

/// How often epochs are read.
const EVERY: Duration = Duration::from_millis(250);
/// Older knowledge is no knowledge.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// Watches over all sessions of this node. Cheap to clone.
#[derive(Clone)]
pub struct RevocationWatch {
    store: Store,
    state: Arc<Mutex<State>>,
}

struct State {
    /// When the last successful look began.
    looked_at: Option<Instant>,
    sessions: HashMap<u64, Watched>,
    next_session: u64,
}

#[derive(Clone)]
struct Watched {
    organisation: OrganisationId,
    app_password: AppPasswordId,
    expires_at: Option<Timestamp>,
    /// The epoch at which it was last known to be good.
    good_at: u64,
    ended: CancellationToken,
}

/// App passwords that open doors, and until when: one that was replaced ends sooner than its sign-in knew.
type Living = HashMap<AppPasswordId, Option<Timestamp>>;

/// One session under watch, until it is dropped.
pub struct LiveSession {
    watch: RevocationWatch,
    number: u64,
    ended: CancellationToken,
}

impl RevocationWatch {
    /// Knows nothing until [`RevocationWatch::run`] has looked for the first time.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let state = State { looked_at: None, sessions: HashMap::new(), next_session: 0 };
        Self { store, state: Arc::new(Mutex::new(state)) }
    }

    /// Looks again and again until stopped. One task a node.
    pub async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Both may be dropped: a look that is cut off has changed nothing but what it found.
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                looked = self.look() => if let Err(err) = looked {
                    tracing::warn!(error = &err as &dyn std::error::Error, "removals of app passwords cannot be read");
                },
            }
        }
    }

    /// Reads how far revocations have come, and ends what may not stay.
    pub async fn look(&self) -> Result<(), StoreError> {
        let began = Instant::now();
        // Expiry needs no database, so it does not wait for one.
        self.end_expired();
        let rows = self.store.read(|tx| tx.rows(&sql::LIST_EPOCHS, params![])).await?;
        let epochs = rows
            .into_iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?)))
            .collect::<Result<HashMap<OrganisationId, u64>, StoreError>>()?;
        let doubtful = self.doubtful(&epochs);
        if !doubtful.is_empty() {
            let living = self.living(doubtful.clone()).await?;
            self.settle(&doubtful, &living, &epochs);
        }
        self.state().looked_at = Some(began);
        Ok(())
    }

    /// Whether removals up to a second ago are known. If not, doors refuse with a temporary code.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.state().looked_at.is_some_and(|at| at.elapsed() < FRESH_FOR)
    }

    /// Puts a session under watch. Also a removal between the sign-in and this call ends it.
    #[must_use]
    pub fn register(&self, signed_in: &SignedIn) -> LiveSession {
        let ended = CancellationToken::new();
        let mut state = self.state();
        let number = state.next_session;
        state.next_session += 1;
        let watched = Watched {
            organisation: signed_in.organisation,
            app_password: signed_in.app_password,
            expires_at: signed_in.expires_at,
            good_at: signed_in.epoch,
            ended: ended.clone(),
        };
        state.sessions.insert(number, watched);
        LiveSession { watch: self.clone(), number, ended }
    }

    fn end_expired(&self) {
        let now = self.store.world().now();
        for it in self.state().sessions.values() {
            if it.expires_at.is_some_and(|at| at <= now) {
                it.ended.cancel();
            }
        }
    }

    /// App passwords in use whose organisation had a revocation since they were last known to be good.
    fn doubtful(&self, epochs: &HashMap<OrganisationId, u64>) -> HashSet<(OrganisationId, AppPasswordId)> {
        let state = self.state();
        let in_doubt = state.sessions.values().filter(|it| epochs.get(&it.organisation) != Some(&it.good_at));
        in_doubt.map(|it| (it.organisation, it.app_password)).collect()
    }

    async fn living(&self, doubtful: HashSet<(OrganisationId, AppPasswordId)>) -> Result<Living, StoreError> {
        self.store
            .read(move |tx| {
                let mut living = Living::new();
                for (organisation, id) in &doubtful {
                    if let Some(row) = tx.row(&sql::FIND_LIVING_APP_PASSWORD, params![*organisation, *id])? {
                        living.insert(*id, row.get(0)?);
                    }
                }
                Ok(living)
            })
            .await
    }

    /// Ends the dead, and notes of the living up to which epoch they are good. A session registered meanwhile under the same
    /// app password was looked at as well: its sign-in is older than this look.
    fn settle(
        &self,
        doubtful: &HashSet<(OrganisationId, AppPasswordId)>,
        living: &Living,
        epochs: &HashMap<OrganisationId, u64>,
    ) {
        for it in self.state().sessions.values_mut() {
            if !doubtful.contains(&(it.organisation, it.app_password)) {
                continue;
            }
            match (epochs.get(&it.organisation), living.get(&it.app_password)) {
                (Some(epoch), Some(expires_at)) => {
                    it.good_at = it.good_at.max(*epoch);
                    it.expires_at = *expires_at;
                }
                _ => it.ended.cancel(),
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveSession {
    /// Resolves when the app password was removed or has expired. May be dropped and awaited again.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// The same as something that can be held beside the session.
    #[must_use]
    pub fn signal(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// Whether it has been removed or has expired.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended.is_cancelled()
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        self.watch.state().sessions.remove(&self.number);
    }
}
