use std::collections::HashSet;

use gatepost_core::OrganisationId;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::key::Key;

const KEY_ID: KeyId = KeyId::from_uuid(Uuid::from_u128(7));

fn key() -> DataKey {
    DataKey::new(KEY_ID, Key::from_bytes(&[7; 32]))
}

fn place() -> Binding<'static> {
    Binding {
        organisation: OrganisationId::from_uuid(Uuid::from_u128(1)),
        table: "credential",
        column: "secret_sealed",
        row: Uuid::from_u128(2),
        extra: b"smtp.example.org:587:starttls",
    }
}

#[test]
fn what_was_sealed_opens_in_its_place() {
    let sealed = seal(&key(), &place(), b"hunter2", &World::real());
    assert_eq!(open(&key(), &place(), sealed.as_bytes()).unwrap().reveal(), b"hunter2");
    assert!(!sealed.as_bytes().windows(7).any(|it| it == b"hunter2"));
    assert_eq!(Sealed::named_key(sealed.as_bytes()), Some(KEY_ID));
}

/// VA-2: moved anywhere, or under any other key, it does not open, and the error is always the same (VA-11).
#[test]
fn a_moved_value_does_not_open() {
    let sealed = seal(&key(), &place(), b"hunter2", &World::real()).into_bytes();
    let other = Uuid::from_u128(99);
    for (what, elsewhere) in [
        ("organisation", Binding { organisation: OrganisationId::from_uuid(other), ..place() }),
        ("table", Binding { table: "credentia", ..place() }),
        ("table and column", Binding { table: "credentials", column: "ecret_sealed", ..place() }),
        ("column", Binding { column: "other_sealed", ..place() }),
        ("row", Binding { row: other, ..place() }),
        ("host", Binding { extra: b"evil.example.org:587:starttls", ..place() }),
        ("no extra", Binding { extra: b"", ..place() }),
    ] {
        assert_eq!(open(&key(), &elsewhere, &sealed).err(), Some(VaultError::DoesNotOpen), "{what}");
    }
    let same_id = DataKey::new(KEY_ID, Key::from_bytes(&[8; 32]));
    let same_bytes = DataKey::new(KeyId::from_uuid(other), Key::from_bytes(&[7; 32]));
    for wrong in [same_id, same_bytes] {
        assert_eq!(open(&wrong, &place(), &sealed).err(), Some(VaultError::DoesNotOpen));
    }
}

#[test]
fn a_flipped_bit_anywhere_or_a_cut_anywhere_is_noticed() {
    let sealed = seal(&key(), &place(), b"hunter2", &World::real()).into_bytes();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut broken = sealed.clone();
            broken[at] ^= 1 << bit;
            assert_eq!(open(&key(), &place(), &broken).err(), Some(VaultError::DoesNotOpen), "byte {at}");
        }
        assert_eq!(open(&key(), &place(), &sealed[..at]).err(), Some(VaultError::DoesNotOpen), "cut at {at}");
    }
    assert_eq!(open(&key(), &place(), &[&sealed[..], b"x"].concat()).err(), Some(VaultError::DoesNotOpen));
}

/// VA-1: subkeys come from the salt, so salt and nonce together must never repeat.
#[test]
fn no_two_values_share_salt_or_nonce() {
    let world = World::real();
    let mut salts = HashSet::new();
    let mut nonces = HashSet::new();
    for _ in 0..2_000 {
        let sealed = seal(&key(), &place(), b"", &world).into_bytes();
        assert!(salts.insert(sealed[18..34].to_vec()));
        assert!(nonces.insert(sealed[34..46].to_vec()));
    }
}

proptest! {
    #[test]
    fn any_plaintext_comes_back(plain in prop::collection::vec(any::<u8>(), 0..300)) {
        let sealed = seal(&key(), &place(), &plain, &World::real());
        let opened = open(&key(), &place(), sealed.as_bytes()).unwrap();
        prop_assert_eq!(opened.reveal(), &plain[..]);
    }

    #[test]
    fn rubbish_does_not_open(rubbish in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(open(&key(), &place(), &rubbish).err(), Some(VaultError::DoesNotOpen));
    }
}
