//! Enhanced status codes (RFC 3463).

/// Class, subject and detail: `5.7.509` is `(5, 7, 509)`. Providers use three digits in each place, so a byte is too small.
pub type EnhancedCode = (u16, u16, u16);

/// Splits a text such as `5.7.1 Not here` into its enhanced status code and what follows it.
///
/// RFC 3463 §2: the class is 2, 4 or 5, the others have at most three digits. RFC 2034 §4: a space follows.
pub(super) fn split(text: &[u8]) -> Option<(EnhancedCode, &[u8])> {
    let end = text.iter().position(|b| *b == b' ').unwrap_or(text.len());
    let (code, rest) = text.split_at_checked(end)?;
    let mut parts = code.split(|b| *b == b'.');
    let found = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    let valid = parts.next().is_none() && matches!(found.0, 2 | 4 | 5);
    valid.then(|| (found, rest.strip_prefix(b" ").unwrap_or(rest)))
}

fn number(digits: &[u8]) -> Option<u16> {
    let valid = (1..=3).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    valid.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}
