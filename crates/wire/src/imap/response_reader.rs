//! Puts what a server sends together to responses, in bounded memory.

use super::frame::{Announcement, Frame, LineTail, Taken, tail};
use super::status::Status;
use super::{RESPONSE_BYTES, Response};

/// Cuts a stream of bytes into responses. One for each connection; of no use after an error.
#[derive(Default)]
pub struct ResponseReader {
    frame: Frame,
    lift: Option<Lift>,
    state: State,
    /// Octets lifted out of the present response.
    lifted_bytes: Option<u64>,
}

/// Leave to give the text of a message on in pieces instead of keeping it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lift {
    /// The most octets that are given on.
    pub at_most: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Collecting,
    Lifting {
        left: u64,
    },
}

/// What [`ResponseReader::push`] came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// More bytes are needed.
    More,
    /// A piece of a message's text, as it came.
    Text(&'a [u8]),
    /// A whole response.
    Response(Response),
}

/// Why what came is not a response. The connection cannot be used any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Neither untagged, nor tagged, nor a request to go on.
    #[error("the server's answer is not an IMAP response")]
    NotAResponse,
    /// MP-13.
    #[error("the server's response is longer than {RESPONSE_BYTES} octets")]
    TooLong,
    /// A literal that is larger than may be kept or given on.
    #[error("the server sends more than was asked for")]
    LiteralTooLarge,
    /// A line that ends with LF alone, so that its end could be read in two ways.
    #[error("the server ends lines with LF alone")]
    BareLineFeed,
}

impl ResponseReader {
    /// A reader at the start of a response.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on, texts of messages that FETCH gives (`BODY[]`, `BODY[HEADER]`) are given on in pieces, at most one for each
    /// response; or, without, are kept like everything else.
    pub const fn set_lift(&mut self, lift: Option<Lift>) {
        self.lift = lift;
    }

    /// Takes bytes as they arrive: gives how many it took, at least one of several, and what came of them.
    pub fn push<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Piece<'a>), ResponseError> {
        if let State::Lifting { left } = self.state {
            let n_here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let left = left - n_here as u64;
            self.state = if left == 0 { State::Collecting } else { State::Lifting { left } };
            return Ok((n_here, Piece::Text(input.get(..n_here).unwrap_or_default())));
        }
        // One octet more than the limit is enough to know.
        let room = (RESPONSE_BYTES + 1).saturating_sub(self.frame.bytes().len());
        let input = input.get(..room.min(input.len())).unwrap_or_default();
        let (n_taken, taken) = self.frame.take(input);
        if self.frame.bytes().len() > RESPONSE_BYTES {
            return Err(ResponseError::TooLong);
        }
        match taken {
            Taken::More => Ok((n_taken, Piece::More)),
            Taken::BareLineFeed => Err(ResponseError::BareLineFeed),
            Taken::Line(_) => Ok((n_taken, self.line()?)),
        }
    }

    /// A line is complete.
    fn line(&mut self) -> Result<Piece<'static>, ResponseError> {
        // The words of a status response and of a request to go on are text: nothing is announced there.
        let first_line = self.frame.bytes().strip_suffix(b"\r\n").unwrap_or_default();
        let is_text = first_line.starts_with(b"+") || Status::parse(first_line).is_some();
        match tail(self.frame.line()) {
            LineTail::Literal(announced) if !is_text => self.literal(announced)?,
            LineTail::Absurd if !is_text => return Err(ResponseError::LiteralTooLarge),
            _ => {
                let lifted_bytes = self.lifted_bytes.take();
                let response = Response::parse(self.frame.bytes(), lifted_bytes);
                self.frame.reset();
                return response.map(Piece::Response).ok_or(ResponseError::NotAResponse);
            }
        }
        Ok(Piece::More)
    }

    fn literal(&mut self, announced: Announcement) -> Result<(), ResponseError> {
        if let Some(lift) = self.lift
            && is_text_of_a_message(self.frame.bytes(), announced)
        {
            if announced.n_bytes > lift.at_most || self.lifted_bytes.is_some() {
                return Err(ResponseError::LiteralTooLarge);
            }
            self.frame.cut_announcement(announced);
            self.lifted_bytes = Some(announced.n_bytes);
            if announced.n_bytes > 0 {
                self.state = State::Lifting { left: announced.n_bytes };
            }
            return Ok(());
        }
        // Sizes nothing: it is compared, and the frame grows with what comes (MP-6).
        if announced.n_bytes > (RESPONSE_BYTES - self.frame.bytes().len().min(RESPONSE_BYTES)) as u64 {
            return Err(ResponseError::LiteralTooLarge);
        }
        self.frame.expect_literal(announced.n_bytes);
        Ok(())
    }
}

/// Whether what is announced is the text that a FETCH asked for.
fn is_text_of_a_message(bytes: &[u8], announced: Announcement) -> bool {
    let end = bytes.len().saturating_sub(2 + announced.n_back);
    let before = bytes.get(..end).unwrap_or_default().to_ascii_uppercase();
    let mut words = before.split(|b| *b == b' ');
    let is_fetch = words.next() == Some(b"*")
        && words.next().is_some_and(|it| !it.is_empty() && it.iter().all(u8::is_ascii_digit))
        && words.next() == Some(b"FETCH");
    is_fetch && [&b"BODY[] "[..], b"BODY[HEADER] "].iter().any(|it| before.ends_with(it))
}

#[cfg(test)]
mod tests;
