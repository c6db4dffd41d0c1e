//! App passwords.

use serde::{Deserialize, Serialize};

use super::minute;
use super::table::table;

/// A new app password, with its letters: shown once.
#[derive(Serialize, Deserialize)]
pub struct AppPasswordMade {
    /// Its id.
    pub id: String,
    /// Which application or device it is for.
    pub name: String,
    /// What is typed beside it.
    pub user_name: String,
    /// Four groups of four letters.
    pub password: String,
    /// The doors it opens.
    pub allow: Vec<String>,
    /// Where it works; everywhere if empty.
    pub networks: Vec<String>,
    /// Whether letters with bare LF are repaired.
    pub repair_line_ends: bool,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// What it may read and cannot.
    #[serde(default)]
    pub missing: Vec<MissingShown>,
}

/// What an application will not be able to read.
#[derive(Serialize, Deserialize)]
pub struct MissingShown {
    /// What is missing, and what to do.
    pub text: String,
    /// The command that does it, where there is one.
    pub command: Option<String>,
}

/// An app password in a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct AppPasswordShown {
    /// Its id.
    pub id: String,
    /// Which application or device it is for.
    pub name: String,
    /// What is typed beside it.
    pub user_name: String,
    /// The doors it opens.
    pub allow: Vec<String>,
    /// Where it works; everywhere if empty.
    pub networks: Vec<String>,
    /// Whether letters with bare LF are repaired.
    pub repair_line_ends: bool,
    /// When it was made.
    pub created_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// When it was last used, give or take a few seconds.
    pub last_use: Option<LastUseShown>,
}

/// The last use of an app password.
#[derive(Debug, Serialize, Deserialize)]
pub struct LastUseShown {
    /// When.
    pub at: String,
    /// From which address.
    pub from: String,
    /// At which door.
    pub protocol: String,
}

impl AppPasswordMade {
    /// The letters in the middle, the rest around them.
    pub(crate) fn text(&self) -> String {
        let limits = limits(&self.allow, &self.networks, self.expires_at.as_deref());
        let missing: String = self.missing.iter().map(MissingShown::text).collect();
        format!(
            "App password for {}\n\n    user name  {}\n    password   {}\n\nYou will not see this password again. {limits}\n{missing}End it with: gatepost app-password revoke {}",
            self.name, self.user_name, self.password, self.id
        )
    }
}

impl MissingShown {
    fn text(&self) -> String {
        let command = self.command.as_ref().map_or_else(String::new, |it| format!("Next: {it}\n"));
        format!("\n{}\n{command}\n", self.text)
    }
}

fn limits(allow: &[String], networks: &[String], expires_at: Option<&str>) -> String {
    let mut text = format!("It opens {}", allow.join(", "));
    if !networks.is_empty() {
        text.push_str(&format!(" from {}", networks.join(", ")));
    }
    if let Some(at) = expires_at {
        text.push_str(&format!(" until {} UTC", minute(at)));
    }
    text.push('.');
    text
}

/// The list for people.
pub(crate) fn app_passwords_text(all: &[AppPasswordShown]) -> String {
    if all.is_empty() {
        return "There is no app password yet. Make one with: gatepost app-password create --account ADDRESS --name NAME".to_owned();
    }
    let rows: Vec<[String; 6]> = all
        .iter()
        .map(|it| {
            let last_use = it.last_use.as_ref();
            [
                it.name.clone(),
                it.user_name.clone(),
                it.allow.join(","),
                last_use.map_or_else(
                    || "never".to_owned(),
                    |used| format!("{} from {}", minute(&used.at), used.from),
                ),
                it.expires_at.as_deref().map_or_else(|| "-".to_owned(), minute),
                it.id.clone(),
            ]
        })
        .collect();
    table(["NAME", "USER NAME", "OPENS", "LAST USE (UTC)", "EXPIRES", "ID"], &rows)
}
