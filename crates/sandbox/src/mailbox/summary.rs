//! One line of a mailbox.

use std::fmt;
use std::str::FromStr;

use gatepost_core::Timestamp;
use mail_parser::{Address, HeaderValue, MessageParser};

/// Octets of a message that are read for its page. Whoever wants more takes the raw message.
pub(crate) const SHOWN_AT_MOST: usize = 4 << 20;

/// Octets that are read for a summary (SS-17: a header block has at most 256 KiB).
pub(super) const HEADER_AT_MOST: usize = 256 << 10;

/// Names one message. Rises with each message of the provider; its upper 44 bits are the time of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MessageId(u64);

impl MessageId {
    /// The first id at `now`, or the one behind `last` if that is later.
    pub(super) fn after(last: Option<Self>, now: Timestamp) -> Self {
        let at_now = u64::try_from(now.millis()).unwrap_or(0) << 20;
        Self(last.map_or(at_now, |last| at_now.max(last.0.saturating_add(1))))
    }

    pub(crate) fn received_at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> 20).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Exactly what [`MessageId`] prints, so that one message has one address.
impl FromStr for MessageId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let valid = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if valid { u64::from_str_radix(text, 16).map(Self).map_err(|_| ()) } else { Err(()) }
    }
}

/// What a list shows of a message. All texts are the sender's and hostile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageSummary {
    pub(crate) id: MessageId,
    /// The From header, decoded; empty if there is none.
    pub(crate) from: String,
    /// The To header, decoded; empty if there is none.
    pub(crate) to: String,
    /// Decoded; empty if there is none.
    pub(crate) subject: String,
    /// Without angle brackets; empty if there is none.
    pub(crate) message_id: String,
    /// Octets as kept, with the lines we put on top.
    pub(crate) size_bytes: u64,
}

impl MessageSummary {
    /// Reads the header at the start of `message`.
    pub(super) fn read(id: MessageId, message: &[u8], size_bytes: u64) -> Self {
        let head = message.get(..HEADER_AT_MOST).unwrap_or(message);
        let parsed = MessageParser::default().parse_headers(head);
        let header = |name: &'static str| parsed.as_ref().and_then(|it| it.header(name));
        let text =
            |name: &'static str| header(name).and_then(HeaderValue::as_text).unwrap_or_default().to_owned();
        let people = |name: &'static str| {
            header(name).and_then(HeaderValue::as_address).map(write_people).unwrap_or_default()
        };
        Self {
            id,
            from: people("From"),
            to: people("To"),
            subject: text("Subject"),
            message_id: text("Message-ID"),
            size_bytes,
        }
    }
}

/// `Ana Berg <ana@example.org>, bo@example.org`.
fn write_people(addresses: &Address<'_>) -> String {
    let mut text = String::new();
    for one in addresses.iter() {
        if !text.is_empty() {
            text.push_str(", ");
        }
        match (one.name(), one.address()) {
            (Some(name), Some(address)) => text.push_str(&format!("{name} <{address}>")),
            (Some(only), None) | (None, Some(only)) => text.push_str(only),
            (None, None) => {}
        }
    }
    text
}
