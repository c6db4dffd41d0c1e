//! Commands out, replies in.

use std::time::Duration;

use gatepost_core::Phase;
use gatepost_net::{ClientTls, Connection, LineEnd};
use gatepost_wire::smtp::{Command, REPLY_LINE, Reply, ReplyParser};
use zeroize::Zeroizing;

use super::within;
use crate::deadlines::Deadlines;
use crate::endpoint::Endpoint;
use crate::error::UpstreamError;

/// One connection and its patience.
pub(super) struct Dialogue {
    pub(super) connection: Connection,
    pub(super) deadlines: Deadlines,
    parser: ReplyParser,
}

impl Dialogue {
    pub(super) fn new(connection: Connection, deadlines: Deadlines) -> Self {
        Self { connection, deadlines, parser: ReplyParser::new() }
    }

    /// Turns TLS on; the certificate must verify for the endpoint's host (SC-2).
    pub(super) async fn encrypt(
        &mut self,
        tls: &ClientTls,
        endpoint: &Endpoint,
    ) -> Result<(), UpstreamError> {
        self.connection
            .start_tls_client(tls, &endpoint.host, within(self.deadlines.handshake))
            .await
            .map_err(|error| UpstreamError::from_tls(error, endpoint))
    }

    /// One command and the reply to it.
    pub(super) async fn command(&mut self, command: &Command, phase: Phase) -> Result<Reply, UpstreamError> {
        // Wiped, because an AUTH command holds a secret.
        let mut line = Zeroizing::new(Vec::new());
        command.write_to(&mut line);
        self.send(&line, phase).await?;
        self.read_reply(phase, self.deadlines.command).await
    }

    /// Writes whole commands in one piece.
    pub(super) async fn send(&mut self, bytes: &[u8], phase: Phase) -> Result<(), UpstreamError> {
        self.connection.queue(bytes);
        self.connection
            .flush(within(self.deadlines.block))
            .await
            .map_err(|error| UpstreamError::from_write(error, phase))
    }

    /// The next reply, all its lines within one span and within the limits of SC-6.
    pub(super) async fn read_reply(&mut self, phase: Phase, span: Duration) -> Result<Reply, UpstreamError> {
        let deadline = within(span);
        loop {
            // Servers that end replies with LF alone exist and harm nobody: a reply is data, not a message.
            let line = self
                .connection
                .read_line(REPLY_LINE - 2, LineEnd::CrlfOrLf, deadline)
                .await
                .map_err(|error| UpstreamError::from_read(error, phase))?;
            let parsed =
                self.parser.push(&line).map_err(|source| UpstreamError::Protocol { phase, source })?;
            if let Some(reply) = parsed {
                return Ok(reply);
            }
        }
    }

    /// Says goodbye as RFC 5321 §4.1.1.10 wants it, and closes whatever the server answers.
    pub(super) async fn quit(mut self) {
        let deadline = within(self.deadlines.quit);
        let mut line = Vec::new();
        Command::Quit.write_to(&mut line);
        self.connection.queue(&line);
        if self.connection.flush(deadline).await.is_ok() {
            let _reply = self.read_reply(Phase::Upkeep, self.deadlines.quit).await;
            self.connection.close(deadline).await;
        }
    }
}
