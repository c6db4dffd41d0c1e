//! Times that a clock which was set back may have left in the future.

use std::time::Duration;

use gatepost_core::Timestamp;

/// How far the clocks of two nodes may be apart.
pub(super) const SLACK: Duration = Duration::from_secs(30);

/// Whether it was at most `span` ago. What lies further ahead than clocks differ was written before the clock was set back, and
/// counts as never.
pub(super) fn is_recent(at: Timestamp, span: Duration, now: Timestamp) -> bool {
    now.since(at) <= span && at.since(now) <= SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_is_no_proof_of_anything() {
        let now = Timestamp::from_millis(1_000_000_000);
        let (span, moment) = (Duration::from_mins(5), Duration::from_millis(1));
        assert!(is_recent(now, span, now) && is_recent(now - span, span, now));
        assert!(!is_recent(now - span - moment, span, now));
        assert!(is_recent(now + SLACK, span, now), "the clock of another node");
        assert!(!is_recent(now + SLACK + moment, span, now));
    }
}
