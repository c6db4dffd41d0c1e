//! Applications that read by IMAP, and a provider that has nothing to be read.

mod door;
mod fetch;
mod idle;
mod mailbox;
mod sign_ins;

pub(crate) use fetch::Fetch;
pub(crate) use idle::IdleReaders;
pub(crate) use mailbox::Mailbox;
pub(crate) use sign_ins::SignIns;
