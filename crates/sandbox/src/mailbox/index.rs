//! What IMAP remembers of a mailbox: unique ids and flags (RFC 9051 §2.3), in `imap.json` beside the messages.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{MessageId, MessageSummary};

/// Flags of one message that are kept.
const MOST_FLAGS: usize = 50;

/// Unique ids and flags of the messages of one mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Index {
    uid_validity: u32,
    uid_next: u32,
    /// By the name of the message.
    letters: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    uid: u32,
    flags: Vec<String>,
}

/// A mailbox as IMAP sees it.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    /// By unique id, which is the order in which they were seen first.
    pub(crate) letters: Vec<NumberedLetter>,
}

/// One message of it.
#[derive(Clone, Debug)]
pub(crate) struct NumberedLetter {
    pub(crate) summary: MessageSummary,
    pub(crate) uid: u32,
    /// Such as `\Seen`.
    pub(crate) flags: Vec<String>,
}

impl Index {
    /// Gives each new message its unique id and forgets those that are gone. An index begins with `uid_validity`.
    pub(super) fn update(&mut self, messages: &[MessageSummary], uid_validity: u32) {
        if self.uid_validity == 0 {
            self.uid_validity = uid_validity.max(1);
            self.uid_next = 1;
        }
        let names: BTreeSet<String> = messages.iter().map(|it| it.id.to_string()).collect();
        self.letters.retain(|name, _| names.contains(name));
        // Names rise with time.
        for name in names {
            let uid_next = &mut self.uid_next;
            self.letters.entry(name).or_insert_with(|| {
                let uid = *uid_next;
                *uid_next = uid.saturating_add(1);
                Entry { uid, flags: Vec::new() }
            });
        }
    }

    /// The content of `imap.json`.
    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts are always JSON")
    }

    /// `None` if it is not ours.
    pub(super) fn from_json(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn set_flags(&mut self, id: MessageId, flags: &[String]) {
        if let Some(entry) = self.letters.get_mut(&id.to_string()) {
            entry.flags = flags.iter().take(MOST_FLAGS).cloned().collect();
        }
    }

    pub(super) fn number(&self, messages: Vec<MessageSummary>) -> Numbered {
        let numbered = |summary: MessageSummary| {
            let entry = self.letters.get(&summary.id.to_string())?;
            Some(NumberedLetter { uid: entry.uid, flags: entry.flags.clone(), summary })
        };
        let mut letters: Vec<_> = messages.into_iter().filter_map(numbered).collect();
        letters.sort_by_key(|it| it.uid);
        Numbered { uid_validity: self.uid_validity, uid_next: self.uid_next, letters }
    }
}
