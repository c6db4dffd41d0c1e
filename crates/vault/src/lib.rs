//! Sealing and opening with keys that are handed in; key derivation and keyed hashes.
//!
//! The hierarchy is a chain of types, so that a key cannot be used on the wrong floor:
//!
//! ```text
//! MasterKey ──wraps──▶ DataKey (one per organisation) ──seals──▶ rows
//!     │                   └──wraps──▶ DayKey (organisation and day) ──wraps──▶ one random key per body
//!     └──wraps──▶ PurposeKey (check value, app passwords, pepper, local authority) ──▶ keyed hashes
//! ```
//!
//! Every ciphertext is bound to the place it belongs to (VA-2): moved to another row, column, organisation or key, it does
//! not open. All failures to open are one error, and nothing is given out that was not authenticated (VA-11).
//!
//! *Trust note.* This room does no input or output and keeps nothing: who may use a key, where keys are stored and when they
//! are destroyed is decided above. It is the only room that sees key bytes. It must never hold a clock, a socket or a file,
//! and never take randomness from anywhere but the caller's [`gatepost_core::World`] (VA-10).

mod binding;
mod body;
mod cipher;
mod error;
mod hash;
mod key;
mod ring;
mod row;

pub use binding::{Binding, BodyPlace, KeyPlace};
pub use body::{BodyOpener, BodySealer, CHUNK_BYTES, sealed_len};
pub use error::VaultError;
pub use hash::{Digest, keyed_hash};
pub use key::{Key, keys_may_be_swapped};
pub use ring::{DataKey, DayKey, MasterKey, PurposeKey};
pub use row::{Sealed, open, seal};
