//! A mail account: a connection to one mailbox at one provider.

use gatepost_core::{EmailAddress, LocationId, MailAccountId, OrganisationId, PersonId, Timestamp};
use gatepost_journal::Actor;
use gatepost_providers::{Limits, Preset, Providers};
use gatepost_store::{Row, StoreError};
use uuid::Uuid;

use crate::clock::RunningClock;
use crate::credential::NewSecret;
use crate::endpoint::Endpoints;
use crate::error::Invalid;

/// Addresses that letters of one account may come from, besides its own.
const MOST_ADDRESSES: usize = 50;

/// Whom an account serves, or a default is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serves {
    /// Everybody.
    Organisation,
    /// One site.
    Location(LocationId),
    /// One person.
    Person(PersonId),
}

impl Serves {
    /// The one person, if it is one.
    #[must_use]
    pub const fn person(self) -> Option<PersonId> {
        self.columns().0
    }

    /// The columns for a person and a location.
    pub(crate) const fn columns(self) -> (Option<PersonId>, Option<LocationId>) {
        match self {
            Self::Organisation => (None, None),
            Self::Location(id) => (None, Some(id)),
            Self::Person(id) => (Some(id), None),
        }
    }

    /// Word and id as the table of defaults has them.
    pub(crate) fn key(self, organisation: OrganisationId) -> (&'static str, Uuid) {
        match self {
            Self::Organisation => ("organisation", organisation.uuid()),
            Self::Location(id) => ("location", id.uuid()),
            Self::Person(id) => ("person", id.uuid()),
        }
    }

    /// Columns 0 and 1 of the list of defaults.
    pub(crate) fn read(row: &Row) -> Result<Self, StoreError> {
        match row.get::<String>(0)?.as_str() {
            "organisation" => Ok(Self::Organisation),
            "location" => Ok(Self::Location(row.get(1)?)),
            "person" => Ok(Self::Person(row.get(1)?)),
            _ => {
                let expected = "organisation, location or person";
                Err(StoreError::Contradiction { statement: "LIST_DEFAULTS", column: 0, expected })
            }
        }
    }
}

/// What an account says otherwise than its provider's preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Once it is gone, letters that would have left by it wait for a new choice instead of leaving by another account.
    pub never_falls_back: bool,
    /// Connections at the same time. A known provider's figure can be lowered, not raised.
    pub max_connections: Option<u32>,
    /// The largest message in bytes. A known provider's figure can be lowered, not raised.
    pub max_message_bytes: Option<u64>,
}

/// An account to be added.
pub struct NewAccount {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The mailbox's address, which letters come from.
    pub address: EmailAddress,
    /// What people call it: 1 to 60 characters.
    pub short_name: String,
    /// The display name of its letters' author; may be empty.
    pub author_name: String,
    /// A preset's word, such as `custom`.
    pub provider: String,
    /// What it signs in as.
    pub user_name: String,
    /// Its servers.
    pub endpoints: Endpoints,
    /// The mailbox it opens, where that is another than the one it signs in as (C11).
    pub opens: Option<EmailAddress>,
    /// Further addresses that its letters may come from.
    pub further_addresses: Vec<EmailAddress>,
    /// Whom it serves.
    pub serves: Serves,
    /// What it says otherwise than the preset.
    pub overrides: Overrides,
    /// What it signs in with.
    pub secret: NewSecret,
    /// Who adds it.
    pub actor: Actor,
}

impl NewAccount {
    /// The same with texts trimmed and servers in their one spelling, or what is wrong with it.
    pub(crate) fn checked(self, providers: &Providers) -> Result<Self, Invalid> {
        let provider = self.provider.trim().to_owned();
        if providers.find(&provider).is_none() {
            let known: Vec<&str> = providers.iter().map(|it| it.word.as_str()).collect();
            return Err(Invalid::Provider(provider, known.join(", ")));
        }
        self.secret.checked()?;
        let settings = Settings {
            short_name: self.short_name,
            author_name: self.author_name,
            user_name: self.user_name,
            opens: self.opens,
            further_addresses: self.further_addresses,
            serves: self.serves,
            overrides: self.overrides,
        };
        let settings = settings.checked(&self.address)?;
        Ok(Self {
            provider,
            short_name: settings.short_name,
            author_name: settings.author_name,
            user_name: settings.user_name,
            opens: settings.opens,
            further_addresses: settings.further_addresses,
            endpoints: self.endpoints.checked()?,
            ..self
        })
    }
}

/// What people may change of an account without proving anything anew at its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What people call it: 1 to 60 characters.
    pub short_name: String,
    /// The display name of its letters' author; may be empty.
    pub author_name: String,
    /// What it signs in as.
    pub user_name: String,
    /// The mailbox it opens, where that is another.
    pub opens: Option<EmailAddress>,
    /// Further addresses that its letters may come from; at most 50.
    pub further_addresses: Vec<EmailAddress>,
    /// Whom it serves.
    pub serves: Serves,
    /// What it says otherwise than the preset.
    pub overrides: Overrides,
}

