//! The fields of the last step.

use gatepost_core::{AppPasswordId, Network, Timestamp};
use gatepost_identity::{AppPasswordLimits, Protocol};
use serde::Deserialize;

use crate::frame::Page;
use crate::page::app_passwords::application::Application;

/// Networks that one app password may name.
const MOST_NETWORKS: usize = 50;

/// As they were typed.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filled {
    /// The id that it will have, so that the same form makes one.
    pub(super) form_id: String,
    pub(super) r#for: String,
    pub(super) application: String,
    /// For an application that is not of the list.
    pub(super) own_words: String,
    pub(super) device: String,
    pub(super) name: String,
    pub(super) send: bool,
    pub(super) read: bool,
    pub(super) api: bool,
    /// One a line, or with commas.
    pub(super) networks: String,
    /// `2026-12-31`.
    pub(super) expires: String,
}

/// What they come to.
pub(super) struct Checked {
    pub(super) own_words: Option<String>,
    pub(super) device: Option<String>,
    pub(super) limits: AppPasswordLimits,
}

/// What is wrong, beside each field.
#[derive(Default)]
pub(super) struct Wrong {
    pub(super) own_words: Option<String>,
    pub(super) device: Option<String>,
    pub(super) name: Option<String>,
    pub(super) allowed: Option<String>,
    pub(super) networks: Option<String>,
    pub(super) expires: Option<String>,
    /// Of no field.
    pub(super) page: Option<String>,
}

impl Wrong {
    pub(super) fn is_none(&self) -> bool {
        self.page.is_none() && self.fields().next().is_none()
    }

    /// Whether what stands behind "More" must be open.
    pub(super) const fn is_in_more(&self) -> bool {
        self.networks.is_some() || self.expires.is_some()
    }

    /// Field and words, in the order of the page.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("own_words", &self.own_words),
            ("device", &self.device),
            ("name", &self.name),
            ("send", &self.allowed),
            ("networks", &self.networks),
            ("expires", &self.expires),
        ];
        all.into_iter().filter_map(|(id, words)| Some((id, words.as_deref()?)))
    }
}

impl Filled {
    /// A form that needs no typing where the application is known.
    pub(super) fn suggested(id: AppPasswordId, whom: String, application: Option<&Application>) -> Self {
        let known = application.unwrap_or_else(|| Application::generic());
        let allow = |protocol| known.allowed.allow(protocol);
        Self {
            form_id: id.to_string(),
            r#for: whom,
            application: known.id.clone(),
            name: known.name.clone(),
            send: allow(Protocol::Smtp),
            read: allow(Protocol::Imap) || allow(Protocol::Pop3),
            api: allow(Protocol::Api),
            ..Self::default()
        }
    }

    /// `for` is no word that a template may ask for.
    pub(super) fn for_word(&self) -> &str {
        &self.r#for
    }

    pub(super) fn check(&self, page: &Page) -> Result<Checked, Box<Wrong>> {
        let t = page.t;
        let mut wrong = Wrong::default();
        let own_words = words(&self.own_words);
        if self.application == super::OTHER && own_words.is_none() {
            wrong.own_words = Some(t.of("app_passwords.own_words_empty").to_owned());
        }
        let is_bad =
            |it: &Option<String>| it.as_deref().is_some_and(|it| it.chars().count() > 100 || hides(it));
        if is_bad(&own_words) {
            wrong.own_words = Some(t.of("app_passwords.name_too_long").to_owned());
        }
        let device = words(&self.device);
        if is_bad(&device) {
            wrong.device = Some(t.of("app_passwords.name_too_long").to_owned());
        }
        if self.name.trim().is_empty() {
            wrong.name = Some(t.of("app_passwords.name_empty").to_owned());
        }
        if !(self.send || self.read || self.api) {
            wrong.allowed = Some(t.of("app_passwords.nothing_allowed").to_owned());
        }
        let networks = networks(&self.networks).unwrap_or_else(|bad| {
            wrong.networks = Some(match bad {
                BadNetworks::TooMany => t.count("app_passwords.networks_too_many", MOST_NETWORKS as u64, &[]),
                BadNetworks::NotOne(text) => t.fill("app_passwords.networks_bad", &[("text", &text)]),
            });
            Vec::new()
        });
        let expires_at = expiry(page, &self.expires).unwrap_or_else(|words| {
            wrong.expires = Some(words);
            None
        });
        if !wrong.is_none() {
            return Err(Box::new(wrong));
        }
        let allowed = [
            (self.send, &[Protocol::Smtp][..]),
            (self.read, &[Protocol::Imap, Protocol::Pop3]),
            (self.api, &[Protocol::Api]),
        ];
        let allowed = allowed.into_iter().filter(|(is_ticked, _)| *is_ticked).flat_map(|(_, them)| them);
        let limits = AppPasswordLimits {
            allowed: allowed.copied().collect(),
            networks,
            send_as: Vec::new(),
            expires_at,
            repairs_line_ends: false,
        };
        Ok(Checked { own_words: own_words.filter(|_| self.application == super::OTHER), device, limits })
    }
}

