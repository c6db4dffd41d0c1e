//! What the catalogue judges by.

use serde::Deserialize;

/// What happened: a reply that refuses something, or no reply at all.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// The provider said something.
    Reply {
        /// The language it was said in.
        protocol: Protocol,
        /// The kind of provider as [`crate::Preset::kind`] names it; empty if nobody knows.
        provider_kind: Option<&'a str>,
        /// What the reply answered.
        phase: Phase,
        /// The reply code, for example 535.
        code: u16,
        /// The enhanced status code (RFC 3463), for example 5.7.139.
        enhanced: Option<(u16, u16, u16)>,
        /// The text of the reply without its codes, lines joined by a space or a line end. Hostile.
        text: &'a [u8],
    },
    /// The conversation did not get so far, or broke off.
    Trouble(Trouble),
}

/// A language spoken with providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 5321 and RFC 6409.
    Smtp,
}

/// The point of an SMTP session at which a reply came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The server's first words.
    Greeting,
    /// EHLO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH, all its steps.
    Auth,
    /// MAIL.
    Mail,
    /// RCPT.
    Recipient,
    /// DATA or BDAT, before the message went over.
    Data,
    /// The end of the message.
    Message,
}

macro_rules! troubles {
    ($($(#[$doc:meta])* $name:ident = $rule:literal),+ $(,)?) => {
        /// What can go wrong without a reply that says so. Each has its words in `data/smtp.toml`.
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
    /// Nobody listens at that port.
    ConnectionRefused = "connection-refused",
    /// No route, no network.
    Unreachable = "unreachable",
    /// A deadline passed.
    TimedOut = "timed-out",
    /// Closed or reset in the middle.
    ConnectionLost = "connection-lost",
    /// The guard of private addresses said no (WH-2).
    AddressNotAllowed = "address-not-allowed",
    /// STARTTLS is set for the account and not offered (SC-1).
    StartTlsMissing = "starttls-missing",
    /// Bytes between the answer to STARTTLS and the handshake (SC-3).
    StartTlsTampered = "starttls-tampered",
    /// No handshake: no common version, or no TLS at all.
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
    /// What came is not SMTP.
    NotAMailServer = "not-a-mail-server",
    /// No mechanism in common.
    SignInMethodMissing = "sign-in-method-missing",
    /// The account has no secret: it was blanked when its server was changed (OC-9).
    PasswordMissing = "password-missing",
    /// An address needs SMTPUTF8 and the server lacks it (SS-23).
    NoUtf8Addresses = "server-takes-no-utf8-addresses",
    /// Larger than the server's SIZE (RFC 1870).
    LetterTooLarge = "letter-too-large-for-server",
}
