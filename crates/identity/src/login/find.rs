//! Who handed a letter in, long after it did.

use gatepost_core::{LocationId, LoginId, OrganisationId};
use gatepost_store::params;

use crate::{Identity, IdentityError, Login, sql};

impl Identity {
    /// A login by its id, also one that works no more; for a person also the location they belong to.
    pub async fn find_login(
        &self,
        organisation: OrganisationId,
        id: LoginId,
    ) -> Result<Option<(Login, Option<LocationId>)>, IdentityError> {
        let row = self.store.read(move |tx| tx.row(&sql::FIND_LOGIN, params![organisation, id])).await?;
        let Some(row) = row else { return Ok(None) };
        let home_location = row.get(7)?;
        Ok(Some((Login::try_from(row)?, home_location)))
    }
}
