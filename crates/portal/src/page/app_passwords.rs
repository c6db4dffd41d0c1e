//! App passwords: making them, their list, the listening panel, the set-up sheet.

use crate::frame::Route;

/// The rows of this subject.
pub(crate) fn rows() -> Vec<Route> {
    Vec::new()
}
