//! The data file of guides, as serde sees it.

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use toml::{Table, Value};

use super::{Asked, Copied, Guide, Note, Registration, RegistrationStep, Step};
use crate::DataError;

/// All that the file says, by word.
#[derive(Clone, Debug)]
pub(crate) struct Guides {
    pub(crate) app_passwords: BTreeMap<String, Guide>,
    pub(crate) notes: BTreeMap<String, Note>,
    pub(crate) registrations: BTreeMap<String, Registration>,
}

pub(crate) fn read(text: &str) -> Result<Guides, DataError> {
    understand(toml::from_str(text)?)
}

/// The same, from a file that was taken apart already.
pub(super) fn from_table(table: Table) -> Result<Guides, DataError> {
    understand(Value::Table(table).try_into()?)
}

/// What is wrong with one entry by itself.
pub(super) fn check(kind: &str, word: &str, entry: Value) -> Result<(), DataError> {
    let word = word.to_owned();
    match kind {
        "app_passwords" => entry.try_into::<GuideEntry>()?.guide(word).map(drop),
        "notes" => entry.try_into::<NoteEntry>().map(drop).map_err(DataError::from),
        _ => entry.try_into::<RegistrationEntry>().map(drop).map_err(DataError::from),
    }
}

fn understand(file: GuideFile) -> Result<Guides, DataError> {
    if file.schema != 1 {
        return Err(DataError::Contradiction(format!("the guides have schema {}, not 1", file.schema)));
    }
    let app_passwords = file.app_passwords.into_iter().map(|(word, it)| Ok((word.clone(), it.guide(word)?)));
    let notes = file.notes.into_iter().map(|(word, it)| (word.clone(), it.note(word)));
    let registrations =
        file.registrations.into_iter().map(|(word, it)| (word.clone(), it.registration(word)));
    Ok(Guides {
        app_passwords: app_passwords.collect::<Result<_, DataError>>()?,
        notes: notes.collect(),
        registrations: registrations.collect(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuideFile {
    schema: u32,
    app_passwords: BTreeMap<String, GuideEntry>,
    notes: BTreeMap<String, NoteEntry>,
    registrations: BTreeMap<String, RegistrationEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuideEntry {
    name: String,
    steps: Vec<StepEntry>,
    needs: String,
    missing_because: Vec<String>,
    ends_when: String,
    shape: Option<String>,
    shape_words: Option<String>,
    strip: StripWord,
    on_mismatch: MismatchWord,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum StripWord {
    Spaces,
    SpacesAndHyphens,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum MismatchWord {
    Warn,
    Ignore,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    text: String,
    link: Option<String>,
    #[serde(default)]
    copy: Vec<CopiedEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistrationStepEntry {
    text: String,
    link: Option<String>,
    #[serde(default)]
    copy: Vec<CopiedEntry>,
    when: Option<WhenWord>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WhenWord {
    Portal,
    Pasted,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CopiedEntry {
    label: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteEntry {
    since: Option<String>,
    text: String,
    instead: Option<String>,
    #[serde(default)]
    sending_only: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegistrationEntry {
    name: String,
    know: Vec<String>,
    steps: Vec<RegistrationStepEntry>,
    asks: Vec<AskedWord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum AskedWord {
    ClientId,
    ClientSecret,
    Tenant,
}

impl GuideEntry {
    fn guide(self, word: String) -> Result<Guide, DataError> {
        if self.shape.is_some() != self.shape_words.is_some() {
            return Err(DataError::Contradiction(format!("the shape of the guide {word} is not in words")));
        }
        let shape = self.shape.map(|it| Regex::new(&it)).transpose();
        let shape =
            shape.map_err(|source| DataError::Pattern { rule: word.clone(), source: Box::new(source) })?;
        Ok(Guide {
            word,
            name: self.name,
            steps: self.steps.into_iter().map(StepEntry::step).collect(),
            needs: self.needs,
            missing_because: self.missing_because,
            ends_when: self.ends_when,
            shape_in_words: self.shape_words,
            shape,
            strips_hyphens: matches!(self.strip, StripWord::SpacesAndHyphens),
            warns: matches!(self.on_mismatch, MismatchWord::Warn),
        })
    }
}

impl StepEntry {
    fn step(self) -> Step {
        let copy = self.copy.into_iter().map(|it| Copied { label: it.label, value: it.value }).collect();
        Step { text: self.text, link: self.link, copy }
    }
}

impl NoteEntry {
    fn note(self, word: String) -> Note {
        let Self { since, text, instead, sending_only } = self;
        Note { word, since, text, instead, is_for_sending_only: sending_only }
    }
}

impl RegistrationEntry {
    fn registration(self, word: String) -> Registration {
        let asked = |it| match it {
            AskedWord::ClientId => Asked::ClientId,
            AskedWord::ClientSecret => Asked::ClientSecret,
            AskedWord::Tenant => Asked::Tenant,
        };
        let step = |it: RegistrationStepEntry| RegistrationStep {
            is_for: it.when.map(|when| when == WhenWord::Pasted),
            step: StepEntry { text: it.text, link: it.link, copy: it.copy }.step(),
        };
        Registration {
            word,
            name: self.name,
            know: self.know,
            steps: self.steps.into_iter().map(step).collect(),
            asks: self.asks.into_iter().map(asked).collect(),
        }
    }
}
