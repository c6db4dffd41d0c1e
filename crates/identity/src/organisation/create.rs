//! Making an organisation.

use gatepost_core::OrganisationId;
use gatepost_journal::{Actor, Entry};
use gatepost_store::params;
use serde_json::json;

use crate::identity::checked_name;
use crate::{Identity, IdentityError, Organisation, sql};

impl Identity {
    /// Makes an organisation with a name that no other has, so that commands can name it.
    pub async fn create_organisation(&self, name: &str, by: Actor) -> Result<Organisation, IdentityError> {
        let made = Organisation {
            id: OrganisationId::new(self.world()),
            name: checked_name(name).map_err(IdentityError::BadName)?,
            epoch: 0,
            created_at: self.world().now(),
            set_up_at: None,
        };
        let world = self.world().clone();
        let is_new = self
            .store
            .write({
                let made = made.clone();
                move |tx| {
                    if tx.row(&sql::FIND_ORGANISATION, params![&made.name])?.is_some() {
                        return Ok::<_, IdentityError>(false);
                    }
                    tx.execute(&sql::INSERT_ORGANISATION, params![made.id, &made.name, made.created_at])?;
                    gatepost_journal::append(
                        tx,
                        &world,
                        &Entry {
                            organisation: made.id,
                            actor: by,
                            action: "organisation.created",
                            subject: "organisation",
                            subject_id: Some(made.id.uuid()),
                            details: json!({ "name": made.name }),
                        },
                    )?;
                    Ok(true)
                }
            })
            .await?;
        if is_new { Ok(made) } else { Err(IdentityError::OrganisationExists(made.name)) }
    }
}
