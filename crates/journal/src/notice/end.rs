//! What became of a notice in hand.

use std::time::Duration;

use gatepost_core::{NodeId, Timestamp};
use gatepost_store::{Store, StoreError, params};
use serde_json::json;

use crate::{Actor, DueNotice, Entry, OpenNotice, append, sql};

/// How long what became of a notice is kept.
const KEPT_FOR: Duration = Duration::from_hours(90 * 24);

/// The notice is in the outbox.
pub async fn notice_done(store: &Store, it: DueNotice) -> Result<(), StoreError> {
    let now = store.world().now();
    let values = move || [it.organisation.into(), it.id.into(), now.into(), None::<&str>.into()];
    store.write(move |tx| tx.execute(&sql::END_NOTICE, &values())).await.map(drop)
}

/// The notice cannot leave yet: why, in words, and when it is looked at again. `n_tries` goes back where waiting was no try.
pub async fn notice_waits(
    store: &Store,
    it: DueNotice,
    because: String,
    next_try_at: Timestamp,
) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            let values = params![it.organisation, it.id, it.n_tries, next_try_at, &because];
            tx.execute(&sql::PUT_NOTICE_OFF, values)
        })
        .await
        .map(drop)
}

/// The notice never leaves: why, in words, for the pages and the journal.
pub async fn notice_given_up(
    store: &Store,
    notice: &OpenNotice,
    because: &'static str,
    node: Option<NodeId>,
) -> Result<(), StoreError> {
    let (it, world) = (notice.due, store.world().clone());
    // What it waited for says more than that its time was up.
    let because = notice.because.as_ref().map_or(because.to_owned(), |waited| format!("{because}: {waited}"));
    let details = json!({ "kind": notice.kind.to_string(), "person": notice.person.uuid().to_string(), "because": because });
    store
        .write(move |tx| {
            let values = params![it.organisation, it.id, world.now(), &because];
            if tx.execute(&sql::END_NOTICE, values)? == 0 {
                return Ok(());
            }
            let entry = given_up(it, node, details.clone());
            append(tx, &world, &entry)
        })
        .await
}

/// Deletes notices that left or were given up more than 90 days ago. One call an hour a node.
pub async fn sweep_notices(store: &Store) -> Result<(), StoreError> {
    let before = store.world().now() - KEPT_FOR;
    store.write(move |tx| tx.execute(&sql::SWEEP_NOTICES, params![before]).map(drop)).await
}

fn given_up(it: DueNotice, node: Option<NodeId>, details: serde_json::Value) -> Entry {
    Entry {
        organisation: it.organisation,
        actor: Actor::System(node),
        action: "notice.given_up",
        subject: "notice",
        subject_id: Some(it.id.uuid()),
        details,
    }
}
