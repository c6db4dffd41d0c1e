//! The one primitive of this room: AES-256-GCM under a subkey derived for each record.
//!
//! A sealed record is
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | format version, 1 |
//! | 1 | algorithm, 1 = HKDF-SHA-256 subkey, AES-256-GCM |
//! | 16 | id of the key it is sealed under |
//! | 16 | salt of the subkey |
//! | 12 | nonce |
//! | n | ciphertext |
//! | 16 | tag |
//!
//! SP 800-38D §8.3 allows 2³² uses of one key with random nonces. Each record has a subkey of its own from a random
//! 128-bit salt, so no key comes near that figure (VA-1). Header and binding are the associated data (ASVS 11.2.2).

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use gatepost_core::{KeyId, SecretBytes, World};
use zeroize::{Zeroize, Zeroizing};

use crate::binding::Context;
use crate::error::VaultError;
use crate::key::Key;

const VERSION: u8 = 1;
const AES_256_GCM_WITH_SUBKEY: u8 = 1;
const SALT: usize = 16;
const HEADER: usize = 2 + 16 + SALT + NONCE_LEN;
/// Length of an authentication tag.
pub(crate) const TAG: usize = 16;

/// Seals `plaintext` under `key`, whose id is `id`, for the place that `context` names.
pub(crate) fn seal(key: &Key, id: KeyId, context: &Context, plaintext: &[u8], world: &World) -> Vec<u8> {
    let salt: [u8; SALT] = world.random();
    let nonce: [u8; NONCE_LEN] = world.random();
    let mut sealed = Vec::with_capacity(HEADER + plaintext.len() + TAG);
    sealed.extend_from_slice(&[VERSION, AES_256_GCM_WITH_SUBKEY]);
    sealed.extend_from_slice(id.uuid().as_bytes());
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(&nonce);
    let aad = associated_data(&sealed, context);
    sealed.extend_from_slice(plaintext);
    let text = sealed.get_mut(HEADER..).expect("the header was just written");
    let tag = subkey(key, &salt, context)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), text)
        .expect("AES-GCM seals everything below 64 GiB, and no row is near it");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

/// Opens what [`seal`] made, if key, id and place are the same.
pub(crate) fn open(
    key: &Key,
    id: KeyId,
    context: &Context,
    sealed: &[u8],
) -> Result<SecretBytes, VaultError> {
    let (header, text) = sealed.split_at_checked(HEADER).ok_or(VaultError::DoesNotOpen)?;
    let (names, random) = header.split_at(2 + 16);
    let (salt, nonce) = random.split_at(SALT);
    if names[..2] != [VERSION, AES_256_GCM_WITH_SUBKEY] || names[2..] != id.uuid().as_bytes()[..] {
        return Err(VaultError::DoesNotOpen);
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::DoesNotOpen)?;
    let aad = associated_data(header, context);
    let mut text = text.to_vec();
    let opened =
        subkey(key, salt, context).open_in_place(nonce, Aad::from(aad), &mut text).map(|plain| plain.len());
    match opened {
        Ok(length) => {
            // Behind the plaintext lies only the tag.
            text.truncate(length);
            Ok(SecretBytes::new(text))
        }
        Err(_) => {
            text.zeroize();
            Err(VaultError::DoesNotOpen)
        }
    }
}

/// The id of the key that a sealed record names, to look that key up. It is believed only once the record has opened.
pub(crate) fn named_key(sealed: &[u8]) -> Option<KeyId> {
    let id: [u8; 16] = sealed.get(2..18)?.try_into().ok()?;
    Some(KeyId::from_uuid(uuid::Uuid::from_bytes(id)))
}

fn associated_data(header: &[u8], context: &Context) -> Vec<u8> {
    [header, context.bytes()].concat()
}

/// The cipher for one record.
fn subkey(key: &Key, salt: &[u8], context: &Context) -> LessSafeKey {
    let mut bytes = Zeroizing::new([0; Key::BYTES]);
    derive(key.bytes(), salt, &[b"gatepost 1 ", context.label().as_bytes()], &mut *bytes);
    cipher(&bytes)
}

/// AES-256-GCM with these key bytes. The library wipes its copy when dropped.
pub(crate) fn cipher(key: &[u8; Key::BYTES]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 bytes"))
}

/// RFC 5869 HKDF with SHA-256. `out` has at most 255 × 32 bytes.
pub(crate) fn derive(secret: &[u8], salt: &[u8], info: &[&[u8]], out: &mut [u8]) {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let length = Length(out.len());
    Salt::new(HKDF_SHA256, salt)
        .extract(secret)
        .expand(info, length)
        .and_then(|made| made.fill(out))
        .expect("only outputs above 8,160 bytes are refused");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// VA-1: RFC 5869 appendix A, tests 1 to 3.
    #[test]
    fn derivation_gives_the_vectors_of_rfc_5869() {
        let long = |from: u8| (from..=from + 79).collect::<Vec<u8>>();
        for (secret, salt, info, want) in [
            (
                vec![0x0b; 22],
                bytes("000102030405060708090a0b0c"),
                bytes("f0f1f2f3f4f5f6f7f8f9"),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                long(0x00),
                long(0x60),
                long(0xb0),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ] {
            let want = bytes(want);
            let mut got = vec![0; want.len()];
            derive(&secret, &salt, &[&info], &mut got);
            assert_eq!(got, want);
        }
    }

    /// VA-1: NIST's GCM test case 14 (zero key, zero nonce, zero block).
    #[test]
    fn the_cipher_is_aes_256_gcm() {
        let mut text = vec![0; 16];
        let tag = cipher(&[0; 32])
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key([0; NONCE_LEN]), Aad::empty(), &mut text)
            .unwrap();
        assert_eq!(text, bytes("cea7403d4d606b6e074ec5d3baf39d18"));
        assert_eq!(tag.as_ref(), bytes("d0d1c8a799996bf0265b98b5d48ab919"));
    }
}
