//! Replacing an app password whose letters were forgotten (B7).

use std::time::Duration;

use gatepost_core::{AppPasswordId, OrganisationId};
use gatepost_journal::{Actor, Entry};
use gatepost_store::params;
use serde_json::json;

use super::create::{Making, is_there, lock_login};
use super::digest;
use crate::{AppPassword, AppPasswordText, CreatedAppPassword, Identity, IdentityError, sql};

/// How long both work.
const OVERLAP: Duration = Duration::from_hours(24);

/// What becomes of the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldOne {
    /// It is removed with the same commit.
    EndsNow,
    /// It works for 24 more hours, and the list shows who still uses it.
    EndsInADay,
}

impl Identity {
    /// Makes a new app password with the name, purpose and limits of an old one, which ends now or in a day. The successor does not
    /// count against the most that a login may have while its predecessor lives. What has a successor already is not replaced
    /// again; where it is itself a successor, its own predecessor ends now.
    pub async fn replace_app_password(
        &self,
        organisation: OrganisationId,
        old: AppPasswordId,
        new: AppPasswordId,
        old_one: OldOne,
        by: Actor,
    ) -> Result<CreatedAppPassword, IdentityError> {
        let (world, now) = (self.world().clone(), self.world().now());
        let found = self.store.read(move |tx| {
            let row = tx.row(&sql::FIND_APP_PASSWORD, params![organisation, now, old])?;
            Ok::<_, IdentityError>((row, is_there(tx, organisation, new)?))
        });
        // The login of an app password never changes.
        let login = match found.await? {
            (_, true) => return Err(IdentityError::AppPasswordExists(new)),
            (None, _) => return Err(IdentityError::NoSuchAppPassword(old)),
            (Some(row), _) => AppPassword::try_from(row)?.login,
        };
        let text = AppPasswordText::generate(&world);
        let (key, digest) = {
            let key = self.keyring.app_passwords();
            (key.id(), digest(key, login, Some(&text)))
        };
        let replaced = self.store.write(move |tx| {
            // Whoever replaces, makes or counts app passwords of this login waits here.
            let Some(login) = lock_login(tx, organisation, login)? else {
                return Ok(Err(IdentityError::NoSuchLogin(login)));
            };
            if is_there(tx, organisation, new)? {
                return Ok(Err(IdentityError::AppPasswordExists(new)));
            }
            let Some(row) = tx.row(&sql::FIND_APP_PASSWORD, params![organisation, now, old])? else {
                return Ok(Err(IdentityError::NoSuchAppPassword(old)));
            };
            let it = AppPassword::try_from(row)?;
            if it.replaced_by.is_some() {
                return Ok(Err(IdentityError::AppPasswordReplaced(old)));
            }
            if let Some(expires_at) = it.limits.expires_at.filter(|_| it.limits.are_over(now)) {
                return Ok(Err(IdentityError::ExpiresInThePast(expires_at)));
            }
            let making = Making {
                id: new,
                name: it.name,
                application: it.application,
                device: it.device,
                limits: it.limits,
                digest: digest.clone(),
                key,
                created_at: now,
                by,
            };
            if !making.insert(tx, &world, &login)? {
                return Ok(Err(IdentityError::AppPasswordExists(new)));
            }
            match old_one {
                OldOne::EndsNow => {
                    tx.execute(&sql::REVOKE_APP_PASSWORD, params![organisation, old, now])?;
                }
                OldOne::EndsInADay => {
                    let ends_at = making.limits.expires_at.map_or(now + OVERLAP, |it| it.min(now + OVERLAP));
                    tx.execute(&sql::REPLACE_APP_PASSWORD, params![organisation, old, new, ends_at])?;
                }
            }
            tx.execute(&sql::REVOKE_PREDECESSOR, params![organisation, old, now])?;
            // What is signed in with the old one learns of its end.
            tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
            gatepost_journal::append(
                tx,
                &world,
                &Entry {
                    organisation,
                    actor: by,
                    action: "app_password.replaced",
                    subject: "app_password",
                    subject_id: Some(old.uuid()),
                    details: json!({ "name": making.name, "successor": new.to_string() }),
                },
            )?;
            Ok::<_, IdentityError>(Ok((making, login.user_name)))
        });
        let (making, user_name) = replaced.await??;
        Ok(making.with_text(user_name, text))
    }
}
