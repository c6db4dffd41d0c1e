//! How a client behaves, and when that is enough (SS-12, AP-10).

use gatepost_wire::smtp::CommandError;

use super::Ending;

/// Refusals after which each one costs time.
const PATIENT: u32 = 10;
/// Refusals that end the session.
const MOST_REFUSALS: u32 = 20;
/// Unknown commands that end a session before sign-in.
const MOST_UNKNOWN: u32 = 3;
/// Wrong sign-ins that end a session.
const MOST_WRONG_SIGN_INS: u32 = 3;

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Conduct {
    n_refusals: u32,
    n_unknown: u32,
    n_wrong_sign_ins: u32,
}

impl Conduct {
    /// Counts a permanent refusal; `true` if it has to cost time.
    pub(crate) fn refused(&mut self) -> Result<bool, Ending> {
        self.n_refusals += 1;
        if self.n_refusals >= MOST_REFUSALS {
            return Err(Ending::TooManyMistakes);
        }
        Ok(self.n_refusals > PATIENT)
    }

    /// Counts a line that is no command. Before sign-in, three of what nobody would take for SMTP are enough.
    pub(crate) fn heard(&mut self, mistake: &CommandError, is_signed_in: bool) -> Result<(), Ending> {
        if is_signed_in || !matches!(mistake, CommandError::Unknown(_) | CommandError::BareLineFeed) {
            return Ok(());
        }
        self.n_unknown += 1;
        if self.n_unknown >= MOST_UNKNOWN { Err(Ending::NotSmtp) } else { Ok(()) }
    }

    /// Counts a wrong sign-in.
    pub(crate) fn signed_in_wrongly(&mut self) -> Result<(), Ending> {
        self.n_wrong_sign_ins += 1;
        if self.n_wrong_sign_ins >= MOST_WRONG_SIGN_INS { Err(Ending::WrongSignIns) } else { Ok(()) }
    }

    /// Forgets refusals after something went well.
    pub(crate) fn forgive(&mut self) {
        self.n_refusals = 0;
    }
}
