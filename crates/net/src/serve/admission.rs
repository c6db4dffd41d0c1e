//! Who may come in: counts per source, and a share kept for those who have signed in (SS-13).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatepost_core::Network;
use tokio::time::Instant;

/// How many connections there may be.
#[derive(Clone, Debug)]
pub struct Limits {
    /// At once, from one source: an IPv4 address or an IPv6 /64, which is what one household gets.
    pub open_per_source: u32,
    /// New ones in a minute, from one source.
    pub new_per_minute: u32,
    /// At once, in all. A fifth of it is kept for sessions that have signed in and for exempt sources.
    pub open_in_all: u32,
    /// Networks without limits per source. Loopback always is.
    pub exempt: Vec<Network>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { open_per_source: 50, new_per_minute: 100, open_in_all: 10_000, exempt: Vec::new() }
    }
}

/// Counts the connections of all doors that share it.
pub struct Admission {
    limits: Limits,
    state: Mutex<State>,
    n_refused: AtomicU64,
    n_panics: AtomicU64,
}

#[derive(Default)]
struct State {
    sources: HashMap<Network, Source>,
    n_open: u32,
    n_signed_in: u32,
    pruned_at: Option<Instant>,
}

/// One source: a bucket that fills with one permit per `minute / new_per_minute`.
struct Source {
    n_open: u32,
    /// When the bucket will be full again; the further ahead, the emptier it is.
    full_at: Instant,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooMany,
    TooFast,
    Full,
}

/// Figures for metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Connections that are open.
    pub n_open: u32,
    /// Those among them that have signed in.
    pub n_signed_in: u32,
    /// Connections turned away since the start.
    pub n_refused: u64,
    /// Sessions ended by a mistake of ours since the start.
    pub n_panics: u64,
}

/// The place of one connection; given back when dropped.
pub struct Ticket {
    admission: Arc<Admission>,
    source: Network,
    is_signed_in: AtomicBool,
}

const MINUTE: Duration = Duration::from_secs(60);

impl Admission {
    /// With nobody inside.
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
            n_refused: AtomicU64::new(0),
            n_panics: AtomicU64::new(0),
        })
    }

    /// The present figures.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let state = self.state();
        Counts {
            n_open: state.n_open,
            n_signed_in: state.n_signed_in,
            n_refused: self.n_refused.load(Ordering::Relaxed),
            n_panics: self.n_panics.load(Ordering::Relaxed),
        }
    }

    pub(super) fn count_panic(&self) {
        self.n_panics.fetch_add(1, Ordering::Relaxed);
    }

    /// A place for a connection from `address`, if there is one.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Ticket, Refusal> {
        let admitted = self.try_admit(address);
        if admitted.is_err() {
            self.n_refused.fetch_add(1, Ordering::Relaxed);
        }
        admitted
    }

    fn try_admit(self: &Arc<Self>, address: IpAddr) -> Result<Ticket, Refusal> {
        let is_exempt = self.is_exempt(address);
        let source = Network::around(address, if address.to_canonical().is_ipv4() { 32 } else { 64 });
        let now = Instant::now();
        let mut state = self.state();
        state.prune(now);
        let n_strangers = state.n_open.saturating_sub(state.n_signed_in);
        let for_strangers = self.limits.open_in_all - self.limits.open_in_all / 5;
        if state.n_open >= self.limits.open_in_all || (!is_exempt && n_strangers >= for_strangers) {
            return Err(Refusal::Full);
        }
        let entry = state.sources.entry(source).or_insert(Source { n_open: 0, full_at: now });
        if !is_exempt {
            if entry.n_open >= self.limits.open_per_source {
                return Err(Refusal::TooMany);
            }
            let per_permit = MINUTE / self.limits.new_per_minute.max(1);
            let full_at = entry.full_at.max(now) + per_permit;
            if full_at > now + MINUTE {
                return Err(Refusal::TooFast);
            }
            entry.full_at = full_at;
        }
        entry.n_open += 1;
        state.n_open += 1;
        Ok(Ticket { admission: self.clone(), source, is_signed_in: AtomicBool::new(false) })
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback() || self.limits.exempt.iter().any(|it| it.contains(address))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets sources that have nothing open and a full bucket; once a minute, so that it costs nothing.
    fn prune(&mut self, now: Instant) {
        if self.pruned_at.is_none_or(|then| now.duration_since(then) >= MINUTE) {
            self.pruned_at = Some(now);
            self.sources.retain(|_, source| source.n_open > 0 || source.full_at > now);
        }
    }
}

