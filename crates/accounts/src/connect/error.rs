//! Why connecting a mailbox does not go on.

use gatepost_core::{Diagnosis, EmailAddress, MailAccountId};
use gatepost_store::StoreError;

use crate::error::{AccountsError, Invalid};
use crate::sending::NotUsable;

/// Every refusal of this part.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A setting cannot be taken as it was given.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The mailbox is connected already.
    #[error("the mailbox {address} is connected already: look at its account, or sign in to it again there")]
    AlreadyThere {
        /// The mailbox.
        address: EmailAddress,
        /// Its account.
        id: MailAccountId,
    },
    /// Nobody's draft, somebody else's, or over.
    #[error(
        "this was begun more than a day ago, by somebody else, or was given up: begin with the address again"
    )]
    NotFound,
    /// More than anybody works on.
    #[error(
        "fifty mailboxes that were begun are not finished yet: finish or give up one of them, or wait a day"
    )]
    TooMany,
    /// It was changed in another window.
    #[error(
        "this was changed meanwhile, perhaps in another window: look at it as it is now, and go on there"
    )]
    Changed,
    /// It is an account by now.
    #[error("this mailbox is connected already")]
    Finished(MailAccountId),
    /// The account it is about was removed.
    #[error("the mail account was removed meanwhile: connect its mailbox anew")]
    AccountGone,
    /// Somebody else signed in meanwhile.
    #[error(
        "somebody else has signed in to this mailbox meanwhile, so nothing was changed: look at the account"
    )]
    DoneAlready(MailAccountId),
    /// Somebody has edited it meanwhile, or given it to others.
    #[error(
        "somebody has changed this mail account meanwhile, so nothing was changed by you: look at it, and sign in again if that is still needed"
    )]
    AccountChanged(MailAccountId),
    /// It needs servers first.
    #[error("nobody has said yet which servers this mailbox has: enter them first")]
    NoServers,
    /// The provider was found by a look-up of names, which nobody has confirmed (OC-12).
    #[error("the servers were found by a look-up: confirm their names before a password is sent there")]
    NotConfirmed,
    /// There is no password and no sign-in yet.
    #[error("there is nothing to sign in with yet: sign in at the provider, or enter a password")]
    NoSecret,
    /// A check is under way.
    #[error("this mailbox is being checked at this moment: wait for the result")]
    Checking,
    /// It was not checked, or too long ago.
    #[error(
        "this mailbox has to be checked first, because the last check is older than ten minutes or did not succeed"
    )]
    NotChecked,
    /// No application is registered.
    #[error(
        "no application is registered at {0} yet: an administrator does that once, under Mail accounts, Applications"
    )]
    NoApplication(String),
    /// The provider has no page to sign in at, or needs a tenant.
    #[error(
        "there is no page to sign in at for this mailbox: use a password, or complete the provider's settings"
    )]
    NoSignInPage,
    /// The sign-in is over, was used, or belongs to something else by now.
    #[error(
        "this sign-in is over: it was used already, took longer than ten minutes, or something was changed meanwhile. Begin it again"
    )]
    FlowOver,
    /// What was pasted is no answer of a sign-in page.
    #[error("{0}")]
    Pasted(gatepost_providers::CallbackFault),
    /// The answer is none of this sign-in's service; nothing was spent.
    #[error("{}", .0.cause)]
    WrongAnswer(Box<Diagnosis>),
}

impl From<AccountsError> for ConnectError {
    fn from(why: AccountsError) -> Self {
        match why {
            AccountsError::Store(failure) => Self::Store(failure),
            AccountsError::Invalid(invalid) => Self::Invalid(invalid),
            AccountsError::AlreadyThere(_) => Self::Changed,
            AccountsError::NotFound(_) => Self::AccountGone,
        }
    }
}

impl From<NotUsable> for ConnectError {
    fn from(why: NotUsable) -> Self {
        match why {
            NotUsable::Store(failure) => Self::Store(failure),
            NotUsable::Removed => Self::AccountGone,
            _ => Self::NoSecret,
        }
    }
}
