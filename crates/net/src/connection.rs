//! One connection, with or without TLS.

mod line;
mod pace;
mod passing;
mod read_ahead;
mod start_tls;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroize;

pub use line::{Line, LineEnd};
pub use pace::Pace;
pub use start_tls::StartTlsError;
use stream::Stream;

/// Most that is read at once, and the largest the input buffer gets unless a caller asks for longer lines.
const READ_BYTES: usize = 16 * 1024;

/// How long [`Connection::close`] waits for the peer to close too.
const LINGER_FOR: Duration = Duration::from_secs(2);

/// Most that is read and thrown away while closing.
const LINGER_BYTES: usize = 256 * 1024;

/// A connection that reads lines and bytes, and writes in one piece what was queued.
///
/// Its buffers exist only while bytes are in them, so that an idle connection costs little. Every wait has a deadline. After
/// an error other than an over-long line, nothing more can be expected of it; drop it.
pub struct Connection {
    stream: Stream,
    input: Vec<u8>,
    /// Bytes of `input` before this were consumed.
    start: usize,
    output: Vec<u8>,
    /// A write failed or was cancelled half-way: what follows would land in the middle of something.
    is_output_torn: bool,
    /// Something was passed on to it: whoever did that, and nobody else, knows where a line begins.
    has_passed_on: bool,
    /// Its first bytes are still to come, and have to be text.
    expects_text: bool,
    peer: SocketAddr,
    local: SocketAddr,
}

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The peer ended the connection properly: FIN, or close_notify under TLS.
    #[error("the other side closed the connection")]
    Closed,
    /// The connection ended without close_notify. Someone may have cut it: what came last must not count (SS-6).
    #[error("the encrypted connection was cut off")]
    Truncated,
    /// Nothing came in time.
    #[error("the other side sent nothing in time")]
    TimedOut,
    /// A line is longer than it may be.
    #[error("a line is longer than {limit} bytes")]
    LineTooLong {
        /// How long it may be, without its end.
        limit: usize,
    },
    /// The first bytes are those of a TLS handshake, at a door where a session starts in the clear.
    #[error("the client began TLS on a port for STARTTLS")]
    BeganTls,
    /// A line ended with LF alone where CRLF is demanded. The line has been taken out of the buffer.
    #[error("a line ended with LF alone")]
    BareLineFeed,
    /// The system or the TLS layer failed.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
}

/// Why nothing could be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The peer took nothing in time.
    #[error("the other side took nothing in time")]
    TimedOut,
    /// The peer is gone, or the system failed.
    #[error("the connection broke")]
    Broken(#[source] io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        // rustls says UnexpectedEof where TLS ends without close_notify; plain TCP never does.
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Broken(error) }
    }
}

impl Connection {
    /// A connection over this socket, without TLS yet.
    pub fn from_tcp(socket: TcpStream) -> io::Result<Self> {
        // Nagle's algorithm and delayed acknowledgement together cost 40 ms a letter.
        socket.set_nodelay(true)?;
        let (peer, local) = (socket.peer_addr()?, socket.local_addr()?);
        Ok(Self {
            stream: Stream::Plain(socket),
            input: Vec::new(),
            start: 0,
            output: Vec::new(),
            is_output_torn: false,
            has_passed_on: false,
            expects_text: false,
            peer,
            local,
        })
    }

