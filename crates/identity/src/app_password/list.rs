//! The app passwords there are.

use gatepost_core::{AppPasswordId, LoginId, OrganisationId, PersonId, Timestamp};
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
    /// The application it is for.
    pub application: Option<String>,
    /// The device it is for.
    pub device: Option<String>,
    /// Who made it; none if a command did.
    pub created_by: Option<PersonId>,
    /// Its successor, while both work.
    pub replaced_by: Option<AppPasswordId>,
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
            application: row.get(14)?,
            device: row.get(15)?,
            created_by: row.get(16)?,
            replaced_by: row.get(17)?,
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
        let now = self.world().now();
        let rows =
            self.store.read(move |tx| tx.rows(&sql::LIST_APP_PASSWORDS, params![organisation, now])).await?;
        Ok(rows.into_iter().map(AppPassword::try_from).collect::<Result<_, _>>()?)
    }

    /// The app passwords of these logins, in the order of the logins and by age.
    pub async fn list_app_passwords_of(
        &self,
        organisation: OrganisationId,
        logins: &[LoginId],
    ) -> Result<Vec<AppPassword>, IdentityError> {
        let (logins, now) = (logins.to_vec(), self.world().now());
        let rows = self.store.read(move |tx| {
            let mut rows = Vec::new();
            for login in &logins {
                rows.extend(tx.rows(&sql::LIST_APP_PASSWORDS_OF_LOGIN, params![organisation, now, *login])?);
            }
            Ok::<_, IdentityError>(rows)
        });
        Ok(rows.await?.into_iter().map(AppPassword::try_from).collect::<Result<_, _>>()?)
    }

    /// What a person made for locations, shared accounts and other people, for the page that disables them.
    pub async fn list_app_passwords_made_by(
        &self,
        organisation: OrganisationId,
        person: PersonId,
    ) -> Result<Vec<AppPassword>, IdentityError> {
        let now = self.world().now();
        let values = move || [organisation.into(), now.into(), person.into()];
        let rows = self.store.read(move |tx| tx.rows(&sql::LIST_APP_PASSWORDS_MADE_BY, &values())).await?;
        Ok(rows.into_iter().map(AppPassword::try_from).collect::<Result<_, _>>()?)
    }

    /// One app password that was not removed.
    pub async fn get_app_password(
        &self,
        organisation: OrganisationId,
        id: AppPasswordId,
    ) -> Result<AppPassword, IdentityError> {
        let now = self.world().now();
        let row = self.store.read(move |tx| tx.row(&sql::FIND_APP_PASSWORD, params![organisation, now, id]));
        Ok(row.await?.ok_or(IdentityError::NoSuchAppPassword(id))?.try_into()?)
    }

    /// The login of an app password, also of one that was removed.
    pub async fn login_of_app_password(
        &self,
        organisation: OrganisationId,
        id: AppPasswordId,
    ) -> Result<Option<LoginId>, IdentityError> {
        let row =
            self.store.read(move |tx| tx.row(&sql::FIND_LOGIN_OF_APP_PASSWORD, params![organisation, id]));
        Ok(row.await?.map(|row| row.get(0)).transpose()?)
    }
}
