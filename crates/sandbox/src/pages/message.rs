//! One message.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use gatepost_core::{EmailAddress, printable};
use gatepost_web::Moment;
use mail_parser::{MessageParser, MimeHeaders as _};

use super::mailboxes::{sender_or, subject_or};
use super::text::{path_segment, size};
use super::{Entry, Pages, not_found, show};
use crate::mailbox::{MessageSummary, SHOWN_AT_MOST, read_start};

/// Octets of text on a page. More makes browsers slow and nobody reads it.
const TEXT_AT_MOST: usize = 256 << 10;

/// Attachments that are named.
const ATTACHMENTS_AT_MOST: usize = 100;

#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage {
    entry: Entry,
    mailbox: String,
    mailbox_link: String,
    raw_link: String,
    subject: String,
    from: String,
    to: String,
    at: Moment,
    size: String,
    content: Content,
}

/// What a message holds, as text.
#[derive(Default)]
struct Content {
    /// The header block as it came, made visible.
    headers: String,
    text: String,
    is_from_html: bool,
    is_cut: bool,
    attachments: Vec<Attachment>,
}

struct Attachment {
    name: String,
    kind: String,
    size: String,
}

pub(super) async fn message(
    State(pages): State<Pages>,
    Path((address, id)): Path<(String, String)>,
) -> Response {
    let (Ok(address), Ok(id)) = (address.parse::<EmailAddress>(), id.parse()) else { return not_found() };
    let Some((summary, path)) = pages.provider.mailboxes.find_message(&address, id) else {
        return not_found();
    };
    // Reading and parsing take a while for a large message.
    let reading = tokio::task::spawn_blocking(move || {
        read_start(&path, SHOWN_AT_MOST).map(|bytes| Content::read(&bytes))
    });
    match reading.await {
        Ok(Ok(content)) => show(StatusCode::OK, &page(&pages, &address, summary, content)),
        Ok(Err(error)) => {
            tracing::error!(%error, message.id = %summary.id, "a message cannot be read");
            not_found()
        }
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn page(pages: &Pages, address: &EmailAddress, it: MessageSummary, mut content: Content) -> MessagePage {
    content.is_cut |= it.size_bytes > SHOWN_AT_MOST as u64;
    let segment = path_segment(address.as_str());
    MessagePage {
        entry: Entry::Mailboxes,
        mailbox: address.to_string(),
        mailbox_link: format!("/mailboxes/{segment}"),
        raw_link: format!("/api/mailboxes/{segment}/messages/{}/raw", it.id),
        subject: subject_or(&it.subject),
        from: sender_or(&it.from),
        // An application may leave out its To; the mailbox it lies in is then the best there is.
        to: if it.to.is_empty() { address.to_string() } else { it.to },
        at: pages.moment(it.id),
        size: size(it.size_bytes),
        content,
    }
}

impl Content {
    fn read(bytes: &[u8]) -> Self {
        let mut content = Self { headers: headers(bytes), ..Self::default() };
        let Some(message) = MessageParser::default().parse(bytes) else { return content };
        let texts: Vec<_> = (0..message.text_body_count()).filter_map(|at| message.body_text(at)).collect();
        content.text = texts.join("\n\n");
        content.is_from_html = message.text_bodies().any(|part| part.is_text_html());
        if content.text.len() > TEXT_AT_MOST {
            let end = content.text.floor_char_boundary(TEXT_AT_MOST);
            content.text.truncate(end);
            content.is_cut = true;
        }
        let attachment = |part: &mail_parser::MessagePart<'_>| Attachment {
            name: part.attachment_name().unwrap_or("(without a name)").to_owned(),
            kind: part.content_type().map(kind).unwrap_or_default(),
            size: size(part.contents().len() as u64),
        };
        content.attachments = message.attachments().take(ATTACHMENTS_AT_MOST).map(attachment).collect();
        content
    }
}

fn kind(it: &mail_parser::ContentType<'_>) -> String {
    match it.subtype() {
        Some(subtype) => format!("{}/{subtype}", it.ctype()),
        None => it.ctype().to_owned(),
    }
}

/// The header block, one line each, with what cannot be seen escaped.
fn headers(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.split(|byte| *byte == b'\n').take(1_000) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        // A folded line begins with a blank, which is no danger.
        let (indent, rest) = match line {
            [b'\t', rest @ ..] => ("    ", rest),
            _ => ("", line),
        };
        text.push_str(indent);
        text.push_str(&printable(rest).to_string());
        text.push('\n');
        if text.len() > TEXT_AT_MOST {
            break;
        }
    }
    text
}
