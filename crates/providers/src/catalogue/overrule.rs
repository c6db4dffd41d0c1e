//! What the configuration says over the rules: `[rules.NAME]` adds one, changes one, or switches one off.

use std::collections::BTreeMap;

use gatepost_core::{Diagnosis, RetryClass};
use toml::{Table, Value};

use super::file::{CatalogueFile, ReplyEntry};
use super::{Catalogue, Files};
use crate::key;
use crate::providers::{Mistake, Wrong, in_words, note_faults};
use crate::{DataError, Phase};

/// The section of the configuration.
const SECTION: &str = "rules";

/// A file of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Smtp,
    Imap,
    Pop3,
    OAuth,
    Http,
}

impl Protocol {
    /// In the order of [`Catalogue::build`].
    const ALL: [Self; 5] = [Self::Smtp, Self::Imap, Self::Pop3, Self::OAuth, Self::Http];

    const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::OAuth => "oauth",
            Self::Http => "http",
        }
    }
}

/// The compiled-in rules with these sections over them, or everything that is wrong. Own rules are asked before ours, in the order
/// of their names. `kinds`: those of the providers that are known.
pub(crate) fn with(own: &BTreeMap<String, Table>, kinds: &[&str]) -> Result<Catalogue, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut laid = Laid::new();
    for (name, table) in own {
        let n_before = mistakes.len();
        let path = [SECTION.to_owned(), name.clone()];
        let keys = if laid.is_trouble(name) { key::WORDS } else { key::RULE };
        note_faults(&path, table, keys, &[], &mut mistakes);
        if n_before == mistakes.len()
            && let Err(text) = laid.lay(name, table, kinds)
        {
            mistakes.push(Mistake { path: path.to_vec(), wrong: Wrong::Together(text) });
        }
    }
    if mistakes.is_empty() { laid.catalogue(own) } else { Err(mistakes) }
}

/// The files with sections laid over them.
struct Laid {
    files: [Table; 5],
    /// By the file's place, in order of their names.
    added: [Vec<Value>; 5],
    off: Vec<Diagnosis>,
}

impl Laid {
    fn new() -> Self {
        let Files { smtp, imap, pop3, oauth, http } = Files::EMBEDDED;
        let read = |text: &str| text.parse().expect("loaded by a test");
        Self { files: [smtp, imap, pop3, oauth, http].map(read), added: Default::default(), off: Vec::new() }
    }

