//! The kinds of links and contacts in the words of their rows, and how a link is written down.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gatepost_core::{LinkId, OrganisationId, PersonId, Timestamp, World};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::PurposeKey;

use crate::token::Opens;
use crate::{ContactKind, LinkKind, Token, sql};

impl LinkKind {
    const ALL: [Self; 6] =
        [Self::SetUp, Self::Invitation, Self::PasswordReset, Self::Contact, Self::NotMe, Self::SignIn];

    const fn word(self) -> &'static str {
        match self {
            Self::SetUp => "set_up",
            Self::Invitation => "invitation",
            Self::PasswordReset => "password_reset",
            Self::Contact => "contact",
            Self::NotMe => "not_me",
            Self::SignIn => "sign_in",
        }
    }

    /// How long a link of this kind lives.
    #[must_use]
    pub const fn lives_for(self) -> Duration {
        match self {
            Self::SetUp | Self::Contact | Self::SignIn => Duration::from_hours(24),
            Self::Invitation => Duration::from_hours(72),
            Self::PasswordReset => Duration::from_mins(60),
            Self::NotMe => Duration::from_hours(7 * 24),
        }
    }

    /// Whether it ends with what raises the person's security epoch. The others do not let anybody in.
    pub(crate) const fn dies_with_the_epoch(self) -> bool {
        !matches!(self, Self::NotMe | Self::Contact)
    }

    /// Whether it leads to a new password. Using one of them ends the others of that person.
    pub(crate) const fn chooses_password(self) -> bool {
        matches!(self, Self::SetUp | Self::Invitation | Self::PasswordReset)
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for LinkKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.word() == word).ok_or(())
    }
}

impl fmt::Display for ContactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address",
            Self::Telephone => "telephone",
        })
    }
}

impl FromStr for ContactKind {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "address" => Ok(Self::Address),
            "telephone" => Ok(Self::Telephone),
            _ => Err(()),
        }
    }
}

/// A link before it is written. It has no token: that is computed when it is given out.
pub(crate) struct NewLink {
    pub(crate) id: LinkId,
    pub(crate) organisation: OrganisationId,
    pub(crate) person: PersonId,
    pub(crate) kind: LinkKind,
    /// What it is about: `{"contact": ID}` of a contact's; of a "This was not me" `app_password`, if it is about one.
    pub(crate) details: serde_json::Value,
}

impl NewLink {
    /// Writes it down, and says when it is over.
    pub(crate) fn insert(&self, tx: &mut Transaction<'_>, world: &World) -> Result<Timestamp, StoreError> {
        let now = world.now();
        let expires_at = now + self.kind.lives_for();
        let details = self.details.to_string();
        let salt = world.random::<16>();
        let kind = self.kind.word();
        let values = params![self.id, self.organisation, self.person, kind, details, now, expires_at, &salt];
        tx.execute(&sql::INSERT_LINK, values)?;
        Ok(expires_at)
    }
}

/// The token of a link, the same each time: letter, page and a second try of the letter carry one. `None` if the link is over.
pub(crate) fn link_token(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    organisation: OrganisationId,
    link: LinkId,
) -> Result<Option<Token>, StoreError> {
    let Some(row) = tx.row(&sql::FIND_LINK_SALT, params![organisation, link, world.now()])? else {
        return Ok(None);
    };
    let token = Token::of_link(tokens, link, &row.get::<Vec<u8>>(0)?);
    let digest = token.digest(tokens, Opens::Link);
    tx.execute(&sql::SET_LINK_DIGEST, params![organisation, link, digest.as_bytes()])?;
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read_back_from_its_word() {
        for kind in LinkKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for kind in [ContactKind::Address, ContactKind::Telephone] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("".parse::<LinkKind>(), Err(()));
        assert_eq!("".parse::<ContactKind>(), Err(()));
    }
}
