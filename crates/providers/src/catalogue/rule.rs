//! One rule, and what it speaks of.

use std::time::Duration;

use gatepost_core::{Diagnosis, RetryClass};
use regex::bytes::Regex;

use crate::Phase;

/// The longest wait that a server may ask for in its words.
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// The kind of the provider that refused.
#[derive(Clone, Copy)]
pub(super) struct Kind<'a> {
    pub(super) word: Option<&'a str>,
    /// Rules of ours speak of it. Custom hosts and the sandbox are as good as unknown, also where the configuration has a rule
    /// for them: what others say is understood there.
    pub(super) is_known: bool,
}

/// One rule about refusals.
#[derive(Debug)]
pub(crate) struct Rule {
    /// `None`: any provider.
    pub(crate) provider: Option<String>,
    pub(crate) is_known_elsewhere: bool,
    /// It stands in the configuration.
    pub(crate) is_own: bool,
    /// Empty: at any point.
    pub(crate) phases: Vec<Phase>,
    pub(crate) pattern: Regex,
    pub(crate) diagnosis: Diagnosis,
}

impl Rule {
    pub(super) fn matches_everything(&self) -> bool {
        self.provider.is_none() && self.phases.is_empty() && self.pattern.is_match(b"")
    }

    pub(super) fn is_permanent(&self) -> bool {
        self.diagnosis.retry == RetryClass::Permanent
    }

    fn holds(&self) -> bool {
        self.diagnosis.retry == RetryClass::Hold
    }

    /// The diagnosis, with the wait that the words themselves ask for.
    pub(super) fn diagnosis_of(&self, subject: &[u8]) -> Diagnosis {
        let mut diagnosis = self.diagnosis.clone();
        let asked = self.pattern.captures(subject).and_then(|it| it.name("ms"));
        let millis = asked.and_then(|it| std::str::from_utf8(it.as_bytes()).ok()?.parse().ok());
        if let (Some(millis), RetryClass::Backoff { at_least }) = (millis, &mut diagnosis.retry) {
            *at_least = Duration::from_millis(millis).min(LONGEST_WAIT).max(*at_least);
        }
        diagnosis
    }

    /// Whether it speaks of a reply of an SMTP server.
    pub(super) fn concerns_reply(&self, kind: Kind<'_>, phase: Phase, code: u16) -> bool {
        let is_refusal = (500..600).contains(&code);
        let fits = match self.diagnosis.retry {
            // RFC 4954 §6: 454 says nothing about the credential; RFC 5321 §4.2.1: a 4yz is no final refusal of a letter.
            RetryClass::Hold => is_refusal,
            // Nothing up to AUTH is about a letter, so nothing said there fails one.
            RetryClass::Permanent => is_refusal && phase >= Phase::Mail,
            RetryClass::Now | RetryClass::Backoff { .. } => true,
        };
        // From RCPT on, an unknown host may quote what a recipient's server said to it. That must not hold an account.
        let may_quote = phase > Phase::Mail && self.holds();
        fits && self.is_of_phase(phase) && self.speaks_of(kind, !may_quote)
    }

    /// Whether it speaks of a refusal of an IMAP or POP3 server.
    pub(super) fn concerns_status(&self, kind: Kind<'_>, phase: Phase, may_hold: bool) -> bool {
        (may_hold || !self.holds()) && self.is_of_phase(phase) && self.speaks_of(kind, true)
    }

    /// Whether it speaks of an error of an OAuth service of this class.
    pub(super) fn concerns_grant(&self, kind: Kind<'_>, holds: bool) -> bool {
        self.holds() == holds && self.speaks_of(kind, false)
    }

    /// Whether it speaks of a refusal of a mail interface over HTTP.
    pub(super) fn concerns_request(&self, kind: Kind<'_>) -> bool {
        self.speaks_of(kind, false)
    }

    fn is_of_phase(&self, phase: Phase) -> bool {
        self.phases.is_empty() || self.phases.contains(&phase)
    }

    fn speaks_of(&self, kind: Kind<'_>, elsewhere_counts: bool) -> bool {
        match self.provider.as_deref() {
            None => true,
            rule if rule == kind.word => true,
            Some(_) => !kind.is_known && self.is_known_elsewhere && elsewhere_counts,
        }
    }
}

/// Whether a response code says that waiting helps (RFC 5530 §3, RFC 2449 §8.1, RFC 3206 §4): such a code never holds an
/// account, whatever the text behind it says.
pub(super) fn is_for_the_moment(code: &str) -> bool {
    let word = code.split_ascii_whitespace().next().unwrap_or_default();
    ["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "OVERQUOTA", "SYS/TEMP", "IN-USE", "LOGIN-DELAY"]
        .iter()
        .any(|it| it.eq_ignore_ascii_case(word))
}

/// Whether the word in `error` means that somebody has to act. All other words, those that nobody knows among them, say
/// nothing about the grant (OC-7).
pub(super) fn says_who_must_act(error: &str) -> bool {
    matches!(
        error.to_ascii_lowercase().as_str(),
        // RFC 6749 §4.1.2.1, §5.2, RFC 8707 §2.
        "access_denied" | "invalid_client" | "invalid_grant" | "invalid_request" | "invalid_scope" | "invalid_target"
        | "unauthorized_client" | "unsupported_grant_type" | "unsupported_response_type" | "insufficient_scope"
        // OpenID Connect Core §3.1.2.6.
        | "account_selection_required" | "consent_required" | "interaction_required" | "login_required"
        // RFC 8628 §3.5, and Microsoft's words for the same.
        | "expired_token" | "code_expired" | "authorization_declined" | "bad_verification_code"
        // Google's and Microsoft's own.
        | "access_not_configured" | "admin_policy_enforced" | "deleted_client" | "disabled_client"
        | "disallowed_useragent" | "invalid_resource" | "org_internal" | "redirect_uri_mismatch" | "restricted_client"
    )
}
