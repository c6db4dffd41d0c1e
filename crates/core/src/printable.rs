//! Text from outside, made safe to print.

use std::fmt;

/// Shows hostile bytes on a terminal or in a log: control characters and anything that is not UTF-8 are escaped, so that
/// they cannot move a cursor, change a colour, forge a line (OP-2, SC-12) or turn the reading direction round.
#[must_use]
pub fn printable(bytes: &[u8]) -> Printable<'_> {
    Printable(bytes)
}

/// What [`printable`] returns; its `Display` does the work.
#[derive(Clone, Copy)]
pub struct Printable<'a>(&'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() || is_invisible(c) {
                    write!(f, "\\u{{{:x}}}", u32::from(c))?;
                } else {
                    f.write_char(c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Characters that show nothing or change the order of what follows them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_trick_a_terminal_is_escaped() {
        for (bytes, shown) in [
            (&b"plain text"[..], "plain text"),
            (b"\x1b[31mred\r\nforged line", "\\u{1b}[31mred\\u{d}\\u{a}forged line"),
            (b"nul\0", "nul\\u{0}"),
            (b"\xff\xfe", "\\xff\\xfe"),
            ("gr\u{fc}n \u{202e}nekcür".as_bytes(), "gr\u{fc}n \\u{202e}nekcür"),
            ("\u{9b}1m".as_bytes(), "\\u{9b}1m"),
        ] {
            assert_eq!(printable(bytes).to_string(), shown);
        }
    }
}
