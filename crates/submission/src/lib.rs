//! The SMTP server that applications send to (RFC 6409): from the greeting to "250 Accepted as ID".
//!
//! A connection is a chain of states, and each state has the commands that it allows and no others: `Cleartext` (until
//! STARTTLS), `Greeted` (until EHLO), `Ready` (until AUTH), `Authenticated`, and `InTransaction` from MAIL to the end of the
//! message. What a letter needs on its way in is in `letter`: its header is held, checked and completed, its body streams
//! on into the outbox. 250 is said once [`gatepost_delivery::Outbox::accept`] has returned, and not before.
//!
//! *Trust note.* Everything a client sends is hostile, before and after it has signed in. This room asks identity who is
//! there and the outbox to keep a letter; it reads headers and lets bodies through unread. Before a client has signed in it
//! must do nothing on its behalf: no look-up, no choice of an account, nothing upstream (AP-9). It must never say 250 before
//! the disk has the letter, never let two readers see two messages where one was sent, and never log a secret, an address
//! in full or a word of a letter.

mod settings;

mod choose;
mod service;

mod session;

mod command;
mod state;

mod letter;

mod free_space;
mod reply;
mod sending_rate;

pub use choose::{ChooseAccount, ChooseError};
pub use sending_rate::SendingCaps;
pub use service::{APPLICATION_PROTOCOLS, Stands, Submission};
pub use settings::{KeepFree, Settings, Spans};
