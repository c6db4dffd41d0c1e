//! What people do with an account: pause, resume, remove, edit, replace its password, change its servers, make it a default.

use std::net::IpAddr;

use gatepost_core::{AppPasswordId, CredentialId, MailAccountId, OrganisationId, Timestamp};
use gatepost_journal::{Actor, Entry, append};
use gatepost_store::{Keyring, Store, StoreError, Transaction, params};
use serde_json::{Value, json};

use crate::account::{MailAccount, Serves, Settings};
use crate::add::become_default;
use crate::credential::{NewSecret, Present};
use crate::endpoint::Endpoints;
use crate::error::AccountsError;
use crate::record::Record;
use crate::secret;
use crate::sending::ReadingProtocol;
use crate::sql;
use crate::standing::Standing;
use crate::told::Written;

/// Which account, and who acts.
#[derive(Clone, Copy)]
pub(crate) struct Act {
    pub(crate) organisation: OrganisationId,
    pub(crate) id: MailAccountId,
    pub(crate) actor: Actor,
}

/// A connection of a program to a mailbox, which somebody ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedConnection {
    /// What it had signed in with.
    pub app_password: AppPasswordId,
    /// What that is called; none where it was removed.
    pub name: Option<String>,
    /// How it read.
    pub protocol: ReadingProtocol,
    /// From where.
    pub source: IpAddr,
    /// Who ended it, by name, for the log.
    pub by: String,
}

/// What a command did, for the journal; `None` if there was nothing to do.
type Done = Option<(&'static str, Value)>;

/// Loads the account under its lock, lets `work` change it, writes what differs, and journals it.
async fn change(
    store: &Store,
    act: Act,
    work: impl Fn(&mut Transaction<'_>, &mut Record, Timestamp) -> Result<Done, StoreError> + Send + 'static,
) -> Result<Written, AccountsError> {
    let world = store.world().clone();
    let Act { organisation, id, actor } = act;
    store
        .write(move |tx| {
            let now = world.now();
            let Some(before) = Record::lock(tx, organisation, id)? else { return Ok(None) };
            let mut after = before.clone();
            let done = work(tx, &mut after, now)?;
            let action = done.as_ref().map(|(action, _)| *action);
            if let Some((action, details)) = done {
                let subject_id = Some(id.uuid());
                let entry =
                    Entry { organisation, actor, action, subject: "mail_account", subject_id, details };
                append(tx, &world, &entry)?;
                after.save(tx, &before, now)?;
            }
            Ok::<_, StoreError>(Some(Written::new(before, after, action)))
        })
        .await?
        .ok_or(AccountsError::NotFound(id))
}

pub(crate) async fn pause(store: &Store, act: Act) -> Result<Written, AccountsError> {
    let work = |_: &mut Transaction<'_>, record: &mut Record, now| {
        let is_new = record.account.paused_at.is_none();
        Ok(is_new.then(|| {
            record.account.paused_at = Some(now);
            ("mail_account.paused", json!({ "address": record.account.address.as_str() }))
        }))
    };
    change(store, act, work).await
}

pub(crate) async fn resume(store: &Store, act: Act) -> Result<Written, AccountsError> {
    let work = |_: &mut Transaction<'_>, record: &mut Record, _| {
        Ok(record.account.paused_at.take().map(|since| {
            let details =
                json!({ "address": record.account.address.as_str(), "paused_at": since.to_string() });
            ("mail_account.resumed", details)
        }))
    };
    change(store, act, work).await
}

/// Another name to sign in with is one that nothing is known about yet. Whoever is served from now on has a default at least.
pub(crate) async fn edit(store: &Store, act: Act, settings: Settings) -> Result<Written, AccountsError> {
    let own = store.read(move |tx| Record::find(tx, act.organisation, act.id)).await?;
    let own = own.filter(|it| it.account.is_live()).ok_or(AccountsError::NotFound(act.id))?;
    let settings = settings.checked(&own.account.address)?;
    let work = move |tx: &mut Transaction<'_>, record: &mut Record, now| {
        let before = record.account.settings();
        if before == settings {
            return Ok(None);
        }
        record.account.set(settings.clone());
        let MailAccount { organisation, id, .. } = record.account;
        let is_other = (&before.user_name, &before.opens) != (&settings.user_name, &settings.opens);
        // A grant that is over stays so under any name.
        if is_other && !Present::find(tx, organisation, id)?.is_some_and(|it| it.present.is_dead()) {
            record.set_both(&Standing::unchecked(now));
        }
        if before.serves != settings.serves {
            become_default(tx, &record.account)?;
        }
        Ok(Some(("mail_account.edited", json!({ "address": record.account.address.as_str() }))))
    };
    change(store, act, work).await
}

