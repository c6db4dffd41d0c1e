//! What can go wrong in the outbox.

use gatepost_core::SubmissionId;
use gatepost_store::StoreError;

use crate::state::InvalidMove;

/// Every failure of this room.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The move does not exist.
    #[error(transparent)]
    Move(#[from] InvalidMove),
    /// No such letter in this organisation.
    #[error("there is no letter {0} in the outbox")]
    NotFound(SubmissionId),
    /// An attempt has it in hand.
    #[error("the letter is being sent right now; try again in a moment")]
    InHand,
    /// Its body was erased after its retention.
    #[error("the text of this letter was erased after it was finished, so it cannot be sent again")]
    Erased,
}
