//! Setting two-step verification up, changing it, turning it off.

mod stand;

use std::time::Duration;

use gatepost_core::{AuthenticatorId, SecretText, Timestamp};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::PurposeKey;
use serde_json::json;
use uuid::Uuid;

use super::miss::{Begun, Subject, clear_misses};
use super::recovery_code::{RecoveryCode, SET};
use super::second_step::{FoundAuthenticator, list_authenticators};
use super::session::seen_as;
use super::totp::{Judged, TotpSecret};
use super::{Renewal, is_recent, renew, tell};
use crate::limiter::Door;
use crate::{
    AccountProblem, Enrolment, NewSession, People, Person, PersonRefusal, Policy, RecoveryCodes, Session,
    Visitor, sql,
};

/// How long an authenticator may be begun, and after its first code may wait for the recovery codes.
const BEGUN_FOR: Duration = Duration::from_mins(30);
/// What an authenticator app is called until there are several.
const NAME: &str = "Authenticator app";

impl FoundAuthenticator {
    /// Shown to whoever is signed in there, and waiting for its first code.
    fn is_begun(&self, session: &Session, now: Timestamp) -> bool {
        self.is_of(session) && self.proven_at.is_none() && is_young(self.created_at, now)
    }

    /// Its first code was right there, and recovery codes come next.
    fn is_proven(&self, session: &Session, now: Timestamp) -> bool {
        self.is_of(session) && self.proven_at.is_some_and(|at| is_young(at, now))
    }

    /// Does not count yet, and was begun from sign-in to sign-out of this session: whoever else knows the password must neither see
    /// its secret nor bring their own in.
    fn is_of(&self, session: &Session) -> bool {
        self.active_at.is_none() && self.begun_by == session.lineage
    }
}

/// A clock that was set back lengthens nothing.
fn is_young(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < BEGUN_FOR && is_recent(at, BEGUN_FOR, now)
}

impl People {
    /// The authenticator that is being set up in this session: the one begun or proven within 30 minutes, or a new one. What was
    /// begun in another session of the person ends with a new one.
    pub async fn begin_authenticator(&self, session: &Session) -> Result<Enrolment, AccountProblem> {
        let (world, person) = (self.identity().world().clone(), session.person.clone());
        let (organisation, now) = (person.organisation, world.now());
        let key = self.identity().keyring.data_key(organisation).await?;
        let (id, fresh) = (AuthenticatorId::new(&world), TotpSecret::generate(&world));
        let sealed = fresh.seal(&key, organisation, id, &world);
        let (owner, session) = (person.id, session.clone());
        let (begun, replaces, name) = self
            .write(move |tx| {
                // Two at once show the same secret.
                tx.row(&sql::LOCK_PERSON, params![organisation, owner])?;
                let all = list_authenticators(tx, organisation, owner)?;
                let replaces = all.iter().any(|it| it.active_at.is_some());
                let row = tx.row(&sql::FIND_ORGANISATION_NAME, params![organisation])?;
                let name: String = row.map_or(Ok(String::new()), |row| row.get(0))?;
                let begun =
                    all.into_iter().find(|it| it.is_begun(&session, now) || it.is_proven(&session, now));
                if begun.is_none() {
                    tx.execute(&sql::DELETE_BEGUN_AUTHENTICATORS, params![organisation, owner])?;
                    // Codes that somebody else waits to confirm must not count with this one.
                    tx.execute(&sql::DELETE_NEW_RECOVERY_CODES, params![organisation, owner])?;
                    let values = params![id, organisation, owner, NAME, &sealed, now, session.lineage];
                    tx.execute(&sql::INSERT_AUTHENTICATOR, values)?;
                }
                Ok::<_, StoreError>((begun, replaces, name))
            })
            .await?;
        let (id, secret) = match begun {
            Some(begun) => (begun.id, self.open_authenticator(&person, &begun).await?),
            None => (id, fresh),
        };
        let uri = secret.uri(&format!("Gatepost {name}"), person.address.as_str());
        Ok(Enrolment { id, uri, key: secret.key(), replaces })
    }

