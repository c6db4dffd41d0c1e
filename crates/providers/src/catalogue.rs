//! The diagnosis catalogue: from evidence to cause and cure.
//!
//! Of the 142 rules that were collected from providers' documents and from what their servers were seen to say, 139 stand in
//! the five files under the names that they were collected under (SMTP 64, IMAP 16, POP3 7, OAuth 32, HTTP 20), and 3 in another
//! form: TLS trouble as the troubles about encryption and certificates, the states of a device code as two rules, missing
//! scopes as two troubles.

mod file;
pub(crate) mod overrule;
mod rule;
mod sample;
mod subject;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashSet;

use gatepost_core::{Diagnosis, MailProtocol};
use gatepost_wire::smtp::Reply;
use gatepost_wire::{imap, pop3};

use self::file::{CatalogueFile, Read};
use self::rule::{Kind, Rule, is_for_the_moment, says_who_must_act};
use crate::{DataError, Evidence, OAuthTrouble, Phase, Trouble};

/// All that is known about refusals. That of an installation is [`crate::Providers::catalogue`].
#[derive(Debug)]
pub struct Catalogue {
    smtp: Vec<Rule>,
    imap: Vec<Rule>,
    pop3: Vec<Rule>,
    oauth: Vec<Rule>,
    http: Vec<Rule>,
    troubles: Vec<Diagnosis>,
    /// Rules that the configuration has switched off. They judge nothing more; rows may still name them.
    off: Vec<Diagnosis>,
}

/// The texts of the five data files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'a> {
    pub(crate) smtp: &'a str,
    pub(crate) imap: &'a str,
    pub(crate) pop3: &'a str,
    pub(crate) oauth: &'a str,
    pub(crate) http: &'a str,
}

impl Files<'static> {
    pub(crate) const EMBEDDED: Self = Self {
        smtp: include_str!("../data/smtp.toml"),
        imap: include_str!("../data/imap.toml"),
        pop3: include_str!("../data/pop3.toml"),
        oauth: include_str!("../data/oauth_errors.toml"),
        http: include_str!("../data/http.toml"),
    };
}

