//! How much each app password sends: caps that can be set, and a warning when it is far more than usual (SS-20).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatepost_core::{AppPasswordId, Timestamp};

/// How many letters one app password may send. No caps by default: the account's own limits hold in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendingCaps {
    /// In one minute of the clock.
    pub per_minute: Option<u32>,
    /// In one day, counted in UTC.
    pub per_day: Option<u32>,
}

/// Which cap is reached. The text is shown to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CapReached {
    #[error("At most {0} letters a minute for this app password: try again in a minute")]
    PerMinute(u32),
    #[error("At most {0} letters a day for this app password: try again tomorrow")]
    PerDay(u32),
}

/// What one letter did to the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Usual,
    /// For the first time in this hour: more than three times the usual.
    FarMoreThanUsual {
        n_this_hour: u32,
    },
}

/// An hour with fewer letters is no cause for a warning, whatever is usual.
const WORTH_A_WARNING: u32 = 100;
/// Hours with letters before anything is called usual.
const HOURS_TO_LEARN: u32 = 24;
/// Beyond this many, app passwords that sent nothing today are forgotten.
const MANY: usize = 10_000;

/// The counts of all app passwords, in memory: a restart begins anew.
pub(crate) struct SendingRates {
    caps: SendingCaps,
    counts: Mutex<HashMap<AppPasswordId, Counts>>,
}

#[derive(Default)]
struct Counts {
    minute: i64,
    n_minute: u32,
    day: i64,
    n_day: u32,
    hour: i64,
    n_hour: u32,
    /// Letters in an hour that has any, averaged over about ten such hours.
    usual: f64,
    n_hours: u32,
    is_warned: bool,
}

impl SendingRates {
    pub(crate) fn new(caps: SendingCaps) -> Self {
        Self { caps, counts: Mutex::default() }
    }

    /// Whether one more letter may be sent; counts nothing. Asked at MAIL, so that nobody sends a body in vain.
    pub(crate) fn look(&self, id: AppPasswordId, now: Timestamp) -> Result<(), CapReached> {
        self.with(id, now, |counts| counts.check(self.caps))
    }

    /// Counts a letter, if it may be sent. Of two that want the last place, one gets it.
    pub(crate) fn count(&self, id: AppPasswordId, now: Timestamp) -> Result<Pace, CapReached> {
        self.with(id, now, |counts| {
            counts.check(self.caps)?;
            Ok(counts.add())
        })
    }

    /// Takes back a letter that was counted and then could not be stored.
    pub(crate) fn take_back(&self, id: AppPasswordId, now: Timestamp) {
        self.with(id, now, |counts| {
            counts.n_minute = counts.n_minute.saturating_sub(1);
            counts.n_day = counts.n_day.saturating_sub(1);
            counts.n_hour = counts.n_hour.saturating_sub(1);
        });
    }

    fn with<T>(&self, id: AppPasswordId, now: Timestamp, act: impl FnOnce(&mut Counts) -> T) -> T {
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY && !all.contains_key(&id) {
            all.retain(|_, it| it.day == now.day());
        }
        let counts = all.entry(id).or_default();
        counts.move_to(now);
        act(counts)
    }
}

impl Counts {
    /// Begins new windows where the clock has left the old ones.
    fn move_to(&mut self, now: Timestamp) {
        let (minute, hour, day) = (now.seconds().div_euclid(60), now.seconds().div_euclid(3_600), now.day());
        if minute != self.minute {
            (self.minute, self.n_minute) = (minute, 0);
        }
        if day != self.day {
            (self.day, self.n_day) = (day, 0);
        }
        if hour != self.hour {
            if self.n_hour > 0 {
                let share = if self.n_hours == 0 { 1.0 } else { 0.1 };
                self.usual += (f64::from(self.n_hour) - self.usual) * share;
                self.n_hours = self.n_hours.saturating_add(1);
            }
            (self.hour, self.n_hour, self.is_warned) = (hour, 0, false);
        }
    }

