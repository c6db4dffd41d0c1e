//! From a notice to the words of its letter.

use gatepost_core::{SecretText, Timestamp, printable};
use gatepost_journal::{NoticeKind, OpenNotice};

use crate::schedule::{is_about_link, link_life};
use crate::texts::{Texts, Values};

/// The longest value from a notice, in characters: a name has 100.
const LONGEST_VALUE: usize = 200;

/// What the letter says beside what the notice holds.
pub(crate) struct Beside<'a> {
    /// The organisation's name, where it is known.
    pub(crate) organisation: Option<&'a str>,
    /// The link with its token.
    pub(crate) link: Option<&'a SecretText>,
}

/// The words of a letter.
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) paragraphs: Vec<String>,
}

pub(crate) fn compose(texts: &Texts, notice: &OpenNotice, beside: &Beside<'_>) -> Words {
    let letter = texts.letter(notice.kind);
    let mut values = values(notice, beside);
    let facts: Vec<String> =
        texts.facts.iter().chain(&letter.facts).filter_map(|line| values.fill(line)).collect();
    values.set("facts", facts.join("\n"));
    let ending = match beside.link {
        _ if is_about_link(notice.kind) => None,
        Some(_) => Some(letter.not_me.as_ref().unwrap_or(&texts.not_me)),
        None => Some(&texts.without_link),
    };
    Words {
        subject: values.fill(&letter.subject).unwrap_or_default(),
        paragraphs: letter.paragraphs.iter().chain(ending).filter_map(|it| values.fill(it)).collect(),
    }
}

fn values(notice: &OpenNotice, beside: &Beside<'_>) -> Values {
    let mut values = Values::default();
    // The address of a contact is not yet the person's own: whose account it is for is told only if the notice says so.
    if notice.kind != NoticeKind::Contact
        && let Some(first) = notice.addresses.first()
    {
        values.set("account", safe(first.as_str()));
    }
    for (name, value) in notice.details.as_object().into_iter().flatten() {
        if let Some(text) = value.as_str().filter(|it| !it.trim().is_empty()) {
            values.set(name, safe(text));
        }
    }
    // Behind the details, which cannot take their place.
    if let Some(name) = beside.organisation {
        values.set("organisation", safe(name));
    }
    values.set("when", clock_time(notice.created_at));
    values.set("until", clock_time(notice.created_at + link_life(notice.kind)));
    if let Some(link) = beside.link {
        values.set("link", link.reveal().to_owned());
    }
    values
}

/// One line of visible characters, however it was typed (API-4).
fn safe(text: &str) -> String {
    let line = printable(text.trim().as_bytes()).to_string();
    let mut safe: String = line.chars().take(LONGEST_VALUE).collect();
    if safe.len() < line.len() {
        safe.push('…');
    }
    safe
}

/// `2026-11-21 09:12 UTC`, which reads alike in every language.
fn clock_time(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {} UTC", text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default())
}
