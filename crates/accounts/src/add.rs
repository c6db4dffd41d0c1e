//! Connecting a mailbox.

use gatepost_core::{DraftId, EmailAddress, MailAccountId, Timestamp};
use gatepost_journal::{Actor, Entry, append};
use gatepost_providers::Providers;
use gatepost_store::{Keyring, Store, StoreError, Transaction, Value, params};
use serde_json::json;

use crate::account::{MailAccount, NewAccount};
use crate::check::{Outcome, Progress, Step, lasts};
use crate::clock::RunningClock;
use crate::connect::sql as draft_sql;
use crate::error::AccountsError;
use crate::record::Record;
use crate::sql;
use crate::standing::{Standing, What};
use crate::status::Direction;
use crate::told::Written;

/// The draft that becomes the account.
#[derive(Clone)]
pub(crate) struct OfDraft {
    pub(crate) id: DraftId,
    pub(crate) revision: u64,
    /// The account becomes the default also where there is one.
    pub(crate) is_default: bool,
    /// How its check went.
    pub(crate) progress: Progress,
}

/// Account, credential, status, default and journal in one transaction; and the end of its draft, if there is one.
pub(crate) async fn add(
    store: &Store,
    keyring: &Keyring,
    providers: &Providers,
    new: NewAccount,
    of_draft: Option<OfDraft>,
) -> Result<Written, AccountsError> {
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
                return Ok(None);
            }
            let mut record = Record::new(it.clone());
            if let Some(draft) = &of_draft {
                let finished = params![it.organisation, draft.id, draft.revision, it.created_at, it.id];
                if tx.execute(&draft_sql::FINISH_DRAFT, finished)? == 0 {
                    return Ok(None);
                }
                draft.progress.stand(&mut record, it.created_at);
            }
            insert(tx, &record)?;
            secret.insert(tx, it.organisation, it.id, it.created_at)?;
            become_default(tx, it)?;
            if of_draft.as_ref().is_some_and(|it| it.is_default) {
                let (word, serves_id) = it.serves.key(it.organisation);
                tx.execute(&sql::PUT_DEFAULT, params![it.organisation, word, serves_id, it.id])?;
            }
            if of_draft.is_some() {
                tx.execute(&sql::RECORD_WORKED, params![it.organisation, secret.id, it.created_at])?;
            }
            append(tx, &world, &entry(it, actor, of_draft.is_some()))?;
            record.mark_changed(tx)?;
            Ok(Some(record))
        })
        .await;
    match done {
        Ok(Some(after)) => Ok(Written::new(Record::new(account), after, Some("mail_account.added"))),
        // Two at the same moment: the second finds the first one's row only when it inserts its own.
        Ok(None) | Err(StoreError::Duplicate { .. }) => Err(AccountsError::AlreadyThere(account.address)),
        Err(failure) => Err(failure.into()),
    }
}

fn insert(tx: &mut Transaction<'_>, record: &Record) -> Result<(), StoreError> {
    let it = &record.account;
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
    record.write_addresses(tx, it.created_at)?;
    if let Some(reading) = &record.reading {
        record.write_standing(tx, Direction::Reading, reading)?;
    }
    record.write_standing(tx, Direction::Sending, &record.sending)
}

impl Progress {
    /// Where a new account stands by the check before it.
    fn stand(&self, record: &mut Record, now: Timestamp) {
        for direction in [Direction::Sending, Direction::Reading] {
            let Some(what) = self.what(direction) else { continue };
            let unchecked = Standing::unchecked(now);
            record.set_standing(direction, unchecked.after(&what, now).unwrap_or(unchecked));
        }
    }

    /// What a direction's steps say of the account; nothing where none was taken.
    fn what(&self, direction: Direction) -> Option<What> {
        let last = self.taken.iter().rfind(|it| it.direction == direction)?;
        Some(match (&last.outcome, last.step) {
            (Outcome::Failed { diagnosis, reply }, Step::SignIn) => {
                What::SignInRefused { diagnosis: (**diagnosis).clone(), reply: reply.clone() }
            }
            (Outcome::Failed { diagnosis, reply }, Step::Open) if lasts(diagnosis.retry) => {
                What::Blocked { diagnosis: (**diagnosis).clone(), reply: reply.clone() }
            }
            (Outcome::Failed { diagnosis, reply }, _) => {
                What::Trouble { diagnosis: (**diagnosis).clone(), reply: reply.clone() }
            }
            (Outcome::Waits { .. } | Outcome::NotReached, _) => return None,
            _ if direction == Direction::Reading => What::Opened,
            _ => What::LetterSent,
        })
    }
}

/// The first live account that serves somebody becomes their default.
pub(crate) fn become_default(tx: &mut Transaction<'_>, it: &MailAccount) -> Result<(), StoreError> {
    let (serves, serves_id) = it.serves.key(it.organisation);
    if tx.row(&sql::FIND_LIVE_DEFAULT, params![it.organisation, serves, serves_id])?.is_none() {
        tx.execute(&sql::PUT_DEFAULT, params![it.organisation, serves, serves_id, it.id])?;
    }
    Ok(())
}

fn entry(it: &MailAccount, actor: Actor, is_proven: bool) -> Entry {
    let details = json!({
        "address": it.address.as_str(),
        "provider": it.provider,
        "smtp": it.endpoints.smtp.to_string(),
        "imap": it.endpoints.imap.as_ref().map(ToString::to_string),
        "pop3": it.endpoints.pop3.as_ref().map(ToString::to_string),
        "proven": is_proven,
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
