//! The app passwords there are.

use gatepost_core::{AppPasswordId, LoginId, OrganisationId, Timestamp};
use gatepost_store::{Row, StoreError, params};

use super::AppPasswordLimits;
use crate::{Identity, IdentityError, LastUse, sql};

/// One app password that was not removed. Its letters are nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPassword {
    /// Its id.
    pub id: AppPasswordId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Which login it opens.
    pub login: LoginId,
    /// What is typed beside it.
    pub user_name: String,
    /// What people know it by.
    pub name: String,
    /// What it may do.
    pub limits: AppPasswordLimits,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, give or take the seconds until uses are written.
    pub last_use: Option<LastUse>,
}

impl TryFrom<Row> for AppPassword {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let last_use = match row.get::<Option<Timestamp>>(11)? {
            Some(at) => Some(LastUse {
                at,
                from: row.parse(12, "an address")?,
                protocol: row.parse(13, "a protocol")?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            login: row.get(2)?,
            user_name: row.get(3)?,
            name: row.get(4)?,
            limits: AppPasswordLimits::from_row(&row, 5, 10)?,
            created_at: row.get(9)?,
            last_use,
        })
    }
}

impl Identity {
    /// All app passwords of an organisation, by user name and age.
    pub async fn list_app_passwords(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<AppPassword>, IdentityError> {
        let rows =
            self.store.read(move |tx| tx.rows(&sql::LIST_APP_PASSWORDS, params![organisation])).await?;
        Ok(rows.into_iter().map(AppPassword::try_from).collect::<Result<_, _>>()?)
    }
}
