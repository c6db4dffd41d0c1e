//! Ways in: signing in, the second step, proof, set-up, invitations, forgotten passwords.

use crate::frame::Route;

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    Vec::new()
}
