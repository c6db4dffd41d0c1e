//! Fewer and larger readings from the system below TLS.
//!
//! rustls asks for 4 KiB at a time, however much has come. While a lot comes, more than that is taken from the system at once and
//! handed over in its pieces; as soon as nothing is left, the memory is given back, so that an idle connection has none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// With what rustls holds of records that come and that go, and with what is gathered to go out, 64 KiB (MP-5).
const AHEAD_BYTES: usize = 12 * 1024;

/// What rustls asks for: as long as so much comes at once, there is more.
const MANY_BYTES: usize = 4 * 1024;

/// A socket below TLS.
pub(super) struct ReadAhead {
    socket: TcpStream,
    ahead: Vec<u8>,
    /// Bytes of `ahead` before this were handed over.
    start: usize,
    /// A lot came with the last reading: more is probably there.
    is_busy: bool,
}

impl ReadAhead {
    pub(super) const fn new(socket: TcpStream) -> Self {
        Self { socket, ahead: Vec::new(), start: 0, is_busy: false }
    }

    pub(super) const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Fills `ahead`, or tells that nothing is there.
    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.ahead.clear();
        self.ahead.reserve_exact(AHEAD_BYTES);
        self.start = 0;
        loop {
            if self.socket.poll_read_ready(context)?.is_pending() {
                self.rest();
                return Poll::Pending;
            }
            match self.socket.try_read_buf(&mut self.ahead) {
                Ok(n) => {
                    self.is_busy = n >= MANY_BYTES;
                    return Poll::Ready(Ok(()));
                }
                // Readiness may be out of date.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn rest(&mut self) {
        (self.ahead, self.start, self.is_busy) = (Vec::new(), 0, false);
    }
}

impl AsyncRead for ReadAhead {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.start == this.ahead.len() {
            if !this.is_busy {
                this.rest();
                let n_before = buffer.filled().len();
                ready!(Pin::new(&mut this.socket).poll_read(context, buffer))?;
                this.is_busy = buffer.filled().len() - n_before >= MANY_BYTES;
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_ahead(context))?;
        }
        let ahead = this.ahead.get(this.start..).unwrap_or_default();
        let n = ahead.len().min(buffer.remaining());
        buffer.put_slice(ahead.get(..n).unwrap_or_default());
        this.start += n;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ReadAhead {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, ReadAhead) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (far, near) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (far.unwrap(), ReadAhead::new(near.unwrap().0))
    }

    #[tokio::test]
    async fn what_comes_is_handed_over_in_its_order_whatever_is_asked_for() {
        let said: Vec<u8> = (0..=250).cycle().take(1_000_000).collect();
        for piece in [1_000, 4_096, 100_000] {
            let (mut far, mut near) = pair().await;
            let sent = said.clone();
            let sending = tokio::spawn(async move { far.write_all(&sent).await });
            let mut heard = Vec::new();
            let mut buffer = vec![0; piece];
            loop {
                match near.read(&mut buffer).await.unwrap() {
                    0 => break,
                    n => heard.extend_from_slice(&buffer[..n]),
                }
            }
            assert!(heard == said, "in pieces of {piece}");
            sending.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn memory_is_there_only_while_much_comes() {
        let (mut far, mut near) = pair().await;
        let mut buffer = [0; 4_096];
        // A command: nothing is taken for it.
        far.write_all(b"a NOOP\r\n").await.unwrap();
        assert_eq!(near.read(&mut buffer).await.unwrap(), 8);
        assert_eq!(near.ahead.capacity(), 0);
        // Much: taken, and given back once nothing is left.
        let sending = tokio::spawn(async move {
            far.write_all(&[b'x'; 100_000]).await.unwrap();
            far
        });
        let (mut n, mut most) = (0, 0);
        while n < 100_000 {
            n += near.read(&mut buffer).await.unwrap();
            most = most.max(near.ahead.capacity());
        }
        assert!((MANY_BYTES..=AHEAD_BYTES).contains(&most), "{most}");
        let _far = sending.await.unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut near).poll_read(&mut context, &mut ReadBuf::new(&mut buffer)).is_pending());
        assert_eq!(near.ahead.capacity(), 0);
    }
}
