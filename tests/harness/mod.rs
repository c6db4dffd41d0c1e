//! What tests of the built program stand on: commands, a running demo or server, and what the sandbox's mailboxes hold.
#![allow(dead_code, unused_imports, reason = "each test program uses its part")]

mod application;
mod run;
mod running;
mod sandbox;

pub(crate) use application::{Door, Letter, application, python};
pub(crate) use run::{Outcome, gatepost, gatepost_command, output_of, with_input};
pub(crate) use running::{Running, demo, sandbox, serve, serve_under};
pub(crate) use sandbox::Mailboxes;
