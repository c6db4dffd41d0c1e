//! How many connections come from one place.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::Network;

/// Connections from one place: the browsers of a whole practice, which share its address, and some more.
const MOST: usize = 200;

/// Counts connections by where they come from, so that nobody takes all places.
pub(crate) struct Sources {
    most: usize,
    /// Many people come through a proxy.
    proxies: Vec<Network>,
    taken: Arc<Taken>,
}

/// How many connections come from each place.
type Taken = Mutex<HashMap<IpAddr, usize>>;

/// One connection is counted until this is dropped.
pub(crate) struct Seat(Option<(IpAddr, Arc<Taken>)>);

impl Sources {
    /// For a door with `places` in all, half of which at most go to one place.
    pub(crate) fn new(places: usize, proxies: &[Network]) -> Self {
        Self { most: MOST.min(places.div_ceil(2)), proxies: proxies.to_vec(), taken: Arc::default() }
    }

    /// Counts one more from there; `None` if that is too many. This computer and proxies are not counted.
    pub(crate) fn take(&self, peer: IpAddr) -> Option<Seat> {
        let peer = peer.to_canonical();
        if peer.is_loopback() || self.proxies.iter().any(|it| it.contains(peer)) {
            return Some(Seat(None));
        }
        let place = place(peer);
        let mut taken = locked(&self.taken);
        let n = taken.entry(place).or_default();
        if *n >= self.most {
            return None;
        }
        *n += 1;
        Some(Seat(Some((place, self.taken.clone()))))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((place, taken)) = &self.0 else { return };
        let mut taken = locked(taken);
        if let Some(n) = taken.get_mut(place) {
            *n -= 1;
            if *n == 0 {
                taken.remove(place);
            }
        }
    }
}

/// Whoever has one IPv6 address has the 2^64 beside it too.
fn place(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(it) => Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

fn locked(taken: &Taken) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(sources: &Sources, from: &str) -> Option<Seat> {
        sources.take(from.parse().unwrap())
    }

    #[test]
    fn nobody_takes_all_places() {
        let sources = Sources::new(2_000, &["10.0.0.0/8".parse().unwrap()]);
        let mut seats: Vec<_> = (0..MOST).map(|_| take(&sources, "192.0.2.1").unwrap()).collect();
        assert!(take(&sources, "192.0.2.1").is_none() && take(&sources, "::ffff:192.0.2.1").is_none());
        assert!(take(&sources, "192.0.2.2").is_some());
        seats.pop();
        assert!(take(&sources, "192.0.2.1").is_some(), "a connection that ended is not counted");
        for free in ["127.0.0.1", "::1", "10.1.2.3"] {
            let many: Vec<_> = (0..MOST * 2).filter_map(|_| take(&sources, free)).collect();
            assert_eq!(many.len(), MOST * 2, "{free}");
        }
        drop(seats);
        assert!(locked(&sources.taken).is_empty(), "nothing is kept of who has gone");
    }

    #[test]
    fn neighbours_in_one_network_of_ipv6_count_as_one() {
        let sources = Sources::new(4, &[]);
        let _seats = [take(&sources, "2001:db8::1").unwrap(), take(&sources, "2001:db8::2").unwrap()];
        assert!(take(&sources, "2001:db8::3").is_none());
        assert!(take(&sources, "2001:db8:0:1::3").is_some());
    }
}
