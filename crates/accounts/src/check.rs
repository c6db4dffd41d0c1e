//! Checking an account because somebody asked: sign in, say how far it came, and let the account's status know.

use std::fmt;
use std::time::Duration;

use gatepost_core::{Diagnosis, Domain, MailAccountId, OrganisationId, Phase, TlsMode};
use gatepost_net::{ClientTls, DialError, Dialer};
use gatepost_providers::Catalogue;
use gatepost_upstream::smtp::Greeted;
use gatepost_upstream::{Answer, Deadlines, Evidence, UpstreamError, imap, pop3};

use crate::accounts::Accounts;
use crate::error::AccountsError;
use crate::report::{Change, Event};
use crate::sending::{NotUsable, ReadingProtocol, SendingAccount};
use crate::standing::What;
use crate::status::Direction;

/// Somebody watches a check, so it gives up sooner than a delivery. Real servers greet within seconds; those that make
/// strangers wait do so for less than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it takes to reach a provider.
#[derive(Clone)]
pub struct Reach {
    /// Dials, under the address guard.
    pub dialer: Dialer,
    /// Verifies.
    pub tls: ClientTls,
    /// What we call ourselves.
    pub own_name: Domain,
}

/// One thing that has to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The server's name has an address, and it may be dialled.
    Resolve,
    /// Somebody answers there.
    Connect,
    /// It speaks the protocol.
    Greet,
    /// Encryption, with a certificate for the server's name.
    Encrypt,
    /// The provider takes user name and password, or token.
    SignIn,
    /// It lets the mailbox be read: a sign-in alone does not prove that (reading only).
    Open,
}

impl Step {
    /// Those of an account, in the order in which they happen.
    fn all(mode: TlsMode, direction: Direction) -> &'static [Self] {
        use Step::{Connect, Encrypt, Greet, Open, Resolve, SignIn};
        let all: &[Self] = match mode {
            TlsMode::Implicit => &[Resolve, Connect, Encrypt, Greet, SignIn, Open],
            TlsMode::StartTls => &[Resolve, Connect, Greet, Encrypt, SignIn, Open],
            TlsMode::None => &[Resolve, Connect, Greet, SignIn, Open],
        };
        match direction {
            Direction::Sending => &all[..all.len() - 1],
            Direction::Reading => all,
        }
    }

    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Greet => "greet",
            Self::Encrypt => "encrypt",
            Self::SignIn => "sign_in",
            Self::Open => "open",
        }
    }

    /// The step at which it ended.
    fn of(failure: &UpstreamError) -> Self {
        match failure {
            UpstreamError::Dial(
                DialError::NotFound { .. } | DialError::Lookup { .. } | DialError::Forbidden { .. },
            ) => Self::Resolve,
            UpstreamError::Dial(DialError::Unreachable { .. } | DialError::TimedOut { .. })
            | UpstreamError::EncryptionRequired { .. } => Self::Connect,
            UpstreamError::StartTlsMissing { .. }
            | UpstreamError::BytesAfterStartTls { .. }
            | UpstreamError::Tls { .. } => Self::Encrypt,
            UpstreamError::SignInRefused { .. }
            | UpstreamError::SignInMethodMissing { .. }
            | UpstreamError::Challenge(_)
            | UpstreamError::NotSayable
            | UpstreamError::NotKept(_) => Self::SignIn,
            UpstreamError::PreAuth { .. } => Self::Greet,
            UpstreamError::Refused { phase, .. }
            | UpstreamError::Protocol { phase, .. }
            | UpstreamError::TimedOut { phase }
            | UpstreamError::Closed { phase }
            | UpstreamError::Broken { phase, .. } => match phase {
                Phase::Greeting | Phase::Hello => Self::Greet,
                Phase::StartTls => Self::Encrypt,
                Phase::Mailbox => Self::Open,
                Phase::Auth
                | Phase::Mail
                | Phase::Recipient
                | Phase::Data
                | Phase::Message
                | Phase::Upkeep => Self::SignIn,
            },
        }
    }
}

/// In words, as the beginning of a line that ends in a tick or a cross.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "find the server's address",
            Self::Connect => "connect to the server",
            Self::Greet => "be greeted by the server",
            Self::Encrypt => "encrypt the connection",
            Self::SignIn => "sign in",
            Self::Open => "open the mailbox",
        })
    }
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A tick.
    Passed,
    /// A cross.
    Failed {
        /// Cause and cure.
        diagnosis: Box<Diagnosis>,
        /// The provider's own words, raw and hostile.
        reply: Option<Vec<u8>>,
    },
    /// An earlier one failed.
    NotReached,
}

/// How a check went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Every step on the way to sending, in the order in which they happen.
    pub sending: Vec<(Step, Outcome)>,
    /// The same for reading, where the account has a server for that.
    pub reading: Option<Vec<(Step, Outcome)>>,
    /// What it made of the account; its success releases what the account holds.
    pub change: Change,
}

