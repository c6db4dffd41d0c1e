//! The outbox as other rooms use it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{BodyId, LoginId, MailAccountId, OrganisationId, SubmissionId, Timestamp};
use gatepost_journal::Actor;
use gatepost_store::{
    Bodies, BodyWriter, FinishedBody, Keyring, Store, StoreError, Transaction, Value, params,
};
use tokio::sync::Notify;

use crate::command::{self, Command};
use crate::release::{self, Orphan};
use crate::submission::{ChosenAccount, NewSubmission};
use crate::view::{Filter, Letters, SubmissionView};
use crate::{OutboxError, accept, erase, sql, view};

/// Accounts that one question counts for.
const ACCOUNTS_AT_ONCE: usize = 50;

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

/// Why it is rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ring {
    /// There are new letters, or old ones have become due.
    Letters,
    /// The account itself has changed.
    Account,
}

type Rings = HashMap<(OrganisationId, MailAccountId), Ring>;

#[derive(Default)]
struct Bell {
    rung: Mutex<Rings>,
    wake: Notify,
}

impl Doorbell {
    pub(crate) fn ring(&self, organisation: OrganisationId, account: MailAccountId, why: Ring) {
        let mut rung = self.0.rung.lock().unwrap_or_else(PoisonError::into_inner);
        rung.entry((organisation, account)).and_modify(|it| *it = why.max(*it)).or_insert(why);
        drop(rung);
        self.0.wake.notify_one();
    }

    /// Waits until it is rung, then says for whom and why.
    pub(crate) async fn rung(&self) -> Rings {
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
            self.doorbell.ring(organisation, account, Ring::Letters);
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

    /// Letters of one kind, newest first, without their time lines, older than `before`.
    pub async fn page(
        &self,
        organisation: OrganisationId,
        which: Letters,
        before: Option<SubmissionId>,
        limit: u32,
    ) -> Result<Vec<SubmissionView>, StoreError> {
        view::page(&self.store, organisation, which, before, limit).await
    }

    /// Letters login a letter came by: none for bounces and notices, and where there is no such letter.
    pub async fn find_login(
        &self,
        organisation: OrganisationId,
        id: SubmissionId,
    ) -> Result<Option<LoginId>, StoreError> {
        let find =
            move |tx: &mut Transaction<'_>| tx.row(&sql::FIND_LOGIN_OF_SUBMISSION, params![organisation, id]);
        self.store.read(find).await?.map_or(Ok(None), |row| row.get(0))
    }

    /// How many letters are not finished, up to `limit`.
    pub async fn n_open(&self, organisation: OrganisationId, limit: u32) -> Result<u64, StoreError> {
        let count = move |tx: &mut Transaction<'_>| {
            tx.row(&sql::COUNT_OPEN_SUBMISSIONS, params![organisation, limit])
        };
        self.store.read(count).await?.map_or(Ok(0), |row| row.get(0))
    }

    /// How many letters were accepted from `from` on and before `until`, up to `limit`.
    pub async fn n_accepted(
        &self,
        organisation: OrganisationId,
        from: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let (first, end) = (SubmissionId::first_at(from), SubmissionId::first_at(until));
        let count = move |tx: &mut Transaction<'_>| {
            tx.row(&sql::COUNT_SUBMISSIONS_BETWEEN, params![organisation, first, end, limit])
        };
        self.store.read(count).await?.map_or(Ok(0), |row| row.get(0))
    }

    /// Holds, releases, retries or cancels a letter. `clocks` gives the present time on an account's running clock.
    pub async fn command(
        &self,
        command: Command,
        organisation: OrganisationId,
        id: SubmissionId,
        actor: Actor,
        clocks: impl Fn(Option<MailAccountId>) -> Timestamp + Send + 'static,
    ) -> Result<(), OutboxError> {
        let accounts = command::carry_out(&self.store, command, organisation, id, actor, clocks).await?;
        for account in accounts {
            self.doorbell.ring(organisation, account, Ring::Letters);
        }
        Ok(())
    }

    /// An account was paused, resumed, checked, or given a new secret: connections that were opened before end after
    /// their letter, and its letters are looked at anew.
    pub fn account_changed(&self, organisation: OrganisationId, account: MailAccountId) {
        self.doorbell.ring(organisation, account, Ring::Account);
    }

    /// An account can send again: what it deferred is due now.
    pub async fn account_released(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<(), StoreError> {
        release::release_deferred(&self.store, organisation, account).await?;
        self.doorbell.ring(organisation, account, Ring::Letters);
        Ok(())
    }

    /// An account was removed: what waits for it is held until another account is found. Returns how many recipients.
    pub async fn account_removed(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
        running_now: Timestamp,
    ) -> Result<u64, StoreError> {
        release::hold_orphans(&self.store, organisation, account, running_now).await
    }

    /// Letters without an account, oldest first, after a given one; some at a time.
    pub async fn orphans(
        &self,
        organisation: OrganisationId,
        after: SubmissionId,
    ) -> Result<Vec<Orphan>, StoreError> {
        release::orphans(&self.store, organisation, after).await
    }

    /// An account was found for a letter that had none.
    pub async fn adopt(
        &self,
        organisation: OrganisationId,
        id: SubmissionId,
        account: ChosenAccount,
    ) -> Result<(), StoreError> {
        release::adopt(&self.store, organisation, id, account).await?;
        self.doorbell.ring(organisation, account.id, Ring::Letters);
        Ok(())
    }

    /// How many recipients wait for an account, also those held by hand.
    pub async fn n_waiting(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<u64, StoreError> {
        let row =
            self.store.read(move |tx| tx.row(&sql::COUNT_WAITING, params![account, organisation])).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }

    /// The same for each of up to 50 accounts, counted up to `most`, in one question. Accounts for which nothing waits are left out.
    pub async fn n_waiting_of_each(
        &self,
        organisation: OrganisationId,
        accounts: &[MailAccountId],
        most: u32,
    ) -> Result<HashMap<MailAccountId, u64>, StoreError> {
        let mut places = [None; ACCOUNTS_AT_ONCE];
        for (place, account) in places.iter_mut().zip(accounts) {
            *place = Some(*account);
        }
        let count = move |tx: &mut Transaction<'_>| {
            let mut values = vec![organisation.into(), most.into()];
            values.extend(places.map(Value::from));
            tx.rows(&sql::COUNT_WAITING_OF_EACH, &values)
        };
        let mut counted = HashMap::new();
        for row in self.store.read(count).await? {
            let n_waiting = row.get::<u64>(1)?.min(u64::from(most));
            if n_waiting > 0 {
                counted.insert(row.get(0)?, n_waiting);
            }
        }
        Ok(counted)
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
