//! Secrets that cannot be printed, logged, serialised or compared with `==`.
//!
//! Neither type implements `Debug`, `Display` or `PartialEq`, so a struct that holds one cannot derive them either (ID-28).
//! Both wipe their memory when dropped (VA-6).

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A password, token or code as text.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text over; the caller's copy is the caller's to wipe.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Shows the text to the one place that needs it: a hash, a cipher, a socket.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in constant time for texts of equal length.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// Key material or a digest.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Shows the bytes to the one place that needs them.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// As text, if it is UTF-8.
    #[must_use]
    pub fn into_text(mut self) -> Option<SecretText> {
        let mut bytes = Zeroizing::new(std::mem::take(&mut self.0));
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Some(SecretText(text)),
            Err(refused) => {
                refused.into_bytes().zeroize();
                None
            }
        }
    }

    /// Compares in constant time for values of equal length.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    use super::*;

    #[test]
    fn secrets_cannot_be_printed_or_compared_and_are_wiped() {
        // Checked while compiling: a derive added to either type stops the build here.
        assert_not_impl_any!(SecretText: std::fmt::Debug, std::fmt::Display, PartialEq, ToString);
        assert_not_impl_any!(SecretBytes: std::fmt::Debug, std::fmt::Display, PartialEq, ToString);
        assert_impl_all!(SecretText: ZeroizeOnDrop);
        assert_impl_all!(SecretBytes: ZeroizeOnDrop);
    }

    #[test]
    fn secrets_match_only_themselves() {
        let secret = SecretText::new("abcd".into());
        assert!(secret.matches(&SecretText::new("abcd".into())));
        assert!(!secret.matches(&SecretText::new("abce".into())));
        assert!(!secret.matches(&SecretText::new("abc".into())));
        assert!(SecretBytes::new(vec![1, 2]).matches(&[1, 2]));
        assert!(!SecretBytes::new(vec![1, 2]).matches(&[1]));
    }

    #[test]
    fn bytes_become_text_only_as_utf8() {
        assert!(SecretBytes::new(vec![0xff]).into_text().is_none());
        assert_eq!(SecretBytes::new(b"x".to_vec()).into_text().unwrap().reveal(), "x");
    }
}
