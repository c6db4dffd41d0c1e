//! Deleting what is long over.

use std::time::Duration;

use gatepost_store::{StoreError, params};

use crate::{People, sql};

/// Sessions and devices are remembered beyond their end, so that a sign-in on one of them is not told as a new device.
const SEEN_FOR: Duration = Duration::from_hours(90 * 24);
/// Links are remembered beyond their end, so that a page can say that one is over.
const LINKS_FOR: Duration = Duration::from_hours(30 * 24);
/// Misses of addresses that nobody has.
const NOBODYS_MISSES_FOR: Duration = Duration::from_hours(24);

impl People {
    /// Deletes what is long over: sessions, pre-sessions, links, misses of nobody. One call an hour a node.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.identity().world().now();
        self.write(move |tx| {
            tx.execute(&sql::SWEEP_PRE_SESSIONS, params![now])?;
            tx.execute(&sql::SWEEP_SESSIONS, params![now - SEEN_FOR])?;
            tx.execute(&sql::SWEEP_TRUSTED_DEVICES, params![now - SEEN_FOR])?;
            tx.execute(&sql::SWEEP_LINKS, params![now - LINKS_FOR])?;
            tx.execute(&sql::SWEEP_MISSES, params![now - NOBODYS_MISSES_FOR]).map(drop)
        })
        .await
    }
}
