//! Parameters of MAIL and RCPT. RFC 5321 §4.1.2: `esmtp-param = keyword ["=" value]`.

use super::error::CommandError;

/// The parameters one after the other, keyword in upper case, value if there is one.
pub(super) fn split(text: &[u8]) -> impl Iterator<Item = Result<(String, Option<&str>), CommandError>> {
    text.split(|b| *b == b' ').filter(|it| !it.is_empty()).map(|word| {
        let word = std::str::from_utf8(word).map_err(|_| CommandError::BadArgument)?;
        let (keyword, value) = word.split_once('=').map_or((word, None), |(k, v)| (k, Some(v)));
        let is_keyword = keyword.starts_with(|c: char| c.is_ascii_alphanumeric())
            && keyword.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_keyword { Ok((keyword.to_ascii_uppercase(), value)) } else { Err(CommandError::BadArgument) }
    })
}

/// Sets a parameter that may come once. `value` is `None` where it could not be read.
pub(super) fn set_once<T>(
    slot: &mut Option<T>,
    name: &'static str,
    value: Option<T>,
) -> Result<(), CommandError> {
    if slot.is_some() {
        return Err(CommandError::UnknownParameter(name.to_owned()));
    }
    *slot = Some(value.ok_or(CommandError::BadParameter(name))?);
    Ok(())
}

/// A number of 1 to 20 digits (RFC 1870 §6, RFC 3030 §2) that fits 64 bits.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = (1..=20).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}
