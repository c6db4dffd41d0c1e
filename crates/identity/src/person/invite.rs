//! Inviting people, once more, and not after all.

use gatepost_core::{LinkId, OrganisationId, PersonId, World};
use gatepost_journal::{Actor, Notice, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use serde_json::json;

use super::administer::{find, has_location, is_last_administrator, known, lock, name_of};
use crate::app_password::remove_own_app_passwords;
use crate::login::retire;
use crate::people::NewLink;
use crate::{Identity, IdentityError, LinkKind, NewPerson, Person, Role, Target, sql};

impl Identity {
    /// Adds a person without a password and writes down the letter that invites them. An administrator gets none: it would lie in the
    /// sent folder of the mailbox that sends it, for everybody who reads there. Their link is handed over.
    pub async fn invite_person(&self, new: NewPerson, by: Actor) -> Result<Person, IdentityError> {
        self.invite_person_by_link(new, LinkId::new(self.world()), by).await
    }

    /// The same where the form that asks has chosen the id of the link: sent twice, it finds what it made ([`Identity::find_handed_link`]).
    pub async fn invite_person_by_link(
        &self,
        new: NewPerson,
        link: LinkId,
        by: Actor,
    ) -> Result<Person, IdentityError> {
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
            invite(tx, &world, &person, link, by)?;
            Ok::<_, IdentityError>(Ok(person.clone()))
        });
        known(invited.await)
    }

    /// Invites a person without a password once more. Earlier invitations die, those that were handed over too; an administrator's
    /// new one is to be handed over. `link`: the id of the new one. With an id that is there already nothing is done
    /// ([`IdentityError::LinkExists`]).
    pub async fn invite_again(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        link: LinkId,
        by: Actor,
    ) -> Result<Person, IdentityError> {
        let (world, now) = (self.world().clone(), self.world().now());
        let invited = self.store.write(move |tx| {
            // Of two that are alike, the second sees what the first has done.
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if tx.row(&sql::FIND_HANDED_LINK, params![organisation, id, link])?.is_some() {
                return Ok(Err(IdentityError::LinkExists));
            }
            if person.disabled_at.is_some() {
                return Ok(Err(IdentityError::PersonDisabled(person.address.to_string())));
            }
            if person.has_password {
                return Ok(Err(IdentityError::HasPassword(person.address.to_string())));
            }
            let kind = LinkKind::Invitation.to_string();
            tx.execute(&sql::END_LINKS_OF_KIND, params![organisation, id, kind, now])?;
            invite(tx, &world, &person, link, by)?;
            person.journal(tx, &world, by, "person.invited_again", json!({}))?;
            Ok::<_, IdentityError>(Ok(person))
        });
        known(invited.await)
    }

    /// Withdraws the invitation of somebody who has not chosen a password: the person is gone, and the address is free. What was made
    /// for their logins is removed.
    pub async fn withdraw_invitation(
        &self,
        organisation: OrganisationId,
        id: PersonId,
        by: Actor,
    ) -> Result<(), IdentityError> {
        let world = self.world().clone();
        let withdrawn = self.store.write(move |tx| {
            lock(tx, organisation)?;
            let Some(person) = find(tx, organisation, id)? else {
                return Ok(Err(IdentityError::NoSuchPerson));
            };
            if is_last_administrator(tx, &person)? {
                return Ok(Err(IdentityError::LastAdministrator(person.address.to_string())));
            }
            // Of an answer to the invitation at the same moment, the first counts.
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            if tx.execute(&sql::DELETE_PERSON, params![organisation, id])? == 0 {
                return Ok(Err(IdentityError::HasPassword(person.address.to_string())));
            }
            tx.execute(&sql::DELETE_LINKS_OF, params![organisation, id])?;
            tx.execute(&sql::DELETE_CONTACTS, params![organisation, id])?;
            remove_own_app_passwords(tx, &world, &person, by)?;
            retire(tx, &world, organisation, Target::Person(id), by)?;
            let details = json!({ "address": person.address.as_str() });
            person.journal(tx, &world, by, "person.invitation_withdrawn", details)?;
            Ok::<_, IdentityError>(Ok(()))
        });
        withdrawn.await?
    }
}

/// The link that invites, and the letter with it.
fn invite(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    id: LinkId,
    by: Actor,
) -> Result<(), StoreError> {
    let (organisation, kind) = (person.organisation, LinkKind::Invitation);
    NewLink { id, organisation, person: person.id, kind, details: json!({}) }.insert(tx, world)?;
    tx.execute(&sql::UPDATE_INVITED, params![organisation, person.id, world.now()])?;
    if person.role == Role::Administrator {
        return Ok(());
    }
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
