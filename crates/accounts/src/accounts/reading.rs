//! Mailboxes that applications read live (docs/decisions/0016).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gatepost_core::{CredentialId, Diagnosis, EmailAddress, MailAccountId, OrganisationId, Phase};
use gatepost_net::Connection;
use gatepost_store::StoreError;
use gatepost_upstream::{Deadlines, SignIn, UpstreamError, imap, pop3};
use gatepost_wire::imap::Capabilities;
use tokio::time::timeout_at;

use super::Accounts;
use super::mailbox::chosen;
use crate::check::Reach;
use crate::choose::Target;
use crate::credential::Used;
use crate::endpoint::Endpoints;
use crate::error::AccountsError;
use crate::record::Record;
use crate::report::Event;
use crate::sending::{NotUsable, ReadingProtocol, ReadingServer, SendingAccount};
use crate::standing::{State, What};
use crate::status::Direction;
use crate::told::shown;

/// From the first packet to the end of the sign-in, in all: real clients wait for 20 s.
const WITHIN: Duration = Duration::from_secs(15);

/// How long a failure is told again without asking the provider: every client tries again by itself.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(10);

/// The same where others have used up what the provider allows: they may leave at any moment.
const FULL_COUNTS_FOR: Duration = Duration::from_secs(3);

/// The mailbox that a login reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readable {
    /// Its account.
    pub account: MailAccountId,
    /// Its address.
    pub address: EmailAddress,
    /// What people call it.
    pub name: String,
    /// How many connections its provider lets in by this protocol at the same time.
    pub n_connections: u32,
    by: By,
}

/// By what a mailbox is read. A failure counts only while this is the same: whoever has changed something, or has resumed the account, may
/// have cured it, at whichever node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct By {
    endpoints: Endpoints,
    user_name: String,
    opens: Option<EmailAddress>,
    credential: Option<CredentialId>,
    /// Longer with each pause that is over.
    held_for: Duration,
}

impl By {
    fn of(record: &Record) -> Self {
        let it = &record.account;
        Self {
            endpoints: it.endpoints.clone(),
            user_name: it.user_name.clone(),
            opens: it.opens.clone(),
            credential: record.credential,
            held_for: it.clock.held_for,
        }
    }
}

/// A mailbox that was signed in to for one application.
pub struct OpenMailbox {
    /// What was signed in with: if the account has another one, the connection ends.
    pub used: Used,
    /// Signed in, with whatever the server has said behind that.
    pub connection: Connection,
    /// What the server can do; IMAP alone.
    pub capabilities: Capabilities,
}

/// Why a mailbox cannot be read at present, in words for one line of a client.
#[derive(Debug, thiserror::Error)]
pub enum NotReadable {
    /// Nothing is connected for that login, or something speaks against it.
    #[error("{0}")]
    Because(String),
    /// The provider lets no more connections in.
    #[error("{0}")]
    Full(String),
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The last failures of accounts, so that no provider is asked again and again for what it has just refused.
#[derive(Default)]
pub(crate) struct Doors(Mutex<HashMap<(MailAccountId, ReadingProtocol), Arc<Door>>>);

/// One account's by one protocol: what is wrong with the one says nothing about the other.
#[derive(Default)]
struct Door {
    failed: Mutex<Option<Failure>>,
    /// After a failure one tries for all others.
    trial: tokio::sync::Mutex<()>,
}

/// The last one.
#[derive(Clone)]
struct Failure {
    at: Instant,
    by: By,
    is_full: bool,
    why: String,
}

impl Failure {
    fn of(why: &NotReadable, by: &By) -> Option<Self> {
        let (why, is_full) = match why {
            NotReadable::Because(why) => (why.clone(), false),
            NotReadable::Full(why) => (why.clone(), true),
            NotReadable::Store(_) => return None,
        };
        Some(Self { at: Instant::now(), by: by.clone(), is_full, why })
    }

