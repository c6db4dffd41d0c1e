//! A session that is signed in.

use gatepost_core::Phase;
use gatepost_net::Connection;
use gatepost_wire::message::Sought;
use gatepost_wire::pop3::{Capabilities, Command, DropSize, UniqueId, parse_stat, parse_unique_id};
use tokio::io::AsyncWrite;

use super::dialogue::Dialogue;
use super::expect_ok;
use crate::endpoint::Endpoint;
use crate::error::UpstreamError;

/// The most messages of one mailbox whose ids are read.
const MESSAGES: u64 = 1_000_000;
/// The longest header that is read, in octets.
const HEADER_BYTES: u64 = 256 * 1024;
/// How many of the newest messages are looked through.
const LOOKED_THROUGH: u64 = 50;

/// A signed-in session: the mailbox is this session's alone until it ends. It serves one credential and is never handed on
/// (MP-7).
///
/// After an error other than [`UpstreamError::Refused`] it is of no use; drop it, and nothing is deleted.
pub struct Pop3Session {
    dialogue: Dialogue,
    endpoint: Endpoint,
    capabilities: Capabilities,
}

impl Pop3Session {
    pub(super) const fn new(dialogue: Dialogue, endpoint: Endpoint, capabilities: Capabilities) -> Self {
        Self { dialogue, endpoint, capabilities }
    }

    /// What the server can do, asked again after signing in.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The connection, for whoever passes on what is said over it.
    #[must_use]
    pub fn into_connection(self) -> Connection {
        self.dialogue.channel.connection
    }

    /// The server.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// TLS version and cipher suite; none if the account has no encryption.
    #[must_use]
    pub fn tls_description(&self) -> Option<String> {
        self.dialogue.channel.connection.tls_description()
    }

    /// How many messages there are.
    pub async fn stat(&mut self) -> Result<DropSize, UpstreamError> {
        let reply = self.ask(&Command::Stat).await?;
        parse_stat(&reply)
            .map_err(|source| UpstreamError::Protocol { phase: Phase::Mailbox, source: source.into() })
    }

    /// Gives number and unique id of each message to `each`, one after the other.
    pub async fn unique_ids(&mut self, mut each: impl FnMut(u64, UniqueId)) -> Result<(), UpstreamError> {
        self.ask(&Command::Uidl(None)).await?;
        self.dialogue
            .listing(Phase::Mailbox, MESSAGES, |line| {
                parse_unique_id(line).map(|(message, id)| each(message, id))
            })
            .await
    }

    /// The header of a message.
    pub async fn header(&mut self, message: u64) -> Result<Vec<u8>, UpstreamError> {
        self.ask(&Command::Top { message, lines: 0 }).await?;
        let mut header = Vec::new();
        self.dialogue.text(HEADER_BYTES, &mut header).await?;
        Ok(header)
    }

    /// A whole message into `sink`, at most so many octets; gives how many there were. What `sink` got counts only once
    /// this has come to a good end.
    pub async fn retrieve(
        &mut self,
        message: u64,
        at_most: u64,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, UpstreamError> {
        self.ask(&Command::Retr(message)).await?;
        self.dialogue.text(at_most, sink).await
    }

    /// The number of the message that is looked for, if it is one of the newest 50.
    pub async fn find(&mut self, sought: &Sought) -> Result<Option<u64>, UpstreamError> {
        let n_messages = self.stat().await?.n_messages;
        let oldest = n_messages.saturating_sub(LOOKED_THROUGH) + 1;
        for message in (oldest..=n_messages).rev() {
            if sought.is_in(&self.header(message).await?) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// Marks a message; [`Pop3Session::quit`] deletes what is marked (MP-9).
    pub async fn delete(&mut self, message: u64) -> Result<(), UpstreamError> {
        self.ask(&Command::Dele(message)).await.map(drop)
    }

    /// Deletes what was marked, and ends the session.
    pub async fn quit(self) -> Result<(), UpstreamError> {
        self.dialogue.quit().await
    }

    /// The text of a good answer.
    async fn ask(&mut self, command: &Command) -> Result<Vec<u8>, UpstreamError> {
        let reply = self.dialogue.command(command, Phase::Mailbox).await?;
        Ok(expect_ok(reply, Phase::Mailbox)?.text().to_vec())
    }
}
