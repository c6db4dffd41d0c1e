//! Every cited RFC stands in `rfc/index.txt`, which says how much of it is obeyed.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, House};

const INDEX: &str = "rfc/index.txt";

static CITED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\bRFCs? ?(\d{3,5})\b").expect("the pattern is constant"));

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed = BTreeSet::new();
    for (line, n) in house.find(INDEX).unwrap_or_default().lines().zip(1..) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match number(line) {
            Some(rfc) if listed.insert(rfc) => {}
            Some(rfc) => {
                findings.push(finding(INDEX, n, format!("RFC {rfc} is listed twice: keep one line")))
            }
            None => findings.push(finding(INDEX, n, "write `NUMBER yes|partial|no TITLE`".to_owned())),
        }
    }
    let files =
        house.ending(".rs").chain(house.ending(".md")).filter(|(path, _)| !path.starts_with("xtask/"));
    for (path, text) in files {
        for (line, n) in text.lines().zip(1..) {
            for rfc in CITED.captures_iter(line).filter_map(|found| found[1].parse::<u32>().ok()) {
                if !listed.contains(&rfc) {
                    findings.push(finding(
                        path,
                        n,
                        format!("RFC {rfc} is not in {INDEX}: add it, and how much is obeyed"),
                    ));
                }
            }
        }
    }
    findings
}

fn finding(path: &str, line: usize, text: String) -> Finding {
    Finding { file: path.to_owned(), line, rule: "rfc", text }
}

/// The number at the start of a well-formed line.
fn number(line: &str) -> Option<u32> {
    let mut words = line.split_whitespace();
    let number = words.next()?.parse().ok()?;
    matches!(words.next()?, "yes" | "partial" | "no").then_some(())?;
    words.next().map(|_| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rfc_that_is_cited_but_not_listed_is_found() {
        let index = (INDEX, "# Comment\n5321 partial Simple Mail Transfer Protocol\n");
        let found = |text| check(&House::of(&[index, ("crates/wire/src/lib.rs", text)])).len();
        assert_eq!(found("// RFC 5321 §4.5: so"), 0);
        assert_eq!(found("// RFC 5321, and\n// RFC 9999 §1"), 1);
    }

    #[test]
    fn a_crooked_index_is_found() {
        let found = |text| check(&House::of(&[(INDEX, text)])).len();
        assert_eq!(found("5321 yes Mail\n5321 no Mail\n"), 1);
        assert_eq!(found("5321 maybe Mail\n"), 1);
        assert_eq!(found("5321 yes\n"), 1);
    }
}
