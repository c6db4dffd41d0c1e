//! SASL: PLAIN (RFC 4616), LOGIN, XOAUTH2 and OAUTHBEARER (RFC 7628), for both sides (SS-19).
//!
//! The exchange is the same in SMTP, IMAP and POP3: the server sends challenges, the client responses, each in base64 on a
//! line of its own. [`ServerExchange`] and [`ClientExchange`] know whose turn it is; the session only carries lines.

pub(crate) mod base64;
mod bearer;
mod client;
mod credentials;
mod plain;
mod server;

use crate::smtp::ServerReply;

pub use client::ClientExchange;
pub use credentials::{Credentials, Secret};
pub use server::{ServerExchange, ServerStep};

/// A mechanism that both sides of Gatepost speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// User name and password in one response.
    Plain,
    /// User name, then password, each asked for. Not standardised; the only one that many devices know.
    Login,
    /// Google's and Microsoft's bearer token.
    XOAuth2,
    /// The bearer token of RFC 7628.
    OAuthBearer,
}

impl Mechanism {
    /// All of them, in the order in which a server lists them.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Login, Self::XOAuth2, Self::OAuthBearer];

    /// The registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::XOAuth2 => "XOAUTH2",
            Self::OAuthBearer => "OAUTHBEARER",
        }
    }

    /// Finds a mechanism by its name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }
}

/// Why an exchange came to nothing. It is over then, and its state has been wiped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// The client sent `*`.
    #[error("the client cancelled the sign-in")]
    Cancelled,
    /// A response is not base64, or not padded as it must be.
    #[error("the response is not base64")]
    NotBase64,
    /// A response is longer than an AUTH line may be (SS-7).
    #[error("the response is too long")]
    TooLong,
    /// A response does not have the mechanism's form.
    #[error("the response does not have the form of its mechanism")]
    Malformed,
    /// User name, password or token is empty or holds a NUL (MP-18).
    #[error("the user name or password is empty")]
    Empty,
    /// As a client: the server asked for more than the mechanism has to say.
    #[error("the server sent a challenge that the mechanism does not have")]
    UnexpectedChallenge,
}

impl SaslError {
    /// What an SMTP client is told.
    #[must_use]
    pub fn reply(self) -> ServerReply {
        match self {
            // RFC 4954 §4.
            Self::Cancelled => ServerReply::new(501, (5, 7, 0), "Sign-in cancelled"),
            Self::NotBase64 => ServerReply::new(501, (5, 5, 2), "The response is not base64"),
            // RFC 4954 §6.
            Self::TooLong => ServerReply::new(500, (5, 5, 6), "The response is too long"),
            Self::Malformed | Self::UnexpectedChallenge => {
                ServerReply::new(501, (5, 5, 2), "The response does not have the form of its mechanism")
            }
            // AP-10: the same words as for a wrong password, because that is what it is.
            Self::Empty => {
                ServerReply::new(535, (5, 7, 8), "Sign-in refused: check user name and app password")
            }
        }
    }
}

#[cfg(test)]
mod tests;
