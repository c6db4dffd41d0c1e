//! Noticing that the clock was set (QS-14).

use std::time::{Duration, Instant};

use gatepost_core::{Timestamp, World};

/// Smaller differences are the clock being steered.
const NOTICED: Duration = Duration::from_secs(5);

/// Compares the time of day with a clock that only goes forward.
pub(super) struct StepWatch {
    at: Timestamp,
    since: Instant,
}

impl StepWatch {
    pub(super) fn new(world: &World) -> Self {
        Self { at: world.now(), since: Instant::now() }
    }

    /// Whether the clock was set back since the last look.
    pub(super) fn was_set_back(&mut self, world: &World) -> bool {
        let (now, expected) = (world.now(), self.at + self.since.elapsed());
        *self = Self::new(world);
        now + NOTICED < expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_step_back_is_noticed() {
        let (world, clock) = gatepost_testkit::world();
        let mut watch = StepWatch::new(&world);
        assert!(!watch.was_set_back(&world));
        clock.advance(Duration::from_hours(1));
        assert!(!watch.was_set_back(&world));
        clock.set(world.now() - Duration::from_hours(1));
        assert!(watch.was_set_back(&world));
        assert!(!watch.was_set_back(&world));
    }
}
