//! Web pages for people. They are made on the server and work without JavaScript.
//!
//! - [`routes()`] is the one table of all addresses; the router is built from it and from nothing else;
//! - `frame` is what all pages stand on: the gate that every row passes, sessions, forms, texts, the answers to trouble;
//! - `page` holds the pages, a file or folder for each subject, with templates under `templates/` and every word in `texts/en.toml`;
//! - [`Portal`] is the door.
//!
//! *Trust note.* Whatever a browser sends is hostile until the gate and a handler have read it. Only the gate decides who may have
//! a page (docs/decisions/0010); handlers ask the rooms with the organisation of the session, never with one from a request.
//! Addresses, names and providers' words are shown as text, with what cannot be seen escaped. A page must never hold a secret but
//! for what is shown once to the session that made it, and never the text of a letter.

mod error;
mod frame;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod page;
mod portal;
mod routes;
mod settings;

pub use error::PortalError;
pub use frame::{Access, Kind, RouteRow};
pub use portal::Portal;
pub use routes::routes;
pub use settings::{MailDoors, PhoneAway, PortalSettings, Ports, PretendPhone, Rooms};

#[cfg(test)]
mod tests;
