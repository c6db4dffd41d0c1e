//! Sealed values in rows.

use gatepost_core::{KeyId, SecretBytes, World};

use crate::binding::Binding;
use crate::cipher;
use crate::error::VaultError;
use crate::ring::DataKey;

/// A sealed value, safe to store: version, key id, salt, nonce, ciphertext and tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// For the row that keeps it.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// For the row that keeps it.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of the key that `sealed` says it is sealed under, to find that key. Nothing is proven by it.
    #[must_use]
    pub fn named_key(sealed: &[u8]) -> Option<KeyId> {
        cipher::named_key(sealed)
    }
}

/// Seals `plaintext` for one place.
#[must_use]
pub fn seal(key: &DataKey, binding: &Binding<'_>, plaintext: &[u8], world: &World) -> Sealed {
    Sealed(cipher::seal(&key.key, key.id(), &binding.context(), plaintext, world))
}

/// Opens what was sealed for this place under this key; anything else is [`VaultError::DoesNotOpen`].
pub fn open(key: &DataKey, binding: &Binding<'_>, sealed: &[u8]) -> Result<SecretBytes, VaultError> {
    cipher::open(&key.key, key.id(), &binding.context(), sealed)
}

#[cfg(test)]
mod tests;
