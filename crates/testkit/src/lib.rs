//! What Gatepost's tests stand on: time and randomness moved by hand, a fresh database per test, folders, ports, and
//! processes that end with the test that started them.
//!
//! What a test needs and does not find is a failure with the cure in its text, never a skipped test.
//!
//! *Trust note.* For tests only; no room may depend on it outside `[dev-dependencies]`. Its randomness is predictable and
//! its PostgreSQL lets everybody in.

mod clock;
mod dovecot;
mod folder;
mod port;
mod postgres;
mod process;
mod random;
mod slot;
mod store;

pub use clock::{ManualClock, world};
pub use dovecot::{Dovecot, DovecotSetup, StoredLetter};
pub use folder::{fresh_folder, wait_until};
pub use port::free_port;
pub use postgres::{PostgresServer, postgres_url};
pub use process::Process;
pub use random::SeededRandom;
pub use slot::{Slot, take_slot};
pub use store::{MASTER_KEY, TestDatabase, TestStore, postgres, prepare_all, sqlite};
