//! Checking a second step: a code of an authenticator app, or a recovery code.

use gatepost_core::{AuthenticatorId, DeviceId, SecretText, SessionId, Timestamp, World};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_store::{Row, StoreError, Transaction, params};
use gatepost_vault::PurposeKey;
use serde_json::json;

use super::miss::{Begun, Subject, TELLING_MISSES, TOO_MANY_MISSES, total_of};
use super::password::refused;
use super::recovery_code::RecoveryCode;
use super::session::seen_as;
use super::tell;
use super::totp::{Judged, TotpSecret};
use crate::limiter::Door;
use crate::{People, Person, PersonRefusal, SecondStep, Visitor, sql};

/// A second step that was right.
#[derive(Debug)]
pub(crate) struct RightStep {
    /// Recovery codes that are left, if one was used just now.
    pub(crate) recovery_codes_left: Option<u32>,
    /// Misses in a row before it.
    pub(crate) n_misses: u32,
}

/// An authenticator as its row has it.
pub(super) struct FoundAuthenticator {
    pub(super) id: AuthenticatorId,
    pub(super) sealed: Vec<u8>,
    pub(super) last_step: u64,
    pub(super) created_at: Timestamp,
    pub(super) proven_at: Option<Timestamp>,
    pub(super) active_at: Option<Timestamp>,
    pub(super) last_used_at: Option<Timestamp>,
    pub(super) name: String,
    /// The lineage of the session that began it.
    pub(super) begun_by: SessionId,
    /// By a hundred misses.
    pub(super) disabled_at: Option<Timestamp>,
}

/// Why a try that was looked at is no success.
#[derive(Clone, Copy)]
enum Miss {
    Wrong,
    Expired,
    Used,
}

impl People {
    /// Checks what was shown and spends it: the time step of a code, or the recovery code. Counts misses, per source and per
    /// authenticator. Used by sign-in and by step-up.
    pub(crate) async fn check_second_step(
        &self,
        person: &Person,
        shown: &SecondStep,
        visitor: &Visitor,
        device: Option<DeviceId>,
    ) -> Result<RightStep, PersonRefusal> {
        let now = self.identity().world().now();
        // No code is remembered as a wrong one: there are too few of them.
        let address = person.address.as_str();
        let begun = self.limiter().begin(Door::People, visitor.source, address, None, now);
        let at_source = begun.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?;
        let checked = match shown {
            SecondStep::Code(code) => self.check_code(person, code, visitor, device).await,
            SecondStep::RecoveryCode(code) => self.check_recovery_code(person, code, visitor, device).await,
        };
        if matches!(&checked, Ok(_) | Err(PersonRefusal::Unavailable(_))) {
            at_source.forgive();
        }
        checked
    }

    async fn check_code(
        &self,
        person: &Person,
        code: &SecretText,
        visitor: &Visitor,
        device: Option<DeviceId>,
    ) -> Result<RightStep, PersonRefusal> {
        let (world, organisation) = (self.identity().world().clone(), person.organisation);
        let now = world.now();
        // Opened before the try is counted: whoever cannot look counts nothing.
        let Some((found, secret)) = self.active_authenticator(person).await? else {
            return Err(PersonRefusal::WrongCode);
        };
        if found.disabled_at.is_some() {
            return Err(PersonRefusal::MethodDisabled);
        }
        let id = found.id;
        let counter = self.counter(&Subject::Authenticator(id), device);
        let judged = secret.judge(code, now);
        let (tokens, person, visitor) = (self.tokens().clone(), person.clone(), visitor.clone());
        let checked = self.write(move |tx| {
            let begun = counter.begin(tx, now)?;
            if !matches!(begun, Begun::Counted) {
                return Ok(Err(begun));
            }
            let miss = match judged {
                Judged::Right { step } => {
                    if tx.execute(&sql::SPEND_STEP, params![organisation, id, step, now])? == 1 {
                        let n_misses = counter.forgive(tx)?;
                        return Ok(Ok(Ok(RightStep { recovery_codes_left: None, n_misses })));
                    }
                    Miss::Used
                }
                Judged::Expired { step } if step == last_step(tx, &person, id)? => Miss::Used,
                Judged::Expired { .. } => Miss::Expired,
                Judged::Wrong => Miss::Wrong,
            };
            counter.missed(tx)?;
            refused(tx, &world, &person, miss.because(), &visitor)?;
            if counter.total(tx)? >= TOO_MANY_MISSES
                && tx.execute(&sql::DISABLE_AUTHENTICATOR, params![organisation, id, now])? == 1
            {
                let (by, what) = (Actor::System(None), ("authenticator", id.uuid()));
                let details = json!({ "because": "misses" });
                person.journal_of(tx, &world, by, "two_step.authenticator_disabled", what, details)?;
            }
            tell_of_the_password(tx, &tokens, &world, &person, &visitor)?;
            Ok::<_, StoreError>(Ok(Err(miss)))
        });
        answer(checked.await?)
    }

