//! Every word that a person reads, from one file per language.

use std::collections::HashMap;
use std::sync::LazyLock;

use toml::{Table, Value};

/// The words of one language.
pub(crate) struct Texts {
    of: HashMap<String, String>,
}

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| Texts::parse(include_str!("../../texts/en.toml")));

impl Texts {
    /// English, the only language so far.
    pub(crate) fn english() -> &'static Self {
        &ENGLISH
    }

    fn parse(file: &str) -> Self {
        let table: Table = file.parse().expect("the texts are part of the program, and a test reads them");
        let mut of = HashMap::new();
        flatten(&mut of, "", table);
        Self { of }
    }

    /// The text with this key, such as `home.title`.
    pub(crate) fn of(&self, key: &str) -> &str {
        let found = self.of.get(key).map(String::as_str);
        debug_assert!(found.is_some(), "texts/en.toml lacks {key}");
        // A key on a page is ugly, and better than no page.
        found.unwrap_or("…")
    }

    /// The text with each `{name}` replaced by its value. The template that shows it escapes the whole.
    pub(crate) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let (mut rest, mut filled) = (self.of(key), String::new());
        // In one pass: a value that holds braces is not looked into.
        while let Some((before, behind)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = behind.split_once('}') else { break };
            let value = values.iter().find(|(known, _)| *known == name);
            debug_assert!(value.is_some(), "{key} has no value for {{{name}}}");
            filled.push_str(value.map_or("…", |(_, value)| value));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    /// The text for `n` things: `KEY.one` or `KEY.many`, with `{n}` and the other values filled in.
    pub(crate) fn count(&self, key: &str, n: u64, values: &[(&str, &str)]) -> String {
        let form = if n == 1 { "one" } else { "many" };
        let number = grouped(n);
        let values: Vec<_> = std::iter::once(("n", number.as_str())).chain(values.iter().copied()).collect();
        self.fill(&format!("{key}.{form}"), &values)
    }
}

/// `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn flatten(of: &mut HashMap<String, String>, above: &str, table: Table) {
    for (key, value) in table {
        let key = if above.is_empty() { key } else { format!("{above}.{key}") };
        match value {
            Value::Table(inner) => flatten(of, &key, inner),
            Value::String(text) => {
                of.insert(key, text);
            }
            other => panic!("{key} is no text: {other}"),
        }
    }
}

#[cfg(test)]
mod tests;
