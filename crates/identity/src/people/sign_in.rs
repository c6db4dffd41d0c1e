//! The two steps of signing in.

use std::time::Duration;

use gatepost_core::{SecretText, Timestamp, TrustedDeviceId, World};
use gatepost_store::{Row, StoreError, Transaction, params};
use gatepost_vault::PurposeKey;

use super::session::{Entering, Shown, begin_session, factor_word, tell_of_misses};
use crate::token::Opens;
use crate::{
    Entrance, LinkKind, Method, NewSession, People, Person, PersonRefusal, Policy, PreSession, SecondStep,
    SecondStepPassed, Token, TrustedToken, Visitor, sql,
};

/// How long the second step may take (ID-27).
const PRE_SESSION_FOR: Duration = Duration::from_mins(10);

/// A row between the two steps that is alive.
struct FoundPreSession {
    it: PreSession,
    epoch: u64,
}

impl People {
    /// The first step: address and password, and the cookie of a trusted device if there is one.
    pub async fn sign_in(
        &self,
        address: &str,
        password: &SecretText,
        device: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<Entrance, PersonRefusal> {
        let right = self.check_password(address, password, device, visitor).await?;
        let (world, keyring) = (self.identity().world().clone(), self.identity().keyring.clone());
        let visitor = visitor.clone();
        let entered = self.write(move |tx| {
            right.settle(tx, &keyring, &world, &visitor)?;
            let shown = match right.device {
                Some(device) => {
                    let source = visitor.source.to_canonical().to_string();
                    let values = params![right.person.organisation, device, world.now(), source];
                    tx.execute(&sql::TOUCH_TRUSTED_DEVICE, values)?;
                    Shown::PasswordOnTrustedDevice
                }
                None => Shown::Password,
            };
            let entering = Entering { person: &right.person, epoch: right.epoch, visitor: &visitor, shown };
            enter(tx, keyring.tokens(), &world, &entering)
        });
        Ok(entered.await?)
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
        let FoundPreSession { it: PreSession { person, .. }, epoch } = found;
        let right = self.check_second_step(&person, shown, visitor, None).await?;
        let factor = factor_word(shown);
        let (world, tokens, visitor) =
            (self.identity().world().clone(), self.tokens().clone(), visitor.clone());
        let digest = pre_session.digest(&tokens, Opens::PreSession);
        let trusts_for = Policy::of(person.role).trusts_devices_for.filter(|_| trusts_device);
        let passed = self.write(move |tx| {
            // Two at once, each with a right code of its own: one of them comes in.
            if tx.execute(&sql::DELETE_PRE_SESSION, params![digest.as_bytes()])? == 0 {
                return Ok(None);
            }
            tell_of_misses(tx, &world, &person, right.n_misses, &visitor)?;
            let shown = Shown::TwoSteps(factor);
            let entering = Entering { person: &person, epoch, visitor: &visitor, shown };
            let session = begin_session(tx, &tokens, &world, &entering)?;
            let trusted_device =
                trusts_for.map(|span| trust(tx, &tokens, &world, &entering, span)).transpose()?;
            let recovery_codes_left = right.recovery_codes_left;
            Ok::<_, StoreError>(Some(SecondStepPassed { session, trusted_device, recovery_codes_left }))
        });
        passed.await?.ok_or(PersonRefusal::Over)
    }

    /// Ends what a pre-session's cookie names ("Use another account").
    pub async fn leave_pre_session(&self, token: &Token) -> Result<(), StoreError> {
        let digest = token.digest(self.tokens(), Opens::PreSession);
        self.write(move |tx| tx.execute(&sql::DELETE_PRE_SESSION, params![digest.as_bytes()]).map(drop)).await
    }

    /// Uses up the demo's sign-in link.
    pub async fn sign_in_by_link(
        &self,
        token: &Token,
        visitor: &Visitor,
    ) -> Result<NewSession, PersonRefusal> {
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
            let entering = Entering { person: &found.person, epoch: found.epoch, visitor: &visitor, shown };
            begin_session(tx, &tokens, &world, &entering).map(Some)
        });
        entered.await?.ok_or(PersonRefusal::Over)
    }

    async fn living_pre_session(&self, token: &Token) -> Result<Option<FoundPreSession>, StoreError> {
        let digest = token.digest(self.tokens(), Opens::PreSession);
        let row = self.read(move |tx| tx.row(&sql::FIND_PRE_SESSION, params![digest.as_bytes()])).await?;
        let now = self.identity().world().now();
        Ok(row.map(|row| found_pre_session(&row, now)).transpose()?.flatten())
    }
}

/// After a right password: straight in where nothing more is asked, else to the second step.
pub(super) fn enter(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    entering: &Entering<'_>,
) -> Result<Entrance, StoreError> {
    let Entering { person, epoch, visitor, shown } = *entering;
    if person.two_step_at.is_none() || matches!(shown, Shown::PasswordOnTrustedDevice) {
        return begin_session(tx, tokens, world, entering).map(Entrance::SignedIn);
    }
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
    ];
    tx.execute(&sql::INSERT_PRE_SESSION, values)?;
    Ok(Entrance::SecondStep { token, expires_at })
}

/// This browser is not asked for the second step from now on (ID-23).
fn trust(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    entering: &Entering<'_>,
    span: Duration,
) -> Result<TrustedToken, StoreError> {
    let Entering { person, epoch, visitor, .. } = *entering;
    let (token, now) = (Token::generate(world), world.now());
    let expires_at = now + span;
    let digest = token.digest(tokens, Opens::TrustedDevice);
    let values = params![
        TrustedDeviceId::new(world),
        person.organisation,
        person.id,
        digest.as_bytes(),
        epoch,
        &visitor.device,
        visitor.source.to_canonical().to_string(),
        now,
        expires_at,
    ];
    tx.execute(&sql::INSERT_TRUSTED_DEVICE, values)?;
    Ok(TrustedToken { token, expires_at })
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
    let may_trust_device = Policy::of(person.role).trusts_devices_for.is_some();
    Ok(Some(FoundPreSession { it: PreSession { person, methods, may_trust_device, expires_at }, epoch }))
}
