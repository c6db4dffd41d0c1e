//! How long ago, in words.

use gatepost_core::Timestamp;

use crate::frame::Texts;

/// `3 minutes ago`.
pub(crate) fn ago(t: &Texts, at: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(at).as_secs();
    match seconds {
        0..60 => t.of("app_passwords.just_now").to_owned(),
        60..3_600 => t.count("app_passwords.minutes_ago", seconds / 60, &[]),
        3_600..86_400 => t.count("app_passwords.hours_ago", seconds / 3_600, &[]),
        _ => t.count("app_passwords.days_ago", seconds / 86_400, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_in_the_largest_unit() {
        let now = Timestamp::from_millis(1_795_252_320_000);
        for (seconds, words) in [
            (-10, "less than a minute ago"),
            (0, "less than a minute ago"),
            (59, "less than a minute ago"),
            (60, "a minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "an hour ago"),
            (7_200, "2 hours ago"),
            (86_400, "a day ago"),
            (86_400 * 400, "400 days ago"),
        ] {
            let at = Timestamp::from_millis(now.millis() - seconds * 1_000);
            assert_eq!(ago(Texts::english(), at, now), words, "{seconds}");
        }
    }
}
