//! Mailboxes on disk.
//!
//! ```text
//! mailboxes/
//!   0192f0c1a2b34c5d/          one folder a mailbox, with a generated name
//!     mailbox.json             its address and what opens it
//!     imap.json                unique ids and flags, once somebody has looked by IMAP
//!     0019a3d4e5f60718.eml     one file a message, named by its number
//! incoming/                    messages that have not been accepted yet
//! ```
//!
//! A name on disk never comes from a peer: an address is found by reading `mailbox.json`. A message is written and synced
//! in `incoming/` and then linked into each mailbox, so that after a kill at any moment a mailbox holds it whole or not at
//! all.

mod credentials;
mod incoming;
mod index;
mod list;
mod security;
mod summary;

pub(crate) use credentials::{CredentialChange, Credentials, SignInAs, Verdict, secret_json};
pub(crate) use incoming::Incoming;
pub(crate) use index::{Numbered, NumberedLetter};
pub(crate) use list::{MailboxOverview, Mailboxes, read_start};
pub(crate) use security::{
    AppPassword, NoAppPasswords, SecondStep, Security, new_authenticator, phone_account,
};
pub(crate) use summary::{MessageId, MessageSummary, SHOWN_AT_MOST};

#[cfg(test)]
mod tests;
