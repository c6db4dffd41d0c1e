//! When and from where app passwords were last used, without a write per message.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use gatepost_core::{AppPasswordId, OrganisationId, Timestamp};
use gatepost_store::{Store, StoreError, params};

use crate::{Protocol, sql};

/// One use of an app password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
    /// For what.
    pub protocol: Protocol,
}

/// Uses that are not written yet: one an app password, however often it was used. Cheap to clone.
#[derive(Clone)]
pub struct LastUses {
    store: Store,
    waiting: Arc<Mutex<Waiting>>,
}

type Waiting = HashMap<AppPasswordId, (OrganisationId, LastUse)>;

impl LastUses {
    /// Nothing used yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, waiting: Arc::default() }
    }

    /// Remembers a use until the next flush.
    pub fn record(&self, organisation: OrganisationId, id: AppPasswordId, used: LastUse) {
        self.waiting().insert(id, (organisation, used));
    }

    /// Writes what waits, in one transaction. Called every few seconds and at stop; what could not be written waits on.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut *self.waiting());
        if taken.is_empty() {
            return Ok(());
        }
        let batch = taken.clone();
        let written = self
            .store
            .write(move |tx| {
                for (id, (organisation, used)) in &batch {
                    let (from, protocol) = (used.from.to_string(), used.protocol.to_string());
                    tx.execute(
                        &sql::RECORD_LAST_USE,
                        params![*organisation, *id, used.at, &from, &protocol],
                    )?;
                }
                Ok::<_, StoreError>(())
            })
            .await;
        if written.is_err() {
            let mut waiting = self.waiting();
            for (id, used) in taken {
                waiting.entry(id).or_insert(used);
            }
        }
        written
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn uses_that_could_not_be_written_wait_for_the_next_flush() {
        // A database without this room's tables takes nothing.
        let it = gatepost_testkit::sqlite(&[gatepost_store::MIGRATIONS]).await;
        let uses = LastUses::new(it.store.clone());
        let (old, new) = (AppPasswordId::new(&it.world), AppPasswordId::new(&it.world));
        let used = LastUse { at: it.world.now(), from: [192, 0, 2, 7].into(), protocol: Protocol::Smtp };
        uses.record(it.organisation, old, used);
        assert!(uses.flush().await.is_err());
        uses.record(it.organisation, new, used);
        assert!(uses.flush().await.is_err());
        assert_eq!(uses.waiting().len(), 2);
    }
}
