//! Signing in (RFC 9051 §6.2.2, §6.2.3).

use gatepost_core::Phase;
use gatepost_wire::imap::{Capabilities, ClientCommand, StatusKind};

use super::{Greeted, ImapSession, capabilities_in, capabilities_of};
use crate::error::UpstreamError;
use crate::sign_in::SignIn;

impl Greeted {
    /// Signs in. The credential goes to this server alone, inside the TLS that was verified for its name (SC-4); where the
    /// server would rather have us elsewhere (RFC 2221), its words are only quoted (MP-3). Says who we are afterwards.
    pub async fn sign_in(mut self, sign_in: &SignIn) -> Result<ImapSession, UpstreamError> {
        self.dialogue.scrub.add(sign_in.secret());
        let mut said: Option<Capabilities> = None;
        let mut listen = |response| said = capabilities_in(&response).or(said.take());
        let (status, about_token) = match sign_in.exchange(&self.endpoint, |it| self.capabilities.offers(it))
        {
            Some((mechanism, mut exchange)) => {
                // RFC 4959: only a server that says so takes the first response on the same line.
                let initial =
                    if self.capabilities.has("SASL-IR") { exchange.initial_response() } else { None };
                let command = ClientCommand::Authenticate { mechanism: mechanism.name(), initial };
                let status = self.dialogue.authenticate(&command, &mut exchange, &mut listen).await?;
                (status, exchange.refusal().map(|it| self.dialogue.scrub.clean(it.to_vec())))
            }
            None => {
                let missing =
                    || UpstreamError::SignInMethodMissing { offered: self.capabilities.sign_in_methods() };
                let can = self.capabilities.takes_login();
                let password = sign_in.password().filter(|_| can).ok_or_else(missing)?;
                let command = ClientCommand::Login { user_name: &sign_in.user_name, password };
                match self.dialogue.done(&command, Phase::Auth, &mut listen).await {
                    Ok(status) => (status, None),
                    Err(UpstreamError::NotSayable) => return Err(missing()),
                    Err(UpstreamError::Refused { reply: crate::Answer::Imap(status), .. })
                        if status.tag.is_some() =>
                    {
                        (*status, None)
                    }
                    Err(other) => return Err(other),
                }
            }
        };
        if status.kind != StatusKind::Ok {
            return Err(UpstreamError::SignInRefused { reply: status.into(), about_token });
        }
        let capabilities = match capabilities_of(&status).or(said) {
            Some(found) => found,
            None => self.dialogue.capabilities(Phase::Upkeep).await?,
        };
        let mut session = ImapSession::new(self.dialogue, self.endpoint, capabilities);
        session.introduce().await?;
        Ok(session)
    }
}
