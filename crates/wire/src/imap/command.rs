//! Commands that a server hears.

mod reader;

use gatepost_core::{SecretBytes, SecretText, Timestamp};
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder as _;
use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::{AString, NString};
use imap_codec::imap_types::extensions::binary::LiteralOrLiteral8;
use imap_codec::imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_codec::imap_types::mailbox::ListMailbox;
use imap_codec::imap_types::status::StatusDataItemName;

use super::response::folder_name;
use super::{FetchItem, NumberSet, SearchKey};

pub use reader::{CommandError, CommandReader, Heard};

/// One command of a client. Names of folders are as they go over the wire (modified UTF-7), INBOX in capitals.
pub enum Command {
    /// What can the server do?
    Capability,
    /// Does nothing.
    Noop,
    /// Ends the session.
    Logout,
    /// Turns on TLS.
    StartTls,
    /// Signs in by SASL.
    Authenticate {
        /// The mechanism's name in upper case, known to us or not.
        mechanism: String,
        /// The initial response, decoded; empty for `=`.
        initial: Option<SecretBytes>,
    },
    /// Signs in with a password.
    Login {
        /// Who.
        user_name: String,
        /// The password.
        password: SecretText,
    },
    /// What the client says of itself (RFC 2971).
    Id(Vec<(String, Option<String>)>),
    /// Where folders begin.
    Namespace,
    /// Folders whose names fit.
    List {
        /// What stands in front of the pattern.
        reference: String,
        /// `%` stands for any text within a level, `*` for any text.
        pattern: String,
    },
    /// Folders that are subscribed to and whose names fit.
    Lsub {
        /// What stands in front of the pattern.
        reference: String,
        /// As in LIST.
        pattern: String,
    },
    /// Counts a folder without opening it.
    Status {
        /// Which folder.
        folder: String,
        /// Which figures.
        items: Vec<StatusItem>,
    },
    /// Opens a folder.
    Select(String),
    /// Opens a folder, changing nothing.
    Examine(String),
    /// Makes a folder.
    Create(String),
    /// Removes a folder.
    Delete(String),
    /// Renames a folder.
    Rename(String, String),
    /// Subscribes to a folder.
    Subscribe(String),
    /// Ends a subscription.
    Unsubscribe(String),
    /// Puts a message into a folder.
    Append {
        /// Which folder.
        folder: String,
        /// Its flags.
        flags: Vec<String>,
        /// When it arrived.
        arrived_at: Option<Timestamp>,
        /// The message.
        message: Vec<u8>,
    },
    /// Closes the open folder and removes what is marked as deleted.
    Close,
    /// Closes the open folder.
    Unselect,
    /// Asks for housekeeping.
    Check,
    /// Removes what is marked as deleted; with a set, of these unique ids alone.
    Expunge(Option<NumberSet>),
    /// Finds messages.
    Search {
        /// Whether unique ids are wanted.
        is_uid: bool,
        /// What they must be like.
        key: SearchKey,
    },
    /// Reads of messages.
    Fetch {
        /// Whether the set holds unique ids.
        is_uid: bool,
        /// Which messages.
        set: NumberSet,
        /// What of them.
        items: Vec<FetchItem>,
    },
    /// Changes flags.
    Store {
        /// Whether the set holds unique ids.
        is_uid: bool,
        /// Which messages.
        set: NumberSet,
        /// How.
        change: FlagChange,
    },
    /// Copies messages, or moves them (RFC 6851).
    Copy {
        /// Whether the set holds unique ids.
        is_uid: bool,
        /// Whether they leave where they were.
        is_move: bool,
        /// Which messages.
        set: NumberSet,
        /// To which folder.
        folder: String,
    },
    /// Waits for news, until a line `DONE`.
    Idle,
    /// A command that exists and is not offered.
    NotOffered,
}

/// A change of flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagChange {
    /// In which way.
    pub kind: FlagChangeKind,
    /// Which flags, such as `\Seen`.
    pub flags: Vec<String>,
    /// Whether the client wants no answer about it.
    pub is_silent: bool,
}

/// In which way flags are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagChangeKind {
    /// These alone remain.
    Replace,
    /// These are added.
    Add,
    /// These are taken away.
    Remove,
}

/// A figure of STATUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    /// Messages.
    Messages,
    /// Messages nobody has seen arriving.
    Recent,
    /// The next unique id.
    UidNext,
    /// What unique ids are good for.
    UidValidity,
    /// Messages that are not seen.
    Unseen,
}

impl Command {
    /// Reads a whole command with its CRLF and literals. Gives the tag too.
    pub(super) fn parse(bytes: &[u8]) -> Option<(String, Self)> {
        let (rest, command) = CommandCodec::default().decode(bytes).ok()?;
        if !rest.is_empty() {
            return None;
        }
        Some((command.tag.as_ref().to_owned(), from_body(&command.body)?))
    }
}

