//! Wrong tries of people, counted per authenticator in the database (ID-7), whatever node they came to.

use std::time::Duration;

use gatepost_core::{AuthenticatorId, PersonId, Timestamp, TrustedDeviceId};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use uuid::Uuid;

use crate::{People, PersonRefusal, sql};

/// From this many misses in a row on, the person is told once somebody gets in (ID-26).
pub(crate) const MANY_MISSES: u32 = 5;

/// Whose tries are counted together.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// The password of whoever has this address, or nobody: in small letters, as typed.
    Password(String),
    /// One authenticator app.
    Authenticator(AuthenticatorId),
    /// The recovery codes of a person.
    RecoveryCodes(PersonId),
}

impl Subject {
    /// What the table knows it by: no address of a stranger can be read there.
    pub(crate) fn digest(&self, key: &PurposeKey) -> Digest {
        match self {
            Self::Password(address) => keyed_hash(key, &[b"miss-password", address.as_bytes()]),
            Self::Authenticator(id) => keyed_hash(key, &[b"miss-authenticator", id.uuid().as_bytes()]),
            Self::RecoveryCodes(id) => keyed_hash(key, &[b"miss-recovery-codes", id.uuid().as_bytes()]),
        }
    }
}

/// One row of the table: a subject, and the trusted device that has a count of its own (ID-10). A try is begun in a transaction,
/// looked at, and forgiven in the transaction of what it opens.
#[derive(Clone)]
pub(crate) struct Counter {
    subject: Digest,
    bucket: Uuid,
}

impl Counter {
    pub(crate) fn new(key: &PurposeKey, subject: &Subject, device: Option<TrustedDeviceId>) -> Self {
        let bucket = device.map_or(Uuid::nil(), TrustedDeviceId::uuid);
        Self { subject: subject.digest(key), bucket }
    }

    /// Counts a try as a miss before it is looked at, so that many at the same moment do not all slip under the limit.
    pub(crate) fn begin(
        &self,
        tx: &mut Transaction<'_>,
        is_nobodys: bool,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        let values = params![self.subject.as_bytes(), self.bucket, is_nobodys, now];
        if tx.execute(&sql::COUNT_MISS, values)? == 1 {
            return Ok(Begun::Counted);
        }
        let row = tx.row(&sql::FIND_MISS, params![self.subject.as_bytes(), self.bucket])?;
        Ok(match row {
            Some(row) if row.get::<Option<Timestamp>>(1)?.is_some() => Begun::Disabled,
            Some(row) => Begun::Slowed { retry_after: row.get::<Timestamp>(0)?.since(now) },
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

    /// Nobody could look at the try: it is no miss.
    pub(crate) fn take_back(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        tx.execute(&sql::TAKE_MISS_BACK, params![self.subject.as_bytes(), self.bucket]).map(drop)
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
    /// Nothing is looked at any more.
    Disabled,
}

impl Begun {
    /// Whether the try is looked at, or why not.
    pub(crate) fn is_looked_at(&self) -> Result<(), PersonRefusal> {
        match self {
            Self::Counted => Ok(()),
            Self::Slowed { retry_after } => Err(PersonRefusal::Slowed { retry_after: *retry_after }),
            Self::Disabled => Err(PersonRefusal::MethodDisabled),
        }
    }
}

/// Since when the subject opens nothing, because of a hundred misses.
pub(crate) fn disabled_at(
    tx: &mut Transaction<'_>,
    subject: &Subject,
    key: &PurposeKey,
) -> Result<Option<Timestamp>, StoreError> {
    let row = tx.row(&sql::FIND_MISS, params![subject.digest(key).as_bytes(), Uuid::nil()])?;
    Ok(row.map(|row| row.get(1)).transpose()?.flatten())
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
    pub(crate) fn counter(&self, subject: &Subject, device: Option<TrustedDeviceId>) -> Counter {
        Counter::new(self.tokens(), subject, device)
    }
}
