//! Responses that we receive.

use gatepost_core::Timestamp;
use imap_codec::ResponseCodec;
use imap_codec::decode::Decoder as _;
use imap_codec::imap_types::core::NString;
use imap_codec::imap_types::fetch::{MessageDataItem, Section};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::{Data, Response as CodecResponse};
use imap_codec::imap_types::status::StatusDataItem;

use super::status::split_word;
use super::{Capabilities, Status};

/// One response of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// About the server or a command.
    Status(Status),
    /// Go on: what stands behind `+`, in base64 where we sign in.
    Continue(Vec<u8>),
    /// What the server can do.
    Capability(Capabilities),
    /// One folder.
    Folder(Folder),
    /// How many messages a folder has that is not open: name and figures.
    FolderStatus {
        /// Its name.
        name: String,
        /// Messages in it.
        n_messages: Option<u32>,
        /// Of them, unseen.
        n_unseen: Option<u32>,
        /// The next unique id.
        uid_next: Option<u32>,
        /// What unique ids are good for.
        uid_validity: Option<u32>,
    },
    /// Numbers or unique ids of what was searched for.
    Search(Vec<u32>),
    /// How many messages the open folder has.
    Exists(u32),
    /// A message is gone; those behind it have moved up.
    Expunge(u32),
    /// Data of a message.
    Fetch(Fetched),
    /// Where one's own folders begin: prefix and separator of each personal namespace.
    Namespace(Vec<(String, Option<char>)>),
    /// Anything else. A client must be ready for it at any time (RFC 9051 §7), and has nothing to do about it.
    Other,
}

/// A folder, as LIST tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its name as it goes over the wire (modified UTF-7, RFC 3501 §5.1.3).
    pub name: String,
    /// What separates the levels of names.
    pub separator: Option<char>,
    /// Whether it can be opened.
    pub is_selectable: bool,
    /// What it is for (RFC 6154), if the server says so.
    pub special_use: Option<SpecialUse>,
}

/// What a folder is for (RFC 6154 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialUse {
    /// Every message.
    All,
    /// Kept for later.
    Archive,
    /// Begun and not sent.
    Drafts,
    /// Marked as important.
    Flagged,
    /// Spam.
    Junk,
    /// Copies of what was sent.
    Sent,
    /// Thrown away.
    Trash,
}

impl SpecialUse {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::All, Self::Archive, Self::Drafts, Self::Flagged, Self::Junk, Self::Sent, Self::Trash];

    /// The attribute, such as `\Junk`.
    #[must_use]
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
        }
    }
}

/// Data of one message. Anything may be missing, and a server may send it unasked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Its number in the folder.
    pub number: u32,
    /// Its unique id.
    pub uid: Option<u32>,
    /// Its flags, such as `\Seen`.
    pub flags: Option<Vec<String>>,
    /// When it arrived.
    pub arrived_at: Option<Timestamp>,
    /// How large it is, as the server says. Sizes nothing of ours (MP-6).
    pub size_bytes: Option<u64>,
    /// Header or text that was short enough to be kept in the response. Empty where it was lifted.
    pub text: Option<Vec<u8>>,
    /// Octets of the literal that was lifted out of the response, if one was.
    pub lifted_bytes: Option<u64>,
}

impl Response {
    /// Reads one whole response with its CRLF, whose literals lie within. None if it is none.
    pub(super) fn parse(bytes: &[u8], lifted_bytes: Option<u64>) -> Option<Self> {
        let line = bytes.strip_suffix(b"\r\n")?;
        if line.starts_with(b"+") {
            let text = line.get(1..).unwrap_or_default();
            return Some(Self::Continue(text.strip_prefix(b" ").unwrap_or(text).to_vec()));
        }
        if let Some(status) = Status::parse(line) {
            return Some(Self::Status(status));
        }
        let data = line.strip_prefix(b"* ")?;
        let (word, words) = split_word(data);
        if word.eq_ignore_ascii_case(b"CAPABILITY") {
            return Some(Self::Capability(Capabilities::parse(words)));
        }
        match ResponseCodec::default().decode(bytes) {
            Ok((b"", CodecResponse::Data(data))) => Some(from_data(data, lifted_bytes)),
            // Words that `imap-codec` does not know: nobody asked for them.
            _ => Some(Self::Other),
        }
    }
}

