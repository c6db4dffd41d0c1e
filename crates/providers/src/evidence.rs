//! What the catalogue judges by.

use gatepost_core::{Phase, Trouble};

/// What happened: something that refuses, or no answer at all. All texts are hostile.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// A reply of an SMTP server (RFC 5321 §4.2).
    Smtp {
        /// The kind of provider as [`crate::Preset::kind`] names it; empty if nobody knows.
        provider_kind: Option<&'a str>,
        /// What the reply answered.
        phase: Phase,
        /// The reply code, for example 535.
        code: u16,
        /// The enhanced status code (RFC 3463), for example 5.7.139.
        enhanced: Option<(u16, u16, u16)>,
        /// The text of the reply without its codes, lines joined by a space or a line end.
        text: &'a [u8],
    },
    /// A status response of an IMAP server that refuses (RFC 9051 §7.1).
    Imap {
        /// As above.
        provider_kind: Option<&'a str>,
        /// What it answered.
        phase: Phase,
        /// `NO`, `BAD` or `BYE`.
        status: &'a str,
        /// What stands in brackets behind it, arguments included: `AUTHENTICATIONFAILED` (RFC 5530).
        code: Option<&'a str>,
        /// The text behind that. Untagged answers that came before may be joined to it.
        text: &'a [u8],
    },
    /// An error of a POP3 server (RFC 1939 §3).
    Pop3 {
        /// As above.
        provider_kind: Option<&'a str>,
        /// What it answered.
        phase: Phase,
        /// What stands in brackets behind `-ERR`: `SYS/TEMP` (RFC 2449 §8, RFC 3206).
        code: Option<&'a str>,
        /// The text behind that.
        text: &'a [u8],
    },
    /// An error of an OAuth service (RFC 6749 §4.1.2.1, §5.2).
    OAuth {
        /// The kind of the service as [`crate::OAuthService::kind`] names it.
        provider_kind: Option<&'a str>,
        /// The word in `error`.
        error: &'a str,
        /// What else it said: suberror, numbers and description, joined by spaces.
        text: &'a str,
    },
    /// A refusal of a mail interface over HTTP: Microsoft Graph, the Gmail API.
    Http {
        /// As above.
        provider_kind: Option<&'a str>,
        /// The status (RFC 9110 §15).
        status: u16,
        /// The error's codes and message, joined by a space.
        text: &'a [u8],
    },
    /// The conversation did not get so far, or broke off.
    Trouble(Trouble),
    /// The same with an OAuth service.
    OAuthTrouble(OAuthTrouble),
}

macro_rules! oauth_troubles {
    ($($(#[$doc:meta])* $name:ident = $rule:literal),+ $(,)?) => {
        /// What can go wrong with an OAuth service beside an answer that refuses. The catalogue has words for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum OAuthTrouble { $($(#[$doc])* $name),+ }

        impl OAuthTrouble {
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

oauth_troubles! {
    /// No address, no connection, no answer in time, or half of one.
    Unreachable = "oauth-unreachable",
    /// The guard said no (OC-5).
    AddressNotAllowed = "oauth-address-not-allowed",
    /// No TLS, or a certificate that does not verify.
    NotEncrypted = "oauth-not-encrypted",
    /// 429 or 5xx: nothing is said about the grant (OC-7).
    Busy = "oauth-busy",
    /// Not JSON, too long, a redirect, or without what must be there.
    NotUnderstood = "oauth-nonsense",
    /// Fewer scopes than the account needs (OC-1).
    ScopesMissing = "oauth-scopes-missing",
    /// An access token without a refresh token.
    NoLastingGrant = "oauth-no-lasting-grant",
    /// Signed in as somebody else (OC-4).
    OtherMailbox = "oauth-other-mailbox",
    /// The ID token is for another application, another sign-in or another time.
    IdentityUnproven = "oauth-identity-unproven",
    /// `iss` of the callback names another service (OC-3, RFC 9207).
    WrongIssuer = "oauth-wrong-issuer",
    /// A rotated refresh token whose successor nobody has.
    GrantAnswerLost = "grant-answer-lost",
}
