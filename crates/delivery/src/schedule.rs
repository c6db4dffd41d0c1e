//! When a deferred delivery is tried again.

use std::time::Duration;

use gatepost_core::{RetryClass, World};

/// Delay after the `n_attempts`-th attempt (the first call passes 1): doubles from 1 minute up to 4,000 seconds. `jitter` is
/// in `0.0..1.0` and adds up to 10 %, so that a restart does not retry all at once.
///
/// Source: RFC 5321 §4.5.4.1 recommends 30 minutes or more and giving up after 4–5 days; we start lower because all attempts
/// go to one provider, whose stated limits we obey anyway (SC-9).
#[must_use]
pub fn retry_delay(n_attempts: u32, jitter: f64) -> Duration {
    let base = Duration::from_secs(60) * 2_u32.saturating_pow(n_attempts.saturating_sub(1).min(10));
    base.min(Duration::from_secs(4_000)).mul_f64(1.0 + jitter.clamp(0.0, 1.0) * 0.1)
}

/// The delay by the schedule, or longer if the provider asks for it.
pub(crate) fn delay_for(world: &World, n_attempts: u32, class: RetryClass) -> Duration {
    let jitter = f64::from(u16::from_be_bytes(world.random())) / f64::from(u16::MAX);
    let scheduled = retry_delay(n_attempts, jitter);
    match class {
        RetryClass::Backoff { at_least } => scheduled.max(at_least),
        RetryClass::Now | RetryClass::Hold | RetryClass::Permanent => scheduled,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_schedule_is_the_documented_one() {
        let seconds: Vec<u64> = (1..=9).map(|n| retry_delay(n, 0.0).as_secs()).collect();
        assert_eq!(seconds, [60, 120, 240, 480, 960, 1_920, 3_840, 4_000, 4_000]);
        assert_eq!(retry_delay(1, 1.0), Duration::from_secs(66));
    }

    proptest! {
        #[test]
        fn a_retry_delay_never_shrinks_and_stays_in_its_bounds(n in 1_u32.., jitter in 0.0..1.0_f64) {
            prop_assert!(retry_delay(n.saturating_add(1), jitter) >= retry_delay(n, jitter));
            prop_assert!(retry_delay(n, jitter) >= Duration::from_secs(60));
            prop_assert!(retry_delay(n, jitter) <= Duration::from_secs(4_400));
        }
    }
}