    /// The first code of the authenticator that is being set up. Where two-step verification is on already, it takes the old one's
    /// place (and the session continues anew); otherwise recovery codes come next. The same again, once it is proven, changes
    /// nothing.
    pub async fn prove_authenticator(
        &self,
        session: &Session,
        id: AuthenticatorId,
        code: &SecretText,
        visitor: &Visitor,
    ) -> Result<Option<NewSession>, AccountProblem> {
        let now = self.identity().world().now();
        let address = session.person.address.as_str();
        let begun = self.limiter().begin(Door::People, visitor.source, address, None, now);
        let at_source = begun.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?;
        let proven = self.prove(session, id, code, visitor).await;
        let unseen = |it: &PersonRefusal| matches!(it, PersonRefusal::Unavailable(_) | PersonRefusal::Over);
        if !matches!(&proven, Err(AccountProblem::Refused(refusal)) if !unseen(refusal)) {
            at_source.forgive();
        }
        proven
    }

    async fn prove(
        &self,
        session: &Session,
        id: AuthenticatorId,
        code: &SecretText,
        visitor: &Visitor,
    ) -> Result<Option<NewSession>, AccountProblem> {
        let world = self.identity().world().clone();
        let (organisation, owner, now) = (session.organisation(), session.person.id, world.now());
        let all = self.read(move |tx| list_authenticators(tx, organisation, owner)).await?;
        let found = all.into_iter().find(|it| it.id == id);
        let found = found.filter(|it| it.is_begun(session, now) || it.is_proven(session, now));
        let found = found.ok_or(PersonRefusal::Over)?;
        let judged = self.open_authenticator(&session.person, &found).await?.judge(code, now);
        let counter = self.counter(&Subject::Authenticator(id), session.device);
        let (tokens, session, visitor) = (self.tokens().clone(), session.clone(), visitor.clone());
        self.write(move |tx| {
            tx.row(&sql::LOCK_PERSON, params![organisation, owner])?;
            let all = list_authenticators(tx, organisation, owner)?;
            let has_active = all.iter().any(|it| it.active_at.is_some());
            let waits = |it: &FoundAuthenticator| it.is_begun(&session, now) || it.is_proven(&session, now);
            let found = all.iter().find(|it| it.id == id && waits(it));
            let Some(found) = found else { return Ok(Err(PersonRefusal::Over.into())) };
            if found.proven_at.is_some() {
                return Ok(Ok(None));
            }
            let begun = counter.begin(tx, now)?;
            if !matches!(begun, Begun::Counted) {
                return Ok(begun.is_looked_at().map(|()| None).map_err(AccountProblem::Refused));
            }
            let step = match judged {
                Judged::Right { step } => Ok(step),
                Judged::Expired { .. } => Err(PersonRefusal::CodeExpired),
                Judged::Wrong => Err(PersonRefusal::WrongCode),
            };
            let step = match step {
                Ok(step) => step,
                Err(refusal) => {
                    counter.missed(tx)?;
                    return Ok(Err(refusal.into()));
                }
            };
            counter.forgive(tx)?;
            if !has_active {
                tx.execute(&sql::PROVE_AUTHENTICATOR, params![organisation, id, now, step])?;
                return Ok(Ok(None));
            }
            let proof =
                Renewal { raises_epoch: true, shows_factor: true, is_proof: true, ..Renewal::default() };
            let Some(renewed) = renew(tx, &tokens, &world, &session, proof)? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            // The step is spent, so that the same code does not sign in as well (ID-13).
            tx.execute(&sql::PROVE_AUTHENTICATOR, params![organisation, id, now, step])?;
            forget_authenticators(tx, &tokens, &session.person, id.uuid())?;
            tx.execute(&sql::ACTIVATE_AUTHENTICATOR, params![organisation, id, now])?;
            let (person, kind) = (&session.person, NoticeKind::AuthenticatorReplaced);
            tell(tx, &world, person, kind, seen_as(&visitor), None)?;
            person.journal(tx, &world, Actor::Person(owner), "two_step.authenticator_replaced", json!({}))?;
            Ok::<_, AccountProblem>(Ok(Some(renewed)))
        })
        .await?
    }

