//! How a mailbox can be connected, and what is recommended.

use serde::{Deserialize, Serialize};

use crate::{Guide, Note, Preset, Providers};

/// A way to connect a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// On the provider's own page (OAuth).
    SignIn,
    /// With a password that the provider makes for one program.
    AppPassword,
    /// With the mailbox's own password.
    Password,
}

impl Method {
    /// The word used in rows and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::AppPassword => "app_password",
            Self::Password => "password",
        }
    }
}

/// What is registered at the provider for whoever connects the mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// Nothing.
    None,
    /// An OAuth application.
    Registered,
    /// One that the provider has verified.
    Verified,
}

/// One line of the data: a method, its place, and on what it depends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MethodRule {
    method: Method,
    place: Place,
    when: Option<When>,
    pub(crate) note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    First,
    Also,
    Explained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum When {
    Client,
    VerifiedClient,
}

/// The ways to connect a mailbox of one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods<'a> {
    /// What is recommended.
    pub first: Offer<'a>,
    /// What works as well.
    pub also: Vec<Offer<'a>>,
    /// What does not, or no longer, and why.
    pub explained: Vec<Explained<'a>>,
}

/// A method that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The method.
    pub method: Method,
    /// It only works once an OAuth application is registered: administrators are led there.
    pub needs_client: bool,
    /// How to get an app password.
    pub guide: Option<&'a Guide>,
    /// What must be known about it, such as when it ends.
    pub note: Option<&'a Note>,
}

/// A method that is not offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained<'a> {
    /// The method.
    pub method: Method,
    /// Why not.
    pub note: Option<&'a Note>,
}

impl MethodRule {
    /// For a provider of the configuration that does not say.
    pub(crate) fn usual(has_service: bool, has_guide: bool) -> Vec<Self> {
        let rule = |method, when| Self { method, place: Place::First, when, note: None };
        let sign_in = has_service.then(|| rule(Method::SignIn, Some(When::Client)));
        let secret = if has_guide { Method::AppPassword } else { Method::Password };
        sign_in.into_iter().chain([rule(secret, None)]).collect()
    }

    fn holds(&self, client: Client) -> bool {
        match self.when {
            None => true,
            Some(When::Client) => client >= Client::Registered,
            Some(When::VerifiedClient) => client >= Client::Verified,
        }
    }
}

impl Providers {
    /// How a mailbox of this provider can be connected.
    #[must_use]
    pub fn methods<'a>(&'a self, preset: &'a Preset, client: Client) -> Methods<'a> {
        let mut decided: Vec<(&MethodRule, Place)> = Vec::new();
        for rule in preset.methods.iter().filter(|it| it.holds(client)) {
            if !decided.iter().any(|(it, _)| it.method == rule.method) {
                let is_led = decided.iter().any(|(_, place)| *place == Place::First);
                let place = if is_led && rule.place == Place::First { Place::Also } else { rule.place };
                decided.push((rule, place));
            }
        }
        let note = |rule: &MethodRule| rule.note.as_deref().and_then(|word| self.note(word));
        let offer = |rule: &MethodRule| Offer {
            method: rule.method,
            needs_client: rule.method == Method::SignIn && client == Client::None,
            guide: match rule.method {
                Method::AppPassword => preset.app_password.as_deref().and_then(|word| self.guide(word)),
                Method::SignIn | Method::Password => None,
            },
            note: note(rule),
        };
        let placed = |place: Place| decided.iter().filter(move |(_, it)| *it == place).map(|(rule, _)| *rule);
        let first = placed(Place::First).next().map(offer);
        Methods {
            // Whether there is one for every client is checked when the data is read.
            first: first.unwrap_or(Offer {
                method: Method::Password,
                needs_client: false,
                guide: None,
                note: None,
            }),
            also: placed(Place::Also).map(offer).collect(),
            explained: placed(Place::Explained)
                .map(|rule| Explained { method: rule.method, note: note(rule) })
                .collect(),
        }
    }

    /// What is wrong with the methods of a preset, if anything is.
    pub(crate) fn methods_fault(&self, preset: &Preset) -> Option<String> {
        let has =
            |method| preset.methods.iter().any(|it| it.method == method && it.place != Place::Explained);
        if has(Method::SignIn) && preset.oauth.is_none() && preset.kind != "sandbox" {
            return Some("sign_in needs an OAuth service".to_owned());
        }
        if has(Method::AppPassword) && preset.app_password.is_none() {
            return Some("app_password needs a guide".to_owned());
        }
        for client in [Client::None, Client::Registered, Client::Verified] {
            let rules = preset.methods.iter().filter(|it| it.holds(client));
            if !rules.into_iter().any(|it| it.place == Place::First) {
                return Some("one method must be the first, whatever is registered".to_owned());
            }
        }
        let notes = preset.methods.iter().filter_map(|it| it.note.as_deref());
        notes.into_iter().find(|it| self.note(it).is_none()).map(|it| format!("there is no note {it:?}"))
    }
}
