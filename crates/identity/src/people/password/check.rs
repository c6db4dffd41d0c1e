//! The one place that checks a password: for sign-in, for proof again, and for its change (ID-9).

use std::sync::Arc;

use gatepost_core::{KeyId, SecretText, Timestamp, TrustedDeviceId, World};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{Keyring, Row, StoreError, Transaction, params};
use serde_json::json;

use super::hash::{Password, PasswordHash};
use crate::people::miss::{Begun, Counter, Subject};
use crate::people::session::tell_of_misses;
use crate::sign_in::canonical;
use crate::token::Opens;
use crate::{People, Person, PersonRefusal, Policy, Token, Visitor, sql};

/// A password that was right, and what has to be written because of it.
pub(in crate::people) struct RightPassword {
    pub(in crate::people) person: Person,
    /// The epoch in which it was right.
    pub(in crate::people) epoch: u64,
    /// The device that is not asked for the second step.
    pub(in crate::people) device: Option<TrustedDeviceId>,
    counter: Counter,
    stored: PasswordHash,
    /// The same password with the settings of today.
    renewed: Option<PasswordHash>,
}

/// What the database says about an address and a device.
struct LookedUp {
    known: Option<Known>,
    device: Option<TrustedDeviceId>,
    counter: Counter,
    begun: Begun,
}

#[derive(Clone)]
struct Known {
    person: Person,
    epoch: u64,
    stored: Option<(PasswordHash, KeyId)>,
}

impl People {
    /// Checks a password. An address that nobody has, a wrong password, a disabled person and one without a password take the same
    /// work: two transactions and one hash (ID-11). Counts misses by source, and by address or trusted device.
    pub(in crate::people) async fn check_password(
        &self,
        address: &str,
        password: &SecretText,
        device: Option<&Token>,
        visitor: &Visitor,
    ) -> Result<RightPassword, PersonRefusal> {
        let (address, now) = (canonical(address), self.identity().world().now());
        let begun = self.limiter().begin(visitor.source, &address, password, now);
        let at_source = begun.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?;
        let looked_up = self.look_up(&address, device, now).await;
        let looked_up = looked_up.inspect_err(|_| self.limiter().forgive(&at_source, false, now))?;
        let LookedUp { known, device, counter, begun } = looked_up;
        begun.is_looked_at()?;
        let password = Password::read(password).map(Arc::new);
        let fits = match self.fits(known.as_ref(), password.clone()).await {
            Ok(fits) => fits,
            Err(nobody_can_say) => {
                self.limiter().forgive(&at_source, false, now);
                self.write(move |tx| counter.take_back(tx)).await?;
                return Err(nobody_can_say);
            }
        };
        let renew = |it: &PasswordHash| it.is_outdated();
        match (known, password) {
            (Some(Known { person, epoch, stored: Some((stored, _)) }), Some(password))
                if fits && person.disabled_at.is_none() =>
            {
                self.limiter().forgive(&at_source, true, now);
                let renewed = if renew(&stored) { self.rehashed(password).await } else { None };
                Ok(RightPassword { person, epoch, device, counter, stored, renewed })
            }
            (known, _) => {
                self.refuse(known, fits, counter, visitor.clone(), now).await?;
                Err(PersonRefusal::WrongPassword)
            }
        }
    }

    /// The first transaction: who has that address, whether the device is known, and the miss that it may become.
    async fn look_up(
        &self,
        address: &str,
        device: Option<&Token>,
        now: Timestamp,
    ) -> Result<LookedUp, StoreError> {
        let tokens = self.tokens().clone();
        let subject = Subject::Password(address.to_owned());
        let device = device.map(|token| token.digest(&tokens, Opens::TrustedDevice));
        let address = address.to_owned();
        self.write(move |tx| {
            let row = tx.row(&sql::FIND_CREDENTIAL, params![&address])?;
            let known = row.map(Known::try_from).transpose()?;
            let device = match &device {
                Some(digest) => {
                    let row = tx.row(&sql::FIND_TRUSTED_DEVICE, params![digest.as_bytes()])?;
                    row.map(|row| trusted_device(&row, known.as_ref(), now)).transpose()?.flatten()
                }
                None => None,
            };
            let counter = Counter::new(&tokens, &subject, device);
            let begun = counter.begin(tx, known.is_none(), now)?;
            Ok(LookedUp { known, device, counter, begun })
        })
        .await
    }

