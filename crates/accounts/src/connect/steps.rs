//! The steps of a draft's check as their column has them.

use gatepost_core::Timestamp;
use gatepost_providers::Catalogue;
use serde::{Deserialize, Serialize};

use crate::check::{Outcome, Progress, Step, Taken};
use crate::status::Direction;

/// How much of a provider's words is kept.
const REPLY_BYTES: usize = 2_048;

#[derive(Serialize, Deserialize)]
struct Stored {
    taken: Vec<StoredStep>,
    under_way: Option<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct StoredStep {
    direction: String,
    step: String,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<Vec<u8>>,
    #[serde(default)]
    in_sent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

pub(super) fn text(it: &Progress) -> String {
    let taken = it.taken.iter().map(StoredStep::from).collect();
    let under_way =
        it.under_way.map(|(direction, step)| (direction.word().to_owned(), step.word().to_owned()));
    serde_json::to_string(&Stored { taken, under_way })
        .expect("texts and numbers can always be written as JSON")
}

/// `None` if no version of this program has written it.
pub(super) fn read(text: &str, catalogue: &Catalogue) -> Option<Progress> {
    let Stored { taken, under_way } = serde_json::from_str(text).ok()?;
    let taken = taken.into_iter().map(|it| it.taken(catalogue)).collect::<Option<Vec<Taken>>>()?;
    let under_way = match under_way {
        Some((direction, step)) => Some((direction.parse().ok()?, step.parse().ok()?)),
        None => None,
    };
    Some(Progress { taken, under_way })
}

impl From<&Taken> for StoredStep {
    fn from(it: &Taken) -> Self {
        let (rule, reply) = match &it.outcome {
            Outcome::Failed { diagnosis, reply } => {
                let words = reply.as_ref().map(|it| it[..it.len().min(REPLY_BYTES)].to_vec());
                (Some(diagnosis.rule.clone()), words)
            }
            _ => (None, None),
        };
        Self {
            direction: it.direction.word().to_owned(),
            step: it.step.word().to_owned(),
            outcome: it.outcome.word().to_owned(),
            rule,
            reply,
            in_sent: matches!(it.outcome, Outcome::NotSeen { in_sent: true }),
            until: match it.outcome {
                Outcome::Waits { until } => Some(until.millis()),
                _ => None,
            },
        }
    }
}

impl StoredStep {
    fn taken(self, catalogue: &Catalogue) -> Option<Taken> {
        let outcome = match self.outcome.as_str() {
            "passed" => Outcome::Passed,
            "passed_in_junk" => Outcome::PassedInJunk,
            "not_seen" => Outcome::NotSeen { in_sent: self.in_sent },
            "failed" => Outcome::Failed {
                diagnosis: Box::new(catalogue.find(&self.rule?)?.clone()),
                reply: self.reply,
            },
            "waits" => Outcome::Waits { until: Timestamp::from_millis(self.until?) },
            "not_reached" => Outcome::NotReached,
            _ => return None,
        };
        let direction: Direction = self.direction.parse().ok()?;
        Some(Taken { direction, step: self.step.parse::<Step>().ok()?, outcome })
    }
}

#[cfg(test)]
mod tests {
    use gatepost_providers::Providers;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let providers = Providers::embedded();
        let catalogue = providers.catalogue();
        let failed = |reply: Option<&[u8]>| Outcome::Failed {
            diagnosis: Box::new(catalogue.find("oauth-busy").unwrap().clone()),
            reply: reply.map(<[u8]>::to_vec),
        };
        let outcomes = [
            Outcome::Passed,
            Outcome::PassedInJunk,
            Outcome::NotSeen { in_sent: true },
            Outcome::NotSeen { in_sent: false },
            failed(None),
            failed(Some(b"535 \xff")),
            Outcome::Waits { until: Timestamp::from_millis(1_795_000_000_000) },
            Outcome::NotReached,
        ];
        let taken: Vec<Taken> = outcomes
            .into_iter()
            .map(|outcome| Taken { direction: Direction::Reading, step: Step::MaySend, outcome })
            .collect();
        for under_way in [None, Some((Direction::Sending, Step::Resolve))] {
            let it = Progress { taken: taken.clone(), under_way };
            assert_eq!(read(&text(&it), catalogue), Some(it));
        }
        assert_eq!(read("{}", catalogue), None);
    }
}
