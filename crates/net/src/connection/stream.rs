//! The transport: plain or one of TLS's two sides.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::ProtocolVersion;
use tokio::io::{AsyncBufRead, AsyncWrite as _, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{client, server};
use zeroize::Zeroize;

use super::read_ahead::ReadAhead;

/// What carries the bytes.
pub(super) enum Stream {
    Plain(TcpStream),
    Server(Box<server::TlsStream<ReadAhead>>),
    Client(Box<client::TlsStream<ReadAhead>>),
    /// A handshake failed or was cancelled; the socket is closed.
    Gone,
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the connection was given up")
}

impl Stream {
    pub(super) const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Client(_))
    }

    pub(super) fn tls_version(&self) -> Option<&'static str> {
        let version = match self {
            Self::Server(stream) => stream.get_ref().1.protocol_version()?,
            Self::Client(stream) => stream.get_ref().1.protocol_version()?,
            Self::Plain(_) | Self::Gone => return None,
        };
        Some(match version {
            ProtocolVersion::TLSv1_2 => "TLS 1.2",
            ProtocolVersion::TLSv1_3 => "TLS 1.3",
            _ => "TLS",
        })
    }

    pub(super) fn tls_description(&self) -> Option<String> {
        let (version, suite) = match self {
            Self::Server(stream) => {
                let session = stream.get_ref().1;
                (session.protocol_version()?, session.negotiated_cipher_suite()?)
            }
            Self::Client(stream) => {
                let session = stream.get_ref().1;
                (session.protocol_version()?, session.negotiated_cipher_suite()?)
            }
            Self::Plain(_) | Self::Gone => return None,
        };
        let version = match version {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            ProtocolVersion::TLSv1_3 => "TLSv1.3",
            _ => "TLS",
        };
        Some(format!("{version} {:?}", suite.suite()))
    }

    /// Appends up to `most` bytes to `buffer` and tells how many; zero at the proper end. Memory is taken only once there is
    /// something to read, so that an idle connection has no buffer. Dropping it loses nothing.
    pub(super) async fn read_into(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        poll_fn(|context| self.poll_read_into(context, buffer, most)).await
    }

    pub(super) fn poll_read_into(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => poll_socket(socket, context, buffer, most),
            Self::Server(stream) => poll_tls(Pin::new(&mut **stream), context, buffer, most),
            Self::Client(stream) => poll_tls(Pin::new(&mut **stream), context, buffer, most),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    /// Of what was written, TLS keeps so much at most that the system has not taken.
    pub(super) fn limit_unsent(&mut self, n: usize) {
        match self {
            Self::Server(stream) => stream.get_mut().1.set_buffer_limit(Some(n)),
            Self::Client(stream) => stream.get_mut().1.set_buffer_limit(Some(n)),
            Self::Plain(_) | Self::Gone => {}
        }
    }

    /// The socket; none once it is closed.
    pub(super) fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(socket) => Some(socket),
            Self::Server(stream) => Some(stream.get_ref().0.socket()),
            Self::Client(stream) => Some(stream.get_ref().0.socket()),
            Self::Gone => None,
        }
    }

    /// Bytes of TLS that were decrypted, where they lie; empty at the proper end. For a plain socket there is no such place.
    pub(super) fn poll_decrypted(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Option<&[u8]>>> {
        let decrypted = match self {
            Self::Plain(_) => return Poll::Ready(Ok(None)),
            Self::Server(stream) => ready!(Pin::new(&mut **stream).poll_fill_buf(context)),
            Self::Client(stream) => ready!(Pin::new(&mut **stream).poll_fill_buf(context)),
            Self::Gone => Err(gone()),
        };
        Poll::Ready(decrypted.map(Some))
    }

    /// Uses up what [`Self::poll_decrypted`] showed.
    pub(super) fn consume_decrypted(&mut self, n: usize) {
        match self {
            Self::Server(stream) => Pin::new(&mut **stream).consume(n),
            Self::Client(stream) => Pin::new(&mut **stream).consume(n),
            Self::Plain(_) | Self::Gone => {}
        }
    }

    /// Takes as much as goes at once. What TLS has taken leaves at the next flush at the latest.
    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Server(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
            Self::Client(stream) => Pin::new(&mut **stream).poll_write(context, bytes),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Server(stream) => Pin::new(&mut **stream).poll_flush(context),
            Self::Client(stream) => Pin::new(&mut **stream).poll_flush(context),
            Self::Gone => Poll::Ready(Err(gone())),
        }
    }

    pub(super) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.write_all(bytes).await,
            Self::Server(stream) => stream.write_all(bytes).await,
            Self::Client(stream) => stream.write_all(bytes).await,
            Self::Gone => Err(gone()),
        }
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush().await,
            Self::Server(stream) => stream.flush().await,
            Self::Client(stream) => stream.flush().await,
            Self::Gone => Err(gone()),
        }
    }

    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.shutdown().await,
            Self::Server(stream) => stream.shutdown().await,
            Self::Client(stream) => stream.shutdown().await,
            Self::Gone => Err(gone()),
        }
    }
}

/// TLS keeps what it has decrypted in buffers of its own, so nothing of ours is needed to wait.
fn poll_tls<S: AsyncBufRead>(
    mut stream: Pin<&mut S>,
    context: &mut Context<'_>,
    buffer: &mut Vec<u8>,
    most: usize,
) -> Poll<io::Result<usize>> {
    let ready = ready!(stream.as_mut().poll_fill_buf(context))?;
    let taken = ready.get(..most.min(ready.len())).unwrap_or_default();
    buffer.extend_from_slice(taken);
    let taken = taken.len();
    stream.consume(taken);
    Poll::Ready(Ok(taken))
}

fn poll_socket(
    socket: &TcpStream,
    context: &mut Context<'_>,
    buffer: &mut Vec<u8>,
    most: usize,
) -> Poll<io::Result<usize>> {
    let before = buffer.len();
    loop {
        ready!(socket.poll_read_ready(context))?;
        buffer.reserve(most);
        match socket.try_read_buf(buffer) {
            Ok(_) => break,
            // Readiness may be out of date.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => give_back(buffer),
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    let read = buffer.len() - before;
    // A large body goes through at full speed; a command does not keep 16 KiB.
    if read < most / 4 {
        give_back(buffer);
    }
    Poll::Ready(Ok(read))
}

/// Makes the buffer as small as what it holds. Whatever the allocator does, no copy of a password stays behind.
fn give_back(buffer: &mut Vec<u8>) {
    let mut old = std::mem::take(buffer);
    buffer.extend_from_slice(&old);
    old.as_mut_slice().zeroize();
}
