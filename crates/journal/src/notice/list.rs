//! What became of a person's notices, for the pages about them.

use gatepost_core::{EmailAddress, NoticeId, OrganisationId, PersonId, Timestamp};
use gatepost_store::{Row, Store, StoreError, params};

use crate::{NoticeKind, sql};

/// A notice as pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastNotice {
    /// Which. Once it is in the outbox, its submission has the same id.
    pub id: NoticeId,
    /// What it tells.
    pub kind: NoticeKind,
    /// Where it goes.
    pub addresses: Vec<EmailAddress>,
    /// When it happened.
    pub created_at: Timestamp,
    /// What became of it.
    pub state: NoticeState,
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeState {
    /// It leaves as soon as it can.
    Waiting {
        /// Why it could not leave yet, in words, if it was tried.
        because: Option<String>,
        /// When it is tried next.
        next_try_at: Timestamp,
    },
    /// It is in the outbox like every letter.
    InOutbox,
    /// It will never leave.
    GivenUp {
        /// Why, in words.
        because: String,
    },
}

/// A person's newest notices, newest first.
pub async fn latest_notices(
    store: &Store,
    organisation: OrganisationId,
    person: PersonId,
    limit: u32,
) -> Result<Vec<PastNotice>, StoreError> {
    let rows =
        store.read(move |tx| tx.rows(&sql::LIST_NOTICES, params![organisation, person, limit])).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<PastNotice, StoreError> {
    let (done_at, because) = (row.get::<Option<Timestamp>>(5)?, row.get::<Option<String>>(6)?);
    let state = match (done_at, because) {
        (None, because) => NoticeState::Waiting { because, next_try_at: row.get(4)? },
        (Some(_), None) => NoticeState::InOutbox,
        (Some(_), Some(because)) => NoticeState::GivenUp { because },
    };
    Ok(PastNotice {
        id: row.get(0)?,
        kind: row.parse(1, "a kind of notice")?,
        addresses: super::read_addresses(row, 2)?,
        created_at: row.get(3)?,
        state,
    })
}
