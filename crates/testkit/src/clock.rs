//! Time that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gatepost_core::{Clock, Timestamp, World};

use crate::SeededRandom;

/// A clock that shows what it was set to. Begins on 21 November 2026, 09:12 UTC.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Where a new clock stands: `2026-11-21T09:12:00.000Z`.
    pub const START: Timestamp = Timestamp::from_millis(1_795_252_320_000);

    /// A clock that stands at [`Self::START`].
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(Self::START.millis())))
    }

    /// Moves time forward.
    pub fn advance(&self, span: Duration) {
        self.set(self.now() + span);
    }

    /// Sets the clock, also back.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A world whose time is moved by hand and whose randomness is the same in every run, and the clock that moves it.
#[must_use]
pub fn world() -> (World, Arc<ManualClock>) {
    let clock = ManualClock::new();
    (World::new(clock.clone(), Arc::new(SeededRandom::new(1))), clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_by_hand() {
        let (world, clock) = world();
        assert_eq!(world.now().to_string(), "2026-11-21T09:12:00.000Z");
        clock.advance(Duration::from_millis(1500));
        assert_eq!(world.now().to_string(), "2026-11-21T09:12:01.500Z");
        clock.set(Timestamp::EPOCH);
        assert_eq!(world.now(), Timestamp::EPOCH);
    }
}
