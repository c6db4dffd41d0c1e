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

#[cfg(test)]
mod tests {
    use super::*;

    fn one(words: &str) -> Vec<Alert> {
        vec![Alert::good(words)]
    }

    #[tokio::test(start_paused = true)]
    async fn browsers_nobody_sits_at_keep_no_sentence_from_anybody() {
        let alerts = Alerts::default();
        alerts.leave("earlier", one("earlier"));
        tokio::time::advance(Duration::from_millis(1)).await;
        for n in 0..MOST - 1 {
            alerts.leave(&format!("flood {n}"), one("your session is over"));
        }
        tokio::time::advance(Duration::from_millis(1)).await;
        // All places are taken. Each new one takes the oldest's, and a browser that has one keeps its own.
        alerts.leave("anna", one("the password was changed"));
        alerts.leave("anna", one("and a device was forgotten"));
        assert_eq!(alerts.waiting.lock().unwrap().len(), MOST);
        for n in 0..MOST - 1 {
            alerts.leave(&format!("more {n}"), one("your session is over"));
        }
        assert_eq!(alerts.waiting.lock().unwrap().len(), MOST);
        assert_eq!(alerts.take("earlier"), [], "the oldest gave way");
        let both = [one("the password was changed"), one("and a device was forgotten")].concat();
        assert_eq!(alerts.take("anna"), both);
        assert_eq!(alerts.take("anna"), [], "once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sentence_waits_a_minute_for_its_own_browser() {
        let alerts = Alerts::default();
        alerts.leave("anna", one("done"));
        assert_eq!(alerts.take("bert"), []);
        tokio::time::advance(WAITS).await;
        assert_eq!(alerts.take("anna"), []);
    }
}
