//! The store: SQLite and PostgreSQL behind one door, keys at rest, leases, message bodies.
//!
//! A room hands the door a closure; it runs in one transaction on a thread that owns a connection, and the answer comes only
//! after the commit is on the disk ([`Store::write`], docs/decisions/0003). Beside the door live the table of wrapped keys
//! ([`Keyring`]), the bodies of messages ([`Bodies`]), and the leases that say which node may act for an account ([`Lease`]).
//!
//! *Trust note.* This room talks to the database and the folder of bodies, and is the only one that knows a database
//! driver. It sees sealed bytes and wrapped keys; plain bodies pass through it in chunks of 64 KiB. It must never write
//! an unsealed body or key, never say "done" before the disk has it, and never go on after a failed sync.

mod body;
mod door;
mod engine;
mod error;
mod job;
mod key;
mod lease;
mod migrate;
mod node;
pub mod sql;
mod statement;
mod transaction;
mod value;
mod worker;

pub use body::{Bodies, BodyFile, BodyReader, BodyWriter, FinishedBody, LARGEST_ROW_BODY, delete_body};
pub use door::{Database, Store, Threads};
pub use error::StoreError;
pub use key::{Keyring, Purpose};
pub use lease::Lease;
pub use migrate::{Migration, RoomMigrations};
pub use node::Node;
pub use statement::{Lock, Statement};
pub use transaction::Transaction;
pub use value::{FromValue, Row, Value};

/// This room's tables; first in the list that the binary hands to [`Store::open`].
pub const MIGRATIONS: RoomMigrations = migrations!("store", ["0001_store"]);
