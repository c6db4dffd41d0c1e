//! What a server can do (RFC 9051 §7.2.2).

use crate::sasl::Mechanism;

/// The capabilities of a server. Forgotten and asked for again after STARTTLS (RFC 9051 §6.2.1) and after signing in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Every name as it is spelt, each once, in the server's order. Names we do not know stay in, because a diagnosis shows
    /// them.
    names: Vec<String>,
}

/// Names kept of one server.
const NAMES: usize = 200;

impl Capabilities {
    /// Reads the words behind `CAPABILITY`.
    #[must_use]
    pub fn parse(words: &[u8]) -> Self {
        let mut found = Self::default();
        for word in words.split(|b| *b == b' ').filter(|it| it.iter().all(u8::is_ascii_graphic)) {
            found.add(&String::from_utf8_lossy(word));
        }
        found
    }

    /// Adds a name, such as `AUTH=PLAIN`.
    pub fn add(&mut self, name: &str) {
        let is_new = !name.is_empty() && name.len() <= 100 && !self.has(name);
        if is_new && self.names.len() < NAMES {
            self.names.push(name.to_owned());
        }
    }

    /// Whether the server lists this name, in whichever case.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|it| it.eq_ignore_ascii_case(name))
    }

    /// Whether the server lists this SASL mechanism.
    #[must_use]
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        self.has(&format!("AUTH={}", mechanism.name()))
    }

    /// Whether LOGIN may be said (RFC 9051 §6.2.3).
    #[must_use]
    pub fn takes_login(&self) -> bool {
        !self.has("LOGINDISABLED")
    }

    /// The names of all ways to sign in.
    #[must_use]
    pub fn sign_in_methods(&self) -> Vec<String> {
        let upper = self.names.iter().map(|it| it.to_ascii_uppercase());
        let named = upper.filter_map(|it| it.strip_prefix("AUTH=").map(str::to_owned));
        named.chain(self.takes_login().then(|| "LOGIN".to_owned())).collect()
    }

    /// Those that are still true where somebody else has signed in and passes everything on: nobody signs in, turns on TLS or compresses
    /// any more, or is sent to another server (MP-3, MP-8).
    #[must_use]
    pub fn of_what_passes(mut self) -> Self {
        self.names.retain(|it| passes(it.as_bytes()));
        self
    }

    /// All names, separated by spaces: what stands behind `CAPABILITY`.
    #[must_use]
    pub fn to_words(&self) -> String {
        self.names.join(" ")
    }
}

/// Whether a name may stand in a list that is passed on.
pub(super) fn passes(name: &[u8]) -> bool {
    const KEPT_BACK: [&str; 6] =
        ["STARTTLS", "LOGINDISABLED", "UNAUTHENTICATE", "SASL-IR", "LOGIN-REFERRALS", "MAILBOX-REFERRALS"];
    let starts =
        |it: &str| name.get(..it.len()).is_some_and(|start| start.eq_ignore_ascii_case(it.as_bytes()));
    !starts("COMPRESS=")
        && !starts("AUTH=")
        && !KEPT_BACK.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn real_lists_are_understood() {
        let gmail = Capabilities::parse(
            b"IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR AUTH=XOAUTH2 AUTH=PLAIN \
              AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER",
        );
        assert!(gmail.has("SASL-IR") && gmail.has("IDLE") && !gmail.has("STARTTLS"));
        assert!(gmail.offers(Mechanism::XOAuth2) && !gmail.offers(Mechanism::Login) && gmail.takes_login());
        let plain = Capabilities::parse(b"IMAP4 starttls logindisabled auth=login auth=login");
        assert!(plain.has("STARTTLS") && !plain.takes_login());
        assert_eq!(plain.sign_in_methods(), ["LOGIN"]);
    }

    proptest! {
        #[test]
        fn what_a_server_lists_a_client_reads(names in proptest::collection::vec("[A-Z0-9=+-]{1,20}", 0..20)) {
            let mut said = Capabilities::default();
            names.iter().for_each(|it| said.add(it));
            prop_assert_eq!(Capabilities::parse(said.to_words().as_bytes()), said);
        }
    }
}
