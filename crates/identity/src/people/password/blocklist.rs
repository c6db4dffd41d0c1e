//! Passwords that are guessed first, compiled in (ID-4).

/// Sorted by bytes, in small letters; where it comes from stands in `common.md`.
const COMMON: &str = include_str!("common.txt");

/// Whether this is one of them. In small letters.
pub(crate) fn is_common(candidate: &str) -> bool {
    // Halves the text until it is one line; a line is never cut, because both ends are moved to the next line's beginning.
    let mut rest = COMMON;
    while !rest.is_empty() {
        let middle =
            rest.as_bytes()[..rest.len() / 2].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (before, after) = rest.split_at(middle);
        let (line, behind) = after.split_once('\n').unwrap_or((after, ""));
        match candidate.cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = before,
            std::cmp::Ordering::Greater => rest = behind,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_found_and_its_neighbours_are_not() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 3_000, "ID-4");
        assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "sorted, none twice");
        for line in lines {
            assert!(line.chars().count() >= 8 && line.to_lowercase() == line, "{line:?}");
            assert!(is_common(line), "{line:?}");
            assert!(
                !is_common(&format!("{line}\u{1}")) && !is_common(&line[..line.len() - 1]) || line.len() > 8
            );
        }
        for not in ["", "a", "~~~~~~~~~~~~", "correct horse battery staple", "password\n"] {
            assert!(!is_common(not), "{not:?}");
        }
    }
}
