//! The sandbox provider: a pretend mail provider on this computer, for trying Gatepost and for testing it.
//!
//! It is a process of its own, so that it survives what is done to Gatepost and spoils no measurement. It keeps its mailboxes
//! on disk, where they survive a kill at any moment, shows them on pages as a person would want to see them, and misbehaves
//! on request, in the ways that real providers do but not when one asks them to. Where a real provider is strict, it is
//! too: TLS before sign-in, the sender's own address, its words for a refusal.
//!
//! - [`mailbox`] keeps mailboxes, messages and what opens them;
//! - [`phone`] is a phone with an authenticator app on it;
//! - [`fault`] knows which fault strikes when;
//! - [`smtp`] takes messages in; IMAP, POP3 and HTTP doors can stand beside it;
//! - [`pages`] is for people, [`api`] for tests;
//! - [`Sandbox`] ties them together and lives as long as somebody needs it.
//!
//! *Trust note.* It listens on loopback only (OP-14) and is a toy: its passwords and its phone's secrets lie in its folder unsealed,
//! and anyone who reaches its pages can set passwords and faults and read the phone's codes. What arrives is hostile all the same: addresses never become file
//! names, messages are shown as text and nothing else. It must never hold a real credential or reach another computer.

mod api;
mod authority;
mod durable;
mod error;
mod fault;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod lifetime;
mod mailbox;
mod pages;
mod phone;
mod provider;
mod sandbox;
mod smtp;
#[cfg(test)]
mod tests;

pub use error::SandboxError;
pub use lifetime::{DemoPresence, SandboxReady, attend, find_living};
pub use phone::give_phone;
pub use sandbox::{Lifetime, Sandbox, SandboxSettings};
