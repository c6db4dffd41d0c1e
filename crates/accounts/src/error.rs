//! What can go wrong with mail accounts.

use gatepost_core::{Diagnosis, EmailAddress, MailAccountId};
use gatepost_net::HostError;
use gatepost_store::StoreError;

/// Every failure of this room.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A setting cannot be taken as it was given.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The mailbox is connected already.
    #[error("there is already a mail account for {0} in this organisation: use it, or remove it first")]
    AlreadyThere(EmailAddress),
    /// No such account in this organisation, or it was removed.
    #[error("there is no mail account {0} in this organisation: it was removed, or belongs to another one")]
    NotFound(MailAccountId),
}

/// Why an application is not registered. Nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum NotRegistered {
    /// For no reason of the service's.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// This process was started without the way to OAuth services.
    #[error("sign-in services cannot be asked here: start Gatepost again")]
    NoWayToServices,
    /// The service does not take it, or could not be asked.
    #[error("{} Cure: {} Who can do this: {}", .diagnosis.cause, .diagnosis.cure, .diagnosis.who)]
    Refused {
        /// What it means.
        diagnosis: Box<Diagnosis>,
        /// The service's own words, without secrets.
        words: String,
    },
}

impl From<StoreError> for NotRegistered {
    fn from(error: StoreError) -> Self {
        Self::Accounts(error.into())
    }
}

impl From<Invalid> for NotRegistered {
    fn from(invalid: Invalid) -> Self {
        Self::Accounts(invalid.into())
    }
}

/// Why a setting is refused, with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Empty, too long, or with control characters.
    #[error("a short name has 1 to 60 characters on one line, such as Reception")]
    ShortName,
    /// Too long, or with control characters.
    #[error("an author name has at most 200 characters on one line, such as Dr Ana Example")]
    AuthorName,
    /// Empty, too long, or with control characters.
    #[error("a user name has 1 to 320 characters on one line: mostly it is the e-mail address")]
    UserName,
    /// Empty, too long, or with control characters. The text itself is not repeated.
    #[error("a password has 1 to 4096 characters on one line: copy it again from the provider")]
    Secret,
    /// Not the name of a server.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Port 0.
    #[error("a port is a number from 1 to 65535: mostly 587 with starttls, or 465 with implicit")]
    Port,
    /// No such preset.
    #[error("there is no provider {0:?}: known are {1}")]
    Provider(String, String),
    /// Not the id of an application.
    #[error("a client id is one word of letters, digits and signs: copy it from the provider's page again")]
    ClientId,
    /// Not its secret. The text itself is not repeated.
    #[error(
        "a client secret is one word of letters, digits and signs: copy its value, not its id, from the provider's page"
    )]
    ClientSecret,
    /// Only whoever has the secret may have it sent for another id, or to another tenant.
    #[error("the client secret belongs to the client id and the tenant from before: enter it again")]
    SecretAgain,
    /// No such OAuth service.
    #[error("there is no sign-in service {0:?}: known are {1}")]
    Service(String, String),
    /// Not a tenant.
    #[error(
        "a tenant is an id such as 00000000-0000-0000-0000-000000000000, or a domain such as example.org"
    )]
    Tenant,
    /// More further addresses than anybody has.
    #[error("letters of an account may come from at most 50 addresses besides its own: leave some out")]
    TooManyAddresses,
    /// A figure of 0 would stop the account for good.
    #[error("a limit of 0 would stop the account for good: leave it empty, or pause the account")]
    ZeroLimit,
}
