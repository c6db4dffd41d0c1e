//! The outbox as other rooms use it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{BodyId, MailAccountId, OrganisationId, SubmissionId};
use gatepost_store::{Bodies, BodyWriter, FinishedBody, Keyring, Store, StoreError};
use tokio::sync::Notify;

use crate::submission::NewSubmission;
use crate::view::{Filter, SubmissionView};
use crate::{accept, erase, view};

/// The durable queue of submissions. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    store: Store,
    keyring: Keyring,
    bodies: Bodies,
    doorbell: Doorbell,
}

/// Wakes the dispatcher for accounts that have something new to do. Ringing twice before it looks is ringing once.
#[derive(Clone, Default)]
pub(crate) struct Doorbell(Arc<Bell>);

#[derive(Default)]
struct Bell {
    rung: Mutex<HashSet<(OrganisationId, MailAccountId)>>,
    wake: Notify,
}

impl Doorbell {
    pub(crate) fn ring(&self, organisation: OrganisationId, account: MailAccountId) {
        self.0.rung.lock().unwrap_or_else(PoisonError::into_inner).insert((organisation, account));
        self.0.wake.notify_one();
    }

    /// Waits until it is rung, then says for whom.
    pub(crate) async fn rung(&self) -> HashSet<(OrganisationId, MailAccountId)> {
        loop {
            let rung = std::mem::take(&mut *self.0.rung.lock().unwrap_or_else(PoisonError::into_inner));
            if !rung.is_empty() {
                return rung;
            }
            self.0.wake.notified().await;
        }
    }
}

impl Outbox {
    /// An outbox on this store.
    #[must_use]
    pub fn new(store: &Store, keyring: &Keyring, bodies: &Bodies) -> Self {
        Self {
            store: store.clone(),
            keyring: keyring.clone(),
            bodies: bodies.clone(),
            doorbell: Doorbell::default(),
        }
    }

    /// Begins to take in a letter's text, sealed as it comes.
    pub async fn write_body(
        &self,
        organisation: OrganisationId,
        id: SubmissionId,
    ) -> Result<BodyWriter, StoreError> {
        self.bodies.write(organisation, BodyId::from_uuid(id.uuid())).await
    }

    /// Takes a letter over. When this returns `Ok`, the disk has it, and the application may be told 250 (SS-18).
    pub async fn accept(&self, letter: NewSubmission, body: FinishedBody) -> Result<(), StoreError> {
        let wake = letter.choice.account.map(|account| (letter.organisation, account.id));
        accept::accept(&self.store, letter, body).await?;
        if let Some((organisation, account)) = wake {
            self.doorbell.ring(organisation, account);
        }
        Ok(())
    }

    /// One letter with its time line.
    pub async fn show(
        &self,
        organisation: OrganisationId,
        id: SubmissionId,
    ) -> Result<Option<SubmissionView>, StoreError> {
        view::show(&self.store, organisation, id).await
    }

    /// Letters, newest first, without their time lines.
    pub async fn list(
        &self,
        organisation: OrganisationId,
        filter: Filter,
    ) -> Result<Vec<SubmissionView>, StoreError> {
        view::list(&self.store, organisation, filter).await
    }

    /// Erases the texts of letters that were finished `retention` ago, and the keys of days that have none left.
    pub async fn erase_finished(&self, retention: Duration) -> Result<u64, StoreError> {
        let n_erased = erase::erase_finished(&self.store, &self.bodies, retention).await?;
        erase::destroy_keys(&self.store, &self.keyring).await?;
        Ok(n_erased)
    }

    /// The store it stands on.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn bodies(&self) -> &Bodies {
        &self.bodies
    }

    pub(crate) fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }
}