    /// One hash, whatever there is to compare.
    async fn fits(
        &self,
        known: Option<&Known>,
        password: Option<Arc<Password>>,
    ) -> Result<bool, PersonRefusal> {
        let pepper = self.identity().keyring.pepper().clone();
        let stored = known.and_then(|it| it.stored.clone());
        if let Some((_, key_id)) = &stored
            && *key_id != pepper.id()
        {
            let problem = "is not the key under which this password was hashed";
            return Err(StoreError::Key { key: "pepper".into(), problem }.into());
        }
        let work = move || match (stored, password) {
            (Some((stored, _)), Some(password)) => stored.fits(&password, &pepper),
            _ => {
                PasswordHash::fits_nobody(&pepper);
                false
            }
        };
        self.hashes.run(work).await.map_err(|super::pool::Busy| PersonRefusal::Busy)
    }

    /// The same password with the settings of today; not now if everybody is busy.
    async fn rehashed(&self, password: Arc<Password>) -> Option<PasswordHash> {
        let salt = PasswordHash::new_salt(self.identity().world());
        let pepper = self.identity().keyring.pepper().clone();
        self.hashes.run(move || PasswordHash::make(&password, &pepper, salt)).await.ok()
    }

    /// The second transaction of a refusal: one row is written, whoever it was.
    async fn refuse(
        &self,
        known: Option<Known>,
        fits: bool,
        counter: Counter,
        visitor: Visitor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let world = self.identity().world().clone();
        self.write(move |tx| {
            let Some(Known { person, stored, .. }) = &known else { return counter.touch(tx, now) };
            let because = match (fits, stored) {
                (true, _) => "disabled",
                (false, Some(_)) => "wrong password",
                (false, None) => "no password yet",
            };
            refused(tx, &world, person, because, &visitor)
        })
        .await
    }
}

impl RightPassword {
    /// Forgives the misses and writes what has changed, as part of the transaction that lets the person in.
    pub(in crate::people) fn settle(
        &self,
        tx: &mut Transaction<'_>,
        keyring: &Keyring,
        world: &World,
        visitor: &Visitor,
    ) -> Result<(), StoreError> {
        let n_misses = self.counter.forgive(tx)?;
        if let Some(renewed) = &self.renewed {
            let (old, new) = (self.stored.to_string(), renewed.to_string());
            let (organisation, person, key_id) =
                (self.person.organisation, self.person.id, keyring.pepper().id());
            tx.execute(&sql::REHASH_PASSWORD, params![organisation, person, old, new, key_id])?;
        }
        tell_of_misses(tx, world, &self.person, n_misses, visitor)
    }
}

/// A refused try of somebody who is known, for the journal alone.
pub(crate) fn refused(
    tx: &mut Transaction<'_>,
    world: &World,
    person: &Person,
    because: &'static str,
    visitor: &Visitor,
) -> Result<(), StoreError> {
    let source = visitor.source.to_canonical().to_string();
    gatepost_journal::append(
        tx,
        world,
        &Entry {
            organisation: person.organisation,
            // Nobody knows who it was.
            actor: Actor::System(None),
            action: "person.sign_in_refused",
            subject: "person",
            subject_id: Some(person.id.uuid()),
            details: json!({ "because": because, "device": visitor.device, "source": source }),
        },
    )
}

/// The device, if it is this person's and still trusted (ID-23).
fn trusted_device(
    row: &Row,
    known: Option<&Known>,
    now: Timestamp,
) -> Result<Option<TrustedDeviceId>, StoreError> {
    let Some(Known { person, epoch, .. }) = known else { return Ok(None) };
    let is_trusted = row.get::<gatepost_core::OrganisationId>(1)? == person.organisation
        && row.get::<gatepost_core::PersonId>(2)? == person.id
        && row.get::<u64>(3)? == *epoch
        && row.get::<Timestamp>(4)? > now
        && row.get::<Option<Timestamp>>(5)?.is_none()
        && person.two_step_at.is_some()
        && Policy::of(person.role).trusts_devices_for.is_some();
    is_trusted.then(|| row.get(0)).transpose()
}

impl TryFrom<Row> for Known {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hash = row.parse_optional::<PasswordHash>(12, "a password hash")?;
        let stored = hash.map(|hash| Ok::<_, StoreError>((hash, row.get(13)?))).transpose()?;
        Ok(Self { person: Person::try_from(&row)?, epoch: row.get(11)?, stored })
    }
}
