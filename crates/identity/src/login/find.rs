//! Logins that are there: of a target, and of a letter long after it was handed in.

use gatepost_core::{LocationId, LoginId, OrganisationId};
use gatepost_store::params;

use crate::{Identity, IdentityError, Login, Target, sql};

impl Identity {
    /// The login of a target, if it has one: looking makes none.
    pub async fn find_login_of(
        &self,
        organisation: OrganisationId,
        target: Target,
    ) -> Result<Option<Login>, IdentityError> {
        let row = self.store.read(move |tx| {
            tx.row(&sql::FIND_LOGIN_OF_TARGET, params![organisation, target.word(), target.uuid()])
        });
        Ok(row.await?.map(Login::try_from).transpose()?)
    }

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
