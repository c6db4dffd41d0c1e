//! Writing a message.

/// Writes a message behind DATA: doubles each dot at the start of a line (RFC 5321 §4.5.2), also across pieces, ends the
/// last line, and closes with the final dot.
///
/// What was stored has CRLF only, because it came through the readers of this module. If it ever has not, a CR or LF that
/// stands alone leaves as CRLF, and the dot behind it is doubled: no input whatever can write a second message.
#[derive(Debug)]
pub struct DataWriter {
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Start,
    Text,
    /// Holds a CR that has not been written.
    Cr,
}

impl Default for DataWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl DataWriter {
    /// At the start of a message.
    #[must_use]
    pub fn new() -> Self {
        Self { at: At::Start }
    }

    /// Takes the next piece of content and gives what goes on the wire to `emit`.
    pub fn push(&mut self, content: &[u8], mut emit: impl FnMut(&[u8])) {
        let mut rest = content;
        while let Some(first) = rest.first() {
            match self.at {
                At::Start => {
                    if *first == b'.' {
                        emit(b".");
                    }
                    self.at = At::Text;
                }
                At::Cr => {
                    emit(b"\r\n");
                    self.at = At::Start;
                    if *first == b'\n' {
                        rest = rest.get(1..).unwrap_or_default();
                    }
                }
                At::Text => {
                    let n_taken = self.text(rest, &mut emit);
                    rest = rest.get(n_taken..).unwrap_or_default();
                }
            }
        }
    }

    /// Ends the last line if it has no end, and writes the final dot.
    pub fn finish(self, mut emit: impl FnMut(&[u8])) {
        // RFC 5321 §4.1.1.4: the CRLF that ends the text is the first of `CRLF . CRLF`; none is added to a complete line.
        match self.at {
            At::Start => emit(b".\r\n"),
            At::Text | At::Cr => emit(b"\r\n.\r\n"),
        }
    }

    /// Runs through lines that can leave as they are, as one slice. Returns how many octets it took, at least one.
    fn text(&mut self, input: &[u8], emit: &mut impl FnMut(&[u8])) -> usize {
        let mut next = 0;
        loop {
            let rest = input.get(next..).unwrap_or_default();
            let Some(hit) = memchr::memchr2(b'\r', b'\n', rest) else {
                emit(input);
                return input.len();
            };
            let here = next + hit;
            if input.get(here) == Some(&b'\r') && input.get(here + 1) == Some(&b'\n') {
                next = here + 2;
                if input.get(next).is_some_and(|byte| *byte != b'.') {
                    continue;
                }
                emit(input.get(..next).unwrap_or_default());
                self.at = At::Start;
                return next;
            }
            if here > 0 {
                emit(input.get(..here).unwrap_or_default());
            }
            if input.get(here) == Some(&b'\r') {
                self.at = At::Cr;
            } else {
                emit(b"\r\n");
                self.at = At::Start;
            }
            return here + 1;
        }
    }
}
