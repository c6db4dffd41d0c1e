//! Web pages for people. They are made on the server and work without JavaScript.
//!
//! So far there is one, the read-only status page of the demo: whether each mail account is connected and, if not, what is
//! wrong, what to do and who can do it; and what became of each letter. It shows what a [`StatusSource`] tells.
//!
//! - [`view`](AccountView) holds what pages show, in the words of the product;
//! - `page` turns it into HTML: one layout, each component once, all texts in one place;
//! - [`Portal`] is the door.
//!
//! *Trust note.* The status page has no sign-in, so its door opens on loopback only (OP-14) and changes nothing. Addresses,
//! names and the provider's words are hostile: they are shown as text, with what cannot be seen escaped. It must never hold a
//! secret or the text of a letter.

mod error;
mod page;
mod portal;
mod view;

pub use error::PortalError;
pub use portal::{Portal, StatusSource, StatusUnavailable};
pub use view::{
    AccountState, AccountView, AttemptResult, AttemptView, DeliveryState, RecipientView, SubmissionView,
};
