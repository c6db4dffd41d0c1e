//! Taking notices in hand that are due.

use gatepost_core::{EmailAddress, LinkId, NoticeId, OrganisationId, PersonId, Timestamp};
use gatepost_store::{Row, Store, StoreError, params};

use crate::{NoticeKind, sql};

/// A notice that is due, not yet in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueNotice {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Which.
    pub id: NoticeId,
    /// How often it was in hand before.
    pub n_tries: u32,
}

/// A notice in hand.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenNotice {
    /// Its row, with this try counted.
    pub due: DueNotice,
    /// What it tells.
    pub kind: NoticeKind,
    /// Who it is for.
    pub person: PersonId,
    /// Where it goes; the first is the address that the person signs in with.
    pub addresses: Vec<EmailAddress>,
    /// The one-time link that the letter carries.
    pub link: Option<LinkId>,
    /// What the letter names.
    pub details: serde_json::Value,
    /// When it happened.
    pub created_at: Timestamp,
    /// Why it did not leave at the last try.
    pub because: Option<String>,
}

/// When a notice is due. A time beyond `horizon`, which lies behind the longest wait there is, was written before the clock was set
/// back: it makes nobody wait.
#[derive(Clone, Copy, Debug)]
pub struct DueTime {
    /// The present time.
    pub now: Timestamp,
    /// Later than any time that a notice is put off to.
    pub horizon: Timestamp,
}

/// Notices of all organisations that are due, the longest due first.
pub async fn due_notices(store: &Store, time: DueTime, limit: u32) -> Result<Vec<DueNotice>, StoreError> {
    let values = move || [time.now.into(), time.horizon.into(), limit.into()];
    let rows = store.read(move |tx| tx.rows(&sql::LIST_DUE_NOTICES, &values())).await?;
    rows.iter()
        .map(|row| Ok(DueNotice { organisation: row.get(0)?, id: row.get(1)?, n_tries: row.get(2)? }))
        .collect()
}

/// Counts a try and puts the notice off to `next_try_at`, in case this one ends with the program. `None` if another node was
/// faster. A row that cannot be read is put off all the same, so that those behind it leave.
pub async fn take_notice(
    store: &Store,
    due: DueNotice,
    time: DueTime,
    next_try_at: Timestamp,
) -> Result<Option<OpenNotice>, StoreError> {
    let row = store
        .write(move |tx| {
            let DueNotice { organisation, id, n_tries } = due;
            let values = params![organisation, id, n_tries, next_try_at, time.now, time.horizon];
            if tx.execute(&sql::TAKE_NOTICE, values)? == 0 {
                return Ok(None);
            }
            tx.row(&sql::FIND_NOTICE, params![organisation, id])
        })
        .await?;
    row.map(|row| read(due, &row)).transpose()
}

fn read(due: DueNotice, row: &Row) -> Result<OpenNotice, StoreError> {
    Ok(OpenNotice {
        due: DueNotice { n_tries: due.n_tries.saturating_add(1), ..due },
        kind: row.parse(0, "a kind of notice")?,
        person: row.get(1)?,
        addresses: super::read_addresses(row, 2)?,
        link: row.get(3)?,
        details: row.parse(4, "JSON")?,
        created_at: row.get(5)?,
        because: row.get(6)?,
    })
}
