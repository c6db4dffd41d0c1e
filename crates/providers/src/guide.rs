//! Guides: what people are told beside a way of connecting.

pub(crate) mod file;
pub(crate) mod overrule;
mod pasted;

pub use pasted::{Pasted, cleaned_secret};
use regex::Regex;

use crate::RedirectTo;

/// How to get an app password at a provider.
#[derive(Clone, Debug)]
pub struct Guide {
    /// Its word in the data.
    pub word: String,
    /// What the provider calls it.
    pub name: String,
    /// What to do there, in order.
    pub steps: Vec<Step>,
    /// What its page wants first.
    pub needs: String,
    /// Why its page may not offer it.
    pub missing_because: Vec<String>,
    /// What makes it stop working.
    pub ends_when: String,
    /// What it looks like, in words.
    pub shape_in_words: Option<String>,
    pub(crate) shape: Option<Regex>,
    pub(crate) strips_hyphens: bool,
    pub(crate) warns: bool,
}

/// Two guides are the same if they are of the same word.
impl PartialEq for Guide {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for Guide {}

/// One step of a guide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub text: String,
    /// Where.
    pub link: Option<String>,
    /// What to copy there.
    pub copy: Vec<Copied>,
}

/// A value to copy, and the name of the field it goes into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// As the provider's page calls the field.
    pub label: String,
    /// The value.
    pub value: String,
}

/// What must be known about a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its word in the data.
    pub word: String,
    /// Since when, as a date or a year.
    pub since: Option<String>,
    /// What is so.
    pub text: String,
    /// What to do instead.
    pub instead: Option<String>,
    /// The method sends and does not read.
    pub is_for_sending_only: bool,
}

/// How to register an OAuth application of one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Its word in the data.
    pub word: String,
    /// What it is.
    pub name: String,
    /// What must be known before somebody begins.
    pub know: Vec<String>,
    /// With what is this installation's own still to be filled in.
    pub(crate) steps: Vec<RegistrationStep>,
    /// What has to be typed in afterwards.
    pub asks: Vec<Asked>,
}

/// A step, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegistrationStep {
    pub(crate) step: Step,
    /// Only where the address is pasted, or only where it is not.
    pub(crate) is_for: Option<bool>,
}

/// A field of the form that follows a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The application's id.
    ClientId,
    /// Its secret.
    ClientSecret,
    /// The tenant it belongs to.
    Tenant,
}

/// What is this installation's own in a registration.
#[derive(Clone, Copy, Debug)]
pub struct OwnValues<'a> {
    /// Where the service sends people back to.
    pub redirect: &'a RedirectTo,
    /// The scopes that are asked for.
    pub scopes: &'a [&'a str],
}

impl Registration {
    /// The steps for this installation, what is to do there and what is its own filled in.
    #[must_use]
    pub fn steps_with(&self, own: OwnValues<'_>) -> Vec<Step> {
        let scopes = own.scopes.join("\n");
        let filled = |it: &Copied| Copied {
            label: it.label.clone(),
            value: it.value.replace("{redirect_uri}", &own.redirect.uri).replace("{scopes}", &scopes),
        };
        let fits = |it: &&RegistrationStep| it.is_for.is_none_or(|pasted| pasted == own.redirect.is_pasted);
        let step = |it: &RegistrationStep| Step {
            copy: it.step.copy.iter().map(filled).collect(),
            ..it.step.clone()
        };
        self.steps.iter().filter(fits).map(step).collect()
    }
}
