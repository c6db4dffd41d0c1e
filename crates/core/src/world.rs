//! Time and randomness as things that are handed in, so that tests move them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use uuid::Uuid;

use crate::Timestamp;

/// Tells the time of day. It may be set back or forward at any moment; spans that must not notice use
/// [`std::time::Instant`] or the runtime's timers.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes fit for keys.
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The computer's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the computer's clock")]
    fn now(&self) -> Timestamp {
        let span = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The operating system's random source, the only one there is (VA-10).
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes)
            .expect("the operating system always gives random bytes once it has booted");
    }
}

/// The clock and the randomness of one program or one test, and the ids made from both. Cheap to clone.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    last_id: Arc<Mutex<(u64, u16)>>,
}

impl World {
    /// A world with this clock and this randomness.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, last_id: Arc::default() }
    }

    /// The real one: the computer's clock and the operating system's randomness.
    #[must_use]
    pub fn real() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(OsRandom))
    }

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// `N` random bytes fit for keys.
    #[must_use]
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Fills `bytes` with randomness fit for keys.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.random.fill(bytes);
    }

    /// A UUIDv7 larger than all before it. RFC 9562 §6.2, method 1: the 12 bits after the time count ids of one
    /// millisecond, and a clock that was set back is not followed.
    pub(crate) fn new_uuid(&self) -> Uuid {
        let now = u64::try_from(self.now().millis()).unwrap_or(0);
        let (millis, count) = {
            let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
            *last = match *last {
                (then, _) if now > then => (now, 0),
                (then, 0xfff) => (then + 1, 0),
                (then, count) => (then, count + 1),
            };
            *last
        };
        let mut tail: [u8; 10] = self.random();
        tail[..2].copy_from_slice(&count.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SubmissionId;

    struct Steps(Mutex<Vec<i64>>);

    impl Clock for Steps {
        fn now(&self) -> Timestamp {
            let mut left = self.0.lock().unwrap();
            Timestamp::from_millis(if left.len() > 1 { left.remove(0) } else { left[0] })
        }
    }

    #[test]
    fn ids_rise_within_a_millisecond_and_when_the_clock_is_set_back() {
        let clock = Arc::new(Steps(Mutex::new(vec![1_000_000, 1_000_000, 500_000, 1_000_001, 7])));
        let world = World::new(clock, Arc::new(OsRandom));
        let ids: Vec<_> = (0..10_000).map(|_| SubmissionId::new(&world)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.uuid().get_version_num() == 7));
    }
}
