//! The outbox: a durable queue of letters, and the sender that hands them to the providers.
//!
//! A letter is accepted with body, envelope and recipients in one transaction ([`Outbox::accept`]). Its recipients then move
//! by themselves through the states of [`state`]: claimed (recorded before anything is dialled), sent by a connection of
//! their account, and concluded with the provider's own words. What was in hand of a process that ended is marked uncertain
//! and tried again. docs/decisions/0002 has every move.
//!
//! *Trust note.* This room reads letters' texts to send them and is handed credentials to sign in with; it keeps neither. It
//! must never say "accepted" before the disk has the letter, never try a letter without having written down that it does,
//! and never give one up without telling its sender.

mod accept;
mod claim;
mod command;
mod conclude;
mod erase;
mod error;
mod outbox;
mod release;
mod schedule;
mod settle;
mod sql;

mod send;
pub mod state;
mod submission;
#[cfg(test)]
mod tests;
mod view;
pub mod work;

pub use command::Command;
pub use error::OutboxError;
pub use outbox::Outbox;
pub use release::Orphan;
pub use schedule::retry_delay;
pub use submission::{Choice, ChosenAccount, Envelope, NewSubmission, Origin, Recipient};
pub use view::{AttemptView, Filter, Letters, RecipientView, SubmissionView};

/// This room's tables.
pub const MIGRATIONS: gatepost_store::RoomMigrations =
    gatepost_store::migrations!("delivery", ["0001_outbox", "0002_lists", "0003_held"]);
