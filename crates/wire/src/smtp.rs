//! SMTP (RFC 5321) with the extensions that submission needs, for both sides of the connection.
//!
//! A session reads lines with a limit from [`line_limit`], hands each (without its CRLF) to [`Command::parse`], and
//! answers with a [`ServerReply`]. A sender writes with [`Command::write_to`] and reads with a [`ReplyParser`]. Between
//! DATA and the final dot, [`DataReader`] and [`DataWriter`] are the only code that knows what ends a message.

mod command;
mod data;
mod ehlo;
mod enhanced;
mod limits;
mod reply;
mod server_reply;
mod xtext;

pub use command::{
    BodyKind, ClientName, Command, CommandError, DsnReturn, EnvelopeId, EnvelopeSide, MailAuth, MailCommand,
    Notify, NotifyOn, OriginalRecipient, RcptCommand, ReversePath, is_http_verb,
};
pub use data::{BdatReader, DataError, DataProgress, DataReader, DataWriter, Flaws, LineEnds};
pub use ehlo::{Capabilities, SizeLimit};
pub use enhanced::EnhancedCode;
pub use limits::{
    AUTH_LINE, COMMAND_LINE, DOMAIN, ENVELOPE_LINE, LOCAL_PART, PATH, REPLY_BYTES, REPLY_LINE, REPLY_LINES,
    TEXT_LINE, line_limit,
};
pub use reply::{Reply, ReplyClass, ReplyError, ReplyParser};
pub use server_reply::ServerReply;
