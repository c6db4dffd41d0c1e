//! The two steps of signing in.

use std::time::Duration;

use gatepost_core::{DeviceId, SecretText, Timestamp, World};
use gatepost_store::{Row, StoreError, Transaction, params};
use gatepost_vault::{Digest, PurposeKey};

use super::device::{recognise, trust};
use super::password::By;
use super::session::{Entering, Shown, begin_session, factor_word, tell_of_misses};
use crate::limiter::Door;
use crate::token::Opens;
use crate::{
    Entrance, LinkKind, Method, NewSession, People, Person, PersonRefusal, Policy, PreSession, SecondStep,
    SecondStepPassed, Token, Visitor, sql,
};

/// How long the second step may take (ID-27).
const PRE_SESSION_FOR: Duration = Duration::from_mins(10);

/// A row between the two steps that is alive.
struct FoundPreSession {
    it: PreSession,
    epoch: u64,
    /// The hash of the token that the browser brought at the first step.
    browser: Option<Digest>,
    /// The device of this person that has it.
    device: Option<DeviceId>,
}

impl People {
    /// The first step: address and password, and the cookie of the browser's device if it has one.
    pub async fn sign_in(
        &self,
        address: &str,
        password: &SecretText,
        device: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<Entrance, PersonRefusal> {
        let (right, at_source) = self.check_at_source(address, password, By::Cookie(device), visitor).await?;
        let (world, keyring) = (self.identity().world().clone(), self.identity().keyring.clone());
        let (person, from) = (right.person.clone(), visitor.clone());
        let entered = self.write(move |tx| {
            if let Some(retry_after) = right.is_one_too_many(tx, &keyring, &world)? {
                return Ok(Err(PersonRefusal::Slowed { retry_after }));
            }
            right.settle(tx, &keyring, &world, &from)?;
            let shown = if right.is_trusted { Shown::PasswordOnTrustedDevice } else { Shown::Password };
            let (person, browser) = (&right.person, right.browser.as_ref());
            let entering = Entering { person, epoch: right.epoch, visitor: &from, browser, shown };
            let entered = enter(tx, keyring.tokens(), &world, &entering)?;
            Ok::<_, StoreError>(entered.ok_or(PersonRefusal::Over))
        });
        let entered = entered.await;
        match &entered {
            Ok(Err(PersonRefusal::Slowed { .. })) => at_source.one_too_many(),
            _ => at_source.forgive(),
        }
        let entered = entered??;
        self.trust_source_of(&entered, &person, visitor);
        Ok(entered)
    }

    /// Who is between the two steps with this cookie.
    pub async fn find_pre_session(&self, token: &Token) -> Result<Option<PreSession>, StoreError> {
        Ok(self.living_pre_session(token).await?.map(|found| found.it))
    }

    /// The second step. The pre-session ends when it is right. `trusts_device` counts only where policy allows it.
    pub async fn second_step(
        &self,
        pre_session: &Token,
        shown: &SecondStep,
        trusts_device: bool,
        visitor: &Visitor,
    ) -> Result<SecondStepPassed, PersonRefusal> {
        let found = self.living_pre_session(pre_session).await?.ok_or(PersonRefusal::Over)?;
        let FoundPreSession { it: PreSession { person, policy, .. }, epoch, browser, device } = found;
        let right = self.check_second_step(&person, shown, visitor, device).await?;
        let factor = factor_word(shown);
        let (world, tokens, from) = (self.identity().world().clone(), self.tokens().clone(), visitor.clone());
        let digest = pre_session.digest(&tokens, Opens::PreSession);
        let trusts_for = policy.trusts_devices_for.filter(|_| trusts_device);
        let owner = person.clone();
        let passed = self.write(move |tx| {
            // Two at once, each with a right code of its own: one of them comes in.
            if tx.execute(&sql::DELETE_PRE_SESSION, params![digest.as_bytes()])? == 0 {
                return Ok(None);
            }
            tell_of_misses(tx, &world, &person, right.n_misses, &from)?;
            let (shown, browser) = (Shown::TwoSteps(factor), browser.as_ref());
            let entering = Entering { person: &person, epoch, visitor: &from, browser, shown };
            let Some(session) = begin_session(tx, &tokens, &world, &entering)? else { return Ok(None) };
            let trusted_until = match (trusts_for, session.session.device) {
                (Some(span), Some(device)) => Some(trust(tx, &world, &entering, device, span)?),
                _ => None,
            };
            let recovery_codes_left = right.recovery_codes_left;
            Ok::<_, StoreError>(Some(SecondStepPassed { session, trusted_until, recovery_codes_left }))
        });
        let passed = passed.await?.ok_or(PersonRefusal::Over)?;
        self.trust_source(&owner, visitor);
        Ok(passed)
    }

    /// Ends what a pre-session's cookie names ("Use another account").
    pub async fn leave_pre_session(&self, token: &Token) -> Result<(), StoreError> {
        let digest = token.digest(self.tokens(), Opens::PreSession);
        self.write(move |tx| tx.execute(&sql::DELETE_PRE_SESSION, params![digest.as_bytes()]).map(drop)).await
    }

    /// Uses up the demo's sign-in link. Over, unless these are [`People::with_sign_in_links`].
    pub async fn sign_in_by_link(
        &self,
        token: &Token,
        visitor: &Visitor,
    ) -> Result<NewSession, PersonRefusal> {
        if !self.allows_sign_in_links {
            return Err(PersonRefusal::Over);
        }
        let (world, tokens, visitor) =
            (self.identity().world().clone(), self.tokens().clone(), visitor.clone());
        let token = token.clone();
        let entered = self.write(move |tx| {
            let Some(found) =
                super::link::consume(tx, &tokens, &world, &token, |kind| kind == LinkKind::SignIn)?
            else {
                return Ok(None);
            };
            let shown = Shown::Link;
            let (person, epoch, visitor) = (&found.person, found.epoch, &visitor);
            let entering = Entering { person, epoch, visitor, browser: None, shown };
            begin_session(tx, &tokens, &world, &entering)
        });
        entered.await?.ok_or(PersonRefusal::Over)
    }

    /// Whoever is in has passed all steps: this source is always checked from now on (ID-8).
    pub(super) fn trust_source_of(&self, entrance: &Entrance, person: &Person, visitor: &Visitor) {
        if matches!(entrance, Entrance::SignedIn(_)) {
            self.trust_source(person, visitor);
        }
    }

    fn trust_source(&self, person: &Person, visitor: &Visitor) {
        let now = self.identity().world().now();
        self.limiter().trust(Door::People, visitor.source, person.address.as_str(), now);
    }

    async fn living_pre_session(&self, token: &Token) -> Result<Option<FoundPreSession>, StoreError> {
        let digest = token.digest(self.tokens(), Opens::PreSession);
        let row = self.read(move |tx| tx.row(&sql::FIND_PRE_SESSION, params![digest.as_bytes()])).await?;
        let now = self.identity().world().now();
        Ok(row.map(|row| found_pre_session(&row, now)).transpose()?.flatten())
    }
}

/// After a right password: straight in where nothing more is asked, else to the second step. `None` if the person's epoch rose
/// meanwhile.
pub(super) fn enter(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    entering: &Entering<'_>,
) -> Result<Option<Entrance>, StoreError> {
    let Entering { person, epoch, visitor, browser, shown } = *entering;
    if person.two_step_at.is_none() || matches!(shown, Shown::PasswordOnTrustedDevice) {
        return Ok(begin_session(tx, tokens, world, entering)?.map(Entrance::SignedIn));
    }
    let is_known = recognise(tx, world, entering)?.is_known;
    let (token, now) = (Token::generate(world), world.now());
    let expires_at = now + PRE_SESSION_FOR;
    let digest = token.digest(tokens, Opens::PreSession);
    let values = params![
        digest.as_bytes(),
        person.organisation,
        person.id,
        epoch,
        visitor.source.to_canonical().to_string(),
        &visitor.device,
        now,
        expires_at,
        browser.map(Digest::as_bytes),
        is_known,
    ];
    if tx.execute(&sql::INSERT_PRE_SESSION, values)? == 0 {
        return Ok(None);
    }
    tx.execute(&sql::CAP_PRE_SESSIONS, params![person.organisation, person.id, is_known])?;
    Ok(Some(Entrance::SecondStep { token, expires_at }))
}

fn found_pre_session(row: &Row, now: Timestamp) -> Result<Option<FoundPreSession>, StoreError> {
    let person = Person::try_from(row)?;
    let (epoch, expires_at) = (row.get::<u64>(11)?, row.get::<Timestamp>(13)?);
    if epoch != row.get::<u64>(12)? || person.disabled_at.is_some() || expires_at <= now {
        return Ok(None);
    }
    let methods = [(14, Method::AuthenticatorApp), (15, Method::RecoveryCode)];
    let methods = methods.into_iter().filter_map(|(column, method)| match row.get(column) {
        Ok(true) => Some(Ok(method)),
        Ok(false) => None,
        Err(err) => Some(Err(err)),
    });
    let methods = methods.collect::<Result<Vec<_>, StoreError>>()?;
    let policy = Policy::of(person.role);
    let may_trust_device = policy.trusts_devices_for.is_some();
    let browser = row.get::<Option<Vec<u8>>>(16)?.as_deref().and_then(Digest::from_row);
    let it = PreSession { person, policy, methods, may_trust_device, expires_at };
    Ok(Some(FoundPreSession { it, epoch, browser, device: row.get(17)? }))
}
