//! What the configuration says over guides: `[guides.KIND.NAME]` adds one or overrules keys of one.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::file::{self, Guides};
use crate::key::{self, Key};
use crate::providers::{Mistake, Wrong, in_words, note_faults};

/// The section of the configuration.
const SECTION: &str = "guides";

/// The kinds of guides, and their keys.
const KINDS: [(&str, &[Key]); 3] =
    [("app_passwords", key::GUIDE), ("notes", key::NOTE), ("registrations", key::REGISTRATION)];

/// The guides of `text` with these sections over them, by kind, or everything that is wrong.
pub(crate) fn with(text: &str, own: &BTreeMap<String, Table>) -> Result<Guides, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut whole: Table = text.parse().expect("loaded by a test");
    for (kind, tables) in own {
        let path = vec![SECTION.to_owned(), kind.clone()];
        let Some((_, keys)) = KINDS.iter().find(|(word, _)| word == kind) else {
            let known = KINDS.iter().map(|(word, _)| *word).collect();
            mistakes.push(Mistake { path, wrong: Wrong::Unknown { known } });
            continue;
        };
        for (name, table) in tables {
            let path: Vec<String> = path.iter().chain([name]).cloned().collect();
            let n_before = mistakes.len();
            let Some(table) = table.as_table() else {
                mistakes.push(Mistake { path, wrong: Wrong::Value { expects: "a section of its own" } });
                continue;
            };
            note_faults(&path, table, keys, &[], &mut mistakes);
            if mistakes.len() > n_before {
                continue;
            }
            if let Err(text) = lay(&mut whole, kind, name, table) {
                mistakes.push(Mistake { path, wrong: Wrong::Together(text) });
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let together = |text| vec![Mistake { path: vec![SECTION.to_owned()], wrong: Wrong::Together(text) }];
    file::from_table(whole).map_err(|error| together(in_words(&error)))
}

fn lay(whole: &mut Table, kind: &str, name: &str, table: &Table) -> Result<(), String> {
    if !key::is_plain_word(name) {
        return Err("the name of a guide has small letters, digits, _ and - alone".to_owned());
    }
    let of_kind = whole.get_mut(kind).and_then(Value::as_table_mut).expect("the data has every kind");
    let entry = of_kind.entry(name).or_insert_with(|| Value::Table(Table::new()));
    if let Some(entry) = entry.as_table_mut() {
        entry.extend(table.clone());
    }
    file::check(kind, name, entry.clone()).map_err(|error| in_words(&error))
}
