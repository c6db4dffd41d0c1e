//! Who is signed in with a cookie.

use std::time::Duration;

use gatepost_core::{DeviceId, OrganisationId, PersonId, SessionId, Timestamp};
use gatepost_store::{Row, StoreError, params};

use crate::people::is_recent;
use crate::token::Opens;
use crate::{People, Person, Policy, Role, Session, Token, sql};

/// A lasting session shows nothing without one factor that is younger (WP-3).
const FACTOR_LASTS_FOR: Duration = Duration::from_hours(24);
/// The longest that a lasting session lasts (WP-3).
const LASTING_FOR: Duration = Duration::from_hours(30 * 24);
/// How often activity is written.
const ACTIVITY_EVERY: Duration = Duration::from_mins(1);

/// A row of the table, dead or alive.
struct FoundSession {
    id: SessionId,
    lineage: SessionId,
    device: Option<DeviceId>,
    person: Person,
    epoch: u64,
    person_epoch: u64,
    is_lasting: bool,
    is_single_factor: bool,
    created_at: Timestamp,
    active_at: Timestamp,
    factor_at: Timestamp,
    proven_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl People {
    /// Who is signed in with this cookie, if the session is alive. `is_activity`: whether this counts against idling; written at
    /// most once a minute.
    pub async fn find_session(
        &self,
        token: &Token,
        is_activity: bool,
    ) -> Result<Option<Session>, StoreError> {
        let digest = token.digest(self.tokens(), Opens::Session);
        let row = self.read(move |tx| tx.row(&sql::FIND_SESSION, params![digest.as_bytes()])).await?;
        let now = self.identity().world().now();
        let found = row.map(FoundSession::try_from).transpose()?;
        let Some(found) = found.filter(|it| it.is_alive(now)) else { return Ok(None) };
        if is_activity && now.since(found.active_at) >= ACTIVITY_EVERY {
            let (organisation, id, before) = (found.person.organisation, found.id, now - ACTIVITY_EVERY);
            let values = move |tx: &mut gatepost_store::Transaction<'_>| {
                tx.execute(&sql::TOUCH_SESSION, params![organisation, id, now, before])
            };
            self.write(values).await?;
        }
        let needs_factor = needs_factor(found.is_lasting, found.factor_at, now);
        Ok(Some(Session {
            id: found.id,
            lineage: found.lineage,
            policy: Policy::of(found.person.role),
            person: found.person,
            created_at: found.created_at,
            proven_at: found.proven_at,
            is_lasting: found.is_lasting,
            is_single_factor: found.is_single_factor,
            needs_factor,
            epoch: found.epoch,
            device: found.device,
        }))
    }

    /// Whether a line of sessions still lives, and its person as they are now: for an answer that comes without the cookie, from
    /// another site.
    pub async fn find_by_lineage(
        &self,
        organisation: OrganisationId,
        person: PersonId,
        lineage: SessionId,
    ) -> Result<Option<Person>, StoreError> {
        let values = move |tx: &mut gatepost_store::Transaction<'_>| {
            tx.row(&sql::FIND_SESSION_BY_LINEAGE, params![organisation, person, lineage])
        };
        let row = self.read(values).await?;
        let now = self.identity().world().now();
        let found = row.map(FoundSession::try_from).transpose()?;
        Ok(found.filter(|it| it.is_alive(now)).map(|it| it.person))
    }

    /// Whose session this cookie was for, and when it was ended, if somebody ended it: what they typed comes back to them alone.
    pub async fn find_ended_session(
        &self,
        token: &Token,
    ) -> Result<Option<(PersonId, Option<Timestamp>)>, StoreError> {
        let digest = token.digest(self.tokens(), Opens::Session);
        let row = self.read(move |tx| tx.row(&sql::FIND_SESSION, params![digest.as_bytes()])).await?;
        let now = self.identity().world().now();
        let found = row.map(FoundSession::try_from).transpose()?;
        Ok(found.filter(|it| !it.is_alive(now)).map(|it| (it.person.id, it.ended_at)))
    }
}

pub(super) fn needs_factor(is_lasting: bool, factor_at: Timestamp, now: Timestamp) -> bool {
    is_lasting && !is_recent(factor_at, FACTOR_LASTS_FOR, now)
}

/// Whether a session has neither lasted nor been idle for too long (WP-3).
pub(in crate::people) fn is_within(
    role: Role,
    is_lasting: bool,
    created_at: Timestamp,
    active_at: Timestamp,
    now: Timestamp,
) -> bool {
    let policy = Policy::of(role);
    let at_most = if is_lasting { LASTING_FOR } else { policy.at_most };
    let is_active = now.since(active_at) < policy.idle_for && is_recent(active_at, policy.idle_for, now);
    now.since(created_at) < at_most
        // A clock that was far ahead and was set back must not lengthen a session.
        && created_at.since(now) < at_most
        && (is_lasting || is_active)
}

impl FoundSession {
    fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && self.epoch == self.person_epoch
            && self.person.disabled_at.is_none()
            && is_within(self.person.role, self.is_lasting, self.created_at, self.active_at, now)
    }
}

impl TryFrom<Row> for FoundSession {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            person: Person::try_from(&row)?,
            id: row.get(11)?,
            epoch: row.get(12)?,
            person_epoch: row.get(13)?,
            is_lasting: row.get(14)?,
            is_single_factor: row.get(15)?,
            created_at: row.get(16)?,
            active_at: row.get(17)?,
            factor_at: row.get(18)?,
            proven_at: row.get(19)?,
            ended_at: row.get(20)?,
            lineage: row.get(21)?,
            device: row.get(22)?,
        })
    }
}