fn from_data(data: Data<'_>, lifted_bytes: Option<u64>) -> Response {
    match data {
        Data::List { items, delimiter, mailbox } => {
            let Some(name) = folder_name(&mailbox) else { return Response::Other };
            let attributes: Vec<String> = items.iter().map(ToString::to_string).collect();
            let has = |name: &str| attributes.iter().any(|it| it.eq_ignore_ascii_case(name));
            Response::Folder(Folder {
                name,
                separator: delimiter.map(|it| it.inner()),
                is_selectable: !has("\\Noselect") && !has("\\NonExistent"),
                special_use: SpecialUse::ALL.into_iter().find(|it| has(it.attribute())),
            })
        }
        Data::Status { mailbox, items } => {
            let Some(name) = folder_name(&mailbox) else { return Response::Other };
            let (mut n_messages, mut n_unseen, mut uid_next, mut uid_validity) = (None, None, None, None);
            for item in items.iter() {
                match item {
                    StatusDataItem::Messages(it) => n_messages = Some(*it),
                    StatusDataItem::Unseen(it) => n_unseen = Some(*it),
                    StatusDataItem::UidNext(it) => uid_next = Some(it.get()),
                    StatusDataItem::UidValidity(it) => uid_validity = Some(it.get()),
                    _ => {}
                }
            }
            Response::FolderStatus { name, n_messages, n_unseen, uid_next, uid_validity }
        }
        Data::Search(numbers, _) => Response::Search(numbers.into_iter().map(u32::from).collect()),
        Data::Exists(n_messages) => Response::Exists(n_messages),
        Data::Expunge(number) => Response::Expunge(number.get()),
        Data::Namespace { personal, .. } => Response::Namespace(
            personal
                .iter()
                .map(|it| {
                    let prefix = String::from_utf8_lossy(it.prefix.as_ref()).into_owned();
                    (prefix, it.delimiter.map(|it| it.inner()))
                })
                .collect(),
        ),
        Data::Fetch { seq, items } => {
            let mut fetched = Fetched { number: seq.get(), lifted_bytes, ..Fetched::default() };
            for item in items {
                fetched.add(item);
            }
            Response::Fetch(fetched)
        }
        _ => Response::Other,
    }
}

impl Fetched {
    fn add(&mut self, item: MessageDataItem<'_>) {
        let text = |it: NString<'_>| Some(it.into_option().unwrap_or_default().into_owned());
        match item {
            MessageDataItem::Uid(uid) => self.uid = Some(uid.get()),
            MessageDataItem::Flags(flags) => self.flags = Some(flags.iter().map(flag_name).collect()),
            MessageDataItem::InternalDate(at) => {
                self.arrived_at = Some(Timestamp::from_millis(at.as_ref().timestamp_millis()));
            }
            MessageDataItem::Rfc822Size(n_bytes) => self.size_bytes = Some(n_bytes.into()),
            MessageDataItem::BodyExt { section: None | Some(Section::Header(None)), origin: None, data } => {
                self.text = text(data);
            }
            _ => {}
        }
    }
}

fn flag_name(flag: &imap_codec::imap_types::flag::FlagFetch<'_>) -> String {
    use imap_codec::imap_types::flag::FlagFetch;
    match flag {
        FlagFetch::Flag(it) => it.to_string(),
        FlagFetch::Recent => "\\Recent".to_owned(),
    }
}

/// A folder's name, if it is text that could be said again.
pub(super) fn folder_name(mailbox: &Mailbox<'_>) -> Option<String> {
    match mailbox {
        Mailbox::Inbox => Some("INBOX".to_owned()),
        Mailbox::Other(other) => {
            let bytes = other.inner().as_ref();
            let name = std::str::from_utf8(bytes).ok()?;
            (!name.chars().any(char::is_control)).then(|| name.to_owned())
        }
    }
}
