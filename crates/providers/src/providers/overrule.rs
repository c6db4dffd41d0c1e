//! What the configuration says over the data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::{Table, Value};

use super::{Files, Providers};
use crate::catalogue::overrule as rule_overrule;
use crate::guide::file::Guides;
use crate::guide::overrule as guide_overrule;
use crate::key::{self, Fault, Key};
use crate::preset::file::{OWN_LIMITS, PresetFile};
use crate::service::file as service_file;

/// What the configuration says over the data, by name, as it was written.
#[derive(Clone, Debug, Default)]
pub struct Overrule {
    /// The keys of each `[providers.NAME]`.
    pub providers: BTreeMap<String, Table>,
    /// The keys of each `[rules.NAME]`.
    pub rules: BTreeMap<String, Table>,
    /// Of each `[guides.KIND.NAME]`, by kind.
    pub guides: BTreeMap<String, Table>,
    /// Whether any address was opened by name: only then can an OAuth service be reached without TLS (OC-5).
    pub allows_private_addresses: bool,
}

/// The first word of a provider's path.
const SECTION: &str = "providers";

/// Something wrong in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where: `providers`, the provider, perhaps `oauth` or `limits`, perhaps a key; `rules`, the rule, …
    pub path: Vec<String>,
    /// What.
    pub wrong: Wrong,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No such key.
    Unknown {
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// The value does not fit.
    Value {
        /// What does; ends the sentence "… expected".
        expects: &'static str,
    },
    /// Each key fits, but not all of them together, in words.
    Together(String),
}

impl Providers {
    /// The compiled-in providers with these sections over them, or everything that is wrong.
    pub fn with(overrule: &Overrule) -> Result<Arc<Self>, Vec<Mistake>> {
        let Overrule { providers, rules, guides, .. } = overrule;
        if providers.is_empty() && rules.is_empty() && guides.is_empty() {
            return Ok(Self::embedded());
        }
        let guides = guide_overrule::with(Files::EMBEDDED.guides, guides);
        let with_presets = Self::with_presets(overrule, guides.as_ref().ok());
        let mut kinds = with_presets.as_deref().unwrap_or(&Self::embedded()).kinds();
        kinds.extend(providers.values().filter_map(|it| it.get("kind")?.as_str().map(str::to_owned)));
        let catalogue = if rules.is_empty() {
            Ok(None)
        } else {
            let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
            rule_overrule::with(rules, &kinds).map(|it| Some(Arc::new(it)))
        };
        match (with_presets, guides, catalogue) {
            (Ok(it), Ok(_), Ok(catalogue)) => {
                Ok(Arc::new(Self { own_catalogue: catalogue, ..Arc::unwrap_or_clone(it) }))
            }
            (presets, guides, catalogue) => {
                let presets = presets.err().into_iter().flatten();
                Err(presets
                    .chain(guides.err().into_iter().flatten())
                    .chain(catalogue.err().into_iter().flatten())
                    .collect())
            }
        }
    }

    /// The kinds of providers and services, each once, sorted.
    fn kinds(&self) -> BTreeSet<String> {
        let kinds = self.presets.iter().map(|it| &it.kind).chain(self.services.iter().map(|it| &it.kind));
        kinds.cloned().collect()
    }

