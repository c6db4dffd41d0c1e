//! The words of the letters: one file per language, one section per kind of notice.
//!
//! A placeholder such as `{device}` stands for a value. A paragraph or line of facts with a placeholder that has no value is left
//! out: a command has no device, and not every notice a link.

use std::collections::{BTreeMap, HashMap};

use gatepost_journal::NoticeKind;
use serde::Deserialize;

/// English, in which every key there is stands.
const ENGLISH: &str = include_str!("../texts/en.toml");

/// All texts of one language.
#[derive(Debug)]
pub(crate) struct Texts {
    /// Lines about what happened, in their order.
    pub(crate) facts: Vec<String>,
    /// What to do if it was somebody else, where the letter has a link for it, and where it has none.
    pub(crate) not_me: String,
    pub(crate) without_link: String,
    letters: HashMap<NoticeKind, LetterText>,
}

/// One letter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LetterText {
    pub(crate) subject: String,
    pub(crate) paragraphs: Vec<String>,
    /// Further facts, behind those that every letter has.
    #[serde(default)]
    pub(crate) facts: Vec<String>,
    /// In place of the general one.
    pub(crate) not_me: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    facts: Vec<String>,
    not_me: String,
    without_link: String,
    letters: BTreeMap<String, LetterText>,
}

impl Texts {
    pub(crate) fn english() -> Self {
        Self::read(ENGLISH).expect("the texts are part of the program, and a test has read them")
    }

    /// Reads a language's file; what is wrong with it otherwise.
    fn read(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let letters = file.letters.into_iter().map(|(word, letter)| {
            word.parse().map(|kind| (kind, letter)).map_err(|()| format!("there is no notice {word}"))
        });
        let letters = letters.collect::<Result<HashMap<NoticeKind, _>, _>>()?;
        match NoticeKind::ALL.iter().find(|kind| !letters.contains_key(kind)) {
            Some(kind) => Err(format!("there is no letter for {kind}")),
            None => {
                Ok(Self { facts: file.facts, not_me: file.not_me, without_link: file.without_link, letters })
            }
        }
    }

    pub(crate) fn letter(&self, kind: NoticeKind) -> &LetterText {
        self.letters.get(&kind).expect("reading has found a letter for every kind")
    }
}

/// Values by the names of their placeholders, safe to stand in a letter. The link is one of them: no `Debug`.
#[derive(Default)]
pub(crate) struct Values(HashMap<String, String>);

impl Values {
    pub(crate) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// The template with its placeholders filled in; `None` if one has no value. Values are not looked at again.
    pub(crate) fn fill(&self, template: &str) -> Option<String> {
        let mut filled = String::with_capacity(template.len());
        for piece in pieces(template) {
            match piece {
                Piece::Words(words) => filled.push_str(words),
                Piece::Placeholder(name) => filled.push_str(self.0.get(name)?),
            }
        }
        Some(filled)
    }
}

enum Piece<'a> {
    Words(&'a str),
    Placeholder(&'a str),
}

/// A brace that begins no placeholder is a word.
fn pieces(mut template: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let placeholder = template.strip_prefix('{').and_then(|it| it.split_once('}'));
        if let Some((name, rest)) = placeholder {
            template = rest;
            return Some(Piece::Placeholder(name));
        }
        let end = template.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(template.len(), |it| it.0);
        let (words, rest) = template.split_at(end);
        template = rest;
        (!words.is_empty()).then_some(Piece::Words(words))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What compose gives a value to, at least sometimes.
    const PLACEHOLDERS: [&str; 14] = [
        "account",
        "address",
        "by",
        "device",
        "facts",
        "link",
        "may",
        "name",
        "organisation",
        "removed",
        "role",
        "source",
        "until",
        "when",
    ];

    /// Every key of a file with its placeholders.
    fn keys(texts: &Texts) -> BTreeMap<String, BTreeSet<String>> {
        let of = |templates: &[&str]| -> BTreeSet<String> {
            let named = templates.iter().flat_map(|it| pieces(it)).filter_map(|piece| match piece {
                Piece::Placeholder(name) => Some(name.to_owned()),
                Piece::Words(_) => None,
            });
            named.collect()
        };
        let list = |lines: &[String]| of(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let mut keys = BTreeMap::from([
            ("facts".to_owned(), list(&texts.facts)),
            ("not_me".to_owned(), of(&[&texts.not_me])),
            ("without_link".to_owned(), of(&[&texts.without_link])),
        ]);
        for (kind, letter) in &texts.letters {
            keys.insert(format!("{kind}.subject"), of(&[&letter.subject]));
            keys.insert(format!("{kind}.paragraphs"), list(&letter.paragraphs));
            keys.insert(format!("{kind}.facts"), list(&letter.facts));
            if let Some(not_me) = &letter.not_me {
                keys.insert(format!("{kind}.not_me"), of(&[not_me]));
            }
        }
        keys
    }

    #[test]
    fn every_language_has_the_keys_and_placeholders_of_english() {
        let english = keys(&Texts::english());
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("texts");
        let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        let mut n_files = 0;
        for file in files {
            let texts = Texts::read(&std::fs::read_to_string(&file).unwrap());
            let texts = texts.unwrap_or_else(|why| panic!("{}: {why}", file.display()));
            assert_eq!(keys(&texts), english, "{}", file.display());
            n_files += 1;
        }
        assert!(n_files > 0);
    }

    #[test]
    fn every_placeholder_is_known() {
        for (key, names) in keys(&Texts::english()) {
            for name in names {
                assert!(PLACEHOLDERS.contains(&name.as_str()), "{key}: {{{name}}}");
            }
        }
    }

    #[test]
    fn a_text_with_an_unknown_value_is_left_out_and_a_value_is_no_template() {
        let mut values = Values::default();
        values.set("name", "{link}".to_owned());
        for (template, want) in [
            ("", Some("")),
            ("no placeholder", Some("no placeholder")),
            ("{name}", Some("{link}")),
            ("a {name} b {name}", Some("a {link} b {link}")),
            ("{name} {device}", None),
            ("left open {name", Some("left open {name")),
        ] {
            assert_eq!(values.fill(template).as_deref(), want, "{template:?}");
        }
    }
}
