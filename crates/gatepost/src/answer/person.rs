//! People.

use serde::{Deserialize, Serialize};

use super::minute;
use super::table::table;

/// A person in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct PersonShown {
    /// Their id.
    pub id: String,
    /// The address they sign in with.
    pub address: String,
    /// What people call them.
    pub name: String,
    /// `administrator` or `operator`.
    pub role: String,
    /// `invited` (no password yet), `active` or `disabled`.
    pub state: String,
    /// Whether two-step verification is on.
    pub two_step: bool,
    /// When they were added.
    pub created_at: String,
    /// When they last signed in.
    pub signed_in_at: Option<String>,
}

/// A person, and the link to hand over to them: shown once.
#[derive(Serialize, Deserialize)]
pub struct PersonLink {
    /// Their id.
    pub id: String,
    /// The address they sign in with.
    pub address: String,
    /// What people call them.
    pub name: String,
    /// `administrator` or `operator`.
    pub role: String,
    /// What it is for: `set_up`, `invitation` or `password_reset`.
    pub kind: String,
    /// Opens the page on which they choose their password; works once.
    pub link: String,
    /// When it is over.
    pub expires_at: String,
}

impl PersonLink {
    /// After `gatepost person add`.
    pub(crate) fn invited_text(&self) -> String {
        let letter = match self.role.as_str() {
            // It would lie in the sent folder of the mailbox that sends it.
            "administrator" => "An administrator's invitation is handed over and never mailed.",
            _ => "A letter with a link goes to that address as soon as a mail account can send it.",
        };
        format!(
            "Added {} ({}) as {}. {letter}\n\n{}\n\nNew link: gatepost person reset-password {}",
            self.name,
            self.address,
            self.role,
            self.link_text(),
            self.address
        )
    }

    /// After `gatepost person reset-password`.
    pub(crate) fn reset_text(&self) -> String {
        let after = match self.kind.as_str() {
            "password_reset" => {
                "\n\nUntil then the old password works. Two-step verification stays as it is."
            }
            _ => "",
        };
        format!("{}{after}", self.link_text())
    }

    fn link_text(&self) -> String {
        format!(
            "With this link {} chooses a password. Hand it over in a safe way: it works once, until {} UTC.\n\n    {}",
            self.name,
            minute(&self.expires_at),
            self.link
        )
    }
}

/// The list for people.
pub(crate) fn people_text(all: &[PersonShown]) -> String {
    let rows: Vec<[String; 6]> = all
        .iter()
        .map(|it| {
            [
                it.name.clone(),
                it.address.clone(),
                it.role.clone(),
                it.state.clone(),
                if it.two_step { "on" } else { "off" }.to_owned(),
                it.signed_in_at.as_deref().map_or_else(|| "never".to_owned(), minute),
            ]
        })
        .collect();
    table(["NAME", "ADDRESS", "ROLE", "STATE", "TWO-STEP", "SIGNED IN (UTC)"], &rows)
}
