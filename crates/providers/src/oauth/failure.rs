//! Why a service gave nothing.

use std::time::Duration;

use gatepost_core::{Diagnosis, SecretText};

use super::scrub::scrub;
use crate::{Catalogue, Evidence, OAuthService, OAuthTrouble};

/// Why there is no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthFailure {
    /// The service refused, in its own words.
    Refused(OAuthRefusal),
    /// It did not get so far; nothing is known about the grant.
    Trouble {
        /// What happened.
        trouble: OAuthTrouble,
        /// How long the service asks to wait, at most a day.
        retry_after: Option<Duration>,
        /// What was said or seen, without secrets; for administrators.
        words: String,
    },
}

/// A refusal in the service's own words, without any secret. Hostile: escaped only where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthRefusal {
    /// The word in `error` (RFC 6749 §5.2), at most 100 characters.
    pub error: String,
    /// The numbers in `error_codes` (Microsoft); [`OAuthService::error_help`] leads to their explanation.
    pub codes: Vec<u32>,
    /// Suberror, numbers and description, joined by spaces; at most 2 KiB.
    pub text: String,
}

impl OAuthFailure {
    pub(super) fn trouble(trouble: OAuthTrouble) -> Self {
        Self::Trouble { trouble, retry_after: None, words: String::new() }
    }

    /// What it means.
    #[must_use]
    pub fn diagnose(&self, catalogue: &Catalogue, service: &OAuthService) -> Diagnosis {
        match self {
            Self::Refused(refusal) => refusal.diagnose(catalogue, service),
            Self::Trouble { trouble, .. } => catalogue.diagnose(&Evidence::OAuthTrouble(*trouble)),
        }
    }

    /// The service's own words, to be shown beside the diagnosis.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Refused(OAuthRefusal { error, text, .. }) if text.is_empty() => error.clone(),
            Self::Refused(OAuthRefusal { error, text, .. }) => format!("{error}: {text}"),
            Self::Trouble { words, .. } => words.clone(),
        }
    }
}

impl OAuthRefusal {
    pub(super) fn new(
        error: &str,
        suberror: Option<&str>,
        codes: &[u32],
        description: &str,
        secrets: &[&SecretText],
    ) -> Self {
        let codes: Vec<u32> = codes.iter().copied().take(10).collect();
        let numbers = codes.iter().map(ToString::to_string);
        let parts = suberror.map(str::to_owned).into_iter().chain(numbers).chain([description.to_owned()]);
        let parts: Vec<String> = parts.filter(|it| !it.is_empty()).collect();
        let error: String = scrub(error, secrets).chars().take(100).collect();
        Self { error, codes, text: scrub(&parts.join(" "), secrets) }
    }

    /// Whether the permission itself is over and somebody has to sign in again (RFC 6749 §5.2; OpenID Connect Core §3.1.2.6).
    /// Of all that a service may say to a refresh only this, and [`Self::is_of_the_application`], says that trying again is of
    /// no use.
    #[must_use]
    pub fn ends_the_grant(&self) -> bool {
        let words = ["invalid_grant", "interaction_required", "consent_required", "login_required"];
        words.contains(&self.error.as_str())
    }

    /// Whether the registered application is the trouble: all accounts that use it share it.
    #[must_use]
    pub fn is_of_the_application(&self) -> bool {
        let words = ["invalid_client", "unauthorized_client", "deleted_client", "disabled_client"];
        words.contains(&self.error.as_str())
    }

    /// What it means.
    #[must_use]
    pub fn diagnose(&self, catalogue: &Catalogue, service: &OAuthService) -> Diagnosis {
        let Self { error, text, .. } = self;
        catalogue.diagnose(&Evidence::OAuth { provider_kind: Some(&service.kind), error, text })
    }
}
