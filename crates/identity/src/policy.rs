//! What is asked of whom. The same for every organisation so far.

use std::time::Duration;

use crate::Role;

/// The rules for people of one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether nothing opens before two-step verification is on. Otherwise it is offered.
    pub needs_two_step: bool,
    /// How long "Don't ask again on this device" lasts; none: not offered (ID-23).
    pub trusts_devices_for: Option<Duration>,
    /// Whether "Stay signed in?" is asked (WP-3).
    pub may_stay_signed_in: bool,
    /// How long a session may be idle.
    pub idle_for: Duration,
    /// How long a session lasts at most, unless it is a lasting one.
    pub at_most: Duration,
}

impl Policy {
    /// The rules for that role.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Administrator => Self {
                needs_two_step: true,
                trusts_devices_for: None,
                may_stay_signed_in: false,
                idle_for: Duration::from_mins(15),
                at_most: Duration::from_hours(8),
            },
            Role::Operator => Self {
                needs_two_step: false,
                trusts_devices_for: Some(Duration::from_hours(30 * 24)),
                may_stay_signed_in: true,
                idle_for: Duration::from_mins(30),
                at_most: Duration::from_hours(12),
            },
        }
    }
}
