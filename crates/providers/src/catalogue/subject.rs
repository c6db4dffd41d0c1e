//! What patterns are matched against: one line, with one space wherever there was white space or a line end.

/// How much of a text is judged. Real ones are under 1 KiB; what a hostile server adds behind this changes nothing.
const JUDGED_BYTES: usize = 8 * 1024;

/// `CODE ENHANCED text`; the enhanced code, which servers repeat on every line, stands there only once.
pub(super) fn smtp(code: u16, enhanced: Option<(u16, u16, u16)>, text: &[u8]) -> Vec<u8> {
    let code = code.to_string();
    let enhanced = enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"));
    let words = words(text).filter(|word| enhanced.as_ref().is_none_or(|it| it.as_bytes() != *word));
    let mut subject =
        joined([code.as_bytes()].into_iter().chain(enhanced.iter().map(String::as_bytes)).chain(words));
    if subject.len() == 3 {
        // A bare code still ends in a space, as patterns such as `^4\d\d[ -]` expect.
        subject.push(b' ');
    }
    subject
}

/// `STATUS [CODE] text`.
pub(super) fn status(status: &str, code: Option<&str>, text: &[u8]) -> Vec<u8> {
    let code = code.map(|code| format!("[{}]", code.get(..code.len().min(JUDGED_BYTES)).unwrap_or_default()));
    let code = code.as_ref().map_or(&b""[..], |it| it.as_bytes());
    joined([status.as_bytes()].into_iter().chain(words(code)).chain(words(text)))
}

/// `error suberror CODES description`.
pub(super) fn oauth(error: &str, text: &str) -> Vec<u8> {
    joined(words(error.as_bytes()).chain(words(text.as_bytes())))
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text[..text.len().min(JUDGED_BYTES)].split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

fn joined<'a>(words: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(word);
    }
    line
}
