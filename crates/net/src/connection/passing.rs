//! Bytes on their way from one connection to another, without waiting on one of them alone.
//!
//! The futures of [`Connection`] hold it until they are done. Whoever passes bytes both ways has to wait for four things at once, so
//! these are polled. Bytes go out from where TLS has decrypted them; our own buffer takes part only where a caller wants to see more
//! than has come at once.

use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::sockopt;

use super::{Connection, READ_BYTES, ReadError, WriteError};

/// What TLS may keep that the system has not taken: a record (RFC 8446 §5.1).
const UNSENT_BYTES: usize = 16 * 1024;

impl Connection {
    /// From now on little is held of what a slow peer does not take (MP-5).
    pub fn hold_little(&mut self) {
        self.stream.limit_unsent(UNSENT_BYTES);
    }

    /// From now on a peer that is gone without a word is found within about this time: asked after half of it, and given up where what
    /// was sent is not acknowledged (MP-11).
    pub fn find_dead_peer(&self, within: Duration) -> io::Result<()> {
        /// Questions before a silent peer counts as gone.
        const PROBES: u32 = 4;
        let Some(socket) = self.stream.socket() else { return Ok(()) };
        sockopt::set_tcp_keepidle(socket, within / 2)?;
        sockopt::set_tcp_keepintvl(socket, within / (2 * PROBES))?;
        sockopt::set_tcp_keepcnt(socket, PROBES)?;
        sockopt::set_socket_keepalive(socket, true)?;
        // Probes are not sent while something is unacknowledged.
        let milliseconds = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
        sockopt::set_tcp_user_timeout(socket, milliseconds)?;
        Ok(())
    }

    /// What has come and was not used up; waits for some if nothing is there. Used up with [`Self::use_up`].
    pub fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<Result<&[u8], ReadError>> {
        if self.buffered().is_empty() && self.stream.is_encrypted() {
            return match ready!(self.stream.poll_decrypted(context)) {
                Ok(Some([])) => Poll::Ready(Err(ReadError::Closed)),
                Ok(Some(bytes)) => Poll::Ready(Ok(bytes)),
                Ok(None) => Poll::Ready(Ok(&[])),
                Err(error) => Poll::Ready(Err(error.into())),
            };
        }
        if self.buffered().is_empty() {
            ready!(self.poll_more_input(context))?;
        }
        Poll::Ready(Ok(self.buffered()))
    }

    /// Waits for more behind what is there already.
    pub fn poll_more_input(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ReadError>> {
        self.compact();
        match ready!(self.stream.poll_read_into(context, &mut self.input, READ_BYTES)) {
            Ok(0) => Poll::Ready(Err(ReadError::Closed)),
            Ok(_) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    /// The first `n` bytes of what [`Self::poll_input`] gave are done with.
    pub fn use_up(&mut self, n: usize) {
        if self.buffered().is_empty() { self.stream.consume_decrypted(n) } else { self.consume(n) }
    }

    /// Hands over as much as goes at once, and tells how much. [`Self::poll_sent`] sees it off.
    pub fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, WriteError>> {
        // Whoever ends the session now must say nothing that would land in the middle of this.
        (self.is_output_torn, self.has_passed_on) = (true, true);
        self.stream.poll_write(context, bytes).map_err(WriteError::Broken)
    }

    /// Waits until everything that was handed over has left. Nothing is torn then.
    pub fn poll_sent(&mut self, context: &mut Context<'_>) -> Poll<Result<(), WriteError>> {
        ready!(self.stream.poll_flush(context)).map_err(WriteError::Broken)?;
        self.is_output_torn = false;
        Poll::Ready(Ok(()))
    }
}
