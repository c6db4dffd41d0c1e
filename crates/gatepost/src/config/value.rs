//! From what was written to what is meant.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::raw::Value;

/// Why a value does not fit, as an addition to what the key expects; often empty.
pub(super) type Misfit = String;

pub(super) fn text(value: &Value) -> Result<String, Misfit> {
    match value {
        Value::Text(text) | Value::Word(text) if !text.trim().is_empty() => Ok(text.clone()),
        _ => Err(Misfit::new()),
    }
}

/// Several texts; one alone counts as a list of one.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Misfit> {
    match value {
        Value::List(items) => Ok(items.clone()),
        Value::Text(text) => Ok(vec![text.clone()]),
        Value::Word(text) => {
            Ok(text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect())
        }
        _ => Err(Misfit::new()),
    }
}

pub(super) fn parsed<T: FromStr<Err: ToString>>(value: &Value) -> Result<T, Misfit> {
    text(value)?.parse().map_err(|error: T::Err| error.to_string())
}

pub(super) fn all_parsed<T: FromStr<Err: ToString>>(value: &Value) -> Result<Vec<T>, Misfit> {
    texts(value)?.iter().map(|it| it.parse().map_err(|error: T::Err| error.to_string())).collect()
}

/// A whole number in the range, ends included.
pub(super) fn number(value: &Value, least: u64, most: u64) -> Result<u64, Misfit> {
    let number = match value {
        Value::Integer(it) => u64::try_from(*it).ok(),
        Value::Word(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|it| (least..=most).contains(it)).ok_or_else(Misfit::new)
}

/// Relative paths begin at the folder of the configuration, wherever the command is run.
pub(super) fn path(value: &Value, folder: &Path) -> Result<PathBuf, Misfit> {
    Ok(joined(folder, &text(value)?))
}

/// Without the dots in between, so that messages name the place as people know it.
fn joined(folder: &Path, text: &str) -> PathBuf {
    folder.join(text).components().collect()
}

pub(super) fn paths(value: &Value, folder: &Path) -> Result<Vec<PathBuf>, Misfit> {
    Ok(texts(value)?.iter().map(|it| joined(folder, it)).collect())
}

/// A span such as `90s`, `30m`, `24h` or `5d`.
pub(super) fn span(value: &Value) -> Result<Duration, Misfit> {
    let text = text(value)?;
    let text = text.trim();
    let unit = text.chars().next_back().ok_or_else(Misfit::new)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err("; end it with s, m, h or d".to_owned()),
    };
    let digits = &text[..text.len() - 1];
    let n = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    n.and_then(|n| n.checked_mul(seconds)).map(Duration::from_secs).ok_or_else(Misfit::new)
}

/// A name server; port 53 unless it is named.
pub(super) fn name_server(value: &Value) -> Result<SocketAddr, Misfit> {
    let text = text(value)?;
    let bare = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    bare.or_else(|_| text.parse()).map_err(|_| Misfit::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_four_units() {
        let read = |text: &str| span(&Value::Text(text.to_owned())).map(|it| it.as_secs());
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("5d", 432_000), ("0s", 0)] {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
        for text in ["", "h", "5", "-5d", "+5d", "5 d", "1.5h", "5w", "99999999999999999999d", "5ü"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn words_from_the_environment_stand_for_numbers_and_lists() {
        assert_eq!(number(&Value::Word(" 500 ".into()), 1, 1_000), Ok(500));
        assert_eq!(
            number(&Value::Text("500".into()), 1, 1_000),
            Err(Misfit::new()),
            "in the file, text is text"
        );
        assert_eq!(texts(&Value::Word("a, b,,".into())), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(number(&Value::Integer(-1), 0, 10), Err(Misfit::new()));
        assert_eq!(number(&Value::Integer(11), 0, 10), Err(Misfit::new()));
    }
}
