//! What cookies and one-time links carry.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_core::{LinkId, SecretText, World};
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use zeroize::Zeroizing;

/// 256 random bits as 43 characters of base64url. The database keeps its keyed hash alone. No `Debug`, no `==`.
#[derive(Clone)]
pub struct Token(SecretText);

/// What a token opens. The word is inside its hash, so that the token of a link is none of a session.
#[derive(Clone, Copy)]
pub(crate) enum Opens {
    PreSession,
    Session,
    Device,
    Link,
}

impl Opens {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::PreSession => b"pre-session",
            Self::Session => b"session",
            Self::Device => b"device",
            Self::Link => b"link",
        }
    }
}

const BYTES: usize = 32;
/// 256 bits at 6 a character.
const CHARACTERS: usize = 43;

impl Token {
    /// A new one.
    #[must_use]
    pub fn generate(world: &World) -> Self {
        let bytes = Zeroizing::new(world.random::<BYTES>());
        Self(SecretText::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }

    /// That of a link: nothing that is stored gives it without the key, and nobody has to store it.
    pub(crate) fn of_link(key: &PurposeKey, link: LinkId, salt: &[u8]) -> Self {
        let digest = keyed_hash(key, &[b"link-token", link.uuid().as_bytes(), salt]);
        Self(SecretText::new(URL_SAFE_NO_PAD.encode(digest.as_bytes())))
    }

    /// Reads what a cookie or a link brought; `None` unless it has the shape of a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != CHARACTERS {
            return None;
        }
        // Strict: bits behind the last byte are none, so that one token has one spelling.
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        (bytes.len() == BYTES).then(|| Self(SecretText::new(text.to_owned())))
    }

    /// For the cookie or the link that carries it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What the database keeps, and what a row is found by.
    pub(crate) fn digest(&self, key: &PurposeKey, opens: Opens) -> Digest {
        keyed_hash(key, &[opens.word(), self.0.reveal().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use gatepost_testkit::world;
    use proptest::prelude::*;
    use static_assertions::assert_not_impl_any;

    use super::*;

    assert_not_impl_any!(Token: std::fmt::Debug, std::fmt::Display, PartialEq, ToString);

    #[test]
    fn a_token_is_read_back_and_nothing_else_is() {
        let token = Token::generate(&world().0);
        let text = token.reveal();
        assert_eq!(text.len(), CHARACTERS);
        assert!(Token::parse(text).is_some_and(|it| it.reveal() == text));
        let cut = &text[1..];
        for bad in ["", cut, &format!("{text}A"), &format!("{cut}="), &format!("{cut}+"), &format!("{cut}é")]
        {
            assert!(Token::parse(bad).is_none(), "{bad:?}");
        }
        // The last character holds 4 bits of the token; another spelling of them is no token.
        assert!(Token::parse(&"A".repeat(CHARACTERS)).is_some());
        assert!(Token::parse(&format!("{}B", "A".repeat(CHARACTERS - 1))).is_none());
    }

    #[test]
    fn the_token_of_one_thing_opens_no_other() {
        let (world, _) = world();
        let (key, token) = (PurposeKey::generate(&world), Token::generate(&world));
        let kinds = [Opens::PreSession, Opens::Session, Opens::Device, Opens::Link];
        for (n, one) in kinds.into_iter().enumerate() {
            for (m, other) in kinds.into_iter().enumerate() {
                assert_eq!(token.digest(&key, one).matches(&token.digest(&key, other)), n == m);
            }
        }
    }

    #[test]
    fn the_token_of_a_link_is_the_same_each_time_and_another_ones_is_not() {
        let (world, _) = world();
        let (key, link) = (PurposeKey::generate(&world), LinkId::new(&world));
        let token = Token::of_link(&key, link, b"salt");
        assert!(Token::parse(token.reveal()).is_some());
        assert_eq!(token.reveal(), Token::of_link(&key, link, b"salt").reveal());
        for other in [
            Token::of_link(&key, link, b"another"),
            Token::of_link(&key, LinkId::new(&world), b"salt"),
            Token::of_link(&PurposeKey::generate(&world), link, b"salt"),
        ] {
            assert_ne!(token.reveal(), other.reveal());
        }
    }

    proptest! {
        #[test]
        fn whatever_a_cookie_brings_is_a_token_or_none(text in ".{0,60}") {
            if let Some(token) = Token::parse(&text) {
                prop_assert_eq!(token.reveal(), text);
            }
        }
    }
}
