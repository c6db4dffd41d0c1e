//! The client's side of an exchange.

use gatepost_core::{SecretBytes, SecretText};

use super::{Credentials, Mechanism, SaslError, base64, bearer, plain};

/// An exchange in which we sign in.
pub struct ClientExchange {
    state: State,
    refusal: Option<Vec<u8>>,
}

enum State {
    /// The one message of the mechanism has not been sent.
    Message {
        mechanism: Mechanism,
        message: SecretBytes,
    },
    /// It has; a bearer mechanism may still be told why it is refused.
    Sent(Mechanism),
    LoginUserName(Credentials),
    LoginPassword(Credentials),
}

impl ClientExchange {
    /// Prepares the exchange. `host` and `port` are those of the server; only OAUTHBEARER sends them.
    #[must_use]
    pub fn new(mechanism: Mechanism, credentials: Credentials, host: &str, port: u16) -> Self {
        let message = match mechanism {
            Mechanism::Login => {
                return Self { state: State::LoginUserName(credentials), refusal: None };
            }
            Mechanism::Plain => plain::write(&credentials),
            Mechanism::XOAuth2 => bearer::write_xoauth2(&credentials),
            Mechanism::OAuthBearer => bearer::write_oauthbearer(&credentials, host, port),
        };
        Self { state: State::Message { mechanism, message }, refusal: None }
    }

    /// What goes with the AUTH command. LOGIN sends nothing with it, because some servers cannot read it there. Once taken,
    /// it is not sent again; a server that must be asked first (POP3 at Microsoft) gets it from [`ClientExchange::answer`].
    #[must_use]
    pub fn initial_response(&mut self) -> Option<SecretBytes> {
        let State::Message { mechanism, message } = &self.state else { return None };
        let (mechanism, message) = (*mechanism, message.clone());
        self.state = State::Sent(mechanism);
        Some(message)
    }

    /// Answers a challenge: the text behind `334 `, still in base64. Returns the line to send, without CRLF.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<SecretText, SaslError> {
        let answer = match &self.state {
            State::Message { mechanism, message } => {
                (base64::encode(message.reveal()), State::Sent(*mechanism))
            }
            // By order and not by their text: servers ask `Username:`, `User Name`, or in other words.
            State::LoginUserName(it) => {
                (base64::encode(it.user_name.as_bytes()), State::LoginPassword(it.clone()))
            }
            State::LoginPassword(it) => {
                (base64::encode(it.secret.text().reveal().as_bytes()), State::Sent(Mechanism::Login))
            }
            State::Sent(mechanism @ (Mechanism::XOAuth2 | Mechanism::OAuthBearer))
                if self.refusal.is_none() =>
            {
                let json = base64::decode(challenge);
                self.refusal = Some(json.map_or_else(|| challenge.to_vec(), |it| it.reveal().to_vec()));
                // RFC 7628 §3.2.3: one byte 0x01. Google wants an empty line for XOAUTH2.
                let line = if *mechanism == Mechanism::OAuthBearer { "AQ==" } else { "" };
                (SecretText::new(line.to_owned()), State::Sent(*mechanism))
            }
            State::Sent(_) => return Err(SaslError::UnexpectedChallenge),
        };
        self.state = answer.1;
        Ok(answer.0)
    }

    /// Why a bearer mechanism was refused, in the server's words (JSON, hostile, not escaped), if it said so.
    #[must_use]
    pub fn refusal(&self) -> Option<&[u8]> {
        self.refusal.as_deref()
    }
}
