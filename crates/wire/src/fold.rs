//! Fields and paragraphs of the messages we write ourselves: lines of a length that mail allows, and no value that begins a
//! line of its own (API-4).

use gatepost_core::printable;

/// RFC 5322 §2.1.1: lines should have at most 78 characters,
const WANTED: usize = 78;
/// and must have at most 998 octets.
const HARD: usize = 900;

/// Breaks a line at its blanks with `line_break`; a word longer than a line may be is broken anywhere.
pub(crate) fn folded(line: &str, line_break: &str) -> String {
    let mut out = String::with_capacity(line.len() + 8);
    let mut n_here = 0;
    for word in line.split(' ') {
        if n_here > 0 && n_here + 1 + word.len() > WANTED {
            out.push_str(line_break);
            n_here = 0;
        } else if !out.is_empty() {
            out.push(' ');
            n_here += 1;
        }
        for c in word.chars() {
            if n_here + c.len_utf8() > HARD {
                out.push_str(line_break);
                n_here = 0;
            }
            out.push(c);
            n_here += c.len_utf8();
        }
    }
    out
}

/// Appends `name: value`, escaped and folded: API-4, no value can begin a field of its own.
pub(crate) fn push_field(text: &mut String, name: &str, value: &str) {
    let value = printable(value.as_bytes()).to_string();
    text.push_str(&folded(&format!("{name}: {value}"), "\r\n "));
    text.push_str("\r\n");
}

/// Appends a paragraph and an empty line.
pub(crate) fn push_paragraph(text: &mut String, words: &str) {
    text.push_str(&folded(&printable(words.as_bytes()).to_string(), "\r\n"));
    text.push_str("\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_at_blanks() {
        let words = vec!["word"; 40].join(" ");
        let text = folded(&words, "\r\n ");
        assert!(text.split("\r\n").all(|it| it.len() <= WANTED + 1), "{text}");
        assert_eq!(text.replace("\r\n", ""), words);
        assert_eq!(folded("short", "\r\n "), "short");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_word_is_lost(line in "([ -~é]{0,50}|[!-~]{0,1500}){0,3}") {
            let text = folded(&line, "\r\n ");
            prop_assert!(text.split("\r\n").all(|it| it.len() <= 998));
            let squeeze = |it: &str| it.replace("\r\n", "").replace(' ', "");
            prop_assert_eq!(squeeze(&text), squeeze(&line));
        }
    }
}
