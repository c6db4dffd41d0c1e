//! Removing an app password.

use gatepost_core::{AppPasswordId, OrganisationId};
use gatepost_journal::{Actor, Entry};
use gatepost_store::params;
use serde_json::json;

use crate::{Identity, IdentityError, sql};

impl Identity {
    /// Removes an app password: new sign-ins are refused at once, and what is signed in with it ends within a second, on every
    /// node (AP-7). Removing it again does nothing.
    pub async fn revoke_app_password(
        &self,
        organisation: OrganisationId,
        id: AppPasswordId,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let now = self.world().now();
        let world = self.world().clone();
        self.store
            .write(move |tx| {
                let Some(row) = tx.row(&sql::FIND_APP_PASSWORD_NAME, params![organisation, id])? else {
                    return Ok(Err(IdentityError::NoSuchAppPassword(id)));
                };
                if tx.execute(&sql::REVOKE_APP_PASSWORD, params![organisation, id, now])? == 1 {
                    tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
                    gatepost_journal::append(
                        tx,
                        &world,
                        &Entry {
                            organisation,
                            actor: by,
                            action: "app_password.revoked",
                            subject: "app_password",
                            subject_id: Some(id.uuid()),
                            details: json!({ "name": row.get::<String>(0)? }),
                        },
                    )?;
                }
                Ok::<_, IdentityError>(Ok(()))
            })
            .await?
    }
}
