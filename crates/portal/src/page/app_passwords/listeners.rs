//! Who listens to the doors at this moment: one stream a session, and not too many in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::SessionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Streams at once.
const MOST: usize = 64;

/// All streams of this door.
pub(crate) struct Listeners {
    places: Arc<Semaphore>,
    streams: Arc<Mutex<HashMap<SessionId, CancellationToken>>>,
    pub(super) tasks: TaskTracker,
}

/// The place of one stream, until it is dropped.
pub(super) struct Place {
    session: SessionId,
    streams: Arc<Mutex<HashMap<SessionId, CancellationToken>>>,
    /// Another tab of the same session listens now.
    pub(super) taken_over: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(MOST)), streams: Arc::default(), tasks: TaskTracker::new() }
    }
}

impl Listeners {
    /// A place for that session, whose other stream ends. None where all are taken.
    pub(super) fn begin(&self, session: SessionId) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let taken_over = CancellationToken::new();
        if let Some(older) = locked(&self.streams).insert(session, taken_over.clone()) {
            older.cancel();
        }
        Some(Place { session, streams: Arc::clone(&self.streams), taken_over, _permit: permit })
    }

    /// Waits for all streams, once they were told to end. Browsers come back by themselves to a server that is there again.
    pub(crate) async fn end(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What took it over has the entry.
        if !self.taken_over.is_cancelled() {
            locked(&self.streams).remove(&self.session);
        }
    }
}

fn locked(
    streams: &Mutex<HashMap<SessionId, CancellationToken>>,
) -> MutexGuard<'_, HashMap<SessionId, CancellationToken>> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_session_has_one_stream_and_the_newest_is_it() {
        let listeners = Listeners::default();
        let world = gatepost_testkit::world().0;
        let session = SessionId::new(&world);
        let first = listeners.begin(session).unwrap();
        let second = listeners.begin(session).unwrap();
        assert!(first.taken_over.is_cancelled() && !second.taken_over.is_cancelled());
        drop(first);
        let third = listeners.begin(session).unwrap();
        assert!(second.taken_over.is_cancelled());
        drop((second, third));
        assert!(locked(&listeners.streams).is_empty());
    }

    #[tokio::test]
    async fn there_are_sixty_four_places_and_each_is_given_back() {
        let listeners = Listeners::default();
        let world = gatepost_testkit::world().0;
        let mut all: Vec<_> = (0..MOST).map(|_| listeners.begin(SessionId::new(&world)).unwrap()).collect();
        assert!(listeners.begin(SessionId::new(&world)).is_none());
        all.pop();
        assert!(listeners.begin(SessionId::new(&world)).is_some());
    }
}
