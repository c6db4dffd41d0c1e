//! Keyed hashes: what the database keeps in place of an app password.

use aws_lc_rs::hmac;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::binding::length_prefix;
use crate::ring::PurposeKey;

/// 256 bits that only the holder of the purpose key can make. Compared in constant time; has no `Debug` and no `==`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Digest([u8; 32]);

impl Digest {
    /// From a row; none if it has not 32 bytes.
    #[must_use]
    pub fn from_row(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// For the row that keeps it, and for looking that row up.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// HMAC-SHA-256 over `parts`, each with its length in front, so that no two lists of parts give the same digest.
///
/// AP-2: an app password's digest is this over the login's id and the sixteen letters in their canonical form.
#[must_use]
pub fn keyed_hash(key: &PurposeKey, parts: &[&[u8]]) -> Digest {
    let prefixes: Vec<[u8; 8]> = parts.iter().map(|part| length_prefix(part)).collect();
    hmac_sha256(key.key.bytes(), prefixes.iter().zip(parts).flat_map(|(length, part)| [&length[..], part]))
}

fn hmac_sha256<'a>(key: &[u8], pieces: impl Iterator<Item = &'a [u8]>) -> Digest {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    pieces.for_each(|piece| context.update(piece));
    Digest(context.sign().as_ref().try_into().expect("SHA-256 gives 32 bytes"))
}

#[cfg(test)]
mod tests {
    use gatepost_core::{LoginId, World};
    use proptest::prelude::*;
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Digest: std::fmt::Debug, PartialEq);

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 4231 §4.2, §4.3, §4.4, §4.7 (a key longer than the block).
    #[test]
    fn the_hash_gives_the_vectors_of_rfc_4231() {
        for (key, data, want) in [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(hmac_sha256(&key, data.chunks(7)).as_bytes()), want);
        }
    }

    /// AP-2: the login is inside the hash, so one guess cannot be tried against all rows, and the database without its
    /// key verifies nothing.
    #[test]
    fn the_same_letters_on_two_logins_or_under_two_keys_differ() {
        let world = World::real();
        let key = PurposeKey::generate(&world);
        let hash = |key: &PurposeKey, login: LoginId| {
            keyed_hash(key, &[login.uuid().as_bytes(), b"abcdefghijklmnop"])
        };
        let (one, two) = (LoginId::new(&world), LoginId::new(&world));
        assert!(hash(&key, one).matches(&hash(&key, one)));
        assert!(!hash(&key, one).matches(&hash(&key, two)));
        assert!(!hash(&key, one).matches(&hash(&PurposeKey::generate(&world), one)));
    }

    #[test]
    fn a_digest_comes_back_from_its_row() {
        let digest = keyed_hash(&PurposeKey::generate(&World::real()), &[b"x"]);
        assert!(Digest::from_row(digest.as_bytes()).unwrap().matches(&digest));
        assert!(Digest::from_row(&digest.as_bytes()[1..]).is_none());
    }

    proptest! {
        #[test]
        fn different_parts_give_different_digests(
            a in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4),
            b in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..4),
        ) {
            let key = PurposeKey::generate(&World::real());
            let hash = |parts: &[Vec<u8>]| keyed_hash(&key, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(a == b, hash(&a).matches(&hash(&b)));
        }
    }
}
