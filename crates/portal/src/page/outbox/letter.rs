//! One letter in words.

use gatepost_core::printable;
use gatepost_delivery::state::{Delivery, HoldReason, StateName};
use gatepost_delivery::{RecipientView, SubmissionView};
use gatepost_web::Moment;

use crate::frame::{Page, paths};
use crate::page::badge::Badge;

/// A letter in a list.
pub(crate) struct LetterRow {
    pub(crate) href: String,
    /// The first recipient, and how many more.
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) badge: Badge,
    pub(crate) because: Option<String>,
    pub(crate) at: Moment,
}

impl LetterRow {
    pub(crate) fn new(page: &Page, it: &SubmissionView) -> Self {
        let state = shown_state(page, it);
        let first = it.recipients.first().map(|it| it.address.to_string()).unwrap_or_default();
        let n_more = it.recipients.len().saturating_sub(1) as u64;
        let to =
            if n_more == 0 { first } else { page.t.count("outbox.and_more", n_more, &[("first", &first)]) };
        Self {
            href: format!("{}/{}", paths::OUTBOX, it.id),
            to,
            from: sender(page, it),
            badge: Badge::of_letter(page.t, state),
            because: because(page, it, state),
            at: page.moment(it.accepted_at),
        }
    }
}

/// The state a letter shows, with accounts that hold theirs.
pub(crate) fn shown_state(page: &Page, it: &SubmissionView) -> StateName {
    it.state(|account| page.app.rooms.accounts.is_held(account))
}

pub(super) fn recipient_state(page: &Page, it: &RecipientView) -> StateName {
    it.state(|account| page.app.rooms.accounts.is_held(account))
}

pub(super) fn sender(page: &Page, it: &SubmissionView) -> String {
    it.from.as_ref().map_or_else(|| page.t.of("outbox.notice").to_owned(), ToString::to_string)
}

/// Why the letter is in the state it shows: the reason of the first recipient that is in it.
pub(super) fn because(page: &Page, it: &SubmissionView, state: StateName) -> Option<String> {
    let first = it.recipients.iter().find(|it| recipient_state(page, it) == state)?;
    match &first.delivery {
        Delivery::Held { because, .. } => Some(match because {
            HoldReason::ByHand => page.t.of("outbox.held_by_hand").to_owned(),
            HoldReason::NoAccount => page.t.of("outbox.held_no_account").to_owned(),
            HoldReason::Damaged => page.t.of("outbox.held_damaged").to_owned(),
        }),
        Delivery::Waiting { .. } | Delivery::Deferred { .. } if state == StateName::Held => {
            first.account.and_then(|account| page.app.rooms.accounts.held_reason(account))
        }
        Delivery::Deferred { because, .. } | Delivery::Failed { because } => Some(in_words(page, because)),
        Delivery::Waiting { .. } | Delivery::Sent | Delivery::Cancelled => None,
    }
}

/// A row names the diagnosis; people read what it says.
fn in_words(page: &Page, rule: &str) -> String {
    match page.app.rooms.accounts.providers().catalogue().find(rule) {
        Some(it) => format!("{} {}", it.cause, it.cure),
        None => rule.to_owned(),
    }
}

/// Characters of a provider's reply that are shown.
const WORDS_AT_MOST: usize = 600;

/// A provider's words, line by line, with what cannot be seen escaped.
pub(crate) fn visible(words: &[u8]) -> String {
    let lines = words.split(|byte| *byte == b'\n').map(|it| it.strip_suffix(b"\r").unwrap_or(it));
    let text = lines.map(|it| printable(it).to_string()).collect::<Vec<_>>().join("\n");
    let text = text.trim_end();
    match text.char_indices().nth(WORDS_AT_MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_writes_is_shown_line_by_line_and_escaped() {
        assert_eq!(
            visible(b"550-5.1.1 No such\r\n550 5.1.1 mailbox\r\n"),
            "550-5.1.1 No such\n550 5.1.1 mailbox"
        );
        assert_eq!(visible(b"\x1b[31m\xff\xe2\x80\xae"), "\\u{1b}[31m\\xff\\u{202e}");
        assert_eq!(visible(&b"4".repeat(2_000)).chars().count(), WORDS_AT_MOST + 1);
    }
}
