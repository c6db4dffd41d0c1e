//! Whatever a person does about the safety of their own account.

use crate::frame::Route;

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    Vec::new()
}
