//! By which mail account a letter would leave.

use serde::{Deserialize, Serialize};

use super::table::table;

/// What would happen to a letter.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExplainedShown {
    /// Address of the mail account it would leave by.
    pub account: Option<String>,
    /// Why this one, or why none.
    pub because: String,
    /// Why it would be held, if it would.
    pub held: Option<String>,
    /// Why it would wait without being held, and until when, if it would.
    pub waits: Option<String>,
    /// Why it would be refused, if it would.
    pub refused: Option<String>,
    /// From which addresses it may come.
    pub may_send_as: Vec<String>,
    /// Where an account was looked for, in this order.
    pub considered: Vec<ConsideredShown>,
}

/// One place where an account was looked for.
#[derive(Debug, Serialize, Deserialize)]
pub struct ConsideredShown {
    /// Such as "the organisation's default".
    pub place: String,
    /// The account that stands there.
    pub account: Option<String>,
    /// none, removed, never_falls_back or chosen.
    pub verdict: String,
}

impl ExplainedShown {
    /// All of it for people.
    pub(crate) fn text(&self) -> String {
        let mut text = match (&self.account, &self.refused) {
            (Some(account), _) => format!("A letter would leave by {account}: {}.\n", self.because),
            (None, None) => format!("A letter would be accepted and held: {}.\n", self.because),
            (None, Some(why)) => format!("A letter would be refused: {why}.\n"),
        };
        if let (Some(held), Some(_)) = (&self.held, &self.account) {
            text.push_str(&format!("It would be held: {held}.\n"));
        }
        if let Some(waits) = &self.waits {
            text.push_str(&format!("It would wait: {waits}.\n"));
        }
        if !self.may_send_as.is_empty() {
            text.push_str(&format!("It may come from {}.\n", self.may_send_as.join(", ")));
        }
        if self.considered.is_empty() {
            return text.trim_end().to_owned();
        }
        let rows: Vec<[String; 3]> = self
            .considered
            .iter()
            .map(|it| {
                let account = it.account.clone().unwrap_or_else(|| "-".to_owned());
                [it.place.clone(), account, in_words(&it.verdict).to_owned()]
            })
            .collect();
        format!("{text}\n{}", table(["LOOKED FOR", "MAIL ACCOUNT", "RESULT"], &rows))
    }
}

fn in_words(verdict: &str) -> &str {
    match verdict {
        "none" => "there is none",
        "removed" => "was removed",
        "never_falls_back" => "was removed, never falls back",
        "chosen" => "this one",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_that_would_wait_is_told_so() {
        let shown = ExplainedShown {
            account: Some("second@example.org".into()),
            because: "this login belongs to the account".into(),
            held: None,
            waits: Some("Second (second@example.org) fails since 09:13 UTC".into()),
            refused: None,
            may_send_as: Vec::new(),
            considered: Vec::new(),
        };
        assert_eq!(
            shown.text(),
            "A letter would leave by second@example.org: this login belongs to the account.\n\
             It would wait: Second (second@example.org) fails since 09:13 UTC."
        );
    }
}
