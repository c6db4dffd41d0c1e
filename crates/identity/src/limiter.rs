//! Wrong sign-ins, counted per source, for every door at once (ID-8, ID-9).
//!
//! The limits are wide enough that a typing error or a stale device never takes an office offline: the same wrong secret
//! counts once a day, and whoever got in within 30 days is always checked. App passwords themselves are never disabled by
//! misses; with 75 bits each, slowing the guesser is enough.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{Network, SecretText, Timestamp, World};
use gatepost_vault::{PurposeKey, keyed_hash};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);
/// How long a source and login that got in are always checked.
const TRUSTED_FOR: Duration = Duration::from_hours(30 * 24);
/// Misses of one source in a minute and in a day.
const MISSES: (u32, u32) = (10, 50);
/// Each source with two wider blocks around it, and how much more those may miss. The widths are mox's.
const BLOCKS_V4: [(u8, u32); 3] = [(32, 1), (26, 3), (21, 9)];
const BLOCKS_V6: [(u8, u32); 3] = [(64, 1), (48, 3), (32, 9)];
/// How many blocks, wrong secrets and trusted pairs are remembered; about 10 MiB in all.
const MOST: usize = 50_000;

/// Counts misses. Times come from the caller's [`World`].
pub(crate) struct Limiter {
    /// Remembered hashes are under a key of this process alone and die with it.
    key: PurposeKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    blocks: HashMap<Network, Misses>,
    wrong: HashMap<Seen, Timestamp>,
    trusted: HashMap<Seen, Timestamp>,
}

/// A keyed hash over a source and a login, for wrong secrets with the secret: neither can be read back from memory.
type Seen = [u8; 32];

struct Misses {
    minute: Window,
    day: Window,
}

struct Window {
    since: Timestamp,
    n: u32,
}

/// One try that was let through. It counts as a miss until [`Limiter::forgive`] takes it back, so that many tries at the same
/// moment do not all slip under the limit.
pub(crate) struct Try {
    source: IpAddr,
    pair: Seen,
    wrong: Seen,
    is_counted: bool,
}

impl Limiter {
    pub(crate) fn new(world: &World) -> Self {
        Self { key: PurposeKey::generate(world), state: Mutex::default() }
    }

    /// Lets a try through, or says how long this source has to wait. A secret that was wrong already today is not counted
    /// again.
    pub(crate) fn begin(
        &self,
        source: IpAddr,
        user_name: &str,
        secret: &SecretText,
        now: Timestamp,
    ) -> Result<Try, Duration> {
        let block = blocks(source)[0].0.to_string();
        let pair = self.hash(&[block.as_bytes(), user_name.as_bytes()]);
        let wrong = self.hash(&[block.as_bytes(), user_name.as_bytes(), secret.reveal().as_bytes()]);
        let mut state = self.lock();
        let is_trusted = state.trusted.get(&pair).is_some_and(|at| now.since(*at) < TRUSTED_FOR);
        let is_known_wrong = state.wrong.get(&wrong).is_some_and(|at| now.since(*at) < DAY);
        if !is_trusted && let Some(wait) = state.wait(source, now) {
            return Err(wait);
        }
        if !is_known_wrong {
            state.count(source, now);
            make_room(&mut state.wrong, |at| now.since(*at) >= DAY);
            state.wrong.insert(wrong, now);
        }
        Ok(Try { source, pair, wrong, is_counted: !is_known_wrong })
    }

    /// The try was no miss: it succeeded, or nobody could check it.
    pub(crate) fn forgive(&self, it: &Try, has_succeeded: bool, now: Timestamp) {
        let mut state = self.lock();
        if it.is_counted {
            state.uncount(it.source);
            state.wrong.remove(&it.wrong);
        }
        if has_succeeded {
            make_room(&mut state.trusted, |at| now.since(*at) >= TRUSTED_FOR);
            state.trusted.insert(it.pair, now);
        }
    }

    /// Trusts a source and login as if it had got in at that time.
    pub(crate) fn trust(&self, source: IpAddr, user_name: &str, at: Timestamp) {
        let block = blocks(source)[0].0.to_string();
        let pair = self.hash(&[block.as_bytes(), user_name.as_bytes()]);
        let mut state = self.lock();
        if state.trusted.len() < MOST {
            let last = state.trusted.entry(pair).or_insert(at);
            *last = (*last).max(at);
        }
    }

    fn hash(&self, parts: &[&[u8]]) -> Seen {
        *keyed_hash(&self.key, parts).as_bytes()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long until each block around the source may miss again; none if all may.
    fn wait(&mut self, source: IpAddr, now: Timestamp) -> Option<Duration> {
        let waits = blocks(source).into_iter().filter_map(|(block, times)| {
            let misses = self.blocks.get_mut(&block)?;
            let minute = misses.minute.wait(MISSES.0 * times, MINUTE, now);
            let day = misses.day.wait(MISSES.1 * times, DAY, now);
            minute.max(day)
        });
        waits.max()
    }

    fn count(&mut self, source: IpAddr, now: Timestamp) {
        for (block, _) in blocks(source) {
            if !self.blocks.contains_key(&block) {
                make_room(&mut self.blocks, |it| it.day.is_over(DAY, now));
            }
            let fresh = || Window { since: now, n: 0 };
            let misses = self.blocks.entry(block).or_insert_with(|| Misses { minute: fresh(), day: fresh() });
            misses.minute.count(MINUTE, now);
            misses.day.count(DAY, now);
        }
    }

    fn uncount(&mut self, source: IpAddr) {
        for (block, _) in blocks(source) {
            if let Some(misses) = self.blocks.get_mut(&block) {
                misses.minute.n = misses.minute.n.saturating_sub(1);
                misses.day.n = misses.day.n.saturating_sub(1);
            }
        }
    }
}

impl Window {
    fn is_over(&self, span: Duration, now: Timestamp) -> bool {
        now.since(self.since) >= span
    }

    fn count(&mut self, span: Duration, now: Timestamp) {
        if self.is_over(span, now) {
            *self = Self { since: now, n: 0 };
        }
        self.n = self.n.saturating_add(1);
    }

    /// How long the window is still full. A clock that was set back does not make it longer than its span.
    fn wait(&mut self, most: u32, span: Duration, now: Timestamp) -> Option<Duration> {
        self.since = self.since.min(now);
        (self.n >= most && !self.is_over(span, now)).then(|| span.saturating_sub(now.since(self.since)))
    }
}

/// The block of the source itself and the two around it, narrowest first, each with its share of misses.
fn blocks(source: IpAddr) -> [(Network, u32); 3] {
    let widths = if source.to_canonical().is_ipv4() { BLOCKS_V4 } else { BLOCKS_V6 };
    widths.map(|(bits, times)| (Network::around(source, bits), times))
}

/// Keeps a map in bounds: first what is over goes, then half of the rest, whichever it is. Somebody with very many addresses
/// can make it forget; the wider blocks around those addresses are few, and fill up first.
fn make_room<K: Eq + Hash, V>(map: &mut HashMap<K, V>, is_over: impl Fn(&V) -> bool) {
    if map.len() < MOST {
        return;
    }
    map.retain(|_, it| !is_over(it));
    if map.len() >= MOST {
        let mut keep = false;
        map.retain(|_, _| {
            keep = !keep;
            keep
        });
    }
}

#[cfg(test)]
mod tests;
