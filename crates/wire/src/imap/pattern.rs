//! Patterns of LIST (RFC 9051 §6.3.9).

/// The longest reference and pattern that fits anything, in octets.
const PATTERN: usize = 1_000;

/// Whether the folder `name` fits `pattern` behind `reference`: `*` stands for any text, `%` for any without `separator`.
/// INBOX fits in any case of letters. Takes time that grows with the product of the two lengths, and no more.
#[must_use]
pub fn fits_pattern(name: &str, reference: &str, pattern: &str, separator: char) -> bool {
    let is_inbox = name.eq_ignore_ascii_case("INBOX");
    if reference.len() + pattern.len() > PATTERN {
        return false;
    }
    let name: Vec<char> = name.chars().collect();
    let is_same = |one: char, other: char| one == other || is_inbox && one.eq_ignore_ascii_case(&other);
    // Which beginnings of the name fit what was read of the pattern.
    let mut fits = vec![false; name.len() + 1];
    fits[0] = true;
    for wanted in reference.chars().chain(pattern.chars()) {
        let mut next = vec![false; name.len() + 1];
        let is_any = matches!(wanted, '*' | '%');
        for (at, beginning_fits) in fits.iter().enumerate() {
            let here = is_any
                && (*beginning_fits
                    || at > 0 && next[at - 1] && (wanted == '*' || name[at - 1] != separator));
            let there = !is_any && at > 0 && fits[at - 1] && is_same(name[at - 1], wanted);
            next[at] = here || there;
        }
        fits = next;
    }
    fits[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_cross_levels_and_percent_signs_do_not() {
        for (name, reference, pattern, want) in [
            ("INBOX", "", "*", true),
            ("INBOX", "", "inbox", true),
            ("INBOX", "", "IN%", true),
            ("a/b", "", "*", true),
            ("a/b", "", "%", false),
            ("a", "", "%", true),
            ("a/b", "", "%/%", true),
            ("a/b/c", "", "a/%", false),
            ("a/b/c", "", "a/*", true),
            ("a/b", "a/", "%", true),
            ("a/b", "", "*b", true),
            ("a/b", "", "a%b", false),
            ("a/b", "", "A/b", false),
            ("a", "", "", false),
            ("", "", "", true),
            ("", "", "*%*", true),
            ("abc", "", "a**%c", true),
            ("gr\u{fc}n", "", "gr%n", true),
        ] {
            assert_eq!(fits_pattern(name, reference, pattern, '/'), want, "{name} {reference}{pattern}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let name = "a".repeat(1_000);
        assert!(!fits_pattern(&name, "", &format!("{}b", "*a".repeat(499)), '/'));
        assert!(!fits_pattern(&name, "", &"*".repeat(1_001), '/'));
    }
}
