//! POP3, as its client (RFC 1939).

mod dialogue;
mod session;
mod sign_in;

use gatepost_core::{Phase, TlsMode};
use gatepost_net::{ClientTls, Dialer};
use gatepost_wire::pop3::{Capabilities, Command, Reply, ReplyKind};

pub use session::Pop3Session;

use crate::channel::Channel;
use crate::deadlines::Deadlines;
use crate::endpoint::Endpoint;
use crate::error::UpstreamError;
use crate::way::{Milestone, Way};
use dialogue::Dialogue;

/// A server that has greeted us and said what it can do, inside TLS unless the account has none. Nothing secret was sent.
pub struct Greeted {
    dialogue: Dialogue,
    endpoint: Endpoint,
    /// None: the server does not know CAPA.
    capabilities: Option<Capabilities>,
}

impl Greeted {
    /// Connects and goes as far as CAPA.
    pub async fn connect(
        dialer: &Dialer,
        tls: &ClientTls,
        endpoint: &Endpoint,
        deadlines: &Deadlines,
    ) -> Result<Self, UpstreamError> {
        Self::connect_by(Way { dialer, tls, deadlines, reached: &mut |_| {} }, endpoint).await
    }

    /// The same, for whoever wants to see how far it has come.
    pub async fn connect_by(mut way: Way<'_>, endpoint: &Endpoint) -> Result<Self, UpstreamError> {
        let mut dialogue = Dialogue::new(Channel::open(&mut way, endpoint).await?);
        expect_ok(dialogue.read_reply(Phase::Greeting, way.deadlines.greeting).await?, Phase::Greeting)?;
        let mut capabilities = dialogue.capabilities(Phase::Hello).await?;
        (way.reached)(Milestone::Greeted);
        if endpoint.tls == TlsMode::StartTls {
            if !capabilities.as_ref().is_some_and(|it| it.stls) {
                return Err(UpstreamError::StartTlsMissing { endpoint: endpoint.clone() });
            }
            expect_ok(dialogue.command(&Command::Stls, Phase::StartTls).await?, Phase::StartTls)?;
            dialogue.channel.encrypt(&mut way, endpoint).await?;
            // RFC 2595 §4: what was said before is forgotten, because anyone may have said it (MP-3).
            capabilities = dialogue.capabilities(Phase::Hello).await?;
        }
        Ok(Self { dialogue, endpoint: endpoint.clone(), capabilities })
    }

    /// What the server can do, as it said inside TLS. None if it does not know CAPA.
    #[must_use]
    pub const fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Ends the session without signing in, for a check that ends here.
    pub async fn quit(self) {
        let _nothing_was_changed = self.dialogue.quit().await;
    }
}

/// The reply, if it says what it must say for the session to go on.
fn expect_ok(reply: Reply, phase: Phase) -> Result<Reply, UpstreamError> {
    match reply.kind {
        ReplyKind::Ok => Ok(reply),
        ReplyKind::Error | ReplyKind::Continue => Err(UpstreamError::Refused { phase, reply: reply.into() }),
    }
}

#[cfg(test)]
mod tests;
