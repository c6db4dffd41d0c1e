//! FETCH: what of which messages.

use gatepost_core::EmailAddress;
use gatepost_wire::imap::{FetchItem, FetchWriter, NumberSet, Section, SectionOf};

use super::folder::{flags_of, names};
use super::letter::Text;
use super::session::Session;
use crate::mailbox::NumberedLetter;
use crate::session::{Conversation as _, Step};

impl Session<'_> {
    pub(super) async fn cmd_fetch(
        &mut self,
        tag: &str,
        owner: &EmailAddress,
        is_uid: bool,
        set: &NumberSet,
        mut items: Vec<FetchItem>,
    ) -> Step {
        // RFC 9051 §6.4.9: UID FETCH says the unique id whether it was asked for or not.
        if is_uid && !items.contains(&FetchItem::Uid) {
            items.insert(0, FetchItem::Uid);
        }
        let is_read_only = self.view().is_some_and(|it| it.is_read_only);
        let marks = !is_read_only && items.iter().any(marks_as_seen);
        for (number, mut letter) in self.view().map(|it| it.find(set, is_uid)).unwrap_or_default() {
            let is_new = marks && !letter.flags.iter().any(|it| it == "\\Seen");
            if is_new {
                letter.flags.push("\\Seen".to_owned());
                let changes = vec![(letter.summary.id, letter.flags.clone())];
                if !self.set_flags(tag, owner, changes).await? {
                    return Ok(());
                }
                self.note_flags(&letter.uid, &letter.flags);
            }
            let needs_text = items.iter().any(|it| !is_known_without_text(it));
            let text = if needs_text {
                // Another session may have removed it; then nothing is said of it, and an EXPUNGE follows.
                let found = self.provider.mailboxes.find_message(owner, letter.summary.id);
                let Some((_, path)) = found else { continue };
                let Ok(bytes) = tokio::fs::read(&path).await else { continue };
                Some(Text(bytes))
            } else {
                None
            };
            self.connection.queue(&write(number, &letter, &items, text.as_ref()));
            if is_new && !items.contains(&FetchItem::Flags) {
                self.connection.queue(&flags_of(number, &letter));
            }
            self.flush().await?;
        }
        self.done(tag, owner, "done").await
    }
}

fn write(number: u32, letter: &NumberedLetter, items: &[FetchItem], text: Option<&Text>) -> Vec<u8> {
    let mut writer = FetchWriter::new(number);
    let mut out = Vec::new();
    let mut put = |writer: &mut FetchWriter, bytes: &[u8]| {
        out.extend_from_slice(&writer.take());
        out.extend_from_slice(bytes);
    };
    for item in items {
        match (item, text) {
            (FetchItem::Uid, _) => writer.uid(letter.uid),
            (FetchItem::Flags, _) => writer.flags(&names(&letter.flags)),
            (FetchItem::InternalDate, _) => writer.arrived_at(letter.summary.id.received_at()),
            (FetchItem::Size, _) => writer.size(letter.summary.size_bytes),
            (FetchItem::Envelope, Some(text)) => writer.item("ENVELOPE", &text.envelope()),
            (FetchItem::Structure { is_extended }, Some(text)) => {
                writer.item(if *is_extended { "BODYSTRUCTURE" } else { "BODY" }, &text.structure());
            }
            (FetchItem::Section { section, partial, .. }, Some(text)) => {
                let whole = text.section(section);
                let bytes = match partial {
                    Some((from, n_bytes)) => cut(&whole, *from, *n_bytes),
                    None => &whole,
                };
                writer.text(section, partial.map(|(from, _)| from), bytes.len() as u64);
                put(&mut writer, bytes);
            }
            (FetchItem::Rfc822 | FetchItem::Rfc822Header | FetchItem::Rfc822Text, Some(text)) => {
                let (name, of) = match item {
                    FetchItem::Rfc822Header => ("RFC822.HEADER", SectionOf::Header),
                    FetchItem::Rfc822Text => ("RFC822.TEXT", SectionOf::Text),
                    _ => ("RFC822", SectionOf::All),
                };
                let bytes = text.section(&Section { part: Vec::new(), of });
                writer.old_text(name, bytes.len() as u64);
                put(&mut writer, &bytes);
            }
            (_, None) => {}
        }
    }
    out.extend_from_slice(&writer.finish());
    out
}

/// RFC 9051 §6.4.5: from an octet on, so many of them at most.
fn cut(bytes: &[u8], from: u32, n_bytes: u32) -> &[u8] {
    let at = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    let from = at(from).min(bytes.len());
    let end = from.saturating_add(at(n_bytes)).min(bytes.len());
    bytes.get(from..end).unwrap_or_default()
}

fn marks_as_seen(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Section { is_peek: false, .. } | FetchItem::Rfc822 | FetchItem::Rfc822Text)
}

fn is_known_without_text(item: &FetchItem) -> bool {
    matches!(item, FetchItem::Uid | FetchItem::Flags | FetchItem::InternalDate | FetchItem::Size)
}
