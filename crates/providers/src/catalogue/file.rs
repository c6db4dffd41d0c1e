//! A data file of the catalogue, as serde sees it.

use std::time::Duration;

use gatepost_core::{Diagnosis, RetryClass, Who};
use serde::Deserialize;

use super::rule::Rule;
use crate::{DataError, Phase, key};

/// What a file says.
pub(super) struct Read {
    /// In order.
    pub(super) rules: Vec<Rule>,
    /// The words for what is no answer.
    pub(super) troubles: Vec<Diagnosis>,
}

pub(super) fn read(file: CatalogueFile) -> Result<Read, DataError> {
    if file.schema != 1 {
        return Err(DataError::Contradiction(format!("the catalogue has schema {}, not 1", file.schema)));
    }
    let rules = file.reply.into_iter().map(ReplyEntry::rule).collect::<Result<_, _>>()?;
    let troubles = file.trouble.into_iter().map(Verdict::diagnosis).collect::<Result<_, _>>()?;
    Ok(Read { rules, troubles })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CatalogueFile {
    schema: u32,
    pub(crate) reply: Vec<ReplyEntry>,
    #[serde(default)]
    trouble: Vec<Verdict>,
}

/// A rule about replies. It repeats the fields of [`Verdict`], because serde cannot refuse unknown keys beside a
/// flattened struct.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplyEntry {
    pub(crate) id: String,
    pub(crate) provider: String,
    #[serde(default)]
    elsewhere: bool,
    #[serde(default)]
    phases: Vec<PhaseWord>,
    pattern: String,
    retry: RetryWord,
    at_least_minutes: Option<u64>,
    who: WhoWord,
    cause: String,
    cure: String,
    pub(crate) samples: Vec<Sample>,
}

/// Words as a provider says them: a line, or the members of an OAuth error.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Sample {
    Line(String),
    OAuth(OAuthSample),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OAuthSample {
    pub(crate) error: String,
    pub(crate) suberror: Option<String>,
    #[serde(default)]
    pub(crate) codes: Vec<u32>,
    pub(crate) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    id: String,
    retry: RetryWord,
    at_least_minutes: Option<u64>,
    who: WhoWord,
    cause: String,
    cure: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RetryWord {
    Now,
    Backoff,
    Hold,
    Permanent,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhoWord {
    Owner,
    ProviderAdministrator,
    AppOwner,
    Sender,
    Recipient,
    Provider,
    Operator,
    Gatepost,
}

/// The phases as the file names them.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PhaseWord {
    Greeting,
    Hello,
    StartTls,
    Auth,
    Mail,
    Recipient,
    Data,
    Message,
}

impl From<PhaseWord> for Phase {
    fn from(word: PhaseWord) -> Self {
        match word {
            PhaseWord::Greeting => Self::Greeting,
            PhaseWord::Hello => Self::Hello,
            PhaseWord::StartTls => Self::StartTls,
            PhaseWord::Auth => Self::Auth,
            PhaseWord::Mail => Self::Mail,
            PhaseWord::Recipient => Self::Recipient,
            PhaseWord::Data => Self::Data,
            PhaseWord::Message => Self::Message,
        }
    }
}

impl ReplyEntry {
    /// The phases it speaks of; none means all.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.phases.iter().copied().map(Phase::from).collect()
    }

    pub(super) fn rule(self) -> Result<Rule, DataError> {
        let phases = self.phases();
        if self.samples.is_empty() {
            return Err(DataError::Contradiction(format!("rule {} has no sample to prove it", self.id)));
        }
        let pattern = key::pattern(&self.pattern)
            .map_err(|source| DataError::Pattern { rule: self.id.clone(), source: Box::new(source) })?;
        let diagnosis = Verdict {
            id: self.id,
            retry: self.retry,
            at_least_minutes: self.at_least_minutes,
            who: self.who,
            cause: self.cause,
            cure: self.cure,
        }
        .diagnosis()?;
        Ok(Rule {
            phases,
            provider: (self.provider != "any").then_some(self.provider),
            is_known_elsewhere: self.elsewhere,
            is_own: false,
            pattern,
            diagnosis,
        })
    }
}

impl Verdict {
    fn diagnosis(self) -> Result<Diagnosis, DataError> {
        if self.at_least_minutes.is_some() && self.retry != RetryWord::Backoff {
            return Err(DataError::Contradiction(format!(
                "rule {} names a wait, which only backoff has",
                self.id
            )));
        }
        let retry = match self.retry {
            RetryWord::Now => RetryClass::Now,
            RetryWord::Backoff => {
                let minutes = self.at_least_minutes.unwrap_or(0);
                RetryClass::Backoff { at_least: Duration::from_secs(minutes.saturating_mul(60)) }
            }
            RetryWord::Hold => RetryClass::Hold,
            RetryWord::Permanent => RetryClass::Permanent,
        };
        let who = match self.who {
            WhoWord::Owner => Who::Owner,
            WhoWord::ProviderAdministrator => Who::ProviderAdministrator,
            WhoWord::AppOwner => Who::AppOwner,
            WhoWord::Sender => Who::Sender,
            WhoWord::Recipient => Who::Recipient,
            WhoWord::Provider => Who::Provider,
            WhoWord::Operator => Who::Operator,
            WhoWord::Gatepost => Who::Gatepost,
        };
        Ok(Diagnosis { rule: self.id, cause: self.cause, cure: self.cure, who, retry })
    }
}
