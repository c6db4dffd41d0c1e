//! What a server can do, as CAPA lists it (RFC 2449 §6).

use super::command::decimal;
use crate::sasl::Mechanism;

/// The capabilities of a server. Forgotten and asked for again after STLS (RFC 2595 §4) and after signing in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// STLS (RFC 2595).
    pub stls: bool,
    /// USER and PASS.
    pub user: bool,
    /// TOP.
    pub top: bool,
    /// UIDL.
    pub uidl: bool,
    /// PIPELINING.
    pub pipelining: bool,
    /// Response codes in brackets.
    pub resp_codes: bool,
    /// `[AUTH]` alone speaks of the credential (RFC 3206 §6).
    pub auth_resp_code: bool,
    /// LOGIN-DELAY: seconds that should pass between two sign-ins (RFC 2449 §6.5).
    pub login_delay_seconds: Option<u64>,
    /// SASL (RFC 5034): names of mechanisms in upper case, each once, in the server's order. Names we do not know stay in,
    /// because a diagnosis shows them.
    pub sasl: Vec<String>,
    /// IMPLEMENTATION: what the server calls itself. Hostile, not escaped.
    pub implementation: Option<String>,
}

/// Names kept of one server.
const MECHANISMS: usize = 50;

impl Capabilities {
    /// Takes one line of the listing.
    pub fn add(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split([' ', '\t']).filter(|it| !it.is_empty());
        let Some(keyword) = words.next() else { return };
        match keyword.to_ascii_uppercase().as_str() {
            "STLS" => self.stls = true,
            "USER" => self.user = true,
            "TOP" => self.top = true,
            "UIDL" => self.uidl = true,
            "PIPELINING" => self.pipelining = true,
            "RESP-CODES" => self.resp_codes = true,
            "AUTH-RESP-CODE" => self.auth_resp_code = true,
            "LOGIN-DELAY" => self.login_delay_seconds = words.next().and_then(|it| decimal(it.as_bytes())),
            "IMPLEMENTATION" => self.implementation = Some(words.collect::<Vec<_>>().join(" ")),
            "SASL" => {
                for name in words.map(str::to_ascii_uppercase) {
                    if !self.sasl.contains(&name) && self.sasl.len() < MECHANISMS {
                        self.sasl.push(name);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the server lists this SASL mechanism.
    #[must_use]
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        self.sasl.iter().any(|it| it == mechanism.name())
    }

    /// The lines of the listing, as a server gives them.
    #[must_use]
    pub fn to_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = [
            (self.top, "TOP"),
            (self.uidl, "UIDL"),
            (self.resp_codes, "RESP-CODES"),
            (self.auth_resp_code, "AUTH-RESP-CODE"),
            (self.pipelining, "PIPELINING"),
            (self.user, "USER"),
            (self.stls, "STLS"),
        ]
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, keyword)| keyword.to_owned())
        .collect();
        if !self.sasl.is_empty() {
            lines.push(format!("SASL {}", self.sasl.join(" ")));
        }
        lines.extend(self.login_delay_seconds.map(|it| format!("LOGIN-DELAY {it}")));
        lines.extend(self.implementation.iter().map(|it| format!("IMPLEMENTATION {it}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(lines: &[&str]) -> Capabilities {
        let mut found = Capabilities::default();
        lines.iter().for_each(|it| found.add(it.as_bytes()));
        found
    }

    #[test]
    fn real_listings_are_understood() {
        let gmail = parse(&[
            "USER",
            "RESP-CODES",
            "EXPIRE 0",
            "LOGIN-DELAY 300",
            "TOP",
            "UIDL",
            "X-GOOGLE-RICO",
            "SASL PLAIN XOAUTH2 OAUTHBEARER",
        ]);
        assert!(gmail.user && gmail.top && gmail.uidl && gmail.resp_codes && !gmail.stls);
        assert_eq!(gmail.login_delay_seconds, Some(300));
        assert!(gmail.offers(Mechanism::XOAuth2) && !gmail.offers(Mechanism::Login));
        let other = parse(&["stls", "sasl plain plain", "", "Implementation Dovecot  x"]);
        assert_eq!((other.stls, other.sasl), (true, vec!["PLAIN".to_owned()]));
        assert_eq!(other.implementation.as_deref(), Some("Dovecot x"));
    }

    proptest! {
        #[test]
        fn what_a_server_lists_a_client_reads(
            flags in any::<[bool; 7]>(),
            sasl in proptest::sample::subsequence(vec!["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"], 0..=4),
            login_delay_seconds: Option<u64>,
            implementation in proptest::option::of("[!-~]{1,20}"),
        ) {
            let [stls, user, top, uidl, pipelining, resp_codes, auth_resp_code] = flags;
            let sasl = sasl.into_iter().map(str::to_owned).collect();
            let said = Capabilities {
                stls, user, top, uidl, pipelining, resp_codes, auth_resp_code, login_delay_seconds, sasl, implementation,
            };
            let lines = said.to_lines();
            prop_assert_eq!(parse(&lines.iter().map(String::as_str).collect::<Vec<_>>()), said);
        }
    }
}
