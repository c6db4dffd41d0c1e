//! What a server can do, as its EHLO reply lists it.

use super::{Reply, ServerReply};

/// The extensions of a server. Forgotten and asked for again after STARTTLS (RFC 3207 §4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// SIZE (RFC 1870).
    pub size: SizeLimit,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced_status_codes: bool,
    /// AUTH (RFC 4954): names of mechanisms in upper case, each once, in the server's order. Names we do not know stay in,
    /// because a diagnosis shows them.
    pub auth: Vec<String>,
}

/// What SIZE says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SizeLimit {
    /// The server does not list SIZE; a client must not send the parameter.
    #[default]
    NotAnnounced,
    /// Listed without a figure, or with 0: no fixed limit (RFC 1870 §3).
    Unlimited,
    /// At most this many octets.
    AtMost(u64),
}

impl Capabilities {
    /// Reads the reply to EHLO; its first line is the greeting.
    #[must_use]
    pub fn from_reply(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines().skip(1) {
            found.add(&String::from_utf8_lossy(line));
        }
        found
    }

    fn add(&mut self, line: &str) {
        // The old form `AUTH=LOGIN PLAIN` has the mechanisms behind an equals sign; some servers send both forms.
        let mut words = line.split([' ', '\t', '=']).filter(|it| !it.is_empty());
        let Some(keyword) = words.next() else { return };
        match keyword.to_ascii_uppercase().as_str() {
            "SIZE" => {
                self.size = match words.next().map(str::parse) {
                    None | Some(Ok(0)) => SizeLimit::Unlimited,
                    Some(Ok(octets)) => SizeLimit::AtMost(octets),
                    // A figure that is none, or larger than 64 bits, limits nothing that we could hold.
                    Some(Err(_)) => SizeLimit::Unlimited,
                }
            }
            "STARTTLS" => self.starttls = true,
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "CHUNKING" => self.chunking = true,
            "DSN" => self.dsn = true,
            "ENHANCEDSTATUSCODES" => self.enhanced_status_codes = true,
            "AUTH" => {
                for name in words.map(str::to_ascii_uppercase) {
                    if !self.auth.contains(&name) {
                        self.auth.push(name);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the server lists this SASL mechanism.
    #[must_use]
    pub fn offers(&self, mechanism: crate::sasl::Mechanism) -> bool {
        self.auth.iter().any(|it| it == mechanism.name())
    }

    /// The reply to EHLO. `greeting` is our host name, with a word to the client behind it if one likes.
    #[must_use]
    pub fn to_reply(&self, greeting: impl Into<String>) -> ServerReply {
        let mut reply = ServerReply::plain(250, greeting.into());
        reply = match self.size {
            SizeLimit::NotAnnounced => reply,
            SizeLimit::Unlimited => reply.line("SIZE"),
            SizeLimit::AtMost(octets) => reply.line(format!("SIZE {octets}")),
        };
        for (has, keyword) in [
            (self.pipelining, "PIPELINING"),
            (self.eight_bit_mime, "8BITMIME"),
            (self.smtputf8, "SMTPUTF8"),
            (self.chunking, "CHUNKING"),
            (self.dsn, "DSN"),
            (self.enhanced_status_codes, "ENHANCEDSTATUSCODES"),
            (self.starttls, "STARTTLS"),
        ] {
            if has {
                reply = reply.line(keyword);
            }
        }
        if self.auth.is_empty() { reply } else { reply.line(format!("AUTH {}", self.auth.join(" "))) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sasl::Mechanism;
    use crate::smtp::ReplyParser;

    fn parse(bytes: &[u8]) -> Capabilities {
        let mut parser = ReplyParser::new();
        let mut lines = bytes.split(|b| *b == b'\n').map(|it| it.strip_suffix(b"\r").unwrap_or(it));
        let reply = lines.find_map(|line| parser.push(line).unwrap()).unwrap();
        Capabilities::from_reply(&reply)
    }

    #[test]
    fn real_replies_are_understood() {
        let gmail = parse(
            b"250-smtp.gmail.com at your service, [192.0.2.1]\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n\
              250-AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH\r\n250-ENHANCEDSTATUSCODES\r\n\
              250-PIPELINING\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n",
        );
        assert_eq!(gmail.size, SizeLimit::AtMost(35_882_577));
        assert!(gmail.pipelining && gmail.chunking && gmail.smtputf8 && gmail.eight_bit_mime);
        assert!(!gmail.starttls && !gmail.dsn);
        assert!(gmail.offers(Mechanism::OAuthBearer) && gmail.offers(Mechanism::XOAuth2));

        let old =
            parse(b"250-host\r\n250-auth=login plain\r\n250-AUTH PLAIN\r\n250-size\r\n250 starttls\r\n");
        assert_eq!(old.auth, ["LOGIN", "PLAIN"]);
        assert_eq!((old.size, old.starttls), (SizeLimit::Unlimited, true));
    }

    #[test]
    fn the_greeting_is_no_capability() {
        assert_eq!(parse(b"250 STARTTLS\r\n"), Capabilities::default());
        assert_eq!(parse(b"250-AUTH\r\n250 AUTHX PLAIN\r\n"), Capabilities::default());
    }

    proptest! {
        #[test]
        fn what_a_server_lists_a_client_reads(
            size in prop_oneof![Just(SizeLimit::NotAnnounced), Just(SizeLimit::Unlimited), (1_u64..).prop_map(SizeLimit::AtMost)],
            flags in any::<[bool; 7]>(),
            auth in proptest::sample::subsequence(vec!["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"], 0..=4),
        ) {
            let [starttls, pipelining, eight_bit_mime, smtputf8, chunking, dsn, enhanced_status_codes] = flags;
            let auth = auth.into_iter().map(str::to_owned).collect();
            let said = Capabilities {
                size, starttls, pipelining, eight_bit_mime, smtputf8, chunking, dsn, enhanced_status_codes, auth,
            };
            prop_assert_eq!(parse(&said.to_reply("mail.example").to_bytes()), said);
        }
    }
}
