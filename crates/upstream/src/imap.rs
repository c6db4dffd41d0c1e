//! IMAP, as its client (RFC 3501, RFC 9051).

mod dialogue;
mod session;
mod sign_in;

use gatepost_core::{Phase, TlsMode};
use gatepost_net::{ClientTls, Dialer};
use gatepost_wire::imap::{Capabilities, ClientCommand, Response, Status, StatusKind};

pub use session::{Found, ImapSession, OpenFolder};

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
    /// Connects and goes as far as CAPABILITY.
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
        let greeting = dialogue.greeting().await?;
        match greeting.kind {
            StatusKind::Ok => {}
            // RFC 9051 §7.1.4: there would be no STARTTLS any more, and whoever said it may be anybody (MP-3).
            StatusKind::PreAuth => return Err(UpstreamError::PreAuth { endpoint: endpoint.clone() }),
            StatusKind::Bye | StatusKind::No | StatusKind::Bad => {
                return Err(UpstreamError::Refused { phase: Phase::Greeting, reply: greeting.into() });
            }
        }
        let mut capabilities = dialogue.capabilities(Phase::Hello).await?;
        (way.reached)(Milestone::Greeted);
        if endpoint.tls == TlsMode::StartTls {
            if !capabilities.has("STARTTLS") {
                return Err(UpstreamError::StartTlsMissing { endpoint: endpoint.clone() });
            }
            dialogue.done(&ClientCommand::StartTls, Phase::StartTls, |_| {}).await?;
            dialogue.channel.encrypt(&mut way, endpoint).await?;
            // RFC 9051 §6.2.1: what was said before is forgotten, because anyone may have said it (MP-3).
            dialogue.forget();
            capabilities = dialogue.capabilities(Phase::Hello).await?;
        }
        Ok(Self { dialogue, endpoint: endpoint.clone(), capabilities })
    }

    /// What the server can do, as it said inside TLS.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Ends the session without signing in, for a check that ends here.
    pub async fn logout(self) {
        self.dialogue.logout().await;
    }
}

/// The status, if it says that all went well.
fn expect_ok(status: Status, phase: Phase) -> Result<Status, UpstreamError> {
    match status.kind {
        StatusKind::Ok => Ok(status),
        StatusKind::No | StatusKind::Bad | StatusKind::Bye | StatusKind::PreAuth => {
            Err(UpstreamError::Refused { phase, reply: status.into() })
        }
    }
}

/// What the server can do, if a response says it: CAPABILITY, or the code of that name.
fn capabilities_in(response: &Response) -> Option<Capabilities> {
    match response {
        Response::Capability(found) => Some(found.clone()),
        Response::Status(status) => capabilities_of(status),
        _ => None,
    }
}

fn capabilities_of(status: &Status) -> Option<Capabilities> {
    let code = status.code.as_ref().filter(|it| it.name == "CAPABILITY")?;
    Some(Capabilities::parse(&code.argument))
}

#[cfg(test)]
mod tests;