    /// Makes a set of recovery codes that counts once [`People::confirm_recovery_codes`] has seen one of them.
    pub async fn new_recovery_codes(&self, session: &Session) -> Result<RecoveryCodes, AccountProblem> {
        let world = self.identity().world().clone();
        let (organisation, owner, now) = (session.organisation(), session.person.id, world.now());
        let codes: Vec<_> = (0..SET).map(|_| RecoveryCode::generate(&world)).collect();
        let digests: Vec<_> = codes.iter().map(|it| it.digest(self.tokens(), owner)).collect();
        // Any time-ordered id does.
        let set = AuthenticatorId::new(&world).uuid();
        let session = session.clone();
        let made = self.write(move |tx| {
            tx.row(&sql::LOCK_PERSON, params![organisation, owner])?;
            let all = list_authenticators(tx, organisation, owner)?;
            if !all.iter().any(|it| it.active_at.is_some() || it.is_proven(&session, now)) {
                return Ok(false);
            }
            tx.execute(&sql::DELETE_NEW_RECOVERY_CODES, params![organisation, owner])?;
            for (n, digest) in (1_u32..).zip(&digests) {
                let values = params![owner, set, n, organisation, digest.as_bytes(), now, session.lineage];
                tx.execute(&sql::INSERT_RECOVERY_CODE, values)?;
            }
            Ok::<_, StoreError>(true)
        });
        if !made.await? {
            return Err(PersonRefusal::Over.into());
        }
        Ok(RecoveryCodes(codes.iter().map(RecoveryCode::grouped).collect()))
    }

    /// One of the codes just made, typed back; it is not used up. The set counts from now on, and with a proven authenticator two-step
    /// verification is on.
    pub async fn confirm_recovery_codes(
        &self,
        session: &Session,
        code: &SecretText,
        visitor: &Visitor,
    ) -> Result<NewSession, AccountProblem> {
        let world = self.identity().world().clone();
        let now = world.now();
        let address = session.person.address.as_str();
        // The source alone counts: whoever guesses here has the codes that were shown to them.
        let begun = self.limiter().begin(Door::People, visitor.source, address, None, now);
        let at_source = begun.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?;
        let Some(code) = RecoveryCode::parse(code) else { return Err(PersonRefusal::WrongCode.into()) };
        let digest = code.digest(self.tokens(), session.person.id);
        let (tokens, session, visitor) = (self.tokens().clone(), session.clone(), visitor.clone());
        let confirmed = self.write(move |tx| {
            let (organisation, person) = (session.organisation(), &session.person);
            tx.row(&sql::LOCK_PERSON, params![organisation, person.id])?;
            let values = params![organisation, person.id, digest.as_bytes(), session.lineage];
            let Some(row) = tx.row(&sql::FIND_NEW_RECOVERY_CODE, values)? else {
                return Ok(Err(PersonRefusal::WrongCode.into()));
            };
            let set: Uuid = row.get(0)?;
            let all = list_authenticators(tx, organisation, person.id)?;
            let is_on = all.iter().any(|it| it.active_at.is_some());
            let proven = all.iter().find(|it| it.is_proven(&session, now)).map(|it| it.id);
            let turns_on = match (is_on, proven) {
                (true, _) => None,
                (false, Some(id)) => Some(id),
                (false, None) => return Ok(Err(PersonRefusal::Over.into())),
            };
            let renewal = match turns_on {
                // The first code of the new authenticator was shown minutes ago, in this session.
                Some(_) => {
                    Renewal { raises_epoch: true, shows_factor: true, is_proof: true, ..Renewal::default() }
                }
                None => Renewal::default(),
            };
            let Some(mut renewed) = renew(tx, &tokens, &world, &session, renewal)? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            tx.execute(&sql::DELETE_RECOVERY_CODES_BUT, params![organisation, person.id, set])?;
            tx.execute(&sql::ACTIVATE_RECOVERY_CODES, params![organisation, person.id, set, now])?;
            clear_misses(tx, &tokens, &Subject::RecoveryCodes(person.id))?;
            let (kind, action) = match turns_on {
                Some(id) => {
                    tx.execute(&sql::ACTIVATE_AUTHENTICATOR, params![organisation, id, now])?;
                    tx.execute(&sql::SET_TWO_STEP, params![organisation, person.id, now])?;
                    renewed.session.person.two_step_at = Some(now);
                    (NoticeKind::TwoStepOn, "two_step.turned_on")
                }
                None => (NoticeKind::RecoveryCodesMade, "recovery_code.made"),
            };
            tell(tx, &world, person, kind, seen_as(&visitor), None)?;
            person.journal(tx, &world, Actor::Person(person.id), action, json!({}))?;
            Ok::<_, AccountProblem>(Ok(renewed))
        });
        let confirmed = confirmed.await;
        if matches!(&confirmed, Ok(Ok(_)) | Err(_)) {
            at_source.forgive();
        }
        confirmed?
    }

