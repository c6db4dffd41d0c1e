//! Proof that a form comes from a page that this browser was shown (docs/decisions/0010).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_core::SessionId;
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use uuid::Uuid;

use crate::People;

impl People {
    /// What a form carries to prove where it comes from: for this visitor cookie and this session, or nobody's.
    #[must_use]
    pub fn form_token(&self, visitor: &str, session: Option<SessionId>) -> String {
        URL_SAFE_NO_PAD.encode(digest(self.identity().keyring.tokens(), visitor, session).as_bytes())
    }

    /// Whether `given` is that proof; in constant time.
    #[must_use]
    pub fn is_form_token(&self, given: &str, visitor: &str, session: Option<SessionId>) -> bool {
        is_token(self.identity().keyring.tokens(), given, visitor, session)
    }
}

fn is_token(key: &PurposeKey, given: &str, visitor: &str, session: Option<SessionId>) -> bool {
    let given = URL_SAFE_NO_PAD.decode(given).ok().and_then(|bytes| Digest::from_row(&bytes));
    given.is_some_and(|it| it.matches(&digest(key, visitor, session)))
}

fn digest(key: &PurposeKey, visitor: &str, session: Option<SessionId>) -> Digest {
    let session = session.map_or(Uuid::nil(), SessionId::uuid);
    keyed_hash(key, &[b"form", visitor.as_bytes(), session.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_token_fits_its_visitor_and_session_alone() {
        let (world, _) = gatepost_testkit::world();
        let key = PurposeKey::generate(&world);
        let session = Some(SessionId::new(&world));
        let token = URL_SAFE_NO_PAD.encode(digest(&key, "visitor", session).as_bytes());
        assert!(is_token(&key, &token, "visitor", session));
        for (given, visitor, session) in [
            (token.as_str(), "another", session),
            (&token, "visitor", None),
            (&token, "visitor", Some(SessionId::new(&world))),
            ("", "visitor", session),
            (&token[1..], "visitor", session),
            ("not base 64 é", "visitor", session),
        ] {
            assert!(!is_token(&key, given, visitor, session), "{given:?} {visitor:?}");
        }
        assert!(!is_token(&PurposeKey::generate(&world), &token, "visitor", session));
    }
}
