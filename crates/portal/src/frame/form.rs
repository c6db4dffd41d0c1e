//! What a form posted.

mod read;

use gatepost_core::SecretText;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};

/// Octets of one form.
pub(crate) const MOST_BYTES: usize = 128 * 1024;

/// Fields of one form.
const MOST_FIELDS: usize = 500;

/// The fields of a form in their order, as they were typed. Any of them may be a password.
#[derive(Clone, Default)]
pub(crate) struct RawForm(Vec<(String, SecretText)>);

/// A typed password or code. In a form's struct it stands where otherwise a `String` would, and cannot be printed by mistake.
#[derive(Clone)]
pub(crate) struct Secret(SecretText);

impl Secret {
    /// For the room that checks it.
    pub(crate) fn into_text(self) -> SecretText {
        self.0
    }

    pub(crate) fn text(&self) -> &SecretText {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.reveal().is_empty()
    }
}

impl Default for Secret {
    fn default() -> Self {
        Self(SecretText::new(String::new()))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(SecretText::new(text)))
    }
}

impl RawForm {
    /// Reads `a=b&c=d`. `None` if there are too many fields or what it says is no text.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Vec::new();
        for pair in bytes.split(|byte| *byte == b'&').filter(|it| !it.is_empty()) {
            if fields.len() == MOST_FIELDS {
                return None;
            }
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (name, value) = (pair.get(..at)?, pair.get(at + 1..).unwrap_or_default());
            fields.push((decoded(name)?, SecretText::new(decoded(value)?)));
        }
        Some(Self(fields))
    }

    /// The first field of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&SecretText> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes all fields of that name out, and gives the first.
    pub(crate) fn take(&mut self, name: &str) -> Option<SecretText> {
        let found = self.find(name).cloned();
        self.0.retain(|(known, _)| known != name);
        found
    }

    /// Takes out what may not stand in a page again.
    pub(crate) fn drop_secrets(&mut self) {
        self.0.retain(|(name, _)| is_kept(name));
    }

    /// What may stand in a page again: everything but secrets and tokens.
    pub(crate) fn without_secrets(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .filter(|(name, _)| is_kept(name))
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()))
            .collect()
    }

    /// As a struct of the page's own. Every field of it needs `#[serde(default)]`; a field that is there twice is a `Vec`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let mut grouped: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in &self.0 {
            match grouped.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value.reveal()),
                None => grouped.push((name, vec![value.reveal()])),
            }
        }
        read::read(grouped).ok()
    }
}

fn is_kept(name: &str) -> bool {
    !["password", "secret", "code", "proof_", "form_token", "recovery"].iter().any(|it| name.starts_with(it))
}

/// `application/x-www-form-urlencoded`, whose definition is <https://url.spec.whatwg.org/#urlencoded-parsing>.
fn decoded(bytes: &[u8]) -> Option<String> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        plain.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(plain).ok().filter(|it| !it.contains('\0'))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

#[cfg(test)]
mod tests;
