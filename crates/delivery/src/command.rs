//! What people do with a letter: hold, release, retry, cancel.

use gatepost_core::{MailAccountId, OrganisationId, SubmissionId, Timestamp};
use gatepost_journal::{Actor, Entry, append};
use gatepost_store::{Store, StoreError, Transaction, params};

use crate::conclude::finish_if_done;
use crate::error::OutboxError;
use crate::sql;
use crate::state::{Delivery, HoldReason, InvalidMove};
use crate::submission::{RecipientRow, written};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Not sent until released.
    Hold,
    /// Sent after all.
    Release,
    /// Tried now, with a new life; also what failed.
    Retry,
    /// Taken back.
    Cancel,
}

impl Command {
    /// The move it asks for.
    fn apply(self, delivery: Delivery, running_now: Timestamp) -> Result<Delivery, InvalidMove> {
        match self {
            Self::Hold => delivery.held(HoldReason::ByHand, running_now),
            Self::Release => delivery.released(running_now),
            Self::Retry => delivery.retried(running_now),
            Self::Cancel => delivery.cancelled(),
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Hold => "submission.held",
            Self::Release => "submission.released",
            Self::Retry => "submission.retried",
            Self::Cancel => "submission.cancelled",
        }
    }
}

/// Does it to every recipient it fits; refused with the reason if it fits none, or if one is being sent right now.
/// Returns the accounts to wake.
pub(crate) async fn carry_out(
    store: &Store,
    command: Command,
    organisation: OrganisationId,
    id: SubmissionId,
    actor: Actor,
    clocks: impl Fn(Option<MailAccountId>) -> Timestamp + Send + 'static,
) -> Result<Vec<MailAccountId>, OutboxError> {
    let world = store.world().clone();
    store
        .write(move |tx| {
            let now = world.now();
            let letter =
                tx.row(&sql::LOCK_SUBMISSION, params![organisation, id])?.ok_or(OutboxError::NotFound(id))?;
            if command == Command::Retry && letter.get::<Option<Timestamp>>(1)?.is_some() {
                return Err(OutboxError::Erased);
            }
            let rows = tx.rows(&sql::LOCK_DELIVERIES, params![organisation, id])?;
            let rows: Vec<RecipientRow> = rows.iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
            if rows.iter().any(|row| row.is_in_hand) {
                return Err(OutboxError::InHand);
            }
            let (mut accounts, mut n_moved, mut refusal) = (Vec::new(), 0, None);
            for row in &rows {
                match command.apply(row.delivery.clone(), clocks(row.account)) {
                    Ok(moved) => {
                        n_moved += write_move(tx, organisation, id, row, &moved, now)?;
                        accounts.extend(row.account);
                    }
                    Err(why) => refusal = Some(why),
                }
            }
            match refusal {
                Some(why) if n_moved == 0 => return Err(why.into()),
                _ => {}
            }
            if command == Command::Retry {
                tx.execute(&sql::UNFINISH_SUBMISSION, params![organisation, id])?;
            }
            finish_if_done(tx, organisation, id, now)?;
            let details = serde_json::json!({ "recipients": n_moved });
            let (action, subject, subject_id) = (command.action(), "submission", Some(id.uuid()));
            append(tx, &world, &Entry { organisation, actor, action, subject, subject_id, details })?;
            Ok(accounts)
        })
        .await
}

/// Writes a move of a recipient that nobody has in hand.
pub(crate) fn write_move(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: SubmissionId,
    row: &RecipientRow,
    moved: &Delivery,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let [state, because, next_attempt_at, life_ends_at, life_left_ms] = written(moved);
    tx.execute(
        &sql::MOVE,
        &[
            id.into(),
            row.ordinal.into(),
            organisation.into(),
            state,
            because,
            next_attempt_at,
            life_ends_at,
            life_left_ms,
            row.is_uncertain.into(),
            now.into(),
        ],
    )
}
