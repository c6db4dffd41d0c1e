//! What the security page shows.

use gatepost_core::Timestamp;
use gatepost_store::{Row, StoreError, params};

use super::moment::SLACK;
use super::second_step::{FoundAuthenticator, count_recovery_codes, list_authenticators};
use super::session::is_within;
use crate::{Authenticator, Contact, Device, OpenSession, People, Person, Policy, SecurityOverview, sql};

impl People {
    /// All that the security page shows.
    pub async fn security_overview(&self, person: &Person) -> Result<SecurityOverview, StoreError> {
        let (person, now) = (person.clone(), self.identity().world().now());
        self.read(move |tx| {
            let owner = params![person.organisation, person.id];
            let row = tx.row(&sql::FIND_PASSWORD_CHANGE, owner)?;
            let password_changed_at = row.map(|row| row.get(0)).transpose()?;
            let row = tx.row(&sql::FIND_PERSON_BY_ID, owner)?;
            let two_step_at = row.map(|row| row.get(9)).transpose()?.flatten();
            let authenticators = list_authenticators(tx, person.organisation, person.id)?;
            let authenticators = authenticators.into_iter().filter_map(|it| {
                let active_at = it.active_at?;
                let FoundAuthenticator { id, name, last_used_at, disabled_at, .. } = it;
                Some(Authenticator { id, name, active_at, last_used_at, disabled_at })
            });
            let (n_codes, n_left) = count_recovery_codes(tx, &person)?;
            let devices =
                tx.rows(&sql::LIST_DEVICES, params![person.organisation, person.id, now, now + SLACK])?;
            let mut devices: Vec<Device> = rows(devices)?;
            if Policy::of(person.role).trusts_devices_for.is_none() {
                devices.iter_mut().for_each(|it| it.trusted_until = None);
            }
            Ok(SecurityOverview {
                password_changed_at,
                two_step_at,
                authenticators: authenticators.collect(),
                recovery_codes_left: (n_codes > 0).then_some(n_left),
                contacts: rows(tx.rows(&sql::LIST_CONTACTS, owner)?)?,
                devices,
                sessions: tx
                    .rows(&sql::LIST_OPEN_SESSIONS, owner)?
                    .into_iter()
                    .filter_map(|row| open_session(&row, &person, now).transpose())
                    .collect::<Result<_, _>>()?,
            })
        })
        .await
    }
}

fn rows<T: TryFrom<Row, Error = StoreError>>(rows: Vec<Row>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}

/// `None` for one that was idle for too long or has lasted long enough.
fn open_session(row: &Row, person: &Person, now: Timestamp) -> Result<Option<OpenSession>, StoreError> {
    let (created_at, active_at) = (row.get(3)?, row.get(4)?);
    if !is_within(person.role, row.get(5)?, created_at, active_at, now) {
        return Ok(None);
    }
    Ok(Some(OpenSession { id: row.get(0)?, device: row.get(1)?, source: row.get(2)?, created_at, active_at }))
}

impl TryFrom<Row> for Contact {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            kind: row.parse(1, "a kind of contact")?,
            value: row.get(2)?,
            created_at: row.get(3)?,
            proven_at: row.get(4)?,
        })
    }
}

impl TryFrom<Row> for Device {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            device: row.get(1)?,
            source: row.get(2)?,
            created_at: row.get(3)?,
            last_used_at: row.get(4)?,
            trusted_until: row.get(5)?,
        })
    }
}
