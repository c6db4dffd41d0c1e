//! Checking a draft: the very sign-ins and the letter that its account would need.

use std::time::Duration;

use gatepost_core::{CredentialId, DraftId, MailAccountId, SecretText, Timestamp};
use gatepost_providers::OAuthFailure;
use gatepost_store::params;
use tokio::sync::watch;

use super::draft::{Draft, DraftState, StoredRefused};
use super::error::ConnectError;
use super::kept::Place;
use super::{Connecting, sql, steps};
use crate::account::MailAccount;
use crate::application;
use crate::check::{Checking, Errand, Examined, Progress, Proof, Reach};
use crate::clock::RunningClock;
use crate::credential::{CredentialKind, NewGrant, NewSecret, Used};
use crate::report::Change;
use crate::sending::{Opened, SendingAccount};

/// A step takes less than this; what takes longer was cut off, and the check can begin again.
const STEP_WITHIN: Duration = Duration::from_mins(3);

/// An access token that lives shorter is replaced before the check.
const TOKEN_LIVES: Duration = Duration::from_mins(2);

/// What a check brought.
pub struct Proven {
    /// The draft as it is now.
    pub draft: Draft,
    /// What it made of the account that the draft is about, where it changed that; its success releases what was held.
    pub change: Option<Change>,
}

/// A check that holds the draft.
struct Lease {
    draft: Draft,
    until: Timestamp,
}

impl Connecting {
    /// Signs in with what the draft has, and shows the steps in it as they happen. A draft about an account gives it the new
    /// secret as soon as that has worked; a new mailbox sends itself a letter first.
    ///
    /// `asked_by`: who wants to know; the letter says so.
    pub async fn check(
        &self,
        id: DraftId,
        revision: u64,
        reach: &Reach,
        asked_by: &str,
    ) -> Result<Proven, ConnectError> {
        let (progress, _nobody) = watch::channel(Progress::default());
        self.check_watched((id, revision), reach, asked_by, &progress).await
    }

    /// The same, with the steps shown to whoever watches here as well.
    pub async fn check_watched(
        &self,
        (id, revision): (DraftId, u64),
        reach: &Reach,
        asked_by: &str,
        progress: &watch::Sender<Progress>,
    ) -> Result<Proven, ConnectError> {
        let mut lease = self.claim(id, revision).await?;
        let Some(secret) = self.accounts.secret_of(&lease.draft).await? else {
            self.end(&lease, &Progress::default()).await?;
            return Err(ConnectError::NoSecret);
        };
        let Some(secret) = self.with_living_token(&mut lease, secret).await? else {
            let draft = self.get(id).await?;
            return Ok(Proven { draft, change: None });
        };
        let proof = match lease.draft.account {
            Some(_) => Proof::SignIn,
            None => Proof::Letter { asked_by: asked_by.to_owned() },
        };
        let account = self.assembled(&lease.draft, &secret)?;
        let errand = Errand { reach, proof: &proof, progress };
        let (sent, read) = self.examine(&mut lease, account, errand).await?;
        let change = match lease.draft.account {
            Some(account) => self.commit(&lease.draft, account, secret, &sent, read.as_ref()).await?,
            None => None,
        };
        Ok(Proven { draft: self.get(id).await?, change })
    }

    /// The check itself; each step stands in the draft as soon as it is taken.
    async fn examine(
        &self,
        lease: &mut Lease,
        account: SendingAccount,
        errand: Errand<'_>,
    ) -> Result<(Examined, Option<Examined>), ConnectError> {
        let mut seen = errand.progress.subscribe();
        let mut checking = Checking::new(account, errand, self.accounts.means());
        let examined = {
            let mut examining = std::pin::pin!(async {
                let sent = checking.sending(None).await?;
                Ok::<_, ConnectError>((sent, checking.reading(None).await?))
            });
            loop {
                tokio::select! {
                    biased;
                    done = &mut examining => break done?,
                    Ok(()) = seen.changed() => {
                        let now = seen.borrow_and_update().clone();
                        self.note(lease, &now).await?;
                    }
                }
            }
        };
        let last = errand.progress.borrow().clone();
        self.end(lease, &last).await?;
        Ok(examined)
    }

    async fn claim(&self, id: DraftId, revision: u64) -> Result<Lease, ConnectError> {
        let draft = self.open(id, revision).await?;
        match draft.state {
            DraftState::Open => return Err(ConnectError::NoSecret),
            DraftState::Checking(_) => return Err(ConnectError::Checking),
            DraftState::HasSecret | DraftState::Checked(_) => {}
            DraftState::Finished(account) => return Err(ConnectError::Finished(account)),
        }
        let (organisation, now) = (self.whose.organisation, self.accounts.now());
        let until = now + STEP_WITHIN;
        let claimed = self
            .accounts
            .store()
            .write(move |tx| tx.execute(&sql::CLAIM_CHECK, params![organisation, id, revision, now, until]));
        if claimed.await? == 1 { Ok(Lease { draft, until }) } else { Err(ConnectError::Checking) }
    }

    /// Shows how far the check is. Whoever has changed the draft meanwhile ends it.
    async fn note(&self, lease: &mut Lease, progress: &Progress) -> Result<(), ConnectError> {
        let (organisation, id, revision, until) =
            (self.whose.organisation, lease.draft.id, lease.draft.revision, lease.until);
        let (text, next) = (steps::text(progress), self.accounts.now() + STEP_WITHIN);
        let put = self.accounts.store().write(move |tx| {
            tx.execute(&sql::PUT_STEPS, params![organisation, id, revision, until, &text, next])
        });
        if put.await? != 1 {
            return Err(ConnectError::Changed);
        }
        lease.until = next;
        Ok(())
    }

