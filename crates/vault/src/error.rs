//! What can go wrong here.

/// Why the vault refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The value did not open. One error for a wrong key, a moved value, a flipped bit and a value that was never sealed:
    /// telling them apart would help only an attacker (VA-11).
    #[error("a sealed value did not open: it is damaged, was moved, or belongs to another key")]
    DoesNotOpen,
    /// The body has more chunks than numbers (256 TiB).
    #[error("the body is too long to be sealed")]
    BodyTooLong,
}
