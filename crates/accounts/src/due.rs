//! When a grant is refreshed.

use std::time::Duration;

use gatepost_core::{MailAccountId, OrganisationId, Timestamp, World};
use gatepost_providers::OAuthFailure;
use gatepost_store::{StoreError, Transaction, params};

use crate::sql;

/// After the n-th failure in a row: a minute, doubled up to an hour.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// What is refreshed once a day instead of all the time has not been used for so long.
const AT_REST: Duration = Duration::from_hours(24);
/// A refresh that is due later than this was set by a clock that was ahead.
const LATEST: Duration = Duration::from_hours(48);

/// Whether a grant that was used then is refreshed once a day only.
pub(crate) fn is_at_rest(used_at: Option<Timestamp>, now: Timestamp) -> bool {
    used_at.is_none_or(|at| at > now || at + AT_REST <= now)
}

/// When a grant is refreshed next: at 80 % of its token's life, less up to a tenth; at rest once a day. At random, so that
/// those of one morning spread out.
pub(crate) fn due_after(world: &World, lifetime: Duration, is_used: bool) -> Timestamp {
    let random = u32::from_le_bytes(world.random());
    let share = f64::from(random) / f64::from(u32::MAX);
    let span =
        if is_used { lifetime.mul_f64(0.8 - 0.1 * share) } else { AT_REST.mul_f64(1.0 - 0.25 * share) };
    world.now() + span
}

/// How long nobody asks after the n-th failure in a row; longer where the service asked for that.
pub(crate) fn wait_after(n_failures: u32, failure: &OAuthFailure) -> Duration {
    let doubled = FIRST_WAIT * 2_u32.saturating_pow(n_failures.saturating_sub(1).min(10));
    let scheduled = doubled.min(LONGEST_WAIT);
    match failure {
        OAuthFailure::Trouble { retry_after: Some(asked), .. } => scheduled.max(*asked),
        OAuthFailure::Trouble { .. } | OAuthFailure::Refused(_) => scheduled,
    }
}

/// Grants whose refresh is due.
pub(crate) fn due(
    tx: &mut Transaction<'_>,
    now: Timestamp,
) -> Result<Vec<(OrganisationId, MailAccountId)>, StoreError> {
    let rows = tx.rows(&sql::LIST_DUE_REFRESHES, params![now, now + LATEST])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
