//! The header of a message (RFC 5322): fields, addresses, and what submission must know about them. And letters of plain text
//! that Gatepost writes itself.
//!
//! Only the header at the top is read. Nothing here or above takes a message's MIME parts apart, so a bomb of nested parts
//! costs nothing: the body is bytes that pass through (SS-17).

mod address_list;
mod header;
mod letter;
mod message_id;
mod originators;

pub use address_list::{AddressListError, Mailbox, MailboxOrGroup, parse_address_list};
pub use header::{
    Field, HEADER_BYTES, HEADER_FIELDS, HeaderBlock, HeaderError, HeaderProgress, HeaderScanner,
};
pub use letter::{Letter, WrittenMessage};
pub use message_id::{MessageId, Sought};
pub use originators::{HeaderFault, HeaderSummary, SINGLETONS};
