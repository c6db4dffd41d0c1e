//! Removing an app password.

use gatepost_core::{AppPasswordId, OrganisationId, World};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::json;

use crate::{Identity, IdentityError, Person, sql};

impl Identity {
    /// Removes an app password: new sign-ins are refused at once, and what is signed in with it ends within a second, on every
    /// node (AP-7). Removing it again does nothing.
    pub async fn revoke_app_password(
        &self,
        organisation: OrganisationId,
        id: AppPasswordId,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let world = self.world().clone();
        let removed = self.store.write(move |tx| {
            let Some(row) = tx.row(&sql::FIND_APP_PASSWORD_NAME, params![organisation, id])? else {
                return Ok(None);
            };
            let name: String = row.get(0)?;
            let was_there = remove_app_password(tx, &world, organisation, id, by)?;
            Ok::<_, IdentityError>(was_there.map(|it| (name, it)))
        });
        let (name, was_there) = removed.await?.ok_or(IdentityError::NoSuchAppPassword(id))?;
        if was_there {
            let person = match by {
                Actor::Person(person) => Some(tracing::field::display(person)),
                _ => None,
            };
            tracing::info!(app_password.name = name, app_password.id = %id, person.id = person, "an app password was removed");
        }
        Ok(())
    }
}

/// Removes one app password as part of a change. Whether it was still there; `None` if there never was such a one.
pub(crate) fn remove_app_password(
    tx: &mut Transaction<'_>,
    world: &World,
    organisation: OrganisationId,
    id: AppPasswordId,
    by: Actor,
) -> Result<Option<bool>, StoreError> {
    let Some(row) = tx.row(&sql::FIND_APP_PASSWORD_NAME, params![organisation, id])? else {
        return Ok(None);
    };
    if tx.execute(&sql::REVOKE_APP_PASSWORD, params![organisation, id, world.now()])? == 0 {
        return Ok(Some(false));
    }
    // What is signed in with it looks again.
    tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
    let entry = Entry {
        organisation,
        actor: by,
        action: "app_password.revoked",
        subject: "app_password",
        subject_id: Some(id.uuid()),
        details: json!({ "name": row.get::<String>(0)? }),
    };
    gatepost_journal::append(tx, world, &entry)?;
    Ok(Some(true))
}

/// Removes what opens a person's own logins (B12): theirs, and those of mail accounts that serve them alone. What they made for
/// locations and shared accounts belongs to those.
pub(crate) fn remove_own_app_passwords(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    by: Actor,
) -> Result<(), StoreError> {
    for row in tx.rows(&sql::LIST_OWN_APP_PASSWORDS, params![person.organisation, person.id])? {
        remove_app_password(tx, world, person.organisation, row.get(0)?, by)?;
    }
    Ok(())
}
