//! Ending a login, because what it pointed at is gone.

use gatepost_core::{OrganisationId, World};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::json;

use crate::{Identity, IdentityError, Login, Target, sql};

impl Identity {
    /// Disables the login of a target that is being removed, and removes all its app passwords: new sign-ins are refused at
    /// once, open sessions end within a second on every node. Nothing happens if there is no login.
    pub async fn retire_login(
        &self,
        organisation: OrganisationId,
        target: Target,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let world = self.world().clone();
        let retired = self.store.write(move |tx| retire(tx, &world, organisation, target, by));
        Ok(retired.await?)
    }
}

/// The same as part of the removal of the target.
pub(crate) fn retire(
    tx: &mut Transaction<'_>,
    world: &World,
    organisation: OrganisationId,
    target: Target,
    by: Actor,
) -> Result<(), StoreError> {
    let now = world.now();
    let row = tx.row(&sql::FIND_LOGIN_OF_TARGET, params![organisation, target.word(), target.uuid()])?;
    let Some(login) = row.map(Login::try_from).transpose()? else { return Ok(()) };
    if tx.execute(&sql::DISABLE_LOGIN, params![organisation, login.id, now])? == 0 {
        return Ok(());
    }
    let n_revoked = tx.execute(&sql::REVOKE_ALL_OF_LOGIN, params![organisation, login.id, now])?.to_string();
    tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
    let entry = Entry {
        organisation,
        actor: by,
        action: "login.retired",
        subject: "login",
        subject_id: Some(login.id.uuid()),
        details: json!({ "user_name": login.user_name, "app_passwords_removed": n_revoked }),
    };
    gatepost_journal::append(tx, world, &entry)
}
