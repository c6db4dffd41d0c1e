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
        match next_command(&self.state, self.account.as_deref()) {
            Some(next) => format!("{text}\nNext: {next} {}", self.id),
            None => text.trim_end().to_owned(),
        }
    }
}

fn next_command(state: &str, account: Option<&str>) -> Option<&'static str> {
    match (state, account) {
        ("failed" | "deferred", _) => Some("gatepost outbox retry"),
        ("held", Some(_)) => Some("gatepost outbox release"),
        _ => None,
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
