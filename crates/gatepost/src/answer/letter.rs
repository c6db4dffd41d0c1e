//! Letters in the outbox.

use serde::{Deserialize, Serialize};

use super::account::DiagnosisShown;
use super::table::table;
use super::{minute, plain};

/// One letter.
#[derive(Debug, Serialize, Deserialize)]
pub struct LetterShown {
    /// Its id.
    pub id: String,
    /// Its Message-ID.
    pub message_id: String,
    /// waiting, deferred, held, sent, failed or cancelled.
    pub state: String,
    /// Why, where that is not plain.
    pub because: Option<String>,
    /// What holds it, in a word, where it is held: by_hand, no_account, damaged; else the status of the mail account it waits
    /// for. Absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
    /// Cause and cure, where a refusal of the provider is the reason.
    pub diagnosis: Option<DiagnosisShown>,
    /// Address of the mail account it leaves by.
    pub account: Option<String>,
    /// Its sender; none for a bounce.
    pub from: Option<String>,
    /// To whom.
    pub recipients: Vec<RecipientShown>,
    /// What was tried; absent in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<AttemptShown>>,
    /// When the application was told that it is safe.
    pub accepted_at: String,
    /// When it is tried next.
    pub next_attempt_at: Option<String>,
    /// Its size.
    pub size_bytes: u64,
    /// Address of the application that handed it in.
    pub client: String,
}

/// One recipient.
#[derive(Debug, Serialize, Deserialize)]
pub struct RecipientShown {
    /// Where to.
    pub address: String,
    /// Where it stands.
    pub state: String,
    /// Whether it may have arrived once more than is known.
    pub uncertain: bool,
    /// The provider's last words about it, without the line end.
    pub reply: Option<String>,
}

/// One try, for one recipient.
#[derive(Debug, Serialize, Deserialize)]
pub struct AttemptShown {
    /// When.
    pub at: String,
    /// For whom.
    pub recipient: String,
    /// What came of it, in a word.
    pub result: String,
    /// The provider's words, without the line end.
    pub reply: Option<String>,
}

impl LetterShown {
    /// All of it for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("Letter {}\n\n  {:<14} {}\n", self.id, "State", self.state);
        let mut field = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                text.push_str(&format!("  {name:<14} {value}\n"));
            }
        };
        field("Because", self.because.clone());
        field("From", Some(self.from.clone().unwrap_or_else(|| "Gatepost (a bounce)".to_owned())));
        field("Mail account", self.account.clone());
        field("Message-ID", Some(plain(&self.message_id)));
        field("Accepted", Some(format!("{} UTC from {}", minute(&self.accepted_at), plain(&self.client))));
        let waits = matches!(self.state.as_str(), "waiting" | "deferred");
        field(
            "Next attempt",
            self.next_attempt_at.as_deref().filter(|_| waits).map(|at| format!("{} UTC", minute(at))),
        );
        text.push_str("\nTo\n");
        for it in &self.recipients {
            let mark = if it.uncertain { " (may have arrived twice)" } else { "" };
            text.push_str(&format!("  {}  {}{mark}\n", it.address, it.state));
        }
        let attempts = self.attempts.as_deref().unwrap_or_default();
        if !attempts.is_empty() {
            text.push_str("\nWhat happened\n");
        }
        for it in attempts {
            let reply = it.reply.as_deref().map_or_else(String::new, |reply| format!(": {}", plain(reply)));
            text.push_str(&format!("  {}  {}  {}{reply}\n", minute(&it.at), it.recipient, it.result));
        }
        match self.next_command() {
            Some(next) => format!("{text}\nNext: {next}"),
            None => text.trim_end().to_owned(),
        }
    }

    /// What cures it: a letter that waits for its account leaves by itself once the account works, and not before.
    fn next_command(&self) -> Option<String> {
        let account =
            |command: &str| Some(format!("gatepost account {command} {}", self.account.as_deref()?));
        match (self.state.as_str(), self.held_by.as_deref()) {
            ("failed" | "deferred", _) => Some(format!("gatepost outbox retry {}", self.id)),
            ("held", Some("by_hand")) => Some(format!("gatepost outbox release {}", self.id)),
            ("held", Some("no_account")) => Some("gatepost account add --help".to_owned()),
            ("held", Some("paused")) => account("resume"),
            ("held", Some("needs_sign_in")) => account("reauthenticate"),
            ("held", Some("damaged")) => Some(format!("gatepost outbox cancel {}", self.id)),
            ("held", _) => account("check"),
            _ => None,
        }
    }
}

/// The list for people.
pub(crate) fn letters_text(all: &[LetterShown], more: bool) -> String {
    if all.is_empty() {
        return "No letters here.".to_owned();
    }
    let rows: Vec<[String; 5]> = all
        .iter()
        .map(|it| {
            let first = it.recipients.first().map_or("", |it| it.address.as_str());
            let others = it.recipients.len().saturating_sub(1);
            [
                minute(&it.accepted_at),
                it.state.clone(),
                it.from.clone().unwrap_or_else(|| "(bounce)".to_owned()),
                if others == 0 { first.to_owned() } else { format!("{first} and {others} more") },
                it.id.clone(),
            ]
        })
        .collect();
    let mut text = table(["ACCEPTED (UTC)", "STATE", "FROM", "TO", "ID"], &rows);
    if more {
        text.push_str(&format!("\nThe newest {}. For more: gatepost outbox list --limit N", all.len()));
    }
    text.push_str("\n\nNext: gatepost outbox show ID");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_command_is_one_that_helps() {
        let next = |state: &str, held_by: Option<&str>| {
            let letter = LetterShown {
                id: "ID".into(),
                message_id: "<m@example.org>".into(),
                state: state.into(),
                because: None,
                held_by: held_by.map(str::to_owned),
                diagnosis: None,
                account: Some("a@example.org".into()),
                from: None,
                recipients: Vec::new(),
                attempts: None,
                accepted_at: "2026-11-22T10:00:00Z".into(),
                next_attempt_at: None,
                size_bytes: 1,
                client: "127.0.0.1".into(),
            };
            letter.text().split_once("Next: gatepost ").map(|(_, next)| next.to_owned())
        };
        for (state, held_by, want) in [
            ("held", Some("by_hand"), Some("outbox release ID")),
            ("held", Some("no_account"), Some("account add --help")),
            ("held", Some("damaged"), Some("outbox cancel ID")),
            ("held", Some("needs_sign_in"), Some("account reauthenticate a@example.org")),
            ("held", Some("paused"), Some("account resume a@example.org")),
            ("held", Some("connected"), Some("account check a@example.org")),
            ("failed", None, Some("outbox retry ID")),
            ("deferred", None, Some("outbox retry ID")),
            ("sent", None, None),
        ] {
            assert_eq!(next(state, held_by).as_deref(), want, "{state} {held_by:?}");
        }
    }
}
