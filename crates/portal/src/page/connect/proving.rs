//! Checks of drafts, in the background: a tab that is closed loses nothing.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_accounts::{ConnectError, Connecting, Draft, Proven};
use gatepost_core::DraftId;
use gatepost_providers::Callback;
use gatepost_store::StoreError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::frame::App;
use crate::page::accounts::check_in_background;

/// Checks at once; further ones wait for their turn.
const MOST: usize = 32;

/// Drafts of which is remembered how many letters they let go.
const MOST_REMEMBERED: usize = 256;

/// The checks of drafts in this process, and what they set free.
pub(crate) struct Proving {
    turns: Arc<Semaphore>,
    begun: Arc<Mutex<HashSet<(DraftId, u64)>>>,
    /// How many letters waited for an account when it was signed in to again, by the draft that did it. The page that says so comes
    /// once, a moment later; a node that did not do the check says it without a number.
    released: Mutex<VecDeque<(DraftId, u64)>>,
}

/// One check of a draft, from when it was asked for until it is over.
struct Place {
    turns: Arc<Semaphore>,
    begun: Arc<Mutex<HashSet<(DraftId, u64)>>>,
    draft: (DraftId, u64),
}

impl Default for Proving {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(MOST)), begun: Arc::default(), released: Mutex::default() }
    }
}

impl Proving {
    /// A place in the queue; none if this revision of the draft has one already.
    fn place(&self, draft: (DraftId, u64)) -> Option<Place> {
        let is_new = locked(&self.begun).insert(draft);
        is_new.then(|| Place { turns: Arc::clone(&self.turns), begun: Arc::clone(&self.begun), draft })
    }

    fn put_released(&self, draft: DraftId, n: u64) {
        let mut all = locked(&self.released);
        if all.len() >= MOST_REMEMBERED {
            all.pop_front();
        }
        all.push_back((draft, n));
    }

    pub(super) fn n_released(&self, draft: DraftId) -> Option<u64> {
        locked(&self.released).iter().find(|(id, _)| *id == draft).map(|(_, n)| *n)
    }
}

impl Place {
    /// Waits until this check may go on; it may as long as what comes back is kept.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.begun).remove(&self.draft);
    }
}

fn locked<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the answer of a provider's page, also if whoever brought it closes the tab meanwhile: its code is spent by then. What it
/// brought is checked at once.
pub(super) async fn answer(
    app: &App,
    connecting: &Connecting,
    callback: Callback,
    asked_by: &str,
) -> Result<Draft, ConnectError> {
    let (in_background, connecting, asked_by) = (app.clone(), connecting.clone(), asked_by.to_owned());
    let answering = app.tasks.spawn(async move {
        let draft = connecting.answer(callback).await?;
        if draft.refused.is_none() {
            spawn(&in_background, &connecting, &draft, &asked_by);
        }
        Ok(draft)
    });
    // A task that was cut off or broke has taken nothing over that a new sign-in does not give again.
    answering.await.unwrap_or(Err(ConnectError::FlowOver))
}

/// Begins a check. When the server stops it is cut off: its lease runs out, and it can be begun again.
pub(super) fn spawn(app: &App, connecting: &Connecting, draft: &Draft, asked_by: &str) {
    let Some(place) = app.proving.place((draft.id, draft.revision)) else { return };
    let (app, connecting) = (app.clone(), connecting.clone());
    let (id, revision, asked_by) = (draft.id, draft.revision, asked_by.to_owned());
    let tasks = app.tasks.clone();
    tasks.spawn(async move {
        let stop = app.stop.clone();
        let proving = async {
            let _turn = place.turn().await;
            match connecting.check(id, revision, &app.rooms.reach, &asked_by).await {
                Ok(proven) => act(&app, proven, asked_by.clone()).await,
                Err(ConnectError::Store(error)) => Err(error),
                // Somebody was faster, or has changed the draft: its page shows how it is.
                Err(why) => {
                    tracing::info!(draft.id = %id, %why, "a check of a mailbox has ended early");
                    Ok(())
                }
            }
        };
        if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(proving)).await {
            tracing::warn!(draft.id = %id, %error, "a check of a mailbox could not be kept");
        }
    });
}

/// Lets the outbox act on a change of the account.
async fn act(app: &App, Proven { draft, change }: Proven, asked_by: String) -> Result<(), StoreError> {
    let (Some(change), Some(account)) = (change, draft.account) else { return Ok(()) };
    let (outbox, organisation) = (&app.rooms.outbox, draft.organisation);
    if change.released {
        let n_waiting = outbox.n_waiting(organisation, account).await;
        outbox.account_released(organisation, account).await?;
        app.proving.put_released(draft.id, n_waiting?);
    }
    outbox.account_changed(organisation, account);
    // The sign-in is proven; that letters leave and arrive follows, and too many checks at once are no reason to do without.
    let _ = check_in_background(app, organisation, account, asked_by);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::Poll;

    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let (proving, world) = (Proving::default(), gatepost_testkit::world().0);
        let first = DraftId::new(&world);
        proving.put_released(first, 3);
        assert_eq!(proving.n_released(first), Some(3));
        for n in 0..MOST_REMEMBERED as u64 {
            proving.put_released(DraftId::new(&world), n);
        }
        assert_eq!(proving.n_released(first), None);
    }

    #[tokio::test]
    async fn checks_wait_for_their_turn_once_a_draft() {
        let (proving, world) = (Proving::default(), gatepost_testkit::world().0);
        let place = || proving.place((DraftId::new(&world), 1)).unwrap();
        let places: Vec<Place> = (0..MOST).map(|_| place()).collect();
        let mut turns = Vec::new();
        for it in &places {
            turns.push(it.turn().await);
        }
        let late = place();
        assert!(proving.place(late.draft).is_none(), "asked for twice");
        assert!(proving.place((late.draft.0, 2)).is_some(), "changed meanwhile");
        {
            let mut turn = std::pin::pin!(late.turn());
            let waits = std::future::poll_fn(|context| Poll::Ready(turn.as_mut().poll(context).is_pending()));
            assert!(waits.await);
            turns.pop();
            assert!(turn.await.is_some());
        }
        let draft = late.draft;
        drop(late);
        assert!(proving.place(draft).is_some(), "it is over, so it can be asked for again");
    }
}
