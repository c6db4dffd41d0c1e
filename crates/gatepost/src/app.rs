//! All rooms over one database, opened in the order in which they depend on each other.

mod error;
mod open;
mod reach;

use std::sync::{Arc, OnceLock};

use gatepost_accounts::{Accounts, Reach};
use gatepost_core::World;
use gatepost_delivery::Outbox;
use gatepost_identity::Identity;
use gatepost_notices::Notices;
use gatepost_store::{Bodies, Keyring, RoomMigrations, Store, Threads};

use crate::config::Settings;
use crate::data_dir::DataDir;

pub use error::StartError;
pub use reach::ReachError;
pub(crate) use reach::{PORTAL_IS_OFF, machine_name, own_name, public_host};

/// The tables of every room, from the bottom up.
pub const ROOMS: &[RoomMigrations] = &[
    gatepost_store::MIGRATIONS,
    gatepost_journal::MIGRATIONS,
    gatepost_identity::MIGRATIONS,
    gatepost_accounts::MIGRATIONS,
    gatepost_delivery::MIGRATIONS,
];

/// The rooms, wired. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// What `gatepost.toml` says.
    pub settings: Arc<Settings>,
    /// Time and randomness.
    pub world: World,
    /// The database.
    pub store: Store,
    /// The keys.
    pub keyring: Keyring,
    /// The texts of letters.
    pub bodies: Bodies,
    /// Organisations, people, logins and app passwords.
    pub identity: Identity,
    /// Mail accounts and how they fare.
    pub accounts: Accounts,
    /// The letters.
    pub outbox: Outbox,
    /// The way to providers.
    pub reach: Reach,
    /// What links to the portal begin with, once its door is open.
    pub(crate) portal_door: Arc<OnceLock<String>>,
    /// Sends letters to our own people, while a server runs.
    pub(crate) notices: Arc<OnceLock<Notices>>,
}

/// What ends after the last clone of an [`App`] is gone: the database, then the hold on the data folder.
pub struct Closing {
    threads: Threads,
    data_dir: DataDir,
}

impl Closing {
    /// The data folder, while it is ours.
    #[must_use]
    pub fn data_dir(&self) -> &DataDir {
        &self.data_dir
    }

    /// Waits until the database is closed, then lets the folder go.
    pub async fn finish(self) {
        self.threads.ended().await;
        drop(self.data_dir);
    }
}