    /// What is told again, as long as it counts.
    fn still(self, by: &By) -> Option<NotReadable> {
        let (counts_for, not_readable) = if self.is_full {
            (FULL_COUNTS_FOR, NotReadable::Full(self.why))
        } else {
            (FAILURE_COUNTS_FOR, NotReadable::Because(self.why))
        };
        (self.by == *by && self.at.elapsed() < counts_for).then_some(not_readable)
    }
}

impl Doors {
    fn of(&self, id: MailAccountId, protocol: ReadingProtocol) -> Arc<Door> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= 10_000 {
            all.retain(|_, it| Arc::strong_count(it) > 1 || it.last_failure().is_some());
        }
        Arc::clone(all.entry((id, protocol)).or_default())
    }

    /// Somebody has signed in to read it: what failed before counts no more.
    pub(super) fn forget(&self, id: MailAccountId) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for protocol in [ReadingProtocol::Imap, ReadingProtocol::Pop3] {
            if let Some(door) = all.get(&(id, protocol)) {
                door.remember(None);
            }
        }
    }
}

impl Door {
    fn last_failure(&self) -> Option<Failure> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, failure: Option<Failure>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

impl Accounts {
    /// The mailbox that a login reads, if nothing that is known speaks against it.
    pub async fn readable(
        &self,
        organisation: OrganisationId,
        target: Target,
        protocol: ReadingProtocol,
    ) -> Result<Readable, NotReadable> {
        let all = self.memory.recent(&self.store, organisation).await?;
        let record = chosen(&all, target).map_err(|why| NotReadable::Because(why.to_string()))?;
        let account = &record.account;
        let limits = account.limits(&self.providers);
        let n_connections = match protocol {
            ReadingProtocol::Imap => limits.n_imap_connections,
            ReadingProtocol::Pop3 => limits.n_pop3_connections,
        };
        let it = Readable {
            account: account.id,
            address: account.address.clone(),
            name: account.short_name.clone(),
            n_connections,
            by: By::of(record),
        };
        match self.speaks_against(record) {
            None => Ok(it),
            Some(why) => Err(NotReadable::Because(why)),
        }
    }

    /// Why the account is not to be read, by what is known of it.
    fn speaks_against(&self, record: &Record) -> Option<String> {
        let address = &record.account.address;
        if record.account.paused_at.is_some() {
            return Some(format!("{address} is paused in Gatepost: resume it there"));
        }
        let reading = record.reading.as_ref()?;
        if reading.state != State::NeedsSignIn {
            return None;
        }
        let diagnosis = reading.rule.as_deref().and_then(|rule| self.providers.catalogue().find(rule));
        Some(words(address, diagnosis))
    }

    /// Whether what was signed in with then may go on; else why not, in words that go on within a sentence.
    pub async fn may_read_on(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        used: Used,
    ) -> Result<Option<&'static str>, StoreError> {
        let all = self.memory.recent(&self.store, organisation).await?;
        let Some(record) = all.live(id) else { return Ok(Some("the mailbox was removed from Gatepost")) };
        Ok(if record.account.paused_at.is_some() {
            Some("the mailbox was paused in Gatepost")
        } else if record.credential != Some(used.grant) {
            Some("somebody has signed in to the mailbox anew")
        } else {
            None
        })
    }

    /// Signs in to a mailbox for one application, and lets the status of reading know. A refused access token is replaced once (SC-8).
    pub async fn open_mailbox(
        &self,
        organisation: OrganisationId,
        it: &Readable,
        protocol: ReadingProtocol,
        reach: &Reach,
    ) -> Result<OpenMailbox, NotReadable> {
        let door = self.doors.of(it.account, protocol);
        let _trial = match door.last_failure() {
            Some(_) => Some(door.trial.lock().await),
            None => None,
        };
        if let Some(why) = door.last_failure().and_then(|last| last.still(&it.by)) {
            return Err(why);
        }
        let opened = self.try_to_open(organisation, it, protocol, reach).await;
        match &opened {
            Ok(_) => door.remember(None),
            Err(NotReadable::Store(_)) => {}
            Err(why) => door.remember(Failure::of(why, &it.by)),
        }
        opened
    }