/// The row stays, for the letters that left by it; its secrets do not.
pub(crate) async fn remove(store: &Store, act: Act) -> Result<Written, AccountsError> {
    let work = |tx: &mut Transaction<'_>, record: &mut Record, now| {
        let MailAccount { organisation, id, .. } = record.account;
        secret::retire_all(tx, organisation, id, now)?;
        record.credential = None;
        record.account.removed_at = Some(now);
        Ok(Some(("mail_account.removed", json!({ "address": record.account.address.as_str() }))))
    };
    change(store, act, work).await
}

/// What it signed in with before is forgotten at once; nothing is known about the new secret, and what waits may try it.
/// `expected`: the grant that somebody had in mind; if it is another one by now, nothing changes.
pub(crate) async fn replace_secret(
    store: &Store,
    keyring: &Keyring,
    act: Act,
    secret: NewSecret,
    expected: Option<CredentialId>,
) -> Result<Written, AccountsError> {
    secret.checked()?;
    let key = keyring.data_key(act.organisation).await?;
    let world = store.world().clone();
    let work = move |tx: &mut Transaction<'_>, record: &mut Record, now| {
        let MailAccount { organisation, id, .. } = record.account;
        if expected.is_some() && record.credential != expected {
            return Ok(None);
        }
        secret::retire_all(tx, organisation, id, now)?;
        // Sealed here, under the lock, so that it is bound to the servers as they are at this moment.
        let credential = secret.credential((organisation, id), &record.account.endpoints, &key, &world);
        credential.insert(tx, organisation, id, now)?;
        record.credential = Some(credential.grant);
        record.set_both(&Standing::unchecked(now));
        let details = json!({ "address": record.account.address.as_str(), "kind": credential.kind.word() });
        Ok(Some(("mail_account.credential_replaced", details)))
    };
    change(store, act, work).await
}

/// OC-9: a secret never follows a changed server. Any change of host, port or TLS mode, and any server more or less,
/// forgets it, and the account is parked until somebody enters it again.
pub(crate) async fn edit_endpoints(
    store: &Store,
    act: Act,
    endpoints: Endpoints,
) -> Result<Written, AccountsError> {
    let endpoints = endpoints.checked()?;
    let work = move |tx: &mut Transaction<'_>, record: &mut Record, now| {
        if record.account.endpoints == endpoints {
            return Ok(None);
        }
        let MailAccount { organisation, id, .. } = record.account;
        secret::retire_all(tx, organisation, id, now)?;
        record.credential = None;
        record.account.endpoints = endpoints.clone();
        record.set_both(&Standing::without_secret(now));
        let shown = |it: Option<&crate::Endpoint>| it.map(ToString::to_string);
        let details = json!({
            "address": record.account.address.as_str(),
            "smtp": endpoints.smtp.to_string(),
            "imap": shown(endpoints.imap.as_ref()),
            "pop3": shown(endpoints.pop3.as_ref()),
        });
        Ok(Some(("mail_account.servers_changed", details)))
    };
    change(store, act, work).await
}

/// A program that read the mailbox was cut off: nothing of the account changes, and the journal tells it.
pub(crate) async fn connection_ended(
    store: &Store,
    act: Act,
    it: EndedConnection,
) -> Result<(), AccountsError> {
    let Act { organisation, id, actor } = act;
    let EndedConnection { app_password, name, protocol, source, .. } = it;
    let entry = Entry {
        organisation,
        actor,
        action: "mail_account.connection_ended",
        subject: "mail_account",
        subject_id: Some(id.uuid()),
        details: json!({
            "app_password": app_password.to_string(),
            "name": name,
            "protocol": protocol.name(),
            "source": source.to_string(),
        }),
    };
    let world = store.world().clone();
    Ok(store.write(move |tx| append(tx, &world, &entry)).await?)
}

pub(crate) async fn set_default(store: &Store, act: Act, serves: Serves) -> Result<Written, AccountsError> {
    let work = move |tx: &mut Transaction<'_>, record: &mut Record, _| {
        let MailAccount { organisation, id, .. } = record.account;
        let (word, serves_id) = serves.key(organisation);
        tx.execute(&sql::PUT_DEFAULT, params![organisation, word, serves_id, id])?;
        let details = json!({ "address": record.account.address.as_str(), "serves": word, "serves_id": serves_id.to_string() });
        Ok(Some(("mail_account.made_default", details)))
    };
    change(store, act, work).await
}