/// None: an argument that is no text where only text makes sense.
fn from_body(body: &CommandBody<'_>) -> Option<Command> {
    Some(match body {
        CommandBody::Capability => Command::Capability,
        CommandBody::Noop => Command::Noop,
        CommandBody::Logout => Command::Logout,
        CommandBody::StartTLS => Command::StartTls,
        CommandBody::Authenticate { mechanism, initial_response } => Command::Authenticate {
            mechanism: mechanism_name(mechanism),
            initial: initial_response.as_ref().map(|it| SecretBytes::new(it.declassify().to_vec())),
        },
        CommandBody::Login { username, password } => Command::Login {
            user_name: text(username)?,
            password: SecretBytes::new(password.declassify().as_ref().to_vec()).into_text()?,
        },
        CommandBody::Id { parameters } => Command::Id(
            parameters
                .iter()
                .flatten()
                .map(|(name, value)| (lossy(name.as_ref()), nullable(value)))
                .collect(),
        ),
        CommandBody::Namespace => Command::Namespace,
        CommandBody::List { reference, mailbox_wildcard } => {
            Command::List { reference: folder_name(reference)?, pattern: pattern(mailbox_wildcard)? }
        }
        CommandBody::Lsub { reference, mailbox_wildcard } => {
            Command::Lsub { reference: folder_name(reference)?, pattern: pattern(mailbox_wildcard)? }
        }
        CommandBody::Status { mailbox, item_names } => Command::Status {
            folder: folder_name(mailbox)?,
            items: item_names.iter().filter_map(status_item).collect(),
        },
        CommandBody::Select { mailbox, .. } => Command::Select(folder_name(mailbox)?),
        CommandBody::Examine { mailbox, .. } => Command::Examine(folder_name(mailbox)?),
        CommandBody::Create { mailbox } => Command::Create(folder_name(mailbox)?),
        CommandBody::Delete { mailbox } => Command::Delete(folder_name(mailbox)?),
        CommandBody::Rename { from, to } => Command::Rename(folder_name(from)?, folder_name(to)?),
        CommandBody::Subscribe { mailbox } => Command::Subscribe(folder_name(mailbox)?),
        CommandBody::Unsubscribe { mailbox } => Command::Unsubscribe(folder_name(mailbox)?),
        CommandBody::Append { mailbox, flags, date, message } => Command::Append {
            folder: folder_name(mailbox)?,
            flags: flag_names(flags),
            arrived_at: date.as_ref().map(|it| Timestamp::from_millis(it.as_ref().timestamp_millis())),
            message: match message {
                LiteralOrLiteral8::Literal(it) => it.as_ref().to_vec(),
                LiteralOrLiteral8::Literal8(it) => it.data.to_vec(),
            },
        },
        _ => selected(body)?,
    })
}

/// Commands that need an open folder.
fn selected(body: &CommandBody<'_>) -> Option<Command> {
    Some(match body {
        CommandBody::Close => Command::Close,
        CommandBody::Unselect => Command::Unselect,
        CommandBody::Check => Command::Check,
        CommandBody::Idle => Command::Idle,
        CommandBody::Expunge => Command::Expunge(None),
        CommandBody::ExpungeUid { sequence_set } => {
            Command::Expunge(Some(NumberSet::from_codec(sequence_set)))
        }
        CommandBody::Search { criteria, uid, .. } => {
            let keys: Option<Vec<_>> = criteria.as_ref().iter().map(SearchKey::from_codec).collect();
            match keys {
                Some(mut keys) if keys.len() == 1 => {
                    Command::Search { is_uid: *uid, key: keys.pop().unwrap_or(SearchKey::All) }
                }
                Some(keys) => Command::Search { is_uid: *uid, key: SearchKey::And(keys) },
                None => Command::NotOffered,
            }
        }
        CommandBody::Fetch { sequence_set, macro_or_item_names, uid, .. } => {
            match FetchItem::from_codec(macro_or_item_names) {
                Some(items) => {
                    Command::Fetch { is_uid: *uid, set: NumberSet::from_codec(sequence_set), items }
                }
                None => Command::NotOffered,
            }
        }
        CommandBody::Store { sequence_set, kind, response, flags, uid, .. } => Command::Store {
            is_uid: *uid,
            set: NumberSet::from_codec(sequence_set),
            change: FlagChange {
                kind: match kind {
                    StoreType::Replace => FlagChangeKind::Replace,
                    StoreType::Add => FlagChangeKind::Add,
                    StoreType::Remove => FlagChangeKind::Remove,
                },
                flags: flag_names(flags),
                is_silent: *response == StoreResponse::Silent,
            },
        },
        CommandBody::Copy { sequence_set, mailbox, uid } => Command::Copy {
            is_uid: *uid,
            is_move: false,
            set: NumberSet::from_codec(sequence_set),
            folder: folder_name(mailbox)?,
        },
        CommandBody::Move { sequence_set, mailbox, uid } => Command::Copy {
            is_uid: *uid,
            is_move: true,
            set: NumberSet::from_codec(sequence_set),
            folder: folder_name(mailbox)?,
        },
        _ => Command::NotOffered,
    })
}

fn mechanism_name(mechanism: &AuthMechanism<'_>) -> String {
    mechanism.as_ref().to_ascii_uppercase()
}

fn text(it: &AString<'_>) -> Option<String> {
    std::str::from_utf8(it.as_ref()).ok().map(str::to_owned)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn nullable(it: &NString<'_>) -> Option<String> {
    it.clone().into_option().map(|it| lossy(&it))
}

fn pattern(it: &ListMailbox<'_>) -> Option<String> {
    let bytes = match it {
        ListMailbox::Token(it) => it.as_ref(),
        ListMailbox::String(it) => it.as_ref(),
    };
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn flag_names(flags: &[Flag<'_>]) -> Vec<String> {
    flags.iter().map(ToString::to_string).collect()
}

fn status_item(name: &StatusDataItemName) -> Option<StatusItem> {
    match name {
        StatusDataItemName::Messages => Some(StatusItem::Messages),
        StatusDataItemName::Recent => Some(StatusItem::Recent),
        StatusDataItemName::UidNext => Some(StatusItem::UidNext),
        StatusDataItemName::UidValidity => Some(StatusItem::UidValidity),
        StatusDataItemName::Unseen => Some(StatusItem::Unseen),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
