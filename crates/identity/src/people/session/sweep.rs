//! Deleting what is long over.

use std::time::Duration;

use gatepost_store::{StoreError, params};

use crate::{LinkKind, People, sql};

/// Sessions are remembered beyond their end, so that a list can name them.
const SESSIONS_FOR: Duration = Duration::from_hours(90 * 24);
/// As long as the cookie of a device lasts.
const DEVICES_FOR: Duration = Duration::from_hours(366 * 24);
/// Links, used or not, are remembered beyond their end, so that a page can say that one is over.
const LINKS_FOR: Duration = Duration::from_hours(30 * 24);
/// Misses, whoever they are about: what a hundred of them disabled is written where it was disabled.
const MISSES_FOR: Duration = Duration::from_hours(30 * 24);
/// What was begun and not gone on with.
const BEGUN_FOR: Duration = Duration::from_hours(24);
/// Addresses whose owners never opened the link.
const UNPROVEN_FOR: Duration = Duration::from_hours(30 * 24);

impl People {
    /// Deletes what is long over: sessions, pre-sessions, devices, links, misses, addresses of before, and what was begun and never
    /// finished. One call an hour a node.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.identity().world().now();
        self.write(move |tx| {
            for (statement, before) in [
                (&sql::SWEEP_PRE_SESSIONS, now),
                (&sql::SWEEP_SESSIONS, now - SESSIONS_FOR),
                (&sql::SWEEP_DEVICES, now - DEVICES_FOR),
                (&sql::SWEEP_LINKS, now - LINKS_FOR),
                (&sql::SWEEP_MISSES, now - MISSES_FOR),
                (&sql::SWEEP_BEGUN_AUTHENTICATORS, now - BEGUN_FOR),
                (&sql::SWEEP_NEW_RECOVERY_CODES, now - BEGUN_FOR),
                (&sql::SWEEP_CONTACTS, now - UNPROVEN_FOR),
                (&sql::SWEEP_FORMER_ADDRESSES, now - LinkKind::NotMe.lives_for()),
            ] {
                tx.execute(statement, params![before])?;
            }
            Ok(())
        })
        .await
    }
}