    /// Turns two-step verification off. Not for administrators.
    pub async fn turn_two_step_off(
        &self,
        session: &Session,
        visitor: &Visitor,
    ) -> Result<NewSession, AccountProblem> {
        let world = self.identity().world().clone();
        let (tokens, session, visitor) = (self.tokens().clone(), session.clone(), visitor.clone());
        self.write(move |tx| {
            let (organisation, id) = (session.organisation(), session.person.id);
            tx.row(&sql::LOCK_PERSON, params![organisation, id])?;
            // As they are now: the role may have changed a moment ago.
            let row = tx.row(&sql::FIND_PERSON_BY_ID, params![organisation, id])?;
            let Some(person) = row.map(Person::try_from).transpose()? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            if Policy::of(person.role).needs_two_step {
                return Ok(Err(AccountProblem::TwoStepNeeded));
            }
            let raises_epoch = person.two_step_at.is_some();
            let renewal = Renewal { raises_epoch, ..Renewal::default() };
            let Some(mut renewed) = renew(tx, &tokens, &world, &session, renewal)? else {
                return Ok(Err(PersonRefusal::Over.into()));
            };
            // Twice, in two tabs: the second changes nothing.
            if person.two_step_at.is_some() {
                forget_two_step(tx, &tokens, &person)?;
                renewed.session.person.two_step_at = None;
                tell(tx, &world, &person, NoticeKind::TwoStepOff, seen_as(&visitor), None)?;
                person.journal(tx, &world, Actor::Person(id), "two_step.turned_off", json!({}))?;
            }
            Ok::<_, AccountProblem>(Ok(renewed))
        })
        .await?
    }
}

/// Two-step verification is off from here on: authenticators and recovery codes are gone, what was begun as well. Whoever calls it
/// raises the epoch, which ends sessions and trusted devices.
pub(crate) fn forget_two_step(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    person: &Person,
) -> Result<(), StoreError> {
    let Person { organisation, id, .. } = *person;
    tx.execute(&sql::SET_TWO_STEP, params![organisation, id, None::<Timestamp>])?;
    forget_authenticators(tx, tokens, person, Uuid::nil())?;
    tx.execute(&sql::DELETE_RECOVERY_CODES_BUT, params![organisation, id, Uuid::nil()])?;
    clear_misses(tx, tokens, &Subject::RecoveryCodes(id))
}

fn forget_authenticators(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    person: &Person,
    but: Uuid,
) -> Result<(), StoreError> {
    let Person { organisation, id, .. } = *person;
    for row in tx.rows(&sql::DELETE_AUTHENTICATORS_BUT, params![organisation, id, but])? {
        clear_misses(tx, tokens, &Subject::Authenticator(row.get(0)?))?;
    }
    Ok(())
}
