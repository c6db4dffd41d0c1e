//! A lower bound on how fast a body has to come.

use std::time::Duration;

use tokio::time::Instant;

/// Deadlines for a transfer that must keep up an average: a peer that sends a byte now and then would otherwise hold a
/// connection for ever (SS-11).
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    started: Instant,
    grace: Duration,
    bytes_per_second: u32,
    hard_end: Instant,
}

impl Pace {
    /// From now on, after `grace`, at least `bytes_per_second` on average; at `longest` it is over in any case.
    #[must_use]
    pub fn new(grace: Duration, bytes_per_second: u32, longest: Duration) -> Self {
        let started = Instant::now();
        Self { started, grace, bytes_per_second, hard_end: started + longest }
    }

    /// When the next bytes have to be there, given how many came until now.
    #[must_use]
    pub fn deadline(&self, bytes_so_far: u64) -> Instant {
        let earned = Duration::from_secs(bytes_so_far / u64::from(self.bytes_per_second.max(1)));
        // What was sent early is no licence to stop for ever.
        (self.started + self.grace).checked_add(earned).map_or(self.hard_end, |at| at.min(self.hard_end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_earn_time_up_to_the_hard_end() {
        let start = Instant::now();
        let pace = Pace::new(Duration::from_secs(30), 500, Duration::from_secs(600));
        assert_eq!(pace.deadline(0), start + Duration::from_secs(30));
        assert_eq!(pace.deadline(5_000), start + Duration::from_secs(40));
        assert_eq!(pace.deadline(u64::MAX), start + Duration::from_secs(600));
    }
}
