//! Commands out, replies in.

use std::time::Duration;

use gatepost_core::Phase;
use gatepost_net::LineEnd;
use gatepost_wire::smtp::{Command, REPLY_LINE, Reply, ReplyError, ReplyParser};
use zeroize::Zeroizing;

use crate::channel::{Channel, Garbled, within};
use crate::error::{NotTheProtocol, UpstreamError};
use crate::scrub::Scrub;

const GARBLED: Garbled = Garbled {
    too_long: NotTheProtocol::Smtp(ReplyError::TooLong),
    bare_line_feed: NotTheProtocol::Smtp(ReplyError::NotAReply),
};

/// One connection on which SMTP is spoken.
pub(super) struct Dialogue {
    pub(super) channel: Channel,
    parser: ReplyParser,
    /// Taken out of all replies.
    pub(super) scrub: Scrub,
}

impl Dialogue {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, parser: ReplyParser::new(), scrub: Scrub::default() }
    }

    /// One command and the reply to it.
    pub(super) async fn command(&mut self, command: &Command, phase: Phase) -> Result<Reply, UpstreamError> {
        // Wiped, because an AUTH command holds a secret.
        let mut line = Zeroizing::new(Vec::new());
        command.write_to(&mut line);
        if let Command::Auth { .. } = command {
            self.scrub.add_line(&line);
        }
        self.channel.send(&line, phase).await?;
        self.read_reply(phase, self.channel.deadlines.command).await
    }

    /// The next reply, all its lines within one span and within the limits of SC-6.
    pub(super) async fn read_reply(&mut self, phase: Phase, span: Duration) -> Result<Reply, UpstreamError> {
        let until = (phase, within(span));
        loop {
            // Servers that end replies with LF alone exist and harm nobody: a reply is data, not a message.
            let line = self.channel.line(REPLY_LINE, LineEnd::CrlfOrLf, until, &GARBLED).await?;
            let parsed = self
                .parser
                .push(&line)
                .map_err(|source| UpstreamError::Protocol { phase, source: source.into() })?;
            if let Some(reply) = parsed {
                return Ok(Reply { raw: self.scrub.clean(reply.raw), ..reply });
            }
        }
    }

    /// Says goodbye as RFC 5321 §4.1.1.10 wants it, and closes whatever the server answers.
    pub(super) async fn quit(mut self) {
        let patience = self.channel.deadlines.quit;
        let deadline = within(patience);
        let mut line = Vec::new();
        Command::Quit.write_to(&mut line);
        self.channel.connection.queue(&line);
        if self.channel.connection.flush(deadline).await.is_ok() {
            let _reply = self.read_reply(Phase::Upkeep, patience).await;
            self.channel.connection.close(deadline).await;
        }
    }
}
