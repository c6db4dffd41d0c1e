//! The accounts as other rooms use them.

mod applications;
mod choosing;
mod giving_back;
mod mailbox;
mod reading;
mod using;

pub use mailbox::{NoMailbox, NoServer};
pub use reading::{NotReadable, OpenMailbox, Readable};

use std::sync::Arc;

use gatepost_core::{EmailAddress, MailAccountId, OrganisationId, Timestamp, World};
use gatepost_journal::Actor;
use gatepost_providers::{OAuthClient, Providers};
use gatepost_store::{Keyring, Store, StoreError, Transaction, params};
use tokio::sync::Notify;

use crate::account::{MailAccount, NewAccount, Serves, Settings};
use crate::add::OfDraft;
use crate::board::{Board, Entry, Shown, board};
use crate::clock::RunningClocks;
use crate::command::{self, Act, EndedConnection};
use crate::credential::{NewGrant, NewSecret};
use crate::endpoint::Endpoints;
use crate::error::AccountsError;
use crate::memory::Memory;
use crate::report::Change;
use crate::sign_ins::SignIns;
use crate::status::AccountStatus;
use crate::tokens::Tokens;
use crate::told::{Written, tell_of_end};
use crate::trouble::{self, Against, Postponed, Trouble, Watcher};
use crate::{add, sql};

/// All mail accounts. Cheap to clone; clones share what is remembered.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    keyring: Keyring,
    providers: Arc<Providers>,
    memory: Arc<Memory>,
    tokens: Arc<Tokens>,
    pub(crate) sign_ins: Arc<SignIns>,
    doors: Arc<reading::Doors>,
    /// Rings when somebody may be served who was not.
    served: Arc<Notify>,
}

/// Whether an account is live, as part of another room's transaction; it cannot be removed before that ends.
pub fn is_live(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: MailAccountId,
) -> Result<bool, StoreError> {
    Ok(tx.row(&sql::SHARE_LIVE_ACCOUNT, params![organisation, id])?.is_some())
}

impl Accounts {
    /// The accounts in this store. Nothing is read yet; [`Self::refresh_all`] fills what the synchronous questions look at.
    #[must_use]
    pub fn new(store: &Store, keyring: &Keyring, providers: Arc<Providers>) -> Self {
        Self {
            store: store.clone(),
            keyring: keyring.clone(),
            providers,
            memory: Arc::default(),
            tokens: Arc::default(),
            sign_ins: Arc::default(),
            doors: Arc::default(),
            served: Arc::default(),
        }
    }

    /// The providers that this installation knows.
    #[must_use]
    pub fn providers(&self) -> &Arc<Providers> {
        &self.providers
    }

    /// Connects a mailbox. The first account that serves the organisation, a location or a person becomes their default.
    pub async fn add(&self, new: NewAccount) -> Result<MailAccount, AccountsError> {
        self.add_of(new, None).await
    }

    /// The same for a draft that was checked, which ends.
    pub(crate) async fn add_proven(
        &self,
        new: NewAccount,
        draft: OfDraft,
    ) -> Result<MailAccount, AccountsError> {
        self.add_of(new, Some(draft)).await
    }

    async fn add_of(&self, new: NewAccount, draft: Option<OfDraft>) -> Result<MailAccount, AccountsError> {
        let added = add::add(&self.store, &self.keyring, &self.providers, new, draft).await?;
        added.tell(self.providers.catalogue());
        self.read_back(added.after.account.organisation).await;
        self.served.notify_one();
        Ok(added.after.account)
    }

