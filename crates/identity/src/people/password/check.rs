//! The one place that checks a password: for sign-in, for proof again, and for its change (ID-9).

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{DeviceId, KeyId, OrganisationId, PersonId, SecretText, Timestamp, World};
use gatepost_journal::{Actor, Entry};
use gatepost_store::{Keyring, Row, StoreError, Transaction, params};
use gatepost_vault::Digest;
use serde_json::json;
use uuid::Uuid;

use super::hash::{Memory, Password, PasswordHash};
use super::pool::Place;
use crate::limiter::{Door, Try};
use crate::people::device::find_device;
use crate::people::miss::{Begun, Counter, Subject, TOO_MANY_MISSES, count_right};
use crate::people::session::tell_of_misses;
use crate::sign_in::canonical;
use crate::token::Opens;
use crate::{People, Person, PersonRefusal, Policy, Token, Visitor, sql};

/// A password that was right, and what has to be written because of it.
pub(in crate::people) struct RightPassword {
    pub(in crate::people) person: Person,
    /// The epoch in which it was right.
    pub(in crate::people) epoch: u64,
    /// The hash of the token that the browser brought.
    pub(in crate::people) browser: Option<Digest>,
    /// Whether its device is not asked for the second step.
    pub(in crate::people) is_trusted: bool,
    /// Whether it came by a device of this person.
    is_known: bool,
    counter: Counter,
    stored: PasswordHash,
    /// The same password with the settings of today.
    renewed: Option<PasswordHash>,
}

/// By what browser a password came.
#[derive(Clone, Copy)]
pub(in crate::people) enum By<'a> {
    /// One with this cookie.
    Cookie(Option<&'a Token>),
    /// The one that its session came by.
    Device(Option<DeviceId>),
}

/// What the database says about an address and a device.
struct LookedUp {
    known: Option<Known>,
    is_trusted: bool,
    is_known: bool,
    counter: Counter,
    begun: Begun,
}

#[derive(Clone)]
struct Known {
    person: Person,
    epoch: u64,
    stored: Option<(PasswordHash, KeyId)>,
    /// Too many misses, or it was not the person who used it.
    is_password_disabled: bool,
}

impl People {
    /// Checks a password. An address that nobody has, a wrong password, a disabled one, a disabled person and one without a password
    /// take the same work: two transactions and one hash (ID-11). Counts misses by source, and by address and known device of
    /// that very person. A right password earns the source no trust: that is for whoever gets in.
    pub(in crate::people) async fn check_password(
        &self,
        address: &str,
        password: &SecretText,
        by: By<'_>,
        visitor: &Visitor,
    ) -> Result<RightPassword, PersonRefusal> {
        let (right, at_source) = self.check_at_source(address, password, by, visitor).await?;
        at_source.forgive();
        Ok(right)
    }

    /// The same, with what is counted of it at its source: a miss, unless the caller says otherwise.
    pub(in crate::people) async fn check_at_source(
        &self,
        address: &str,
        password: &SecretText,
        by: By<'_>,
        visitor: &Visitor,
    ) -> Result<(RightPassword, Try), PersonRefusal> {
        let (address, now) = (canonical(address), self.identity().world().now());
        let begun = self.limiter().begin(Door::People, visitor.source, &address, Some(password), now);
        let at_source = begun.map_err(|retry_after| PersonRefusal::Slowed { retry_after })?;
        let Ok(place) = self.hashes.reserve() else {
            at_source.forgive();
            return Err(PersonRefusal::Busy);
        };
        let (device, browser) = match by {
            By::Cookie(token) => (None, token.map(|it| it.digest(self.tokens(), Opens::Device))),
            By::Device(device) => (device, None),
        };
        let looked_up = match self.look_up(&address, device, browser.clone(), now).await {
            Ok(looked_up) => looked_up,
            Err(nobody_can_say) => {
                at_source.forgive();
                return Err(nobody_can_say.into());
            }
        };
        let LookedUp { known, is_trusted, is_known, counter, begun } = looked_up;
        begun.is_looked_at()?;
        let password = Password::read(password).map(Arc::new);
        let fits = match self.fits(place, known.as_ref(), password.clone()).await {
            Ok(fits) => fits,
            Err(nobody_can_say) => {
                at_source.forgive();
                self.write(move |tx| counter.take_back(tx)).await?;
                return Err(nobody_can_say);
            }
        };
        match (known, password) {
            (Some(known @ Known { stored: Some(_), .. }), Some(password)) if fits && known.may_sign_in() => {
                let Known { person, epoch, stored: Some((stored, _)), .. } = known else {
                    return Err(PersonRefusal::WrongPassword);
                };
                let renewed = if stored.is_outdated() { self.rehashed(password).await } else { None };
                let right =
                    RightPassword { person, epoch, browser, is_trusted, is_known, counter, stored, renewed };
                Ok((right, at_source))
            }
            (known, _) => {
                self.refuse(known, fits, counter, visitor.clone(), now).await?;
                Err(PersonRefusal::WrongPassword)
            }
        }
    }