    fn entries<'a>(&'a self, list: &'a str) -> impl Iterator<Item = (usize, usize, &'a Table)> {
        self.files.iter().enumerate().flat_map(move |(file, table)| {
            let items = table.get(list).and_then(Value::as_array).into_iter().flatten();
            items.enumerate().filter_map(move |(place, it)| Some((file, place, it.as_table()?)))
        })
    }

    fn place(&self, list: &str, name: &str) -> Option<(usize, usize)> {
        let is_it = |it: &Table| it.get("id").and_then(Value::as_str) == Some(name);
        self.entries(list).find(|(_, _, it)| is_it(it)).map(|(file, place, _)| (file, place))
    }

    /// Whether these are the words for something that is no answer: Gatepost itself decides what it does to an account.
    fn is_trouble(&self, name: &str) -> bool {
        self.place("trouble", name).is_some()
    }

    fn list(&mut self, file: usize, list: &str) -> &mut Vec<Value> {
        let table = self.files.get_mut(file).and_then(|it| it.get_mut(list));
        table.and_then(Value::as_array_mut).expect("the place was found in it")
    }

    /// Lays one section; its keys fit one by one.
    fn lay(&mut self, name: &str, table: &Table, kinds: &[&str]) -> Result<(), String> {
        if !key::is_plain_word(name) {
            return Err("the name of a rule has small letters, digits, _ and - alone".to_owned());
        }
        let mut keys = table.clone();
        let is_off = keys.remove("off").and_then(|it| it.as_bool()).unwrap_or(false);
        if let Some((file, place)) = self.place("trouble", name) {
            merge(&mut self.list(file, "trouble")[place], keys);
            return Ok(());
        }
        let Some((file, place)) = self.place("reply", name) else { return self.add(name, keys, kinds) };
        if let Some(key) = ["where", "provider", "elsewhere"].iter().find(|it| keys.contains_key(**it)) {
            return Err(format!("{key} of a known rule stays as it is; add a rule of another name"));
        }
        let list = self.list(file, "reply");
        let decides = ["phases", "pattern", "retry", "samples"];
        if place + 1 == list.len() && (is_off || decides.iter().any(|it| keys.contains_key(*it))) {
            return Err(
                "this rule answers where no other does: only its cause, cure and who can change".into()
            );
        }
        // A wait belongs to its class.
        if keys.contains_key("retry")
            && let Some(before) = list[place].as_table_mut()
        {
            before.remove("at_least_minutes");
        }
        merge(&mut list[place], keys);
        let rule = rule(&list[place], Protocol::ALL[file])?;
        if is_off {
            list.remove(place);
            self.off.push(rule);
        }
        Ok(())
    }

    fn add(&mut self, name: &str, mut keys: Table, kinds: &[&str]) -> Result<(), String> {
        let missing: Vec<&str> = ["where", "pattern", "retry", "who", "cause", "cure", "samples"]
            .into_iter()
            .filter(|it| !keys.contains_key(*it))
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(format!("no rule has this name, and a new one lacks {missing}"));
        }
        let word = keys.remove("where");
        let file =
            Protocol::ALL.iter().position(|it| word.as_ref().and_then(Value::as_str) == Some(it.word()));
        let file = file.ok_or("where is no protocol")?;
        let kind = keys.get("provider").and_then(Value::as_str).unwrap_or("any");
        if kind != "any" && !kinds.contains(&kind) {
            return Err(format!("no provider is of the kind {kind:?}. Kinds: {}, any", kinds.join(", ")));
        }
        keys.insert("provider".to_owned(), Value::String(kind.to_owned()));
        keys.insert("id".to_owned(), Value::String(name.to_owned()));
        let entry = Value::Table(keys);
        rule(&entry, Protocol::ALL[file])?;
        self.added[file].push(entry);
        Ok(())
    }

    fn catalogue(mut self, own: &BTreeMap<String, Table>) -> Result<Catalogue, Vec<Mistake>> {
        for (file, added) in std::mem::take(&mut self.added).into_iter().enumerate() {
            let list = self.list(file, "reply");
            list.splice(0..0, added);
        }
        let mistake = |name: Option<&str>, text| {
            let path = [SECTION].into_iter().chain(name).map(str::to_owned).collect();
            vec![Mistake { path, wrong: Wrong::Together(text) }]
        };
        let files = self.files.map(|it| Value::Table(it).try_into::<CatalogueFile>());
        let failed = |error: &DataError| mistake(None, in_words(error));
        let mut read = Vec::new();
        for file in files {
            read.push(file.map_err(|error| failed(&error.into()))?);
        }
        let changed: Vec<(Protocol, ReplyEntry)> = Protocol::ALL
            .iter()
            .zip(&read)
            .flat_map(|(protocol, file)| file.reply.iter().map(|it| (*protocol, it.clone())))
            .filter(|(_, it)| own.contains_key(&it.id))
            .collect();
        let read: [CatalogueFile; 5] = read.try_into().map_err(|_| mistake(None, "five files".to_owned()))?;
        let mut catalogue = Catalogue::build(read).map_err(|error| failed(&error))?;
        let Catalogue { smtp, imap, pop3, oauth, http, .. } = &mut catalogue;
        for rule in [smtp, imap, pop3, oauth, http].into_iter().flatten() {
            let name = rule.diagnosis.rule.as_str();
            rule.is_own = own.get(name).is_some_and(|it| it.contains_key("where"));
        }
        catalogue.off = self.off;
        let mistakes = changed.iter().filter_map(|(protocol, entry)| {
            let text = unproven(&catalogue, *protocol, entry)?;
            mistake(Some(&entry.id), text).pop()
        });
        let mistakes: Vec<Mistake> = mistakes.collect();
        if mistakes.is_empty() { Ok(catalogue) } else { Err(mistakes) }
    }
}

fn merge(entry: &mut Value, keys: Table) {
    if let Some(entry) = entry.as_table_mut() {
        entry.extend(keys);
    }
}

/// The rule by itself: what is wrong with it is said of it and not of the file.
fn rule(entry: &Value, protocol: Protocol) -> Result<Diagnosis, String> {
    let entry: ReplyEntry = entry.clone().try_into().map_err(|error| in_words(&DataError::from(error)))?;
    let rule = entry.rule().map_err(|error| in_words(&error))?.diagnosis;
    let fails_letters = matches!(protocol, Protocol::Smtp | Protocol::Http);
    if rule.retry == RetryClass::Permanent && !fails_letters {
        return Err(
            "retry \"permanent\" fails a letter, and there is none where mail is read or a token asked for"
                .into(),
        );
    }
    if rule.who == gatepost_core::Who::Gatepost && !rule.cure.contains("need not do anything") {
        return Err("who is \"gatepost\": the cure must say that people \"need not do anything\"".into());
    }
    Ok(rule)
}

/// The first sample that the rule does not judge, wherever it may be said, in words.
fn unproven(catalogue: &Catalogue, protocol: Protocol, entry: &ReplyEntry) -> Option<String> {
    let kind = Some(entry.provider.as_str()).filter(|it| *it != "any");
    let phases = match entry.phases() {
        none if none.is_empty() => {
            vec![Phase::Auth, Phase::Message, Phase::Upkeep, Phase::Recipient, Phase::Mail, Phase::Greeting]
        }
        some => some,
    };
    entry.samples.iter().find_map(|sample| {
        let judged = |phase| {
            let judge = |evidence: &crate::Evidence<'_>| catalogue.diagnose(evidence).rule;
            sample.judged(protocol, kind, phase, judge)
        };
        let found: Vec<Option<String>> = phases.iter().map(|it| judged(*it)).collect();
        let shown = sample.shown();
        match found.first() {
            _ if found.iter().flatten().any(|rule| *rule == entry.id) => None,
            Some(Some(other)) => Some(format!("its sample {shown:?} is judged by the rule {other}")),
            _ => Some(format!("its sample {shown:?} is no answer in {}", protocol.word())),
        }
    })
}
