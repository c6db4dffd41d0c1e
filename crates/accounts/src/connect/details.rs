//! What people say about a mailbox that is being connected.

use gatepost_core::{EmailAddress, TlsMode};
use gatepost_providers::{How, Method, Providers, Recognised, Server, Uses};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::account::{MailAccount, Overrides, Serves, Settings};
use crate::endpoint::{Endpoint, Endpoints};
use crate::error::Invalid;

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// The mailbox's address.
    pub address: EmailAddress,
    /// A preset's word.
    pub provider: String,
    /// The mail exchanger by which the provider was recognised, until somebody has confirmed the servers (OC-12).
    pub found_at: Option<String>,
    /// How it is connected, once that is chosen.
    pub method: Option<Method>,
    /// What it signs in as.
    pub user_name: String,
    /// The mailbox it opens, where that is another (C11).
    pub opens: Option<EmailAddress>,
    /// Its servers, once they are known.
    pub endpoints: Option<Endpoints>,
    /// What people call it.
    pub short_name: String,
    /// The display name of its letters' author.
    pub author_name: String,
    /// A further address that its letters may come from.
    pub author_address: Option<EmailAddress>,
    /// Whom it serves.
    pub serves: Serves,
    /// It becomes the default of whom it serves, also where there is one.
    pub is_default: bool,
    /// Issuer and subject of who may sign in under another address, because somebody has said that it is the same mailbox.
    pub same_as: Option<(String, String)>,
}

impl Details {
    /// What is prefilled for an address.
    #[must_use]
    pub fn of(address: &EmailAddress, it: &Recognised<'_>, serves: Serves) -> Self {
        let found_at = match &it.how {
            How::MailExchanger(host) => Some(host.clone()),
            How::Domain | How::Named | How::NotKnown | How::NoAnswer => None,
        };
        let endpoint = |it: &Server| Endpoint { host: it.host.clone(), port: it.port, tls: it.tls };
        // Guesses are shown, not taken.
        let is_known = matches!(it.how, How::Domain | How::MailExchanger(_) | How::Named);
        let endpoints = it.servers.smtp.as_ref().filter(|_| is_known).map(|smtp| Endpoints {
            smtp: endpoint(smtp),
            imap: it.servers.imap.as_ref().map(endpoint),
            pop3: it.servers.pop3.as_ref().map(endpoint),
        });
        let user_name = it.preset.user_names.smtp.suggestion(address).unwrap_or_else(|| address.to_string());
        Self {
            address: address.clone(),
            provider: it.preset.word.clone(),
            found_at,
            method: None,
            user_name,
            opens: None,
            endpoints,
            short_name: short_name(address),
            author_name: String::new(),
            author_address: None,
            serves,
            is_default: false,
            same_as: None,
        }
    }

    /// What an account says of itself.
    pub(crate) fn of_account(it: &MailAccount, method: Option<Method>) -> Self {
        Self {
            address: it.address.clone(),
            provider: it.provider.clone(),
            found_at: None,
            method,
            user_name: it.user_name.clone(),
            opens: it.opens.clone(),
            endpoints: Some(it.endpoints.clone()),
            short_name: it.short_name.clone(),
            author_name: it.author_name.clone(),
            author_address: None,
            serves: it.serves,
            is_default: false,
            same_as: None,
        }
    }

    /// What is proven depends on these alone.
    pub(crate) fn proves_the_same(&self, other: &Self) -> bool {
        self.address.is_same_mailbox(&other.address)
            && self.provider == other.provider
            && self.method == other.method
            && self.user_name == other.user_name
            && self.opens == other.opens
            && self.endpoints == other.endpoints
    }

    /// Whether these are of the same account in all that signing in to it again writes back or gives a right to. People may call
    /// it something else meanwhile.
    pub(crate) fn is_same_account(&self, other: &Self) -> bool {
        self.serves == other.serves && self.proves_the_same(other)
    }

    /// The same with texts trimmed and servers in their one spelling, or what is wrong with it.
    pub(crate) fn checked(self, providers: &Providers) -> Result<Self, Invalid> {
        let provider = self.provider.trim().to_owned();
        if providers.find(&provider).is_none() {
            let known: Vec<&str> = providers.iter().map(|it| it.word.as_str()).collect();
            return Err(Invalid::Provider(provider, known.join(", ")));
        }
        let settings = self.settings().checked(&self.address)?;
        Ok(Self {
            provider,
            short_name: settings.short_name,
            author_name: settings.author_name,
            user_name: settings.user_name,
            opens: settings.opens,
            author_address: settings.further_addresses.into_iter().next(),
            endpoints: self.endpoints.map(Endpoints::checked).transpose()?,
            ..self
        })
    }

