//! Where one direction of an account stands, and every move from there (docs/decisions/0002, "One account, one direction").

use std::str::FromStr;
use std::time::Duration;

use gatepost_core::{Diagnosis, RetryClass, Timestamp, Trouble};
use gatepost_store::{Row, StoreError};

use crate::status::StatusName;

/// How much of a provider's words is kept.
const REPLY_BYTES: usize = 2_048;

/// A parked account is probed so long after it was parked, and after each probe that failed; then daily (SC-8).
const PROBES_AFTER: [Duration; 3] =
    [Duration::from_mins(5), Duration::from_mins(30), Duration::from_hours(2)];

/// The status as it is stored. The pause stands elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Unchecked,
    Connected,
    NeedsSignIn,
    /// Something before or during sign-in; the next sign-in that succeeds ends it.
    Failing,
    /// A block or limit met after sign-in; only a letter really sent ends it, or a mailbox that opens. Shown as failing.
    Blocked,
}

impl State {
    const ALL: [Self; 5] =
        [Self::Unchecked, Self::Connected, Self::NeedsSignIn, Self::Failing, Self::Blocked];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Connected => "connected",
            Self::NeedsSignIn => "needs_sign_in",
            Self::Failing => "failing",
            Self::Blocked => "blocked",
        }
    }

    pub(crate) const fn name(self) -> StatusName {
        match self {
            Self::Unchecked => StatusName::Unchecked,
            Self::Connected => StatusName::Connected,
            Self::NeedsSignIn => StatusName::NeedsSignIn,
            Self::Failing | Self::Blocked => StatusName::Failing,
        }
    }
}

impl FromStr for State {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.word() == text).ok_or(())
    }
}

/// What a connection brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The provider took the sign-in.
    Succeeded,
    /// The provider refused the sign-in.
    SignInRefused {
        /// What the catalogue says.
        diagnosis: Diagnosis,
        /// The provider's words.
        reply: Option<Vec<u8>>,
    },
    /// It did not come to a sign-in: no connection, TLS or certificate trouble, throttled.
    Trouble {
        /// What the catalogue says.
        diagnosis: Diagnosis,
        /// The provider's words, if it said any.
        reply: Option<Vec<u8>>,
    },
    /// After sign-in the provider blocked sending or the mailbox, or a limit was reached.
    Blocked {
        /// What the catalogue says.
        diagnosis: Diagnosis,
        /// The provider's words.
        reply: Option<Vec<u8>>,
    },
    /// A letter was taken by the provider.
    LetterSent,
    /// The mailbox was opened for reading: SELECT or STAT.
    Opened,
}

impl What {
    /// Whether the sign-in succeeded for this to happen.
    pub(crate) const fn has_signed_in(&self) -> bool {
        match self {
            Self::Succeeded | Self::LetterSent | Self::Opened | Self::Blocked { .. } => true,
            Self::SignInRefused { .. } | Self::Trouble { .. } => false,
        }
    }
}

/// Where one direction of an account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: State,
    /// The diagnosis' name.
    pub(crate) rule: Option<String>,
    /// The provider's own words.
    pub(crate) reply: Option<Vec<u8>>,
    /// Since when it is in this state.
    pub(crate) since: Timestamp,
    /// When the row was last written.
    pub(crate) checked_at: Timestamp,
    /// Until then nothing is dialled or probed.
    pub(crate) not_before: Option<Timestamp>,
    /// Failures in a row in this state.
    pub(crate) n_failures: u32,
}

impl Standing {
    /// Nobody has tried yet, or not with the present credential.
    pub(crate) const fn unchecked(now: Timestamp) -> Self {
        Self::quiet(State::Unchecked, now)
    }

    /// Parked because there is no secret. Not probed: there is nothing to sign in with.
    pub(crate) fn without_secret(now: Timestamp) -> Self {
        Self {
            rule: Some(Trouble::PasswordMissing.rule().to_owned()),
            ..Self::quiet(State::NeedsSignIn, now)
        }
    }

    /// Whether it is parked because there is no secret.
    pub(crate) fn lacks_secret(&self) -> bool {
        self.rule.as_deref() == Some(Trouble::PasswordMissing.rule())
    }

    const fn quiet(state: State, now: Timestamp) -> Self {
        Self { state, rule: None, reply: None, since: now, checked_at: now, not_before: None, n_failures: 0 }
    }

