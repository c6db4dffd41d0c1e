//! Logins: what applications sign in as.

mod ensure;
mod find;
mod list;
mod retire;

pub(crate) use retire::retire;

use std::str::FromStr;

use gatepost_core::{LocationId, LoginId, MailAccountId, OrganisationId, PersonId, Timestamp};
use gatepost_store::{Row, StoreError};
use uuid::Uuid;

/// One login. Its user name is unique in the installation and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its id.
    pub id: LoginId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// What is typed into the application, in small letters.
    pub user_name: String,
    /// What it sends and reads as.
    pub target: Target,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it works no more.
    pub disabled_at: Option<Timestamp>,
}

/// What a login points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// One mail account.
    Account(MailAccountId),
    /// A person: their own account, or whatever stands in for it.
    Person(PersonId),
    /// A location: its default account, or whatever stands in for it.
    Location(LocationId),
}

impl Target {
    /// The word that rows have.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Person(_) => "person",
            Self::Location(_) => "location",
        }
    }

    pub(crate) const fn uuid(self) -> Uuid {
        match self {
            Self::Account(id) => id.uuid(),
            Self::Person(id) => id.uuid(),
            Self::Location(id) => id.uuid(),
        }
    }

    /// From the columns `target` and the one behind it.
    pub(crate) fn from_row(row: &Row, column: usize) -> Result<Self, StoreError> {
        let id: Uuid = row.get(column + 1)?;
        Ok(match row.parse::<TargetWord>(column, "account, person or location")? {
            TargetWord::Account => Self::Account(MailAccountId::from_uuid(id)),
            TargetWord::Person => Self::Person(PersonId::from_uuid(id)),
            TargetWord::Location => Self::Location(LocationId::from_uuid(id)),
        })
    }
}

enum TargetWord {
    Account,
    Person,
    Location,
}

impl FromStr for TargetWord {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "account" => Ok(Self::Account),
            "person" => Ok(Self::Person),
            "location" => Ok(Self::Location),
            _ => Err(()),
        }
    }
}

impl TryFrom<Row> for Login {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            user_name: row.get(2)?,
            target: Target::from_row(&row, 3)?,
            created_at: row.get(5)?,
            disabled_at: row.get(6)?,
        })
    }
}
