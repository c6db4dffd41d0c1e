//! Every promise that is called done names a test that exists.

use std::sync::LazyLock;

use regex::Regex;

use super::{Finding, House};

const PROMISES: &str = "docs/promises.md";

static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").expect("the pattern is constant"));

pub(super) fn check(house: &House) -> Vec<Finding> {
    let Some(text) = house.find(PROMISES) else {
        return vec![finding(0, "is missing: it maps each promise to its test".to_owned())];
    };
    let rows = text.lines().zip(1..).filter(|(line, _)| line.starts_with('|'));
    rows.filter(|(line, _)| !is_head(line)).flat_map(|(line, n)| check_row(house, line, n)).collect()
}

fn finding(line: usize, text: String) -> Finding {
    Finding { file: PROMISES.to_owned(), line, rule: "promises", text }
}

fn is_head(line: &str) -> bool {
    line.starts_with("| line ") || line.chars().all(|c| matches!(c, '|' | '-' | ' ' | ':'))
}

fn check_row(house: &House, line: &str, n: usize) -> Vec<Finding> {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    let &[_, _, tests, state] = cells.as_slice() else {
        return vec![finding(
            n,
            format!("has {} cells instead of 4: line, promise, tests, done or not", cells.len()),
        )];
    };
    let named: Vec<&str> =
        QUOTED.captures_iter(tests).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    let mut findings = match state {
        "done" if named.is_empty() => vec![finding(n, "is called done without a test: name one".to_owned())],
        "done" | "not" => Vec::new(),
        _ => vec![finding(n, format!("ends with {state:?}: write done or not"))],
    };
    findings.extend(
        named.into_iter().filter_map(|test| explain_absence(house, test).map(|text| finding(n, text))),
    );
    findings
}

/// Why `FOLDER PATH` names no test; `None` if it does.
fn explain_absence(house: &House, test: &str) -> Option<String> {
    let Some((folder, path)) = test.split_once(' ') else {
        return Some(format!(
            "`{test}` is not of the form `crates/wire smtp::data::tests::name` or `tests first_letter::name`"
        ));
    };
    let (modules, name) = path.rsplit_once("::").unwrap_or(("", path));
    let modules: Vec<&str> = modules.split("::").filter(|it| !it.is_empty()).collect();
    let sources = format!("{folder}/src/");
    let base = if house.has(sources.trim_end_matches('/')) { sources } else { format!("{folder}/") };
    let is_there = house.ending(".rs").any(|(file, text)| {
        let Some(inner) = file.strip_prefix(&base).map(module_path) else { return false };
        let Some(rest) = modules.strip_prefix(inner.as_slice()) else { return false };
        rest.iter().all(|it| holds_module(text, it)) && holds_test(text, name)
    });
    (!is_there).then(|| format!("there is no test `{test}`: correct the name, or write it"))
}

/// `smtp/data/tests.rs` holds the module `smtp::data::tests`.
fn module_path(file: &str) -> Vec<&str> {
    let stem = file.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').filter(|it| !matches!(*it, "lib" | "main")).collect()
}

fn holds_module(text: &str, name: &str) -> bool {
    // The two come from `on_both_engines!`.
    let is_engine = matches!(name, "sqlite" | "postgres") && text.contains("on_both_engines!");
    is_engine
        || text
            .lines()
            .any(|line| line.trim_start().trim_start_matches("pub ").starts_with(&format!("mod {name} ")))
}

/// Whether a function of that name is there and is a test: by an attribute above it, or listed in `on_both_engines!`.
fn holds_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_it = |line: &str| {
        let rest = line.split_once("fn ").map(|(_, rest)| rest);
        rest.and_then(|it| it.strip_prefix(name)).is_some_and(|it| it.starts_with(['(', '<']))
    };
    let Some(at) = lines.iter().position(|line| is_it(line)) else { return false };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let mut above = above.filter(|line| line.starts_with("#["));
    above.any(|line| line.starts_with("#[test]") || line.contains("::test")) || is_listed(text, name)
}

fn is_listed(text: &str, name: &str) -> bool {
    text.split("on_both_engines!").skip(1).any(|rest| {
        let list = rest.split_once([')', '}', ']']).map_or(rest, |(list, _)| list);
        list.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: (&str, &str) = (
        "crates/wire/src/smtp/data.rs",
        "mod tests {\n    #[test]\n    /// Why.\n    fn a_dot_ends_it() {}\n    fn no_test() {}\n}\n",
    );
    const CONTRACT: (&str, &str) = (
        "crates/store/tests/contract.rs",
        "on_both_engines!(a_lease_is_exclusive, b);\nasync fn a_lease_is_exclusive(store: Store) {}\n",
    );
    const DRIVEN: (&str, &str) =
        ("tests/first_letter.rs", "#[tokio::test(flavor = \"x\")]\nasync fn it_arrives() {}\n");

    #[track_caller]
    fn check_rows(row: &str, want: Option<&str>) {
        let found = check(&House::of(&[ROOM, CONTRACT, DRIVEN, (PROMISES, row)]));
        match want {
            None => assert_eq!(found, []),
            Some(want) => assert!(found.len() == 1 && found[0].text.contains(want), "{found:?}"),
        }
    }

    #[test]
    fn a_promise_with_its_test_is_kept() {
        check_rows("| line | promise | tests | state |\n|---|---|---|---|", None);
        check_rows("| SS-1 | x | `crates/wire smtp::data::tests::a_dot_ends_it` | done |", None);
        check_rows("| SS-1 | x | `tests first_letter::it_arrives` | done |", None);
        check_rows(
            "| SS-1 | x | `crates/store/tests contract::postgres::a_lease_is_exclusive` | done |",
            None,
        );
        check_rows("| SS-1 | x | – | not |", None);
    }

    #[test]
    fn a_promise_without_its_test_is_found() {
        check_rows("| SS-1 | x | – | done |", Some("without a test"));
        check_rows("| SS-1 | x | `crates/wire smtp::data::tests::gone` | done |", Some("no test"));
        check_rows("| SS-1 | x | `crates/wire smtp::data::tests::no_test` | done |", Some("no test"));
        check_rows("| SS-1 | x | `crates/wire smtp::tests::a_dot_ends_it` | done |", Some("no test"));
        check_rows("| SS-1 | x | `a_dot_ends_it` | done |", Some("form"));
        check_rows("| SS-1 | x | – | soon |", Some("write done or not"));
        check_rows("| SS-1 | x | done |", Some("3 cells"));
    }
}
