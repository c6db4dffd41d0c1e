//! `[providers.NAME]`, `[rules.NAME]`, `[guides.KIND.NAME]`: what is added to the data about providers, and keys of it that are
//! overruled. Which keys there are and what they take is the providers' own business; this says where in the file each stands.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::sync::Arc;

use gatepost_providers::{Mistake, Overrule, Providers, Wrong};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::key::PREFIX;
use super::nearest::distance;
use super::problem::{Origin, Problem};

/// The sections that hold them.
pub(super) const SECTIONS: [&str; 3] = [PROVIDERS, RULES, GUIDES];
const PROVIDERS: &str = "providers";
const RULES: &str = "rules";
const GUIDES: &str = "guides";

/// The section whose text this variable holds, without the section's name in front of the names in it.
pub(super) fn section_in(variable: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|it| self::variable(it) == variable)
}

fn variable(section: &str) -> String {
    format!("{PREFIX}{}", section.to_ascii_uppercase())
}

const A_SECTION: &str = "a section: its name in brackets on a line of its own, its keys below";

/// The sections as they were written, and where.
#[derive(Default)]
pub(super) struct GivenProviders {
    /// By section and name.
    sections: BTreeMap<&'static str, BTreeMap<String, Table>>,
    /// By section, name, and what stands below.
    places: BTreeMap<Vec<String>, Origin>,
}

impl GivenProviders {
    /// Takes what stands in the file.
    pub(super) fn read(
        &mut self,
        section: &'static str,
        tables: &DeTable<'_>,
        origin: &dyn Fn(Range<usize>) -> Origin,
        problems: &mut Vec<Problem>,
    ) {
        for (name, value) in tables {
            let (at, word) = (origin(name.span()), name.get_ref().to_string());
            match value.get_ref() {
                DeValue::Table(keys) => {
                    let path = [section.to_owned(), word.clone()];
                    self.places.insert(path.to_vec(), at);
                    let of_section = self.sections.entry(section).or_default();
                    let mut own = of_section.remove(&word).unwrap_or_default();
                    self.lay(&mut own, keys, &path, origin);
                    self.sections.entry(section).or_default().insert(word, own);
                }
                other => problems.push(Problem::BadValue {
                    origin: at,
                    key: format!("{section}.{word}"),
                    found: kind(other.type_str()).to_owned(),
                    expects: A_SECTION,
                    detail: String::new(),
                }),
            }
        }
    }

    /// Takes what stands in the environment, over the file.
    pub(super) fn read_variable(
        &mut self,
        section: &'static str,
        value: OsString,
        problems: &mut Vec<Problem>,
    ) {
        let name = variable(section);
        let origin = Origin::Variable(name.clone());
        let Ok(text) = value.into_string() else {
            return problems.push(Problem::VariableNotText { name });
        };
        match DeTable::parse(&text) {
            Ok(table) => self.read(section, table.get_ref(), &|_| origin.clone(), problems),
            Err(error) => problems.push(Problem::BadValue {
                origin,
                key: section.to_owned(),
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
            let is_section = match path {
                [section, _] if section == PROVIDERS => matches!(name.as_str(), "oauth" | "limits"),
                [section, _] => section == GUIDES,
                _ => false,
            };
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
        mut self,
        allows_private_addresses: bool,
        problems: &mut Vec<Problem>,
    ) -> Arc<Providers> {
        let mut given = |section| self.sections.remove(section).unwrap_or_default();
        let (providers, rules, guides) = (given(PROVIDERS), given(RULES), given(GUIDES));
        let overrule = Overrule { providers, rules, guides, allows_private_addresses };
        match Providers::with(&overrule) {
            Ok(providers) => providers,
            Err(mistakes) => {
                problems.extend(mistakes.into_iter().map(|it| self.problem(&overrule, it)));
                Providers::embedded()
            }
        }
    }

    fn problem(&self, overrule: &Overrule, mistake: Mistake) -> Problem {
        let Mistake { path, wrong } = mistake;
        let mut places = (0..=path.len()).rev().filter_map(|n| self.places.get(&path[..n]));
        let origin = places.next().or(self.places.values().next()).cloned();
        let origin = origin.unwrap_or_else(|| Origin::Variable(variable(PROVIDERS)));
        let (name, above) =
            path.split_last().map_or((String::new(), &path[..]), |(it, above)| (it.clone(), above));
        match wrong {
            Wrong::Unknown { known } => {
                let nearest = known.iter().min_by_key(|it| distance(&name, it)).copied().unwrap_or_default();
                Problem::UnknownKey {
                    origin,
                    section: format!(" in [{}]", above.join(".")),
                    known: known.join(", "),
                    nearest: format!("Did you mean \"{nearest}\"?"),
                    name,
                }
            }
            Wrong::Value { expects } => Problem::BadValue {
                origin,
                key: path.join("."),
                found: find(overrule, &path).map_or_else(|| "a section".to_owned(), shown),
                expects,
                detail: String::new(),
            },
            Wrong::Together(text) => Problem::Provider { origin, name: path.join("."), text },
        }
    }
}

fn find<'a>(overrule: &'a Overrule, path: &[String]) -> Option<&'a Value> {
    let [section, name, first, rest @ ..] = path else { return None };
    let tables = match section.as_str() {
        RULES => &overrule.rules,
        GUIDES => &overrule.guides,
        _ => &overrule.providers,
    };
    rest.iter().try_fold(tables.get(name)?.get(first)?, |value, key| value.get(key))
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
