//! Which mailbox a login reads, and what it lacks to be read.

use gatepost_core::OrganisationId;
use gatepost_store::StoreError;

use super::Accounts;
use crate::account::{MailAccount, Serves};
use crate::choose::Target;
use crate::memory::Organisation;
use crate::record::Record;
use crate::sending::ReadingProtocol;

/// Why a login reads no mailbox, and what to do, in words for one line of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMailbox {
    /// That of the account's login.
    #[error(
        "the mailbox of this login was removed from Gatepost: connect it again there, and make a new app password for it"
    )]
    Removed,
    /// A person has none.
    #[error(
        "no mailbox of their own is connected in Gatepost for this person: connect it there under Mail accounts, or ask an administrator to make one their default on its page"
    )]
    OfPerson,
    /// A location has none.
    #[error(
        "no mailbox is the default of this location in Gatepost: an administrator chooses one on its page there, under Mail accounts"
    )]
    OfLocation,
    /// It stands for nobody.
    #[error("this login has no mailbox in Gatepost: make an app password for a mail account there")]
    OfNobody,
}

/// Why an account has no server of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoServer {
    /// Its provider has none.
    NotOffered,
    /// Nobody has entered it.
    NotEntered,
}

impl Accounts {
    /// The mailbox that a login reads, as far as there is one.
    pub async fn mailbox_of(
        &self,
        organisation: OrganisationId,
        target: Target,
    ) -> Result<Result<MailAccount, NoMailbox>, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        Ok(chosen(&all, target).map(|it| it.account.clone()))
    }

    /// Why an account cannot be read by a protocol, whatever its server would say; none if it has one.
    #[must_use]
    pub fn no_server(&self, account: &MailAccount, protocol: ReadingProtocol) -> Option<NoServer> {
        let endpoint = |imap, pop3| match protocol {
            ReadingProtocol::Imap => imap,
            ReadingProtocol::Pop3 => pop3,
        };
        let endpoints = &account.endpoints;
        if endpoint(endpoints.imap.is_some(), endpoints.pop3.is_some()) {
            return None;
        }
        // One whose servers are not known has whatever somebody enters.
        let preset = self.providers.find(&account.provider).filter(|it| !it.smtp.is_empty());
        let is_offered = preset.is_none_or(|it| !endpoint(it.imap.is_empty(), it.pop3.is_empty()));
        Some(if is_offered { NoServer::NotEntered } else { NoServer::NotOffered })
    }
}

/// The account whose mailbox a login reads: an account's that one, a person's their own, a location's its default. Nobody reads the
/// organisation's mailbox because theirs is missing, and none stands in for one that was removed.
pub(super) fn chosen(all: &Organisation, target: Target) -> Result<&Record, NoMailbox> {
    let default = |serves| all.defaults.get(&serves).copied();
    let (id, missing) = match target {
        Target::Account(id) => (Some(id), NoMailbox::Removed),
        Target::Person { id, .. } => (default(Serves::Person(id)), NoMailbox::OfPerson),
        Target::Location(id) => (default(Serves::Location(id)), NoMailbox::OfLocation),
        Target::Organisation => (None, NoMailbox::OfNobody),
    };
    id.and_then(|id| all.live(id)).ok_or(missing)
}