    /// The other end; behind a trusted proxy, the client's address as the proxy gave it.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// This end.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    pub(crate) const fn set_peer(&mut self, peer: SocketAddr) {
        self.peer = peer;
    }

    /// From now on it is [`ReadError::BeganTls`] if a TLS handshake comes first.
    pub(crate) const fn expect_text(&mut self) {
        self.expects_text = true;
    }

    /// Whether TLS protects it.
    #[must_use]
    pub const fn is_encrypted(&self) -> bool {
        self.stream.is_encrypted()
    }

    /// TLS version and cipher suite, such as `TLSv1.3 TLS13_AES_256_GCM_SHA384`, for logs and trace headers.
    #[must_use]
    pub fn tls_description(&self) -> Option<String> {
        self.stream.tls_description()
    }

    /// The TLS version in words, such as `TLS 1.3`, for people.
    #[must_use]
    pub fn tls_version(&self) -> Option<&'static str> {
        self.stream.tls_version()
    }

    /// Bytes that have arrived and not been consumed.
    #[must_use]
    pub fn buffered(&self) -> &[u8] {
        self.input.get(self.start..).unwrap_or_default()
    }

    /// Takes all bytes that have arrived.
    pub fn take_buffered(&mut self) -> Vec<u8> {
        let taken = self.input.split_off(self.start);
        self.consume(0);
        taken
    }

    /// Whether the peer has sent something that nobody asked for yet: in our buffer, or in the system's. Does not wait.
    pub fn has_input_waiting(&mut self) -> bool {
        !self.buffered().is_empty() || matches!(self.peek(), Poll::Ready(Ok(n)) if n > 0)
    }

    /// Whether the peer is there and says nothing, as far as is known here. Does not wait.
    pub fn is_quiet(&mut self) -> bool {
        self.buffered().is_empty() && self.peek().is_pending()
    }

    /// Reads what has arrived into the buffer, without waiting.
    fn peek(&mut self) -> Poll<io::Result<usize>> {
        let mut context = Context::from_waker(Waker::noop());
        self.stream.poll_read_into(&mut context, &mut self.input, READ_BYTES)
    }

    /// What is buffered; if nothing is, waits for some. Use with [`Connection::consume`].
    pub async fn fill(&mut self, deadline: Instant) -> Result<&[u8], ReadError> {
        if self.buffered().is_empty() {
            self.fill_more(deadline).await?;
        }
        Ok(self.buffered())
    }

    /// Waits for more bytes behind those that are buffered.
    pub async fn fill_more(&mut self, deadline: Instant) -> Result<&[u8], ReadError> {
        self.compact();
        let read = timeout_at(deadline, self.stream.read_into(&mut self.input, READ_BYTES))
            .await
            .map_err(|_elapsed| ReadError::TimedOut)??;
        if read == 0 {
            return Err(ReadError::Closed);
        }
        // A record of a handshake (RFC 8446 §5.1): no line of these protocols begins so.
        if self.expects_text && self.buffered().len() >= 2 {
            self.expects_text = false;
            if self.buffered().starts_with(&[22, 3]) {
                return Err(ReadError::BeganTls);
            }
        }
        Ok(self.buffered())
    }

    /// Marks the first `n` buffered bytes as used. An empty buffer is given back to the system.
    pub fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.input.len());
        if self.start == self.input.len() {
            self.input = Vec::new();
            self.start = 0;
        }
    }

    /// Moves what is left to the front, so that the buffer does not creep.
    fn compact(&mut self) {
        if self.start > 0 {
            self.input.drain(..self.start);
            self.start = 0;
        }
    }

    /// Puts bytes behind those that wait to be written; several replies then leave in one segment.
    pub fn queue(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// How many bytes wait to be written.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.output.len()
    }

    /// Writes what was queued. The buffer is wiped, because it may have held a credential, and given back.
    pub async fn flush(&mut self, deadline: Instant) -> Result<(), WriteError> {
        let mut output = std::mem::take(&mut self.output);
        let result = self.write_out(&[&output], deadline).await;
        output.as_mut_slice().zeroize();
        result
    }

    /// Writes what was queued and then `bytes`, such as a piece of a body, without copying the latter.
    pub async fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), WriteError> {
        /// Below this, one copy is cheaper than one segment more.
        const SMALL: usize = 1024;
        if bytes.len() <= SMALL {
            self.queue(bytes);
            return self.flush(deadline).await;
        }
        let mut output = std::mem::take(&mut self.output);
        let result = self.write_out(&[&output, bytes], deadline).await;
        output.as_mut_slice().zeroize();
        result
    }

    async fn write_out(&mut self, pieces: &[&[u8]], deadline: Instant) -> Result<(), WriteError> {
        // A future that is dropped half-way leaves this set.
        self.is_output_torn = true;
        let writing = async {
            for piece in pieces {
                self.stream.write_all(piece).await?;
            }
            self.stream.flush().await
        };
        timeout_at(deadline, writing)
            .await
            .map_err(|_elapsed| WriteError::TimedOut)?
            .map_err(WriteError::Broken)?;
        self.is_output_torn = false;
        Ok(())
    }

    /// Says `farewell`, unless a write was torn, and closes. For a session that has to end at any point.
    pub async fn part(&mut self, farewell: &[u8]) {
        if !self.is_output_torn {
            self.queue(farewell);
            self.close(Instant::now() + LINGER_FOR).await;
        }
    }

    /// Whether words of ours might land in the middle of something that was passed on.
    pub(crate) const fn has_passed_on(&self) -> bool {
        self.has_passed_on
    }

    /// Ends the connection without a word, as a fault of the line would: nothing queued is sent, and TLS is not closed.
    pub fn cut(&mut self) {
        self.stream = Stream::Gone;
        self.output.zeroize();
        self.is_output_torn = true;
    }

    /// Writes what was queued, says close_notify and FIN, and waits a little for the peer to close too.
    ///
    /// Without that wait, bytes the peer has sent and nobody read would make the system answer with a reset, which can
    /// destroy the last reply before the peer has seen it.
    pub async fn close(&mut self, deadline: Instant) {
        let deadline = deadline.min(Instant::now() + LINGER_FOR);
        let closing = async {
            if self.flush(deadline).await.is_err() || self.stream.shutdown().await.is_err() {
                return;
            }
            self.consume(usize::MAX / 2);
            let mut seen = 0;
            while seen < LINGER_BYTES {
                match self.fill_more(deadline).await {
                    Ok(bytes) => seen += bytes.len(),
                    Err(_) => return,
                }
                self.consume(usize::MAX / 2);
            }
        };
        // Nothing depends on how it ends.
        let _elapsed = timeout_at(deadline, closing).await;
    }
}

impl Drop for Connection {
    /// What was typed may have been a credential (VA-6).
    fn drop(&mut self) {
        self.input.as_mut_slice().zeroize();
        self.output.as_mut_slice().zeroize();
    }
}

#[cfg(test)]
mod tests;