    async fn try_to_open(
        &self,
        organisation: OrganisationId,
        it: &Readable,
        protocol: ReadingProtocol,
        reach: &Reach,
    ) -> Result<OpenMailbox, NotReadable> {
        let began_at = self.now();
        let ends = tokio::time::Instant::now() + WITHIN;
        let unusable = |why| unusable(&it.address, why);
        let in_time = |_| NotReadable::Because(no_token_in_time(&it.address));
        let signing_in = timeout_at(ends, self.signing_in(organisation, it.account));
        let mut handed = signing_in.await.map_err(in_time)?.map_err(unusable)?;
        let mut is_anew = false;
        loop {
            let Some(server) = handed.reading_by(protocol) else {
                let other = handed.reading().is_some();
                return Err(NotReadable::Because(no_server(&it.address, protocol, other)));
            };
            if !server.is_granted {
                return Err(NotReadable::Because(not_granted(&it.address, protocol)));
            }
            // The status tells of one server: the other one is beside it.
            let first = handed.reading().filter(|it| it.protocol != protocol);
            let used = handed.used;
            let event = |what| Event { used, began_at, what };
            let failure = match dial(&handed, server, reach, ends).await {
                Ok((connection, capabilities)) => {
                    if first.is_none() {
                        self.report_reading(organisation, it.account, event(What::Succeeded)).await?;
                    }
                    return Ok(OpenMailbox { used, connection, capabilities });
                }
                Err(failure) => failure,
            };
            let (failure, server) = match first {
                None => (failure, server),
                Some(first) => {
                    // Whether it is the secret's fault is known where that server refuses it as well.
                    let asked = match is_refusal(&failure) && !self.is_full(&handed, server, &failure) {
                        true => Some(dial(&handed, first, reach, ends).await),
                        false => None,
                    };
                    match asked {
                        Some(Err(refused)) if is_refusal(&refused) => (refused, first),
                        asked => {
                            if matches!(asked, Some(Ok(_))) {
                                self.report_reading(organisation, it.account, event(What::Succeeded)).await?;
                            }
                            return Err(self.by_this_alone(&handed, server, &failure));
                        }
                    }
                }
            };
            if is_refusal(&failure)
                && !std::mem::replace(&mut is_anew, true)
                && let Some(anew) = timeout_at(ends, self.signing_in_anew(organisation, it.account, used))
                    .await
                    .map_err(in_time)?
                    .map_err(unusable)?
            {
                handed = anew;
                continue;
            }
            let what = self.what(&handed, server, &failure);
            let diagnosis = what.diagnosis().cloned();
            if let Some(full) = full(diagnosis.as_ref()) {
                return Err(NotReadable::Full(words_with_cure(&it.address, full)));
            }
            self.report_reading(organisation, it.account, event(what)).await?;
            return Err(NotReadable::Because(words(&it.address, diagnosis.as_ref())));
        }
    }

    fn what(&self, handed: &SendingAccount, server: &ReadingServer, failure: &UpstreamError) -> What {
        What::failed(failure, self.providers.catalogue(), server.named(handed.provider_kind.as_deref()))
    }

    /// Whether others have used up what the provider allows.
    fn is_full(&self, handed: &SendingAccount, server: &ReadingServer, failure: &UpstreamError) -> bool {
        full(self.what(handed, server, failure).diagnosis()).is_some()
    }

    /// What is wrong with a server that the status does not tell of. The board shows nothing of it, so the cure stands here.
    fn by_this_alone(
        &self,
        handed: &SendingAccount,
        server: &ReadingServer,
        failure: &UpstreamError,
    ) -> NotReadable {
        let (address, what) = (&handed.address, self.what(handed, server, failure));
        let diagnosis = what.diagnosis();
        let rule = diagnosis.map(|it| it.rule.as_str());
        if let Some(full) = full(diagnosis) {
            return NotReadable::Full(words_with_cure(address, full));
        }
        let protocol = server.protocol.name();
        tracing::info!(
            account.address = address.masked(),
            account.id = %handed.id,
            protocol,
            rule,
            failure = shown(failure.to_string().as_bytes()),
            "a mailbox cannot be read by one protocol"
        );
        let (cause, cure) = diagnosis
            .map_or(("the provider refused the sign-in.", "Use the other protocol."), |it| {
                (it.cause.as_str(), it.cure.as_str())
            });
        NotReadable::Because(format!("{address} cannot be read by {protocol}: {cause} {cure}"))
    }

