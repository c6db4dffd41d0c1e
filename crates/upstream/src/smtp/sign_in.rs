//! Signing in (RFC 4954).

use gatepost_core::Phase;
use gatepost_wire::smtp::Command;
use zeroize::Zeroizing;

use super::{Greeted, SmtpSession};
use crate::error::UpstreamError;
use crate::sign_in::SignIn;

impl Greeted {
    /// Signs in. The credential goes to this server alone, inside the TLS that was verified for its name (SC-4).
    pub async fn sign_in(mut self, sign_in: &SignIn) -> Result<SmtpSession, UpstreamError> {
        let offered = sign_in.exchange(&self.endpoint, |it| self.capabilities.offers(it));
        let (mechanism, mut exchange) = offered
            .ok_or_else(|| UpstreamError::SignInMethodMissing { offered: self.capabilities.auth.clone() })?;
        self.dialogue.scrub.add(sign_in.secret());
        let first =
            Command::Auth { mechanism: mechanism.name().to_owned(), initial: exchange.initial_response() };
        let mut reply = self.dialogue.command(&first, Phase::Auth).await?;
        // Ends by itself: an exchange answers two challenges at most.
        while reply.code == 334 {
            let challenge = reply.lines().next().unwrap_or_default();
            let answer = exchange.answer(challenge).map_err(UpstreamError::Challenge)?;
            let line = Zeroizing::new([answer.reveal().as_bytes(), b"\r\n"].concat());
            self.dialogue.scrub.add_line(&line);
            self.dialogue.channel.send(&line, Phase::Auth).await?;
            let patience = self.dialogue.channel.deadlines.command;
            reply = self.dialogue.read_reply(Phase::Auth, patience).await?;
        }
        if reply.code == 235 {
            return Ok(SmtpSession::new(self.dialogue, self.endpoint, self.capabilities));
        }
        let about_token = exchange.refusal().map(|it| self.dialogue.scrub.clean(it.to_vec()));
        Err(UpstreamError::SignInRefused { reply: reply.into(), about_token })
    }
}
