//! The login of a target, made where it is missing.

use gatepost_core::{EmailAddress, LoginId, MailAccountId, OrganisationId, PersonId};
use gatepost_store::{Transaction, params};

use crate::location::with_suffixes;
use crate::{Identity, IdentityError, Location, Login, Person, Target, sql};

impl Identity {
    /// The login of a mail account, made at the first call: its address. A login whose account was removed passes to the new
    /// account of the same address; the app passwords it had stay removed. `person`: whom alone the account serves; it opens for
    /// as long as they may sign in.
    pub async fn ensure_account_login(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
        address: &EmailAddress,
        person: Option<PersonId>,
    ) -> Result<Login, IdentityError> {
        let address = address.as_str().to_lowercase();
        // Only another organisation's account, or a person, can have it already.
        let names = with_suffixes(&address, '.').collect();
        self.ensure_login(organisation, Target::Account(account), person, names).await
    }

    /// The login of a person, made at the first call: their address, or that with `.me` behind it where a mail account has
    /// it.
    pub async fn ensure_person_login(&self, person: &Person) -> Result<Login, IdentityError> {
        let address = person.address.as_str().to_lowercase();
        let names =
            std::iter::once(address.clone()).chain(with_suffixes(&format!("{address}.me"), '.')).collect();
        self.ensure_login(person.organisation, Target::Person(person.id), Some(person.id), names).await
    }

    /// The login of a location, made at the first call: its slug, with a number behind it where another organisation has it.
    pub async fn ensure_location_login(&self, location: &Location) -> Result<Login, IdentityError> {
        let names = with_suffixes(&location.slug, '-').collect();
        self.ensure_login(location.organisation, Target::Location(location.id), None, names).await
    }

    async fn ensure_login(
        &self,
        organisation: OrganisationId,
        target: Target,
        person: Option<PersonId>,
        names: Vec<String>,
    ) -> Result<Login, IdentityError> {
        let (id, now) = (LoginId::new(self.world()), self.world().now());
        self.store
            .write(move |tx| {
                if let Some(found) = find(tx, organisation, target)? {
                    if tx.execute(&sql::SET_LOGIN_PERSON, params![organisation, found.id, person])? == 1 {
                        // What is signed in there looks again.
                        tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
                    }
                    return Ok(Ok(found));
                }
                for name in &names {
                    let retired =
                        tx.row(&sql::FIND_RETIRED_LOGIN, params![organisation, name, target.word()])?;
                    if let Some(retired) = retired {
                        let retired = Login::try_from(retired)?;
                        tx.execute(
                            &sql::REPOINT_LOGIN,
                            params![organisation, retired.id, target.uuid(), person],
                        )?;
                        return Ok(Ok(Login { target, disabled_at: None, ..retired }));
                    }
                    let values = params![id, organisation, name, target.word(), target.uuid(), now, person];
                    tx.execute(&sql::INSERT_LOGIN, values)?;
                    // Either ours, or that of a call at the same moment; else the name is somebody else's.
                    if let Some(found) = find(tx, organisation, target)? {
                        return Ok(Ok(found));
                    }
                }
                let like = names.first().cloned().unwrap_or_default();
                Ok::<_, IdentityError>(Err(IdentityError::NoFreeUserName(like)))
            })
            .await?
    }
}

fn find(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    target: Target,
) -> Result<Option<Login>, IdentityError> {
    let row = tx.row(&sql::FIND_LOGIN_OF_TARGET, params![organisation, target.word(), target.uuid()])?;
    Ok(row.map(Login::try_from).transpose()?)
}
