//! When a notice is tried again, and when it is given up.

use std::time::Duration;

use gatepost_core::Timestamp;
use gatepost_identity::LinkKind;
use gatepost_journal::{DueTime, NoticeKind};

/// How soon a notice is looked at again that waits for a mail account: choosing one costs nothing.
pub(crate) const ACCOUNT_AGAIN: Duration = Duration::from_mins(1);

/// How long one try may take: less than the shortest delay, so that no second try gives out a new token meanwhile.
pub(crate) const LONGEST_TRY: Duration = Duration::from_secs(45);

const LONGEST_DELAY: Duration = Duration::from_hours(1);

/// How long after the `n_tries`-th try the next one comes.
pub(crate) fn retry_delay(n_tries: u32) -> Duration {
    match n_tries {
        0 | 1 => Duration::from_mins(1),
        2 => Duration::from_mins(5),
        3 => Duration::from_mins(15),
        _ => LONGEST_DELAY,
    }
}

/// What is due at `now`.
pub(crate) fn due_time(now: Timestamp) -> DueTime {
    DueTime { now, horizon: now + LONGEST_DELAY * 2 }
}

/// How long a notice waits until it is given up: as long as its link lives, where the link is what it is about.
pub(crate) fn life(kind: NoticeKind) -> Duration {
    link_life(kind).min(Duration::from_hours(5 * 24))
}

/// How long the link lives that a notice carries (docs/decisions/0009). It is of the notice's own transaction.
pub(crate) fn link_life(kind: NoticeKind) -> Duration {
    match kind {
        NoticeKind::Invitation => LinkKind::Invitation.lives_for(),
        NoticeKind::PasswordReset | NoticeKind::AccountSecured => LinkKind::PasswordReset.lives_for(),
        NoticeKind::Contact => LinkKind::Contact.lives_for(),
        NoticeKind::NewDevice
        | NoticeKind::ManyMisses
        | NoticeKind::PasswordKnown
        | NoticeKind::TwoStepOn
        | NoticeKind::TwoStepOff
        | NoticeKind::TwoStepReset
        | NoticeKind::AuthenticatorReplaced
        | NoticeKind::RecoveryCodesMade
        | NoticeKind::RecoveryCodeUsed
        | NoticeKind::PasswordChanged
        | NoticeKind::PasswordResetByAdministrator
        | NoticeKind::ContactChanged
        | NoticeKind::AppPasswordMade
        | NoticeKind::AdministratorAdded
        | NoticeKind::RoleChanged => LinkKind::NotMe.lives_for(),
    }
}

/// Whether the notice is nothing but its link, and goes to the one address that asked or is asked for it.
pub(crate) fn is_about_link(kind: NoticeKind) -> bool {
    matches!(
        kind,
        NoticeKind::Invitation | NoticeKind::PasswordReset | NoticeKind::AccountSecured | NoticeKind::Contact
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_never_shrinks_and_a_try_ends_before_the_next() {
        let delays: Vec<u64> = (1..7).map(|n| retry_delay(n).as_secs() / 60).collect();
        assert_eq!(delays, [1, 5, 15, 60, 60, 60]);
        assert!(LONGEST_TRY < retry_delay(1));
        let now = Timestamp::from_millis(0);
        assert!(due_time(now).horizon > now + LONGEST_DELAY, "what was just put off is not due");
    }

    #[test]
    fn a_notice_lives_as_long_as_its_link_or_five_days() {
        for kind in NoticeKind::ALL {
            assert!(life(*kind) <= link_life(*kind));
            assert_eq!(life(*kind) < Duration::from_hours(120), is_about_link(*kind), "{kind}");
        }
    }
}
