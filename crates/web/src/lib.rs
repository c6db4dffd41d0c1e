//! HTTP at our own doors: the limits, the headers that keep a browser safe, and the look that all pages share.
//!
//! Rooms with pages (`sandbox`, `portal`) bring a router and a [`WebDoor`]; [`serve`] puts every request behind the same guards,
//! so that no room can forget one:
//!
//! - headers, body and the whole request have deadlines and sizes, and so has an answer that nobody reads (WP-11);
//! - a request that changes something must come from our own pages or from a program (WP-5);
//! - a [`Reach::Loopback`] door answers only to the names of this computer (DNS rebinding);
//! - nobody takes all places, and programs that watch are answered when all are taken;
//! - where it comes from is known to every handler ([`Caller`]), and only a trusted proxy can say otherwise (WP-10);
//! - every answer says what a browser may do with it (WP-6, WP-7).
//!
//! *Trust note.* Every request is hostile until a handler has parsed it. This room knows no accounts, sessions or messages,
//! and holds no secret. It logs a method and a path without its query, never a header or a body.

mod asset;
mod caller;
mod door;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod guard;
mod moment;
mod reading;
mod server;
mod source;

pub use asset::{Asset, BASE_STYLE, FAVICON, SCRIPT};
pub use caller::Caller;
pub use door::WebDoor;
pub use guard::Reach;
pub use moment::{Moment, Zone};
pub use server::{MOST_BODY_BYTES, serve};
