//! Letters that were handed in on each of the last seven days.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gatepost_core::{OrganisationId, Timestamp};

use crate::frame::{App, Page, Problem};

/// Letters of one day that are counted; more make the bar no higher.
const COUNTED: u32 = 1_000_000;

/// Counts of spans that are over. They never change, so each is counted once a process.
#[derive(Default)]
pub(crate) struct Tally {
    known: Mutex<HashMap<(OrganisationId, Timestamp, Timestamp), u64>>,
}

/// Spans that are remembered.
const MOST: usize = 10_000;

/// The chart, in units of its drawing: 280 by 96.
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    /// The sentence that says the same.
    pub(super) today: String,
    pub(super) week: String,
}

pub(super) struct Bar {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) height: u64,
    /// For those who point at it, and for those who hear it.
    pub(super) words: String,
    pub(super) day: String,
}

impl Chart {
    pub(super) async fn of(app: &App, page: &Page, organisation: OrganisationId) -> Result<Self, Problem> {
        let mut days = Vec::new();
        for days_ago in (0..7).rev() {
            let (from, until) = app.zone.day(page.now, days_ago);
            days.push((from, n_accepted(app, organisation, from, until).await?));
        }
        let highest = days.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
        let bar = |(place, (from, n)): (usize, &(Timestamp, u64))| {
            let day = app.zone.weekday(*from);
            let height = (n * 72).div_ceil(highest).min(72);
            Bar {
                x: place as u64 * 40 + 4,
                y: 74 - height,
                height,
                words: page.t.count("home.chart_day", *n, &[("day", &day)]),
                day: day.chars().take(2).collect(),
            }
        };
        let (n_today, n_week) = (days.last().map_or(0, |(_, n)| *n), days.iter().map(|(_, n)| n).sum());
        Ok(Self {
            bars: days.iter().enumerate().map(bar).collect(),
            today: page.t.count("home.letters_today", n_today, &[]),
            week: page.t.count("home.letters_week", n_week, &[]),
        })
    }
}

/// What was handed in until a quarter of an hour ago is counted once; only what is younger is counted at each look.
async fn n_accepted(
    app: &App,
    organisation: OrganisationId,
    from: Timestamp,
    until: Timestamp,
) -> Result<u64, Problem> {
    let (outbox, settled) = (&app.rooms.outbox, settled(from, until, app.now()));
    let key = (organisation, from, settled);
    let n_settled = match app.tally.find(key) {
        Some(n) => n,
        None if from == settled => 0,
        None => {
            let n = outbox.n_accepted(organisation, from, settled, COUNTED).await?;
            app.tally.keep(key, n);
            n
        }
    };
    // Of the days before today nothing is left to count.
    let n_younger = match settled == until {
        true => 0,
        false => outbox.n_accepted(organisation, settled, until, COUNTED).await?,
    };
    Ok(n_settled + n_younger)
}

/// Until when nothing can be added to a span any more.
fn settled(from: Timestamp, until: Timestamp, now: Timestamp) -> Timestamp {
    const PIECE: i64 = 15 * 60 * 1_000;
    // A letter that was accepted just now may still be on its way into the database.
    let over = now.millis() - PIECE;
    Timestamp::from_millis(over - over.rem_euclid(PIECE)).clamp(from, until)
}

impl Tally {
    fn find(&self, key: (OrganisationId, Timestamp, Timestamp)) -> Option<u64> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
    }

    fn keep(&self, key: (OrganisationId, Timestamp, Timestamp), n: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key, n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_younger_than_a_quarter_of_an_hour_is_counted_again() {
        const MINUTE: i64 = 60_000;
        let at = |minutes: i64| Timestamp::from_millis(minutes * MINUTE);
        for (now, want) in [(10, 0), (29, 0), (30, 15), (44, 15), (45, 30), (1_440, 1_425), (1_460, 1_440)] {
            assert_eq!(settled(at(0), at(1_440), at(now)), at(want), "{now}");
        }
    }
}
