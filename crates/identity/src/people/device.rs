//! Browsers that people have signed in with: known, and perhaps trusted (ID-10, ID-23).

use std::time::Duration;

use gatepost_core::{DeviceId, OrganisationId, PersonId, Timestamp, World};
use gatepost_journal::Actor;
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::{Digest, PurposeKey};
use serde_json::json;

use super::moment::SLACK;
use super::session::{Entering, seen_as};
use crate::token::Opens;
use crate::{People, Session, Token, sql};

/// Devices that came again in this time are kept before those that came once.
const LATELY: Duration = Duration::from_hours(30 * 24);

/// What is known of the browser that somebody comes in by.
#[derive(Clone, Copy)]
pub(super) struct Browser {
    pub(super) id: DeviceId,
    /// Whether this person has signed in with it before.
    pub(super) is_known: bool,
}

/// A device of one person, as its row has it.
pub(super) struct FoundDevice {
    pub(super) id: DeviceId,
    trusted_at: Option<Timestamp>,
    trusted_until: Option<Timestamp>,
    epoch: Option<u64>,
}

impl FoundDevice {
    /// Whether it skips the second step in that epoch. What a clock that was ahead has trusted would last longer than it may.
    pub(super) fn is_trusted(&self, epoch: u64, now: Timestamp) -> bool {
        self.epoch == Some(epoch)
            && self.trusted_until.is_some_and(|until| until > now)
            && self.trusted_at.is_some_and(|at| at <= now + SLACK)
    }
}

/// The device of that very person with this token: the cookie of anybody else is none.
pub(super) fn find_device(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    person: PersonId,
    digest: &Digest,
) -> Result<Option<FoundDevice>, StoreError> {
    let row = tx.row(&sql::FIND_DEVICE, params![organisation, person, digest.as_bytes()])?;
    row.map(|row| {
        let (id, trusted_at) = (row.get(0)?, row.get(3)?);
        Ok(FoundDevice { id, trusted_at, trusted_until: row.get(1)?, epoch: row.get(2)? })
    })
    .transpose()
}

/// Looks whether the person has come with this browser before; writes nothing.
pub(super) fn recognise(
    tx: &mut Transaction<'_>,
    world: &World,
    entering: &Entering<'_>,
) -> Result<Browser, StoreError> {
    let person = entering.person;
    let found = match entering.browser {
        Some(digest) => find_device(tx, person.organisation, person.id, digest)?,
        None => None,
    };
    Ok(match found {
        Some(found) => Browser { id: found.id, is_known: true },
        None => Browser { id: DeviceId::new(world), is_known: false },
    })
}

/// Remembers the browser. One that this person has not come with before gets a new token, also where it had one: whoever planted
/// that one must not know the token of this person's device. The rows of others who use the browser go along.
pub(super) fn remember(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    entering: &Entering<'_>,
    browser: Browser,
) -> Result<Option<Token>, StoreError> {
    let Entering { person, visitor, .. } = *entering;
    let (organisation, now) = (person.organisation, world.now());
    let source = visitor.source.to_canonical().to_string();
    if browser.is_known {
        tx.execute(&sql::TOUCH_DEVICE, params![organisation, browser.id, now, source, &visitor.device])?;
        return Ok(None);
    }
    let token = Token::generate(world);
    let digest = token.digest(tokens, Opens::Device);
    if let Some(old) = entering.browser {
        tx.execute(&sql::MOVE_DEVICES, params![old.as_bytes(), digest.as_bytes()])?;
    }
    let values =
        params![browser.id, organisation, person.id, digest.as_bytes(), &visitor.device, source, now];
    tx.execute(&sql::INSERT_DEVICE, values)?;
    tx.execute(&sql::CAP_DEVICES, params![organisation, person.id, browser.id, now - LATELY])?;
    Ok(Some(token))
}

/// This browser is not asked for the second step from now on (ID-23). Until when.
pub(super) fn trust(
    tx: &mut Transaction<'_>,
    world: &World,
    entering: &Entering<'_>,
    device: DeviceId,
    span: Duration,
) -> Result<Timestamp, StoreError> {
    let Entering { person, epoch, visitor, .. } = *entering;
    let (now, until) = (world.now(), world.now() + span);
    tx.execute(&sql::TRUST_DEVICE, params![person.organisation, person.id, device, now, until, epoch])?;
    let by = Actor::Person(person.id);
    person.journal_of(tx, world, by, "device.trusted", ("device", device.uuid()), seen_as(visitor))?;
    Ok(until)
}

impl People {
    /// Forgets a device: it is asked for the second step again, has no count of misses of its own, and the sessions that came by it
    /// end. Unknown ones: `false`.
    pub async fn forget_device(&self, session: &Session, device: DeviceId) -> Result<bool, StoreError> {
        let (world, session) = (self.identity().world().clone(), session.clone());
        self.write(move |tx| {
            let (person, now) = (&session.person, world.now());
            let values = params![person.organisation, person.id, device, now];
            let is_there = tx.execute(&sql::REVOKE_DEVICE, values)? == 1;
            if is_there {
                tx.execute(&sql::END_SESSIONS_OF_DEVICE, values)?;
                let (by, what) = (Actor::Person(person.id), ("device", device.uuid()));
                person.journal_of(tx, &world, by, "device.forgotten", what, json!({}))?;
            }
            Ok(is_there)
        })
        .await
    }
}