    async fn check_recovery_code(
        &self,
        person: &Person,
        code: &SecretText,
        visitor: &Visitor,
        device: Option<DeviceId>,
    ) -> Result<RightStep, PersonRefusal> {
        let world = self.identity().world().clone();
        let (organisation, id, now) = (person.organisation, person.id, world.now());
        let counter = self.counter(&Subject::RecoveryCodes(id), device);
        let digest = RecoveryCode::parse(code).map(|it| it.digest(self.tokens(), id));
        let (tokens, person, visitor) = (self.tokens().clone(), person.clone(), visitor.clone());
        let checked = self.write(move |tx| {
            let begun = counter.begin(tx, now)?;
            if !matches!(begun, Begun::Counted) {
                return Ok(Err(begun));
            }
            let mut miss = Miss::Wrong;
            if let Some(digest) = &digest {
                let values = params![organisation, id, digest.as_bytes(), now];
                if tx.execute(&sql::SPEND_RECOVERY_CODE, values)? == 1 {
                    let n_misses = counter.forgive(tx)?;
                    let (_, left) = count_recovery_codes(tx, &person)?;
                    let mut details = seen_as(&visitor);
                    details["left"] = left.into();
                    tell(tx, &world, &person, NoticeKind::RecoveryCodeUsed, details, None)?;
                    let mut details = seen_as(&visitor);
                    details["left"] = left.into();
                    person.journal(tx, &world, Actor::Person(id), "recovery_code.used", details)?;
                    return Ok(Ok(Ok(RightStep { recovery_codes_left: Some(left), n_misses })));
                }
                let values = params![organisation, id, digest.as_bytes()];
                if tx.row(&sql::FIND_RECOVERY_CODE, values)?.is_some() {
                    miss = Miss::Used;
                }
            }
            counter.missed(tx)?;
            refused(tx, &world, &person, miss.because(), &visitor)?;
            tell_of_the_password(tx, &tokens, &world, &person, &visitor)?;
            Ok::<_, StoreError>(Ok(Err(miss)))
        });
        answer(checked.await?)
    }

    async fn active_authenticator(
        &self,
        person: &Person,
    ) -> Result<Option<(FoundAuthenticator, TotpSecret)>, StoreError> {
        let (organisation, id) = (person.organisation, person.id);
        let found = self.read(move |tx| list_authenticators(tx, organisation, id)).await?;
        let Some(it) = found.into_iter().find(|it| it.active_at.is_some()) else { return Ok(None) };
        let secret = self.open_authenticator(person, &it).await?;
        Ok(Some((it, secret)))
    }

    pub(super) async fn open_authenticator(
        &self,
        person: &Person,
        it: &FoundAuthenticator,
    ) -> Result<TotpSecret, StoreError> {
        let key = self.identity().keyring.data_key(person.organisation).await?;
        TotpSecret::open(&key, person.organisation, it.id, &it.sealed).map_err(|_| StoreError::Key {
            key: format!("the secret of authenticator {}", it.id),
            problem: "does not open; its row was changed",
        })
    }
}

/// What was begun, looked at, and found.
type Checked = Result<Result<RightStep, Miss>, Begun>;

fn answer(checked: Checked) -> Result<RightStep, PersonRefusal> {
    match checked {
        Ok(Ok(right)) => Ok(right),
        Ok(Err(Miss::Wrong)) => Err(PersonRefusal::WrongCode),
        Ok(Err(Miss::Expired)) => Err(PersonRefusal::CodeExpired),
        Ok(Err(Miss::Used)) => Err(PersonRefusal::CodeUsed),
        Err(begun) => Err(begun.is_looked_at().err().unwrap_or(PersonRefusal::WrongCode)),
    }
}

impl Miss {
    /// For the journal.
    const fn because(self) -> &'static str {
        match self {
            Self::Wrong => "wrong code",
            Self::Expired => "expired code",
            Self::Used => "used code",
        }
    }
}

/// At the tenth wrong second step in a row: whoever it is has the password (ID-26).
fn tell_of_the_password(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    person: &Person,
    visitor: &Visitor,
) -> Result<(), StoreError> {
    let mut n = total_of(tx, tokens, &Subject::RecoveryCodes(person.id))?;
    for it in list_authenticators(tx, person.organisation, person.id)? {
        if it.active_at.is_some() {
            n = n.saturating_add(total_of(tx, tokens, &Subject::Authenticator(it.id))?);
        }
    }
    if n != TELLING_MISSES {
        return Ok(());
    }
    let mut details = seen_as(visitor);
    details["n"] = n.into();
    tell(tx, world, person, NoticeKind::PasswordKnown, details, None)
}

/// All authenticators of a person, the active one first.
pub(super) fn list_authenticators(
    tx: &mut Transaction<'_>,
    organisation: gatepost_core::OrganisationId,
    person: gatepost_core::PersonId,
) -> Result<Vec<FoundAuthenticator>, StoreError> {
    let rows = tx.rows(&sql::LIST_AUTHENTICATORS, params![organisation, person])?;
    rows.into_iter().map(FoundAuthenticator::try_from).collect()
}

/// How many recovery codes count, and how many of them are left.
pub(super) fn count_recovery_codes(
    tx: &mut Transaction<'_>,
    person: &Person,
) -> Result<(u32, u32), StoreError> {
    let row = tx.row(&sql::COUNT_RECOVERY_CODES, params![person.organisation, person.id])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get(0)?, row.get(1)?)))
}

fn last_step(tx: &mut Transaction<'_>, person: &Person, id: AuthenticatorId) -> Result<u64, StoreError> {
    let all = list_authenticators(tx, person.organisation, person.id)?;
    Ok(all.iter().find(|it| it.id == id).map_or(0, |it| it.last_step))
}

impl TryFrom<Row> for FoundAuthenticator {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get(0)?,
            sealed: row.get(1)?,
            last_step: row.get(2)?,
            created_at: row.get(3)?,
            proven_at: row.get(4)?,
            active_at: row.get(5)?,
            last_used_at: row.get(6)?,
            name: row.get(7)?,
            begun_by: row.get(8)?,
            disabled_at: row.get(9)?,
        })
    }
}

#[cfg(test)]
mod tests;