fn words(text: &str) -> Option<String> {
    Some(text.trim()).filter(|it| !it.is_empty()).map(str::to_owned)
}

/// Whether something in it would not be seen.
fn hides(text: &str) -> bool {
    gatepost_core::printable(text.as_bytes()).to_string() != text
}

#[derive(Debug, PartialEq, Eq)]
enum BadNetworks {
    TooMany,
    NotOne(String),
}

fn networks(text: &str) -> Result<Vec<Network>, BadNetworks> {
    let mut networks = Vec::new();
    for entry in text.split(['\n', '\r', ',', ';']).map(str::trim) {
        for part in entry.split_whitespace() {
            if networks.len() == MOST_NETWORKS {
                return Err(BadNetworks::TooMany);
            }
            let shown = || gatepost_core::printable(entry.as_bytes()).to_string().chars().take(60).collect();
            networks.push(part.parse().map_err(|_| BadNetworks::NotOne(shown()))?);
        }
    }
    Ok(networks)
}

fn expiry(page: &Page, text: &str) -> Result<Option<Timestamp>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let at =
        page.app.zone.end_of_day(text).ok_or_else(|| page.t.of("app_passwords.expires_bad").to_owned())?;
    if at <= page.now { Err(page.t.of("app_passwords.expires_past").to_owned()) } else { Ok(Some(at)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::app_passwords::application::Applications;

    #[test]
    fn networks_are_read_however_they_are_separated() {
        for (text, want) in [
            ("", Ok(0)),
            (" \r\n ", Ok(0)),
            ("192.168.1.0/24\r\n10.0.0.7", Ok(2)),
            ("192.168.1.0/24, 10.0.0.7;::1", Ok(3)),
            ("192.168.1.40/24", Err(BadNetworks::NotOne("192.168.1.40/24".to_owned()))),
            ("the office", Err(BadNetworks::NotOne("the office".to_owned()))),
            (
                "\u{202e}1",
                Err(BadNetworks::NotOne(gatepost_core::printable("\u{202e}1".as_bytes()).to_string())),
            ),
        ] {
            assert_eq!(networks(text).map(|it| it.len()), want, "{text:?}");
        }
        let many = "10.0.0.1 ".repeat(MOST_NETWORKS + 1);
        assert_eq!(networks(&many), Err(BadNetworks::TooMany));
    }

    #[test]
    fn a_known_application_needs_no_typing() {
        let id = AppPasswordId::from_uuid(gatepost_core::LARGEST_ID);
        let of = |word: &str| Filled::suggested(id, "me".to_owned(), Applications::embedded().find(word));
        let (tdo, outlook, other) = (of("tdo"), of("outlook"), of("unknown"));
        assert_eq!((tdo.name.as_str(), tdo.send, tdo.read, tdo.api), ("TDO", true, false, false));
        assert_eq!(
            (outlook.name.as_str(), outlook.send, outlook.read, outlook.api),
            ("Outlook", true, true, false)
        );
        assert_eq!((other.name.as_str(), other.send, other.application.as_str()), ("", true, "other"));
    }
}
