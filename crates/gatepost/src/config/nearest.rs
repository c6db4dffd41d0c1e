//! What someone may have meant.

use super::key::{ALL, Key, sections};

/// A sentence that names the known key nearest to `name` in `section`, also when it belongs elsewhere.
pub(super) fn nearest_key(section: &str, name: &str) -> String {
    // A key of the right section is the better guess when two are alike.
    let cost = |key: &Key| 2 * distance(name, key.name) + usize::from(key.section != section);
    let Some(key) = ALL.iter().min_by_key(|key| cost(key)) else { return String::new() };
    let place = match key.section {
        it if it == section => String::new(),
        "" => " at the top of the file".to_owned(),
        it => format!(" in [{it}]"),
    };
    format!("Did you mean \"{}\"{place}?", key.name)
}

/// A sentence that names the known section nearest to `name`.
pub(super) fn nearest_section(name: &str) -> String {
    let nearest = sections().into_iter().min_by_key(|it| distance(name, it)).unwrap_or_default();
    format!("Did you mean [{nearest}]?")
}

/// A sentence that names the known environment variable nearest to `name`.
pub(super) fn nearest_variable(name: &str) -> String {
    let nearest = ALL.iter().map(Key::variable).min_by_key(|it| distance(name, it)).unwrap_or_default();
    format!("Did you mean {nearest}?")
}

/// The known word that is meant, if one is near: not more than a third of its letters are others.
pub(crate) fn nearest_of<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let nearest = known.iter().min_by_key(|it| distance(word, it))?;
    (3 * distance(word, nearest) <= nearest.len()).then_some(*nearest)
}

/// How many letters must be added, removed, changed or swapped with their neighbour to make one text the other
/// (optimal string alignment).
pub(super) fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) =
        (one.to_lowercase().chars().collect(), other.to_lowercase().chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let changed = last[j] + usize::from(a != b);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_distance_counts_slips_of_the_hand() {
        for (one, other, n) in [
            ("", "", 0),
            ("", "tls", 3),
            ("tls", "tls", 0),
            ("TLS", "tls", 0),
            ("tsl", "tls", 1),
            ("tlss", "tls", 1),
            ("tl", "tls", 1),
            ("tla", "tls", 1),
            ("starttls", "tls", 5),
        ] {
            assert_eq!(distance(one, other), n, "{one} {other}");
        }
    }

    #[test]
    fn a_word_is_guessed_only_if_it_is_near() {
        let known = ["gmail", "microsoft365", "yahoo"];
        for (word, meant) in [
            ("gmial", Some("gmail")),
            ("google", None),
            ("microsoft356", Some("microsoft365")),
            ("microsoft", Some("microsoft365")),
            ("x", None),
        ] {
            assert_eq!(nearest_of(word, &known), meant, "{word}");
        }
    }

    proptest! {
        #[test]
        fn the_distance_is_the_same_from_both_sides(one in "[a-z_]{0,12}", other in "[a-z_]{0,12}") {
            prop_assert_eq!(distance(&one, &other), distance(&other, &one));
            prop_assert_eq!(distance(&one, &other) == 0, one == other);
            prop_assert!(distance(&one, &other) <= one.len().max(other.len()));
        }
    }
}
