//! What SEARCH looks for (RFC 9051 §6.4.4).

use gatepost_core::Timestamp;
use imap_codec::imap_types::datetime::NaiveDate;
use imap_codec::imap_types::search::SearchKey as CodecKey;

use super::NumberSet;

/// What a message must be like. Nested at most as deep as [`super::CommandLimits`] allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    /// Any message.
    All,
    /// All of these hold.
    And(Vec<Self>),
    /// One of the two holds.
    Or(Box<Self>, Box<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// Its number.
    Numbers(NumberSet),
    /// Its unique id.
    Uids(NumberSet),
    /// It has this flag, such as `\Seen`.
    Flag(String),
    /// A field of its header holds this text; an empty one: it has the field.
    Header(String, String),
    /// Its body holds this text.
    Body(String),
    /// Header or body hold this text.
    Text(String),
    /// It arrived before midnight of this day.
    Before(Timestamp),
    /// It arrived on this day.
    On(Timestamp),
    /// It arrived on this day or later.
    Since(Timestamp),
    /// Its Date is before this day.
    SentBefore(Timestamp),
    /// Its Date is this day.
    SentOn(Timestamp),
    /// Its Date is this day or later.
    SentSince(Timestamp),
    /// It has more octets.
    Larger(u32),
    /// It has fewer octets.
    Smaller(u32),
}

impl SearchKey {
    /// None: something that is not offered.
    pub(super) fn from_codec(key: &CodecKey<'_>) -> Option<Self> {
        let text = |it: &dyn AsRef<[u8]>| String::from_utf8_lossy(it.as_ref()).into_owned();
        let header = |name: &str, it: &dyn AsRef<[u8]>| Self::Header(name.to_owned(), text(it));
        let flag = |name: &str| Self::Flag(name.to_owned());
        let not = |it: Self| Self::Not(Box::new(it));
        Some(match key {
            CodecKey::All => Self::All,
            CodecKey::And(keys) => {
                Self::And(keys.as_ref().iter().map(Self::from_codec).collect::<Option<_>>()?)
            }
            CodecKey::Or(one, other) => {
                Self::Or(Box::new(Self::from_codec(one)?), Box::new(Self::from_codec(other)?))
            }
            CodecKey::Not(key) => not(Self::from_codec(key)?),
            CodecKey::SequenceSet(set) => Self::Numbers(NumberSet::from_codec(set)),
            CodecKey::Uid(set) => Self::Uids(NumberSet::from_codec(set)),
            CodecKey::Answered => flag("\\Answered"),
            CodecKey::Deleted => flag("\\Deleted"),
            CodecKey::Draft => flag("\\Draft"),
            CodecKey::Flagged => flag("\\Flagged"),
            CodecKey::Seen => flag("\\Seen"),
            CodecKey::Recent => flag("\\Recent"),
            CodecKey::Keyword(it) => flag(it.as_ref()),
            CodecKey::Unanswered => not(flag("\\Answered")),
            CodecKey::Undeleted => not(flag("\\Deleted")),
            CodecKey::Undraft => not(flag("\\Draft")),
            CodecKey::Unflagged => not(flag("\\Flagged")),
            CodecKey::Unseen => not(flag("\\Seen")),
            CodecKey::Unkeyword(it) => not(flag(it.as_ref())),
            CodecKey::New => Self::And(vec![flag("\\Recent"), not(flag("\\Seen"))]),
            CodecKey::Old => not(flag("\\Recent")),
            CodecKey::Bcc(it) => header("Bcc", it),
            CodecKey::Cc(it) => header("Cc", it),
            CodecKey::From(it) => header("From", it),
            CodecKey::Subject(it) => header("Subject", it),
            CodecKey::To(it) => header("To", it),
            CodecKey::Header(name, it) => header(&text(name), it),
            CodecKey::Body(it) => Self::Body(text(it)),
            CodecKey::Text(it) => Self::Text(text(it)),
            CodecKey::Before(day) => Self::Before(midnight(day)?),
            CodecKey::On(day) => Self::On(midnight(day)?),
            CodecKey::Since(day) => Self::Since(midnight(day)?),
            CodecKey::SentBefore(day) => Self::SentBefore(midnight(day)?),
            CodecKey::SentOn(day) => Self::SentOn(midnight(day)?),
            CodecKey::SentSince(day) => Self::SentSince(midnight(day)?),
            CodecKey::Larger(n_bytes) => Self::Larger(*n_bytes),
            CodecKey::Smaller(n_bytes) => Self::Smaller(*n_bytes),
            CodecKey::ModSequence { .. } => return None,
        })
    }
}

/// The day's beginning, in UTC.
fn midnight(day: &NaiveDate) -> Option<Timestamp> {
    let at = day.as_ref().and_hms_opt(0, 0, 0)?.and_utc();
    Some(Timestamp::from_millis(at.timestamp_millis()))
}
