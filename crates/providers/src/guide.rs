//! Guides: what people are told beside a way of connecting.

pub(crate) mod file;
pub(crate) mod overrule;
mod pasted;

pub use pasted::Pasted;
use regex::Regex;

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
    /// The value; in [`Registration::steps`] with what is this installation's own still to be filled in.
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
    /// What to do there, in order; see [`Registration::steps_with`].
    pub steps: Vec<Step>,
    /// What has to be typed in afterwards.
    pub asks: Vec<Asked>,
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
    pub redirect_uri: &'a str,
    /// Where it sends them where no redirect reaches this installation.
    pub loopback_uri: &'a str,
    /// The scopes that are asked for.
    pub scopes: &'a [&'a str],
}

impl Registration {
    /// The steps with this installation's own values filled in.
    #[must_use]
    pub fn steps_with(&self, own: OwnValues<'_>) -> Vec<Step> {
        let scopes = own.scopes.join("\n");
        let filled = |it: &Copied| Copied {
            label: it.label.clone(),
            value: it
                .value
                .replace("{redirect_uri}", own.redirect_uri)
                .replace("{loopback_uri}", own.loopback_uri)
                .replace("{scopes}", &scopes),
        };
        let step = |it: &Step| Step { copy: it.copy.iter().map(filled).collect(), ..it.clone() };
        self.steps.iter().map(step).collect()
    }
}
