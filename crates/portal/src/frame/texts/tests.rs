//! The file of texts against the templates and sources that use it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// All templates and sources of this room but their tests.
fn sources() -> Vec<(PathBuf, String)> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![room.join("src"), room.join("templates")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // What stands behind this line is a test.
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path, text));
            }
        }
    }
    found
}

/// The string literals in `text` behind one of `calls`.
fn asked(text: &str, calls: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for call in calls {
        for (at, _) in text.match_indices(call) {
            let behind = text[at + call.len()..].trim_start();
            if let Some((key, _)) = behind.strip_prefix('"').and_then(|it| it.split_once('"')) {
                found.push(key.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_text_that_is_asked_for_is_there() {
    let texts = Texts::english();
    for (path, text) in sources() {
        for key in asked(&text, &[".of(", ".fill("]) {
            assert!(texts.of.contains_key(&key), "{}: {key} is missing", path.display());
        }
        for key in asked(&text, &[".count("]) {
            for form in ["one", "many"] {
                let key = format!("{key}.{form}");
                assert!(texts.of.contains_key(&key), "{}: {key} is missing", path.display());
            }
        }
    }
}

#[test]
fn every_text_that_is_there_is_asked_for() {
    let all: String = sources().into_iter().map(|(_, text)| text).collect();
    let unused: BTreeSet<_> = Texts::english()
        .of
        .keys()
        .filter(|key| {
            let plural = key.strip_suffix(".one").or_else(|| key.strip_suffix(".many"));
            let is_asked = |key: &str| all.contains(&format!("\"{key}\""));
            !is_asked(key) && !plural.is_some_and(is_asked)
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn sections_stand_in_alphabetical_order() {
    let file = include_str!("../../../texts/en.toml");
    let sections: Vec<_> = file.lines().filter(|it| it.starts_with('[')).collect();
    assert!(sections.is_sorted(), "{sections:?}");
}

#[test]
fn values_are_put_in_once() {
    let texts =
        Texts::parse("[x]\na = \"{one} and {two}.\"\nb.one = \"{n} letter\"\nb.many = \"{n} letters\"");
    assert_eq!(texts.fill("x.a", &[("one", "{two}"), ("two", "2")]), "{two} and 2.");
    assert_eq!(texts.count("x.b", 1, &[]), "1 letter");
    assert_eq!(texts.count("x.b", 0, &[]), "0 letters");
    assert_eq!(texts.count("x.b", 1_234_567, &[]), "1,234,567 letters");
}
