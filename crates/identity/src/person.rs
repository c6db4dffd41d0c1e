//! People who will sign in.

mod administer;
mod hand_link;
mod invite;

use std::fmt;
use std::str::FromStr;

use gatepost_core::{EmailAddress, LocationId, OrganisationId, PersonId, Timestamp, World};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{Row, StoreError, Transaction, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::identity::checked_name;
use crate::{Identity, IdentityError, sql};

pub use hand_link::HandedLink;

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: PersonId,
    /// Where they belong.
    pub organisation: OrganisationId,
    /// Their address, in small letters; unique in the installation.
    pub address: EmailAddress,
    /// What people call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose default account they use when they have none of their own.
    pub home_location: Option<LocationId>,
    /// When they were added.
    pub created_at: Timestamp,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// Whether they have chosen a password; without one they are invited only.
    pub has_password: bool,
    /// Since when two-step verification is on.
    pub two_step_at: Option<Timestamp>,
    /// When they last signed in.
    pub signed_in_at: Option<Timestamp>,
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything in the organisation.
    Administrator,
    /// What is their own.
    Operator,
}

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Where they belong.
    pub organisation: OrganisationId,
    /// Their address.
    pub address: EmailAddress,
    /// What people call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whose default account they use when they have none of their own.
    pub home_location: Option<LocationId>,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        })
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "administrator" => Ok(Self::Administrator),
            "operator" => Ok(Self::Operator),
            _ => Err(()),
        }
    }
}

/// The first eleven columns, in the order of `FIND_PERSON`.
impl TryFrom<&Row> for Person {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            address: row.parse(2, "an address")?,
            name: row.get(3)?,
            role: row.parse(4, "a role")?,
            home_location: row.get(5)?,
            created_at: row.get(6)?,
            disabled_at: row.get(7)?,
            has_password: row.get(8)?,
            two_step_at: row.get(9)?,
            signed_in_at: row.get(10)?,
        })
    }
}

impl TryFrom<Row> for Person {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Self::try_from(&row)
    }
}

impl NewPerson {
    /// The person they will be.
    fn checked(self, world: &World) -> Result<Person, IdentityError> {
        Ok(Person {
            id: PersonId::new(world),
            organisation: self.organisation,
            address: small(&self.address),
            name: checked_name(&self.name).map_err(IdentityError::BadName)?,
            role: self.role,
            home_location: self.home_location,
            created_at: world.now(),
            disabled_at: None,
            has_password: false,
            two_step_at: None,
            signed_in_at: None,
        })
    }
}

impl Person {
    /// Writes down a new person, unless somebody has that address: then `false`.
    fn insert(&self, tx: &mut Transaction<'_>, world: &World, by: Actor) -> Result<bool, StoreError> {
        let role = self.role.to_string();
        let values = params![
            self.id,
            self.organisation,
            &self.address,
            &self.name,
            role.as_str(),
            self.home_location,
            self.created_at
        ];
        if tx.execute(&sql::INSERT_PERSON, values)? == 0 {
            return Ok(false);
        }
        let details = json!({ "address": self.address.as_str(), "role": role });
        self.journal(tx, world, by, "person.added", details)?;
        administer::tell_of_administrator(tx, world, self, by)?;
        Ok(true)
    }

    /// Writes down what was done to this person.
    pub(crate) fn journal(
        &self,
        tx: &mut Transaction<'_>,
        world: &World,
        by: Actor,
        action: &'static str,
        details: Value,
    ) -> Result<(), StoreError> {
        self.journal_of(tx, world, by, action, ("person", self.id.uuid()), details)
    }

    /// Writes down what was done to something of this person.
    pub(crate) fn journal_of(
        &self,
        tx: &mut Transaction<'_>,
        world: &World,
        by: Actor,
        action: &'static str,
        (subject, id): (&'static str, Uuid),
        details: Value,
    ) -> Result<(), StoreError> {
        let (organisation, subject_id) = (self.organisation, Some(id));
        let entry = Entry { organisation, actor: by, action, subject, subject_id, details };
        gatepost_journal::append(tx, world, &entry)
    }
}

impl Identity {
    /// Adds a person whose address nobody has yet, in any organisation.
    pub async fn add_person(&self, new: NewPerson, by: Actor) -> Result<Person, IdentityError> {
        let person = new.checked(self.world())?;
        let world = self.world().clone();
        let added = self.store.write(move |tx| {
            if !person.insert(tx, &world, by)? {
                return Ok(Err(IdentityError::PersonExists(person.address.to_string())));
            }
            Ok::<_, IdentityError>(Ok(person.clone()))
        });
        added.await?
    }

    /// The person with that address.
    pub async fn find_person(
        &self,
        organisation: OrganisationId,
        address: &EmailAddress,
    ) -> Result<Option<Person>, IdentityError> {
        let address = small(address);
        let row =
            self.store.read(move |tx| tx.row(&sql::FIND_PERSON, params![organisation, &address])).await?;
        Ok(row.map(Person::try_from).transpose()?)
    }
}

/// In small letters. Sign-in names are compared without regard to case, whatever RFC 5321 §2.4 says of local parts.
pub(crate) fn small(address: &EmailAddress) -> EmailAddress {
    address.as_str().to_lowercase().parse().unwrap_or_else(|_| address.clone())
}