    fn check(&self, caps: SendingCaps) -> Result<(), CapReached> {
        match caps {
            SendingCaps { per_minute: Some(most), .. } if self.n_minute >= most => {
                Err(CapReached::PerMinute(most))
            }
            SendingCaps { per_day: Some(most), .. } if self.n_day >= most => Err(CapReached::PerDay(most)),
            _ => Ok(()),
        }
    }

    fn add(&mut self) -> Pace {
        self.n_minute = self.n_minute.saturating_add(1);
        self.n_day = self.n_day.saturating_add(1);
        self.n_hour = self.n_hour.saturating_add(1);
        let is_far_more = self.n_hours >= HOURS_TO_LEARN
            && self.n_hour >= WORTH_A_WARNING
            && f64::from(self.n_hour) > 3.0 * self.usual;
        if is_far_more && !std::mem::replace(&mut self.is_warned, true) {
            Pace::FarMoreThanUsual { n_this_hour: self.n_hour }
        } else {
            Pace::Usual
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatepost_testkit::ManualClock;

    use super::*;

    fn rates(per_minute: Option<u32>, per_day: Option<u32>) -> (SendingRates, AppPasswordId) {
        let (world, _clock) = gatepost_testkit::world();
        (SendingRates::new(SendingCaps { per_minute, per_day }), AppPasswordId::new(&world))
    }

    /// SS-20.
    #[test]
    fn caps_count_the_minutes_and_the_days_of_the_clock() {
        let (rates, id) = rates(Some(2), Some(3));
        let now = ManualClock::START;
        assert_eq!(rates.look(id, now), Ok(()));
        assert_eq!(rates.count(id, now), Ok(Pace::Usual));
        assert_eq!(rates.count(id, now), Ok(Pace::Usual));
        assert_eq!(rates.count(id, now), Err(CapReached::PerMinute(2)));
        assert_eq!(rates.look(id, now), Err(CapReached::PerMinute(2)));
        rates.take_back(id, now);
        assert_eq!(rates.count(id, now), Ok(Pace::Usual));
        let later = now + Duration::from_secs(60);
        assert_eq!(rates.count(id, later), Ok(Pace::Usual));
        assert_eq!(rates.count(id, later), Err(CapReached::PerDay(3)));
        assert_eq!(rates.count(id, later + Duration::from_hours(24)), Ok(Pace::Usual));
    }

    #[test]
    fn one_app_password_does_not_use_up_another_ones_cap() {
        let (world, _clock) = gatepost_testkit::world();
        let (rates, _) = rates(Some(1), None);
        let (one, other) = (AppPasswordId::new(&world), AppPasswordId::new(&world));
        assert_eq!(rates.count(one, world.now()), Ok(Pace::Usual));
        assert_eq!(rates.count(other, world.now()), Ok(Pace::Usual));
        assert_eq!(rates.count(one, world.now()), Err(CapReached::PerMinute(1)));
    }

    /// SS-20.
    #[test]
    fn three_times_the_usual_is_told_once_an_hour() {
        let (rates, id) = rates(None, None);
        let mut now = ManualClock::START;
        let send = |n: u32, now| {
            (0..n).map(|_| rates.count(id, now).unwrap()).filter(|it| *it != Pace::Usual).collect::<Vec<_>>()
        };
        assert_eq!(send(1_000, now), [], "nothing is usual in the first hour");
        for _ in 0..48 {
            now = now + Duration::from_hours(1);
            assert_eq!(send(50, now), []);
        }
        now = now + Duration::from_hours(1);
        assert_eq!(send(150, now), [], "three times as many are not more than three times as many");
        assert!(matches!(send(100, now)[..], [Pace::FarMoreThanUsual { n_this_hour }] if n_this_hour < 250));
    }

    #[test]
    fn app_passwords_that_are_quiet_are_forgotten() {
        let (world, _clock) = gatepost_testkit::world();
        let (rates, _) = rates(None, None);
        for _ in 0..MANY {
            rates.count(AppPasswordId::new(&world), world.now()).unwrap();
        }
        rates.count(AppPasswordId::new(&world), world.now() + Duration::from_hours(24)).unwrap();
        assert_eq!(rates.counts.lock().unwrap().len(), 1);
    }
}
