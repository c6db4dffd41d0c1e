//! IMAP (RFC 3501, RFC 9051) as far as Gatepost speaks it, for both sides.
//!
//! `imap-codec` knows the grammar of commands and data, and is known in this folder alone. Around it stands what it must not
//! decide: `frame` finds lines and literals within limits, before anything is parsed; status responses are cut by hand,
//! because their words are evidence and are kept byte for byte however broken they are; and what a client of Gatepost says is
//! always one line without literals ([`ClientCommand`]).
//!
//! A client hands what arrives to a [`ResponseReader`], a server to a [`CommandReader`]. A large literal of a FETCH is never
//! held: the reader gives it on in pieces and leaves an empty string in its place.

mod capabilities;
mod client_command;
mod command;
mod fetch;
mod follower;
mod frame;
mod limits;
mod number_set;
mod pattern;
mod response;
mod response_reader;
mod search;
mod server_response;
mod status;

pub use capabilities::Capabilities;
pub use client_command::{ClientCommand, NotOneLine, Wanted};
pub use command::{Command, CommandError, CommandReader, FlagChange, FlagChangeKind, Heard, StatusItem};
pub use fetch::{FetchItem, Section, SectionOf};
pub use follower::Follower;
pub use limits::{CommandLimits, LITERAL_BEFORE_SIGN_IN, RESPONSE_BYTES, SASL_LINE};
pub use number_set::NumberSet;
pub use pattern::fits_pattern;
pub use response::{Fetched, Folder, Response, SpecialUse};
pub use response_reader::{Lift, Piece, ResponseError, ResponseReader};
pub use search::SearchKey;
pub use server_response::{FetchWriter, ServerResponse};
pub use status::{Code, Status, StatusKind};
