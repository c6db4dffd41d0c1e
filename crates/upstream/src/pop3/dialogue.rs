//! Commands out, replies in.

use std::time::Duration;

use gatepost_core::Phase;
use gatepost_net::LineEnd;
use gatepost_wire::pop3::{
    Capabilities, Command, DataProgress, DataReader, LISTING_LINE, LineEnds, REPLY_LINE, Reply, ReplyError,
    ReplyKind, unstuff,
};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

use super::expect_ok;
use crate::channel::{Channel, Garbled, within};
use crate::error::{NotTheProtocol, UpstreamError};
use crate::scrub::Scrub;

const GARBLED: Garbled = Garbled {
    too_long: NotTheProtocol::Pop3(ReplyError::TooLong),
    bare_line_feed: NotTheProtocol::Pop3(ReplyError::BareLineFeed),
};

/// The most lines of CAPA that are read.
const CAPABILITY_LINES: u64 = 100;

/// One connection on which POP3 is spoken.
pub(super) struct Dialogue {
    pub(super) channel: Channel,
    /// Taken out of all status lines.
    pub(super) scrub: Scrub,
}

impl Dialogue {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, scrub: Scrub::default() }
    }

    /// One command and the first line of the reply to it.
    pub(super) async fn command(&mut self, command: &Command, phase: Phase) -> Result<Reply, UpstreamError> {
        // Wiped, because PASS holds a secret.
        let mut line = Zeroizing::new(Vec::new());
        command.write_to(&mut line);
        self.channel.send(&line, phase).await?;
        self.read_reply(phase, self.channel.deadlines.command).await
    }

    /// The next status line.
    pub(super) async fn read_reply(&mut self, phase: Phase, span: Duration) -> Result<Reply, UpstreamError> {
        // Servers that end status lines with LF alone exist and harm nobody.
        let until = (phase, within(span));
        let line = self.channel.line(REPLY_LINE, LineEnd::CrlfOrLf, until, &GARBLED).await?;
        let reply =
            Reply::parse(&line).map_err(|source| UpstreamError::Protocol { phase, source: source.into() })?;
        Ok(Reply { raw: self.scrub.clean(reply.raw), ..reply })
    }

    /// The lines of a listing, of which there may be `at_most`.
    pub(super) async fn listing(
        &mut self,
        phase: Phase,
        at_most: u64,
        mut each: impl FnMut(&[u8]) -> Result<(), ReplyError>,
    ) -> Result<(), UpstreamError> {
        let garbled = |source: ReplyError| UpstreamError::Protocol { phase, source: source.into() };
        let pace = self.channel.deadlines.pace();
        let (mut n_lines, mut n_bytes) = (0, 0);
        loop {
            // CRLF alone here: a listing or a message must not end where others do not see its end (MP-9).
            let until = (phase, pace.deadline(n_bytes));
            let line = self.channel.line(LISTING_LINE, LineEnd::Crlf, until, &GARBLED).await?;
            let Some(content) = unstuff(&line) else { return Ok(()) };
            n_lines += 1;
            if n_lines > at_most {
                return Err(garbled(ReplyError::TooLong));
            }
            n_bytes += line.len() as u64;
            each(content).map_err(garbled)?;
        }
    }

    /// The text of a message into `sink`, at most so many octets; gives how many there were.
    pub(super) async fn text(
        &mut self,
        at_most: u64,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, UpstreamError> {
        let too_large =
            || UpstreamError::Protocol { phase: Phase::Mailbox, source: NotTheProtocol::MessageTooLarge };
        let pace = self.channel.deadlines.pace();
        let mut reader = DataReader::new(LineEnds::Strict);
        let (mut n_read, mut n_kept) = (0_u64, 0_u64);
        let mut piece = Vec::new();
        loop {
            let connection = &mut self.channel.connection;
            let bytes = connection
                .fill(pace.deadline(n_read))
                .await
                .map_err(|error| UpstreamError::from_read(error, Phase::Mailbox, &GARBLED))?;
            piece.clear();
            let progress = reader
                .push(bytes, |slice| piece.extend_from_slice(slice))
                .map_err(|_long_line| too_large())?;
            let n_consumed = match progress {
                DataProgress::More => bytes.len(),
                DataProgress::End { consumed } => consumed,
            };
            connection.consume(n_consumed);
            n_read += n_consumed as u64;
            n_kept += piece.len() as u64;
            if n_kept > at_most {
                return Err(too_large());
            }
            sink.write_all(&piece).await.map_err(UpstreamError::NotKept)?;
            if matches!(progress, DataProgress::End { .. }) {
                return Ok(n_kept);
            }
        }
    }

    /// What the server can do; none if it does not know CAPA (RFC 2449 §5).
    pub(super) async fn capabilities(&mut self, phase: Phase) -> Result<Option<Capabilities>, UpstreamError> {
        if self.command(&Command::Capa, phase).await?.kind != ReplyKind::Ok {
            return Ok(None);
        }
        let mut found = Capabilities::default();
        self.listing(phase, CAPABILITY_LINES, |line| {
            found.add(line);
            Ok(())
        })
        .await?;
        Ok(Some(found))
    }

    /// Says goodbye, which deletes what was marked, and closes.
    pub(super) async fn quit(mut self) -> Result<(), UpstreamError> {
        let reply = self.command(&Command::Quit, Phase::Upkeep).await?;
        self.channel.connection.close(within(self.channel.deadlines.quit)).await;
        expect_ok(reply, Phase::Upkeep).map(drop)
    }
}
