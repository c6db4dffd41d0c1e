//! Times as people read them.

use gatepost_core::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};

/// The time zone in which pages show times.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

/// One time on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// For `<time datetime>`: RFC 3339 in UTC.
    pub machine: String,
    /// `09:12:05 today`, `09:12:05 yesterday` or `19 November 2026, 09:12:05`.
    pub words: String,
}

impl Zone {
    /// The one this computer is set to; UTC if that cannot be found out.
    #[must_use]
    pub fn of_this_computer() -> Self {
        Self(TimeZone::try_system().unwrap_or(TimeZone::UTC))
    }

    /// UTC.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// How `at` is shown to someone who looks at `now`.
    #[must_use]
    pub fn show(&self, at: Timestamp, now: Timestamp) -> Moment {
        let (local, today) = (self.local(at), self.local(now).date());
        let time = local.strftime("%H:%M:%S");
        let words = if local.date() == today {
            format!("{time} today")
        } else if today.checked_sub(1.day()).is_ok_and(|yesterday| local.date() == yesterday) {
            format!("{time} yesterday")
        } else {
            format!("{}, {time}", local.strftime("%-d %B %Y"))
        };
        Moment { machine: at.to_string(), words }
    }

    /// When the day began that was `days_ago` before the one of `now`, and when it ended.
    #[must_use]
    pub fn day(&self, now: Timestamp, days_ago: u8) -> (Timestamp, Timestamp) {
        let date = self.local(now).date().saturating_sub(i64::from(days_ago).days());
        let begin = |date: Date| {
            let zoned = date.to_zoned(self.0.clone()).map(|it| it.timestamp()).unwrap_or_default();
            Timestamp::from_millis(zoned.as_millisecond())
        };
        (begin(date), begin(date.saturating_add(1.day())))
    }

    /// `Monday`.
    #[must_use]
    pub fn weekday(&self, at: Timestamp) -> String {
        self.local(at).strftime("%A").to_string()
    }

    /// The last second of a day that is written as browsers write it, `2026-12-31`.
    #[must_use]
    pub fn end_of_day(&self, day: &str) -> Option<Timestamp> {
        let day: Date = day.trim().parse().ok()?;
        let end = day.at(23, 59, 59, 0).to_zoned(self.0.clone()).ok()?;
        Some(Timestamp::from_millis(end.timestamp().as_millisecond()))
    }

    /// The day as browsers write it.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> String {
        self.local(at).date().to_string()
    }

    fn local(&self, at: Timestamp) -> Zoned {
        jiff::Timestamp::from_millisecond(at.millis())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_days_have_names() {
        let now = Timestamp::from_millis(1_795_252_320_000);
        let hour = 3_600_000;
        for (ago, words) in [
            (0, "09:12:00 today"),
            (9 * hour, "00:12:00 today"),
            (10 * hour, "23:12:00 yesterday"),
            (34 * hour, "19 November 2026, 23:12:00"),
        ] {
            let at = Timestamp::from_millis(now.millis() - ago);
            assert_eq!(Zone::utc().show(at, now).words, words);
        }
        assert_eq!(Zone::utc().show(now, now).machine, "2026-11-21T09:12:00.000Z");
        let (from, until) = Zone::utc().day(now, 1);
        assert_eq!(
            (from.to_string().as_str(), until.to_string().as_str()),
            ("2026-11-20T00:00:00.000Z", "2026-11-21T00:00:00.000Z")
        );
        assert_eq!(Zone::utc().weekday(from), "Friday");
    }

    #[test]
    fn a_day_ends_with_its_last_second() {
        let end = Zone::utc().end_of_day("2026-12-31").unwrap();
        assert_eq!(end.to_string(), "2026-12-31T23:59:59.000Z");
        assert_eq!(Zone::utc().date(end), "2026-12-31");
        for wrong in ["", "31.12.2026", "2026-02-30", "2026-13-01", "99999-01-01", "tomorrow"] {
            assert_eq!(Zone::utc().end_of_day(wrong), None, "{wrong:?}");
        }
    }
}
