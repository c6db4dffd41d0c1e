//! IMAP and POP3 for applications: who is there is learnt at the door, and then bytes pass between the application and the
//! provider's server (docs/decisions/0016).
//!
//! A session has two lives. In the first, [`session`] talks, as [`imap`] or [`pop3`] tells it, until somebody has signed in and their mailbox
//! was opened at the provider. In the second, [`pump`] moves bytes both ways, and a follower of `wire` says which of them. Nothing is kept.
//!
//! *Trust note.* Both sides are hostile: the application may be anybody until identity has said who it is, and the provider's
//! server may say anything. Before a client has signed in nothing is done on its behalf (AP-9). A connection to a provider is signed in for
//! one app password, serves it alone, and is never handed on (MP-7). This room must never show trouble of the provider as a wrong
//! password, never hold a message, and never log a secret or a word of a letter.

mod conduct;
mod door;
mod enter;
mod gateway;
mod imap;
mod open;
mod places;
mod pop3;
mod pump;
mod session;
mod settings;

pub use door::{ImapDoor, Pop3Door};
pub use gateway::{Gateway, Stands};
pub use open::{OpenConnection, OpenConnections};
pub use settings::{Settings, Spans};