impl Settings {
    /// The same with texts trimmed, each address once and the account's own left out, or what is wrong with them.
    pub(crate) fn checked(self, own: &EmailAddress) -> Result<Self, Invalid> {
        let Overrides { max_connections, max_message_bytes, .. } = self.overrides;
        if max_connections == Some(0) || max_message_bytes == Some(0) {
            return Err(Invalid::ZeroLimit);
        }
        let mut further_addresses = self.further_addresses;
        further_addresses.sort_by_key(EmailAddress::to_key);
        further_addresses.dedup_by(|a, b| a.is_same_mailbox(b));
        further_addresses.retain(|it| !it.is_same_mailbox(own));
        if further_addresses.len() > MOST_ADDRESSES {
            return Err(Invalid::TooManyAddresses);
        }
        let user_name = line(&self.user_name, 1, 320).ok_or(Invalid::UserName)?;
        Ok(Self {
            short_name: line(&self.short_name, 1, 60).ok_or(Invalid::ShortName)?,
            author_name: line(&self.author_name, 0, 200).ok_or(Invalid::AuthorName)?,
            opens: self.opens.filter(|it| it.as_str() != user_name),
            user_name,
            further_addresses,
            ..self
        })
    }
}

/// A text for one line of a page, a header or a command, trimmed, if it has so many characters.
fn line(text: &str, least: usize, most: usize) -> Option<String> {
    let text = text.trim();
    let n_chars = text.chars().count();
    let fits = (least..=most).contains(&n_chars) && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// A mail account, without its secret.
///
/// Read from a row it has no further addresses yet: they lie in a table of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailAccount {
    /// Its id.
    pub id: MailAccountId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The mailbox's address.
    pub address: EmailAddress,
    /// What people call it.
    pub short_name: String,
    /// The display name of its letters' author.
    pub author_name: String,
    /// A preset's word.
    pub provider: String,
    /// What it signs in as.
    pub user_name: String,
    /// The mailbox it opens, where that is another than the one it signs in as (C11).
    pub opens: Option<EmailAddress>,
    /// Further addresses that its letters may come from.
    pub further_addresses: Vec<EmailAddress>,
    /// Its servers.
    pub endpoints: Endpoints,
    /// Whom it serves.
    pub serves: Serves,
    /// What it says otherwise than the preset.
    pub overrides: Overrides,
    /// Since when it is paused, if it is.
    pub paused_at: Option<Timestamp>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was removed.
    pub(crate) removed_at: Option<Timestamp>,
    pub(crate) clock: RunningClock,
}

impl MailAccount {
    pub(crate) fn is_live(&self) -> bool {
        self.removed_at.is_none()
    }

    /// What may be changed of it.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            short_name: self.short_name.clone(),
            author_name: self.author_name.clone(),
            user_name: self.user_name.clone(),
            opens: self.opens.clone(),
            further_addresses: self.further_addresses.clone(),
            serves: self.serves,
            overrides: self.overrides,
        }
    }

    pub(crate) fn set(&mut self, settings: Settings) {
        let Settings { short_name, author_name, user_name, opens, further_addresses, serves, overrides } =
            settings;
        *self = Self {
            short_name,
            author_name,
            user_name,
            opens,
            further_addresses,
            serves,
            overrides,
            ..self.clone()
        };
    }

    /// All addresses that its letters may come from, its own first.
    pub fn addresses(&self) -> impl Iterator<Item = &EmailAddress> {
        std::iter::once(&self.address).chain(&self.further_addresses)
    }

    fn preset<'a>(&self, providers: &'a Providers) -> Option<&'a Preset> {
        providers.find(&self.provider)
    }

    /// Which rules of the catalogue speak of its provider.
    #[must_use]
    pub fn provider_kind<'a>(&self, providers: &'a Providers) -> Option<&'a str> {
        self.preset(providers).map(|it| it.kind.as_str())
    }

    /// What it may do there: the preset's figures, lowered by its own. Where the preset knows nothing, its own count alone.
    #[must_use]
    pub fn limits(&self, providers: &Providers) -> Limits {
        let preset = self.preset(providers).map_or(Limits::UNKNOWN_HOST, |it| it.limits);
        let Overrides { max_connections, max_message_bytes, .. } = self.overrides;
        let n_connections = match max_connections {
            Some(own) if preset == Limits::UNKNOWN_HOST => own,
            Some(own) => own.min(preset.n_connections),
            None => preset.n_connections,
        };
        let max_message_bytes = match (preset.max_message_bytes, max_message_bytes) {
            (Some(theirs), Some(own)) => Some(theirs.min(own)),
            (theirs, own) => theirs.or(own),
        };
        Limits { n_connections, max_message_bytes, ..preset }
    }
}

impl TryFrom<&Row> for MailAccount {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        let serves = match (row.get(16)?, row.get(17)?) {
            (Some(person), _) => Serves::Person(person),
            (None, Some(location)) => Serves::Location(location),
            (None, None) => Serves::Organisation,
        };
        let held_for = std::time::Duration::from_millis(row.get(22)?);
        Ok(Self {
            id: row.get(0)?,
            organisation: row.get(1)?,
            address: row.parse(2, "an address")?,
            short_name: row.get(3)?,
            author_name: row.get(4)?,
            provider: row.get(5)?,
            user_name: row.get(6)?,
            opens: row.get::<Option<String>>(26)?.map(|_| row.parse(26, "an address")).transpose()?,
            further_addresses: Vec::new(),
            endpoints: Endpoints::read(row, 7)?,
            serves,
            overrides: Overrides {
                never_falls_back: row.get(18)?,
                max_connections: row.get(19)?,
                max_message_bytes: row.get(20)?,
            },
            paused_at: row.get(21)?,
            clock: RunningClock { held_for, held_since: row.get(23)? },
            created_at: row.get(24)?,
            removed_at: row.get(25)?,
        })
    }
}
