//! Letters to Gatepost's own people: invitations, resets, and word of everything that touches the safety of an account.
//!
//! Other rooms write a notice down in the transaction of what it tells of (`gatepost_journal::notify`). This room carries it
//! out: [`Notices::run`] takes what is due, asks identity for the token of its one-time link, writes the letter and hands it to
//! the outbox under the notice's own id, so that a notice becomes one letter, whatever ends in between (docs/decisions/0011).
//!
//! *Trust note.* This room sees the tokens of one-time links and writes them into letters, which the outbox seals; it keeps
//! none, and no error or log line holds one. Names and devices in a notice may be a stranger's words: they are escaped and
//! cut before they stand in a letter. It must never send a link that is over, and never lose a notice without a word in the
//! journal.

mod compose;
mod notices;
mod schedule;
mod submit;
mod texts;

pub use notices::Notices;

#[cfg(test)]
mod tests;
