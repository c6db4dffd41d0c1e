//! Finding the organisation that somebody means.

use gatepost_core::OrganisationId;
use gatepost_store::params;

use crate::{Identity, IdentityError, Organisation, sql};

impl Identity {
    /// All organisations, oldest first; the first one's administrators rule the installation.
    pub async fn list_organisations(&self) -> Result<Vec<Organisation>, IdentityError> {
        let rows = self.store.read(|tx| tx.rows(&sql::LIST_ORGANISATIONS, params![])).await?;
        Ok(rows.into_iter().map(Organisation::try_from).collect::<Result<_, _>>()?)
    }

    /// The organisation with that id.
    pub async fn get_organisation(&self, id: OrganisationId) -> Result<Option<Organisation>, IdentityError> {
        let row = self.store.read(move |tx| tx.row(&sql::FIND_ORGANISATION_BY_ID, params![id])).await?;
        Ok(row.map(Organisation::try_from).transpose()?)
    }

    /// The organisation of that name.
    pub async fn find_organisation(&self, name: &str) -> Result<Option<Organisation>, IdentityError> {
        let name = name.trim().to_owned();
        let row = self.store.read(move |tx| tx.row(&sql::FIND_ORGANISATION, params![&name])).await?;
        Ok(row.map(Organisation::try_from).transpose()?)
    }

    /// The organisation that a command is about: the named one, or the only one there is.
    pub async fn choose_organisation(&self, name: Option<&str>) -> Result<Organisation, IdentityError> {
        if let Some(name) = name
            && let Some(found) = self.find_organisation(name).await?
        {
            return Ok(found);
        }
        let mut all = self.list_organisations().await?;
        let known = || all.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
        match (name, all.len()) {
            (_, 0) => Err(IdentityError::NoOrganisation),
            (Some(name), _) => {
                Err(IdentityError::NoSuchOrganisation { asked: name.to_owned(), known: known() })
            }
            (None, 1) => Ok(all.remove(0)),
            (None, _) => Err(IdentityError::WhichOrganisation(known())),
        }
    }
}