impl Ticket {
    /// From now on the session counts as one that has signed in, and leaves its place among strangers to another.
    pub fn mark_signed_in(&self) {
        if !self.is_signed_in.swap(true, Ordering::Relaxed) {
            self.admission.state().n_signed_in += 1;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.n_open = state.n_open.saturating_sub(1);
        if self.is_signed_in.load(Ordering::Relaxed) {
            state.n_signed_in = state.n_signed_in.saturating_sub(1);
        }
        if let Some(source) = state.sources.get_mut(&self.source) {
            source.n_open = source.n_open.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(limits: Limits) -> Arc<Admission> {
        Admission::new(limits)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn refusal(admission: &Arc<Admission>, address: &str) -> Option<Refusal> {
        admission.admit(ip(address)).err()
    }

    #[tokio::test(start_paused = true)]
    async fn one_source_has_at_most_fifty_open() {
        let admission = admission(Limits::default());
        let mut held: Vec<_> = (0..50).map(|_| admission.admit(ip("203.0.113.1")).ok().unwrap()).collect();
        assert_eq!(refusal(&admission, "203.0.113.1"), Some(Refusal::TooMany));
        assert_eq!(refusal(&admission, "::ffff:203.0.113.1"), Some(Refusal::TooMany));
        assert_eq!(refusal(&admission, "203.0.113.2"), None);
        held.pop();
        assert_eq!(refusal(&admission, "203.0.113.1"), None);
        assert_eq!(admission.counts().n_refused, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_source_opens_at_most_a_hundred_a_minute() {
        let admission = admission(Limits::default());
        for _ in 0..100 {
            assert_eq!(refusal(&admission, "203.0.113.1"), None);
        }
        assert_eq!(refusal(&admission, "203.0.113.1"), Some(Refusal::TooFast));
        tokio::time::advance(Duration::from_millis(600)).await;
        assert_eq!(refusal(&admission, "203.0.113.1"), None);
        assert_eq!(refusal(&admission, "203.0.113.1"), Some(Refusal::TooFast));
    }

    #[tokio::test(start_paused = true)]
    async fn an_ipv6_network_is_one_source() {
        let admission = admission(Limits { open_per_source: 1, ..Limits::default() });
        let _held = admission.admit(ip("2001:db8:1:2::1")).ok().unwrap();
        assert_eq!(refusal(&admission, "2001:db8:1:2:ffff::9"), Some(Refusal::TooMany));
        assert_eq!(refusal(&admission, "2001:db8:1:3::1"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn loopback_and_listed_networks_are_exempt() {
        let exempt = vec!["192.168.0.0/16".parse().unwrap()];
        let admission =
            admission(Limits { open_per_source: 1, new_per_minute: 1, exempt, ..Limits::default() });
        let held: Vec<_> = ["127.0.0.1", "::1", "192.168.3.4"]
            .iter()
            .flat_map(|source| (0..200).map(|_| admission.admit(ip(source)).ok().unwrap()))
            .collect();
        assert_eq!(held.len(), 600);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fifth_is_kept_for_those_who_have_signed_in() {
        let admission = admission(Limits { open_in_all: 10, ..Limits::default() });
        let strangers: Vec<_> =
            (1..=8).map(|n| admission.admit(ip(&format!("203.0.113.{n}"))).ok().unwrap()).collect();
        assert_eq!(refusal(&admission, "203.0.113.99"), Some(Refusal::Full));
        strangers[0].mark_signed_in();
        strangers[0].mark_signed_in();
        let ninth = admission.admit(ip("203.0.113.99")).ok().unwrap();
        assert_eq!(refusal(&admission, "203.0.113.98"), Some(Refusal::Full));
        let _from_here = admission.admit(ip("127.0.0.1")).ok().unwrap();
        assert_eq!(refusal(&admission, "127.0.0.1"), Some(Refusal::Full), "the end is the end for all");
        assert_eq!(admission.counts().n_signed_in, 1);
        drop((strangers, ninth));
        assert_eq!((admission.counts().n_open, admission.counts().n_signed_in), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn sources_are_forgotten() {
        let admission = admission(Limits::default());
        for n in 0..200 {
            assert_eq!(refusal(&admission, &format!("203.0.113.{n}")), None);
        }
        tokio::time::advance(Duration::from_secs(120)).await;
        assert_eq!(refusal(&admission, "203.0.113.1"), None);
        assert_eq!(admission.state().sources.len(), 1);
    }
}
