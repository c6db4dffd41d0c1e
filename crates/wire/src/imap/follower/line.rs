//! The end of a line that is not kept.

use super::super::frame::{LineTail, tail};

/// More than any announcement needs: two braces, a plus sign, CR, and the digits of a figure that fits into 64 bits, with zeros in
/// front.
const KEPT: usize = 64;

/// The last octets of the line that passes.
pub(super) struct LineEnd {
    kept: [u8; KEPT],
    n_kept: usize,
}

impl Default for LineEnd {
    fn default() -> Self {
        Self { kept: [0; KEPT], n_kept: 0 }
    }
}

impl LineEnd {
    /// The line goes on with this.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let new = bytes.get(bytes.len().saturating_sub(KEPT)..).unwrap_or_default();
        let n_old = self.n_kept.min(KEPT - new.len());
        self.kept.copy_within(self.n_kept - n_old..self.n_kept, 0);
        self.n_kept = n_old + new.len();
        if let Some(place) = self.kept.get_mut(n_old..self.n_kept) {
            place.copy_from_slice(new);
        }
    }

    /// The line has ended: whether a literal follows.
    pub(super) fn finish(&mut self) -> LineTail {
        let line = self.kept.get(..std::mem::take(&mut self.n_kept)).unwrap_or_default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let inner = line.strip_suffix(b"}").map(|it| it.strip_suffix(b"+").unwrap_or(it));
        let is_cut = inner.is_some_and(|it| it.len() + 4 >= KEPT && it.iter().all(u8::is_ascii_digit));
        if is_cut { LineTail::Absurd } else { tail(line) }
    }
}

/// The words at the beginning of a line, as far as it is there.
pub(super) struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A word and whether it has come to its end.
pub(super) enum Word<'a> {
    Whole(&'a [u8]),
    /// The line has none at this place.
    None,
    /// It may go on.
    Cut,
}

impl<'a> Words<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn next(&mut self) -> Word<'a> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let blanks = rest.iter().take_while(|it| matches!(it, b' ' | b'\t')).count();
        let rest = rest.get(blanks..).unwrap_or_default();
        let is_end = |it: &u8| matches!(it, b' ' | b'\t' | b'\r' | b'\n');
        match rest.iter().position(is_end) {
            None => Word::Cut,
            Some(0) => Word::None,
            Some(length) => {
                self.at += blanks + length;
                Word::Whole(rest.get(..length).unwrap_or_default())
            }
        }
    }

    /// What stands behind the words that were taken.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}
