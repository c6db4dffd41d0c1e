//! Wrong sign-ins, counted per source, for every door at once (ID-8, ID-9).
//!
//! The limits are wide enough that a typing error or a stale device never takes an office offline: the same wrong secret
//! counts once a day, and whoever got in within 30 days is always checked. App passwords themselves are never disabled by
//! misses; with 75 bits each, slowing the guesser is enough.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
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
/// How many tries of one source may be under way at once: an office whose people all come at eight is no guesser, and a guesser
/// with many connections gets no further than this beyond the misses.
const UNDER_WAY: u32 = 64;
/// After how long to come again where that many are.
const MOMENT: Duration = Duration::from_secs(1);
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
    /// Tries that are being looked at.
    n_under_way: u32,
}

struct Window {
    since: Timestamp,
    n: u32,
}

/// At which kind of door. Trust is earned at each by itself: what opens an application's door is no person's secret, and the other
/// way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Applications,
    People,
}

impl Door {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Applications => b"applications",
            Self::People => b"people",
        }
    }
}

/// One try that was let through and is under way. Dropped, it is a miss: also where whoever asked has gone meanwhile.
pub(crate) struct Try {
    limiter: Arc<Limiter>,
    source: IpAddr,
    pair: Seen,
    /// Nothing for what has few possible values: a code.
    wrong: Option<Seen>,
    /// Whether it takes one of the places of its source.
    has_place: bool,
    is_miss: bool,
    now: Timestamp,
}

impl Try {
    /// It opens a door by itself: this source is always checked from now on.
    pub(crate) fn succeeded(self) {
        self.limiter.lock().trust(self.pair, self.now);
        self.forgive();
    }

    /// It was right, and one too many at this moment: each counts, in the minute alone, so that whoever comes by a program of their own
    /// takes no office offline for a day.
    pub(crate) fn one_too_many(mut self) {
        self.is_miss = false;
        self.limiter.lock().count_minute(self.source, self.now);
    }

    /// It was right, but opens nothing by itself; or nobody could look at it.
    pub(crate) fn forgive(mut self) {
        self.is_miss = false;
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let mut state = self.limiter.lock();
        if self.has_place {
            state.leave(self.source);
        }
        if self.is_miss {
            state.miss(self.source, self.wrong, self.now);
        }
    }
}

impl Limiter {
    pub(crate) fn new(world: &World) -> Self {
        Self { key: PurposeKey::generate(world), state: Mutex::default() }
    }

    /// Lets a try through, or says how long this source has to wait. A secret that was wrong already today is not counted
    /// again; no secret: one that is counted each time.
    pub(crate) fn begin(
        self: &Arc<Self>,
        door: Door,
        source: IpAddr,
        user_name: &str,
        secret: Option<&SecretText>,
        now: Timestamp,
    ) -> Result<Try, Duration> {
        let pair = self.pair(door, source, user_name);
        let wrong = secret.map(|it| self.hash(&[&pair, it.reveal().as_bytes()]));
        let mut state = self.lock();
        let is_trusted = state.trusted.get(&pair).is_some_and(|at| now.since(*at) < TRUSTED_FOR);
        if !is_trusted {
            if let Some(wait) = state.wait(source, now) {
                return Err(wait);
            }
            state.enter(source, now);
        }
        let limiter = Arc::clone(self);
        Ok(Try { limiter, source, pair, wrong, has_place: !is_trusted, is_miss: true, now })
    }

    /// Trusts a source and login as if it had got in at that time.
    pub(crate) fn trust(&self, door: Door, source: IpAddr, user_name: &str, at: Timestamp) {
        let pair = self.pair(door, source, user_name);
        self.lock().trust(pair, at);
    }

    fn pair(&self, door: Door, source: IpAddr, user_name: &str) -> Seen {
        let block = blocks(source)[0].0.to_string();
        self.hash(&[door.word(), block.as_bytes(), user_name.as_bytes()])
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
            let full = (misses.n_under_way >= UNDER_WAY * times).then_some(MOMENT);
            minute.max(day).max(full)
        });
        waits.max()
    }

    fn enter(&mut self, source: IpAddr, now: Timestamp) {
        for (block, _) in blocks(source) {
            let misses = self.of(block, now);
            misses.n_under_way = misses.n_under_way.saturating_add(1);
        }
    }

    fn leave(&mut self, source: IpAddr) {
        for (block, _) in blocks(source) {
            if let Some(misses) = self.blocks.get_mut(&block) {
                misses.n_under_way = misses.n_under_way.saturating_sub(1);
            }
        }
    }

    /// Counts a miss, unless the same secret was wrong already today.
    fn miss(&mut self, source: IpAddr, wrong: Option<Seen>, now: Timestamp) {
        if let Some(wrong) = wrong {
            if self.wrong.get(&wrong).is_some_and(|at| now.since(*at) < DAY) {
                return;
            }
            make_room(&mut self.wrong, |at| now.since(*at) >= DAY);
            self.wrong.insert(wrong, now);
        }
        for (block, _) in blocks(source) {
            let misses = self.of(block, now);
            misses.minute.count(MINUTE, now);
            misses.day.count(DAY, now);
        }
    }

    fn count_minute(&mut self, source: IpAddr, now: Timestamp) {
        for (block, _) in blocks(source) {
            self.of(block, now).minute.count(MINUTE, now);
        }
    }

    fn trust(&mut self, pair: Seen, at: Timestamp) {
        make_room(&mut self.trusted, |last| at.since(*last) >= TRUSTED_FOR);
        let last = self.trusted.entry(pair).or_insert(at);
        *last = (*last).max(at);
    }

    fn of(&mut self, block: Network, now: Timestamp) -> &mut Misses {
        if !self.blocks.contains_key(&block) {
            make_room(&mut self.blocks, |it| it.n_under_way == 0 && it.day.is_over(DAY, now));
        }
        let fresh = || Window { since: now, n: 0 };
        self.blocks.entry(block).or_insert_with(|| Misses { minute: fresh(), day: fresh(), n_under_way: 0 })
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
