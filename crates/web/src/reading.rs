//! Lets go of clients that ask and do not read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Octets of what waits that a client takes at least in three spans of patience.
const LEAST_TAKEN: usize = 32 * 1024;

/// A socket that fails once its client has read nothing for a while, or next to nothing for three times as long. The system takes some
/// answers in by itself, so only a client that leaves more than those unread is timed.
pub(crate) struct Reading<S> {
    socket: S,
    patience: Duration,
    /// Runs while nothing at all is taken.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Runs until everything that waits has been taken.
    behind: Option<Pin<Box<Sleep>>>,
    /// Octets taken since `behind` began.
    n_taken: usize,
}

impl<S> Reading<S> {
    pub(crate) fn new(socket: S, patience: Duration) -> Self {
        Self { socket, patience, stalled: None, behind: None, n_taken: 0 }
    }

    /// The socket takes nothing at this moment: waits, or fails where it was waited for long enough.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let patience = self.patience;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        if stalled.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        loop {
            let behind = self.behind.get_or_insert_with(|| {
                self.n_taken = 0;
                Box::pin(tokio::time::sleep(patience * 3))
            });
            ready!(behind.as_mut().poll(cx));
            if self.n_taken < LEAST_TAKEN {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.behind = None;
        }
    }

    fn written(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Pending => self.wait(cx),
            Poll::Ready(written) => {
                self.stalled = None;
                self.n_taken += written.as_ref().map_or(0, |n| *n);
                Poll::Ready(written)
            }
        }
    }

    fn flushed(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        if polled.is_pending() {
            return self.wait(cx);
        }
        (self.stalled, self.behind) = (None, None);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Reading<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.written(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.socket).poll_write_vectored(cx, parts);
        this.written(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.socket).poll_flush(cx);
        this.flushed(cx, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.socket).poll_shutdown(cx);
        this.flushed(cx, polled)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Reading<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A socket whose system takes one kibibyte in, with an answer of this many octets on it, and its client.
    fn answer(n_bytes: usize) -> (tokio::task::JoinHandle<io::Result<()>>, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(1024);
        let mut socket = Reading::new(ours, PATIENCE);
        let answering = tokio::spawn(async move {
            socket.write_all(&vec![b'x'; n_bytes]).await?;
            socket.flush().await
        });
        (answering, theirs)
    }

    async fn read(client: &mut DuplexStream, n_bytes: usize) -> io::Result<usize> {
        client.read_exact(&mut vec![0; n_bytes]).await
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_nothing_is_let_go() {
        let (answering, _client) = answer(2048);
        assert_eq!(answering.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (answering, _client) = answer(1024);
        answering.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_slowly_gets_everything() {
        let (answering, mut client) = answer(200 * 1024);
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            read(&mut client, 1024).await.unwrap();
        }
        answering.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_octet_now_and_then_is_not_reading() {
        let (answering, mut client) = answer(200 * 1024);
        let reading = tokio::spawn(async move {
            while read(&mut client, 1).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(answering.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
        reading.await.unwrap();
    }

    /// A stream that tells something each quarter of an hour.
    #[tokio::test(start_paused = true)]
    async fn time_without_an_answer_does_not_count() {
        let (ours, mut client) = tokio::io::duplex(1024);
        let mut socket = Reading::new(ours, PATIENCE);
        for _ in 0..3 {
            let reading = tokio::spawn(async move {
                tokio::time::sleep(PATIENCE / 2).await;
                read(&mut client, 2048).await.unwrap();
                client
            });
            socket.write_all(&[b'x'; 2048]).await.unwrap();
            socket.flush().await.unwrap();
            client = reading.await.unwrap();
            tokio::time::sleep(PATIENCE * 10).await;
        }
    }
}
