//! A room's tables are named in its `sql.rs` and its migrations, and SQL stands nowhere else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::house::room_of;
use super::source::{Kind, line_at};
use super::{Finding, House};

/// Text that is a statement and not a sentence. Keywords are upper case by the rules of the house; lower case that
/// begins a literal counts too, so that nobody slips by in small letters.
static STATEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let text = r"(?s)\bSELECT\b.*\bFROM\b|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\b(CREATE|DROP|ALTER)\s+(UNIQUE\s+)?(TABLE|INDEX)\b";
    Regex::new(&format!(r"{text}|(?i:^\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s+\w+(\s+where|\s*$)))"))
        .expect("the pattern is constant")
});
static CREATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)").expect("the pattern is constant")
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:FROM|JOIN|INTO|UPDATE|TABLE|ON|EXISTS|,)\s+(\w+)").expect("the pattern is constant")
});

pub(super) fn check(house: &House) -> Vec<Finding> {
    let owners = owners(house);
    let mut findings = Vec::new();
    for (path, text) in house.ending(".sql") {
        findings.extend(foreign(&owners, path, 1, text));
    }
    for source in house.sources().filter(|it| room_of(it.path).is_some()) {
        let may_hold_sql = source.path.ends_with("/sql.rs") || source.path.contains("/sql/");
        for piece in source.of_kind(Kind::Text) {
            let Some(statement) = STATEMENT.find(piece.text) else { continue };
            findings.extend(foreign(&owners, source.path, piece.line, piece.text));
            let line = line_at(piece, statement.start());
            if !may_hold_sql && source.is_production(line) {
                let text =
                    "SQL outside sql.rs: make it a named constant of this room's src/sql.rs".to_owned();
                findings.push(Finding { file: source.path.to_owned(), line, rule: "tables", text });
            }
        }
    }
    findings
}

/// Which room makes which table.
fn owners(house: &House) -> BTreeMap<String, String> {
    let migrations = house.ending(".sql").filter(|(path, _)| path.contains("/migrations/"));
    migrations
        .filter_map(|(path, text)| Some((room_of(path)?, text)))
        .flat_map(|(room, text)| {
            CREATED.captures_iter(text).map(|found| (found[1].to_ascii_lowercase(), room.to_owned()))
        })
        .collect()
}

/// Tables of other rooms that a statement names.
fn foreign(owners: &BTreeMap<String, String>, path: &str, from_line: usize, text: &str) -> Vec<Finding> {
    let Some(room) = room_of(path) else { return Vec::new() };
    let mut findings = Vec::new();
    for (line, n) in text.lines().zip(from_line..) {
        for named in NAMED.captures_iter(line) {
            let table = named[1].to_ascii_lowercase();
            if let Some(owner) = owners.get(&table).filter(|owner| *owner != room) {
                let text =
                    format!("the table {table} belongs to {owner}: ask that room through a function of its");
                findings.push(Finding { file: path.to_owned(), line: n, rule: "tables", text });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIGRATION: (&str, &str) =
        ("crates/delivery/migrations/0001.sql", "CREATE TABLE delivery (id UUID);");

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&House::of(&[MIGRATION, (path, text)])).iter().map(|it| it.line).collect()
    }

    #[test]
    fn a_table_of_another_room_is_found_wherever_it_is_named() {
        let text = "const FIND: &str = \"\n    SELECT id\n    FROM delivery\";\n";
        assert!(lines("crates/delivery/src/sql.rs", text).is_empty());
        assert_eq!(lines("crates/accounts/src/sql.rs", text), [3]);
        assert_eq!(
            lines("crates/accounts/src/sql.rs", "const X: &str = \"UPDATE delivery SET x = 1\";"),
            [1]
        );
        assert_eq!(lines("crates/accounts/migrations/0001.sql", "CREATE INDEX a ON delivery (id);"), [1]);
        let test = "#[cfg(test)]\nmod tests {\n    const X: &str = \"DELETE FROM delivery\";\n}\n";
        assert_eq!(lines("crates/accounts/src/x.rs", test), [3]);
    }

    #[test]
    fn statements_outside_sql_rs_are_found_and_sentences_are_not() {
        for statement in
            ["SELECT 1 FROM x", "INSERT INTO x", "UPDATE x SET y", "delete from x", "CREATE TABLE x"]
        {
            assert_eq!(lines("crates/store/src/x.rs", &format!("f(\"{statement}\")")), [1], "{statement}");
        }
        for sentence in
            ["SELECT INBOX", "cannot delete from the outbox", "mail FROM", "select one from the list"]
        {
            let want: &[usize] = if sentence.starts_with("select") { &[1] } else { &[] };
            assert_eq!(lines("crates/store/src/x.rs", &format!("f(\"{sentence}\")")), want, "{sentence}");
        }
    }
}
