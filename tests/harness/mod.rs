//! What tests of the built program stand on: commands, a running demo or server, and what the sandbox's mailboxes hold.
#![allow(dead_code, unused_imports, reason = "each test program uses its part")]

mod application;
mod browser;
mod certificates;
pub(crate) mod connecting;
mod dialogue;
mod gate;
mod installation;
mod line_client;
mod load;
mod mailbox_host;
mod odd_peer;
mod oidc;
pub(crate) mod pages;
pub(crate) mod portal;
mod provider;
mod reading_house;
mod run;
mod running;
mod sandbox;
mod search;
mod sign_in_house;
mod smtp;
mod token_door;

pub(crate) use application::{Door, Letter, application, python};
pub(crate) use browser::{Browser, BrowserOptions, Key, LOOKS, Look, Size, Theme};
pub(crate) use dialogue::Dialogue;
pub(crate) use gate::Gate;
pub(crate) use installation::{AppPassword, Installation};
pub(crate) use line_client::LineClient;
pub(crate) use load::{Comparison, Load};
pub(crate) use mailbox_host::MailboxHost;
pub(crate) use odd_peer::{Begins, Meeting, Step, meet};
pub(crate) use oidc::{CLIENT_ID, CLIENT_SECRET, OidcProvider};
pub(crate) use provider::Provider;
pub(crate) use reading_house::{DOORS, OTHER_READER, READER, READERS_PASSWORD, ReadingDoor, ReadingHouse};
pub(crate) use run::{Outcome, command_of, gatepost, gatepost_command, output_of, with_input};
pub(crate) use running::{Running, demo, demo_beside, sandbox, serve, serve_by, serve_under};
pub(crate) use sandbox::Mailboxes;
pub(crate) use search::{Canary, Search, percent};
pub(crate) use sign_in_house::{Servers, SignInHouse, Visitor, link_of};
pub(crate) use smtp::{Reply, Smtp, trusting};
pub(crate) use token_door::{Hold, TokenDoor};
