//! The running clock: the time of day less all the time an account was held.

use std::collections::HashMap;
use std::time::Duration;

use gatepost_core::{MailAccountId, Timestamp};

/// An account's running clock, as it was read. A letter's life is counted on it, so that no time in which the account was
/// parked or paused brings a letter closer to being given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunningClock {
    /// All closed spans of holding.
    pub(crate) held_for: Duration,
    /// Since when it stands still, if it does.
    pub(crate) held_since: Option<Timestamp>,
}

impl RunningClock {
    /// What it shows at `now`. While the account is held it stands still.
    #[must_use]
    pub fn reading(self, now: Timestamp) -> Timestamp {
        self.held_since.unwrap_or(now) - self.held_for
    }

    /// The clock after the account was found held or not at `now`.
    pub(crate) fn turned(self, is_held: bool, now: Timestamp) -> Self {
        match (self.held_since, is_held) {
            (None, true) => Self { held_since: Some(now), ..self },
            (Some(since), false) => Self { held_for: self.held_for + now.since(since), held_since: None },
            (None, false) | (Some(_), true) => self,
        }
    }
}

/// The running clocks of an organisation's accounts as they stood at one moment; can be moved into a store job.
#[derive(Clone, Debug, Default)]
pub struct RunningClocks(pub(crate) HashMap<MailAccountId, RunningClock>);

impl RunningClocks {
    /// What the account's clock shows at `now`. Without an account, or for one that is not known, nothing was ever held.
    #[must_use]
    pub fn reading(&self, account: Option<MailAccountId>, now: Timestamp) -> Timestamp {
        account.and_then(|id| self.0.get(&id)).copied().unwrap_or_default().reading(now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_clock_that_was_set_back_takes_nothing_away() {
        let at = Timestamp::from_millis;
        let held = RunningClock::default().turned(true, at(1_000));
        assert_eq!(held.turned(false, at(400)).reading(at(400)), at(400));
        assert_eq!(held.reading(at(400)), at(1_000));
    }

    proptest! {
        /// Of all steps of time, exactly those in which the account was not held count.
        #[test]
        fn held_time_does_not_count(steps in prop::collection::vec((any::<bool>(), 0_i64..1_000_000), 0..40)) {
            let (mut now, mut clock, mut counted) = (Timestamp::from_millis(5), RunningClock::default(), 0);
            for (is_held, span) in steps {
                clock = clock.turned(is_held, now);
                now = Timestamp::from_millis(now.millis() + span);
                if !is_held {
                    counted += span;
                }
                prop_assert_eq!(clock.reading(now).millis(), 5 + counted);
            }
        }
    }
}
