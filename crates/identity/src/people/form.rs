//! Proof that a form comes from a page that this browser was shown (docs/decisions/0010).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatepost_core::SessionId;
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use uuid::Uuid;

use crate::People;

impl People {
    /// What a form carries to prove where it comes from: for this visitor cookie and the lineage of this session, or
    /// nobody's: a form that was drawn before a step-up is good after it.
    #[must_use]
    pub fn form_token(&self, visitor: &str, lineage: Option<SessionId>) -> String {
        URL_SAFE_NO_PAD.encode(digest(self.identity().keyring.tokens(), visitor, lineage).as_bytes())
    }

    /// Whether `given` is that proof; in constant time.
    #[must_use]
    pub fn is_form_token(&self, given: &str, visitor: &str, lineage: Option<SessionId>) -> bool {
        is_token(self.identity().keyring.tokens(), given, visitor, lineage)
    }
}

fn is_token(key: &PurposeKey, given: &str, visitor: &str, lineage: Option<SessionId>) -> bool {
    let given = URL_SAFE_NO_PAD.decode(given).ok().and_then(|bytes| Digest::from_row(&bytes));
    given.is_some_and(|it| it.matches(&digest(key, visitor, lineage)))
}

fn digest(key: &PurposeKey, visitor: &str, lineage: Option<SessionId>) -> Digest {
    let lineage = lineage.map_or(Uuid::nil(), SessionId::uuid);
    keyed_hash(key, &[b"form", visitor.as_bytes(), lineage.as_bytes()])
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
