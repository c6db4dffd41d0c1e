//! Making an app password.

use gatepost_core::{AppPasswordId, KeyId, LoginId, OrganisationId, Timestamp, World};
use gatepost_journal::{Actor, Entry, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::Digest;
use serde_json::json;

use super::limits::lines;
use super::{AppPasswordLimits, AppPasswordText, digest};
use crate::identity::checked_name;
use crate::people::tell;
use crate::{Identity, IdentityError, Login, sql};

/// How many app passwords a login may have, unless the installation sets another figure up to 100 (AP-6).
pub const MOST_APP_PASSWORDS: u32 = 40;

/// An app password to be made.
#[derive(Clone, Debug)]
pub struct NewAppPassword {
    /// Its id to be: making the same one twice is [`IdentityError::AppPasswordExists`].
    pub id: AppPasswordId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Which login it opens.
    pub login: LoginId,
    /// What people will know it by: the application and the place.
    pub name: String,
    /// The application it is for, in the word of the portal's list or in the person's own words; for instructions.
    pub application: Option<String>,
    /// The device it is for, in the person's own words.
    pub device: Option<String>,
    /// What it may do.
    pub limits: AppPasswordLimits,
}

impl NewAppPassword {
    /// One for no application in particular, with a new id.
    #[must_use]
    pub fn new(
        world: &World,
        organisation: OrganisationId,
        login: LoginId,
        name: impl Into<String>,
        limits: AppPasswordLimits,
    ) -> Self {
        let id = AppPasswordId::new(world);
        Self { id, organisation, login, name: name.into(), application: None, device: None, limits }
    }
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
        let text = AppPasswordText::generate(self.world());
        let most = most.min(100);
        let organisation = new.organisation;
        let making = Making {
            id: new.id,
            name,
            application: words(new.application)?,
            device: words(new.device)?,
            limits: new.limits,
            digest: digest(self.keyring.app_passwords(), new.login, Some(&text)),
            key: self.keyring.app_passwords().id(),
            created_at,
            by,
        };
        let made = making.clone();
        let world = self.world().clone();
        let user_name = self.store.write(move |tx| {
            // The lock makes this the only transaction that counts, so that two at once cannot make one too many.
            let Some(login) = lock_login(tx, organisation, new.login)? else {
                return Ok(Err(IdentityError::NoSuchLogin(new.login)));
            };
            let values = params![organisation, login.id, making.created_at];
            let n: u32 = tx.row(&sql::COUNT_APP_PASSWORDS, values)?.map_or(Ok(0), |row| row.get(0))?;
            if n >= most {
                // Told to whoever sends the same form again: the page of the first result is there.
                if is_there(tx, organisation, making.id)? {
                    return Ok(Err(IdentityError::AppPasswordExists(making.id)));
                }
                return Ok(Err(IdentityError::TooManyAppPasswords { user_name: login.user_name, n }));
            }
            if !making.insert(tx, &world, &login)? {
                return Ok(Err(IdentityError::AppPasswordExists(making.id)));
            }
            Ok::<_, IdentityError>(Ok(login.user_name))
        });
        let user_name = user_name.await??;
        Ok(made.with_text(user_name, text))
    }
}

/// What a row is made from, for one that is new and one that replaces another.
#[derive(Clone)]
pub(super) struct Making {
    pub(super) id: AppPasswordId,
    pub(super) name: String,
    pub(super) application: Option<String>,
    pub(super) device: Option<String>,
    pub(super) limits: AppPasswordLimits,
    pub(super) digest: Digest,
    pub(super) key: KeyId,
    pub(super) created_at: Timestamp,
    pub(super) by: Actor,
}

impl Making {
    /// Writes the row, its entry, and the notice to the person who made it. `false` if it was made already.
    pub(super) fn insert(
        &self,
        tx: &mut Transaction<'_>,
        world: &World,
        login: &Login,
    ) -> Result<bool, StoreError> {
        let maker = if let Actor::Person(id) = self.by { Some(id) } else { None };
        let allowed = self.limits.allowed.to_string();
        let values = params![
            self.id,
            login.organisation,
            login.id,
            &self.name,
            self.digest.as_bytes(),
            self.key,
            allowed.as_str(),
            lines(&self.limits.networks),
            lines(&self.limits.send_as),
            self.limits.repairs_line_ends,
            self.created_at,
            self.limits.expires_at,
            self.application.as_ref(),
            self.device.as_ref(),
            maker,
        ];
        if tx.execute(&sql::INSERT_APP_PASSWORD, values)? == 0 {
            return Ok(false);
        }
        let details = json!({ "name": self.name, "user_name": login.user_name });
        gatepost_journal::append(
            tx,
            world,
            &Entry {
                organisation: login.organisation,
                actor: self.by,
                action: "app_password.created",
                subject: "app_password",
                subject_id: Some(self.id.uuid()),
                details,
            },
        )?;
        if let Some(id) = maker
            && let Some(row) = tx.row(&sql::FIND_PERSON_BY_ID, params![login.organisation, id])?
        {
            // The names of protocols read alike in every language.
            let may = allowed.to_uppercase().replace(',', ", ");
            let details = json!({ "name": self.name, "user_name": login.user_name, "may": may });
            tell(tx, world, &row.try_into()?, NoticeKind::AppPasswordMade, details, Some(self.id))?;
        }
        Ok(true)
    }

    pub(super) fn with_text(self, user_name: String, text: AppPasswordText) -> CreatedAppPassword {
        let Self { id, name, limits, created_at, .. } = self;
        CreatedAppPassword { id, name, user_name, text, limits, created_at }
    }
}

/// A login that works, for this transaction alone.
pub(super) fn lock_login(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: LoginId,
) -> Result<Option<Login>, StoreError> {
    let row = tx.row(&sql::LOCK_LOGIN, params![organisation, id])?;
    Ok(row.map(Login::try_from).transpose()?.filter(|it| it.disabled_at.is_none()))
}

/// Whether an app password was made, removed or not.
pub(super) fn is_there(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: AppPasswordId,
) -> Result<bool, StoreError> {
    Ok(tx.row(&sql::FIND_APP_PASSWORD_NAME, params![organisation, id])?.is_some())
}

/// Words that may be left out.
fn words(given: Option<String>) -> Result<Option<String>, IdentityError> {
    let given = given.filter(|it| !it.trim().is_empty());
    given.map(|it| checked_name(&it)).transpose().map_err(IdentityError::BadName)
}
