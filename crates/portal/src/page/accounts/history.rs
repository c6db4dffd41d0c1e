//! What happened to an account, in words, newest first.

use gatepost_accounts::{Direction, MailAccount, StatusName};
use gatepost_journal::{PastEntry, newest_about};
use gatepost_web::Moment;
use serde_json::Value;

use super::whom::Whom;
use crate::frame::{App, Page, Problem};
use crate::page::badge::{Badge, Shape};

/// One thing that happened.
pub(super) struct Past {
    pub(super) badge: Badge,
    pub(super) at: Moment,
    /// Who did it; nothing where Gatepost noticed by itself.
    pub(super) who: Option<String>,
    /// Why, or what it was, where that is known.
    pub(super) cause: Option<String>,
}

/// Entries that are shown.
const SHOWN: u32 = 50;

pub(super) async fn history(
    app: &App,
    page: &Page,
    account: &MailAccount,
    whom: &Whom,
) -> Result<Vec<Past>, Problem> {
    let entries = newest_about(&app.rooms.store, account.organisation, account.id.uuid(), SHOWN).await?;
    Ok(entries.iter().map(|it| past(page, it, whom)).collect())
}

fn past(page: &Page, it: &PastEntry, whom: &Whom) -> Past {
    let details: Value = serde_json::from_str(&it.details).unwrap_or_default();
    let (badge, cause) = match it.action.as_str() {
        "mail_account.status_changed" => status_changed(page, &details),
        "mail_account.connection_ended" => connection_ended(page, &details),
        action => (Badge::new("calm", Shape::Dot, page.t.of(done(action, &details))), None),
    };
    Past { badge, at: page.moment(it.at), who: who(page, it, whom), cause }
}

/// What somebody did; an action of a later version is at least dated.
fn done(action: &str, details: &Value) -> &'static str {
    match action {
        "mail_account.added" if details["proven"] == false => "accounts.past_added_unchecked",
        "mail_account.added" => "accounts.past_added",
        "mail_account.paused" => "accounts.past_paused",
        "mail_account.resumed" => "accounts.past_resumed",
        "mail_account.edited" => "accounts.past_edited",
        "mail_account.made_default" => "accounts.past_default",
        "mail_account.credential_replaced" | "mail_account.reauthenticated" => "accounts.past_signed_in",
        "mail_account.servers_changed" => "accounts.past_servers",
        "mail_account.removed" => "accounts.past_removed",
        _ => "accounts.past_other",
    }
}

/// `Sending: Needs sign-in`, with the cause.
fn status_changed(page: &Page, details: &Value) -> (Badge, Option<String>) {
    let word = |key: &str| details.get(key).and_then(Value::as_str).unwrap_or_default();
    let all = [
        StatusName::Connected,
        StatusName::NeedsSignIn,
        StatusName::Failing,
        StatusName::Unchecked,
        StatusName::Paused,
    ];
    let status = all.into_iter().find(|it| it.word() == word("to")).unwrap_or(StatusName::Unchecked);
    let mut badge = Badge::of_account(page.t, status);
    let is_reading = word("direction") == Direction::Reading.word();
    let direction = page.t.of(if is_reading { "accounts.reading" } else { "accounts.sending" });
    badge.word = format!("{direction}: {}", badge.word);
    let cause = page.app.rooms.accounts.providers().catalogue().find(word("rule")).map(|it| it.cause.clone());
    (badge, cause)
}

/// What was cut off: `Thunderbird, by IMAP from 192.168.1.40`.
fn connection_ended(page: &Page, details: &Value) -> (Badge, Option<String>) {
    let t = page.t;
    let word = |key: &str| details.get(key).and_then(Value::as_str);
    let values = [
        ("name", word("name").unwrap_or_else(|| t.of("accounts.open_unnamed"))),
        ("protocol", word("protocol").unwrap_or_default()),
        ("source", word("source").unwrap_or_default()),
    ];
    let what = t.fill("accounts.past_ended_what", &values);
    (Badge::new("calm", Shape::Dot, t.of("accounts.past_ended")), Some(what))
}

fn who(page: &Page, it: &PastEntry, whom: &Whom) -> Option<String> {
    match (it.actor.as_str(), it.actor_id) {
        ("person", Some(id)) => {
            let id = gatepost_core::PersonId::from_uuid(id);
            whom.person(id).map(|it| it.name.clone())
        }
        ("command", _) => Some(page.t.of("accounts.by_command").to_owned()),
        _ => None,
    }
}