    async fn end(&self, lease: &Lease, progress: &Progress) -> Result<(), ConnectError> {
        let (organisation, id, revision, until) =
            (self.whose.organisation, lease.draft.id, lease.draft.revision, lease.until);
        let (text, now) = (steps::text(progress), self.accounts.now());
        let ended = self.accounts.store().write(move |tx| {
            tx.execute(&sql::END_CHECK, params![organisation, id, revision, until, &text, now])
        });
        if ended.await? == 1 { Ok(()) } else { Err(ConnectError::Changed) }
    }

    /// What the draft signs in with, with an access token that lives long enough for the check. `None`: the service gave none, and the draft says
    /// why.
    async fn with_living_token(
        &self,
        lease: &mut Lease,
        secret: NewSecret,
    ) -> Result<Option<NewSecret>, ConnectError> {
        let grant = match secret {
            NewSecret::Grant(grant) if grant.lifetime < TOKEN_LIVES => grant,
            living => return Ok(Some(living)),
        };
        let organisation = self.whose.organisation;
        let (store, keyring) = (self.accounts.store(), self.accounts.keyring());
        let found = application::find(store, keyring, organisation, grant.client).await?;
        let (Some(registered), Some(oauth)) = (found, self.accounts.oauth()) else {
            return Err(ConnectError::NoSecret);
        };
        let Some(service) = self.accounts.providers().service(&registered.service) else {
            return Err(ConnectError::NoSecret);
        };
        let answered =
            oauth.refresh(service, &registered.application, &grant.token_url, &grant.refresh_token).await;
        match answered {
            Ok(granted) => {
                let anew = NewSecret::Grant(Box::new(NewGrant {
                    refresh_token: granted.refresh_token.unwrap_or_else(|| grant.refresh_token.clone()),
                    access_token: granted.access_token,
                    lifetime: granted.lifetime,
                    scopes: granted.scopes.or_else(|| grant.scopes.clone()),
                    client: grant.client,
                    token_url: grant.token_url.clone(),
                    subject: grant.subject.clone(),
                }));
                // On the disk before it is used (OC-6).
                self.keep_tokens(&lease.draft, &anew).await?;
                Ok(Some(anew))
            }
            Err(failure) => {
                self.refused(lease, &failure, service).await?;
                Ok(None)
            }
        }
    }

    async fn keep_tokens(&self, draft: &Draft, secret: &NewSecret) -> Result<(), ConnectError> {
        let endpoints = draft.details.endpoints.as_ref().ok_or(ConnectError::NoServers)?;
        let (store, organisation) = (self.accounts.store(), self.whose.organisation);
        let key = self.accounts.keyring().data_key(organisation).await?;
        let place = Place { organisation, draft: draft.id, endpoints };
        let sealed = place.seal(secret, &key, store.world());
        let (id, revision) = (draft.id, draft.revision);
        let kept =
            store.write(move |tx| tx.execute(&sql::PUT_TOKENS, params![organisation, id, revision, &sealed]));
        if kept.await? == 1 { Ok(()) } else { Err(ConnectError::Changed) }
    }

    async fn refused(
        &self,
        lease: &Lease,
        failure: &OAuthFailure,
        service: &gatepost_providers::OAuthService,
    ) -> Result<(), ConnectError> {
        let diagnosis = failure.diagnose(self.accounts.providers().catalogue(), service);
        let at = self.accounts.now().millis();
        let refused =
            StoredRefused { rule: diagnosis.rule, words: failure.words(), at, ..StoredRefused::default() };
        lease.draft.put_refused(self.accounts.store(), &refused).await?;
        self.end(lease, &Progress::default()).await
    }

    /// The draft as the account that it would be.
    fn assembled(&self, draft: &Draft, secret: &NewSecret) -> Result<SendingAccount, ConnectError> {
        let details = &draft.details;
        let settings = details.settings();
        let endpoints = details.endpoints.clone().ok_or(ConnectError::NoServers)?;
        let (kind, text): (CredentialKind, SecretText) = match secret {
            NewSecret::Password(kind, text) => (*kind, text.clone()),
            NewSecret::Grant(grant) => (CredentialKind::OAuth, grant.access_token.clone()),
        };
        let account = MailAccount {
            id: draft.account.unwrap_or_else(|| MailAccountId::from_uuid(draft.id.uuid())),
            organisation: draft.organisation,
            address: details.address.clone(),
            short_name: settings.short_name,
            author_name: settings.author_name,
            provider: details.provider.clone(),
            user_name: settings.user_name,
            opens: settings.opens,
            further_addresses: settings.further_addresses,
            endpoints,
            serves: settings.serves,
            overrides: settings.overrides,
            paused_at: None,
            created_at: draft.created_at,
            removed_at: None,
            clock: RunningClock::default(),
        };
        let used = Used { grant: CredentialId::from_uuid(draft.id.uuid()), serial: 0 };
        let opened =
            Opened { kind, used, scopes: None, secret: Some(text), is_trial: false, is_unproven: false };
        Ok(SendingAccount::new(account, opened, self.accounts.providers())?)
    }
}
