//! The open folder, as the client has been told of it.

use gatepost_wire::imap::{FetchWriter, NumberSet, ServerResponse};

use crate::mailbox::{Numbered, NumberedLetter};

/// What the client knows of the open folder. Numbers change only by what it is told (RFC 9051 §2.3.1.2).
pub(super) struct View {
    pub(super) letters: Vec<NumberedLetter>,
    pub(super) is_read_only: bool,
}

impl View {
    /// Messages of the set, each with its number.
    pub(super) fn find(&self, set: &NumberSet, is_uid: bool) -> Vec<(u32, NumberedLetter)> {
        let largest_uid = self.letters.last().map_or(0, |it| it.uid);
        let n_letters = count(self.letters.len());
        let numbered = self.letters.iter().zip(1u32..);
        let is_meant = |number: u32, uid: u32| {
            if is_uid { set.contains(uid, largest_uid) } else { set.contains(number, n_letters) }
        };
        numbered.filter(|(it, n)| is_meant(*n, it.uid)).map(|(it, n)| (n, it.clone())).collect()
    }

    /// Tells of what has changed since: what is gone, what has come, whose flags are other ones now.
    pub(super) fn catch_up(&mut self, now: &Numbered) -> Vec<Vec<u8>> {
        let mut told = Vec::new();
        let mut number = count(self.letters.len());
        let is_there = |it: &NumberedLetter| now.letters.iter().any(|other| other.uid == it.uid);
        // From the last to the first, so that the numbers of those before stay.
        while let Some(at) = number.checked_sub(1).and_then(|it| usize::try_from(it).ok()) {
            if self.letters.get(at).is_some_and(|it| !is_there(it)) {
                self.letters.remove(at);
                told.push(ServerResponse::expunge(number).as_bytes().to_vec());
            }
            number -= 1;
        }
        for (letter, number) in self.letters.iter_mut().zip(1u32..) {
            let other = now.letters.iter().find(|it| it.uid == letter.uid && it.flags != letter.flags);
            if let Some(other) = other {
                letter.flags.clone_from(&other.flags);
                told.push(flags_of(number, letter));
            }
        }
        if now.letters.len() > self.letters.len() {
            let new = now.letters.get(self.letters.len()..).unwrap_or_default();
            self.letters.extend_from_slice(new);
            told.push(ServerResponse::exists(count(self.letters.len())).as_bytes().to_vec());
        }
        told
    }
}

/// Number, unique id and flags of a message.
pub(super) fn flags_of(number: u32, letter: &NumberedLetter) -> Vec<u8> {
    let mut writer = FetchWriter::new(number);
    writer.uid(letter.uid);
    writer.flags(&names(&letter.flags));
    writer.finish()
}

pub(super) fn names(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
