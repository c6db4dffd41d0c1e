//! The accounts as other rooms use them.

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{
    Diagnosis, EmailAddress, MailAccountId, OAuthClientId, OrganisationId, Timestamp, World,
};
use gatepost_journal::Actor;
use gatepost_providers::{Catalogue, OAuthClient, Providers};
use gatepost_store::{Keyring, Store, StoreError, Transaction, params};

use crate::account::{MailAccount, NewAccount, Serves, Settings};
use crate::add::OfDraft;
use crate::application::{NewApplication, OAuthApplication};
use crate::board::{Board, Entry, Shown, board};
use crate::choose::{Chosen, Explained, ForNotices, Target, choose, explain, for_notices};
use crate::clock::RunningClocks;
use crate::command::{self, Act};
use crate::credential::{NewSecret, Present, Used};
use crate::endpoint::Endpoints;
use crate::error::{AccountsError, NotRegistered};
use crate::memory::Memory;
use crate::record::Record;
use crate::refresh::{Refresh, Refreshed};
use crate::report::{Change, Event, report};
use crate::sending::{NotUsable, SendingAccount, Use, hand_out};
use crate::sign_ins::SignIns;
use crate::standing::State;
use crate::status::{AccountStatus, Direction};
use crate::tokens::Tokens;
use crate::trouble::{self, Against, Postponed, Trouble, Watcher};
use crate::{add, application, refresh, sql};

/// Ten a second.
const REFRESHES_EVERY: Duration = Duration::from_millis(100);

