//! The sandbox provider: a pretend mail provider on this computer, for trying Gatepost and for testing it.
//!
//! It is a process of its own, so that it survives what is done to Gatepost and spoils no measurement. It keeps its mailboxes
//! on disk, where they survive a kill at any moment, shows them on pages as a person would want to see them, and misbehaves
//! on request, in the ways that real providers do but not when one asks them to. Where a real provider is strict, it is
//! too: TLS before sign-in, the sender's own address, its words for a refusal.
//!
//! People meet what they would meet at Google or Microsoft: an application sends them to pages where they choose an account,
//! give its password and second step, and untick what the application shall not have; a page makes app passwords, or says why
//! there are none; another lists who has access and takes it back. The page of each mailbox switches two-step verification,
//! advanced protection and what the organisation demands or forbids, and `/applications` registers applications of one's own.
//! One, `gatepost-sandbox`, is registered from the start: it has no secret, and its answers go to any address on this computer.
//!
//! - [`mailbox`] keeps mailboxes, messages and what opens them;
//! - [`phone`] is a phone with an authenticator app on it;
//! - [`oauth`] knows applications, grants and tokens, and is their endpoint;
//! - [`fault`] knows which fault strikes when;
//! - [`smtp`] takes messages in, [`imap`] and [`pop3`] give them out; an HTTP door can stand beside them;
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
mod imap;
mod lifetime;
mod mailbox;
mod oauth;
mod pages;
mod phone;
mod pop3;
mod provider;
mod sandbox;
mod session;
mod smtp;
#[cfg(test)]
mod tests;

pub use error::SandboxError;
pub use lifetime::{DemoPresence, SandboxReady, attend, find_living};
pub use phone::give_phone;
pub use sandbox::{Lifetime, Sandbox, SandboxSettings};
