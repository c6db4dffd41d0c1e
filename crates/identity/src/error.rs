//! What can go wrong here, split where callers act differently.

use gatepost_core::{AppPasswordId, LoginId};
use gatepost_store::StoreError;

/// Every failure of this room but a refused sign-in. The texts are shown to the person who gave the command.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name that nobody could find again in a list.
    #[error("the name {0}")]
    BadName(NameProblem),
    /// An organisation of that name is there already.
    #[error("there is already an organisation named {0:?}. Choose another name")]
    OrganisationExists(String),
    /// No organisation of that name.
    #[error("there is no organisation named {asked:?}. There are: {}", .known.join(", "))]
    NoSuchOrganisation {
        /// What was asked for.
        asked: String,
        /// All there are.
        known: Vec<String>,
    },
    /// Several organisations, and none was named.
    #[error("there are several organisations ({}). Say which one with --organisation NAME", .0.join(", "))]
    WhichOrganisation(Vec<String>),
    /// No organisation at all.
    #[error("there is no organisation yet. Run gatepost init first")]
    NoOrganisation,
    /// A location of that name is there already.
    #[error("this organisation already has a location named {0:?}. Choose another name")]
    LocationExists(String),
    /// A person with that address is there already, possibly in another organisation.
    #[error("there is already a person with the address {0}")]
    PersonExists(String),
    /// The login is not there, or belongs to another organisation.
    #[error("login {0} is not in this organisation")]
    NoSuchLogin(LoginId),
    /// The app password is not there, or belongs to another organisation.
    #[error("there is no app password {0} in this organisation. See them with: gatepost app-password list")]
    NoSuchAppPassword(AppPasswordId),
    /// All places are taken (AP-6).
    #[error(
        "{user_name} already has {n} app passwords, the most that one login may have. Remove one that is no longer used"
    )]
    TooManyAppPasswords {
        /// The login's user name.
        user_name: String,
        /// How many it may have.
        n: u32,
    },
    /// It was made already, with the same id.
    #[error("app password {0} is there already")]
    AppPasswordExists(AppPasswordId),
    /// It has a successor, which has limits of its own by now.
    #[error("app password {0} was replaced already. Replace or remove its successor")]
    AppPasswordReplaced(AppPasswordId),
    /// The organisation would have nobody who can look after it.
    #[error(
        "{0} is the last administrator who can sign in. Let another administrator choose a password and turn two-step verification on first"
    )]
    LastAdministrator(String),
    /// For an administrator that would be turning it off.
    #[error(
        "{0} cannot reset their own two-step verification. Set up another authenticator app on the security page"
    )]
    OwnTwoStep(String),
    /// They could do nothing with it.
    #[error("{0} is disabled. Enable this person first")]
    PersonDisabled(String),
    /// There is nothing to invite them to.
    #[error("{0} has a password already. Make a link for a new one instead")]
    HasPassword(String),
    /// It was made already, with the same id.
    #[error("this link is there already")]
    LinkExists,
    /// The location is not there, or belongs to another organisation.
    #[error(
        "there is no such location in this organisation. See its locations in the portal, or add it there"
    )]
    NoSuchLocation,
    /// The person is not there, or belongs to another organisation.
    #[error("there is no such person in this organisation. See them with: gatepost person list")]
    NoSuchPerson,
    /// It would open nothing.
    #[error("an app password must be allowed at least one of smtp, imap, pop3, api")]
    NothingAllowed,
    /// It would end before it begins.
    #[error("the app password would expire at {0}, which is already past. Choose a later time")]
    ExpiresInThePast(gatepost_core::Timestamp),
    /// No free user name was found; only somebody who makes them on purpose gets here.
    #[error("no free user name like {0} was found. Remove logins that are not used")]
    NoFreeUserName(String),
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// Nothing, or only spaces.
    #[error("is empty. Give it a name that you will know again")]
    Empty,
    /// More than 100 characters.
    #[error("is longer than 100 characters. Choose a shorter one")]
    TooLong,
    /// Line ends, tabs and what shows nothing.
    #[error("holds characters that cannot be shown. Use letters, digits, spaces and signs")]
    Unprintable,
}
