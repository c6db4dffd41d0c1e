//! Signing in again to a mailbox that is connected: the account, its logins and what waits stay.

use gatepost_core::{CredentialId, MailAccountId, OAuthClientId, OrganisationId, SecretText};
use gatepost_journal::{Entry, append};
use gatepost_providers::Method;
use gatepost_store::{StoreError, params};
use serde_json::json;

use super::details::Details;
use super::draft::Draft;
use super::error::ConnectError;
use super::{Connecting, sql};
use crate::accounts::Accounts;
use crate::check::Examined;
use crate::credential::{CredentialKind, NewSecret, Present};
use crate::record::Record;
use crate::report::Change;
use crate::secret;
use crate::sql as accounts_sql;
use crate::standing::{Standing, State, What};
use crate::status::Direction;
use crate::told::Written;

impl Connecting {
    /// Takes a typed password, or an app password. It is checked next.
    ///
    /// `is_confirmed`: whoever types it has seen and confirmed the servers' names, where they were found by a look-up (OC-12).
    pub async fn put_password(
        &self,
        id: gatepost_core::DraftId,
        revision: u64,
        kind: CredentialKind,
        password: SecretText,
        is_confirmed: bool,
    ) -> Result<Draft, ConnectError> {
        let draft = self.open(id, revision).await?;
        let method = match kind {
            CredentialKind::Password => Method::Password,
            CredentialKind::AppPassword => Method::AppPassword,
            CredentialKind::OAuth => return Err(ConnectError::NoSecret),
        };
        if draft.details.endpoints.is_none() {
            return Err(ConnectError::NoServers);
        }
        if draft.details.found_at.is_some() && !is_confirmed {
            return Err(ConnectError::NotConfirmed);
        }
        let secret = NewSecret::Password(kind, password);
        secret.checked()?;
        let details = Details { method: Some(method), found_at: None, ..draft.details.clone() };
        let draft = if details == draft.details { draft } else { self.change(id, revision, details).await? };
        self.keep(&draft, secret).await?;
        self.get(id).await
    }

    /// Gives the account what has just worked, in one transaction, if nobody else has meanwhile. `None` if it has not worked:
    /// the account stays as it is.
    pub(super) async fn commit(
        &self,
        draft: &Draft,
        account: MailAccountId,
        secret: NewSecret,
        sent: &Examined,
        read: Option<&Examined>,
    ) -> Result<Option<Change>, ConnectError> {
        let endpoints = draft.details.endpoints.clone().ok_or(ConnectError::NoServers)?;
        let (store, organisation) = (self.accounts.store(), self.whose.organisation);
        let key = self.accounts.keyring().data_key(organisation).await?;
        let (world, draft, actor) = (store.world().clone(), draft.clone(), self.whose.actor());
        let tried: Vec<(Direction, What)> =
            [Some((Direction::Sending, sent)), read.map(|it| (Direction::Reading, it))]
                .into_iter()
                .flatten()
                .filter_map(|(direction, it)| Some((direction, it.what.clone()?)))
                .collect();
        let replaced = self.accounts.grant_of(organisation, account).await?;
        let committed = store.write(move |tx| {
            let now = world.now();
            let Some(before) = Record::lock(tx, organisation, account)? else {
                return Ok(Err(ConnectError::AccountGone));
            };
            if let Err(why) = draft.still_fits(&before) {
                return Ok(Err(why));
            }
            if !is_proven(&before, &tried) {
                return Ok(Ok(None));
            }
            let finished = params![organisation, draft.id, draft.revision, now, account];
            if tx.execute(&sql::FINISH_DRAFT, finished)? == 0 {
                return Ok(Err(ConnectError::Changed));
            }
            tx.execute(&sql::DELETE_FLOWS, params![organisation, draft.id])?;
            let mut after = before.clone();
            secret::retire_all(tx, organisation, account, now)?;
            let credential = secret.credential((organisation, account), &endpoints, &key, &world);
            credential.insert(tx, organisation, account, now)?;
            tx.execute(&accounts_sql::RECORD_WORKED, params![organisation, credential.id, now])?;
            after.credential = Some(credential.grant);
            after.account.endpoints = endpoints.clone();
            after.account.provider.clone_from(&draft.details.provider);
            after.account.user_name.clone_from(&draft.details.user_name);
            after.account.opens.clone_from(&draft.details.opens);
            if !after.account.endpoints.can_be_read() {
                after.reading = None;
                tx.execute(&accounts_sql::DELETE_READING_STATUS, params![organisation, account])?;
            } else {
                // Also what was not tried this time: nothing is known about it with the new secret.
                after.set_both(&Standing::unchecked(now));
            }
            for (direction, what) in &tried {
                let unchecked = Standing::unchecked(now);
                after.set_standing(*direction, unchecked.after(what, now).unwrap_or(unchecked));
            }
            let details =
                json!({ "address": before.account.address.as_str(), "kind": credential.kind.word() });
            let (action, subject, subject_id) =
                ("mail_account.reauthenticated", "mail_account", Some(account.uuid()));
            append(tx, &world, &Entry { organisation, actor, action, subject, subject_id, details })?;
            after.save(tx, &before, now)?;
            Ok::<_, StoreError>(Ok(Some(Written::new(before, after, Some(action)))))
        });
        let committed = committed.await?;
        if let Ok(Some(written)) = &committed {
            written.tell(self.accounts.providers().catalogue());
        }
        self.accounts.read_back(organisation).await;
        if let (Ok(Some(_)), Some(replaced)) = (&committed, replaced) {
            self.accounts.give_back(organisation, replaced);
        }
        committed.map(|written| written.map(|it| it.change()))
    }
}

