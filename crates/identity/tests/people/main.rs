//! What the door for people promises on both engines, each test in a fresh database.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod house;
mod link;
mod miss;
mod password;
mod second_step;
mod session;
mod sign_in;
mod take_back;

use gatepost_store::RoomMigrations;

const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, gatepost_identity::MIGRATIONS];
