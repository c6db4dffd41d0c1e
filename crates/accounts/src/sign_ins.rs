//! When accounts have last signed in by POP3, and how long their servers want to be left alone after that (LOGIN-DELAY, RFC 2449
//! §6.5). Kept in memory: after a restart a server that is asked too soon says so, and the account waits then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{MailAccountId, Timestamp};
use gatepost_upstream::Endpoint;

/// However long a server asks for: it must not be able to keep its mailbox from ever being looked at.
const LONGEST: Duration = Duration::from_hours(1);

#[derive(Default)]
pub(crate) struct SignIns(Mutex<HashMap<MailAccountId, Last>>);

struct Last {
    at: Timestamp,
    until: Timestamp,
    /// Another server knows nothing of it.
    endpoint: Endpoint,
}

impl SignIns {
    /// A server that `asked` for so many seconds has let the account in.
    pub(crate) fn took_place(
        &self,
        id: MailAccountId,
        endpoint: &Endpoint,
        asked: Option<u64>,
        now: Timestamp,
    ) {
        let delay = Duration::from_secs(asked.unwrap_or(0)).min(LONGEST);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, it| it.is_waiting(now));
        if !delay.is_zero() {
            all.insert(id, Last { at: now, until: now + delay, endpoint: endpoint.clone() });
        }
    }

    /// When the account may sign in there again, if not now.
    pub(crate) fn waits_until(
        &self,
        id: MailAccountId,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&id).filter(|it| it.endpoint == *endpoint && it.is_waiting(now)).map(|it| it.until)
    }
}

impl Last {
    /// What happened "in the future" tells of a clock that was set back; it makes nobody wait.
    fn is_waiting(&self, now: Timestamp) -> bool {
        self.at <= now && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use gatepost_core::TlsMode;

    use super::*;

    #[test]
    fn a_server_is_left_alone_for_as_long_as_it_asks_and_an_hour_at_most() {
        let world = gatepost_testkit::world().0;
        let (one, other) = (MailAccountId::new(&world), MailAccountId::new(&world));
        let at = |host: &str| Endpoint { host: host.parse().unwrap(), port: 995, tls: TlsMode::Implicit };
        let (pop, elsewhere) = (at("pop.example.org"), at("pop.example.net"));
        let start = world.now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for (asked, want) in [
            (None, None),
            (Some(0), None),
            (Some(1), Some(after(1))),
            (Some(900), Some(after(900))),
            (Some(u64::MAX), Some(after(3_600))),
        ] {
            let it = SignIns::default();
            it.took_place(one, &pop, asked, start);
            assert_eq!(it.waits_until(one, &pop, start), want, "{asked:?}");
            assert_eq!(it.waits_until(other, &pop, start), None);
            assert_eq!(it.waits_until(one, &elsewhere, start), None, "another server knows nothing of it");
            if let Some(until) = want {
                assert_eq!(it.waits_until(one, &pop, until), None, "{asked:?}");
                let set_back = Timestamp::EPOCH;
                assert_eq!(it.waits_until(one, &pop, set_back), None, "a clock that was set back");
            }
        }
    }
}