    /// As an account will have them.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            short_name: self.short_name.clone(),
            author_name: self.author_name.clone(),
            user_name: self.user_name.clone(),
            opens: self.opens.clone(),
            further_addresses: self.author_address.clone().into_iter().collect(),
            serves: self.serves,
            overrides: Overrides::default(),
        }
    }

    /// The protocols it has.
    #[must_use]
    pub fn uses(&self) -> Uses {
        let it = self.endpoints.as_ref();
        Uses {
            smtp: true,
            imap: it.is_some_and(|it| it.imap.is_some()),
            pop3: it.is_some_and(|it| it.pop3.is_some()),
        }
    }

    /// Whose sign-in is expected.
    #[must_use]
    pub fn expected(&self) -> EmailAddress {
        self.user_name.parse().unwrap_or_else(|_| self.address.clone())
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(&Stored::from(self)).expect("texts and numbers can always be written as JSON")
    }

    /// `None` if no version of this program has written it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str::<Stored>(text).ok()?.into_details()
    }
}

/// "Reception" of reception@example.org.
fn short_name(address: &EmailAddress) -> String {
    let local = address.local_part();
    let mut chars = local.chars();
    let first = chars.next().map(|it| it.to_uppercase().collect::<String>()).unwrap_or_default();
    let name: String = first.chars().chain(chars).take(60).collect();
    if name.trim().is_empty() { "Mailbox".to_owned() } else { name }
}

/// As the column has it.
#[derive(Serialize, Deserialize)]
struct Stored {
    address: String,
    provider: String,
    found_at: Option<String>,
    method: Option<Method>,
    user_name: String,
    opens: Option<String>,
    servers: Option<[Option<StoredServer>; 3]>,
    short_name: String,
    author_name: String,
    author_address: Option<String>,
    person: Option<Uuid>,
    location: Option<Uuid>,
    is_default: bool,
    same_as: Option<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredServer {
    host: String,
    port: u16,
    tls: String,
}

impl From<&Endpoint> for StoredServer {
    fn from(it: &Endpoint) -> Self {
        Self { host: it.host.clone(), port: it.port, tls: it.tls.word().to_owned() }
    }
}

impl StoredServer {
    fn endpoint(self) -> Option<Endpoint> {
        Some(Endpoint { host: self.host, port: self.port, tls: self.tls.parse::<TlsMode>().ok()? })
    }
}

impl From<&Details> for Stored {
    fn from(it: &Details) -> Self {
        let server = |it: Option<&Endpoint>| it.map(StoredServer::from);
        let (person, location) = it.serves.columns();
        Self {
            address: it.address.to_string(),
            provider: it.provider.clone(),
            found_at: it.found_at.clone(),
            method: it.method,
            user_name: it.user_name.clone(),
            opens: it.opens.as_ref().map(ToString::to_string),
            servers: it
                .endpoints
                .as_ref()
                .map(|it| [server(Some(&it.smtp)), server(it.imap.as_ref()), server(it.pop3.as_ref())]),
            short_name: it.short_name.clone(),
            author_name: it.author_name.clone(),
            author_address: it.author_address.as_ref().map(ToString::to_string),
            person: person.map(gatepost_core::PersonId::uuid),
            location: location.map(gatepost_core::LocationId::uuid),
            is_default: it.is_default,
            same_as: it.same_as.clone(),
        }
    }
}

impl Stored {
    fn into_details(self) -> Option<Details> {
        let server = |it: Option<StoredServer>| match it {
            Some(it) => it.endpoint().map(Some),
            None => Some(None),
        };
        let endpoints = match self.servers {
            Some([smtp, imap, pop3]) => {
                Some(Endpoints { smtp: smtp?.endpoint()?, imap: server(imap)?, pop3: server(pop3)? })
            }
            None => None,
        };
        let address = |it: Option<String>| it.map(|it| it.parse::<EmailAddress>().ok());
        let serves = match (self.person, self.location) {
            (Some(person), _) => Serves::Person(gatepost_core::PersonId::from_uuid(person)),
            (None, Some(location)) => Serves::Location(gatepost_core::LocationId::from_uuid(location)),
            (None, None) => Serves::Organisation,
        };
        Some(Details {
            address: self.address.parse().ok()?,
            provider: self.provider,
            found_at: self.found_at,
            method: self.method,
            user_name: self.user_name,
            opens: address(self.opens).flatten(),
            endpoints,
            short_name: self.short_name,
            author_name: self.author_name,
            author_address: address(self.author_address).flatten(),
            serves,
            is_default: self.is_default,
            same_as: self.same_as,
        })
    }
}
