//! Accounts as they are used: handed out with the secret of the moment, and told how that went.

use std::time::Duration;

use gatepost_core::{MailAccountId, OrganisationId};
use gatepost_providers::OAuthClient;
use gatepost_store::StoreError;

use super::Accounts;
use crate::credential::{Present, Used};
use crate::due::due;
use crate::error::AccountsError;
use crate::refresh::{Refresh, Refreshed};
use crate::report::{Change, Event, report};
use crate::sending::{NotUsable, SendingAccount, Use, hand_out};
use crate::status::Direction;

/// Ten a second.
const REFRESHES_EVERY: Duration = Duration::from_millis(100);

impl Accounts {
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
    ///
    /// The refresh goes on to its end when the caller does not wait for it any more: between the service's answer and the disk, a
    /// rotated token is nowhere but in its hands (OC-6).
    async fn refresh_token(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        older_than: u64,
    ) -> Result<(), NotUsable> {
        let alone = self.tokens.flight(id).lock_owned().await;
        let accounts = self.clone();
        let refreshing = self.tokens.tasks.spawn(async move {
            let _alone = alone;
            accounts.refresh_alone(organisation, id, older_than).await
        });
        // Nothing ends the task but a panic, or the runtime together with whoever waits here.
        refreshing.await.unwrap_or(Err(NotUsable::Store(StoreError::Stopped)))
    }

    async fn refresh_alone(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        older_than: u64,
    ) -> Result<(), NotUsable> {
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
        match refresh.run(older_than).await? {
            Refreshed::Done => Ok(()),
            Refreshed::Nothing => Err(NotUsable::NoSecret),
            Refreshed::Failed(diagnosis) => {
                self.read_back(organisation).await;
                Err(NotUsable::NoToken { diagnosis })
            }
        }
    }

    /// Waits until no refresh is under way, and no grant on its way back to its service: before the database is closed.
    pub async fn ended(&self) {
        self.tokens.tasks.close();
        self.tokens.tasks.wait().await;
    }

    /// Refreshes what is due, the longest due first, ten a second and `most` at the same time, so that no service sees a storm
    /// after an hour of downtime. Failures stand in the accounts' status. Returns how many were due.
    pub async fn refresh_due(&self, most: usize) -> Result<usize, StoreError> {
        let now = self.now();
        let due = self.store.read(move |tx| due(tx, now)).await?;
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

    /// What happened on a connection of the account. Writes only if that changes something; events about an older
    /// credential, or begun before the present status, do not.
    pub async fn report(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        direction: Direction,
        event: Event,
    ) -> Result<Change, AccountsError> {
        if direction == Direction::Reading && event.what.has_signed_in() {
            self.doors.forget(id);
        }
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
}
