//! Lines over the socket, capped and with deadlines.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// No line is longer: the largest is one letter with all its recipients and attempts.
const LONGEST_LINE: u64 = 64 << 20;

/// Whoever neither reads nor writes for so long is stuck.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct LineReader(BufReader<OwnedReadHalf>);

impl LineReader {
    pub(super) fn new(half: OwnedReadHalf) -> Self {
        Self(BufReader::new(half))
    }

    /// The next line without its end; `None` when the other side has ended.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        (&mut self.0).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => Ok(Some(line)),
            // The other side died in the middle of its line, or has no end.
            Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

pub(super) async fn write_line(half: &mut OwnedWriteHalf, line: &[u8]) -> io::Result<()> {
    tokio::time::timeout(PATIENCE, half.write_all(line)).await?
}