    /// The first transaction: who has that address, whether they know the device, and the miss that it may become.
    async fn look_up(
        &self,
        address: &str,
        device: Option<DeviceId>,
        browser: Option<Digest>,
        now: Timestamp,
    ) -> Result<LookedUp, StoreError> {
        let tokens = self.tokens().clone();
        let subject = Subject::Password(address.to_owned());
        let address = address.to_owned();
        self.write(move |tx| {
            let row = tx.row(&sql::FIND_CREDENTIAL, params![&address])?;
            let known = row.map(Known::try_from).transpose()?;
            let (mut device, mut is_trusted) = (device, false);
            if let Some(browser) = &browser {
                // The same statement for nobody; the cookie of another person is none.
                let (organisation, person) = known.as_ref().map_or_else(nobody, Known::whose);
                let found = find_device(tx, organisation, person, browser)?;
                is_trusted = match (&found, &known) {
                    (Some(found), Some(known)) => {
                        known.may_be_trusted() && found.is_trusted(known.epoch, now)
                    }
                    _ => false,
                };
                device = found.map(|it| it.id);
            }
            let counter = Counter::new(&tokens, &subject, device);
            let begun = counter.begin(tx, now)?;
            Ok(LookedUp { known, is_trusted, is_known: device.is_some(), counter, begun })
        })
        .await
    }

    /// One hash, whatever there is to compare.
    async fn fits(
        &self,
        place: Place,
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
        let work = move |memory: &mut Memory| match (stored, password) {
            (Some((stored, _)), Some(password)) => stored.fits(&password, &pepper, memory),
            _ => {
                PasswordHash::fits_nobody(&pepper, memory);
                false
            }
        };
        place.run(work).await.map_err(|super::pool::Busy| PersonRefusal::Busy)
    }

    /// The same password with the settings of today; not now if everybody is busy.
    async fn rehashed(&self, password: Arc<Password>) -> Option<PasswordHash> {
        let salt = PasswordHash::new_salt(self.identity().world());
        let pepper = self.identity().keyring.pepper().clone();
        self.hashes.run(move |memory| PasswordHash::make(&password, &pepper, salt, memory)).await.ok()
    }

    /// The second transaction of a refusal: the misses are added up and one row is written, whoever it was.
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
            let n = counter.total(tx)?;
            counter.missed(tx)?;
            let Some(known) = &known else { return counter.touch(tx, now) };
            let person = &known.person;
            refused(tx, &world, person, known.refused_because(fits), &visitor)?;
            if n < TOO_MANY_MISSES {
                return Ok(());
            }
            let values = params![person.organisation, person.id, now];
            if tx.execute(&sql::DISABLE_PASSWORD, values)? == 1 {
                let by = Actor::System(None);
                person.journal(tx, &world, by, "password.disabled", json!({ "because": "misses" }))?;
            }
            Ok(())
        })
        .await
    }
}

impl RightPassword {
    /// Counts it where it did not come by a known device, and says how long to wait if there were too many: then nothing of it counts, and
    /// nothing is opened.
    pub(in crate::people) fn is_one_too_many(
        &self,
        tx: &mut Transaction<'_>,
        keyring: &Keyring,
        world: &World,
    ) -> Result<Option<Duration>, StoreError> {
        if self.is_known {
            return Ok(None);
        }
        let wait = count_right(tx, keyring.tokens(), self.person.id, world.now())?;
        if wait.is_some() {
            self.counter.take_back(tx)?;
        }
        Ok(wait)
    }

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
            action: "sign_in.refused",
            subject: "person",
            subject_id: Some(person.id.uuid()),
            details: json!({ "because": because, "device": visitor.device, "source": source }),
        },
    )
}

/// Ids that are nobody's.
fn nobody() -> (OrganisationId, PersonId) {
    (OrganisationId::from_uuid(Uuid::nil()), PersonId::from_uuid(Uuid::nil()))
}

impl Known {
    fn whose(&self) -> (OrganisationId, PersonId) {
        (self.person.organisation, self.person.id)
    }

    fn may_sign_in(&self) -> bool {
        self.person.disabled_at.is_none() && !self.is_password_disabled
    }

    /// Whether a device may skip the second step at all (ID-23).
    fn may_be_trusted(&self) -> bool {
        self.person.two_step_at.is_some() && Policy::of(self.person.role).trusts_devices_for.is_some()
    }

    /// For the journal alone.
    const fn refused_because(&self, fits: bool) -> &'static str {
        match (fits, &self.stored) {
            (true, _) if self.person.disabled_at.is_some() => "disabled",
            (_, Some(_)) if self.is_password_disabled => "the password was disabled",
            (_, Some(_)) => "wrong password",
            (_, None) => "no password yet",
        }
    }
}

impl TryFrom<Row> for Known {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hash = row.parse_optional::<PasswordHash>(12, "a password hash")?;
        let stored = hash.map(|hash| Ok::<_, StoreError>((hash, row.get(13)?))).transpose()?;
        let is_password_disabled = row.get::<Option<Timestamp>>(14)?.is_some();
        Ok(Self { person: Person::try_from(&row)?, epoch: row.get(11)?, stored, is_password_disabled })
    }
}
