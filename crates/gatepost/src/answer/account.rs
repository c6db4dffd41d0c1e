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
    /// How it signs in: sign_in, app_password or password.
    pub method: Option<String>,
    /// Whose page it signs in on, where that is how.
    pub service: Option<String>,
    /// The mailbox it opens, where that is another.
    pub opens: Option<String>,
    /// Once it is gone, its letters wait instead of leaving by another account.
    pub never_falls_back: bool,
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

/// What removing an account ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct RemovalShown {
    /// What people call it.
    pub short_name: String,
    /// The mailbox's address.
    pub address: String,
    /// How many recipients wait for it; while there are any, it is not removed.
    pub waiting: u64,
    /// Names of the app passwords that sign in as it.
    pub app_passwords: Vec<String>,
    /// Whose default it is, in words.
    pub default_of: Vec<String>,
}

impl RemovalShown {
    /// Before it is done.
    pub(crate) fn text(&self) -> String {
        let mut text =
            format!("{} ({})\n\n  Letters waiting  {}\n", self.short_name, self.address, self.waiting);
        let stops = match self.app_passwords.as_slice() {
            [] => "none".to_owned(),
            all => all.join(", "),
        };
        text.push_str(&format!("  App passwords that stop: {stops}\n"));
        if !self.default_of.is_empty() {
            text.push_str(&format!("  Default of       {}\n", self.default_of.join(", ")));
        }
        text
    }
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
    /// How many recipients wait for the account.
    pub waiting: u64,
}

impl SignInShown {
    /// Once the sign-in has worked.
    pub(crate) fn waiting_text(&self) -> String {
        match self.waiting {
            1 => "\nThe letter that waited leaves now by itself.\n".to_owned(),
            n => format!("\nThe {n} letters that waited leave now by themselves, in their order.\n"),
        }
    }

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
            None if self.outcome == "warning" => "!",
            None => "?",
        };
        format!("{sign} {}{note}{reply}", self.text)
    }
}

impl DirectionShown {
    fn standing(&self) -> String {
        let words = match self.status.as_str() {
            "connected" => "✓ Connected",
            "needs_sign_in" => "✗ Needs sign-in",
            "failing" => "✗ Failing",
            _ => return "? Not checked yet".to_owned(),
        };
        format!("{words} since {} UTC", minute(&self.since))
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
    /// Sending in words, and reading where there is a server for that: "✓ Connected since 2026-11-21 09:12 UTC".
    fn standings(&self) -> [Option<String>; 2] {
        let has_reading = self.imap.is_some() || self.pop3.is_some();
        let one = |it: &DirectionShown| match &self.paused_at {
            Some(at) => format!("– Paused since {} UTC", minute(at)),
            None => it.standing(),
        };
        [Some(one(&self.sending)), has_reading.then(|| one(&self.reading))]
    }

    /// "sign-in at Google", "app password".
    fn signs_in_by(&self) -> Option<String> {
        Some(match (self.method.as_deref()?, &self.service) {
            ("sign_in", Some(service)) => format!("sign-in at {service}"),
            ("sign_in", None) => "sign-in at the provider".to_owned(),
            ("app_password", _) => "app password".to_owned(),
            _ => "password".to_owned(),
        })
    }

    pub(crate) fn next_command(&self) -> String {
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
        let mut text = format!("{} ({})\n\n", self.short_name, self.address);
        let [sending, reading] = self.standings();
        let directions = [("Sending", sending, &self.sending), ("Reading", reading, &self.reading)];
        let mut last: Option<&str> = None;
        for (name, standing, it) in directions {
            let Some(standing) = standing else { continue };
            text.push_str(&format!("  {name:<16} {standing}\n"));
            // What is wrong with both is said once.
            if let Some(diagnosis) = it.diagnosis.as_ref().filter(|it| last != Some(&it.rule)) {
                text.push_str(&format!("{}\n", diagnosis.text()));
                last = Some(&diagnosis.rule);
                if let Some(reply) = &it.reply {
                    text.push_str(&format!("  The provider said {}\n", plain(reply)));
                }
            }
        }
        text.push_str(&format!("  Letters waiting  {}\n\n", self.waiting));
        for (name, value) in [
            ("Provider", Some(self.provider.clone())),
            ("Author name", Some(self.author_name.clone()).filter(|it| !it.is_empty())),
            ("User name", Some(self.user_name.clone())),
            ("Signs in by", self.signs_in_by()),
            ("Opens", self.opens.clone()),
            ("Serves", Some(self.serves.clone())),
            ("Default of", Some(self.default_of.join(", ")).filter(|it| !it.is_empty())),
            (
                "Falls back",
                self.never_falls_back.then(|| "never: once it is removed, its letters wait".to_owned()),
            ),
            ("May send as", (self.send_as.len() > 1).then(|| self.send_as.join(", "))),
            ("SMTP", Some(server(&self.smtp))),
            ("IMAP", self.imap.as_ref().map(server)),
            ("POP3", self.pop3.as_ref().map(server)),
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
    let dash = || "–".to_owned();
    let rows: Vec<[String; 7]> = all
        .iter()
        .map(|it| {
            let [sending, reading] = it.standings();
            [
                it.short_name.clone(),
                it.address.clone(),
                it.provider.clone(),
                sending.unwrap_or_else(dash),
                reading.unwrap_or_else(dash),
                it.waiting.to_string(),
                if it.default_of.is_empty() { dash() } else { it.default_of.join(", ") },
            ]
        })
        .collect();
    let head = ["NAME", "ADDRESS", "PROVIDER", "SENDING", "READING", "WAITING", "DEFAULT OF"];
    let mut text = table(head, &rows);
    if let Some(troubled) = all.iter().find(|it| it.diagnosis.is_some()) {
        text.push_str(&format!("\n\nNext: gatepost account show {}", troubled.address));
    }
    text
}
