use std::collections::HashSet;

use gatepost_core::{BodyId, OrganisationId};
use proptest::prelude::*;

use super::*;

struct Case {
    day_key: DayKey,
    place: BodyPlace,
    wrapped: Vec<u8>,
    sealed: Vec<u8>,
}

/// Seals `plain`, written in pieces of the given lengths (repeated as needed).
fn seal(plain: &[u8], pieces: &[usize]) -> Case {
    let world = World::real();
    let day_key = DayKey::generate(&world);
    let place = BodyPlace { organisation: OrganisationId::new(&world), body: BodyId::new(&world) };
    let (mut sealer, wrapped) = BodySealer::begin(&day_key, &place, &world);
    let mut sealed = Vec::new();
    for mut piece in cut(plain, pieces) {
        while let Some(chunk) = sealer.write(&mut piece).unwrap() {
            sealed.extend_from_slice(chunk);
        }
        assert!(piece.is_empty());
    }
    sealed.extend_from_slice(&sealer.finish().unwrap());
    Case { day_key, place, wrapped, sealed }
}

fn cut<'a>(mut bytes: &'a [u8], pieces: &[usize]) -> Vec<&'a [u8]> {
    let mut cut = Vec::new();
    for length in pieces.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (head, tail) = bytes.split_at((*length).clamp(1, bytes.len()));
        cut.push(head);
        bytes = tail;
    }
    cut
}

impl Case {
    fn open(&self, sealed: &[u8], pieces: &[usize]) -> Result<Vec<u8>, VaultError> {
        let mut opener = BodyOpener::begin(&self.day_key, &self.place, &self.wrapped)?;
        let mut plain = Vec::new();
        for mut piece in cut(sealed, pieces) {
            while let Some(chunk) = opener.write(&mut piece)? {
                plain.extend_from_slice(chunk);
            }
        }
        plain.extend_from_slice(&opener.finish()?);
        Ok(plain)
    }

    #[track_caller]
    fn refuses(&self, sealed: &[u8], what: &str) {
        assert_eq!(self.open(sealed, &[4096]).err(), Some(VaultError::DoesNotOpen), "{what}");
    }
}

/// A text in which no two chunks are alike.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at / 7 + at / CHUNK_BYTES) % 251).unwrap()).collect()
}

#[test]
fn a_body_of_any_length_comes_back_and_has_the_length_foretold() {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]
    {
        let case = seal(&text(length), &[usize::MAX]);
        assert_eq!(case.sealed.len() as u64, sealed_len(length as u64), "{length}");
        assert_eq!(case.open(&case.sealed, &[usize::MAX]).unwrap(), text(length), "{length}");
    }
}

#[test]
fn a_small_body_opens_in_its_own_buffer() {
    let case = seal(b"letter", &[2]);
    let opener = || BodyOpener::begin(&case.day_key, &case.place, &case.wrapped).unwrap();
    assert_eq!(opener().open_small(case.sealed.clone()).unwrap(), b"letter");
    assert_eq!(opener().open_small(case.sealed[1..].to_vec()).err(), Some(VaultError::DoesNotOpen));
}

/// VA-9.
#[test]
fn swapped_dropped_repeated_cut_and_added_chunks_are_noticed() {
    const SEALED_CHUNK: usize = CHUNK_BYTES + TAG;
    let case = seal(&text(3 * CHUNK_BYTES + 100), &[usize::MAX]);
    let chunks: Vec<&[u8]> = case.sealed.chunks(SEALED_CHUNK).collect();
    let (a, b, c, last) = (chunks[0], chunks[1], chunks[2], chunks[3]);
    case.refuses(&[b, a, c, last].concat(), "swapped");
    case.refuses(&[b, c, last].concat(), "first dropped");
    case.refuses(&[a, c, last].concat(), "middle dropped");
    case.refuses(&[a, b, c].concat(), "last dropped");
    case.refuses(&[a, a, b, c, last].concat(), "repeated");
    case.refuses(&[a, b, c, last, last].concat(), "last repeated");
    case.refuses(&[a, b, c, last, b"x"].concat(), "one byte added");
    case.refuses(last, "only the last");
    case.refuses(&[], "nothing left");
    case.refuses(&case.sealed[..case.sealed.len() - 1], "one byte cut");
    let whole = seal(&text(2 * CHUNK_BYTES), &[usize::MAX]);
    whole.refuses(&whole.sealed[..SEALED_CHUNK], "a full last chunk dropped");
}

