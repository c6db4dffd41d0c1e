//! SEARCH: which messages are like that.

use gatepost_core::{EmailAddress, Timestamp};
use gatepost_wire::imap::{SearchKey, ServerResponse};
use mail_parser::MessageParser;

use super::folder::count;
use super::letter::Text;
use super::session::Session;
use crate::mailbox::NumberedLetter;
use crate::session::Step;

/// What the numbers of a set are measured by.
#[derive(Clone, Copy)]
struct Largest {
    number: u32,
    uid: u32,
}

/// One message that is looked at.
struct Candidate<'a> {
    number: u32,
    letter: &'a NumberedLetter,
    /// None where nothing asks for it.
    text: Option<Text>,
}

impl Session<'_> {
    pub(super) async fn cmd_search(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        is_uid: bool,
        key: &SearchKey,
    ) -> Step {
        let letters = self.view().map(|it| it.letters.clone()).unwrap_or_default();
        let largest = Largest { number: count(letters.len()), uid: letters.last().map_or(0, |it| it.uid) };
        let mut found = Vec::new();
        for (letter, number) in letters.iter().zip(1u32..) {
            let mut candidate = Candidate { number, letter, text: None };
            if needs_text(key)
                && let Some((_, path)) = self.provider.mailboxes.find_message(owner, letter.summary.id)
            {
                candidate.text = tokio::fs::read(&path).await.ok().map(Text);
            }
            if is_like(key, &candidate, largest) {
                found.push(if is_uid { letter.uid } else { number });
            }
        }
        self.say(&ServerResponse::search(&found));
        self.done(tag, owner, "done").await
    }
}

fn needs_text(key: &SearchKey) -> bool {
    match key {
        SearchKey::And(keys) => keys.iter().any(needs_text),
        SearchKey::Or(one, other) => needs_text(one) || needs_text(other),
        SearchKey::Not(key) => needs_text(key),
        SearchKey::Header(..)
        | SearchKey::Body(_)
        | SearchKey::Text(_)
        | SearchKey::SentBefore(_)
        | SearchKey::SentOn(_)
        | SearchKey::SentSince(_) => true,
        SearchKey::All
        | SearchKey::Numbers(_)
        | SearchKey::Uids(_)
        | SearchKey::Flag(_)
        | SearchKey::Before(_)
        | SearchKey::On(_)
        | SearchKey::Since(_)
        | SearchKey::Larger(_)
        | SearchKey::Smaller(_) => false,
    }
}

fn is_like(key: &SearchKey, it: &Candidate<'_>, largest: Largest) -> bool {
    let arrived = it.letter.summary.id.received_at().day();
    let size_bytes = it.letter.summary.size_bytes;
    match key {
        SearchKey::All => true,
        SearchKey::And(keys) => keys.iter().all(|key| is_like(key, it, largest)),
        SearchKey::Or(one, other) => is_like(one, it, largest) || is_like(other, it, largest),
        SearchKey::Not(key) => !is_like(key, it, largest),
        SearchKey::Numbers(set) => set.contains(it.number, largest.number),
        SearchKey::Uids(set) => set.contains(it.letter.uid, largest.uid),
        SearchKey::Flag(flag) => it.letter.flags.iter().any(|it| it.eq_ignore_ascii_case(flag)),
        SearchKey::Header(name, text) => it.has_field(name, text),
        SearchKey::Body(text) => it.text.as_ref().is_some_and(|it| holds(it.body(), text)),
        SearchKey::Text(text) => it.text.as_ref().is_some_and(|it| holds(&it.0, text)),
        SearchKey::Before(day) => arrived < day.day(),
        SearchKey::On(day) => arrived == day.day(),
        SearchKey::Since(day) => arrived >= day.day(),
        SearchKey::SentBefore(day) => it.sent_day().is_some_and(|it| it < day.day()),
        SearchKey::SentOn(day) => it.sent_day() == Some(day.day()),
        SearchKey::SentSince(day) => it.sent_day().is_some_and(|it| it >= day.day()),
        SearchKey::Larger(n_bytes) => size_bytes > u64::from(*n_bytes),
        SearchKey::Smaller(n_bytes) => size_bytes < u64::from(*n_bytes),
    }
}

impl Candidate<'_> {
    /// Also by what the field says once it is decoded, for those that the summary has.
    fn has_field(&self, name: &str, text: &str) -> bool {
        let summary = &self.letter.summary;
        let decoded = match name.to_ascii_lowercase().as_str() {
            "subject" => summary.subject.as_str(),
            "from" => &summary.from,
            "to" => &summary.to,
            _ => "",
        };
        let fields = self.text.as_ref().map(Text::header_fields).unwrap_or_default();
        let mut values =
            fields.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.any(|it| holds(it.as_bytes(), text))
            || (!decoded.is_empty() && holds(decoded.as_bytes(), text))
    }

    fn sent_day(&self) -> Option<i64> {
        let message = MessageParser::default().parse_headers(&self.text.as_ref()?.0)?;
        let seconds = message.date()?.to_timestamp();
        Some(Timestamp::from_millis(seconds.saturating_mul(1_000)).day())
    }
}

/// In any case of letters (RFC 9051 §6.4.4).
fn holds(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).to_lowercase().contains(&text.to_lowercase())
}