    /// Until when nothing is dialled. A row that was written "in the future" tells of a clock that was set back; it makes
    /// nobody wait.
    pub(crate) fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before.filter(|until| *until > now && self.checked_at <= now)
    }

    /// Whether a sign-in begun at `began_at` is too old to say anything about the present state. After the clock was set
    /// back nothing is, or all events would be lost until it has caught up.
    pub(crate) fn is_older(&self, began_at: Timestamp, now: Timestamp) -> bool {
        began_at < self.since && self.since <= now
    }

    /// Where it stands after `what`; `None` if that changes nothing.
    pub(crate) fn after(&self, what: &What, now: Timestamp) -> Option<Self> {
        let parks = |diagnosis: &Diagnosis| match diagnosis.retry {
            RetryClass::Hold | RetryClass::Permanent => true,
            RetryClass::Now | RetryClass::Backoff { .. } => false,
        };
        match (self.state, what) {
            (State::Connected, What::Succeeded | What::LetterSent | What::Opened)
            | (State::Blocked, What::Succeeded) => None,
            (_, What::Succeeded | What::LetterSent | What::Opened) => {
                Some(Self::quiet(State::Connected, now))
            }
            // The sign-in succeeded for this to be said: whoever takes the event has taken that first.
            (State::NeedsSignIn, What::Blocked { .. }) => None,
            (State::NeedsSignIn, What::Trouble { diagnosis, .. }) => {
                Some(self.probed_in_vain(diagnosis, now))
            }
            // 454 to a probe is no word about the credential, and none that it was good.
            (State::NeedsSignIn, What::SignInRefused { diagnosis, .. }) if !parks(diagnosis) => {
                Some(self.probed_in_vain(diagnosis, now))
            }
            (_, What::SignInRefused { diagnosis, reply } | What::Trouble { diagnosis, reply })
                if parks(diagnosis) =>
            {
                Some(self.failed(State::NeedsSignIn, diagnosis, reply.as_deref(), now))
            }
            (
                State::Blocked,
                What::Trouble { diagnosis, reply } | What::SignInRefused { diagnosis, reply },
            )
            | (_, What::Blocked { diagnosis, reply }) => {
                Some(self.failed(State::Blocked, diagnosis, reply.as_deref(), now))
            }
            (_, What::Trouble { diagnosis, reply } | What::SignInRefused { diagnosis, reply }) => {
                Some(self.failed(State::Failing, diagnosis, reply.as_deref(), now))
            }
        }
    }

    fn failed(&self, state: State, diagnosis: &Diagnosis, reply: Option<&[u8]>, now: Timestamp) -> Self {
        let is_new = state.name() != self.state.name();
        let n_failures = if is_new { 1 } else { self.n_failures.saturating_add(1) };
        Self {
            state,
            rule: Some(diagnosis.rule.clone()),
            reply: reply.map(|words| words[..words.len().min(REPLY_BYTES)].to_vec()),
            since: if is_new { now } else { self.since },
            checked_at: now,
            not_before: Some(now + wait(state, n_failures, diagnosis.retry)),
            n_failures,
        }
    }

    /// A probe that said nothing about the credential: why the account is parked stays, the next probe comes later.
    fn probed_in_vain(&self, diagnosis: &Diagnosis, now: Timestamp) -> Self {
        let n_failures = self.n_failures.saturating_add(1);
        let not_before = Some(now + wait(self.state, n_failures, diagnosis.retry));
        Self { checked_at: now, not_before, n_failures, ..self.clone() }
    }
}

/// How long nothing is dialled after the `n_failures`-th failure in a row. A provider's stated wait may lengthen it, never
/// shorten it.
fn wait(state: State, n_failures: u32, class: RetryClass) -> Duration {
    let n_before = n_failures.saturating_sub(1);
    let scheduled = if state == State::NeedsSignIn {
        let place = usize::try_from(n_before).unwrap_or(usize::MAX);
        PROBES_AFTER.get(place).copied().unwrap_or(Duration::from_hours(24))
    } else {
        (Duration::from_secs(60) * 2_u32.saturating_pow(n_before.min(10))).min(Duration::from_secs(4_000))
    };
    match class {
        RetryClass::Backoff { at_least } => scheduled.max(at_least),
        RetryClass::Now | RetryClass::Hold | RetryClass::Permanent => scheduled,
    }
}

/// Columns 2 to 8 of the status statements.
impl TryFrom<&Row> for Standing {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            state: row.parse(2, "a status")?,
            rule: row.get(3)?,
            reply: row.get(4)?,
            since: row.get(5)?,
            checked_at: row.get(6)?,
            not_before: row.get(7)?,
            n_failures: row.get(8)?,
        })
    }
}

#[cfg(test)]
mod tests;