/// All mail accounts. Cheap to clone; clones share what is remembered.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    keyring: Keyring,
    providers: Arc<Providers>,
    memory: Arc<Memory>,
    tokens: Arc<Tokens>,
    pub(crate) sign_ins: Arc<SignIns>,
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
        }
    }

    /// The providers that this installation knows.
    #[must_use]
    pub fn providers(&self) -> &Arc<Providers> {
        &self.providers
    }

    /// Connects a mailbox. The first account that serves the organisation, a location or a person becomes their default.
    pub async fn add(&self, new: NewAccount) -> Result<MailAccount, AccountsError> {
        let added = add::add(&self.store, &self.keyring, &self.providers, new, None).await?;
        self.read_back(added.organisation).await;
        Ok(added)
    }

    /// The same for a draft that was checked, which ends.
    pub(crate) async fn add_proven(
        &self,
        new: NewAccount,
        draft: OfDraft,
    ) -> Result<MailAccount, AccountsError> {
        let added = add::add(&self.store, &self.keyring, &self.providers, new, Some(draft)).await?;
        self.read_back(added.organisation).await;
        Ok(added)
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
        let grant = self.unneeded_grant(organisation, id).await?;
        let done = command::remove(&self.store, Act { organisation, id, actor }).await;
        let change = self.after(organisation, done).await?;
        if let Some(grant) = grant {
            let accounts = self.clone();
            // OC-10. The account is gone either way; nobody waits for a service that may be down.
            tokio::spawn(async move { accounts.take_back(organisation, grant).await });
        }
        Ok(change)
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
        let act = Act { organisation, id, actor };
        let done = command::replace_secret(&self.store, &self.keyring, act, secret.into(), None).await;
        self.after(organisation, done).await
    }

    /// Other servers. Unless they are the same the password is forgotten (OC-9), and [`Self::replace_secret`] must follow.
    pub async fn edit_endpoints(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        endpoints: Endpoints,
        actor: Actor,
    ) -> Result<Change, AccountsError> {
        let act = Act { organisation, id, actor };
        let done = command::edit_endpoints(&self.store, act, endpoints).await;
        self.after(organisation, done).await
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
        self.after(organisation, done).await
    }

    /// The account with its secret, for sending letters, unless something speaks against it.
    pub async fn sending(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<SendingAccount, NotUsable> {
        self.hand_out(organisation, id, Use::Letters).await
    }

    /// The account with its secret for signing in alone: a probe of a parked account, or a check somebody asked for. Its
    /// status, its pause and the time of its next try do not matter.
    pub async fn signing_in(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<SendingAccount, NotUsable> {
        self.hand_out(organisation, id, Use::SigningIn).await
    }

    /// As [`Self::signing_in`], after the server has refused what was `refused`: a refused access token is replaced once, because
    /// providers take tokens back before their time (SC-8). A password is none: the refusal counts.
    pub async fn signing_in_anew(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        refused: Used,
    ) -> Result<Option<SendingAccount>, NotUsable> {
        if refused.serial == 0 {
            return Ok(None);
        }
        self.refresh_token(organisation, id, refused.serial).await?;
        let handed = self.hand_out(organisation, id, Use::SigningIn).await?;
        Ok(Some(handed).filter(|it| it.used != refused))
    }

    async fn hand_out(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        purpose: Use,
    ) -> Result<SendingAccount, NotUsable> {
        let mut refreshed = false;
        loop {
            let handed =
                hand_out(&self.store, &self.keyring, &self.providers, organisation, id, purpose).await;
            match handed {
                Err(NotUsable::TokenOver { serial }) if !refreshed => {
                    refreshed = true;
                    self.refresh_token(organisation, id, serial).await?;
                }
                Err(NotUsable::NoSecret) => {
                    self.read_back(organisation).await;
                    return Err(NotUsable::NoSecret);
                }
                handed => {
                    if let Ok(it) = &handed
                        && it.is_unproven
                    {
                        self.tokens.await_proof(id, it.used);
                    }
                    return handed;
                }
            }
        }
    }

    /// Sees to it that there is an access token newer than this one. One at a time for an account, however many ask.
    async fn refresh_token(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        older_than: u64,
    ) -> Result<(), NotUsable> {
        let flight = self.tokens.flight(id);
        let _alone = flight.lock().await;
        let Some(oauth) = self.tokens.oauth.get() else { return Err(NotUsable::NoSecret) };
        let refresh = Refresh {
            store: &self.store,
            keyring: &self.keyring,
            providers: &self.providers,
            oauth,
            owner: self.tokens.owner,
            organisation,
            id,
        };
        // Large and rare: it would make every task that may sign in as large.
        match Box::pin(refresh.run(older_than)).await? {
            Refreshed::Done => Ok(()),
            Refreshed::Nothing => Err(NotUsable::NoSecret),
            Refreshed::Failed(diagnosis) => {
                self.read_back(organisation).await;
                Err(NotUsable::NoToken { diagnosis })
            }
        }
    }

    /// Refreshes what is due, the longest due first, ten a second and `most` at the same time, so that no service sees a storm
    /// after an hour of downtime. Failures stand in the accounts' status. Returns how many were due.
    pub async fn refresh_due(&self, most: usize) -> Result<usize, StoreError> {
        let now = self.now();
        let due = self.store.read(move |tx| refresh::due(tx, now)).await?;
        let n_due = due.len();
        let mut running = tokio::task::JoinSet::new();
        let mut pace = tokio::time::interval(REFRESHES_EVERY);
        for (organisation, id) in due {
            pace.tick().await;
            if running.len() >= most {
                running.join_next().await;
            }
            let accounts = self.clone();
            running.spawn(async move {
                let serial = accounts.serial(organisation, id).await;
                let refreshed = match serial {
                    Ok(Some(serial)) => accounts.refresh_token(organisation, id, serial).await,
                    Ok(None) => Ok(()),
                    Err(failure) => Err(NotUsable::Store(failure)),
                };
                if let Err(failure) = refreshed {
                    tracing::warn!(account.id = %id, error = %failure, "an access token could not be refreshed");
                }
            });
        }
        while running.join_next().await.is_some() {}
        Ok(n_due)
    }

    /// Which access token an account has at present.
    async fn serial(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
    ) -> Result<Option<u64>, StoreError> {
        let found = self.store.read(move |tx| Present::find(tx, organisation, id)).await?;
        Ok(found.map(|it| it.present.access.serial))
    }

    /// From now on access tokens can be refreshed. Once; later calls change nothing.
    pub fn reach_services(&self, oauth: OAuthClient) {
        let _ = self.tokens.oauth.set(oauth);
    }

    /// The applications that an organisation can use, its own in front of the installation's; one for each service.
    pub async fn applications(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<OAuthApplication>, StoreError> {
        application::list(&self.store, organisation).await
    }

    /// Registers an application in place of an earlier one of the same service: for an organisation, or with none for the
    /// installation (then `journal` names the organisation whose administrator did it).
    pub async fn put_application(
        &self,
        organisation: Option<OrganisationId>,
        new: NewApplication,
        journal: OrganisationId,
        actor: Actor,
    ) -> Result<OAuthClientId, AccountsError> {
        application::put(&self.store, &self.keyring, organisation, new, (journal, actor)).await
    }

    /// The same, once the service has taken it; nothing is stored before. Where no secret is given, the one that is there already
    /// goes on, if neither client id nor tenant changes. `public_url` is where browsers find the portal.
    pub async fn register_application(
        &self,
        organisation: Option<OrganisationId>,
        new: NewApplication,
        public_url: Option<&str>,
        journal: OrganisationId,
        actor: Actor,
    ) -> Result<OAuthClientId, NotRegistered> {
        let owner = organisation.unwrap_or(application::INSTALLATION);
        let ways = (&*self.providers, self.tokens.oauth.get());
        // Large and rare.
        let proving = application::prove(&self.store, &self.keyring, ways, owner, new, public_url);
        let proven = Box::pin(proving).await?;
        Ok(self.put_application(organisation, proven, journal, actor).await?)
    }

    /// The installation's own applications.
    pub async fn applications_of_installation(&self) -> Result<Vec<OAuthApplication>, StoreError> {
        application::list(&self.store, application::INSTALLATION).await
    }

    /// Offers an application no more, an organisation's own or with none the installation's; grants made with it go on. False if
    /// there is none of this id.
    pub async fn remove_application(
        &self,
        organisation: Option<OrganisationId>,
        id: OAuthClientId,
        journal: OrganisationId,
        actor: Actor,
    ) -> Result<bool, StoreError> {
        application::remove(&self.store, organisation, id, (journal, actor)).await
    }

    /// The organisation's live accounts that sign in by a grant which was made with this application.
    pub async fn connected_with(
        &self,
        organisation: OrganisationId,
        id: OAuthClientId,
    ) -> Result<Vec<MailAccount>, StoreError> {
        let theirs = application::accounts_of(&self.store, organisation, id).await?;
        let live = self.list(organisation).await?;
        Ok(live.into_iter().filter(|it| theirs.contains(&it.id)).collect())
    }

    /// What happened on a connection of the account. Writes only if that changes something; events about an older
    /// credential, or begun before the present status, do not.
    pub async fn report(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        direction: Direction,
        event: Event,
    ) -> Result<Change, AccountsError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        let remembered = all.live(id).ok_or(AccountsError::NotFound(id))?;
        // Every connection of a connected account brings a success: it must cost no transaction. A credential that is not
        // remembered may be one that another node has just stored.
        let is_known = remembered.credential == Some(event.used.grant);
        // The first success of a rotated token is written all the same: what came before it is needed no more (OC-6).
        let used = event.used;
        let is_proof = event.what.has_signed_in() && self.tokens.is_proof_awaited(id, used);
        if is_known && !is_proof && event.moves(remembered, direction, self.now()).is_none() {
            return Ok(Change::none(remembered));
        }
        let done = report(&self.store, organisation, id, direction, event).await;
        if is_proof && done.is_ok() {
            self.tokens.proof_came(id, used);
        }
        let done = done.map_err(AccountsError::from).and_then(|it| it.ok_or(AccountsError::NotFound(id)));
        self.after(organisation, done).await
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

    /// Whether the account's letters are held, by what is remembered of it.
    #[must_use]
    pub fn is_held(&self, id: MailAccountId) -> bool {
        self.memory.find(id, Record::is_held).unwrap_or(false)
    }

    /// Why the account's letters are held, in words, by what is remembered of it.
    #[must_use]
    pub fn held_reason(&self, id: MailAccountId) -> Option<String> {
        let (catalogue, now) = (self.providers.catalogue(), self.now());
        self.memory.find(id, |record| held_reason(record, catalogue, now)).flatten()
    }

    /// What is wrong with sending, by what is remembered of the account.
    #[must_use]
    pub fn sending_diagnosis(&self, id: MailAccountId) -> Option<Diagnosis> {
        let rule = self.memory.find(id, |it| it.sending.rule.clone()).flatten()?;
        self.providers.catalogue().find(&rule).cloned()
    }

    /// The account a letter leaves by. Looks at no credential and reaches for no provider (AP-9).
    pub async fn choose(&self, organisation: OrganisationId, target: Target) -> Result<Chosen, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        Ok(choose(&all, target, &self.providers, self.now()))
    }

    /// The same, with all that was looked at on the way and whether the letter would be held. Sends nothing.
    pub async fn explain(
        &self,
        organisation: OrganisationId,
        target: Target,
    ) -> Result<Explained, StoreError> {
        let (all, now) = (self.memory.recent(&self.store, organisation).await?, self.now());
        let held_reason = |it: &Record| held_reason(it, self.providers.catalogue(), now);
        Ok(explain(&all, target, &self.providers, held_reason, now))
    }

    /// The account that notices to the organisation's own people leave by, if it can send now.
    pub async fn for_notices(&self, organisation: OrganisationId) -> Result<ForNotices, StoreError> {
        let (all, now) = (self.memory.recent(&self.store, organisation).await?, self.now());
        let held_reason = |it: &Record| held_reason(it, self.providers.catalogue(), now);
        Ok(for_notices(&all, held_reason, &self.providers, now))
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

    async fn after<T>(
        &self,
        organisation: OrganisationId,
        done: Result<T, AccountsError>,
    ) -> Result<T, AccountsError> {
        if done.is_ok() {
            self.read_back(organisation).await;
        }
        done
    }

    /// Our own change becomes visible at once. The change itself is on the disk; if it cannot be read back now, it is seen
    /// within a second like another node's.
    pub(crate) async fn read_back(&self, organisation: OrganisationId) {
        if let Err(failure) = self.refresh(organisation).await {
            tracing::warn!(organisation.id = %organisation, %failure, "a changed mail account could not be read back");
        }
    }
}

fn held_reason(record: &Record, catalogue: &Catalogue, now: Timestamp) -> Option<String> {
    let account = &record.account;
    let who = format!("{} ({})", account.short_name, account.address);
    if let Some(since) = account.paused_at {
        let since = clock_time(since, now);
        return Some(format!(
            "{who} is paused since {since}: letters leave by themselves once it is resumed"
        ));
    }
    if record.sending.state != State::NeedsSignIn {
        return None;
    }
    let since = clock_time(record.sending.since, now);
    let diagnosis = record.sending.rule.as_deref().and_then(|rule| catalogue.find(rule));
    Some(match diagnosis {
        Some(it) => {
            format!(
                "{who} cannot send since {since}: {} Cure: {} Who can do this: {}",
                it.cause, it.cure, it.who
            )
        }
        None => format!("{who} cannot send since {since}: the provider refused the sign-in"),
    })
}

/// The time of day, with the day in front unless it is today. UTC, like every time that is stored.
fn clock_time(at: Timestamp, now: Timestamp) -> String {
    let text = at.to_string();
    let (day, time) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
    if at.day() == now.day() { format!("{time} UTC") } else { format!("{day} {time} UTC") }
}
