//! Reading a message.

use super::{DataError, Flaws, LineEnds};
use crate::smtp::TEXT_LINE;

/// How far [`DataReader::push`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataProgress {
    /// All of the input belongs to the message, and more follows.
    More,
    /// The message is over; only this many octets of the input belong to it and its end. Commands may follow them.
    End {
        /// Octets of this input, the final dot and its CRLF included.
        consumed: usize,
    },
}

/// Reads what follows DATA, up to the final dot. Takes pieces split anywhere and gives content in pieces, without copying
/// it; what it gives has its dots as the author wrote them (RFC 5321 §4.5.2).
#[derive(Debug)]
pub struct DataReader(Lines);

/// Reads what follows BDAT (RFC 3030): no dots, and the sizes say where it ends. One for the whole message, so that a CR at
/// the end of one chunk and an LF at the start of the next are one line end.
#[derive(Debug)]
pub struct BdatReader(Lines);

impl DataReader {
    /// At the start of a message, behind the 354 reply.
    #[must_use]
    pub fn new(line_ends: LineEnds) -> Self {
        Self(Lines { at: At::Start, has_dots: true, line_ends, line_bytes: 0, flaws: Flaws::default() })
    }

    /// Takes the next bytes and gives content to `emit`, as slices of the input wherever nothing had to be changed: they may
    /// be kept as long as it. Behind the end it takes nothing more.
    ///
    /// Bare line ends do not stop it: the true end must be found first, or what follows would be taken for commands
    /// (SS-5). See [`DataReader::flaws`] then.
    pub fn push<'a>(
        &mut self,
        input: &'a [u8],
        mut emit: impl FnMut(&'a [u8]),
    ) -> Result<DataProgress, DataError> {
        self.0.push(input, &mut emit)
    }

    /// What has been seen so far; complete at the end.
    #[must_use]
    pub fn flaws(&self) -> Flaws {
        self.0.flaws
    }
}

impl BdatReader {
    /// At the start of a message.
    #[must_use]
    pub fn new(line_ends: LineEnds) -> Self {
        Self(Lines { at: At::Text, has_dots: false, line_ends, line_bytes: 0, flaws: Flaws::default() })
    }

    /// Takes octets of a chunk and gives content to `emit`, as [`DataReader::push`] does.
    pub fn push<'a>(&mut self, input: &'a [u8], mut emit: impl FnMut(&'a [u8])) -> Result<(), DataError> {
        self.0.push(input, &mut emit).map(|_| ())
    }

    /// Ends the message after its last chunk, and tells what was seen in it.
    #[must_use]
    pub fn finish(mut self, mut emit: impl FnMut(&'static [u8])) -> Flaws {
        self.0.finish(&mut emit);
        self.0.flaws
    }
}

/// The one machine behind both readers.
#[derive(Debug)]
struct Lines {
    at: At,
    has_dots: bool,
    line_ends: LineEnds,
    /// Octets since the last line end of any kind.
    line_bytes: usize,
    flaws: Flaws,
}

/// Where the machine stands. Octets named as held have been taken but not given on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Behind a true CRLF, or at the very start.
    Start,
    /// Behind a line end that has been repaired: a dot here never ends anything.
    RepairedStart,
    /// In a line.
    Text,
    /// Holds `CR`.
    Cr,
    /// Holds `CR CR`; only when repairing.
    CrCr,
    /// Holds a dot that follows a true CRLF.
    Dot,
    /// Holds `. CR` that follows a true CRLF: one LF, and the message is over.
    DotCr,
    /// Holds a dot that follows a repaired line end.
    RepairedDot,
    /// Behind the final dot.
    End,
}

