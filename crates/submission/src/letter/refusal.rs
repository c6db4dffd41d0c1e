//! Why a letter is not taken, and what the client is told.

use gatepost_store::StoreError;
use gatepost_wire::message::{HeaderError, HeaderFault};
use gatepost_wire::smtp::{Flaws, ServerReply};

use super::send_as::ForeignAddress;
use crate::reply;
use crate::sending_rate::CapReached;

/// Why a letter is not taken. The texts are for the log: they hold no address and nothing of the letter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    #[error("a line end that is not CRLF")]
    BareLineEnd,
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Origin(#[from] HeaderFault),
    #[error("{field}: {foreign}")]
    Foreign { field: &'static str, foreign: ForeignAddress },
    #[error("a sending cap of the app password is reached")]
    Capped(#[from] CapReached),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    pub(crate) fn reply(&self) -> ServerReply {
        match self {
            Self::TooLarge(limit) => reply::too_large(*limit),
            Self::BareLineEnd => Flaws::reply(),
            Self::Header(error) => error.reply(),
            Self::Origin(fault) => fault.reply(),
            Self::Foreign { foreign, .. } => foreign.reply(),
            Self::Capped(cap) => ServerReply::new(450, (4, 7, 1), cap.to_string()),
            Self::Store(error) => of_store(error),
        }
    }
}

/// No more is said than whether there is room: the rest is the operator's to read in the log.
fn of_store(error: &StoreError) -> ServerReply {
    match error {
        StoreError::Full => reply::storage_full(),
        // After SyncFailed the program ends itself, and recovers when it starts again (QS-4).
        StoreError::SyncFailed
        | StoreError::Unknown
        | StoreError::Duplicate { .. }
        | StoreError::LeaseLost
        | StoreError::Contradiction { .. }
        | StoreError::Statement { .. }
        | StoreError::Unreachable { .. }
        | StoreError::Newer { .. }
        | StoreError::Key { .. }
        | StoreError::WrongMasterKey { .. }
        | StoreError::DamagedBody { .. }
        | StoreError::File { .. }
        | StoreError::Stopped => reply::storage_trouble(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SS-18.
    #[test]
    fn trouble_of_ours_is_temporary() {
        for (error, code, enhanced) in [
            (StoreError::Full, 452, (4, 3, 1)),
            (StoreError::SyncFailed, 451, (4, 3, 0)),
            (StoreError::Unknown, 451, (4, 3, 0)),
            (StoreError::Stopped, 451, (4, 3, 0)),
        ] {
            let reply = Refusal::from(error).reply();
            assert_eq!((reply.code(), reply.enhanced()), (code, Some(enhanced)), "{}", reply.text());
        }
    }
}
