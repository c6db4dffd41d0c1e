//! Organisations: a practice, a clinic, a charity. Everything belongs to exactly one.

mod choose;
mod create;

use gatepost_core::{OrganisationId, Timestamp};
use gatepost_store::{Row, StoreError};

/// One organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// What people call it.
    pub name: String,
    /// Rises with every revocation.
    pub epoch: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when its set-up in the portal is over.
    pub set_up_at: Option<Timestamp>,
}

impl TryFrom<Row> for Organisation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            epoch: row.get(2)?,
            created_at: row.get(3)?,
            set_up_at: row.get(4)?,
        })
    }
}
