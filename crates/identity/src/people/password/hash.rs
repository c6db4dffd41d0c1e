//! What the database keeps of a password: Argon2id, and a keyed hash over its output (ID-5).

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use gatepost_core::{SecretText, World};
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// The longest password, in code points after normalisation; longer ones are refused, never cut (ID-1).
pub(crate) const LONGEST: usize = 256;
/// Nothing longer is even normalised: composing makes texts shorter, but never to a fourth.
const LONGEST_ENTRY: usize = 4 * LONGEST;

/// A password in the one form in which it is hashed (ID-3). Wiped when dropped; no `Debug`, no `==`.
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    /// NFKC and nothing else; none if it is too long to be anybody's.
    pub(crate) fn read(entry: &SecretText) -> Option<Self> {
        if entry.reveal().chars().nth(LONGEST_ENTRY).is_some() {
            return None;
        }
        let mut text = Zeroizing::new(String::with_capacity(entry.reveal().len() * 2));
        text.extend(entry.reveal().nfkc());
        text.chars().nth(LONGEST).is_none().then_some(Self(text))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// How much work one hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Memory in KiB.
    pub(crate) m: u32,
    /// Passes.
    pub(crate) t: u32,
    /// Lanes.
    pub(crate) p: u32,
}

/// The floor of ID-5, about 25 ms. New hashes are made with it, and older ones are made anew at the next sign-in.
pub(crate) const CURRENT: Settings = Settings { m: 19_456, t: 2, p: 1 };

/// What a hash is worked out in, kept for the next one: 19 MiB taken and given back by turns would stay with the allocator of
/// every thread that had them once. Wiped after each.
#[derive(Default)]
pub(crate) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, n: usize) -> &mut [Block] {
        if self.0.len() < n {
            self.0.resize(n, Block::default());
        }
        &mut self.0[..n]
    }
}

const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

/// A row's hash: a PHC string whose last part is the keyed hash, under the pepper, of Argon2's output.
#[derive(Clone)]
pub(crate) struct PasswordHash {
    settings: Settings,
    salt: [u8; SALT_BYTES],
    digest: Digest,
}

impl PasswordHash {
    /// For a new row. Takes as long as it must: run it in the pool.
    pub(crate) fn make(
        password: &Password,
        pepper: &PurposeKey,
        salt: [u8; SALT_BYTES],
        memory: &mut Memory,
    ) -> Self {
        Self { settings: CURRENT, salt, digest: digest(password.reveal(), pepper, CURRENT, salt, memory) }
    }

    pub(crate) fn new_salt(world: &World) -> [u8; SALT_BYTES] {
        world.random()
    }

    /// Whether it is that password's. As long as [`Self::make`].
    pub(crate) fn fits(&self, password: &Password, pepper: &PurposeKey, memory: &mut Memory) -> bool {
        digest(password.reveal(), pepper, self.settings, self.salt, memory).matches(&self.digest)
    }

    /// As much work as for anybody, for an address that nobody has or a password that nobody can have (ID-11).
    pub(crate) fn fits_nobody(pepper: &PurposeKey, memory: &mut Memory) {
        let _ = digest("", pepper, CURRENT, [0; SALT_BYTES], memory);
    }

    /// Whether new hashes are made with other settings than this one.
    pub(crate) fn is_outdated(&self) -> bool {
        self.settings != CURRENT
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that hashes passwords")]
fn digest(
    password: &str,
    pepper: &PurposeKey,
    settings: Settings,
    salt: [u8; SALT_BYTES],
    memory: &mut Memory,
) -> Digest {
    let mut output = Zeroizing::new([0; OUTPUT_BYTES]);
    let Settings { m, t, p } = settings;
    let params = Params::new(m, t, p, Some(OUTPUT_BYTES)).expect("settings are checked when they are read");
    let blocks = memory.blocks(params.block_count());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), &salt, output.as_mut_slice(), &mut *blocks)
        .expect("a password of at most 256 code points and a salt of 16 bytes can be hashed");
    blocks.iter_mut().zeroize();
    keyed_hash(pepper, &[b"password", output.as_slice()])
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { m, t, p } = self.settings;
        let (salt, digest) =
            (STANDARD_NO_PAD.encode(self.salt), STANDARD_NO_PAD.encode(self.digest.as_bytes()));
        write!(f, "$argon2id$v=19$m={m},t={t},p={p}${salt}${digest}")
    }
}

/// Not what this program writes.
#[derive(Debug)]
pub(crate) struct NotAHash;

