//! Wrong tries of people, counted per authenticator in the database (ID-7), whatever node they came to.

use std::time::Duration;

use gatepost_core::{AuthenticatorId, DeviceId, PersonId, Timestamp};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use uuid::Uuid;

use crate::{People, PersonRefusal, sql};

/// From this many misses in a row on, the person is told once somebody gets in (ID-26).
pub(crate) const MANY_MISSES: u32 = 5;
/// At this many in a row, on all devices together, nothing is looked at until the method is enrolled anew.
pub(super) const TOO_MANY_MISSES: u32 = 100;
/// Whoever has missed the second step so often has got the password.
pub(super) const TELLING_MISSES: u32 = 10;
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// A try that is looked at takes no longer.
const LOOKING: Duration = Duration::from_secs(10);
/// After how long to come again while others are looked at.
const MOMENT: Duration = Duration::from_secs(1);
/// Right passwords of one person from browsers that are not known: how long each one counts, and how many there may be at once.
const RIGHT_EVERY: Duration = Duration::from_mins(1);
const MOST_RIGHT: u32 = 10;

/// Whose tries are counted together.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The password of whoever has this address, or nobody: in small letters, as typed.
    Password(String),
    /// One authenticator app.
    Authenticator(AuthenticatorId),
    /// The recovery codes of a person.
    RecoveryCodes(PersonId),
    /// Whoever was asked after with "Forgot password?". No miss.
    Asking(String),
    /// A person's right passwords from browsers that are not known. No miss.
    Right(PersonId),
}

impl Subject {
    /// What the table knows it by: no address of a stranger can be read there.
    pub(crate) fn digest(&self, key: &PurposeKey) -> Digest {
        match self {
            Self::Password(address) => keyed_hash(key, &[b"miss-password", address.as_bytes()]),
            Self::Authenticator(id) => keyed_hash(key, &[b"miss-authenticator", id.uuid().as_bytes()]),
            Self::Asking(address) => keyed_hash(key, &[b"asking", address.as_bytes()]),
            Self::Right(id) => keyed_hash(key, &[b"right", id.uuid().as_bytes()]),
            Self::RecoveryCodes(id) => keyed_hash(key, &[b"miss-recovery-codes", id.uuid().as_bytes()]),
        }
    }
}

/// One row of the table: a subject, and the known device of that person that has a count of its own (ID-10). A try is begun in a transaction,
/// looked at, and forgiven in the transaction of what it opens.
#[derive(Clone)]
pub(crate) struct Counter {
    subject: Digest,
    bucket: Uuid,
}

impl Counter {
    pub(crate) fn new(key: &PurposeKey, subject: &Subject, device: Option<DeviceId>) -> Self {
        let bucket = device.map_or(Uuid::nil(), DeviceId::uuid);
        Self { subject: subject.digest(key), bucket }
    }

    /// Counts a try as a miss before it is looked at, so that many at the same moment do not all slip under the limit.
    pub(crate) fn begin(&self, tx: &mut Transaction<'_>, now: Timestamp) -> Result<Begun, StoreError> {
        let values = params![self.subject.as_bytes(), self.bucket, now];
        if tx.execute(&sql::COUNT_MISS, values)? == 1 {
            return Ok(Begun::Counted);
        }
        let row = tx.row(&sql::FIND_MISS, params![self.subject.as_bytes(), self.bucket])?;
        Ok(match row {
            Some(row) => {
                let wait = row.get::<Timestamp>(0)?.since(now).min(LONGEST_WAIT);
                // Fewer than that were found wrong: others are looked at, and what they say comes first.
                let is_looking = row.get::<u32>(1)? < MANY_MISSES && now.since(row.get(2)?) < LOOKING;
                Begun::Slowed { retry_after: if is_looking { wait.min(MOMENT) } else { wait } }
            }
            // Cleared at this very moment; the next try counts.
            None => Begun::Slowed { retry_after: Duration::ZERO },
        })
    }