impl Catalogue {
    /// The catalogue that was compiled in.
    #[cfg(test)]
    pub(crate) fn embedded() -> &'static Self {
        static CATALOGUE: std::sync::LazyLock<Catalogue> =
            std::sync::LazyLock::new(|| Catalogue::read(Files::EMBEDDED).unwrap());
        &CATALOGUE
    }

    /// Reads a catalogue, and refuses it if a key, a pattern, a name or a word is not as it should be.
    pub(crate) fn read(files: Files<'_>) -> Result<Self, DataError> {
        let Files { smtp, imap, pop3, oauth, http } = files;
        let file = |text: &str| toml::from_str::<CatalogueFile>(text);
        Self::build([file(smtp)?, file(imap)?, file(pop3)?, file(oauth)?, file(http)?])
    }

    /// The same from files that were taken apart already: SMTP, IMAP, POP3, OAuth, HTTP.
    fn build([smtp, imap, pop3, oauth, http]: [CatalogueFile; 5]) -> Result<Self, DataError> {
        let Read { rules: smtp, mut troubles } = file::read(smtp)?;
        let Read { rules: imap, troubles: of_imap } = file::read(imap)?;
        let Read { rules: pop3, troubles: of_pop3 } = file::read(pop3)?;
        let Read { rules: oauth, troubles: of_oauth } = file::read(oauth)?;
        let Read { rules: http, troubles: of_http } = file::read(http)?;
        troubles.extend(of_imap.into_iter().chain(of_pop3).chain(of_oauth).chain(of_http));
        let it = Self { smtp, imap, pop3, oauth, http, troubles, off: Vec::new() };
        it.names_are_unique()?;
        let needed =
            Trouble::ALL.iter().map(|it| it.rule()).chain(OAuthTrouble::ALL.iter().map(|it| it.rule()));
        for rule in needed {
            if !it.troubles.iter().any(|have| have.rule == rule) {
                return Err(DataError::Contradiction(format!("no words for {rule}")));
            }
        }
        for rules in [&it.smtp, &it.imap, &it.pop3, &it.oauth, &it.http] {
            // Where neither provider nor text is known, the last rule must answer, or there would be no diagnosis at all.
            if !rules.last().is_some_and(Rule::matches_everything) {
                return Err(DataError::Contradiction("the last rule does not match everything".into()));
            }
        }
        for rules in [&it.imap, &it.pop3, &it.oauth] {
            if let Some(rule) = rules.iter().find(|it| it.is_permanent()) {
                let name = &rule.diagnosis.rule;
                return Err(DataError::Contradiction(format!(
                    "rule {name} fails a letter, and there is none"
                )));
            }
        }
        Ok(it)
    }

    fn names_are_unique(&self) -> Result<(), DataError> {
        let mut names = HashSet::new();
        match self.all().find(|it| !names.insert(it.rule.as_str())) {
            Some(twice) => Err(DataError::Contradiction(format!("two rules are named {}", twice.rule))),
            None => Ok(()),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Diagnosis> {
        let rules = [&self.smtp, &self.imap, &self.pop3, &self.oauth, &self.http].into_iter().flatten();
        rules.map(|it| &it.diagnosis).chain(&self.troubles)
    }

    /// What it means. There is always an answer; takes time linear in the text, whatever the text (SC-12).
    #[must_use]
    pub fn diagnose(&self, evidence: &Evidence<'_>) -> Diagnosis {
        match *evidence {
            Evidence::Trouble(trouble) => self.words_for(trouble.rule()),
            Evidence::OAuthTrouble(trouble) => self.words_for(trouble.rule()),
            Evidence::Smtp { provider_kind, phase, code, enhanced, text } => {
                let subject = subject::smtp(code, enhanced, text);
                judge(&self.smtp, provider_kind, &subject, |rule, kind| {
                    rule.concerns_reply(kind, phase, code)
                })
            }
            Evidence::Imap { provider_kind, phase, status, code, text } => {
                let subject = subject::status(status, code, text);
                let may_hold = !(status.eq_ignore_ascii_case("BYE") || code.is_some_and(is_for_the_moment));
                judge(&self.imap, provider_kind, &subject, |rule, kind| {
                    rule.concerns_status(kind, phase, may_hold)
                })
            }
            Evidence::Pop3 { provider_kind, phase, code, text } => {
                let subject = subject::status("-ERR", code, text);
                let may_hold = !code.is_some_and(is_for_the_moment);
                judge(&self.pop3, provider_kind, &subject, |rule, kind| {
                    rule.concerns_status(kind, phase, may_hold)
                })
            }
            Evidence::Http { provider_kind, status, text } => {
                let subject = subject::smtp(status, None, text);
                judge(&self.http, provider_kind, &subject, |rule, kind| rule.concerns_request(kind))
            }
            Evidence::OAuth { provider_kind, error, text } => {
                let subject = subject::oauth(error, text);
                let holds = says_who_must_act(error);
                judge(&self.oauth, provider_kind, &subject, |rule, kind| rule.concerns_grant(kind, holds))
            }
        }
    }

    /// What a reply of an SMTP server means.
    #[must_use]
    pub fn diagnose_reply(&self, provider_kind: Option<&str>, phase: Phase, reply: &Reply) -> Diagnosis {
        let text = reply.text_joined();
        self.diagnose(&Evidence::Smtp {
            provider_kind,
            phase,
            code: reply.code,
            enhanced: reply.enhanced,
            // Behind the code, which is put in front below.
            text: text.get(3..).unwrap_or_default().as_bytes(),
        })
    }

    /// What the words of an IMAP server that refuses mean.
    #[must_use]
    pub fn diagnose_status(&self, provider_kind: Option<&str>, phase: Phase, it: &imap::Status) -> Diagnosis {
        let status = match it.kind {
            imap::StatusKind::Bad => "BAD",
            imap::StatusKind::Bye => "BYE",
            imap::StatusKind::Ok | imap::StatusKind::No | imap::StatusKind::PreAuth => "NO",
        };
        let (code, text) = behind_code(it.text(), it.code.is_some());
        self.diagnose(&Evidence::Imap { provider_kind, phase, status, code: code.as_deref(), text })
    }

    /// What the words of a POP3 server that refuses mean.
    #[must_use]
    pub fn diagnose_error(&self, provider_kind: Option<&str>, phase: Phase, it: &pop3::Reply) -> Diagnosis {
        let (code, text) = behind_code(it.text(), it.code.is_some());
        self.diagnose(&Evidence::Pop3 { provider_kind, phase, code: code.as_deref(), text })
    }

    /// What it means that there was no reply from a sending server.
    #[must_use]
    pub fn diagnose_trouble(&self, trouble: Trouble) -> Diagnosis {
        self.diagnose(&Evidence::Trouble(trouble))
    }

    /// What it means that there was no reply from a server of this protocol. Where the cure names ports, those of reading have
    /// words of their own.
    #[must_use]
    pub fn diagnose_trouble_in(&self, protocol: MailProtocol, trouble: Trouble) -> Diagnosis {
        let own = match protocol {
            MailProtocol::Smtp => None,
            MailProtocol::Imap => self.find(&format!("im-{}", trouble.rule())),
            MailProtocol::Pop3 => self.find(&format!("pop-{}", trouble.rule())),
        };
        own.cloned().unwrap_or_else(|| self.diagnose_trouble(trouble))
    }

    /// The diagnosis that a rule gives, for a rule's name read back from a row. Absent if this version has no such rule.
    #[must_use]
    pub fn find(&self, rule: &str) -> Option<&Diagnosis> {
        self.all().chain(&self.off).find(|it| it.rule == rule)
    }

    fn words_for(&self, rule: &str) -> Diagnosis {
        self.find(rule).cloned().expect("a catalogue is not made without words for every trouble")
    }
}

/// What stands in the brackets that a text begins with, and the text behind them.
fn behind_code(text: &[u8], has_code: bool) -> (Option<Cow<'_, str>>, &[u8]) {
    let inner = text.strip_prefix(b"[").filter(|_| has_code);
    let end = inner.and_then(|it| it.iter().position(|b| *b == b']'));
    match (inner, end) {
        (Some(inner), Some(end)) => (
            inner.get(..end).map(String::from_utf8_lossy),
            inner.get(end + 1..).unwrap_or_default().trim_ascii_start(),
        ),
        _ => (None, text),
    }
}

/// The first rule that concerns it and matches; else the last one, which matches everything.
fn judge(
    rules: &[Rule],
    provider_kind: Option<&str>,
    subject: &[u8],
    concerns: impl Fn(&Rule, Kind<'_>) -> bool,
) -> Diagnosis {
    let is_ours = |it: &Rule| !it.is_own && it.provider.is_some() && it.provider.as_deref() == provider_kind;
    let kind = Kind { word: provider_kind, is_known: rules.iter().any(is_ours) };
    let rule = rules.iter().find(|it| concerns(it, kind) && it.pattern.is_match(subject));
    rule.or(rules.last())
        .map(|it| it.diagnosis_of(subject))
        .expect("a catalogue is not made without a last rule")
}