    async fn report_reading(
        &self,
        organisation: OrganisationId,
        id: MailAccountId,
        event: Event,
    ) -> Result<(), StoreError> {
        match self.report(organisation, id, Direction::Reading, event).await {
            Err(AccountsError::Store(failure)) => Err(failure),
            // Removed meanwhile: the next look at the connection finds that.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Connects and signs in.
async fn dial(
    account: &SendingAccount,
    server: &ReadingServer,
    reach: &Reach,
    ends: tokio::time::Instant,
) -> Result<(Connection, Capabilities), UpstreamError> {
    let sign_in = account.sign_in().ok_or(UpstreamError::NotSayable)?;
    let sign_in = SignIn { user_name: server.user_name.clone(), ..sign_in };
    let deadlines = Deadlines::default();
    let mut nobody = |_| {};
    let way = reach.way(&deadlines, &mut nobody);
    let dialling = async {
        Ok(match server.protocol {
            ReadingProtocol::Imap => {
                let greeted = imap::Greeted::connect_by(way, &server.endpoint).await?;
                greeted.sign_in(&sign_in).await?.into_connection()
            }
            ReadingProtocol::Pop3 => {
                let greeted = pop3::Greeted::connect_by(way, &server.endpoint).await?;
                (greeted.sign_in(&sign_in).await?.into_connection(), Capabilities::default())
            }
        })
    };
    let dialled = timeout_at(ends, dialling).await;
    dialled.unwrap_or(Err(UpstreamError::TimedOut { phase: Phase::Greeting }))
}

const fn is_refusal(failure: &UpstreamError) -> bool {
    matches!(failure, UpstreamError::SignInRefused { .. })
}

/// Rules of the catalogue that speak of other connections, and not of this account.
const FULL: [&str; 3] = ["im-g-conn", "im-limit", "pop-inuse"];

fn full(diagnosis: Option<&Diagnosis>) -> Option<&Diagnosis> {
    diagnosis.filter(|it| FULL.contains(&it.rule.as_str()))
}

/// Rules about encryption. Which setting cures it is short enough to be said at once.
const IN_THE_CLEAR: [&str; 5] = [
    "im-privacy",
    "im-encryption-wanted",
    "im-sign-in-needs-encryption",
    "pop-encryption-wanted",
    "pop-sign-in-needs-encryption",
];

fn words(address: &EmailAddress, diagnosis: Option<&Diagnosis>) -> String {
    match diagnosis {
        Some(it) if IN_THE_CLEAR.contains(&it.rule.as_str()) => words_with_cure(address, it),
        Some(it) => format!("{address} cannot be read: {} Look at it in Gatepost", it.cause),
        None => format!("{address} cannot be read: the provider refused the sign-in. Look at it in Gatepost"),
    }
}

/// For what passes by itself, of which the board shows nothing, and for what one sentence cures.
fn words_with_cure(address: &EmailAddress, diagnosis: &Diagnosis) -> String {
    format!("{address} cannot be read: {} {}", diagnosis.cause, diagnosis.cure)
}

fn no_token_in_time(address: &EmailAddress) -> String {
    format!(
        "{address} cannot be read: the sign-in service of its provider does not answer in time. Try again in a moment"
    )
}

fn no_server(address: &EmailAddress, protocol: ReadingProtocol, has_another: bool) -> String {
    if !has_another {
        return format!("{address} has no server for reading in Gatepost: add one to the mailbox there");
    }
    let (wanted, other) = (protocol.name(), protocol.other().name());
    format!(
        "{address} has no server for {wanted} in Gatepost: use {other}, or add the server to the mailbox there"
    )
}

fn not_granted(address: &EmailAddress, protocol: ReadingProtocol) -> String {
    let (wanted, other) = (protocol.name(), protocol.other().name());
    format!(
        "{address} cannot be read by {wanted}: that permission was not given at its provider. Use {other}, or sign in to it again in Gatepost and leave all permissions ticked"
    )
}

fn unusable(address: &EmailAddress, why: NotUsable) -> NotReadable {
    match why {
        NotUsable::Store(failure) => NotReadable::Store(failure),
        NotUsable::NoToken { diagnosis } => NotReadable::Because(words(address, Some(&diagnosis))),
        NotUsable::NeedsSignIn { diagnosis, .. } => {
            NotReadable::Because(words(address, diagnosis.as_deref()))
        }
        other => NotReadable::Because(format!("{address} cannot be read: {other}. Look at it in Gatepost")),
    }
}
