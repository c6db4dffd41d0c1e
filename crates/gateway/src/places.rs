//! How many sessions there may be at the same time (MP-12).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_accounts::ReadingProtocol;
use gatepost_core::{AppPasswordId, MailAccountId};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, timeout_at};

/// Everybody's. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Shared>);

#[derive(Default)]
struct Shared {
    counts: Mutex<Counts>,
    /// A place at a provider was given back.
    freed: Notify,
}

#[derive(Default)]
struct Counts {
    /// Sessions of an app password.
    held: HashMap<(AppPasswordId, ReadingProtocol), u32>,
    /// Connections to a provider, by mailbox and then by app password.
    dialled: HashMap<(MailAccountId, ReadingProtocol), HashMap<AppPasswordId, u32>>,
}

/// One that is taken, until it is dropped.
pub(crate) struct Place {
    places: Places,
    of: Of,
}

#[derive(Clone, Copy)]
enum Of {
    AppPassword(AppPasswordId, ReadingProtocol),
    Provider(MailAccountId, AppPasswordId, ReadingProtocol),
}

impl Places {
    /// One of `most` for an app password.
    pub(crate) fn of_app_password(
        &self,
        app_password: AppPasswordId,
        protocol: ReadingProtocol,
        most: u32,
    ) -> Option<Place> {
        let mut counts = self.counts();
        let held = counts.held.entry((app_password, protocol)).or_default();
        if *held >= most {
            return None;
        }
        *held += 1;
        Some(Place { places: self.clone(), of: Of::AppPassword(app_password, protocol) })
    }

    /// One of `cap` at a provider, shared among the app passwords that read the mailbox: whoever has none gets one while there is one.
    /// Further ones leave one for somebody else, and go no further than an even share among those who have some and one who may come;
    /// but two, which most programs need.
    pub(crate) fn at_provider(
        &self,
        account: MailAccountId,
        app_password: AppPasswordId,
        protocol: ReadingProtocol,
        cap: u32,
    ) -> Option<Place> {
        let mut counts = self.counts();
        let all = counts.dialled.entry((account, protocol)).or_default();
        let own = all.get(&app_password).copied().unwrap_or_default();
        let n_free = cap.saturating_sub(all.values().sum());
        let n_others =
            u32::try_from(all.keys().filter(|it| **it != app_password).count()).unwrap_or(u32::MAX);
        let share = cap.div_ceil(n_others.saturating_add(1)).max(2);
        let is_given = if own == 0 { n_free >= 1 } else { n_free >= 2 && own < share };
        if !is_given {
            drop_empty(&mut counts.dialled, (account, protocol), HashMap::is_empty);
            return None;
        }
        *all.entry(app_password).or_default() += 1;
        Some(Place { places: self.clone(), of: Of::Provider(account, app_password, protocol) })
    }

    /// The same, and waits for one that is given back within `patience`: a program that has just left may come again at once, while its
    /// last connection is still being taken down.
    pub(crate) async fn at_provider_soon(
        &self,
        account: MailAccountId,
        app_password: AppPasswordId,
        protocol: ReadingProtocol,
        (cap, patience): (u32, Duration),
    ) -> Option<Place> {
        let deadline = Instant::now() + patience;
        loop {
            // Counts from here on.
            let freed = self.0.freed.notified();
            if let Some(place) = self.at_provider(account, app_password, protocol, cap) {
                return Some(place);
            }
            timeout_at(deadline, freed).await.ok()?;
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.counts();
        match self.of {
            Of::AppPassword(app_password, protocol) => release(&mut counts.held, (app_password, protocol)),
            Of::Provider(account, app_password, protocol) => {
                if let Some(all) = counts.dialled.get_mut(&(account, protocol)) {
                    release(all, app_password);
                }
                drop_empty(&mut counts.dialled, (account, protocol), HashMap::is_empty);
                drop(counts);
                self.places.0.freed.notify_waiters();
            }
        }
    }
}

fn release<K: Eq + Hash + Copy>(counts: &mut HashMap<K, u32>, key: K) {
    if let Some(n) = counts.get_mut(&key) {
        *n -= 1;
    }
    drop_empty(counts, key, |n| *n == 0);
}

fn drop_empty<K: Eq + Hash, V>(all: &mut HashMap<K, V>, key: K, is_empty: impl FnOnce(&V) -> bool) {
    if all.get(&key).is_some_and(is_empty) {
        all.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use gatepost_core::World;

    use super::*;

    const IMAP: ReadingProtocol = ReadingProtocol::Imap;

    fn ids() -> (MailAccountId, [AppPasswordId; 4]) {
        let world = World::real();
        (MailAccountId::new(&world), std::array::from_fn(|_| AppPasswordId::new(&world)))
    }

    #[test]
    fn an_app_password_has_so_many_sessions_by_each_protocol() {
        let (places, (_, [first, second, ..])) = (Places::default(), ids());
        let take = |id, protocol| places.of_app_password(id, protocol, 2);
        let held = (take(first, IMAP).unwrap(), take(first, IMAP).unwrap());
        assert!(take(first, IMAP).is_none());
        assert!(take(first, ReadingProtocol::Pop3).is_some() && take(second, IMAP).is_some());
        drop(held.0);
        assert!(take(first, IMAP).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_is_given_back_in_a_moment_is_waited_for() {
        let (places, (account, [first, second, ..])) = (Places::default(), ids());
        let held = places.at_provider(account, first, IMAP, 1).unwrap();
        let soon = |id| places.at_provider_soon(account, id, IMAP, (1, Duration::from_secs(2)));
        assert!(soon(second).await.is_none());
        let (found, ()) = tokio::join!(soon(first), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(held);
        });
        assert!(found.is_some());
    }

    /// How many each gets who takes all it can, one after the other.
    fn greedy(cap: u32) -> Vec<usize> {
        let (places, (account, all)) = (Places::default(), ids());
        let mut held = Vec::new();
        all.map(|id| {
            let before = held.len();
            held.extend(std::iter::from_fn(|| places.at_provider(account, id, IMAP, cap)));
            held.len() - before
        })
        .to_vec()
    }

    #[test]
    fn connections_to_a_provider_are_shared_and_somebody_else_finds_one() {
        for (cap, each) in [
            (14, vec![13, 1, 0, 0]),
            (9, vec![8, 1, 0, 0]),
            (2, vec![1, 1, 0, 0]),
            (1, vec![1, 0, 0, 0]),
            (0, vec![0, 0, 0, 0]),
        ] {
            assert_eq!(greedy(cap), each, "{cap}");
        }
        // In turn everybody has the same.
        let (places, (account, all)) = (Places::default(), ids());
        let mut held: Vec<Place> = Vec::new();
        let mut n = [0; 4];
        for _ in 0..14 {
            for (id, n) in all.iter().zip(&mut n) {
                let place = places.at_provider(account, *id, IMAP, 14);
                *n += usize::from(place.is_some());
                held.extend(place);
            }
        }
        assert_eq!(n, [4, 3, 3, 3]);
        held.clear();
        assert!(places.counts().dialled.is_empty() && places.counts().held.is_empty());
    }
}