impl FromStr for PasswordHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let rest = text.strip_prefix("$argon2id$v=19$m=").ok_or(NotAHash)?;
        let (settings, rest) = rest.split_once('$').ok_or(NotAHash)?;
        let (salt, hash) = rest.split_once('$').ok_or(NotAHash)?;
        let (m, settings) = settings.split_once(",t=").ok_or(NotAHash)?;
        let (t, p) = settings.split_once(",p=").ok_or(NotAHash)?;
        let number = |digits: &str, most: u32| digits.parse().ok().filter(|n| *n <= most).ok_or(NotAHash);
        // Bounded, so that a changed row cannot take all memory or time.
        let settings = Settings { m: number(m, 1 << 20)?, t: number(t, 64)?, p: number(p, 16)? };
        Params::new(settings.m, settings.t, settings.p, Some(OUTPUT_BYTES)).map_err(|_| NotAHash)?;
        let salt = STANDARD_NO_PAD.decode(salt).ok().and_then(|it| it.try_into().ok()).ok_or(NotAHash)?;
        let hash = STANDARD_NO_PAD.decode(hash).map_err(|_| NotAHash)?;
        let digest = Digest::from_row(&hash).ok_or(NotAHash)?;
        Ok(Self { settings, salt, digest })
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Password: std::fmt::Debug, std::fmt::Display, Clone, PartialEq);
    assert_not_impl_any!(PasswordHash: std::fmt::Debug, PartialEq);

    fn password(text: &str) -> Password {
        Password::read(&SecretText::new(text.into())).unwrap()
    }

    #[test]
    fn a_stored_hash_says_how_it_was_made_and_is_read_back() {
        let (world, _) = gatepost_testkit::world();
        let (pepper, mut memory) = (PurposeKey::generate(&world), Memory::default());
        let hash = PasswordHash::make(&password("x"), &pepper, PasswordHash::new_salt(&world), &mut memory);
        let text = hash.to_string();
        let parts: Vec<&str> = text.split('$').collect();
        assert_eq!(parts[1..4], ["argon2id", "v=19", "m=19456,t=2,p=1"]);
        assert_eq!(STANDARD_NO_PAD.decode(parts[4]).unwrap().len(), 16);
        assert_eq!(STANDARD_NO_PAD.decode(parts[5]).unwrap().len(), 32);
        let again: PasswordHash = text.parse().unwrap();
        assert_eq!(again.to_string(), text);
        assert!(again.fits(&password("x"), &pepper, &mut memory) && !again.is_outdated());
        assert!(!again.fits(&password("X"), &pepper, &mut memory));
        // The database without its key verifies nothing.
        assert!(!again.fits(&password("x"), &PurposeKey::generate(&world), &mut memory));
    }

    #[test]
    fn what_this_program_does_not_write_is_no_hash() {
        let (salt, hash) = ("A".repeat(22), "A".repeat(43));
        for (settings, is_one) in [
            ("m=19456,t=2,p=1", true),
            ("m=12288,t=3,p=1", true),
            ("m=1048577,t=2,p=1", false),
            ("m=19456,t=65,p=1", false),
            ("m=19456,t=0,p=1", false),
            ("m=1,t=2,p=1", false),
            ("m=,t=2,p=1", false),
            ("t=2,m=19456,p=1", false),
        ] {
            let text = format!("$argon2id$v=19${settings}${salt}${hash}");
            assert_eq!(text.parse::<PasswordHash>().is_ok(), is_one, "{text}");
        }
        for text in ["", "$argon2i$v=19$m=19456,t=2,p=1$A$A", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA"] {
            assert!(text.parse::<PasswordHash>().is_err(), "{text}");
        }
    }

    #[test]
    fn passwords_are_normalised_once_and_otherwise_left_alone() {
        let (world, _) = gatepost_testkit::world();
        let (pepper, mut memory) = (PurposeKey::generate(&world), Memory::default());
        let mut fits = |one: &str, other: &str| {
            let hash = PasswordHash::make(&password(one), &pepper, [7; 16], &mut memory);
            hash.fits(&password(other), &pepper, &mut memory)
        };
        assert!(fits("Übermäßig viel Käse", "U\u{308}berma\u{308}ßig viel Ka\u{308}se"));
        assert!(!fits("Übermäßig viel Käse", "übermäßig viel käse"));
        assert!(!fits("with a space behind ", "with a space behind"));
        let long = "long ".repeat(20);
        assert!(!fits(&format!("{long}a"), &format!("{long}b")), "nothing is cut at 72 bytes");
        assert!(fits(&"🐎".repeat(256), &"🐎".repeat(256)));
        for too_long in ["x".repeat(257), "🐎".repeat(257), "\u{fdfa}".repeat(15), "x".repeat(1_000_000)] {
            assert!(Password::read(&SecretText::new(too_long)).is_none());
        }
        // 512 code points as typed, 256 as hashed.
        assert!(Password::read(&SecretText::new("U\u{308}".repeat(256))).is_some());
    }
}
