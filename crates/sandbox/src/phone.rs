//! A pretend phone with an authenticator app on it.
//!
//! `phone.json` in the sandbox's folder keeps its accounts, as the addresses that were in their QR codes. They are pretend
//! secrets, so they are not sealed, and whoever reaches the pages sees the codes: no account of real worth belongs here.

mod account;
mod accounts;
mod client;

pub(crate) use account::{Account, AccountError, Code};
pub(crate) use accounts::{Name, Phone};
pub use client::give_phone;

#[cfg(test)]
mod tests;
