//! Signing in (RFC 4954).

use gatepost_core::{Phase, SecretText};
use gatepost_wire::sasl::{ClientExchange, Credentials, Mechanism, Secret};
use gatepost_wire::smtp::{Capabilities, Command};
use zeroize::Zeroizing;

use super::{Greeted, SmtpSession};
use crate::error::UpstreamError;

/// Who signs in, and with what.
pub struct SignIn {
    /// The account's user name at the provider.
    pub user_name: String,
    /// What proves it.
    pub credential: Credential,
}

/// What proves who somebody is.
pub enum Credential {
    /// A password or the provider's app password.
    Password(SecretText),
    /// An access token.
    Bearer(SecretText),
}

impl Credential {
    /// The mechanisms that carry it, best first. PLAIN before LOGIN, which is older, takes longer and is no standard;
    /// XOAUTH2 before OAUTHBEARER, because every provider with tokens has documented it and some know nothing else.
    const fn mechanisms(&self) -> [Mechanism; 2] {
        match self {
            Self::Password(_) => [Mechanism::Plain, Mechanism::Login],
            Self::Bearer(_) => [Mechanism::XOAuth2, Mechanism::OAuthBearer],
        }
    }

    fn choose(&self, capabilities: &Capabilities) -> Result<Mechanism, UpstreamError> {
        let offered = self.mechanisms().into_iter().find(|mechanism| capabilities.offers(*mechanism));
        offered.ok_or_else(|| UpstreamError::SignInMethodMissing { offered: capabilities.auth.clone() })
    }

    fn secret(&self) -> Secret {
        match self {
            Self::Password(text) => Secret::Password(text.clone()),
            Self::Bearer(text) => Secret::BearerToken(text.clone()),
        }
    }
}

impl Greeted {
    /// Signs in. The credential goes to this server alone, inside the TLS that was verified for its name (SC-4).
    pub async fn sign_in(mut self, sign_in: &SignIn) -> Result<SmtpSession, UpstreamError> {
        let mechanism = sign_in.credential.choose(&self.capabilities)?;
        let credentials = Credentials {
            authorization_id: None,
            user_name: sign_in.user_name.clone(),
            secret: sign_in.credential.secret(),
        };
        let host = self.endpoint.host.to_string();
        let mut exchange = ClientExchange::new(mechanism, credentials, &host, self.endpoint.port);
        let first =
            Command::Auth { mechanism: mechanism.name().to_owned(), initial: exchange.initial_response() };
        let mut reply = self.dialogue.command(&first, Phase::Auth).await?;
        // Ends by itself: an exchange answers two challenges at most.
        while reply.code == 334 {
            let challenge = reply.lines().next().unwrap_or_default();
            let answer = exchange.answer(challenge).map_err(UpstreamError::Challenge)?;
            let line = Zeroizing::new([answer.reveal().as_bytes(), b"\r\n"].concat());
            self.dialogue.send(&line, Phase::Auth).await?;
            reply = self.dialogue.read_reply(Phase::Auth, self.dialogue.deadlines.command).await?;
        }
        if reply.code == 235 {
            return Ok(SmtpSession::new(self.dialogue, self.endpoint, self.capabilities));
        }
        Err(UpstreamError::SignInRefused { reply, about_token: exchange.refusal().map(<[u8]>::to_vec) })
    }
}