/// VA-2, VA-9: ciphertext or wrapped key of another body, organisation or day opens nothing.
#[test]
fn a_body_is_bound_to_its_place_and_keys() {
    let world = World::real();
    let (one, two) = (seal(b"one letter", &[3]), seal(b"two letter", &[3]));
    one.refuses(&two.sealed, "another body's ciphertext");
    for place in [
        BodyPlace { body: BodyId::new(&world), ..one.place },
        BodyPlace { organisation: OrganisationId::new(&world), ..one.place },
    ] {
        assert!(BodyOpener::begin(&one.day_key, &place, &one.wrapped).is_err());
    }
    assert!(BodyOpener::begin(&two.day_key, &one.place, &one.wrapped).is_err());
    assert!(BodyOpener::begin(&one.day_key, &one.place, &two.wrapped).is_err());
}

/// QS-12: the tag is the checksum that is verified before a letter is sent.
#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let case = seal(b"a short letter", &[5]);
    for at in 0..case.sealed.len() {
        let mut broken = case.sealed.clone();
        broken[at] ^= 0x10;
        case.refuses(&broken, "flipped");
    }
    for at in 0..case.wrapped.len() {
        let mut broken = case.wrapped.clone();
        broken[at] ^= 0x10;
        assert!(BodyOpener::begin(&case.day_key, &case.place, &broken).is_err());
    }
}

/// VA-1: the counter stops at its end instead of starting again.
#[test]
fn chunk_numbers_never_come_round() {
    let world = World::real();
    let place = BodyPlace { organisation: OrganisationId::new(&world), body: BodyId::new(&world) };
    let mut chunks = Chunks::new(&[0; 32], &DayKey::generate(&world), &place);
    chunks.next = u32::MAX - 1;
    assert_eq!(chunks.seal(&mut vec![1], false), Ok(()));
    assert_eq!(chunks.seal(&mut vec![1], false), Err(VaultError::BodyTooLong));
    assert_eq!(chunks.seal(&mut vec![1], true), Err(VaultError::BodyTooLong));
}

#[test]
fn no_two_chunks_share_a_nonce() {
    let world = World::real();
    let place = BodyPlace { organisation: OrganisationId::new(&world), body: BodyId::new(&world) };
    let mut chunks = Chunks::new(&[0; 32], &DayKey::generate(&world), &place);
    let mut seen = HashSet::new();
    for number in 0..2_000 {
        assert!(seen.insert(*chunks.nonce(number % 2 == 0).unwrap().as_ref()));
    }
}

#[test]
fn memory_stays_at_one_chunk() {
    let world = World::real();
    let place = BodyPlace { organisation: OrganisationId::new(&world), body: BodyId::new(&world) };
    let (mut sealer, _) = BodySealer::begin(&DayKey::generate(&world), &place, &world);
    let piece = vec![7; 10_000];
    for _ in 0..1_000 {
        let mut rest = &piece[..];
        while sealer.write(&mut rest).unwrap().is_some() {}
    }
    assert!(sealer.collector.buffer.capacity() <= CHUNK_BYTES + 2 * TAG);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_cutting_of_writes_and_reads_gives_the_same_body(
        length in 0usize..200_000,
        writes in prop::collection::vec(1usize..90_000, 1..6),
        reads in prop::collection::vec(1usize..90_000, 1..6),
    ) {
        let plain = text(length);
        let case = seal(&plain, &writes);
        prop_assert_eq!(case.open(&case.sealed, &reads).unwrap(), plain);
    }
}
