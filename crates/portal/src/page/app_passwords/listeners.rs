//! Who listens to the doors at this moment: one stream a session, a few a person, and not too many in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::{PersonId, SessionId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Streams at once.
const MOST: usize = 64;

/// Streams of one person at once.
const MOST_A_PERSON: usize = 4;

/// All streams of this door.
#[derive(Default)]
pub(crate) struct Listeners {
    streams: Arc<Streams>,
    pub(super) tasks: TaskTracker,
}

type Streams = Mutex<HashMap<SessionId, Stream>>;

struct Stream {
    person: PersonId,
    taken_over: CancellationToken,
}

/// The place of one stream, until it is dropped.
pub(super) struct Place {
    session: SessionId,
    streams: Arc<Streams>,
    /// Another tab of the same session listens now.
    pub(super) taken_over: CancellationToken,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Everybody's are taken.
    All,
    /// That person's are.
    Own,
}

impl Listeners {
    /// A place for that session. If it has one, that is the one, and the other stream ends.
    pub(super) fn begin(&self, session: SessionId, person: PersonId) -> Result<Place, Full> {
        let mut streams = locked(&self.streams);
        if let Some(older) = streams.get(&session) {
            older.taken_over.cancel();
        } else if streams.values().filter(|it| it.person == person).count() >= MOST_A_PERSON {
            return Err(Full::Own);
        } else if streams.len() >= MOST {
            return Err(Full::All);
        }
        let taken_over = CancellationToken::new();
        streams.insert(session, Stream { person, taken_over: taken_over.clone() });
        Ok(Place { session, streams: Arc::clone(&self.streams), taken_over })
    }

    /// Waits for all streams, once they were told to end. Browsers come back by themselves to a server that is there again.
    pub(crate) async fn end(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut streams = locked(&self.streams);
        // What took it over has the entry.
        if !self.taken_over.is_cancelled() {
            streams.remove(&self.session);
        }
    }
}

fn locked(streams: &Streams) -> MutexGuard<'_, HashMap<SessionId, Stream>> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use gatepost_core::World;

    use super::*;

    fn world() -> World {
        gatepost_testkit::world().0
    }

    /// A place for somebody whom nobody has seen before.
    fn begin(listeners: &Listeners, world: &World) -> Result<Place, Full> {
        listeners.begin(SessionId::new(world), PersonId::new(world))
    }

    #[test]
    fn a_session_has_one_stream_and_the_newest_is_it() {
        let (listeners, world) = (Listeners::default(), world());
        let (session, person) = (SessionId::new(&world), PersonId::new(&world));
        let first = listeners.begin(session, person).unwrap();
        let second = listeners.begin(session, person).unwrap();
        assert!(first.taken_over.is_cancelled() && !second.taken_over.is_cancelled());
        drop(first);
        let third = listeners.begin(session, person).unwrap();
        assert!(second.taken_over.is_cancelled());
        drop((second, third));
        assert!(locked(&listeners.streams).is_empty());
    }

    #[test]
    fn there_are_sixty_four_places_and_each_is_given_back() {
        let (listeners, world) = (Listeners::default(), world());
        let mut all: Vec<_> = (0..MOST).map(|_| begin(&listeners, &world).unwrap()).collect();
        assert_eq!(begin(&listeners, &world).err(), Some(Full::All));
        all.pop();
        assert!(begin(&listeners, &world).is_ok());
    }

    /// Somebody who signed in often took all places.
    #[test]
    fn nobody_has_more_than_four_places() {
        let (listeners, world) = (Listeners::default(), world());
        let person = PersonId::new(&world);
        let mut own: Vec<_> =
            (0..MOST_A_PERSON).map(|_| listeners.begin(SessionId::new(&world), person).unwrap()).collect();
        assert_eq!(listeners.begin(SessionId::new(&world), person).err(), Some(Full::Own));
        assert!(begin(&listeners, &world).is_ok());
        own.pop();
        assert!(listeners.begin(SessionId::new(&world), person).is_ok());
    }

    /// A second tab was sent away although its own session held the place that it could have had.
    #[test]
    fn a_second_tab_takes_its_own_place_when_all_are_taken() {
        let (listeners, world) = (Listeners::default(), world());
        let (session, person) = (SessionId::new(&world), PersonId::new(&world));
        let first = listeners.begin(session, person).unwrap();
        let _all: Vec<_> = (1..MOST).map(|_| begin(&listeners, &world).unwrap()).collect();
        let second = listeners.begin(session, person).unwrap();
        assert!(first.taken_over.is_cancelled() && !second.taken_over.is_cancelled());
    }
}
