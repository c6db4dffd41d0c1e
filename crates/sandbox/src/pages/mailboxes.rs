//! The list of mailboxes, and one of them.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use gatepost_core::EmailAddress;
use gatepost_web::Moment;
use serde::Deserialize;

use super::account::{Switch, mailbox_link, switches};
use super::text::{count, path_segment, size};
use super::{Entry, Pages, not_found, show};
use crate::mailbox::MessageSummary;

/// The newest messages that one page shows.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "mailboxes.html")]
struct MailboxesPage {
    entry: Entry,
    mailboxes: Vec<MailboxRow>,
    smtp_host: String,
    smtp_port: u16,
    imap_port: u16,
    pop3_port: u16,
    certificate: String,
    wrong_address: Option<String>,
}

struct MailboxRow {
    address: String,
    link: String,
    n_messages: String,
    newest: Option<(String, Moment)>,
}

#[derive(Template)]
#[template(path = "mailbox.html")]
struct MailboxPage {
    entry: Entry,
    address: String,
    n_messages: String,
    messages: Vec<MessageRow>,
    n_older: usize,
    smtp_host: String,
    smtp_port: u16,
    link: String,
    is_signed_in: bool,
    n_app_passwords: String,
    n_grants: String,
    switches: Vec<Switch>,
}

struct MessageRow {
    link: String,
    from: String,
    subject: String,
    at: Moment,
    size: String,
}

#[derive(Deserialize)]
pub(super) struct OpenQuery {
    #[serde(default)]
    address: String,
}

pub(super) async fn list(State(pages): State<Pages>) -> Response {
    show(StatusCode::OK, &pages.list_page(None))
}

/// Leads to the mailbox somebody typed.
pub(super) async fn open(State(pages): State<Pages>, Query(query): Query<OpenQuery>) -> Response {
    match query.address.trim().parse::<EmailAddress>() {
        Ok(address) => {
            Redirect::to(&format!("/mailboxes/{}", path_segment(address.as_str()))).into_response()
        }
        Err(_) => show(StatusCode::BAD_REQUEST, &pages.list_page(Some(query.address))),
    }
}

pub(super) async fn mailbox(
    State(pages): State<Pages>,
    headers: HeaderMap,
    Path(address): Path<String>,
) -> Response {
    let Ok(address) = address.parse::<EmailAddress>() else { return not_found() };
    let messages = pages.provider.mailboxes.messages(&address);
    let folder = mailbox_link(&address);
    let credentials = pages.provider.mailboxes.credentials(&address);
    let n_grants = pages.provider.oauth.grants.list(Some(&address)).len();
    let page = MailboxPage {
        entry: Entry::Mailboxes,
        address: address.to_string(),
        n_messages: count(messages.len(), "letter"),
        messages: messages.iter().rev().take(SHOWN).map(|it| pages.row(&folder, it)).collect(),
        n_older: messages.len().saturating_sub(SHOWN),
        smtp_host: pages.ready.smtp.ip().to_string(),
        smtp_port: pages.ready.smtp.port(),
        is_signed_in: pages.provider.oauth.browsers.is_signed_in(&headers, &address),
        n_app_passwords: count(credentials.app_passwords().len(), "app password"),
        n_grants: count(n_grants, "application"),
        switches: switches(credentials.security()),
        link: folder,
    };
    show(StatusCode::OK, &page)
}

/// A letter without a subject must still be something to click on.
pub(super) fn subject_or(subject: &str) -> String {
    if subject.trim().is_empty() { "(no subject)".to_owned() } else { subject.to_owned() }
}

/// A letter may name no sender, and then still has a place for one.
pub(super) fn sender_or(from: &str) -> String {
    if from.is_empty() { "(no sender named)".to_owned() } else { from.to_owned() }
}

impl Pages {
    fn list_page(&self, wrong_address: Option<String>) -> MailboxesPage {
        let row = |it: crate::mailbox::MailboxOverview| MailboxRow {
            link: format!("/mailboxes/{}", path_segment(it.address.as_str())),
            address: it.address.to_string(),
            n_messages: count(it.n_messages, "letter"),
            newest: it.newest.map(|newest| (subject_or(&newest.subject), self.moment(newest.id))),
        };
        let mut mailboxes = self.provider.mailboxes.overview();
        // Where something came last is what somebody looks for.
        mailboxes.sort_by_key(|it| std::cmp::Reverse(it.newest.as_ref().map(|newest| newest.id)));
        MailboxesPage {
            entry: Entry::Mailboxes,
            mailboxes: mailboxes.into_iter().map(row).collect(),
            smtp_host: self.ready.smtp.ip().to_string(),
            smtp_port: self.ready.smtp.port(),
            imap_port: self.ready.imap.port(),
            pop3_port: self.ready.pop3.port(),
            certificate: self.ready.certificate.display().to_string(),
            wrong_address,
        }
    }

    fn row(&self, folder: &str, it: &MessageSummary) -> MessageRow {
        MessageRow {
            link: format!("{folder}/{}", it.id),
            from: sender_or(&it.from),
            subject: subject_or(&it.subject),
            at: self.moment(it.id),
            size: size(it.size_bytes),
        }
    }
}
