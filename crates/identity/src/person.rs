//! People who will sign in.

use std::fmt;
use std::str::FromStr;

use gatepost_core::{EmailAddress, LocationId, OrganisationId, PersonId, Timestamp};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{Row, StoreError, params};
use serde_json::json;

use crate::identity::checked_name;
use crate::{Identity, IdentityError, sql};

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

impl TryFrom<Row> for Person {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            address: row.parse(2, "an address")?,
            name: row.get(3)?,
            role: row.parse(4, "a role")?,
            home_location: row.get(5)?,
            created_at: row.get(6)?,
            disabled_at: row.get(7)?,
        })
    }
}

impl Identity {
    /// Adds a person whose address nobody has yet, in any organisation.
    pub async fn add_person(&self, new: NewPerson, by: Actor) -> Result<Person, IdentityError> {
        let person = Person {
            id: PersonId::new(self.world()),
            organisation: new.organisation,
            address: small(&new.address),
            name: checked_name(&new.name).map_err(IdentityError::BadName)?,
            role: new.role,
            home_location: new.home_location,
            created_at: self.world().now(),
            disabled_at: None,
        };
        let world = self.world().clone();
        let is_new = self
            .store
            .write({
                let it = person.clone();
                move |tx| {
                    let role = it.role.to_string();
                    let values = params![
                        it.id,
                        it.organisation,
                        &it.address,
                        &it.name,
                        role.as_str(),
                        it.home_location,
                        it.created_at
                    ];
                    if tx.execute(&sql::INSERT_PERSON, values)? == 0 {
                        return Ok::<_, IdentityError>(false);
                    }
                    gatepost_journal::append(
                        tx,
                        &world,
                        &Entry {
                            organisation: it.organisation,
                            actor: by,
                            action: "person.added",
                            subject: "person",
                            subject_id: Some(it.id.uuid()),
                            details: json!({ "address": it.address.as_str(), "role": role }),
                        },
                    )?;
                    Ok(true)
                }
            })
            .await?;
        if is_new { Ok(person) } else { Err(IdentityError::PersonExists(person.address.to_string())) }
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
fn small(address: &EmailAddress) -> EmailAddress {
    address.as_str().to_lowercase().parse().unwrap_or_else(|_| address.clone())
}
