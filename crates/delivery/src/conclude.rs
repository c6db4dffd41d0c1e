//! Writing down what an attempt brought: outcome rows, the moves of its recipients and their bounce, in one transaction.

use gatepost_core::{AttemptId, OrganisationId, SubmissionId, Timestamp};
use gatepost_store::{FinishedBody, StoreError, Transaction, params};

use crate::claim::{Claimed, Holder};
use crate::state::Delivery;
use crate::submission::{NewSubmission, written};
use crate::{accept, sql};

/// How much of a reply is kept, byte for byte (SC-12).
const REPLY_KEPT: usize = 2_048;

/// What an attempt brought one recipient, as its outcome row says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutcomeKind {
    Sent,
    Deferred,
    Failed,
    /// The connection was lost after the final dot: the provider may have it (SC-7).
    Uncertain,
    /// It was not tried: the account could not sign in, or the program stopped.
    Released,
}

impl OutcomeKind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
            Self::Released => "released",
        }
    }
}

/// The provider's own words about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawReply {
    pub(crate) code: u16,
    pub(crate) bytes: Vec<u8>,
}

/// One recipient's end of an attempt: what happened, and where its delivery now stands.
#[derive(Clone, Debug)]
pub(crate) struct Concluded {
    pub(crate) ordinal: u32,
    pub(crate) kind: OutcomeKind,
    pub(crate) reply: Option<RawReply>,
    pub(crate) delivery: Delivery,
    pub(crate) is_uncertain: bool,
}

/// An attempt that is over.
pub(crate) struct Finished {
    pub(crate) claimed: Claimed,
    pub(crate) concluded: Vec<Concluded>,
    pub(crate) notice: Option<(NewSubmission, FinishedBody)>,
}

/// Writes it all down. Safe to repeat: rows that are concluded already do not change again.
pub(crate) fn conclude(
    tx: &mut Transaction<'_>,
    holder: &Holder,
    finished: &Finished,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Finished { claimed, concluded, notice } = finished;
    let (organisation, id, attempt) = (holder.organisation, claimed.submission.id, claimed.attempt);
    let mut n_moved = 0;
    for it in concluded {
        n_moved += write(tx, organisation, id, attempt, it, now)?;
    }
    if n_moved == 0 {
        // An earlier run of this very job was committed although its answer was lost.
        return Ok(());
    }
    if let Some((letter, body)) = notice {
        accept::insert(tx, letter, body, now)?;
    }
    if concluded.iter().any(|it| !it.delivery.is_open()) {
        finish_if_done(tx, organisation, id, now)?;
    }
    Ok(())
}

/// One recipient's outcome and move. Returns how many rows moved: none if that was written before.
pub(crate) fn write(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: SubmissionId,
    attempt: AttemptId,
    it: &Concluded,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let reply = it.reply.as_ref();
    let kept = reply.map(|reply| reply.bytes.get(..REPLY_KEPT).unwrap_or(&reply.bytes));
    let values = params![
        attempt,
        it.ordinal,
        organisation,
        id,
        now,
        it.kind.word(),
        reply.map(|reply| reply.code),
        kept
    ];
    tx.execute(&sql::INSERT_OUTCOME, values)?;
    let [state, because, next_attempt_at, life_ends_at, life_left_ms] = written(&it.delivery);
    tx.execute(
        &sql::CONCLUDE,
        &[
            id.into(),
            it.ordinal.into(),
            organisation.into(),
            state,
            because,
            next_attempt_at,
            life_ends_at,
            life_left_ms,
            it.is_uncertain.into(),
            now.into(),
            attempt.into(),
        ],
    )
}

/// Marks the letter finished if none of its recipients is left to be tried. Whoever moves the last one does it, under a
/// lock of the letter's row, so that two at once do not each see the other's as open.
pub(crate) fn finish_if_done(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    id: SubmissionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.row(&sql::LOCK_SUBMISSION, params![organisation, id])?;
    tx.execute(&sql::FINISH_SUBMISSION, params![organisation, id, now]).map(drop)
}
