//! Nothing is left for later, and no file grows past reading.

use super::source::{Kind, line_at};
use super::{Finding, House};

/// Words that mean "not finished".
const LATER: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];
/// Code that means the same.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "#[ignore"];
/// Production lines of one file; style: 250 is normal, at 500 look again.
const MOST_LINES: usize = 800;

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |file: &str, line, rule, text: String| {
        findings.push(Finding { file: file.to_owned(), line, rule, text });
    };
    for source in house.sources() {
        for (kind, words) in [(Kind::Comment, LATER), (Kind::Code, UNFINISHED)] {
            for piece in source.of_kind(kind) {
                for (offset, word) in words.iter().flat_map(|word| piece.text.match_indices(word)) {
                    let line = line_at(piece, offset);
                    find(
                        source.path,
                        line,
                        "later",
                        format!("{word}: do it now, or leave it out and say what is missing"),
                    );
                }
            }
        }
        let n_lines = source.n_production_lines(house.find(source.path).unwrap_or_default());
        if n_lines > MOST_LINES {
            let text = format!("{n_lines} lines besides tests: split it by noun or command");
            find(source.path, 0, "length", text);
        }
    }
    for (path, text) in house.ending(".md").chain(house.ending(".toml")).chain(house.ending(".sql")) {
        for (line, n) in text.lines().zip(1..) {
            for word in LATER.iter().filter(|word| line.contains(**word)) {
                find(path, n, "later", format!("{word}: do it now, or leave it out and say what is missing"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_for_later_is_found_in_code_and_comments_alone() {
        let found = |text| check(&House::of(&[("crates/x/src/lib.rs", text)])).len();
        assert_eq!(found("fn f() {} // TODO: more"), 1);
        assert_eq!(found("fn f() { todo!() }\n#[ignore]\nfn g() {}"), 2);
        assert_eq!(found("const WORD: &str = \"TODO todo!\";"), 0);
    }

    #[test]
    fn a_file_too_long_to_read_is_found_and_its_tests_do_not_count() {
        let found = |text: &str| check(&House::of(&[("crates/x/src/lib.rs", text)])).len();
        assert_eq!(found(&"fn f() {}\n".repeat(801)), 1);
        assert_eq!(found(&format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "fn f() {}\n".repeat(801))), 0);
    }
}
