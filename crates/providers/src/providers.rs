//! All that is known about providers, as one value: what was compiled in, with what the configuration says over it.

mod overrule;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

pub use overrule::{Mistake, Overrule, Wrong};
pub(crate) use overrule::{in_words, note_faults};

use crate::catalogue::Files as Refusals;
use crate::guide::file::{self as guide_file, Guides};
use crate::preset::file::PresetFile;
use crate::service::file as service_file;
use crate::{Catalogue, DataError, Guide, Note, OAuthService, Preset, Registration};

/// The registration of services that name no other.
const OTHER: &str = "other";

/// The providers that this program knows. Made once at start and handed down; nothing reads the embedded ones behind its
/// back.
#[derive(Clone, Debug)]
pub struct Providers {
    /// Sorted by their words.
    presets: Vec<Preset>,
    services: Vec<OAuthService>,
    guides: Guides,
    /// Absent where the configuration says nothing over the rules: most commands never ask for them.
    own_catalogue: Option<Arc<Catalogue>>,
}

/// The texts of the three data files.
#[derive(Clone, Copy)]
struct Files<'a> {
    presets: &'a str,
    services: &'a str,
    guides: &'a str,
}

impl Files<'static> {
    const EMBEDDED: Self = Self {
        presets: include_str!("../data/presets.toml"),
        services: include_str!("../data/oauth.toml"),
        guides: include_str!("../data/guides.toml"),
    };
}

impl Providers {
    /// What was compiled in, without any configuration.
    #[must_use]
    pub fn embedded() -> Arc<Self> {
        static PROVIDERS: LazyLock<Arc<Providers>> = LazyLock::new(|| {
            Arc::new(Providers::read(Files::EMBEDDED).expect("the embedded data is loaded by a test"))
        });
        PROVIDERS.clone()
    }

    fn read(files: Files<'_>) -> Result<Self, DataError> {
        let presets = PresetFile::read(files.presets)?;
        let services = service_file::read(files.services)?;
        Self::build(&presets, &services, guide_file::read(files.guides)?)
    }

    fn build(presets: &PresetFile, services: &toml::Table, guides: Guides) -> Result<Self, DataError> {
        let presets: Vec<Preset> =
            presets.providers.keys().map(|word| presets.preset(word)).collect::<Result<_, _>>()?;
        let services = services.iter().map(|(word, it)| {
            let table = it.as_table();
            let table = table.ok_or_else(|| DataError::Contradiction(format!("{word} is no section")))?;
            service_file::service(word, table)
        });
        let it = Self { presets, services: services.collect::<Result<_, _>>()?, guides, own_catalogue: None };
        match it.presets.iter().find_map(|preset| Some((preset, it.fault_of(preset)?))) {
            Some((preset, fault)) => Err(DataError::Contradiction(format!("{}: {fault}", preset.word))),
            None => Ok(it),
        }
    }

    /// What a preset names that is not there, or contradicts.
    fn fault_of(&self, preset: &Preset) -> Option<String> {
        let missing = |what: &str, word: &str| Some(format!("there is no {what} {word:?}"));
        match (&preset.oauth, &preset.app_password) {
            (Some(word), _) if self.service(word).is_none() => return missing("OAuth service", word),
            (_, Some(word)) if self.guide(word).is_none() => return missing("guide", word),
            _ => {}
        }
        if let Some(service) = preset.oauth.as_deref().and_then(|word| self.service(word)) {
            if service.has_tenants && preset.tenant.is_none() {
                return Some(format!("the OAuth service {} needs a tenant", service.word));
            }
            if let Some(word) = service.register.as_deref().filter(|word| self.registration(word).is_none()) {
                return missing("guide to a registration", word);
            }
        }
        let servers = preset.smtp.iter().chain(&preset.imap).chain(&preset.pop3);
        if preset.zones.is_empty() && servers.into_iter().any(|it| it.host.contains('{')) {
            return Some("a server's name holds a zone, but there are no zones".to_owned());
        }
        self.methods_fault(preset)
    }

    /// What their refusals mean here.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
            Catalogue::read(Refusals::EMBEDDED).expect("the embedded data is loaded by a test")
        });
        self.own_catalogue.as_deref().unwrap_or(&EMBEDDED)
    }

    /// The preset of this word.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<&Preset> {
        self.presets.iter().find(|it| it.word == word)
    }

    /// The provider where all mailboxes of this domain live.
    #[must_use]
    pub fn find_by_domain(&self, domain: &str) -> Option<&Preset> {
        self.presets
            .iter()
            .find(|it| it.domains.iter().any(|have| have.as_str().eq_ignore_ascii_case(domain)))
    }

    /// All providers, sorted by their words.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.presets.iter()
    }

    /// An OAuth service.
    #[must_use]
    pub fn service(&self, word: &str) -> Option<&OAuthService> {
        self.services.iter().find(|it| it.word == word)
    }

    /// The OAuth service that a provider signs in with.
    #[must_use]
    pub fn service_of(&self, preset: &Preset) -> Option<&OAuthService> {
        preset.oauth.as_deref().and_then(|word| self.service(word))
    }

    /// All OAuth services, sorted by their words.
    pub fn services(&self) -> impl Iterator<Item = &OAuthService> {
        self.services.iter()
    }

    /// A guide to app passwords.
    #[must_use]
    pub fn guide(&self, word: &str) -> Option<&Guide> {
        self.guides.app_passwords.get(word)
    }

    /// A note about a method.
    #[must_use]
    pub fn note(&self, word: &str) -> Option<&Note> {
        self.guides.notes.get(word)
    }

    /// A guide to an OAuth application of one's own.
    pub(crate) fn registration(&self, word: &str) -> Option<&Registration> {
        self.guides.registrations.get(word)
    }

    /// How to register an application of one's own at a service.
    #[must_use]
    pub fn registration_at(&self, service: &OAuthService) -> &Registration {
        let own = service.register.as_deref().and_then(|word| self.registration(word));
        own.or_else(|| self.registration(OTHER)).expect("a test looks for the guide of all other services")
    }

    /// The providers whose mailboxes are signed in to at a service.
    pub fn at_service<'a>(&'a self, service: &'a OAuthService) -> impl Iterator<Item = &'a Preset> {
        self.presets.iter().filter(|it| it.oauth.as_deref() == Some(&service.word))
    }

    /// The tenant that is asked where an application names none: that of the first provider at the service.
    #[must_use]
    pub fn usual_tenant(&self, service: &OAuthService) -> Option<&str> {
        let mut own = self.presets.iter().filter(|it| it.oauth.as_deref() == Some(&service.word));
        own.find_map(|it| it.tenant.as_deref())
    }
}
