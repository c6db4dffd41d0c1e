//! SMTP submission, as its client (RFC 6409).

mod dialogue;
mod session;
mod sign_in;

use gatepost_core::{Domain, Phase, TlsMode};
use gatepost_net::{ClientTls, Dialer};
use gatepost_wire::smtp::{Capabilities, ClientName, Command, Reply, ReplyClass};

pub use crate::sign_in::{Credential, SignIn};
pub use session::SmtpSession;

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
    capabilities: Capabilities,
}

impl Greeted {
    /// Connects and goes as far as EHLO. `own_name` is what we call ourselves: our host name or address literal
    /// (RFC 5321 §4.1.1.1).
    pub async fn connect(
        dialer: &Dialer,
        tls: &ClientTls,
        endpoint: &Endpoint,
        own_name: &Domain,
        deadlines: &Deadlines,
    ) -> Result<Self, UpstreamError> {
        let way = Way { dialer, tls, deadlines, reached: &mut |_| {} };
        Self::connect_by(way, endpoint, own_name).await
    }

    /// The same, for whoever wants to see how far it has come.
    pub async fn connect_by(
        mut way: Way<'_>,
        endpoint: &Endpoint,
        own_name: &Domain,
    ) -> Result<Self, UpstreamError> {
        let mut dialogue = Dialogue::new(Channel::open(&mut way, endpoint).await?);
        let greeting = dialogue.read_reply(Phase::Greeting, way.deadlines.greeting).await?;
        expect(greeting, 220, Phase::Greeting)?;
        let mut capabilities = hello(&mut dialogue, own_name).await?;
        (way.reached)(Milestone::Greeted);
        if endpoint.tls == TlsMode::StartTls {
            if !capabilities.starttls {
                return Err(UpstreamError::StartTlsMissing { endpoint: endpoint.clone() });
            }
            let reply = dialogue.command(&Command::StartTls, Phase::StartTls).await?;
            expect(reply, 220, Phase::StartTls)?;
            dialogue.channel.encrypt(&mut way, endpoint).await?;
            // RFC 3207 §4.2: what was said before is forgotten, because anyone may have said it (SC-3).
            capabilities = hello(&mut dialogue, own_name).await?;
        }
        Ok(Self { dialogue, endpoint: endpoint.clone(), capabilities })
    }

    /// What the server can do, as it said inside TLS.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Ends the session without signing in, for a check that ends here.
    pub async fn quit(self) {
        self.dialogue.quit().await;
    }
}

async fn hello(dialogue: &mut Dialogue, own_name: &Domain) -> Result<Capabilities, UpstreamError> {
    let reply = dialogue.command(&Command::Ehlo(ClientName::ours(own_name)), Phase::Hello).await?;
    // There is no falling back to HELO: a server without extensions has no way to sign in.
    let reply = expect(reply, 250, Phase::Hello)?;
    Ok(Capabilities::from_reply(&reply))
}

/// The reply, if it says what it must say for the session to go on.
fn expect(reply: Reply, code: u16, phase: Phase) -> Result<Reply, UpstreamError> {
    match reply.class() {
        ReplyClass::Completed if reply.code == code => Ok(reply),
        _ => Err(UpstreamError::Refused { phase, reply: reply.into() }),
    }
}

#[cfg(test)]
mod tests;
