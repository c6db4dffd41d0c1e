//! The submission server over real sockets and TLS, with a real store and real app passwords. Only the choice of the account
//! is pretended, so that tests see when it is asked for.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod client;
mod house;

mod chunks;
mod conduct;
mod dialogue;
mod endings;
mod header;
mod limits;
mod log;
mod pipelining;
mod report;
mod sign_in;
mod smuggling;
mod starttls;
mod storage;
