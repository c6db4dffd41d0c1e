//! The server's side of an exchange.

use gatepost_core::SecretBytes;

use super::credentials::{field, secret_field};
use super::{Credentials, Mechanism, SaslError, Secret, base64, bearer, plain};
use crate::smtp::AUTH_LINE;

/// An exchange that waits for the client's next line.
pub struct ServerExchange {
    state: State,
}

/// What the server does next.
pub enum ServerStep {
    /// Send this challenge, base64 already (`334 ` in SMTP, `+ ` in IMAP and POP3), and hand the client's line to
    /// [`ServerExchange::respond`].
    Challenge(String, ServerExchange),
    /// The client has said all; now it must be checked.
    Done(Credentials),
}

enum State {
    /// Waits for the one message of the mechanism.
    Message(Mechanism),
    LoginUserName,
    LoginPassword {
        user_name: String,
    },
}

impl ServerExchange {
    /// Starts the exchange. `initial` is the initial response, decoded, if the client sent one.
    pub fn start(mechanism: Mechanism, initial: Option<SecretBytes>) -> Result<ServerStep, SaslError> {
        let state = match mechanism {
            Mechanism::Login => State::LoginUserName,
            Mechanism::Plain | Mechanism::XOAuth2 | Mechanism::OAuthBearer => State::Message(mechanism),
        };
        match initial {
            Some(response) => Self { state }.take(response),
            None => Ok(Self { state }.ask()),
        }
    }

    /// Takes the client's line, without its CRLF.
    pub fn respond(self, line: &[u8]) -> Result<ServerStep, SaslError> {
        if line.len() + 2 > AUTH_LINE {
            return Err(SaslError::TooLong);
        }
        // RFC 4954 §4: a single `*` cancels.
        if line == b"*" {
            return Err(SaslError::Cancelled);
        }
        self.take(base64::decode(line).ok_or(SaslError::NotBase64)?)
    }

    fn ask(self) -> ServerStep {
        // What clients expect to be asked, although no standard says so: `Username:` and `Password:`.
        let prompt = match &self.state {
            State::Message(_) => "",
            State::LoginUserName => "VXNlcm5hbWU6",
            State::LoginPassword { .. } => "UGFzc3dvcmQ6",
        };
        ServerStep::Challenge(prompt.to_owned(), self)
    }

    fn take(self, response: SecretBytes) -> Result<ServerStep, SaslError> {
        match self.state {
            State::Message(Mechanism::XOAuth2) => {
                bearer::parse_xoauth2(response.reveal()).map(ServerStep::Done)
            }
            State::Message(Mechanism::OAuthBearer) => {
                bearer::parse_oauthbearer(response.reveal()).map(ServerStep::Done)
            }
            State::Message(Mechanism::Plain | Mechanism::Login) => {
                plain::parse(response.reveal()).map(ServerStep::Done)
            }
            State::LoginUserName => {
                let user_name = field(response.reveal())?.to_owned();
                Ok(Self { state: State::LoginPassword { user_name } }.ask())
            }
            State::LoginPassword { user_name } => {
                let secret = Secret::Password(secret_field(response)?);
                Ok(ServerStep::Done(Credentials { authorization_id: None, user_name, secret }))
            }
        }
    }

    /// The challenge that tells the client of a bearer mechanism why it was refused, in base64. The client answers it with
    /// one line, whatever is on it, and only then gets the final refusal (RFC 7628 §3.2.3; Google's XOAUTH2 does the same).
    #[must_use]
    pub fn refusal(mechanism: Mechanism) -> Option<String> {
        let json = match mechanism {
            Mechanism::Plain | Mechanism::Login => return None,
            Mechanism::XOAuth2 => r#"{"status":"401","schemes":"Bearer"}"#,
            Mechanism::OAuthBearer => r#"{"status":"invalid_token"}"#,
        };
        Some(base64::encode(json.as_bytes()).reveal().to_owned())
    }
}
