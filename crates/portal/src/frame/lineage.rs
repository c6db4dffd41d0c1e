//! What stays the same from signing in to signing out.

use gatepost_core::SessionId;
use gatepost_identity::Session;

/// What form tokens are bound to. The one place that says so.
pub(crate) const fn lineage(session: &Session) -> SessionId {
    session.lineage
}
