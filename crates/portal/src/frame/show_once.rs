//! What is shown once and kept nowhere but here until then.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_core::SessionId;
use tokio::time::Instant;

/// Things that wait at the same time. More than any organisation makes within minutes; the oldest give way.
const MOST: usize = 4_096;

/// Keeps things for the session that made them, in memory alone: app passwords, links to hand over, recovery codes. They are never
/// in the database, so a restart loses them.
pub(crate) struct ShowOnce<T> {
    waiting: Mutex<HashMap<(SessionId, String), Waiting<T>>>,
}

struct Waiting<T> {
    until: Instant,
    it: T,
}

impl<T> Default for ShowOnce<T> {
    fn default() -> Self {
        Self { waiting: Mutex::default() }
    }
}

impl<T> ShowOnce<T> {
    /// Keeps `it` under a key of the page's choice, such as the id of what was made, for at most `lives`.
    pub(crate) fn keep(&self, session: SessionId, key: &str, it: T, lives: Duration) {
        let now = Instant::now();
        let mut waiting = self.lock(now);
        if waiting.len() >= MOST
            && let Some(oldest) = waiting.iter().min_by_key(|(_, it)| it.until).map(|(key, _)| key.clone())
        {
            waiting.remove(&oldest);
        }
        waiting.insert((session, key.to_owned()), Waiting { until: now + lives, it });
    }

    /// Takes it out: the next call finds nothing.
    pub(crate) fn take(&self, session: SessionId, key: &str) -> Option<T> {
        self.lock(Instant::now()).remove(&(session, key.to_owned())).map(|it| it.it)
    }

    /// Looks at it, and leaves it there.
    pub(crate) fn look<R>(&self, session: SessionId, key: &str, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.lock(Instant::now()).get(&(session, key.to_owned())).map(|it| look(&it.it))
    }

    /// The session continues under another id.
    pub(crate) fn follow(&self, old: SessionId, new: SessionId) {
        let mut waiting = self.lock(Instant::now());
        let keys: Vec<_> = waiting.keys().filter(|(session, _)| *session == old).cloned().collect();
        for key in keys {
            if let Some(it) = waiting.remove(&key) {
                waiting.insert((new, key.1), it);
            }
        }
    }

    /// The session is over.
    pub(crate) fn forget(&self, session: SessionId) {
        self.lock(Instant::now()).retain(|(owner, _), _| *owner != session);
    }

    fn lock(&self, now: Instant) -> MutexGuard<'_, HashMap<(SessionId, String), Waiting<T>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, it| it.until > now);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> SessionId {
        SessionId::new(&gatepost_testkit::world().0)
    }

    #[tokio::test]
    async fn what_is_shown_once_is_taken_by_its_own_session_once() {
        let (once, mine, other) =
            (ShowOnce::default(), session(), SessionId::from_uuid(gatepost_core::LARGEST_ID));
        once.keep(mine, "a", 1, Duration::from_secs(120));
        assert_eq!(once.take(other, "a"), None);
        assert_eq!(once.take(mine, "b"), None);
        assert_eq!(once.look(mine, "a", |it| *it), Some(1));
        assert_eq!(once.take(mine, "a"), Some(1));
        assert_eq!(once.take(mine, "a"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_gone_when_its_time_is_over() {
        let (once, mine) = (ShowOnce::default(), session());
        once.keep(mine, "a", 1, Duration::from_secs(120));
        tokio::time::advance(Duration::from_secs(121)).await;
        assert_eq!(once.take(mine, "a"), None);
    }

    #[tokio::test]
    async fn it_follows_its_session_to_a_new_id_and_ends_with_it() {
        let (once, mine, new) =
            (ShowOnce::default(), session(), SessionId::from_uuid(gatepost_core::LARGEST_ID));
        once.keep(mine, "a", 1, Duration::from_secs(120));
        once.follow(mine, new);
        assert_eq!((once.look(mine, "a", |it| *it), once.look(new, "a", |it| *it)), (None, Some(1)));
        once.forget(new);
        assert_eq!(once.take(new, "a"), None);
    }

    #[tokio::test]
    async fn the_memory_is_bounded() {
        let (once, mine) = (ShowOnce::default(), session());
        for n in 0..MOST + 10 {
            once.keep(mine, &n.to_string(), n, Duration::from_secs(120));
        }
        assert_eq!(once.waiting.lock().unwrap().len(), MOST);
    }
}