impl Lines {
    fn push<'a, E: FnMut(&'a [u8])>(
        &mut self,
        input: &'a [u8],
        emit: &mut E,
    ) -> Result<DataProgress, DataError> {
        let mut next = 0;
        while let Some(byte) = input.get(next) {
            match self.at {
                At::Text => next += self.text(input.get(next..).unwrap_or_default(), emit)?,
                At::End => return Ok(DataProgress::End { consumed: next }),
                _ => {
                    if self.step(*byte, emit) {
                        next += 1;
                    }
                }
            }
        }
        Ok(if self.at == At::End { DataProgress::End { consumed: next } } else { DataProgress::More })
    }

    /// Runs through lines while nothing needs a decision, and gives them as one slice. This is where the time goes: one
    /// search a line. Returns how many octets it took, at least one.
    fn text<'a, E: FnMut(&'a [u8])>(&mut self, input: &'a [u8], emit: &mut E) -> Result<usize, DataError> {
        let mut next = 0;
        loop {
            let rest = input.get(next..).unwrap_or_default();
            let Some(hit) = memchr::memchr3(b'\r', b'\n', 0, rest) else {
                self.count(rest.len())?;
                give(emit, input);
                return Ok(input.len());
            };
            self.count(hit)?;
            let here = next + hit;
            let before = input.get(..here).unwrap_or_default();
            match (input.get(here), input.get(here + 1)) {
                (Some(b'\r'), Some(b'\n')) => {
                    self.line_bytes = 0;
                    next = here + 2;
                    if self.has_dots && input.get(next).is_none_or(|byte| *byte == b'.') {
                        give(emit, input.get(..next).unwrap_or_default());
                        self.at = At::Start;
                        return Ok(next);
                    }
                }
                (Some(b'\r'), _) => {
                    give(emit, before);
                    self.at = At::Cr;
                    return Ok(here + 1);
                }
                (Some(b'\n'), _) => {
                    self.flaws.bare_lf = true;
                    self.line_bytes = 0;
                    next = here + 1;
                    if self.line_ends == LineEnds::Repair {
                        give(emit, before);
                        emit(b"\r\n");
                        self.at = self.after_repair();
                        return Ok(next);
                    }
                }
                _ => {
                    self.flaws.nul = true;
                    self.count(1)?;
                    next = here + 1;
                }
            }
        }
    }

    /// Decides about one byte; `false` if it has to be looked at again from the new place.
    fn step<'a, E: FnMut(&'a [u8])>(&mut self, byte: u8, emit: &mut E) -> bool {
        let is_repair = self.line_ends == LineEnds::Repair;
        let (at, is_taken) = match (self.at, byte) {
            (At::Start, b'.') if self.has_dots => (At::Dot, true),
            (At::RepairedStart, b'.') => (At::RepairedDot, true),
            (At::Dot, b'\r') => (At::DotCr, true),
            (At::DotCr, b'\n') => (At::End, true),
            // The line is a dot and a bare line end. It ends nothing, and when it is repaired, the dot is its text.
            (At::Dot, b'\n') | (At::DotCr, _) if is_repair => {
                emit(b".");
                (if self.at == At::Dot { At::Text } else { At::Cr }, false)
            }
            (At::DotCr, _) => (At::Cr, false),
            // RFC 5321 §4.5.2: the first of other characters is a dot, so it was put there by the client.
            (At::Dot, _) => (At::Text, false),
            // Programs that end lines with LF also put their extra dot behind LF; a dot alone is text.
            (At::RepairedDot, b'.') => (At::Text, false),
            (At::RepairedDot, _) => {
                emit(b".");
                (At::Text, false)
            }
            (At::Cr | At::CrCr, b'\n') => {
                emit(b"\r\n");
                self.line_bytes = 0;
                (if self.has_dots { At::Start } else { At::Text }, true)
            }
            (At::Cr | At::CrCr, _) => return self.bare_cr(byte, emit),
            (At::Start | At::RepairedStart | At::Text | At::End, _) => (At::Text, false),
        };
        self.at = at;
        is_taken
    }

    /// A held CR is not followed by LF.
    fn bare_cr<'a, E: FnMut(&'a [u8])>(&mut self, byte: u8, emit: &mut E) -> bool {
        self.flaws.bare_cr = true;
        self.line_bytes = 0;
        let is_another = byte == b'\r';
        match (self.line_ends, self.at) {
            (LineEnds::Strict, _) => {
                emit(b"\r");
                self.at = if is_another { At::Cr } else { At::Text };
            }
            (LineEnds::Repair, At::Cr) if is_another => self.at = At::CrCr,
            (LineEnds::Repair, At::CrCr) if is_another => emit(b"\r\n"),
            (LineEnds::Repair, at) => {
                emit(if at == At::CrCr { b"\r\n\r\n" } else { b"\r\n" });
                self.at = self.after_repair();
            }
        }
        is_another
    }

    fn after_repair(&self) -> At {
        if self.has_dots { At::RepairedStart } else { At::Text }
    }

    fn count(&mut self, n_bytes: usize) -> Result<(), DataError> {
        self.line_bytes = self.line_bytes.saturating_add(n_bytes);
        if self.line_bytes > TEXT_LINE { Err(DataError::LineTooLong) } else { Ok(()) }
    }

    /// Without dots: a CR at the very end is bare.
    fn finish<'a, E: FnMut(&'a [u8])>(&mut self, emit: &mut E) {
        let held: &'static [u8] = match (self.at, self.line_ends) {
            (At::Cr, LineEnds::Strict) => b"\r",
            (At::Cr, LineEnds::Repair) => b"\r\n",
            (At::CrCr, _) => b"\r\n\r\n",
            _ => return,
        };
        self.flaws.bare_cr = true;
        emit(held);
    }
}

fn give<'a, E: FnMut(&'a [u8])>(emit: &mut E, slice: &'a [u8]) {
    if !slice.is_empty() {
        emit(slice);
    }
}
