//! The logins there are.

use gatepost_core::OrganisationId;
use gatepost_store::params;

use crate::{Identity, IdentityError, Login, sql};

impl Identity {
    /// All logins of an organisation that work, by user name.
    pub async fn list_logins(&self, organisation: OrganisationId) -> Result<Vec<Login>, IdentityError> {
        let rows = self.store.read(move |tx| tx.rows(&sql::LIST_LOGINS, params![organisation])).await?;
        Ok(rows.into_iter().map(Login::try_from).collect::<Result<_, _>>()?)
    }
}
