//! A fresh store per test, on either engine.

use std::sync::Arc;

use gatepost_core::{OrganisationId, SecretText, World};
use gatepost_store::{Bodies, Database, Keyring, RoomMigrations, Store, Threads};
use gatepost_vault::{Key, MasterKey};
use tempfile::TempDir;

use crate::{ManualClock, fresh_folder, postgres_url, world};

/// A new, empty store with its keys and bodies, in a world moved by hand.
pub struct TestStore {
    /// The door.
    pub store: Store,
    /// The keys; the master key is [`MASTER_KEY`].
    pub keyring: Keyring,
    /// The bodies.
    pub bodies: Bodies,
    /// Time and randomness.
    pub world: World,
    /// Moves the time.
    pub clock: Arc<ManualClock>,
    /// An organisation's id that no row mentions yet.
    pub organisation: OrganisationId,
    /// Where files are; removed with this value.
    pub folder: TempDir,
    /// The address or file, for opening it again.
    pub database: TestDatabase,
    /// The store's threads, for tests that close it.
    pub threads: Threads,
}

/// Which database a [`TestStore`] uses.
#[derive(Clone)]
pub enum TestDatabase {
    /// `gatepost.sqlite` in the test's folder.
    Sqlite(std::path::PathBuf),
    /// A database of the shared server.
    Postgres(String),
}

impl TestDatabase {
    /// As [`Store::open`] takes it.
    #[must_use]
    pub fn to_database(&self) -> Database {
        match self {
            Self::Sqlite(file) => Database::Sqlite { file: file.clone() },
            Self::Postgres(url) => Database::Postgres { url: SecretText::new(url.clone()), connections: 4 },
        }
    }
}

/// The bytes of every test's master key.
pub const MASTER_KEY: [u8; 32] = [7; 32];

/// A fresh SQLite store with these rooms' tables.
pub async fn sqlite(rooms: &'static [RoomMigrations]) -> TestStore {
    let folder = fresh_folder();
    let database = TestDatabase::Sqlite(folder.path().join("gatepost.sqlite"));
    open(database, folder, rooms).await
}

/// A fresh PostgreSQL store with these rooms' tables.
pub async fn postgres(rooms: &'static [RoomMigrations]) -> TestStore {
    open(TestDatabase::Postgres(postgres_url().await), fresh_folder(), rooms).await
}

async fn open(database: TestDatabase, folder: TempDir, rooms: &'static [RoomMigrations]) -> TestStore {
    let (world, clock) = world();
    let (store, threads) =
        Store::open(database.to_database(), world.clone(), rooms).await.expect("a fresh database opens");
    let master = MasterKey::new(Key::from_bytes(&MASTER_KEY));
    let keyring = Keyring::open(&store, master).await.expect("a fresh database takes any master key");
    let bodies =
        Bodies::open(&store, &keyring, folder.path().join("bodies")).await.expect("the folder is ours");
    let organisation = OrganisationId::new(&world);
    TestStore { store, keyring, bodies, world, clock, organisation, folder, database, threads }
}

/// Runs each of a room's contract tests on both engines, each in a fresh database with the room's tables:
/// `on_both_engines!(MIGRATIONS; name, name)`, where `async fn name(it: TestStore)` is the test.
#[macro_export]
macro_rules! on_both_engines {
    ($rooms:ident; $($name:ident),+ $(,)?) => {
        mod sqlite { $(#[tokio::test] async fn $name() { super::$name($crate::sqlite(super::$rooms).await).await })+ }
        mod postgres { $(#[tokio::test] async fn $name() { super::$name($crate::postgres(super::$rooms).await).await })+ }
    };
}

/// Asserts that both engines take every statement of a room.
pub async fn prepare_all(statements: &'static [gatepost_store::Statement], rooms: &'static [RoomMigrations]) {
    for it in [sqlite(rooms).await, postgres(rooms).await] {
        let prepared =
            it.store.read(move |tx| statements.iter().try_for_each(|statement| tx.prepare(statement)));
        prepared.await.expect("every statement is understood");
    }
}
