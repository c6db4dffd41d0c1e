//! What the server still owes an answer to.

use std::hash::{BuildHasher as _, RandomState};

/// Whoever sends more is not heard until some are answered.
const AT_MOST: usize = 1_000;

/// The tags of commands that went on and are not answered yet, each as often as it is used. Without them the answer to one command
/// could be taken for another's with the same tag.
#[derive(Default)]
pub(super) struct Unanswered {
    /// A client knows no keys, so it finds no two tags that are the same here.
    tags: Vec<u64>,
    keys: RandomState,
}

impl Unanswered {
    pub(super) const fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    pub(super) const fn is_full(&self) -> bool {
        self.tags.len() >= AT_MOST
    }

    pub(super) fn add(&mut self, tag: &[u8]) {
        self.tags.push(self.keys.hash_one(tag));
    }

    /// One command with this tag has its answer.
    pub(super) fn remove(&mut self, tag: &[u8]) {
        let answered = self.keys.hash_one(tag);
        if let Some(at) = self.tags.iter().position(|it| *it == answered) {
            self.tags.swap_remove(at);
        }
        if self.tags.is_empty() {
            self.tags = Vec::new();
        }
    }
}
