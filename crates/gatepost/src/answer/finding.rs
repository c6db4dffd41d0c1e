//! What `gatepost check` finds.

use serde::{Deserialize, Serialize};

use super::plain;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingShown {
    /// What was looked at.
    pub subject: String,
    /// How it is.
    pub level: Level,
    /// What was found, with the cure where something is wrong.
    pub text: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Good,
    /// It works, and somebody should know.
    Warning,
    /// It does not work.
    Wrong,
}

impl FindingShown {
    pub(crate) fn new(subject: &str, level: Level, text: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), level, text: text.into() }
    }

    pub(crate) fn text(&self) -> String {
        let sign = match self.level {
            Level::Good => "✓",
            Level::Warning => "!",
            Level::Wrong => "✗",
        };
        format!("{sign} {:<14} {}", self.subject, plain(&self.text))
    }
}
