//! A buffered connection: lines in, one write out.

use std::io;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};

/// Most that is read at once.
const READ_BYTES: usize = 32 * 1024;

/// Longest line anybody here sends.
const LINE_BYTES: usize = 16 * 1024;

/// One connection. Deadlines are the caller's: a whole run has one.
pub(crate) struct Channel<S> {
    stream: S,
    input: Vec<u8>,
    /// Bytes of `input` before this were consumed.
    start: usize,
    /// What waits to be written.
    pub(crate) output: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Channel<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, input: Vec::new(), start: 0, output: Vec::new() }
    }

    /// The connection below, to put TLS on it. Nothing may be buffered: it would have come before TLS.
    pub(crate) fn into_stream(self) -> io::Result<S> {
        if self.buffered().is_empty() { Ok(self.stream) } else { Err(other("bytes behind STARTTLS")) }
    }

    /// Bytes that have arrived and were not consumed.
    pub(crate) fn buffered(&self) -> &[u8] {
        self.input.get(self.start..).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.input.len());
    }

    /// Waits for more bytes behind those that are buffered.
    pub(crate) async fn fill(&mut self) -> io::Result<()> {
        self.input.drain(..self.start);
        self.start = 0;
        self.input.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The next line, without its CRLF.
    pub(crate) async fn line(&mut self) -> io::Result<&[u8]> {
        let mut seen = 0;
        let length = loop {
            let fresh = self.buffered().get(seen..).unwrap_or_default();
            if let Some(at) = memchr::memchr(b'\n', fresh) {
                break seen + at;
            }
            seen = self.buffered().len();
            if seen > LINE_BYTES {
                return Err(other("a line without end"));
            }
            self.fill().await?;
        };
        let start = self.start;
        self.consume(length + 1);
        let line = self.input.get(start..start + length).unwrap_or_default();
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Writes what waits.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if !self.output.is_empty() {
            self.stream.write_all(&self.output).await?;
            self.stream.flush().await?;
            self.output.clear();
        }
        Ok(())
    }

    /// Ends the connection properly.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.flush().await?;
        self.stream.shutdown().await
    }
}

impl<S: AsyncBufRead + AsyncWrite + Unpin> Channel<S> {
    /// Passes over so many bytes, without copying those that have not come yet.
    pub(crate) async fn skip(&mut self, n: u64) -> io::Result<()> {
        let n_buffered = self.buffered().len().min(usize::try_from(n).unwrap_or(usize::MAX));
        self.start += n_buffered;
        let mut left = n - n_buffered as u64;
        while left > 0 {
            let n_come = self.stream.fill_buf().await?.len();
            if n_come == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let n_taken = n_come.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.stream.consume(n_taken);
            left -= n_taken as u64;
        }
        Ok(())
    }
}

fn other(text: &'static str) -> io::Error {
    io::Error::other(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_found_however_they_are_split() {
        let (near, mut far) = tokio::io::duplex(3);
        let writing = tokio::spawn(async move {
            far.write_all(b"EHLO there\r\n\r\nQUIT\r\nrest").await.unwrap();
        });
        let mut channel = Channel::new(near);
        assert_eq!(channel.line().await.unwrap(), b"EHLO there");
        assert_eq!(channel.line().await.unwrap(), b"");
        assert_eq!(channel.line().await.unwrap(), b"QUIT");
        assert_eq!(channel.line().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(channel.buffered(), b"rest");
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn as_much_is_passed_over_as_was_said() {
        for (size, n) in [(3, 10), (64, 10), (64, 0), (5, 12)] {
            let (near, mut far) = tokio::io::duplex(size);
            let skipped = "x".repeat(n);
            let writing = tokio::spawn(async move {
                far.write_all(format!("a line\r\n{skipped}the end\r\n").as_bytes()).await.unwrap();
            });
            let mut channel = Channel::new(tokio::io::BufStream::new(near));
            assert_eq!(channel.line().await.unwrap(), b"a line");
            channel.skip(n as u64).await.unwrap();
            assert_eq!(channel.line().await.unwrap(), b"the end", "{n} in pieces of {size}");
            writing.await.unwrap();
        }
    }
}
