//! The raw form: which keys were given, where, and with what, before any value is understood.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::key::{self, Key};
use super::nearest::{nearest_key, nearest_section, nearest_variable};
use super::problem::{Origin, Problem};
use super::providers::{self, GivenProviders};

/// Read by [`crate::master_key`], not a key of the file.
pub(crate) const MASTER_KEY_VARIABLE: &str = "GATEPOST_MASTER_KEY";

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<String>),
    /// From the environment: text that may stand for a number or, with commas, for a list.
    Word(String),
    /// A kind of value that no key takes, by its name in TOML.
    Other(&'static str),
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The keys that were given, by section and name.
#[derive(Default)]
pub(super) struct Raw {
    given: BTreeMap<(&'static str, &'static str), Given>,
    /// The sections of the file, also those without a key.
    sections: BTreeSet<String>,
    pub(super) providers: GivenProviders,
}

impl Raw {
    pub(super) fn take(&mut self, key: &Key) -> Option<Given> {
        self.given.remove(&(key.section, key.name))
    }

    /// Whether the section is there, or a key of it by a variable; to be asked before its keys are taken.
    pub(super) fn has_section(&self, name: &str) -> bool {
        self.sections.contains(name) || self.given.keys().any(|(section, _)| *section == name)
    }

    /// Reads the file's text. What is wrong goes to `problems`; what is right is kept.
    pub(super) fn read_file(&mut self, path: &Path, text: &str, problems: &mut Vec<Problem>) {
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let (line, column) = position(text, error.span());
                let text = error.message().lines().collect::<Vec<_>>().join(", ");
                return problems.push(Problem::Syntax { path: path.to_owned(), line, column, text });
            }
        };
        for (name, value) in &table {
            let origin = |span: Range<usize>| Origin::File {
                path: path.to_owned(),
                line: position(text, Some(span)).0,
            };
            let section: &str = name.get_ref();
            match value.get_ref() {
                DeValue::Table(inner) if providers::SECTIONS.contains(&section) => {
                    let known = providers::SECTIONS.into_iter().find(|it| *it == section);
                    self.providers.read(known.unwrap_or_default(), inner, &origin, problems)
                }
                DeValue::Table(inner) if key::sections().contains(&section) => {
                    self.sections.insert(section.to_owned());
                    for (name, value) in inner {
                        self.accept(section, name.get_ref(), value.get_ref(), origin(name.span()), problems);
                    }
                }
                DeValue::Table(_) if !key::names_in("").contains(&section) => {
                    problems.push(Problem::UnknownSection {
                        origin: origin(name.span()),
                        name: section.to_owned(),
                        known: key::sections().join(", "),
                        nearest: nearest_section(section),
                    });
                }
                value if key::sections().contains(&section) => problems.push(Problem::BadValue {
                    origin: origin(name.span()),
                    key: section.to_owned(),
                    found: format!("a {}", value.type_str()),
                    expects: "a section: its name in brackets on a line of its own, its keys below",
                    detail: String::new(),
                }),
                value => self.accept("", section, value, origin(name.span()), problems),
            }
        }
    }

    fn accept(
        &mut self,
        section: &str,
        name: &str,
        value: &DeValue<'_>,
        origin: Origin,
        problems: &mut Vec<Problem>,
    ) {
        match key::ALL.iter().find(|key| key.section == section && key.name == name) {
            Some(key) => {
                self.given.insert((key.section, key.name), Given { value: plain(value), origin });
            }
            None => problems.push(Problem::UnknownKey {
                origin,
                name: name.to_owned(),
                section: if section.is_empty() { String::new() } else { format!(" in [{section}]") },
                known: key::names_in(section).join(", "),
                nearest: nearest_key(section, name),
            }),
        }
    }

    /// Lays the environment over the file.
    pub(super) fn read_environment(
        &mut self,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        problems: &mut Vec<Problem>,
    ) {
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            if !name.starts_with(key::PREFIX) || name == MASTER_KEY_VARIABLE {
                continue;
            }
            if let Some(section) = providers::section_in(&name) {
                self.providers.read_variable(section, value, problems);
                continue;
            }
            let Some(key) = key::ALL.iter().find(|key| key.variable() == name) else {
                problems.push(Problem::UnknownVariable { nearest: nearest_variable(&name), name });
                continue;
            };
            match value.into_string() {
                Ok(value) => {
                    let given = Given { value: Value::Word(value), origin: Origin::Variable(name) };
                    self.given.insert((key.section, key.name), given);
                }
                Err(_) => problems.push(Problem::VariableNotText { name }),
            }
        }
    }
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(it) => Value::Boolean(*it),
        DeValue::Integer(it) => i64::from_str_radix(it.as_str(), it.radix())
            .map_or(Value::Other("a number too large"), Value::Integer),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts
                .collect::<Option<Vec<_>>>()
                .map_or(Value::Other("a list of something else than text"), Value::List)
        }
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Table(_) => Value::Other("a section"),
    }
}

/// Line and column, counted from 1, of the start of `span`.
fn position(text: &str, span: Option<Range<usize>>) -> (usize, usize) {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (1 + before.matches('\n').count(), 1 + before[line_start..].chars().count())
}
