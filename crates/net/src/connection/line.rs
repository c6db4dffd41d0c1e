//! Reading lines.

use std::ops::Deref;

use tokio::time::Instant;
use zeroize::{Zeroize, Zeroizing};

use super::{Connection, ReadError};

/// A line without its end. Wiped when dropped, because it may hold a password; for the same reason it cannot be printed.
pub struct Line(Zeroizing<Vec<u8>>);

impl Deref for Line {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// CRLF alone. LF alone is [`ReadError::BareLineFeed`], said at once instead of waiting for a CRLF that never comes.
    Crlf,
    /// CRLF or LF, for peers that are not under our rules.
    CrlfOrLf,
}

impl Connection {
    /// Reads a line of at most `limit` bytes, not counting its end.
    ///
    /// After [`ReadError::LineTooLong`] the line is still in the way: [`Connection::skip_line`] or close.
    pub async fn read_line(
        &mut self,
        limit: usize,
        end: LineEnd,
        deadline: Instant,
    ) -> Result<Line, ReadError> {
        let mut searched = 0;
        loop {
            let bytes = self.buffered();
            let found = bytes.iter().skip(searched).position(|byte| *byte == b'\n').map(|at| searched + at);
            if let Some(at) = found {
                return self.take_line(at, limit, end);
            }
            // One byte more than the limit may be the CR of a line that is just as long as allowed.
            if bytes.len() > limit + 1 {
                return Err(ReadError::LineTooLong { limit });
            }
            searched = bytes.len();
            self.fill_more(deadline).await?;
        }
    }

    /// Takes the line whose LF is at `at`.
    fn take_line(&mut self, at: usize, limit: usize, end: LineEnd) -> Result<Line, ReadError> {
        let start = self.start;
        let raw = self.input.get_mut(start..=start + at).unwrap_or_default();
        let ends_with_crlf = raw.ends_with(b"\r\n");
        let length = at - usize::from(ends_with_crlf);
        if length > limit {
            return Err(ReadError::LineTooLong { limit });
        }
        let line = Line(Zeroizing::new(raw.get(..length).unwrap_or_default().to_vec()));
        raw.zeroize();
        self.consume(at + 1);
        if end == LineEnd::Crlf && !ends_with_crlf { Err(ReadError::BareLineFeed) } else { Ok(line) }
    }

    /// Throws the rest of an over-long line away, up to its LF, in bounded memory. Gives up with
    /// [`ReadError::LineTooLong`] after `at_most` bytes.
    pub async fn skip_line(&mut self, at_most: usize, deadline: Instant) -> Result<(), ReadError> {
        let mut skipped = 0;
        loop {
            let bytes = self.fill(deadline).await?;
            if let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
                self.consume(at + 1);
                return Ok(());
            }
            skipped += bytes.len();
            let length = bytes.len();
            self.consume(length);
            if skipped > at_most {
                return Err(ReadError::LineTooLong { limit: at_most });
            }
        }
    }
}
