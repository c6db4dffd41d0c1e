//! Words for what happened between us and a provider: what refusals are judged by.

use std::str::FromStr;

/// The point of a session at which something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The server's first words.
    Greeting,
    /// EHLO, CAPA, CAPABILITY.
    Hello,
    /// STARTTLS or STLS, and the handshake behind it.
    StartTls,
    /// Signing in, all its steps.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA or BDAT, before the message went over.
    Data,
    /// The message and the reply to its end.
    Message,
    /// NOOP, RSET and QUIT.
    Upkeep,
    /// Opening a mailbox, and finding, reading or changing messages in it (IMAP, POP3).
    Mailbox,
}

/// What the server of a mail account speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailProtocol {
    /// Letters out (RFC 5321).
    Smtp,
    /// Letters in (RFC 9051).
    Imap,
    /// Letters in (RFC 1939).
    Pop3,
}

macro_rules! troubles {
    ($($(#[$doc:meta])* $name:ident = $rule:literal),+ $(,)?) => {
        /// What can go wrong without a reply that says so. The diagnosis catalogue has words for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Trouble { $($(#[$doc])* $name),+ }

        impl Trouble {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The catalogue's name for it.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule),+ }
            }
        }
    };
}

troubles! {
    /// The name of the server has no address.
    NameNotFound = "name-not-found",
    /// The name servers do not answer.
    LookupFailed = "lookup-failed",
    /// Nobody listens at that port.
    ConnectionRefused = "connection-refused",
    /// No route, no network.
    Unreachable = "unreachable",
    /// A deadline passed.
    TimedOut = "timed-out",
    /// Closed, reset or cut off.
    ConnectionLost = "connection-lost",
    /// The guard of private addresses said no (WH-3), or encryption is demanded there (SC-1).
    AddressNotAllowed = "address-not-allowed",
    /// STARTTLS is set for the account and not offered (SC-1).
    StartTlsMissing = "starttls-missing",
    /// Bytes between the answer to STARTTLS and the handshake (SC-3).
    StartTlsTampered = "starttls-tampered",
    /// No handshake: nothing in common, or no TLS at all.
    TlsFailed = "tls-failed",
    /// The certificate is out of date.
    CertificateExpired = "certificate-expired",
    /// The certificate's time has not come.
    CertificateNotYetValid = "certificate-not-yet-valid",
    /// The certificate is for other names.
    CertificateWrongName = "certificate-wrong-name",
    /// Self-signed, or signed by an authority that is not trusted here.
    CertificateUnknownAuthority = "certificate-unknown-authority",
    /// The certificate was revoked.
    CertificateRevoked = "certificate-revoked",
    /// Any other fault of the certificate: wrong use, weak signature, no names.
    CertificateUnusable = "certificate-unusable",
    /// What came is not the protocol that was expected.
    NotAMailServer = "not-a-mail-server",
    /// No mechanism in common.
    SignInMethodMissing = "sign-in-method-missing",
    /// The same, where nothing was encrypted: most servers offer a way to sign in only behind encryption.
    SignInNeedsEncryption = "sign-in-needs-encryption",
    /// The account has no secret: it was blanked when its server was changed (OC-9).
    PasswordMissing = "password-missing",
    /// An address needs SMTPUTF8 and the server lacks it (SS-23).
    NoUtf8Addresses = "server-takes-no-utf8-addresses",
    /// Larger than the server's SIZE (RFC 1870).
    LetterTooLarge = "letter-too-large-for-server",
    /// Gatepost ended, or could not read the letter, while it was being sent.
    Interrupted = "interrupted",
}

/// How TLS begins. Chosen for the account, never discovered (SC-1; RFC 8314 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// From the first byte.
    Implicit,
    /// By STARTTLS, and nothing else is done without it.
    StartTls,
    /// Not at all. Only towards addresses named in `allow_private_addresses`.
    None,
}

impl TlsMode {
    /// The word used in configuration, rows and on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }
}

/// The word is none of the three.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a way to begin encryption: write starttls, implicit or none")]
pub struct UnknownTlsMode(String);

impl FromStr for TlsMode {
    type Err = UnknownTlsMode;

    fn from_str(word: &str) -> Result<Self, UnknownTlsMode> {
        let mut modes = [Self::Implicit, Self::StartTls, Self::None].into_iter();
        modes.find(|mode| mode.word() == word).ok_or_else(|| UnknownTlsMode(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_words() {
        for mode in [TlsMode::Implicit, TlsMode::StartTls, TlsMode::None] {
            assert_eq!(mode.word().parse(), Ok(mode));
        }
        assert!("ssl".parse::<TlsMode>().unwrap_err().to_string().contains("starttls, implicit or none"));
    }
}
