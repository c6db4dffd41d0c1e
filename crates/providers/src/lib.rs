//! What is known about mailbox providers, as data: presets (servers, user names, limits) and the catalogue that says what
//! a refusal means, whom it concerns and whether waiting helps.
//!
//! The facts live in `data/`; the code only reads, checks and searches them. A new provider or a new refusal is a change
//! of data, with a sample that becomes a test by itself.
//!
//! *Trust note.* This room talks to nobody and keeps nothing. It judges hostile text (providers' replies, SC-12) with
//! linear-time patterns, and repeats none of that text in what it says: every word of a [`Diagnosis`] comes from `data/`.
//!
//! [`Diagnosis`]: gatepost_core::Diagnosis

mod catalogue;
mod error;
mod evidence;
mod preset;
mod preset_file;

pub use catalogue::Catalogue;
pub use error::DataError;
pub use evidence::{Evidence, OAuthTrouble};
pub use gatepost_core::{Phase, TlsMode, Trouble};
pub use preset::{Limits, Preset, Presets, SmtpServer, UserNameRule};
