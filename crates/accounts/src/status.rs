//! How an account fares, as people and programs see it.

use std::fmt;
use std::str::FromStr;

use gatepost_core::{Diagnosis, Timestamp};
use gatepost_providers::Catalogue;

use crate::record::Record;
use crate::standing::Standing;

/// Sending or reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Letters out, by SMTP.
    Sending,
    /// Letters in, by IMAP or POP3.
    Reading,
}

impl Direction {
    /// The word used in JSON and rows.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Reading => "reading",
        }
    }
}

impl FromStr for Direction {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Sending, Self::Reading].into_iter().find(|it| it.word() == text).ok_or(())
    }
}

/// The connection status in a word. Ordered: what is worse is less, so that the worse of two is their minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusName {
    /// Stopped by hand; above whatever the status below is.
    Paused,
    /// The provider refused the sign-in, or there is no password: a person must act.
    NeedsSignIn,
    /// Something else is in the way; it is tried again by itself.
    Failing,
    /// Nobody has tried yet.
    Unchecked,
    /// The last sign-in succeeded.
    Connected,
}

impl StatusName {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::NeedsSignIn => "needs_sign_in",
            Self::Failing => "failing",
            Self::Unchecked => "unchecked",
            Self::Connected => "connected",
        }
    }
}

/// In words, for people.
impl fmt::Display for StatusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Paused => "paused",
            Self::NeedsSignIn => "needs sign-in",
            Self::Failing => "failing",
            Self::Unchecked => "not checked yet",
            Self::Connected => "connected",
        })
    }
}

/// How an account fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountStatus {
    /// Shown first: paused, or the worse of sending and reading; reading counts once something has read.
    pub status: StatusName,
    /// Letters out.
    pub sending: DirectionStatus,
    /// Letters in; unchecked while nothing reads.
    pub reading: DirectionStatus,
}

/// How one direction fares, the pause left aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectionStatus {
    /// In a word.
    pub status: StatusName,
    /// Cause and cure, where something is wrong and the catalogue knows its name.
    pub diagnosis: Option<Diagnosis>,
    /// Since when.
    pub since: Timestamp,
    /// The provider's own words, raw and hostile: escape them where they are shown.
    pub reply: Option<Vec<u8>>,
}

impl DirectionStatus {
    pub(crate) fn of(standing: &Standing, catalogue: &Catalogue) -> Self {
        let rule = standing.rule.as_deref();
        Self {
            status: standing.state.name(),
            diagnosis: rule.and_then(|rule| catalogue.find(rule)).cloned(),
            since: standing.since,
            reply: standing.reply.clone(),
        }
    }
}

impl AccountStatus {
    pub(crate) fn of(record: &Record, catalogue: &Catalogue) -> Self {
        let never_read = Standing::unchecked(record.account.created_at);
        Self {
            status: record.shown(),
            sending: DirectionStatus::of(&record.sending, catalogue),
            reading: DirectionStatus::of(record.reading.as_ref().unwrap_or(&never_read), catalogue),
        }
    }
}