impl Connecting {
    /// Refuses a draft whose account was removed, signed in to by somebody else, or changed since it began.
    pub async fn still_fits(&self, draft: &Draft) -> Result<(), ConnectError> {
        let Some(account) = draft.account else { return Ok(()) };
        let organisation = self.whose.organisation;
        let found = self.accounts.store().read(move |tx| Record::find(tx, organisation, account));
        draft.still_fits(&found.await?.ok_or(ConnectError::AccountGone)?)
    }
}

impl Draft {
    /// Whether the account is as it was when this began. What it has given to others since, and what somebody has edited, is not
    /// written back.
    fn still_fits(&self, now: &Record) -> Result<(), ConnectError> {
        if !now.account.is_live() {
            return Err(ConnectError::AccountGone);
        }
        let is_same = |was: &Details| was.is_same_account(&Details::of_account(&now.account, was.method));
        if !self.was.as_ref().is_some_and(is_same) {
            return Err(ConnectError::AccountChanged(now.account.id));
        }
        if now.credential != self.grant {
            return Err(ConnectError::DoneAlready(now.account.id));
        }
        Ok(())
    }
}

/// One sign-in at least succeeded, none was refused where it has worked before, and no server that has worked was left out.
fn is_proven(before: &Record, tried: &[(Direction, What)]) -> bool {
    let works = |what: &What| matches!(what, What::Succeeded | What::LetterSent | What::Opened);
    let has_worked = |direction| match before.standing(direction).state {
        State::Connected | State::NeedsSignIn | State::Blocked => true,
        State::Unchecked | State::Failing => false,
    };
    let is_needed = |direction: &Direction, what: &What| {
        has_worked(*direction) || matches!(what, What::SignInRefused { .. })
    };
    tried.iter().any(|(_, what)| works(what))
        && tried.iter().all(|(direction, what)| works(what) || !is_needed(direction, what))
}

impl Accounts {
    /// What a live account says of itself, and the grant that it has.
    pub(super) async fn for_signing_in_again(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<(Details, Option<CredentialId>), ConnectError> {
        let found = self.store().read(move |tx| {
            let record = Record::find(tx, organisation, account)?.filter(|it| it.account.is_live());
            let kind = tx.row(&accounts_sql::FIND_LAST_KIND, params![organisation, account])?;
            let kind = kind.map(|row| row.parse::<CredentialKind>(0, "a kind of credential")).transpose()?;
            Ok::<_, StoreError>(record.map(|it| (it, kind)))
        });
        let (record, kind) = found.await?.ok_or(ConnectError::AccountGone)?;
        let method = match kind {
            Some(CredentialKind::OAuth) => Method::SignIn,
            Some(CredentialKind::AppPassword) => Method::AppPassword,
            Some(CredentialKind::Password) | None => Method::Password,
        };
        Ok((Details::of_account(&record.account, Some(method)), record.credential))
    }

    /// Who has granted what the account signs in with, by the same application.
    pub(super) async fn subject_of(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
        client: OAuthClientId,
    ) -> Result<Option<(String, String)>, StoreError> {
        let present = self.store().read(move |tx| Present::find(tx, organisation, account)).await?;
        let present = present.map(|it| it.present);
        let same = present.filter(|it| it.token.as_ref().is_some_and(|token| token.client == client));
        Ok(same.and_then(|it| it.issuer.zip(it.subject)))
    }
}

#[cfg(test)]
mod tests;
