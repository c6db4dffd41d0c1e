//! Who may act for an account. The fence rises with each holder, so that a late write of an earlier one is refused (QS-7).

use gatepost_core::{NodeId, OrganisationId, Timestamp};
use uuid::Uuid;

use crate::{StoreError, Transaction, params, sql};

/// The right to act for one resource, until another node takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is about: a mail account's id.
    pub resource: Uuid,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Its holder.
    pub node: NodeId,
    /// Larger than every earlier holder's.
    pub fence: i64,
}

impl Transaction<'_> {
    /// Takes the lease, from whomever has it.
    pub fn take_lease(
        &mut self,
        resource: Uuid,
        organisation: OrganisationId,
        node: NodeId,
        now: Timestamp,
    ) -> Result<Lease, StoreError> {
        let row = self.row(&sql::TAKE_LEASE, params![resource, organisation, node, now])?;
        let fence = row.ok_or(StoreError::LeaseLost)?.get(0)?;
        Ok(Lease { resource, organisation, node, fence })
    }

    /// Fails the transaction unless `lease` is still the newest. Each write made on behalf of an account begins with it.
    pub fn holds(&mut self, lease: &Lease) -> Result<(), StoreError> {
        let row = self.row(&sql::SHARE_LEASE, params![lease.resource, lease.organisation])?;
        match row.map(|it| it.get::<i64>(0)).transpose()? {
            Some(fence) if fence == lease.fence => Ok(()),
            _ => Err(StoreError::LeaseLost),
        }
    }
}
