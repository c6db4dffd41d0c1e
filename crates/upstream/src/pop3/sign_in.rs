//! Signing in (RFC 5034, and RFC 1939 §7 for servers that are older).

use gatepost_core::Phase;
use gatepost_wire::pop3::{Argument, Capabilities, Command, Reply, ReplyKind};
use gatepost_wire::sasl::{ClientExchange, Mechanism};
use zeroize::Zeroizing;

use super::{Greeted, Pop3Session};
use crate::error::UpstreamError;
use crate::sign_in::SignIn;

impl Greeted {
    /// Signs in. The credential goes to this server alone, inside the TLS that was verified for its name (SC-4).
    pub async fn sign_in(mut self, sign_in: &SignIn) -> Result<Pop3Session, UpstreamError> {
        self.dialogue.scrub.add(sign_in.secret());
        let can = self.capabilities.as_ref();
        let offered = sign_in.exchange(&self.endpoint, |it| can.is_some_and(|can| can.offers(it)));
        let (reply, about_token) = match offered {
            Some((mechanism, exchange)) => self.with_sasl(mechanism, exchange).await?,
            None => (self.with_user_and_pass(sign_in).await?, None),
        };
        if reply.kind != ReplyKind::Ok {
            return Err(UpstreamError::SignInRefused { reply: reply.into(), about_token });
        }
        let capabilities = self.dialogue.capabilities(Phase::Upkeep).await?;
        Ok(Pop3Session::new(self.dialogue, self.endpoint, capabilities.unwrap_or_default()))
    }

    /// The answer, and what was said of a token before it.
    async fn with_sasl(
        &mut self,
        mechanism: Mechanism,
        mut exchange: ClientExchange,
    ) -> Result<(Reply, Option<Vec<u8>>), UpstreamError> {
        // Never with an initial response: Microsoft's server takes tokens in two lines alone, and RFC 5034 §4 lets every
        // client begin so.
        let first = Command::Auth { mechanism: mechanism.name().to_owned(), initial: None };
        let mut reply = self.dialogue.command(&first, Phase::Auth).await?;
        // Ends by itself: an exchange answers three challenges at most.
        while reply.kind == ReplyKind::Continue {
            let answer = exchange.answer(reply.text()).map_err(UpstreamError::Challenge)?;
            let line = Zeroizing::new([answer.reveal().as_bytes(), b"\r\n"].concat());
            self.dialogue.scrub.add_line(&line);
            self.dialogue.channel.send(&line, Phase::Auth).await?;
            let patience = self.dialogue.channel.deadlines.command;
            reply = self.dialogue.read_reply(Phase::Auth, patience).await?;
        }
        Ok((reply, exchange.refusal().map(|it| self.dialogue.scrub.clean(it.to_vec()))))
    }

    async fn with_user_and_pass(&mut self, sign_in: &SignIn) -> Result<Reply, UpstreamError> {
        let missing = || UpstreamError::SignInMethodMissing { offered: methods(self.capabilities.as_ref()) };
        // A server without CAPA is older than AUTH, and knows nothing else.
        let is_offered = self.capabilities.as_ref().is_none_or(|it| it.user);
        let password = sign_in.password().filter(|_| is_offered).ok_or_else(missing)?;
        let (user, pass) = (Argument::new(&sign_in.user_name), Command::Pass(password.clone()));
        // What would not be one line cannot be said this way.
        let user = user.filter(|_| pass.is_writable()).ok_or_else(missing)?;
        let reply = self.dialogue.command(&Command::User(user), Phase::Auth).await?;
        if reply.kind != ReplyKind::Ok {
            return Ok(reply);
        }
        let reply = self.dialogue.command(&pass, Phase::Auth).await?;
        // Nothing goes on here: asking again would be asking for the password in another way.
        if reply.kind == ReplyKind::Continue {
            return Err(UpstreamError::Refused { phase: Phase::Auth, reply: reply.into() });
        }
        Ok(reply)
    }
}

fn methods(capabilities: Option<&Capabilities>) -> Vec<String> {
    let Some(can) = capabilities else { return Vec::new() };
    let user = can.user.then(|| "USER".to_owned());
    can.sasl.iter().cloned().chain(user).collect()
}
