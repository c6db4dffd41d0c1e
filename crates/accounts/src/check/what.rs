//! What the end of a connection, or of a letter, says of the account (docs/decisions/0002).

use std::time::Duration;

use gatepost_core::{Diagnosis, MailProtocol, Phase, RetryClass, TlsMode, Trouble};
use gatepost_providers::Catalogue;
use gatepost_upstream::{Answer, Endpoint, Evidence, UpstreamError};
use gatepost_wire::smtp::Reply;

use super::step::Step;
use crate::standing::What;
use crate::status::Direction;

/// A server of an account, by which its words are judged, and its silence.
#[derive(Clone, Copy)]
pub struct Server<'a> {
    pub(crate) protocol: MailProtocol,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) provider_kind: Option<&'a str>,
}

/// Why a direction did not come to its end.
pub(super) enum Failure {
    /// The provider, or the way to it.
    Upstream(UpstreamError),
    /// The letter cannot be handed over as it is.
    Letter(Trouble),
}

/// What a failure means.
pub(super) struct Judged {
    pub(super) diagnosis: Diagnosis,
    pub(super) reply: Option<Vec<u8>>,
    pub(super) what: What,
}

impl From<UpstreamError> for Failure {
    fn from(failure: UpstreamError) -> Self {
        Self::Upstream(failure)
    }
}

impl Failure {
    pub(super) const fn is_sign_in_refused(&self) -> bool {
        matches!(self, Self::Upstream(UpstreamError::SignInRefused { .. }))
    }

    /// The step at which it ended.
    pub(super) fn step(&self) -> Step {
        match self {
            Self::Upstream(failure) => Step::of(failure),
            Self::Letter(_) => Step::MaySend,
        }
    }

    pub(super) fn judge(
        &self,
        direction: Direction,
        is_signed_in: bool,
        catalogue: &Catalogue,
        server: Server<'_>,
    ) -> Judged {
        match (direction, is_signed_in, self) {
            (Direction::Sending, true, Self::Upstream(failure)) => of_letter(failure, catalogue, server),
            (_, _, Self::Upstream(failure)) => {
                let (diagnosis, reply) = diagnosed(failure, catalogue, server);
                Judged { diagnosis, reply, what: What::failed(failure, catalogue, server) }
            }
            (_, _, Self::Letter(trouble)) => {
                let diagnosis = catalogue.diagnose_trouble(*trouble);
                Judged { diagnosis, reply: None, what: What::Succeeded }
            }
        }
    }
}

/// What the end of a letter says of the account it would have left by, as for every other letter: often nothing, and then the
/// sign-in before it counts.
fn of_letter(failure: &UpstreamError, catalogue: &Catalogue, server: Server<'_>) -> Judged {
    if let UpstreamError::Refused { phase, reply: Answer::Smtp(reply) } = failure {
        let (diagnosis, what) = What::of_refused_letter(*phase, reply, catalogue, server.provider_kind);
        return Judged { diagnosis, reply: Some(reply.raw.clone()), what };
    }
    let (diagnosis, reply) = diagnosed(failure, catalogue, server);
    let what = match failure {
        // Behind the text nobody knows whether the letter was taken (RFC 1047); before it, the account is not wanted now.
        UpstreamError::TimedOut { phase: Phase::Message }
        | UpstreamError::Closed { phase: Phase::Message }
        | UpstreamError::Broken { phase: Phase::Message, .. } => What::Succeeded,
        _ => What::Trouble { diagnosis: diagnosis.clone(), reply: reply.clone() },
    };
    Judged { diagnosis, reply, what }
}

pub(super) fn diagnosed(
    failure: &UpstreamError,
    catalogue: &Catalogue,
    server: Server<'_>,
) -> (Diagnosis, Option<Vec<u8>>) {
    let Server { protocol, endpoint, provider_kind } = server;
    match failure.evidence() {
        Evidence::Trouble(trouble) => {
            let trouble = match (trouble, endpoint.tls) {
                (Trouble::SignInMethodMissing, TlsMode::None) => Trouble::SignInNeedsEncryption,
                (trouble, _) => trouble,
            };
            (catalogue.diagnose_trouble_in(protocol, trouble), Some(tried(failure, endpoint).into_bytes()))
        }
        Evidence::Reply(phase, answer) => {
            let diagnosis = match answer {
                Answer::Smtp(reply) => catalogue.diagnose_reply(provider_kind, phase, reply),
                Answer::Imap(status) => catalogue.diagnose_status(provider_kind, phase, status),
                Answer::Pop3(reply) => catalogue.diagnose_error(provider_kind, phase, reply),
            };
            (diagnosis, Some(answer.raw().to_vec()))
        }
    }
}

