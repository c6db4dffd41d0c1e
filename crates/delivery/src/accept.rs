//! Taking a letter over. When [`Outbox::accept`] returns, the disk has it (RFC 5321 §6.1).

use std::sync::Arc;
use std::time::Duration;

use gatepost_store::{FinishedBody, Store, StoreError, Transaction};
use gatepost_wire::smtp::BodyKind;

use crate::sql;
use crate::state::Delivery;
use crate::submission::{NewSubmission, written};

/// How often a commit whose answer was lost is made certain, a second apart.
const TRIES_IN_DOUBT: u32 = 10;

/// Stores body, envelope and recipients in one transaction.
///
/// A commit whose answer was lost is made certain before the application is answered: saying "try again" about a letter that
/// is there would send it twice (QS-9). The same rows are inserted again; their key waits for the earlier transaction, and
/// "duplicate" means that it was committed.
pub(crate) async fn accept(
    store: &Store,
    letter: NewSubmission,
    body: FinishedBody,
) -> Result<(), StoreError> {
    let (letter, now) = (Arc::new((letter, body)), store.world().now());
    let store_it = || {
        let letter = Arc::clone(&letter);
        store.write(move |tx| insert(tx, &letter.0, &letter.1, now))
    };
    let mut stored = store_it().await;
    if !matches!(stored, Err(StoreError::Unknown)) {
        return stored;
    }
    for _ in 0..TRIES_IN_DOUBT {
        stored = match store_it().await {
            Ok(()) | Err(StoreError::Duplicate { .. }) => return Ok(()),
            Err(StoreError::Unreachable { .. } | StoreError::Stopped) => Err(StoreError::Unknown),
            other => other,
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stored
}

/// The rows of a letter, as part of a larger transaction.
pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    letter: &NewSubmission,
    body: &FinishedBody,
    now: gatepost_core::Timestamp,
) -> Result<(), StoreError> {
    body.insert(tx, now)?;
    let [origin, origin_id, login, app_password] = letter.origin.written();
    // The account may have been removed since it was chosen: then it counts as "none found".
    let account = match letter.choice.account {
        Some(it) if gatepost_accounts::is_live(tx, letter.organisation, it.id)? => Some(it),
        _ => None,
    };
    let envelope = &letter.envelope;
    let client = letter.client.map(|it| it.to_string()).unwrap_or_default();
    tx.execute(
        &sql::INSERT_SUBMISSION,
        &[
            letter.organisation.into(),
            letter.id.into(),
            origin,
            origin_id,
            login,
            app_password,
            account.map(|it| it.id).into(),
            (&letter.choice.because).into(),
            envelope.reverse_path.address().map_or("", |it| it.as_str()).into(),
            (&letter.message_id).into(),
            body.size_bytes().into(),
            envelope.is_smtputf8.into(),
            (envelope.body == BodyKind::EightBitMime).into(),
            envelope.dsn_return.map(|it| it.word()).into(),
            envelope.envelope_id.as_ref().map(|it| it.to_xtext()).into(),
            (&client).into(),
            now.into(),
        ],
    )?;
    let delivery = Delivery::new(account.map(|it| it.running_now));
    for (ordinal, recipient) in (0_u32..).zip(&envelope.recipients) {
        let [state, because, next_attempt_at, life_ends_at, life_left_ms] = written(&delivery);
        tx.execute(
            &sql::INSERT_DELIVERY,
            &[
                letter.id.into(),
                ordinal.into(),
                letter.organisation.into(),
                account.map(|it| it.id).into(),
                (&recipient.address).into(),
                recipient.notify.map(|it| it.to_value()).into(),
                recipient.original.as_ref().map(|it| it.to_orcpt()).into(),
                state,
                because,
                next_attempt_at,
                life_ends_at,
                life_left_ms,
                now.into(),
            ],
        )?;
    }
    Ok(())
}