    /// The live accounts of an organisation, oldest first.
    pub async fn list(&self, organisation: OrganisationId) -> Result<Vec<MailAccount>, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        let mut live: Vec<MailAccount> =
            all.records.values().map(|it| it.account.clone()).filter(MailAccount::is_live).collect();
        live.sort_by_key(|it| it.id);
        Ok(live)
    }

    /// The live account of a mailbox, whatever the case of the address.
    pub async fn find(
        &self,
        organisation: OrganisationId,
        address: &EmailAddress,
    ) -> Result<Option<MailAccount>, StoreError> {
        let live = self.list(organisation).await?;
        Ok(live.into_iter().find(|it| it.address.to_key() == address.to_key()))
    }

    /// A live account.
    pub async fn get(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<MailAccount, AccountsError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        all.live(id).map(|it| it.account.clone()).ok_or(AccountsError::NotFound(id))
    }

    /// How a live account fares.
    pub async fn status(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<AccountStatus, AccountsError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        let status = all.live(id).map(|it| AccountStatus::of(it, self.providers.catalogue()));
        status.ok_or(AccountsError::NotFound(id))
    }

    /// How a live account fares, with the account, as [`Self::get`] and [`Self::status`] together.
    pub async fn entry(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Entry, AccountsError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        let record = all.live(id).ok_or(AccountsError::NotFound(id))?;
        Ok(Entry {
            account: record.account.clone(),
            status: AccountStatus::of(record, self.providers.catalogue()),
        })
    }

    /// One page of the accounts that somebody sees, those that need a person first.
    pub async fn board(&self, organisation: OrganisationId, shown: Shown<'_>) -> Result<Board, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        Ok(board(&all, &shown, &self.providers))
    }

    /// For whom the account is the default.
    pub async fn defaults_of(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Vec<Serves>, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        Ok(all.defaults.iter().filter(|(_, default)| **default == id).map(|(serves, _)| *serves).collect())
    }

    /// Accounts that wait for somebody to sign in again, as one person is to be told of them; without what they have put off.
    /// Where nothing is wrong the database is not asked: what is remembered is enough, however old.
    pub async fn troubles_for(
        &self,
        organisation: OrganisationId,
        watcher: Watcher,
    ) -> Result<Vec<Trouble>, StoreError> {
        let all = self.memory.remembered(&self.store, organisation).await?;
        let findings = watcher.findings(&all);
        if findings.is_empty() {
            return Ok(Vec::new());
        }
        // What other nodes have done counts before anybody is bothered.
        let all = self.memory.recent(&self.store, organisation).await?;
        let against = Against::find(&self.store, organisation, watcher.person).await?;
        Ok(trouble::grouped(watcher.findings(&all), &against, self.providers.catalogue()))
    }

    /// "Later": what of this they are told of now is silent for a day, for them alone. Anything else is left out.
    pub async fn postpone(
        &self,
        organisation: OrganisationId,
        watcher: Watcher,
        all: Vec<Postponed>,
    ) -> Result<(), StoreError> {
        let remembered = self.memory.recent(&self.store, organisation).await?;
        let findings = watcher.findings(&remembered);
        let told = all.into_iter().filter(|it| findings.iter().any(|finding| finding.is(it))).collect();
        trouble::postpone(&self.store, organisation, watcher, told).await
    }

    /// Forgets the account's secrets and takes it out of use. Its letters and their time lines stay.
    pub async fn remove(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let grant = self.grant_of(organisation, id).await?;
        let done = command::remove(&self.store, Act { organisation, id, actor }).await;
        self.after_giving_up(organisation, done, grant).await
    }

    /// Holds the account's letters until [`Self::resume`].
    pub async fn pause(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let done = command::pause(&self.store, Act { organisation, id, actor }).await;
        self.after(organisation, done).await
    }

    /// Writes down, and logs, who ended a connection that read the mailbox.
    pub async fn connection_ended(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        it: EndedConnection,
        actor: Actor,
    ) -> Result<(), AccountsError> {
        tell_of_end(&self.get(organisation, id).await?, &it, actor);
        command::connection_ended(&self.store, Act { organisation, id, actor }, it).await
    }

    /// Ends a pause.
    pub async fn resume(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let done = command::resume(&self.store, Act { organisation, id, actor }).await;
        self.after(organisation, done).await
    }

    /// Other names, addresses, limits, or somebody else whom it serves.
    pub async fn edit(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        settings: Settings,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let done = command::edit(&self.store, Act { organisation, id, actor }, settings).await;
        self.after(organisation, done).await
    }

    /// Another password or grant for the same servers. The account is unchecked, and what waits may try it.
    pub async fn replace_secret(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        secret: impl Into<NewSecret>,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let grant = self.grant_of(organisation, id).await?;
        let act = Act { organisation, id, actor };
        let done = command::replace_secret(&self.store, &self.keyring, act, secret.into(), None).await;
        self.after_giving_up(organisation, done, grant).await
    }

    /// Other servers. Unless they are the same the password is forgotten (OC-9), and [`Self::replace_secret`] must follow.
    pub async fn edit_endpoints(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        endpoints: Endpoints,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let grant = self.grant_of(organisation, id).await?;
        let act = Act { organisation, id, actor };
        let done = command::edit_endpoints(&self.store, act, endpoints).await;
        self.after_giving_up(organisation, done, grant).await
    }

    /// Makes the account the default of the organisation, a location or a person.
    pub async fn set_default(
        &self,
        organisation: OrganisationId,
        serves: Serves,
        id: MailAccountId,
        actor: Actor,
    ) -> Result<(), AccountsError> {
        let done = command::set_default(&self.store, Act { organisation, id, actor }, serves).await;
        self.after(organisation, done).await?;
        self.served.notify_one();
        Ok(())
    }

    /// Waits until an account has come or become a default in this process: letters that nothing served may leave now.
    pub async fn somebody_is_served(&self) {
        self.served.notified().await;
    }

    /// The present time on the account's running clock.
    pub async fn running_now(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Timestamp, StoreError> {
        let now = self.now();
        Ok(self.running_clocks(organisation).await?.reading(Some(id), now))
    }

    /// The running clocks of all accounts of an organisation, to be moved into a store job.
    pub async fn running_clocks(&self, organisation: OrganisationId) -> Result<RunningClocks, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        Ok(RunningClocks(all.records.iter().map(|(id, it)| (*id, it.account.clock)).collect()))
    }

    /// Looks at an organisation's accounts anew.
    pub async fn refresh(&self, organisation: OrganisationId) -> Result<(), StoreError> {
        self.memory.read(&self.store, organisation).await.map(drop)
    }

    /// Looks at all accounts anew: at start, and wherever the synchronous questions must know of other nodes' changes.
    pub async fn refresh_all(&self) -> Result<(), StoreError> {
        for row in self.store.read(move |tx| tx.rows(&sql::LIST_ORGANISATIONS, params![])).await? {
            self.refresh(row.get(0)?).await?;
        }
        Ok(())
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The way to OAuth services, once [`Self::reach_services`] has named it.
    pub(crate) fn oauth(&self) -> Option<&OAuthClient> {
        self.tokens.oauth.get()
    }

    /// Clock and dice.
    pub(crate) fn world(&self) -> &World {
        self.store.world()
    }

    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.store.world().now()
    }

    /// Tells what was done in the log, and remembers it.
    async fn after(
        &self,
        organisation: OrganisationId,
        done: Result<Written, AccountsError>,
    ) -> Result<Change, AccountsError> {
        let written = done?;
        written.tell(self.providers.catalogue());
        self.read_back(organisation).await;
        Ok(written.change())
    }

    /// The same where a grant may have gone out of use.
    async fn after_giving_up(
        &self,
        organisation: OrganisationId,
        done: Result<Written, AccountsError>,
        grant: Option<NewGrant>,
    ) -> Result<Change, AccountsError> {
        let done = self.after(organisation, done).await?;
        if let Some(grant) = grant {
            self.give_back(organisation, grant);
        }
        Ok(done)
    }

    /// Our own change becomes visible at once. The change itself is on the disk; if it cannot be read back now, it is seen
    /// within a second like another node's.
    pub(crate) async fn read_back(&self, organisation: OrganisationId) {
        if let Err(failure) = self.refresh(organisation).await {
            tracing::warn!(organisation.id = %organisation, %failure, "a changed mail account could not be read back");
        }
    }
}
