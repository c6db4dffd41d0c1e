//! A session that continues under a new id and token, and the security epoch that ends all others.

use gatepost_core::{OrganisationId, PersonId, SessionId, Timestamp, World};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::PurposeKey;

use super::find::needs_factor;
use crate::token::Opens;
use crate::{NewSession, Person, Policy, Session, Token, sql};

/// What changes when a session goes on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Renewal {
    /// Whether everything else of this person ends: other sessions, pre-sessions and trusted devices (ID-24).
    pub(crate) raises_epoch: bool,
    /// Whether a factor was shown just now.
    pub(crate) shows_factor: bool,
    /// Whether that was proof by the strongest factor enrolled (ID-25).
    pub(crate) is_proof: bool,
    /// Whether it outlives the browser from now on.
    pub(crate) becomes_lasting: bool,
}

/// Continues a session under a new id and token (WP-2), as part of the change that asks for it; `None` if it is over, and then the
/// caller changes nothing. So this comes first, and the person in the answer is as they were before the caller's change.
pub(crate) fn renew(
    tx: &mut Transaction<'_>,
    tokens: &PurposeKey,
    world: &World,
    session: &Session,
    renewal: Renewal,
) -> Result<Option<NewSession>, StoreError> {
    let (organisation, person, now) = (session.organisation(), session.person.id, world.now());
    let values = params![organisation, person, session.id, session.epoch, now];
    // Two at once: the second finds it ended.
    let Some(old) = tx.row(&sql::END_SESSION_FOR_NEXT, values)? else { return Ok(None) };
    let epoch = if renewal.raises_epoch {
        // On behalf of a session from before another raise, nothing is raised: it was dead already.
        let raised = tx.row(&sql::RAISE_PERSON_EPOCH_FROM, params![organisation, person, session.epoch])?;
        let Some(raised) = raised else { return Ok(None) };
        end_all(tx, organisation, person, now)?;
        raised.get(0)?
    } else {
        session.epoch
    };
    let Some(row) = tx.row(&sql::FIND_PERSON_BY_ID, params![organisation, person])? else { return Ok(None) };
    let owner = Person::try_from(row)?;
    let it = Session {
        id: SessionId::new(world),
        lineage: session.lineage,
        policy: Policy::of(owner.role),
        person: owner,
        created_at: old.get(4)?,
        proven_at: if renewal.is_proof { Some(now) } else { old.get(6)? },
        is_lasting: renewal.becomes_lasting || old.get(2)?,
        is_single_factor: !renewal.is_proof && old.get::<bool>(3)?,
        needs_factor: false,
        epoch,
        device: old.get(7)?,
    };
    let factor_at = if renewal.shows_factor { now } else { old.get(5)? };
    let it = Session { needs_factor: needs_factor(it.is_lasting, factor_at, now), ..it };
    let token = Token::generate(world);
    let digest = token.digest(tokens, Opens::Session);
    let values = params![
        it.id,
        organisation,
        person,
        digest.as_bytes(),
        epoch,
        old.get::<String>(0)?,
        old.get::<String>(1)?,
        it.is_lasting,
        it.is_single_factor,
        it.created_at,
        now,
        factor_at,
        it.proven_at,
        it.lineage,
        it.device,
    ];
    if tx.execute(&sql::INSERT_SESSION, values)? == 0 {
        return Ok(None);
    }
    Ok(Some(NewSession { token, session: it, device: None }))
}

/// Raises a person's security epoch: every session, pre-session and trusted device ends, on every node (ID-24). Gives the new epoch;
/// none if there is no such person.
pub(crate) fn raise_epoch(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    person: PersonId,
    now: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let raised = tx.row(&sql::RAISE_PERSON_EPOCH, params![organisation, person])?;
    let Some(raised) = raised else { return Ok(None) };
    end_all(tx, organisation, person, now)?;
    raised.get(0).map(Some)
}

/// The epoch alone decides; this keeps the lists of sessions and devices true.
fn end_all(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    person: PersonId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.execute(&sql::END_ALL_SESSIONS, params![organisation, person, now])?;
    tx.execute(&sql::DISTRUST_ALL_DEVICES, params![organisation, person])?;
    tx.execute(&sql::DELETE_PRE_SESSIONS_OF, params![organisation, person]).map(drop)
}
