//! Mail accounts.

use serde::{Deserialize, Serialize};

use super::table::table;
use super::{minute, plain};

/// A mail account and how it fares.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccountShown {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub short_name: String,
    /// The mailbox's address.
    pub address: String,
    /// Word of the provider.
    pub provider: String,
    /// Word of the status shown first.
    pub status: String,
    /// What is wrong, if something is.
    pub diagnosis: Option<DiagnosisShown>,
    /// Letters out.
    pub sending: DirectionShown,
    /// Letters in.
    pub reading: DirectionShown,
    /// The name that recipients see.
    pub author_name: String,
    /// What Gatepost signs in as.
    pub user_name: String,
    /// The mailbox it opens, where that is another.
    pub opens: Option<String>,
    /// All addresses that its letters may come from, its own first.
    pub send_as: Vec<String>,
    /// Whom it serves, in words.
    pub serves: String,
    /// Whose default it is, in the same words.
    pub default_of: Vec<String>,
    /// Server for sending.
    pub smtp: ServerShown,
    /// Server for reading.
    pub imap: Option<ServerShown>,
    /// Server for fetching.
    pub pop3: Option<ServerShown>,
    /// How many recipients wait for it.
    pub waiting: u64,
    /// Since when it is paused.
    pub paused_at: Option<String>,
    /// When it was added.
    pub created_at: String,
}

/// How one direction fares.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DirectionShown {
    /// A word.
    pub status: String,
    /// What is wrong, if something is.
    pub diagnosis: Option<DiagnosisShown>,
    /// Since when it is so.
    pub since: String,
    /// The provider's own words.
    pub reply: Option<String>,
}

/// Cause and cure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DiagnosisShown {
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub cure: String,
    /// Word for who can do it.
    pub who: String,
    /// The same in words.
    pub who_in_words: String,
    /// The catalogue's name for it.
    pub rule: String,
    /// Whether waiting helps: now, backoff, hold or permanent.
    pub retry: String,
}

/// A server of a provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerShown {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// starttls, implicit or none.
    pub tls: String,
}

/// A sign-in that has begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInShown {
    /// Its id.
    pub id: String,
    /// The mailbox's address.
    pub address: String,
    /// sign_in, app_password or password.
    pub method: String,
    /// What must be known about this way, if anything.
    pub note: Option<String>,
    /// The page to sign in on, where that is how.
    pub link: Option<String>,
    /// Whose page that is.
    pub service: Option<String>,
}

impl SignInShown {
    pub(crate) fn text(&self) -> String {
        let (service, link) = (self.service.as_deref().unwrap_or("the provider"), self.link.as_deref());
        format!(
            "Open this address in a browser, on any machine, and sign in at {service} as {}:\n\n{}\n\n\
             Afterwards the browser shows a page of Gatepost, or says that it cannot open one: either is fine.\n\
             Copy the whole address that it shows then, and paste it here within ten minutes:",
            self.address,
            link.unwrap_or_default()
        )
    }
}

/// One step of a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepShown {
    /// sending or reading.
    pub direction: String,
    /// What was tried, in a word.
    pub step: String,
    /// Whether it worked; null where nothing speaks against it, and it could not be seen either.
    pub ok: Option<bool>,
    /// How it went, in a word.
    pub outcome: String,
    /// What was tried, in words.
    pub text: String,
    /// What there is to know beside.
    pub note: Option<String>,
    /// What is wrong, if it did not.
    pub diagnosis: Option<DiagnosisShown>,
    /// The provider's own words, if it did not.
    pub reply: Option<String>,
}

impl StepShown {
    pub(crate) fn text(&self) -> String {
        let reply = self
            .reply
            .as_deref()
            .map_or_else(String::new, |it| format!("\n  the provider said {}", plain(it)));
        let note = self.note.as_deref().map_or_else(String::new, |it| format!("\n  {it}"));
        let sign = match self.ok {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "?",
        };
        format!("{sign} {}{note}{reply}", self.text)
    }
}

impl DiagnosisShown {
    pub(super) fn text(&self) -> String {
        format!(
            "  What is wrong    {}\n  What to do       {}\n  Who can do it    {}",
            self.cause, self.cure, self.who_in_words
        )
    }
}

impl AccountShown {
    /// "✓ Connected", "✗ Needs sign-in since 2026-11-21 09:12".
    fn standing(&self) -> String {
        let (sign, words) = match self.status.as_str() {
            "connected" => ("✓", "Connected"),
            "needs_sign_in" => ("✗", "Needs sign-in"),
            "failing" => ("✗", "Failing"),
            "paused" => ("–", "Paused"),
            _ => ("?", "Not checked yet"),
        };
        let since = self.paused_at.as_ref().unwrap_or(&self.sending.since);
        match self.status.as_str() {
            "unchecked" => format!("{sign} {words}"),
            _ => format!("{sign} {words} since {} UTC", minute(since)),
        }
    }

    fn next_command(&self) -> String {
        match self.status.as_str() {
            "paused" => format!("gatepost account resume {}", self.address),
            "connected" => format!("gatepost app-password create --account {} --name NAME", self.address),
            "needs_sign_in" => format!("gatepost account reauthenticate {}", self.address),
            _ => format!("gatepost account check {}", self.address),
        }
    }

    /// All of it for people.
    pub(crate) fn text(&self) -> String {
        let server = |it: &ServerShown| {
            let host = if it.host.contains(':') { format!("[{}]", it.host) } else { it.host.clone() };
            format!("{host}:{} ({})", it.port, it.tls)
        };
        let mut text = format!("{} ({})\n\n  {}\n", self.short_name, self.address, self.standing());
        if let Some(diagnosis) = &self.diagnosis {
            text.push_str(&format!("{}\n", diagnosis.text()));
        }
        if let Some(reply) = &self.sending.reply {
            text.push_str(&format!("  The provider said {}\n", plain(reply)));
        }
        text.push_str(&format!("  Letters waiting  {}\n\n", self.waiting));
        for (name, value) in [
            ("Provider", Some(self.provider.clone())),
            ("Author name", Some(self.author_name.clone()).filter(|it| !it.is_empty())),
            ("User name", Some(self.user_name.clone())),
            ("Opens", self.opens.clone()),
            ("Serves", Some(self.serves.clone())),
            ("Default of", Some(self.default_of.join(", ")).filter(|it| !it.is_empty())),
            ("May send as", (self.send_as.len() > 1).then(|| self.send_as.join(", "))),
            ("Sending", Some(server(&self.smtp))),
            ("Reading", self.imap.as_ref().map(server)),
            ("Fetching", self.pop3.as_ref().map(server)),
        ] {
            if let Some(value) = value {
                text.push_str(&format!("  {name:<16} {value}\n"));
            }
        }
        format!("{text}\nNext: {}", self.next_command())
    }
}

/// The list for people.
pub(crate) fn accounts_text(all: &[AccountShown]) -> String {
    if all.is_empty() {
        return "There is no mail account yet. Connect one with: gatepost account add --help".to_owned();
    }
    let rows: Vec<[String; 5]> = all
        .iter()
        .map(|it| {
            [
                it.short_name.clone(),
                it.address.clone(),
                it.provider.clone(),
                it.standing(),
                it.waiting.to_string(),
            ]
        })
        .collect();
    let mut text = table(["NAME", "ADDRESS", "PROVIDER", "STATUS", "WAITING"], &rows);
    if let Some(troubled) = all.iter().find(|it| it.diagnosis.is_some()) {
        text.push_str(&format!("\n\nNext: gatepost account show {}", troubled.address));
    }
    text
}
