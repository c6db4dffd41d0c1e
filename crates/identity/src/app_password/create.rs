//! Making an app password.

use gatepost_core::{AppPasswordId, LoginId, OrganisationId, Timestamp};
use gatepost_journal::{Actor, Entry};
use gatepost_store::params;
use serde_json::json;

use super::limits::lines;
use super::{AppPasswordLimits, AppPasswordText, digest};
use crate::identity::checked_name;
use crate::{Identity, IdentityError, Login, sql};

/// How many app passwords a login may have, unless the installation sets another figure up to 100 (AP-6).
pub const MOST_APP_PASSWORDS: u32 = 40;

/// An app password to be made.
#[derive(Clone, Debug)]
pub struct NewAppPassword {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Which login it opens.
    pub login: LoginId,
    /// What people will know it by: the application and the place.
    pub name: String,
    /// What it may do.
    pub limits: AppPasswordLimits,
}

/// A new app password, with the only copy of its letters.
pub struct CreatedAppPassword {
    /// Its id.
    pub id: AppPasswordId,
    /// What people know it by.
    pub name: String,
    /// What is typed beside it.
    pub user_name: String,
    /// The letters. Shown once, then gone (AP-3).
    pub text: AppPasswordText,
    /// What it may do.
    pub limits: AppPasswordLimits,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Identity {
    /// Makes an app password, if its login has fewer than `most` that were not removed; expired ones count. Of two calls for
    /// the last place at the same moment, one is refused.
    pub async fn create_app_password(
        &self,
        new: NewAppPassword,
        most: u32,
        by: Actor,
    ) -> Result<CreatedAppPassword, IdentityError> {
        let name = checked_name(&new.name).map_err(IdentityError::BadName)?;
        let created_at = self.world().now();
        if new.limits.allowed.is_empty() {
            return Err(IdentityError::NothingAllowed);
        }
        if let Some(expires_at) = new.limits.expires_at.filter(|_| new.limits.are_over(created_at)) {
            return Err(IdentityError::ExpiresInThePast(expires_at));
        }
        let id = AppPasswordId::new(self.world());
        let text = AppPasswordText::generate(self.world());
        let key = self.keyring.app_passwords();
        let (digest, key_id) = (digest(key, new.login, Some(&text)), key.id());
        let most = most.min(100);
        let NewAppPassword { organisation, login, limits, .. } = new;
        let user_name = self
            .store
            .write({
                let (world, limits, name) = (self.world().clone(), limits.clone(), name.clone());
                move |tx| {
                    // The lock makes this the only transaction that counts, so that two at once cannot make one too many.
                    let row = tx.row(&sql::LOCK_LOGIN, params![organisation, login])?;
                    let Some(login) =
                        row.map(Login::try_from).transpose()?.filter(|it| it.disabled_at.is_none())
                    else {
                        return Ok(Err(IdentityError::NoSuchLogin(login)));
                    };
                    let row = tx.row(&sql::COUNT_APP_PASSWORDS, params![organisation, login.id])?;
                    let n: u32 = row.map_or(Ok(0), |row| row.get(0))?;
                    if n >= most {
                        let user_name = login.user_name;
                        return Ok(Err(IdentityError::TooManyAppPasswords { user_name, n }));
                    }
                    let values = params![
                        id,
                        organisation,
                        login.id,
                        &name,
                        digest.as_bytes(),
                        key_id,
                        limits.allowed.to_string(),
                        lines(&limits.networks),
                        lines(&limits.send_as),
                        limits.repairs_line_ends,
                        created_at,
                        limits.expires_at,
                    ];
                    tx.execute(&sql::INSERT_APP_PASSWORD, values)?;
                    gatepost_journal::append(
                        tx,
                        &world,
                        &Entry {
                            organisation,
                            actor: by,
                            action: "app_password.created",
                            subject: "app_password",
                            subject_id: Some(id.uuid()),
                            details: json!({ "name": name, "user_name": login.user_name }),
                        },
                    )?;
                    Ok::<_, IdentityError>(Ok(login.user_name))
                }
            })
            .await??;
        Ok(CreatedAppPassword { id, name, user_name, text, limits, created_at })
    }
}
