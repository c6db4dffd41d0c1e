//! What administrators do with people.

use gatepost_core::{LinkId, LocationId, OrganisationId, PersonId, Timestamp, World};
use gatepost_journal::{Actor, Entry, Notice, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::{Value, json};

use crate::identity::checked_name;
use crate::login::retire;
use crate::people::{NewLink, forget_two_step, raise_epoch, tell};
use crate::token::Opens;
use crate::{Identity, IdentityError, LinkKind, NewPerson, Person, Role, Target, Token, sql};

/// A link for an administrator to hand over.
pub struct HandedLink {
    /// For `PUBLIC_URL/link?token=…`.
    pub token: Token,
    /// When it is over.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Adds a person without a password and writes down the letter that invites them. An administrator's invitation is handed over
    /// alone ([`Identity::hand_link`]): a letter lies in the sent folder of the mailbox that it left by.
    pub async fn invite_person(&self, new: NewPerson, by: Actor) -> Result<Person, IdentityError> {
        let person = new.checked(self.world())?;
        let world = self.world().clone();
        let invited = self.store.write(move |tx| {
            if let Some(home) = person.home_location
                && !has_location(tx, person.organisation, home)?
            {
                return Ok(Err(IdentityError::NoSuchLocation));
            }
            if !person.insert(tx, &world, by)? {
                return Ok(Err(IdentityError::PersonExists(person.address.to_string())));
            }
            send_invitation(tx, &world, &person, by)?;
            Ok::<_, IdentityError>(Ok(person.clone()))
        });
        invited.await?
    }

    /// Invites a person without a password once more. Earlier invitations die, those that were handed over too; an administrator's
    /// new one is to be handed over.
    pub async fn invite_again(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        by: Actor,
    ) -> Result<Person, IdentityError> {
        let (world, now) = (self.world().clone(), self.world().now());
        let invited = self.store.write(move |tx| {
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if person.disabled_at.is_some() {
                return Ok(Err(IdentityError::PersonDisabled(person.address.to_string())));
            }
            if person.has_password {
                return Ok(Err(IdentityError::HasPassword(person.address.to_string())));
            }
            let kind = LinkKind::Invitation.to_string();
            tx.execute(&sql::END_LINKS_OF_KIND, params![organisation, id, kind, now])?;
            send_invitation(tx, &world, &person, by)?;
            person.journal(tx, &world, by, "person.invited_again", json!({}))?;
            Ok::<_, IdentityError>(Ok(person))
        });
        invited.await?
    }

    /// Takes an invitation back: a person who has no password yet is gone, with all links to them, and the address is free. What
    /// their login opens, if anybody made one for them, ends within a second.
    pub async fn withdraw_invitation(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        by: Actor,
    ) -> Result<Person, IdentityError> {
        let (world, now) = (self.world().clone(), self.world().now());
        let withdrawn = self.store.write(move |tx| {
            lock(tx, organisation)?;
            // They may be choosing their password at this moment: whichever is first, the other finds it done.
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if person.has_password {
                return Ok(Err(IdentityError::HasPassword(person.address.to_string())));
            }
            if is_last_administrator(tx, &person)? {
                return Ok(Err(IdentityError::LastAdministrator(person.address.to_string())));
            }
            tx.execute(&sql::DELETE_PERSON, params![organisation, id])?;
            tx.execute(&sql::DELETE_LINKS, params![organisation, id])?;
            tx.execute(&sql::DELETE_CONTACTS, params![organisation, id])?;
            retire(tx, &world, organisation, Target::Person(id), by, now)?;
            person.journal(tx, &world, by, "person.invitation_withdrawn", json!({}))?;
            Ok::<_, IdentityError>(Ok(person))
        });
        withdrawn.await?
    }

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

    /// Changes the role; all their sessions end, and so do links that lead to a password: whoever holds one was to be something else.
    /// Not of the last administrator ([`IdentityError::LastAdministrator`]).
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
            Ok::<_, IdentityError>(Ok(()))
        });
        changed.await?
    }

    /// Disables a person: signed out everywhere, their links dead, and what their app passwords have open ends within a second. Not
    /// the last administrator. Disabling again does nothing.
    pub async fn disable_person(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let (world, now) = (self.world().clone(), self.world().now());
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
    /// Nobody does it to themselves, and no person to the last administrator: commands may, for whoever has lost everything.
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
            if let Actor::Person(by) = by {
                if by == id {
                    return Ok(Err(IdentityError::OwnTwoStep));
                }
                if is_last_administrator(tx, &person)? {
                    return Ok(Err(IdentityError::LastAdministrator(person.address.to_string())));
                }
            }
            raise_epoch(tx, organisation, id, world.now())?;
            forget_two_step(tx, &tokens, &person)?;
            if person.two_step_at.is_some() {
                let details = json!({ "by": name_of(tx, organisation, by)? });
                tell(tx, &world, &person, NoticeKind::TwoStepReset, details, None)?;
            }
            person.journal(tx, &world, by, "person.two_step_reset", json!({}))?;
            Ok::<_, IdentityError>(Ok(()))
        });
        reset.await?
    }

    /// A link to hand over: set-up or invitation for those without a password, else a reset, which the person is told of, whichever
    /// of these was asked for; or the demo's. Earlier links of that kind die, but not an invitation by letter: whichever is used
    /// first ends the other.
    pub async fn hand_link(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        kind: LinkKind,
        by: Actor,
    ) -> Result<HandedLink, IdentityError> {
        let token = Token::generate(self.world());
        let digest = token.digest(self.keyring.tokens(), Opens::Link);
        let (world, now) = (self.world().clone(), self.world().now());
        let handed = self.store.write(move |tx| {
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if person.disabled_at.is_some() {
                return Ok(Err(IdentityError::PersonDisabled(person.address.to_string())));
            }
            let kind = match (kind, person.has_password) {
                (LinkKind::SignIn, _) => LinkKind::SignIn,
                (_, true) => LinkKind::PasswordReset,
                (LinkKind::SetUp, false) => LinkKind::SetUp,
                (_, false) => LinkKind::Invitation,
            };
            let (link, details) = (LinkId::new(&world), json!({ "handed": true }));
            if kind == LinkKind::Invitation {
                let values = params![organisation, id, kind.to_string(), details.to_string(), now];
                tx.execute(&sql::END_LINKS_WITH, values)?;
            } else {
                tx.execute(&sql::END_LINKS_OF_KIND, params![organisation, id, kind.to_string(), now])?;
            }
            let expires_at =
                NewLink { id: link, organisation, person: id, kind, details }.insert(tx, &world)?;
            tx.execute(&sql::UPDATE_LINK_DIGEST, params![organisation, link, digest.as_bytes(), now])?;
            if kind == LinkKind::PasswordReset {
                let details = json!({ "by": name_of(tx, organisation, by)? });
                tell(tx, &world, &person, NoticeKind::PasswordResetByAdministrator, details, None)?;
            }
            person.journal(tx, &world, by, "person.link_handed", json!({ "kind": kind.to_string() }))?;
            Ok::<_, IdentityError>(Ok(expires_at))
        });
        let expires_at = handed.await??;
        Ok(HandedLink { token, expires_at })
    }

    /// The token of a link that a letter is about to carry; `None` if the link is over. An earlier token of it dies.
    pub async fn issue_link(
        &self,
        organisation: OrganisationId,
        link: LinkId,
    ) -> Result<Option<Token>, IdentityError> {
        let token = Token::generate(self.world());
        let digest = token.digest(self.keyring.tokens(), Opens::Link);
        let now = self.world().now();
        let n_issued = self.store.write(move |tx| {
            tx.execute(&sql::UPDATE_LINK_DIGEST, params![organisation, link, digest.as_bytes(), now])
        });
        Ok((n_issued.await? == 1).then_some(token))
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
fn lock(tx: &mut Transaction<'_>, organisation: OrganisationId) -> Result<(), StoreError> {
    tx.row(&sql::LOCK_ORGANISATION, params![organisation]).map(drop)
}

/// Whether nobody would be left who can look after the organisation. Of the others only those count who can sign in as an
/// administrator: with a password and two-step verification on.
fn is_last_administrator(tx: &mut Transaction<'_>, person: &Person) -> Result<bool, StoreError> {
    if person.role != Role::Administrator || person.disabled_at.is_some() {
        return Ok(false);
    }
    Ok(tx.row(&sql::FIND_OTHER_ADMINISTRATOR, params![person.organisation, person.id])?.is_none())
}

fn find(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: PersonId,
) -> Result<Option<Person>, StoreError> {
    tx.row(&sql::FIND_PERSON_BY_ID, params![organisation, id])?.map(Person::try_from).transpose()
}

fn has_location(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: LocationId,
) -> Result<bool, StoreError> {
    Ok(tx.row(&sql::FIND_LOCATION_BY_ID, params![organisation, id])?.is_some())
}

/// The letter that invites, with its link; none for an administrator.
fn send_invitation(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    by: Actor,
) -> Result<(), StoreError> {
    let (organisation, id) = (person.organisation, LinkId::new(world));
    tx.execute(&sql::UPDATE_INVITED, params![organisation, person.id, world.now()])?;
    if person.role == Role::Administrator {
        return Ok(());
    }
    let kind = LinkKind::Invitation;
    NewLink { id, organisation, person: person.id, kind, details: json!({}) }.insert(tx, world)?;
    let notice = Notice {
        organisation,
        kind: NoticeKind::Invitation,
        person: person.id,
        addresses: std::slice::from_ref(&person.address),
        link: Some(id),
        details: json!({ "by": name_of(tx, organisation, by)? }),
    };
    gatepost_journal::notify(tx, world, &notice).map(drop)
}

/// The name of the person who does it; null where a command does.
fn name_of(tx: &mut Transaction<'_>, organisation: OrganisationId, by: Actor) -> Result<Value, StoreError> {
    let Actor::Person(id) = by else { return Ok(Value::Null) };
    Ok(find(tx, organisation, id)?.map_or(Value::Null, |it| it.name.into()))
}
