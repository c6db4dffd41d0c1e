//! Connecting a mailbox, and signing in again to one that is connected (docs/decisions/0012, "A draft and its states").
//!
//! All that people say and prove about a mailbox lies in a [`Draft`] until it is proven: no account changes before that. A draft
//! belongs to whoever began it. Each change of what a check proves raises its revision, and what an older sign-in or an older
//! check brings changes nothing.

mod answer;
mod details;
mod draft;
mod error;
mod finish;
mod flow;
mod kept;
mod mailbox;
mod prove;
mod reauthenticate;
mod sign_in;
pub(crate) mod sql;
mod steps;

use gatepost_core::{DraftId, MailAccountId, OrganisationId, PersonId};
use gatepost_journal::Actor;
use gatepost_store::{StoreError, Transaction, params};
use uuid::Uuid;

use crate::accounts::Accounts;

pub use details::Details;
pub use draft::{Draft, DraftState, Refused, SomebodyElse};
pub use error::ConnectError;
pub use flow::{FlowOrigin, SeenFlow, UnderWay};
pub use prove::Proven;
pub use sign_in::Begun;

/// Mailboxes that one person may be connecting at the same time.
const MOST_OPEN: usize = 50;

/// Whose drafts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// Where the account is to be.
    pub organisation: OrganisationId,
    /// Who connects it; none: a command on this machine.
    pub person: Option<PersonId>,
}

impl Whose {
    pub(crate) fn actor(self) -> Actor {
        self.person.map_or(Actor::Command, Actor::Person)
    }
}

/// The mailboxes that somebody is connecting. Cheap to clone.
#[derive(Clone)]
pub struct Connecting {
    accounts: Accounts,
    whose: Whose,
}

impl Accounts {
    /// What somebody is connecting. Whether they may is the caller's to ask, anew for each step.
    #[must_use]
    pub fn connecting(&self, whose: Whose) -> Connecting {
        Connecting { accounts: self.clone(), whose }
    }

    /// Deletes drafts and sign-ins that are over, and gives back what providers gave for them. Returns how many drafts.
    pub async fn sweep_drafts(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let rows = self.store().read(move |tx| tx.rows(&sql::LIST_OLD_GRANTS, params![now])).await?;
        let mut unused = Vec::new();
        for row in &rows {
            let draft = Draft::read(row, self.providers().catalogue(), now)?;
            unused.extend(self.grant_of_draft(&draft).await?.map(|grant| (draft.organisation, grant)));
        }
        let swept = self.store().write(move |tx| {
            tx.execute(&sql::DELETE_OLD_FLOWS, params![now])?;
            tx.execute(&sql::DELETE_OLD_DRAFTS, params![now])
        });
        let n_swept = swept.await?;
        for (organisation, grant) in unused {
            self.give_back(organisation, grant);
        }
        Ok(n_swept)
    }
}

impl Connecting {
    /// Begins to connect a mailbox, or goes on with the draft there is.
    pub async fn begin(&self, details: Details) -> Result<Draft, ConnectError> {
        let details = details.checked(self.accounts.providers())?;
        if let Some(it) = self.accounts.find(self.whose.organisation, &details.address).await? {
            return Err(ConnectError::AlreadyThere { address: details.address, id: it.id });
        }
        for it in self.list().await? {
            if it.account.is_none() && it.details.address.is_same_mailbox(&details.address) {
                return Ok(it);
            }
        }
        self.bounded().await?;
        Ok(Draft::insert(self.accounts.store(), self.whose, details, None).await?)
    }

    /// Refuses to begin more than anybody works on.
    async fn bounded(&self) -> Result<(), ConnectError> {
        if self.list().await?.len() >= MOST_OPEN { Err(ConnectError::TooMany) } else { Ok(()) }
    }

    /// Begins to sign in again to a mailbox that is connected, or goes on with that.
    pub async fn begin_again(&self, account: MailAccountId) -> Result<Draft, ConnectError> {
        let (details, grant) = self.accounts.for_signing_in_again(self.whose.organisation, account).await?;
        for it in self.list().await? {
            // One that began before the account was changed would change nothing.
            let is_same = it.was.as_ref().is_some_and(|was| was.is_same_account(&details));
            if it.account == Some(account) && it.grant == grant && is_same {
                return Ok(it);
            }
        }
        self.bounded().await?;
        Ok(Draft::insert(self.accounts.store(), self.whose, details, Some((account, grant))).await?)
    }

    /// What is open, the newest first.
    pub async fn list(&self) -> Result<Vec<Draft>, StoreError> {
        let (organisation, now, nobody) = (self.whose.organisation, self.accounts.now(), Uuid::nil());
        let person = self.whose.person.map_or(nobody, PersonId::uuid);
        let list = move |tx: &mut Transaction<'_>| {
            tx.rows(&sql::LIST_DRAFTS, params![organisation, now, person, nobody])
        };
        let rows = self.accounts.store().read(list);
        let mut drafts: Vec<Draft> = Vec::new();
        for row in &rows.await? {
            let it = Draft::read(row, self.accounts.providers().catalogue(), now)?;
            if it.person == self.whose.person {
                drafts.push(it);
            }
        }
        Ok(drafts)
    }

    /// One of them, also when it is finished; until its time is over.
    pub async fn get(&self, id: DraftId) -> Result<Draft, ConnectError> {
        let (organisation, now) = (self.whose.organisation, self.accounts.now());
        let row =
            self.accounts.store().read(move |tx| tx.row(&sql::FIND_DRAFT, params![organisation, id, now]));
        let row = row.await?.ok_or(ConnectError::NotFound)?;
        let draft = Draft::read(&row, self.accounts.providers().catalogue(), now)?;
        if draft.person == self.whose.person { Ok(draft) } else { Err(ConnectError::NotFound) }
    }

    /// One that is still open, as it was when somebody looked at it.
    async fn open(&self, id: DraftId, revision: u64) -> Result<Draft, ConnectError> {
        let draft = self.get(id).await?;
        match draft.state {
            DraftState::Finished(account) => Err(ConnectError::Finished(account)),
            _ if draft.revision != revision => Err(ConnectError::Changed),
            _ => Ok(draft),
        }
    }

    /// Says something else about the mailbox. What was proven stays only if it does not depend on that.
    pub async fn change(&self, id: DraftId, revision: u64, details: Details) -> Result<Draft, ConnectError> {
        let draft = self.open(id, revision).await?;
        let details = details.checked(self.accounts.providers())?;
        if draft.account.is_some() && !draft.details.address.is_same_mailbox(&details.address) {
            return Err(ConnectError::Changed);
        }
        let grant = self.accounts.grant_of_draft(&draft).await?;
        draft.put_details(self.accounts.store(), details).await?;
        if let Some(grant) = grant {
            self.accounts.give_back(self.whose.organisation, grant);
        }
        self.get(id).await
    }

    /// Gives it up. What a provider gave for it is taken back there.
    pub async fn discard(&self, id: DraftId) -> Result<(), ConnectError> {
        let draft = self.get(id).await?;
        let unused = self.accounts.grant_of_draft(&draft).await?;
        let organisation = self.whose.organisation;
        let deleted = self.accounts.store().write(move |tx| {
            tx.execute(&sql::DELETE_FLOWS, params![organisation, id])?;
            tx.execute(&sql::DELETE_DRAFT, params![organisation, id])
        });
        deleted.await?;
        if let Some(grant) = unused {
            self.accounts.give_back(organisation, grant);
        }
        Ok(())
    }
}
