//! POP3 (RFC 1939) with CAPA and response codes (RFC 2449), STLS (RFC 2595) and AUTH (RFC 5034), for both sides.
//!
//! A server reads lines with a limit from [`line_limit`], hands each (without its CRLF) to [`Command::parse`], and answers
//! with a [`ServerReply`], behind which lines of a listing go through [`push_line`] and a message through a [`DataWriter`].
//! A client writes with [`Command::write_to`], reads one line with [`Reply::parse`], the lines of a listing with [`unstuff`],
//! and a message with a [`DataReader`]: RFC 1939 §3 ends it as SMTP ends one, so that one piece of code knows what ends it.

mod capabilities;
mod command;
mod follower;
mod limits;
mod listing;
mod reply;
mod server_reply;

pub use crate::smtp::{DataError, DataProgress, DataReader, DataWriter, LineEnds};
pub use capabilities::Capabilities;
pub use command::{Argument, Command, CommandError};
pub use follower::Follower;
pub use limits::{AUTH_LINE, COMMAND_LINE, LISTING_LINE, REPLY_LINE, UNIQUE_ID, line_limit};
pub use listing::{
    DropSize, LISTING_END, UniqueId, parse_scan, parse_stat, parse_unique_id, push_line, unstuff,
};
pub use reply::{Reply, ReplyError, ReplyKind};
pub use server_reply::{ServerReply, code};