    /// The misses in a row before the try that was right; from now on there are none.
    pub(crate) fn forgive(&self, tx: &mut Transaction<'_>) -> Result<u32, StoreError> {
        let values = params![self.subject.as_bytes(), self.bucket];
        let n = tx.row(&sql::LOCK_MISS, values)?.map_or(Ok(0), |row| row.get::<u32>(0))?;
        tx.execute(&sql::FORGIVE_MISSES, values)?;
        // The try itself was counted.
        Ok(n.saturating_sub(1))
    }

    /// The try was looked at, and is a miss.
    pub(crate) fn missed(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        tx.execute(&sql::RECORD_MISS, params![self.subject.as_bytes(), self.bucket]).map(drop)
    }

    /// Nobody could look at the try, or it came at a bad moment: it is no miss.
    pub(crate) fn take_back(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        tx.execute(&sql::TAKE_MISS_BACK, params![self.subject.as_bytes(), self.bucket]).map(drop)
    }

    /// The misses of the subject on all devices together.
    pub(crate) fn total(&self, tx: &mut Transaction<'_>) -> Result<u32, StoreError> {
        total(tx, &self.subject)
    }

    /// As much work as the journal entry of a known person's miss.
    pub(crate) fn touch(&self, tx: &mut Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        tx.execute(&sql::TOUCH_MISS, params![self.subject.as_bytes(), self.bucket, now]).map(drop)
    }
}

/// What became of the beginning of a try.
pub(crate) enum Begun {
    /// It is looked at.
    Counted,
    /// It has to wait.
    Slowed { retry_after: Duration },
}

impl Begun {
    /// Whether the try is looked at, or why not.
    pub(crate) fn is_looked_at(&self) -> Result<(), PersonRefusal> {
        match self {
            Self::Counted => Ok(()),
            Self::Slowed { retry_after } => Err(PersonRefusal::Slowed { retry_after: *retry_after }),
        }
    }
}

/// Misses of a method in a row, on all devices together.
pub(super) fn total_of(
    tx: &mut Transaction<'_>,
    key: &PurposeKey,
    subject: &Subject,
) -> Result<u32, StoreError> {
    total(tx, &subject.digest(key))
}

fn total(tx: &mut Transaction<'_>, subject: &Digest) -> Result<u32, StoreError> {
    tx.row(&sql::SUM_MISSES, params![subject.as_bytes()])?.map_or(Ok(0), |row| row.get(0))
}

/// Counts a right password from a browser that is not known; how long to wait if there were too many. Whoever is told knows the
/// password: to others it is wrong as ever.
pub(super) fn count_right(
    tx: &mut Transaction<'_>,
    key: &PurposeKey,
    person: PersonId,
    now: Timestamp,
) -> Result<Option<Duration>, StoreError> {
    let (subject, bucket) = (Subject::Right(person).digest(key), Uuid::nil());
    let values = params![subject.as_bytes(), bucket, now, now + RIGHT_EVERY];
    if tx.execute(&sql::COUNT_RIGHT, values)? == 1 {
        return Ok(None);
    }
    let row = tx.row(&sql::FIND_MISS, params![subject.as_bytes(), bucket])?;
    let used_up = row.map_or(Ok(now), |row| row.get::<Timestamp>(0))?;
    Ok(Some((used_up - RIGHT_EVERY * (MOST_RIGHT - 1)).since(now)))
}

/// The method was enrolled anew, as part of that transaction: nothing of its misses is left.
pub(crate) fn clear_misses(
    tx: &mut Transaction<'_>,
    key: &PurposeKey,
    subject: &Subject,
) -> Result<(), StoreError> {
    tx.execute(&sql::CLEAR_MISSES, params![subject.digest(key).as_bytes()]).map(drop)
}

impl People {
    /// Where the misses of a subject are counted.
    pub(crate) fn counter(&self, subject: &Subject, device: Option<DeviceId>) -> Counter {
        Counter::new(self.tokens(), subject, device)
    }
}
