//! What comes back from the sign-in page, by a redirect or pasted.

use std::collections::HashSet;

use gatepost_core::SecretText;
use url::{Url, form_urlencoded};

use super::failure::{OAuthFailure, OAuthRefusal};
use super::{Application, is_issuer_of};
use crate::{OAuthService, OAuthTrouble};

/// In characters; what every sign-in's state has: 32 random bytes in base64url.
const STATE_CHARS: usize = 43;

/// Microsoft's codes are about 1,000 characters long; nobody's answer comes near this.
const LONGEST: usize = 16 * 1024;

/// An answer that was read and not yet believed.
pub struct Callback {
    state: SecretText,
    issuer: Option<String>,
    outcome: Outcome,
}

enum Outcome {
    Code(SecretText),
    Error { error: String, description: String, suberror: Option<String> },
}

/// Why something is no answer of a sign-in page, for the person who came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackFault {
    /// A code by itself says neither which sign-in it belongs to nor who gave it.
    #[error(
        "this is a part of the address only: paste the whole address that the browser shows, from http to its end"
    )]
    CodeAlone,
    /// Nothing of the kind.
    #[error("this is not the address that the browser shows after signing in: paste it from http to its end")]
    NotAnAddress,
    /// An address of another page.
    #[error("this address is of another page: paste the one that the browser shows after signing in")]
    OtherAddress,
    /// An address that lacks its end, says something twice, or is longer than any answer.
    #[error("this address is not whole: sign in once more, and paste all of the address")]
    NotWhole,
}

/// The flow that a callback claims to belong to, as it was kept.
#[derive(Clone, Copy)]
pub struct Flow<'a> {
    /// Where it began.
    pub service: &'a OAuthService,
    /// As which application.
    pub application: &'a Application,
    /// Its state.
    pub state: &'a SecretText,
}

impl Callback {
    /// Reads what stands behind the question mark of the address that the service sent the browser to.
    pub fn from_query(query: &str) -> Result<Self, CallbackFault> {
        if query.len() > LONGEST {
            return Err(CallbackFault::NotWhole);
        }
        let mut seen = HashSet::new();
        let (mut state, mut issuer, mut code) = (None, None, None);
        let (mut error, mut description, mut suberror) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "state" => &mut state,
                "iss" => &mut issuer,
                "code" => &mut code,
                "error" => &mut error,
                "error_description" => &mut description,
                "error_subcode" | "suberror" => &mut suberror,
                _ => continue,
            };
            // RFC 6749 §3.1: no parameter more than once; two states or two codes are somebody's attempt.
            if !seen.insert(name) {
                return Err(CallbackFault::NotWhole);
            }
            *slot = Some(value.into_owned());
        }
        let state = SecretText::new(state.filter(|it| !it.is_empty()).ok_or(CallbackFault::NotWhole)?);
        let outcome = match (code, error) {
            (Some(code), None) if !code.is_empty() => Outcome::Code(SecretText::new(code)),
            (None, Some(error)) => {
                Outcome::Error { error, description: description.unwrap_or_default(), suberror }
            }
            _ => return Err(CallbackFault::NotWhole),
        };
        Ok(Self { state, issuer, outcome })
    }

    /// Reads the whole address that somebody copied from the browser, which must be of the page at `redirect_uri`.
    pub fn from_pasted(text: &str, redirect_uri: &str) -> Result<Self, CallbackFault> {
        if text.len() > LONGEST {
            return Err(CallbackFault::NotWhole);
        }
        // Mail programs and consoles break long addresses into lines.
        let text: String = text.chars().filter(|it| !it.is_whitespace() && !it.is_control()).collect();
        let text = text.trim_matches(['<', '>', '"', '\'', '\u{feff}', '\u{200b}']);
        // Some browsers hide "http://" where they show the address.
        let url: Url = if text.contains("://") { text.parse() } else { format!("http://{text}").parse() }
            .map_err(|_| CallbackFault::NotAnAddress)?;
        let Some(query) = url.query() else {
            let is_code = !text.contains("://") && text.len() >= 20 && !text.contains(['.', '@']);
            let looks_whole = text.contains("://");
            return Err(match (is_code, looks_whole) {
                (true, _) => CallbackFault::CodeAlone,
                (false, true) => CallbackFault::OtherAddress,
                (false, false) => CallbackFault::NotAnAddress,
            });
        };
        let wanted: Url = redirect_uri.parse().map_err(|_| CallbackFault::OtherAddress)?;
        // RFC 8252 §7.3: the port of a loopback address is the program's own business.
        let is_same = (url.host(), url.path()) == (wanted.host(), wanted.path());
        if !is_same {
            return Err(CallbackFault::OtherAddress);
        }
        Self::from_query(query)
    }

    /// Whether its state is shorter than that of any sign-in: the end of the address was not copied.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.state.reveal().len() < STATE_CHARS
    }

    /// Finds the flow.
    #[must_use]
    pub fn state(&self) -> &SecretText {
        &self.state
    }

    /// The code, if the answer belongs to this flow, came from this service, and is not a refusal.
    pub fn code_for(self, flow: Flow<'_>) -> Result<SecretText, OAuthFailure> {
        if !self.state.matches(flow.state) {
            return Err(OAuthFailure::trouble(OAuthTrouble::WrongIssuer));
        }
        let is_its = match &self.issuer {
            // RFC 9207 §2.4: compared wherever it comes, errors included.
            Some(it) if !flow.service.issuers.is_empty() => {
                is_issuer_of(flow.service, it, flow.application.tenant.as_deref())
            }
            Some(_) => true,
            None => !flow.service.sends_issuer,
        };
        if !is_its {
            return Err(OAuthFailure::trouble(OAuthTrouble::WrongIssuer));
        }
        match self.outcome {
            Outcome::Code(code) => Ok(code),
            Outcome::Error { error, description, suberror } => {
                let secrets = [flow.state];
                let refusal = OAuthRefusal::new(&error, suberror.as_deref(), &[], &description, &secrets);
                Err(OAuthFailure::Refused(refusal))
            }
        }
    }
}
