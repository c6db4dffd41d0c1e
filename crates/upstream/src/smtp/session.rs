//! A session that is signed in.

use std::time::Duration;

use gatepost_core::Phase;
use gatepost_wire::smtp::{Capabilities, Command, Reply};

use super::dialogue::Dialogue;
use crate::channel::within;
use crate::deadlines::Deadlines;
use crate::endpoint::Endpoint;
use crate::error::UpstreamError;

/// A signed-in session, for one transaction after another. While it idles it holds no buffers.
pub struct SmtpSession {
    dialogue: Dialogue,
    endpoint: Endpoint,
    capabilities: Capabilities,
}

impl SmtpSession {
    pub(super) const fn new(dialogue: Dialogue, endpoint: Endpoint, capabilities: Capabilities) -> Self {
        Self { dialogue, endpoint, capabilities }
    }

    /// What the server can do.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The server.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The longest waits.
    #[must_use]
    pub const fn deadlines(&self) -> &Deadlines {
        &self.dialogue.channel.deadlines
    }

    /// TLS version and cipher suite; none if the account has no encryption.
    #[must_use]
    pub fn tls_description(&self) -> Option<String> {
        self.dialogue.channel.connection.tls_description()
    }

    /// Writes `commands` in one piece; with PIPELINING several may go together, and as many replies are to be read.
    pub async fn send_commands(&mut self, commands: &[u8], phase: Phase) -> Result<(), UpstreamError> {
        self.dialogue.channel.send(commands, phase).await
    }

    /// The next reply, whatever it says. `span` is for the whole of it, from [`SmtpSession::deadlines`].
    pub async fn read_reply(&mut self, phase: Phase, span: Duration) -> Result<Reply, UpstreamError> {
        self.dialogue.read_reply(phase, span).await
    }

    /// Writes a block of a message, already in its form on the wire.
    pub async fn write_body(&mut self, block: &[u8]) -> Result<(), UpstreamError> {
        let deadline = within(self.dialogue.channel.deadlines.block);
        let written = self.dialogue.channel.connection.write_all(block, deadline).await;
        written.map_err(|error| UpstreamError::from_write(error, Phase::Message))
    }

    /// Whether the server still waits silently for the next transaction, as far as can be known without asking. One that
    /// has said goodbye or closed meanwhile is of no use, and nothing is lost by not trying it.
    pub fn is_ready(&mut self) -> bool {
        self.dialogue.channel.connection.is_quiet()
    }

    /// Asks whether the server is there.
    pub async fn noop(&mut self) -> Result<Reply, UpstreamError> {
        self.dialogue.command(&Command::Noop, Phase::Upkeep).await
    }

    /// Drops the transaction.
    pub async fn rset(&mut self) -> Result<Reply, UpstreamError> {
        self.dialogue.command(&Command::Rset, Phase::Upkeep).await
    }

    /// Ends the session.
    pub async fn quit(self) {
        self.dialogue.quit().await;
    }
}
