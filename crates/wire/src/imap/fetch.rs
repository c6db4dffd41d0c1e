//! What FETCH asks for (RFC 9051 §6.4.5).

use std::fmt;

use imap_codec::imap_types::core::{AString, Vec1};
use imap_codec::imap_types::fetch::{
    Macro, MacroOrMessageDataItemNames, MessageDataItemName, Part, Section as CodecSection,
};

/// One item of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    /// Its unique id.
    Uid,
    /// Its flags.
    Flags,
    /// When it arrived.
    InternalDate,
    /// Its size in octets.
    Size,
    /// Its header, taken apart.
    Envelope,
    /// Its MIME parts, as BODYSTRUCTURE has them; without extensions for BODY.
    Structure {
        /// Whether it was asked for as BODYSTRUCTURE.
        is_extended: bool,
    },
    /// Text of it.
    Section {
        /// Which.
        section: Section,
        /// From which octet, and how many.
        partial: Option<(u32, u32)>,
        /// Whether it stays unseen.
        is_peek: bool,
    },
    /// All of it, in the form of RFC 1730: marks it as seen.
    Rfc822,
    /// Its header: leaves it unseen.
    Rfc822Header,
    /// Its body: marks it as seen.
    Rfc822Text,
}

/// A piece of a message's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The numbers of a MIME part, from the outside in; empty for the message itself.
    pub part: Vec<u32>,
    /// What of it.
    pub of: SectionOf,
}

/// What of a message or a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionOf {
    /// All of it; of a part, its body.
    All,
    /// Its header.
    Header,
    /// These fields.
    Fields(Vec<String>),
    /// All other fields.
    FieldsNot(Vec<String>),
    /// What follows the header.
    Text,
    /// The part's own MIME header.
    Mime,
}

impl FetchItem {
    /// None: something that is not offered.
    pub(super) fn from_codec(names: &MacroOrMessageDataItemNames<'_>) -> Option<Vec<Self>> {
        match names {
            MacroOrMessageDataItemNames::Macro(it) => {
                let (has_envelope, has_body) = match it {
                    Macro::Fast => (false, false),
                    Macro::All => (true, false),
                    Macro::Full => (true, true),
                    _ => return None,
                };
                let mut items = vec![Self::Flags, Self::InternalDate, Self::Size];
                items.extend(has_envelope.then_some(Self::Envelope));
                items.extend(has_body.then_some(Self::Structure { is_extended: false }));
                Some(items)
            }
            MacroOrMessageDataItemNames::MessageDataItemNames(names) => {
                names.iter().map(Self::from_name).collect()
            }
        }
    }

    fn from_name(name: &MessageDataItemName<'_>) -> Option<Self> {
        Some(match name {
            MessageDataItemName::Uid => Self::Uid,
            MessageDataItemName::Flags => Self::Flags,
            MessageDataItemName::InternalDate => Self::InternalDate,
            MessageDataItemName::Rfc822Size => Self::Size,
            MessageDataItemName::Envelope => Self::Envelope,
            MessageDataItemName::Body => Self::Structure { is_extended: false },
            MessageDataItemName::BodyStructure => Self::Structure { is_extended: true },
            MessageDataItemName::Rfc822 => Self::Rfc822,
            MessageDataItemName::Rfc822Header => Self::Rfc822Header,
            MessageDataItemName::Rfc822Text => Self::Rfc822Text,
            MessageDataItemName::BodyExt { section, partial, peek } => Self::Section {
                section: Section::from_codec(section.as_ref()),
                partial: partial.map(|(from, n_bytes)| (from, n_bytes.get())),
                is_peek: *peek,
            },
            _ => return None,
        })
    }
}

impl Section {
    fn from_codec(section: Option<&CodecSection<'_>>) -> Self {
        let names = |it: &Vec1<AString<'_>>| {
            it.as_ref().iter().map(|it| String::from_utf8_lossy(it.as_ref()).into_owned()).collect()
        };
        let (part, of) = match section {
            None => (None, SectionOf::All),
            Some(CodecSection::Part(part)) => (Some(part), SectionOf::All),
            Some(CodecSection::Header(part)) => (part.as_ref(), SectionOf::Header),
            Some(CodecSection::HeaderFields(part, fields)) => {
                (part.as_ref(), SectionOf::Fields(names(fields)))
            }
            Some(CodecSection::HeaderFieldsNot(part, fields)) => {
                (part.as_ref(), SectionOf::FieldsNot(names(fields)))
            }
            Some(CodecSection::Text(part)) => (part.as_ref(), SectionOf::Text),
            Some(CodecSection::Mime(part)) => (Some(part), SectionOf::Mime),
        };
        let numbers = |it: &Part| it.0.as_ref().iter().map(|it| it.get()).collect();
        Self { part: part.map(numbers).unwrap_or_default(), of }
    }
}

/// As it stands between the brackets of `BODY[…]`. Names that could not be said again are left out.
impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part: Vec<String> = self.part.iter().map(ToString::to_string).collect();
        let names = |of: &[String]| {
            let is_name =
                |it: &&String| it.bytes().all(|b| b.is_ascii_graphic() && !b"(){%*\"\\]".contains(&b));
            of.iter().filter(is_name).map(String::as_str).collect::<Vec<_>>().join(" ")
        };
        match &self.of {
            SectionOf::All => {}
            SectionOf::Header => part.push("HEADER".to_owned()),
            SectionOf::Fields(of) => part.push(format!("HEADER.FIELDS ({})", names(of))),
            SectionOf::FieldsNot(of) => part.push(format!("HEADER.FIELDS.NOT ({})", names(of))),
            SectionOf::Text => part.push("TEXT".to_owned()),
            SectionOf::Mime => part.push("MIME".to_owned()),
        }
        f.write_str(&part.join("."))
    }
}
