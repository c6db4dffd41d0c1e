//! The diagnosis catalogue: from evidence to cause and cure.

use std::collections::HashSet;
use std::sync::LazyLock;

use gatepost_core::{Diagnosis, RetryClass};
use gatepost_wire::smtp::Reply;
use regex::bytes::Regex;

use crate::catalogue_file;
use crate::{DataError, Evidence, Phase, Protocol, Trouble};

/// How much of a reply is judged. Real ones are under 1 KiB; what a hostile server adds behind this changes nothing.
const JUDGED_BYTES: usize = 8 * 1024;

/// All that is known about refusals. Made once; [`Catalogue::embedded`] is the one that the program carries.
#[derive(Debug)]
pub struct Catalogue {
    replies: Vec<ReplyRule>,
    troubles: Vec<Diagnosis>,
}

/// One rule about replies.
#[derive(Debug)]
pub(crate) struct ReplyRule {
    /// `None`: any provider.
    pub(crate) provider: Option<String>,
    pub(crate) is_known_elsewhere: bool,
    /// Empty: at any point.
    pub(crate) phases: Vec<Phase>,
    pub(crate) pattern: Regex,
    pub(crate) diagnosis: Diagnosis,
}

impl Catalogue {
    /// The catalogue that was compiled in.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
            Catalogue::from_toml(include_str!("../data/smtp.toml"))
                .expect("the embedded data is loaded by a test")
        });
        &CATALOGUE
    }

    /// Reads a catalogue, and refuses it if a key, a pattern, a name or a word is not as it should be.
    pub fn from_toml(text: &str) -> Result<Self, DataError> {
        let (replies, troubles) = catalogue_file::read(text)?;
        let mut names = HashSet::new();
        for it in replies.iter().map(|rule| &rule.diagnosis).chain(&troubles) {
            if !names.insert(it.rule.as_str()) {
                return Err(DataError::Contradiction(format!("two rules are named {}", it.rule)));
            }
        }
        for it in Trouble::ALL {
            if !troubles.iter().any(|have| have.rule == it.rule()) {
                return Err(DataError::Contradiction(format!("no words for {}", it.rule())));
            }
        }
        // Where neither provider nor text is known, the last rules must answer, or there would be no diagnosis at all.
        if !replies.last().is_some_and(|rule| rule.provider.is_none() && rule.pattern.is_match(b"")) {
            return Err(DataError::Contradiction("the last rule does not match everything".into()));
        }
        Ok(Self { replies, troubles })
    }

    /// What it means. There is always an answer; takes time linear in the text, whatever the text (SC-12).
    #[must_use]
    pub fn diagnose(&self, evidence: &Evidence<'_>) -> Diagnosis {
        match *evidence {
            Evidence::Trouble(trouble) => self.trouble(trouble),
            Evidence::Reply { protocol: Protocol::Smtp, provider_kind, phase, code, enhanced, text } => {
                let subject = subject(code, enhanced, text);
                // A kind that no rule speaks of (custom hosts, the sandbox) is as good as unknown.
                let provider_kind = provider_kind
                    .filter(|kind| self.replies.iter().any(|it| it.provider.as_deref() == Some(kind)));
                let rule = self
                    .replies
                    .iter()
                    .find(|it| it.concerns(provider_kind, phase, code) && it.pattern.is_match(&subject));
                rule.or(self.replies.last())
                    .map(|it| it.diagnosis.clone())
                    .expect("a catalogue is not made without a last rule")
            }
        }
    }

    /// What a reply of an SMTP server means.
    #[must_use]
    pub fn diagnose_reply(&self, provider_kind: Option<&str>, phase: Phase, reply: &Reply) -> Diagnosis {
        let text = reply.text_joined();
        self.diagnose(&Evidence::Reply {
            protocol: Protocol::Smtp,
            provider_kind,
            phase,
            code: reply.code,
            enhanced: reply.enhanced,
            // Behind the code, which is put in front below.
            text: text.get(3..).unwrap_or_default().as_bytes(),
        })
    }

    /// What it means that there was no reply.
    #[must_use]
    pub fn diagnose_trouble(&self, trouble: Trouble) -> Diagnosis {
        self.diagnose(&Evidence::Trouble(trouble))
    }

    /// The diagnosis that a rule gives, for a rule's name read back from a row. Absent if this version has no such rule.
    #[must_use]
    pub fn find(&self, rule: &str) -> Option<&Diagnosis> {
        self.replies.iter().map(|it| &it.diagnosis).chain(&self.troubles).find(|it| it.rule == rule)
    }

    fn trouble(&self, trouble: Trouble) -> Diagnosis {
        self.find(trouble.rule()).cloned().expect("a catalogue is not made without words for every trouble")
    }
}

impl ReplyRule {
    fn concerns(&self, provider_kind: Option<&str>, phase: Phase, code: u16) -> bool {
        let is_refusal = (500..600).contains(&code);
        let fits = match self.diagnosis.retry {
            // RFC 4954 §6: 454 says nothing about the credential; RFC 5321 §4.2.1: a 4yz is no final refusal of a letter.
            RetryClass::Hold => is_refusal,
            // Nothing up to AUTH is about a letter, so nothing said there fails one.
            RetryClass::Permanent => is_refusal && phase >= Phase::Mail,
            RetryClass::Now | RetryClass::Backoff { .. } => true,
        };
        fits && (self.phases.is_empty() || self.phases.contains(&phase))
            && self.speaks_of(provider_kind, phase)
    }

    fn speaks_of(&self, provider_kind: Option<&str>, phase: Phase) -> bool {
        match (self.provider.as_deref(), provider_kind) {
            (None, _) => true,
            (Some(rule), Some(kind)) => rule == kind,
            // From RCPT on, an unknown host may quote what a recipient's server said to it. That must not hold an account.
            (Some(_), None) => {
                self.is_known_elsewhere && (phase <= Phase::Mail || self.diagnosis.retry != RetryClass::Hold)
            }
        }
    }
}

/// What patterns are matched against: `CODE ENHANCED text`, with one space wherever there was white space or a line end,
/// and the enhanced code, which servers repeat on every line, only once.
fn subject(code: u16, enhanced: Option<(u16, u16, u16)>, text: &[u8]) -> Vec<u8> {
    let mut subject = code.to_string().into_bytes();
    let enhanced = enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"));
    let words = text[..text.len().min(JUDGED_BYTES)]
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty() && enhanced.as_ref().is_none_or(|it| it.as_bytes() != *word));
    for word in enhanced.iter().map(String::as_bytes).chain(words) {
        subject.push(b' ');
        subject.extend_from_slice(word);
    }
    if subject.len() == 3 {
        // A bare code still ends in a space, as patterns such as `^4\d\d[ -]` expect.
        subject.push(b' ');
    }
    subject
}

#[cfg(test)]
mod tests;
