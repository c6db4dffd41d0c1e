//! `[providers.NAME]`: providers that are added, and keys of known ones that are overruled. Which keys there are and what they
//! take is the providers' own business; this says where in the file each stands.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::sync::Arc;

use gatepost_providers::{Mistake, Overrule, Providers, Wrong};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::nearest::distance;
use super::problem::{Origin, Problem};

/// The section that holds them.
pub(super) const SECTION: &str = "providers";

/// Holds the text of such sections, without the word `providers` in front of their names.
pub(super) const VARIABLE: &str = "GATEPOST_PROVIDERS";

const A_SECTION: &str = "a section: its name in brackets on a line of its own, its keys below";

/// The sections as they were written, and where.
#[derive(Default)]
pub(super) struct GivenProviders {
    sections: BTreeMap<String, Table>,
    places: BTreeMap<Vec<String>, Origin>,
}

impl GivenProviders {
    /// Takes what stands in the file.
    pub(super) fn read(
        &mut self,
        providers: &DeTable<'_>,
        origin: &dyn Fn(Range<usize>) -> Origin,
        problems: &mut Vec<Problem>,
    ) {
        for (name, value) in providers {
            let (at, word) = (origin(name.span()), name.get_ref().to_string());
            match value.get_ref() {
                DeValue::Table(keys) => {
                    self.places.insert(vec![word.clone()], at);
                    let mut section = self.sections.remove(&word).unwrap_or_default();
                    self.lay(&mut section, keys, std::slice::from_ref(&word), origin);
                    self.sections.insert(word, section);
                }
                other => problems.push(Problem::BadValue {
                    origin: at,
                    key: format!("{SECTION}.{word}"),
                    found: kind(other.type_str()).to_owned(),
                    expects: A_SECTION,
                    detail: String::new(),
                }),
            }
        }
    }

    /// Takes what stands in the environment, over the file.
    pub(super) fn read_variable(&mut self, value: OsString, problems: &mut Vec<Problem>) {
        let origin = Origin::Variable(VARIABLE.to_owned());
        let Ok(text) = value.into_string() else {
            return problems.push(Problem::VariableNotText { name: VARIABLE.to_owned() });
        };
        match DeTable::parse(&text) {
            Ok(table) => self.read(table.get_ref(), &|_| origin.clone(), problems),
            Err(error) => problems.push(Problem::BadValue {
                origin,
                key: SECTION.to_owned(),
                found: "not TOML".to_owned(),
                expects: "sections such as [praxis] with their keys below",
                detail: format!(" ({})", error.message().lines().collect::<Vec<_>>().join(", ")),
            }),
        }
    }

    /// Key by key, so that two sources of one section become one.
    fn lay(
        &mut self,
        section: &mut Table,
        keys: &DeTable<'_>,
        path: &[String],
        origin: &dyn Fn(Range<usize>) -> Origin,
    ) {
        for (key, value) in keys {
            let name = key.get_ref().to_string();
            let here: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
            self.places.insert(here.clone(), origin(key.span()));
            let is_section = path.len() == 1 && matches!(name.as_str(), "oauth" | "limits");
            match value.get_ref() {
                DeValue::Table(inner) if is_section => {
                    let before = section.remove(&name);
                    let mut own = before.and_then(|it| it.as_table().cloned()).unwrap_or_default();
                    self.lay(&mut own, inner, &here, origin);
                    section.insert(name, Value::Table(own));
                }
                other => {
                    section.insert(name, owned(other));
                }
            }
        }
    }

    /// The providers of this installation; the compiled-in ones where `problems` says what is wrong.
    pub(super) fn understand(
        self,
        allows_private_addresses: bool,
        problems: &mut Vec<Problem>,
    ) -> Arc<Providers> {
        let overrule = Overrule { providers: self.sections.clone(), allows_private_addresses };
        match Providers::with(&overrule) {
            Ok(providers) => providers,
            Err(mistakes) => {
                problems.extend(mistakes.into_iter().map(|it| self.problem(it)));
                Providers::embedded()
            }
        }
    }

    fn problem(&self, mistake: Mistake) -> Problem {
        let Mistake { path, wrong } = mistake;
        let mut places = (0..=path.len()).rev().filter_map(|n| self.places.get(&path[..n]));
        let origin = places.next().or(self.places.values().next()).cloned();
        let origin = origin.unwrap_or_else(|| Origin::Variable(VARIABLE.to_owned()));
        let (name, above) =
            path.split_last().map_or((String::new(), &path[..]), |(it, above)| (it.clone(), above));
        match wrong {
            Wrong::Unknown { known } => {
                let nearest = known.iter().min_by_key(|it| distance(&name, it)).copied().unwrap_or_default();
                Problem::UnknownKey {
                    origin,
                    section: format!(" in [{SECTION}.{}]", above.join(".")),
                    known: known.join(", "),
                    nearest: format!("Did you mean \"{nearest}\"?"),
                    name,
                }
            }
            Wrong::Value { expects } => Problem::BadValue {
                origin,
                key: format!("{SECTION}.{}", path.join(".")),
                found: self.find(&path).map_or_else(String::new, shown),
                expects,
                detail: String::new(),
            },
            Wrong::Together(text) => Problem::Provider { origin, name: path.join("."), text },
        }
    }

    fn find(&self, path: &[String]) -> Option<&Value> {
        let (section, keys) = path.split_first()?;
        let (first, rest) = keys.split_first()?;
        rest.iter().try_fold(self.sections.get(section)?.get(first)?, |value, key| value.get(key))
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Integer(it) => it.to_string(),
        Value::Boolean(it) => it.to_string(),
        Value::Array(items) if items.iter().all(Value::is_str) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            format!("{texts:?}")
        }
        other => format!("{} that does not fit", kind(other.type_str())),
    }
}

/// A kind of value as people say it.
fn kind(of_toml: &str) -> &'static str {
    match of_toml {
        "string" => "a text",
        "integer" | "float" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "table" => "a table",
        _ => "a date",
    }
}

fn owned(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(it) => Value::Boolean(*it),
        // What is too large for a number fits nowhere.
        DeValue::Integer(it) => {
            i64::from_str_radix(it.as_str(), it.radix()).map_or(Value::Float(0.0), Value::Integer)
        }
        DeValue::Float(_) => Value::Float(0.0),
        DeValue::Datetime(it) => Value::Datetime(*it),
        DeValue::Array(items) => Value::Array(items.iter().map(|it| owned(it.get_ref())).collect()),
        DeValue::Table(keys) => Value::Table(
            keys.iter().map(|(key, it)| (key.get_ref().to_string(), owned(it.get_ref()))).collect(),
        ),
    }
}