impl Check {
    /// Whether everything worked.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.steps().all(|(_, _, outcome)| *outcome == Outcome::Passed)
    }

    /// All steps: first those of sending, then those of reading.
    pub fn steps(&self) -> impl Iterator<Item = (Direction, Step, &Outcome)> {
        let sending = self.sending.iter().map(|(step, it)| (Direction::Sending, *step, it));
        let reading = self.reading.iter().flatten().map(|(step, it)| (Direction::Reading, *step, it));
        sending.chain(reading)
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
            Self::Succeeded | Self::LetterSent => None,
        }
    }

    /// What a connection that did not come about, or broke, tells of the account.
    #[must_use]
    pub fn failed(failure: &UpstreamError, provider_kind: Option<&str>) -> Self {
        let catalogue = Catalogue::embedded();
        let (diagnosis, reply) = match failure.evidence() {
            Evidence::Trouble(trouble) => (catalogue.diagnose_trouble(trouble), None),
            Evidence::Reply(phase, answer) => {
                let diagnosis = match answer {
                    Answer::Smtp(reply) => catalogue.diagnose_reply(provider_kind, phase, reply),
                    Answer::Imap(status) => catalogue.diagnose_status(provider_kind, phase, status),
                    Answer::Pop3(reply) => catalogue.diagnose_error(provider_kind, phase, reply),
                };
                (diagnosis, Some(answer.raw().to_vec()))
            }
        };
        match failure {
            UpstreamError::SignInRefused { .. } => Self::SignInRefused { diagnosis, reply },
            _ => Self::Trouble { diagnosis, reply },
        }
    }
}

/// Signs in at the server of a direction, and opens the mailbox where it is for reading.
async fn sign_in(reach: &Reach, account: &SendingAccount, direction: Direction) -> Result<(), UpstreamError> {
    let Reach { dialer, tls, own_name } = reach;
    let deadlines = Deadlines { greeting: PATIENCE, command: PATIENCE, ..Deadlines::default() };
    let mut sign_in = account.sign_in().ok_or(UpstreamError::NotSayable)?;
    match (direction, &account.reading) {
        (Direction::Sending, _) | (Direction::Reading, None) => {
            let greeted = Greeted::connect(dialer, tls, &account.endpoint, own_name, &deadlines).await?;
            greeted.sign_in(&sign_in).await?.quit().await;
        }
        (Direction::Reading, Some(server)) => {
            sign_in.user_name.clone_from(&server.user_name);
            match server.protocol {
                ReadingProtocol::Imap => {
                    let greeted = imap::Greeted::connect(dialer, tls, &server.endpoint, &deadlines).await?;
                    let mut session = greeted.sign_in(&sign_in).await?;
                    session.select_inbox().await?;
                    session.logout().await;
                }
                ReadingProtocol::Pop3 => {
                    let greeted = pop3::Greeted::connect(dialer, tls, &server.endpoint, &deadlines).await?;
                    let mut session = greeted.sign_in(&sign_in).await?;
                    session.stat().await?;
                    // Whether the farewell is answered says nothing about the account.
                    let _ = session.quit().await;
                }
            }
        }
    }
    Ok(())
}

impl Accounts {
    /// Signs in once for sending and once for reading, whatever the account's status, and reports how it went: a success
    /// releases what the account holds, a failure shows as its diagnosis.
    pub async fn check(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        reach: &Reach,
    ) -> Result<Check, NotUsable> {
        let account = self.get(organisation, id).await.map_err(not_usable)?;
        let (sending, change) = self.check_direction(organisation, id, reach, Direction::Sending).await?;
        let mut check = Check { sending, reading: None, change };
        if account.endpoints.imap.is_some() || account.endpoints.pop3.is_some() {
            let (reading, then) = self.check_direction(organisation, id, reach, Direction::Reading).await?;
            check.reading = Some(reading);
            check.change = Change {
                before: change.before,
                after: then.after,
                released: change.released || then.released,
            };
        }
        Ok(check)
    }

    async fn check_direction(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        reach: &Reach,
        direction: Direction,
    ) -> Result<(Vec<(Step, Outcome)>, Change), NotUsable> {
        let mut account = self.signing_in(organisation, id).await?;
        let mut began_at = self.now();
        let mode = match (&account.reading, direction) {
            (Some(server), Direction::Reading) => server.endpoint.tls,
            _ => account.endpoint.tls,
        };
        let mut signed_in = sign_in(reach, &account, direction).await;
        if matches!(signed_in, Err(UpstreamError::SignInRefused { .. }))
            && let Some(anew) = self.signing_in_anew(organisation, id, account.used).await?
        {
            (account, began_at) = (anew, self.now());
            signed_in = sign_in(reach, &account, direction).await;
        }
        let failed_at = signed_in.as_ref().err().map(Step::of);
        let what = match &signed_in {
            Ok(()) => What::Succeeded,
            Err(failure) => What::failed(failure, account.provider_kind.as_deref()),
        };
        let steps = steps(Step::all(mode, direction), failed_at, &what);
        let event = Event { used: account.used, began_at, what };
        let change = self.report(organisation, id, direction, event).await.map_err(not_usable)?;
        Ok((steps, change))
    }
}

fn not_usable(why: AccountsError) -> NotUsable {
    match why {
        AccountsError::Store(failure) => NotUsable::Store(failure),
        AccountsError::NotFound(_) | AccountsError::AlreadyThere(_) | AccountsError::Invalid(_) => {
            NotUsable::Removed
        }
    }
}

/// A tick for each step before the one that failed, a cross for that one.
fn steps(all: &[Step], failed_at: Option<Step>, what: &What) -> Vec<(Step, Outcome)> {
    let n_passed = failed_at.map_or(all.len(), |failed| all.iter().take_while(|it| **it != failed).count());
    let outcome = |n: usize| match what {
        What::SignInRefused { diagnosis, reply } | What::Trouble { diagnosis, reply } if n == n_passed => {
            Outcome::Failed { diagnosis: Box::new(diagnosis.clone()), reply: reply.clone() }
        }
        _ if n < n_passed => Outcome::Passed,
        _ => Outcome::NotReached,
    };
    all.iter().enumerate().map(|(n, step)| (*step, outcome(n))).collect()
}
