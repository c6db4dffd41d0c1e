//! What a process remembers of an organisation's accounts.
//!
//! Each change raises the organisation's serial and marks the account with it. A reading looks at the serial, takes over the
//! accounts marked since the last reading, and shares the others with it. Our own changes are read back after their commit;
//! another node's are seen a second later at most.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_core::{MailAccountId, OrganisationId};
use gatepost_store::{Store, StoreError, Transaction, params};

use crate::account::{MailAccount, Serves};
use crate::record::Record;
use crate::sql;
use crate::trouble::{Finding, findings, refused};

/// How long a reading is used without looking again.
const FRESH_FOR: Duration = Duration::from_secs(1);

/// One organisation as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Organisation {
    /// Removed accounts too.
    pub(crate) records: HashMap<MailAccountId, Arc<Record>>,
    pub(crate) defaults: HashMap<Serves, MailAccountId>,
    /// What people are to be told wherever they are.
    pub(crate) findings: Vec<Finding>,
    /// The last change it is part of; less than any before the first reading.
    serial: i64,
}

impl Default for Organisation {
    fn default() -> Self {
        Self { records: HashMap::new(), defaults: HashMap::new(), findings: Vec::new(), serial: -1 }
    }
}

#[derive(Default)]
pub(crate) struct Memory {
    shelves: Mutex<Shelves>,
    n_readings: AtomicU64,
}

#[derive(Default)]
struct Shelves {
    organisations: HashMap<OrganisationId, Reading>,
    organisation_of: HashMap<MailAccountId, OrganisationId>,
}

struct Reading {
    /// Readings are numbered as they begin. One that began earlier and ended later must not replace a newer one.
    number: u64,
    began: Instant,
    organisation: Arc<Organisation>,
}

impl Memory {
    /// The organisation as it was a second ago at most.
    pub(crate) async fn recent(
        &self,
        store: &Store,
        id: OrganisationId,
    ) -> Result<Arc<Organisation>, StoreError> {
        let fresh = self
            .shelves()
            .organisations
            .get(&id)
            .and_then(|it| (it.began.elapsed() < FRESH_FOR).then(|| Arc::clone(&it.organisation)));
        match fresh {
            Some(organisation) => Ok(organisation),
            None => self.read(store, id).await,
        }
    }

    /// The organisation as it is now.
    pub(crate) async fn read(
        &self,
        store: &Store,
        id: OrganisationId,
    ) -> Result<Arc<Organisation>, StoreError> {
        let (number, began) = (self.n_readings.fetch_add(1, Ordering::SeqCst), Instant::now());
        let before = self.shelves().organisations.get(&id).map(|it| Arc::clone(&it.organisation));
        let before = before.unwrap_or_default();
        let organisation = store.read(move |tx| Organisation::load(tx, id, &before)).await?;
        let mut shelves = self.shelves();
        if shelves.organisations.get(&id).is_none_or(|it| it.number < number) {
            shelves.organisation_of.extend(organisation.records.keys().map(|account| (*account, id)));
            let reading = Reading { number, began, organisation: Arc::clone(&organisation) };
            shelves.organisations.insert(id, reading);
        }
        Ok(organisation)
    }

    /// What is remembered of an organisation, however old; it is read where nothing is.
    pub(crate) async fn remembered(
        &self,
        store: &Store,
        id: OrganisationId,
    ) -> Result<Arc<Organisation>, StoreError> {
        let known = self.shelves().organisations.get(&id).map(|it| Arc::clone(&it.organisation));
        match known {
            Some(organisation) => Ok(organisation),
            None => self.read(store, id).await,
        }
    }

    /// What is remembered of an account, however old.
    pub(crate) fn find<T>(&self, id: MailAccountId, look: impl FnOnce(&Record) -> T) -> Option<T> {
        let shelves = self.shelves();
        let organisation = shelves.organisation_of.get(&id)?;
        shelves.organisations.get(organisation)?.organisation.records.get(&id).map(|it| look(it))
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Organisation {
    /// What has changed since `before` is read, the rest is shared with it.
    fn load(
        tx: &mut Transaction<'_>,
        id: OrganisationId,
        before: &Arc<Self>,
    ) -> Result<Arc<Self>, StoreError> {
        // First: what is committed behind it is read again, never passed over.
        let serial = tx.row(&sql::FIND_CHANGE, params![id])?.map_or(Ok(0), |row| row.get(0))?;
        if serial == before.serial {
            return Ok(Arc::clone(before));
        }
        let mut changed = HashMap::new();
        for row in tx.rows(&sql::LIST_ACCOUNTS, params![id, before.serial])? {
            let account = MailAccount::try_from(&row)?;
            changed.insert(account.id, Record::new(account));
        }
        for row in tx.rows(&sql::LIST_STATUSES, params![id, before.serial])? {
            if let Some(record) = changed.get_mut(&row.get(0)?) {
                record.take_status(&row)?;
            }
        }
        for row in tx.rows(&sql::LIST_ADDRESSES, params![id, before.serial])? {
            if let Some(record) = changed.get_mut(&row.get(0)?) {
                record.take_address(&row)?;
            }
        }
        for row in tx.rows(&sql::LIST_CREDENTIALS, params![id, before.serial])? {
            if let Some(record) = changed.get_mut(&row.get(0)?) {
                record.credential = Some(row.get(1)?);
            }
        }
        let records = before.records.clone();
        let mut it = Self { serial, records, ..Self::default() };
        it.records.extend(changed.into_iter().map(|(id, record)| (id, Arc::new(record))));
        for row in tx.rows(&sql::LIST_DEFAULTS, params![id])? {
            it.defaults.insert(Serves::read(&row)?, row.get(2)?);
        }
        let refused = refused(tx, id)?;
        it.findings = findings(&it, &refused);
        Ok(Arc::new(it))
    }

    /// The account, unless it was removed.
    pub(crate) fn live(&self, id: MailAccountId) -> Option<&Record> {
        self.records.get(&id).map(Arc::as_ref).filter(|it| it.account.is_live())
    }
}
