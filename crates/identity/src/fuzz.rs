//! What `fuzz/` feeds with rubbish.

use gatepost_core::SecretText;

use crate::people::recovery_code::RecoveryCode;

/// A typed recovery code as it is shown; none if it is no code.
#[must_use]
pub fn recovery_code(typed: &SecretText) -> Option<SecretText> {
    RecoveryCode::parse(typed).map(|it| it.grouped())
}
