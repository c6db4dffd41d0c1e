//! Recovery codes: made, shown once, read back however they were typed, and hashed (ID-21).

use gatepost_core::{PersonId, SecretText, World};
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use zeroize::Zeroizing;

/// How many a set has.
pub(super) const SET: usize = 10;
/// 13 symbols of 5 bits are 65 bits.
const LENGTH: usize = 13;
/// Where hyphens stand.
const GROUPS: [usize; 2] = [4, 8];
/// Crockford's base 32: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One code in its canonical form. No `Debug`, no `==`.
pub(crate) struct RecoveryCode(SecretText);

impl RecoveryCode {
    pub(super) fn generate(world: &World) -> Self {
        let drawn = Zeroizing::new(world.random::<LENGTH>());
        Self(SecretText::new(drawn.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()))
    }

    /// Reads what was typed: in any case, with or without hyphens and spaces, an I or L for a 1, an O for a 0.
    pub(crate) fn parse(typed: &SecretText) -> Option<Self> {
        let mut code = Zeroizing::new(String::with_capacity(LENGTH));
        for c in typed.reveal().chars().take(100).filter(|c| !is_ornament(*c)) {
            let c = match c.to_ascii_uppercase() {
                'I' | 'L' => '1',
                'O' => '0',
                c => c,
            };
            let is_symbol = u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte));
            if !is_symbol || code.len() == LENGTH {
                return None;
            }
            code.push(c);
        }
        (code.len() == LENGTH).then(|| Self(SecretText::new(std::mem::take(&mut *code))))
    }

    /// As it is shown, once: `A0B1-C2D3-E4F51`.
    pub(crate) fn grouped(&self) -> SecretText {
        let mut grouped = String::with_capacity(LENGTH + GROUPS.len());
        for (n, c) in self.0.reveal().chars().enumerate() {
            if GROUPS.contains(&n) {
                grouped.push('-');
            }
            grouped.push(c);
        }
        SecretText::new(grouped)
    }

    /// What the database keeps. The person is inside, so that one guess is not tried against everybody's.
    pub(super) fn digest(&self, key: &PurposeKey, person: PersonId) -> Digest {
        keyed_hash(key, &[b"recovery-code", person.uuid().as_bytes(), self.0.reveal().as_bytes()])
    }
}

/// What is between the symbols and means nothing.
fn is_ornament(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(RecoveryCode: std::fmt::Debug, Clone, PartialEq);

    fn parse(text: &str) -> Option<String> {
        let code = RecoveryCode::parse(&SecretText::new(text.to_owned()))?;
        Some(code.grouped().reveal().to_owned())
    }

    #[test]
    fn what_is_typed_is_understood() {
        for text in [
            "A0B1-C2D3-E4F51",
            "a0b1-c2d3-e4f51",
            "aob1 c2d3 e4f5i",
            "AOBLC2D3E4F5L",
            " a 0 b 1 c 2 d 3 e 4 f 5 1\r\n",
            "A0B1\u{2013}C2D3\u{2011}E4F51",
        ] {
            assert_eq!(parse(text).as_deref(), Some("A0B1-C2D3-E4F51"), "{text:?}");
        }
        for text in
            ["", "A0B1-C2D3-E4F5", "A0B1-C2D3-E4F511", "A0B1-C2D3-E4F5U", "A0B1_C2D3_E4F51", "ＡA0B1C2D3E4F5"]
        {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&"A".repeat(1_000_000)), None);
    }

    /// ID-21: 65 bits; each symbol of the alphabet occurs.
    #[test]
    fn codes_have_all_symbols_and_are_read_back() {
        let world = World::real();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let shown = RecoveryCode::generate(&world).grouped();
            let shown = shown.reveal();
            assert_eq!((shown.len(), &shown[4..5], &shown[9..10]), (15, "-", "-"));
            assert_eq!(parse(shown).as_deref(), Some(shown));
            seen.extend(shown.bytes().filter(|it| *it != b'-'));
        }
        assert!(ALPHABET.iter().all(|it| seen.contains(it)) && seen.len() == 32);
    }

    #[test]
    fn the_person_is_inside_the_hash() {
        let world = World::real();
        let (key, code) = (PurposeKey::generate(&world), RecoveryCode::generate(&world));
        let (one, two) = (PersonId::new(&world), PersonId::new(&world));
        assert!(code.digest(&key, one).matches(&code.digest(&key, one)));
        assert!(!code.digest(&key, one).matches(&code.digest(&key, two)));
    }
}
