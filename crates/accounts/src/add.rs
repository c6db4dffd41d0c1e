//! Connecting a mailbox.

use gatepost_core::{EmailAddress, MailAccountId};
use gatepost_journal::{Actor, Entry, append};
use gatepost_providers::Providers;
use gatepost_store::{Keyring, Store, StoreError, Transaction, Value, params};
use serde_json::json;

use crate::account::{MailAccount, NewAccount};
use crate::clock::RunningClock;
use crate::error::AccountsError;
use crate::record::Record;
use crate::sql;
use crate::status::Direction;

/// Account, credential, status, default and journal in one transaction.
pub(crate) async fn add(
    store: &Store,
    keyring: &Keyring,
    providers: &Providers,
    new: NewAccount,
) -> Result<MailAccount, AccountsError> {
    let new = new.checked(providers)?;
    let world = store.world().clone();
    let account = MailAccount {
        id: MailAccountId::new(&world),
        organisation: new.organisation,
        address: new.address,
        short_name: new.short_name,
        author_name: new.author_name,
        provider: new.provider,
        user_name: new.user_name,
        opens: new.opens,
        further_addresses: new.further_addresses,
        endpoints: new.endpoints,
        serves: new.serves,
        overrides: new.overrides,
        paused_at: None,
        created_at: world.now(),
        removed_at: None,
        clock: RunningClock::default(),
    };
    let key = keyring.data_key(account.organisation).await?;
    let secret = new.secret.credential((account.organisation, account.id), &account.endpoints, &key, &world);
    let (added, actor) = (account.clone(), new.actor);
    let done = store
        .write(move |tx| {
            let it = &added;
            let taken = params![it.organisation, it.address.to_key()];
            if tx.row(&sql::FIND_LIVE_ADDRESS, taken)?.is_some() {
                return Ok(false);
            }
            insert(tx, it)?;
            secret.insert(tx, it.organisation, it.id, it.created_at)?;
            become_default(tx, it)?;
            append(tx, &world, &entry(it, actor))?;
            Record::new(it.clone()).mark_changed(tx)?;
            Ok(true)
        })
        .await;
    match done {
        Ok(true) => Ok(account),
        // Two at the same moment: the second finds the first one's row only when it inserts its own.
        Ok(false) | Err(StoreError::Duplicate { .. }) => Err(AccountsError::AlreadyThere(account.address)),
        Err(failure) => Err(failure.into()),
    }
}

fn insert(tx: &mut Transaction<'_>, it: &MailAccount) -> Result<(), StoreError> {
    let (person, location) = it.serves.columns();
    let mut values: Vec<Value<'_>> = vec![
        it.id.into(),
        it.organisation.into(),
        (&it.address).into(),
        it.address.to_key().into(),
        (&it.short_name).into(),
        (&it.author_name).into(),
        (&it.provider).into(),
        (&it.user_name).into(),
    ];
    values.extend(it.endpoints.columns());
    values.extend([
        person.into(),
        location.into(),
        it.overrides.never_falls_back.into(),
        it.overrides.max_connections.into(),
        it.overrides.max_message_bytes.into(),
        it.opens.as_ref().map(EmailAddress::as_str).into(),
        it.created_at.into(),
    ]);
    tx.execute(&sql::INSERT_ACCOUNT, &values)?;
    let record = Record::new(it.clone());
    record.write_addresses(tx, it.created_at)?;
    record.write_standing(tx, Direction::Sending, &record.sending)
}

/// The first live account that serves somebody becomes their default.
pub(crate) fn become_default(tx: &mut Transaction<'_>, it: &MailAccount) -> Result<(), StoreError> {
    let (serves, serves_id) = it.serves.key(it.organisation);
    if tx.row(&sql::FIND_LIVE_DEFAULT, params![it.organisation, serves, serves_id])?.is_none() {
        tx.execute(&sql::PUT_DEFAULT, params![it.organisation, serves, serves_id, it.id])?;
    }
    Ok(())
}

fn entry(it: &MailAccount, actor: Actor) -> Entry {
    let details = json!({
        "address": it.address.as_str(),
        "provider": it.provider,
        "smtp": it.endpoints.smtp.to_string(),
        "imap": it.endpoints.imap.as_ref().map(ToString::to_string),
        "pop3": it.endpoints.pop3.as_ref().map(ToString::to_string),
    });
    Entry {
        organisation: it.organisation,
        actor,
        action: "mail_account.added",
        subject: "mail_account",
        subject_id: Some(it.id.uuid()),
        details,
    }
}