    /// Where a guide is wrong, `guides` is empty: what names it is not wrong for that.
    fn with_presets(overrule: &Overrule, guides: Option<&Guides>) -> Result<Arc<Self>, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        for (name, table) in &overrule.providers {
            check(name, table, overrule.allows_private_addresses, &mut mistakes);
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let Some(guides) = guides else { return Ok(Self::embedded()) };
        let mut presets = PresetFile::read(Files::EMBEDDED.presets).expect("loaded by a test");
        let mut services = service_file::read(Files::EMBEDDED.services).expect("loaded by a test");
        for (name, table) in &overrule.providers {
            lay(name, table, &mut presets, &mut services);
        }
        // One by one first, so that the mistake names its section.
        for name in overrule.providers.keys() {
            let together = |text: String| Mistake {
                path: vec![SECTION.to_owned(), name.clone()],
                wrong: Wrong::Together(text),
            };
            if let Err(error) = presets.preset(name) {
                mistakes.push(together(in_words(&error)));
            }
            let service = services.get(name).and_then(Value::as_table);
            if let Some(Err(error)) = service.map(|table| service_file::service(name, table)) {
                let path = [SECTION, name, "oauth"].map(str::to_owned).to_vec();
                mistakes.push(Mistake { path, wrong: Wrong::Together(in_words(&error)) });
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Self::build(&presets, &services, guides.clone()).map(Arc::new).map_err(|error| {
            let text = in_words(&error);
            let name = overrule.providers.keys().find(|name| text.starts_with(&format!("{name}: ")));
            let path = [SECTION.to_owned()].into_iter().chain(name.cloned()).collect();
            vec![Mistake { path, wrong: Wrong::Together(text) }]
        })
    }
}

/// With its cause, on one line.
pub(crate) fn in_words(error: &crate::DataError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    let text = cause.unwrap_or_else(|| error.to_string());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check(name: &str, table: &Table, allows_private_addresses: bool, mistakes: &mut Vec<Mistake>) {
    let at = |path: &[&str]| [SECTION].iter().chain(path).map(|it| (*it).to_owned()).collect::<Vec<_>>();
    if !key::is_plain_word(name) {
        let text = "the name of a provider has small letters, digits, _ and - alone".to_owned();
        mistakes.push(Mistake { path: at(&[name]), wrong: Wrong::Together(text) });
    }
    let mut own = table.clone();
    for (section, keys) in [("oauth", key::SERVICE), ("limits", key::LIMITS)] {
        if let Some(Value::Table(inner)) = own.get(section) {
            note_faults(&at(&[name, section]), inner, keys, &[], mistakes);
            own.remove(section);
        }
    }
    note_faults(&at(&[name]), &own, key::PROVIDER, &["oauth", "limits"], mistakes);
    let Some(service) = table.get("oauth").and_then(Value::as_table) else { return };
    for key in ["authorize", "token", "revoke", "userinfo"] {
        let is_plain = service.get(key).and_then(Value::as_str).is_some_and(|it| it.starts_with("http://"));
        if is_plain && !allows_private_addresses {
            let expects = "an address that begins with https://; http:// is only for addresses named in allow_private_addresses";
            mistakes.push(Mistake { path: at(&[name, "oauth", key]), wrong: Wrong::Value { expects } });
        }
    }
}

/// `sections` are known beside the keys.
pub(crate) fn note_faults(
    path: &[String],
    table: &Table,
    keys: &[Key],
    sections: &[&'static str],
    mistakes: &mut Vec<Mistake>,
) {
    for (key, fault) in key::faults(table, keys) {
        let wrong = match fault {
            Fault::Unknown => {
                let names = keys.iter().map(|it| it.name).filter(|it| !sections.contains(it));
                Wrong::Unknown { known: names.chain(sections.iter().copied()).collect() }
            }
            Fault::Value(expects) => Wrong::Value { expects },
        };
        mistakes.push(Mistake { path: path.iter().cloned().chain([key.to_owned()]).collect(), wrong });
    }
}

/// Lays one section over the data. A provider whose OAuth service is changed gets one of its own, named after it: others that
/// share the service keep it as it is.
fn lay(name: &str, table: &Table, presets: &mut PresetFile, services: &mut Table) {
    let mut own = table.clone();
    let limits = own.get("limits").filter(|it| it.is_table()).cloned();
    let service = own.get("oauth").and_then(Value::as_table).cloned();
    if limits.is_some() {
        own.remove("limits");
    }
    let before = presets.providers.get(name).and_then(Value::as_table).cloned();
    // What it inherits decides about the service that is changed.
    let parent_word = before.as_ref().and_then(|it| it.get("inherits")).or(own.get("inherits"));
    let parent =
        parent_word.and_then(Value::as_str).and_then(|it| presets.providers.get(it)?.as_table()).cloned();
    let mut merged =
        before.clone().unwrap_or_else(|| if parent.is_some() { Table::new() } else { fresh(name) });
    merged.extend(own);
    if let Some(changes) = service {
        let word = [before.as_ref(), parent.as_ref()].into_iter().flatten().find_map(|it| it.get("oauth"));
        let shared = word.and_then(Value::as_str).and_then(|word| services.get(word)?.as_table()).cloned();
        let kind = merged.get("kind").or(parent.as_ref().and_then(|it| it.get("kind"))).cloned();
        let title = merged.get("name").cloned();
        let mut full = shared.unwrap_or_else(|| {
            [("name", title), ("kind", kind)]
                .into_iter()
                .filter_map(|(key, it)| Some((key.to_owned(), it?)))
                .collect()
        });
        full.extend(changes);
        services.insert(name.to_owned(), Value::Table(full));
        merged.insert("oauth".to_owned(), Value::String(name.to_owned()));
    }
    if let Some(limits) = limits {
        merged.insert(OWN_LIMITS.to_owned(), limits);
    }
    presets.providers.insert(name.to_owned(), Value::Table(merged));
}

/// What a new provider is unless its section says otherwise.
fn fresh(name: &str) -> Table {
    let text = |it: &str| Value::String(it.to_owned());
    let mechanisms = ["XOAUTH2", "OAUTHBEARER", "PLAIN", "LOGIN"].map(text).to_vec();
    [("name", text(name)), ("kind", text("custom")), ("sasl_prefer", Value::Array(mechanisms))]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
