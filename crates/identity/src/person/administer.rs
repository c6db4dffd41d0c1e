//! What administrators do with people.

use gatepost_core::{AppPasswordId, LocationId, OrganisationId, PersonId, World};
use gatepost_journal::{Actor, Entry, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::{Value, json};

use crate::app_password::remove_app_password;
use crate::identity::checked_name;
use crate::people::{forget_two_step, raise_epoch, tell};
use crate::{Identity, IdentityError, Person, Role, sql};

impl Identity {
    /// All people of an organisation, by name.
    pub async fn list_people(&self, organisation: OrganisationId) -> Result<Vec<Person>, IdentityError> {
        let rows = self.store.read(move |tx| tx.rows(&sql::LIST_PEOPLE, params![organisation])).await?;
        let mut all = rows.into_iter().map(Person::try_from).collect::<Result<Vec<_>, _>>()?;
        all.sort_by_cached_key(|it| it.name.to_lowercase());
        Ok(all)
    }

    /// One person.
    pub async fn get_person(
        &self,
        organisation: OrganisationId,
        id: PersonId,
    ) -> Result<Person, IdentityError> {
        let found = self.store.read(move |tx| find(tx, organisation, id));
        found.await?.ok_or(IdentityError::NoSuchPerson)
    }

    /// Changes name and home location.
    pub async fn edit_person(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        name: &str,
        home_location: Option<LocationId>,
        by: Actor,
    ) -> Result<Person, IdentityError> {
        let name = checked_name(name).map_err(IdentityError::BadName)?;
        let world = self.world().clone();
        let edited = self.store.write(move |tx| {
            let Some(old) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if let Some(home) = home_location
                && !has_location(tx, organisation, home)?
            {
                return Ok(Err(IdentityError::NoSuchLocation));
            }
            let new = Person { name: name.clone(), home_location, ..old.clone() };
            if new != old {
                tx.execute(&sql::UPDATE_PERSON, params![organisation, id, &name, home_location])?;
                let home = home_location.map(|it| it.to_string());
                new.journal(tx, &world, by, "person.edited", json!({ "name": name, "location": home }))?;
            }
            Ok::<_, IdentityError>(Ok(new))
        });
        edited.await?
    }

    /// Changes the role; all their sessions end, and all administrators are told. Not of the last administrator ([`IdentityError::LastAdministrator`]).
    pub async fn change_role(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        role: Role,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let (world, now) = (self.world().clone(), self.world().now());
        let changed = self.store.write(move |tx| {
            lock(tx, organisation)?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if person.role == role {
                return Ok(Ok(()));
            }
            if is_last_administrator(tx, &person)? {
                return Ok(Err(IdentityError::LastAdministrator(person.address.to_string())));
            }
            raise_epoch(tx, organisation, id, now)?;
            tx.execute(&sql::UPDATE_ROLE, params![organisation, id, role.to_string()])?;
            tx.execute(&sql::END_PASSWORD_LINKS, params![organisation, id, now])?;
            let details = json!({ "from": person.role.to_string(), "to": role.to_string() });
            person.journal(tx, &world, by, "person.role_changed", details)?;
            let person = Person { role, ..person };
            tell_administrators(tx, &world, NoticeKind::RoleChanged, &person, by)?;
            if role != Role::Administrator {
                let details = what_became(tx, &person, by)?;
                tell(tx, &world, &person, NoticeKind::RoleChanged, details, None)?;
            }
            Ok::<_, IdentityError>(Ok(()))
        });
        changed.await?
    }

    /// Disables a person: signed out everywhere, their links dead, and what has their own logins open ends within a second, also those
    /// of mail accounts that serve them alone. Not
    /// the last administrator. Disabling again does nothing. `remove`: of what they made for others
    /// ([`Identity::list_app_passwords_made_by`]), the app passwords that are removed as well.
    pub async fn disable_person(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        remove: &[AppPasswordId],
        by: Actor,
    ) -> Result<(), IdentityError> {
        let (world, now, remove) = (self.world().clone(), self.world().now(), remove.to_vec());
        let disabled = self.store.write(move |tx| {
            lock(tx, organisation)?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if person.disabled_at.is_some() {
                return Ok(Ok(()));
            }
            if is_last_administrator(tx, &person)? {
                return Ok(Err(IdentityError::LastAdministrator(person.address.to_string())));
            }
            raise_epoch(tx, organisation, id, now)?;
            tx.execute(&sql::DISABLE_PERSON, params![organisation, id, now])?;
            tx.execute(&sql::END_LINKS, params![organisation, id, now])?;
            tx.execute(&sql::RAISE_EPOCH, params![organisation])?;
            person.journal(tx, &world, by, "person.disabled", json!({}))?;
            for row in tx.rows(&sql::LIST_APP_PASSWORDS_MADE_BY, params![organisation, now, id])? {
                // Whatever else was asked for is not theirs.
                let made = row.get(0)?;
                if remove.contains(&made) {
                    remove_app_password(tx, &world, organisation, made, by)?;
                }
            }
            Ok::<_, IdentityError>(Ok(()))
        });
        disabled.await?
    }

    /// Enables a person again; their app passwords work as before.
    pub async fn enable_person(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let world = self.world().clone();
        let enabled = self.store.write(move |tx| {
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if tx.execute(&sql::ENABLE_PERSON, params![organisation, id])? == 1 {
                person.journal(tx, &world, by, "person.enabled", json!({}))?;
            }
            Ok::<_, IdentityError>(Ok(()))
        });
        enabled.await?
    }

    /// Turns a person's two-step verification off, so that they set it up anew; they are told. What was begun is forgotten as well.
    /// Nobody does it to themselves, nor to the last administrator who can sign in; a command does, as the way back in.
    pub async fn reset_two_step(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let (world, tokens) = (self.world().clone(), self.keyring.tokens().clone());
        let reset = self.store.write(move |tx| {
            lock(tx, organisation)?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if by == Actor::Person(id) {
                return Ok(Err(IdentityError::OwnTwoStep(person.address.to_string())));
            }
            if by != Actor::Command && person.two_step_at.is_some() && is_last_administrator(tx, &person)? {
                return Ok(Err(IdentityError::LastAdministrator(person.address.to_string())));
            }
            raise_epoch(tx, organisation, id, world.now())?;
            forget_two_step(tx, &tokens, &person)?;
            if person.two_step_at.is_some() {
                let details = json!({ "by": name_of(tx, organisation, by)? });
                tell(tx, &world, &person, NoticeKind::TwoStepReset, details, None)?;
            }
            person.journal(tx, &world, by, "two_step.reset", json!({}))?;
            Ok::<_, IdentityError>(Ok(()))
        });
        reset.await?
    }

    /// Gives the organisation its name and says that its set-up is over.
    pub async fn set_organisation_up(
        &self,
        organisation: OrganisationId,
        name: &str,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let name = checked_name(name).map_err(IdentityError::BadName)?;
        let (world, now) = (self.world().clone(), self.world().now());
        let set_up = self.store.write(move |tx| {
            lock(tx, organisation)?;
            if let Some(row) = tx.row(&sql::FIND_ORGANISATION, params![&name])?
                && row.get::<OrganisationId>(0)? != organisation
            {
                return Ok(Err(IdentityError::OrganisationExists(name.clone())));
            }
            if tx.execute(&sql::SET_ORGANISATION_UP, params![organisation, &name, now])? == 0 {
                return Ok(Err(IdentityError::NoOrganisation));
            }
            gatepost_journal::append(
                tx,
                &world,
                &Entry {
                    organisation,
                    actor: by,
                    action: "organisation.set_up",
                    subject: "organisation",
                    subject_id: Some(organisation.uuid()),
                    details: json!({ "name": name }),
                },
            )?;
            Ok::<_, IdentityError>(Ok(()))
        });
        set_up.await?
    }
}

/// Whoever counts administrators is alone until the transaction ends: of two who would each take the other's role, the second sees
/// what the first has done.
pub(super) fn lock(tx: &mut Transaction<'_>, organisation: OrganisationId) -> Result<(), StoreError> {
    tx.row(&sql::LOCK_ORGANISATION, params![organisation]).map(drop)
}

/// Whether the organisation would be left without an administrator who can sign in; where nobody can yet, without any at all.
pub(super) fn is_last_administrator(tx: &mut Transaction<'_>, person: &Person) -> Result<bool, StoreError> {
    let (mut counts, mut others, mut others_who_can) = (None, 0_u32, 0_u32);
    for row in tx.rows(&sql::LIST_ADMINISTRATORS, params![person.organisation])? {
        let can_sign_in = row.get::<bool>(11)?;
        if row.get::<PersonId>(0)? == person.id {
            counts = Some(can_sign_in);
        } else {
            others += 1;
            others_who_can += u32::from(can_sign_in);
        }
    }
    Ok(match counts {
        // No administrator, or disabled: nothing is lost.
        None => false,
        Some(true) => others_who_can == 0,
        Some(false) => others == 0,
    })
}

/// Tells all administrators but the one it is about, where that one is new.
fn tell_administrators(
    tx: &mut Transaction<'_>,
    world: &World,
    kind: NoticeKind,
    about: &Person,
    by: Actor,
) -> Result<(), StoreError> {
    let details = what_became(tx, about, by)?;
    for row in tx.rows(&sql::LIST_ADMINISTRATORS, params![about.organisation])? {
        let administrator = Person::try_from(row)?;
        if administrator.id != about.id || kind == NoticeKind::RoleChanged {
            tell(tx, world, &administrator, kind, details.clone(), None)?;
        }
    }
    Ok(())
}

fn what_became(tx: &mut Transaction<'_>, about: &Person, by: Actor) -> Result<Value, StoreError> {
    let by = name_of(tx, about.organisation, by)?;
    Ok(
        json!({ "name": about.name, "address": about.address.as_str(), "role": about.role.to_string(), "by": by }),
    )
}

/// Tells all administrators of one more.
pub(super) fn tell_of_administrator(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    by: Actor,
) -> Result<(), StoreError> {
    match person.role {
        Role::Administrator => tell_administrators(tx, world, NoticeKind::AdministratorAdded, person, by),
        Role::Operator => Ok(()),
    }
}

pub(super) fn find(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: PersonId,
) -> Result<Option<Person>, StoreError> {
    tx.row(&sql::FIND_PERSON_BY_ID, params![organisation, id])?.map(Person::try_from).transpose()
}

pub(super) fn has_location(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: LocationId,
) -> Result<bool, StoreError> {
    Ok(tx.row(&sql::FIND_LOCATION_BY_ID, params![organisation, id])?.is_some())
}

/// An id that a form brings and that stands in somebody else's link is none of this person's.
pub(super) fn known<T>(done: Result<Result<T, IdentityError>, IdentityError>) -> Result<T, IdentityError> {
    match done {
        Err(IdentityError::Store(StoreError::Duplicate { .. })) => Err(IdentityError::NoSuchPerson),
        done => done?,
    }
}

/// The name of the person who does it; null where a command does.
pub(super) fn name_of(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    by: Actor,
) -> Result<Value, StoreError> {
    let Actor::Person(id) = by else { return Ok(Value::Null) };
    Ok(find(tx, organisation, id)?.map_or(Value::Null, |it| it.name.into()))
}
