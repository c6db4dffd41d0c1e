//! One sentence that the next page begins with, such as "The password was changed".

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How serious an alert is, as a class of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something was done.
    Good,
    /// Something should be looked at.
    Warn,
    /// Something was not done.
    Bad,
}

/// A sentence at the head of a page. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) tone: Tone,
    pub(crate) words: String,
}

impl Alert {
    pub(crate) fn good(words: impl Into<String>) -> Self {
        Self { tone: Tone::Good, words: words.into() }
    }

    pub(crate) fn warn(words: impl Into<String>) -> Self {
        Self { tone: Tone::Warn, words: words.into() }
    }

    pub(crate) fn bad(words: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, words: words.into() }
    }
}

/// How long a sentence waits for the page behind a redirect.
const WAITS: Duration = Duration::from_secs(60);

/// Browsers for which one waits.
const MOST: usize = 4_096;

/// Sentences on their way to the next page of a browser, by its visitor cookie.
#[derive(Default)]
pub(crate) struct Alerts {
    waiting: Mutex<HashMap<String, (Instant, Vec<Alert>)>>,
}

impl Alerts {
    pub(crate) fn leave(&self, visitor: &str, alerts: Vec<Alert>) {
        if alerts.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, (until, _)| *until > now);
        if waiting.len() >= MOST && !waiting.contains_key(visitor) {
            // The oldest gives way, so that browsers nobody sits at keep no sentence from anybody.
            let oldest = waiting.iter().min_by_key(|(_, (until, _))| *until).map(|(it, _)| it.clone());
            oldest.and_then(|it| waiting.remove(&it));
        }
        let entry = waiting.entry(visitor.to_owned()).or_insert((now, Vec::new()));
        entry.0 = now + WAITS;
        entry.1.extend(alerts);
        entry.1.truncate(4);
    }

    pub(crate) fn take(&self, visitor: &str) -> Vec<Alert> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let found = waiting.remove(visitor);
        found.filter(|(until, _)| *until > Instant::now()).map(|(_, alerts)| alerts).unwrap_or_default()
    }
}