/// What stands where the provider's words would, if it had said any: "the provider said" goes before it.
fn tried(failure: &UpstreamError, endpoint: &Endpoint) -> String {
    let Endpoint { host, port, tls } = endpoint;
    let with = match tls {
        TlsMode::Implicit => "with TLS",
        TlsMode::StartTls => "with STARTTLS",
        TlsMode::None => "without encryption",
    };
    let mut text = format!("nothing that helps; tried was {host} port {port} {with}: {failure}");
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// A wait that a provider asks for which is no hiccup but a limit.
const LIMIT: Duration = Duration::from_mins(15);

/// Whether a refusal blocks the mailbox behind a sign-in that succeeded: the credential is good, so nobody is to sign in again,
/// and only a mailbox that opens ends it.
fn is_block(failure: &UpstreamError, class: RetryClass) -> bool {
    matches!(failure, UpstreamError::Refused { phase: Phase::Mailbox, .. }) && lasts(class)
}

/// Whether a refusal is more than a hiccup.
pub(crate) const fn lasts(class: RetryClass) -> bool {
    match class {
        RetryClass::Hold | RetryClass::Permanent => true,
        RetryClass::Backoff { at_least } => at_least.as_secs() >= LIMIT.as_secs(),
        RetryClass::Now => false,
    }
}

impl What {
    /// The diagnosis, unless all is well.
    #[must_use]
    pub const fn diagnosis(&self) -> Option<&Diagnosis> {
        match self {
            Self::SignInRefused { diagnosis, .. }
            | Self::Trouble { diagnosis, .. }
            | Self::Blocked { diagnosis, .. } => Some(diagnosis),
            Self::Succeeded | Self::LetterSent | Self::Opened => None,
        }
    }

    /// What a connection that did not come about, or broke, tells of the account.
    #[must_use]
    pub fn failed(failure: &UpstreamError, catalogue: &Catalogue, server: Server<'_>) -> Self {
        let (diagnosis, reply) = diagnosed(failure, catalogue, server);
        match failure {
            UpstreamError::SignInRefused { .. } => Self::SignInRefused { diagnosis, reply },
            _ if is_block(failure, diagnosis.retry) => Self::Blocked { diagnosis, reply },
            _ => Self::Trouble { diagnosis, reply },
        }
    }

    /// What the provider's no to a letter, to the command of this phase, says of the account that sends it: nothing
    /// ([`What::Succeeded`], for it had signed in) where it speaks of the letter alone.
    #[must_use]
    pub fn of_refused_letter(
        phase: Phase,
        reply: &Reply,
        catalogue: &Catalogue,
        provider_kind: Option<&str>,
    ) -> (Diagnosis, Self) {
        // 530 and 535 speak of the sign-in wherever they come: the session has ended at the provider (RFC 4954 §6).
        let is_sign_in = matches!(reply.code, 530 | 534 | 535 | 538);
        let diagnosis = catalogue.diagnose_reply(provider_kind, phase, reply);
        let words = || Some(reply.raw.clone());
        let what = match diagnosis.retry {
            RetryClass::Hold if is_sign_in => {
                Self::SignInRefused { diagnosis: diagnosis.clone(), reply: words() }
            }
            RetryClass::Hold => Self::Blocked { diagnosis: diagnosis.clone(), reply: words() },
            // A limit: the next letter would meet it too.
            RetryClass::Backoff { at_least } if at_least >= LIMIT && phase != Phase::Recipient => {
                Self::Blocked { diagnosis: diagnosis.clone(), reply: words() }
            }
            RetryClass::Permanent => Self::Succeeded,
            // RFC 5321 §3.8: the provider ends the session before the text; the account is not wanted now.
            _ if reply.code == 421 && phase < Phase::Message => {
                Self::Trouble { diagnosis: diagnosis.clone(), reply: words() }
            }
            RetryClass::Now | RetryClass::Backoff { .. } => Self::Succeeded,
        };
        (diagnosis, what)
    }
}
