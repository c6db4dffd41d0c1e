//! What an app password may do, and from where (AP-4).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use gatepost_core::{EmailAddress, Network, Timestamp};
use gatepost_store::{Row, StoreError};

/// A door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Sending by SMTP.
    Smtp,
    /// Reading by IMAP.
    Imap,
    /// Reading by POP3.
    Pop3,
    /// The HTTP API.
    Api,
}

impl Protocol {
    const ALL: [Self; 4] = [Self::Smtp, Self::Imap, Self::Pop3, Self::Api];

    const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Api => "api",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a text is not a [`Protocol`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of smtp, imap, pop3, api")]
pub struct UnknownProtocol(String);

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(word: &str) -> Result<Self, UnknownProtocol> {
        let word = word.trim();
        let found = Self::ALL.into_iter().find(|it| it.word().eq_ignore_ascii_case(word));
        found.ok_or_else(|| UnknownProtocol(word.to_owned()))
    }
}

/// A set of doors. Written as words with commas between them: `smtp,imap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protocols(u8);

impl Protocols {
    /// What an application for mail needs: all but the API.
    pub const MAIL: Self = Self(0b0111);

    /// Whether it opens that door.
    #[must_use]
    pub const fn allow(self, protocol: Protocol) -> bool {
        self.0 & (1 << protocol as u8) != 0
    }

    /// Whether it opens none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Protocol> for Protocols {
    fn from_iter<I: IntoIterator<Item = Protocol>>(all: I) -> Self {
        Self(all.into_iter().fold(0, |bits, it| bits | (1 << it as u8)))
    }
}

impl FromStr for Protocols {
    type Err = UnknownProtocol;

    fn from_str(words: &str) -> Result<Self, UnknownProtocol> {
        words.split(',').map(str::parse::<Protocol>).collect()
    }
}

impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> =
            Protocol::ALL.into_iter().filter(|it| self.allow(*it)).map(Protocol::word).collect();
        f.write_str(&words.join(","))
    }
}

/// The limits of one app password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPasswordLimits {
    /// Which doors it opens.
    pub allowed: Protocols,
    /// From where; empty means from everywhere.
    pub networks: Vec<Network>,
    /// Which of the account's addresses it may send as; empty means all of them.
    pub send_as: Vec<EmailAddress>,
    /// From when on it opens nothing. Never by default: a scanner that stops after a year is a support call.
    pub expires_at: Option<Timestamp>,
    /// Whether messages with bare line feeds are repaired instead of refused.
    pub repairs_line_ends: bool,
}

impl AppPasswordLimits {
    /// Whether it opens doors for that address.
    pub(crate) fn admit(&self, source: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|it| it.contains(source))
    }

    /// Whether its time is over.
    pub(crate) fn are_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|it| it <= now)
    }

    /// From the columns `allowed`, `networks`, `send_as`, `repairs_line_ends`, and `expires_at` wherever it is.
    pub(crate) fn from_row(row: &Row, column: usize, expires_at: usize) -> Result<Self, StoreError> {
        Ok(Self {
            allowed: row.parse(column, "a list of protocols")?,
            networks: row.parse::<Lines<Network>>(column + 1, "networks, one a line")?.0,
            send_as: row.parse::<Lines<EmailAddress>>(column + 2, "addresses, one a line")?.0,
            repairs_line_ends: row.get(column + 3)?,
            expires_at: row.get(expires_at)?,
        })
    }
}

/// One value a line; nothing for none.
pub(crate) fn lines<T: fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

struct Lines<T>(Vec<T>);

impl<T: FromStr> FromStr for Lines<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        text.lines().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_written_as_words() {
        for (text, want) in [
            ("smtp", Ok("smtp")),
            ("imap,smtp", Ok("smtp,imap")),
            ("SMTP, imap ,pop3,api,smtp", Ok("smtp,imap,pop3,api")),
            ("", Err("\"\" is not one of smtp, imap, pop3, api")),
            ("smtp,", Err("\"\" is not one of smtp, imap, pop3, api")),
            ("smtp,ftp", Err("\"ftp\" is not one of smtp, imap, pop3, api")),
        ] {
            let got = text.parse::<Protocols>().map(|it| it.to_string()).map_err(|err| err.to_string());
            assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{text:?}");
        }
        assert_eq!(Protocols::MAIL.to_string(), "smtp,imap,pop3");
        assert!(Protocols::default().is_empty());
    }

    #[test]
    fn lists_come_back_from_their_lines() {
        let networks: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(lines(&networks).parse::<Lines<Network>>().unwrap().0, networks);
        assert!("".parse::<Lines<Network>>().unwrap().0.is_empty());
        let quoted: Vec<EmailAddress> = vec!["\"a b\"@example.org".parse().unwrap()];
        assert_eq!(lines(&quoted).parse::<Lines<EmailAddress>>().unwrap().0, quoted);
    }
}
