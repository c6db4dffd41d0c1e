//! Applications that are registered at OAuth services.

use gatepost_accounts::{ApplicationKind, NewApplication, NotRegistered, OAuthApplication};
use gatepost_core::{Diagnosis, OrganisationId, Timestamp};
use gatepost_identity::Organisation;
use gatepost_journal::Actor;
use gatepost_providers::{Asked, OAuthService, OAuthTrouble, OwnValues, Step, Uses};
use serde_json::Value;

use super::account::diagnosis;
use super::done;
use crate::answer::{OAuthClientRemoved, OAuthClientShown, OAuthGuideShown, OAuthStepShown, OAuthValueShown};
use crate::app::App;
use crate::control::{NewOAuthClient, Refusal, Report};

impl App {
    pub(super) async fn add_oauth_client(
        &self,
        organisation: &Organisation,
        new: NewOAuthClient,
    ) -> Result<Value, Refusal> {
        let service = self.service(&new.service)?;
        let public_url = self.portal_url();
        let application = NewApplication {
            service: service.word.clone(),
            client_id: new.client_id,
            secret: new.secret.map(|it| gatepost_providers::cleaned_secret(&it.0)),
            tenant: new.tenant,
            kind: kind(new.kind.as_deref(), public_url.as_deref())?,
            is_verified: new.verified,
            is_proven: false,
        };
        let owner = (!new.installation).then_some(organisation.id);
        let (journal, by) = (organisation.id, Actor::Command);
        let registered =
            self.accounts.register_application(owner, application, public_url.as_deref(), journal, by);
        let id = registered.await.map_err(|error| match error {
            NotRegistered::Accounts(error) => self.refuse(error),
            NotRegistered::Refused { diagnosis, words } => not_taken(&service.name, &diagnosis, &words),
            other => Refusal::new(other.to_string()),
        })?;
        let all = self.own_oauth_clients(owner).await?;
        done(self.client_shown(service, all.iter().find(|it| it.id == id)))
    }

    pub(super) async fn list_oauth_clients(
        &self,
        organisation: &Organisation,
        report: &Report,
    ) -> Result<Value, Refusal> {
        let all = self.accounts.applications(organisation.id).await.map_err(|error| self.refuse(error))?;
        for service in self.accounts.providers().services() {
            let own = all.iter().find(|it| it.service == service.word);
            report.item(done(self.client_shown(service, own))?).await;
        }
        Ok(Value::Null)
    }

    pub(super) async fn remove_oauth_client(
        &self,
        organisation: &Organisation,
        word: &str,
        of_installation: bool,
    ) -> Result<Value, Refusal> {
        let service = self.service(word)?;
        let owner = (!of_installation).then_some(organisation.id);
        let all = self.own_oauth_clients(owner).await?;
        let none = || {
            let whose = if of_installation { "the installation" } else { organisation.name.as_str() };
            Refusal::new(format!(
                "{whose} has no application at {}. See them with: gatepost oauth-client list",
                service.name
            ))
        };
        let it = all.into_iter().find(|it| it.service == word).ok_or_else(none)?;
        let accounts = self.accounts.connected_with(organisation.id, it.id).await;
        let accounts = accounts.map_err(|error| self.refuse(error))?;
        let removed = self.accounts.remove_application(owner, it.id, organisation.id, Actor::Command).await;
        if !removed.map_err(|error| self.refuse(error))? {
            return Err(none());
        }
        done(OAuthClientRemoved {
            id: it.id.to_string(),
            service: it.service,
            client_id: it.client_id,
            accounts: accounts.iter().map(|it| it.address.to_string()).collect(),
        })
    }

    pub(super) fn guide_oauth_client(&self, word: &str, of_kind: Option<&str>) -> Result<Value, Refusal> {
        let (service, public_url) = (self.service(word)?, self.portal_url());
        let kind = kind(of_kind, public_url.as_deref())?;
        let redirect = kind.redirect(service, public_url.as_deref());
        let scopes = service.asked_scopes(Uses { smtp: true, imap: true, pop3: true });
        let registration = self.accounts.providers().registration_at(service);
        let steps = registration.steps_with(OwnValues { redirect: &redirect, scopes: &scopes });
        let asked = |it: &Asked| match it {
            Asked::ClientId => Some("client_id"),
            Asked::ClientSecret => Some("client_secret"),
            Asked::Tenant => service.has_tenants.then_some("tenant"),
        };
        done(OAuthGuideShown {
            service: service.word.clone(),
            name: registration.name.clone(),
            kind: kind.word().to_owned(),
            redirect_uri: redirect.uri.clone(),
            pasted: redirect.is_pasted,
            know: registration.know.clone(),
            steps: steps.into_iter().map(step).collect(),
            asks: registration.asks.iter().filter_map(asked).map(str::to_owned).collect(),
        })
    }

    fn service(&self, word: &str) -> Result<&OAuthService, Refusal> {
        let providers = self.accounts.providers();
        providers.service(word).ok_or_else(|| {
            let known: Vec<&str> = providers.services().map(|it| it.word.as_str()).collect();
            Refusal::new(format!("there is no sign-in service {word:?}. Known: {}", known.join(", ")))
        })
    }

    async fn own_oauth_clients(
        &self,
        owner: Option<OrganisationId>,
    ) -> Result<Vec<OAuthApplication>, Refusal> {
        let all = match owner {
            Some(organisation) => self.accounts.applications(organisation).await,
            None => self.accounts.applications_of_installation().await,
        };
        let all = all.map_err(|error| self.refuse(error))?;
        Ok(all.into_iter().filter(|it| it.is_of_installation == owner.is_none()).collect())
    }

    fn client_shown(&self, service: &OAuthService, own: Option<&OAuthApplication>) -> OAuthClientShown {
        let public_url = self.portal_url();
        let suited = ApplicationKind::suited_to(public_url.as_deref());
        let redirect = own.map_or(suited, |it| it.kind).redirect(service, public_url.as_deref());
        let trouble = own.and_then(|it| it.trouble.as_ref());
        let catalogue = self.accounts.providers().catalogue();
        let mailboxes = self.accounts.providers().at_service(service);
        OAuthClientShown {
            service: service.word.clone(),
            name: service.name.clone(),
            mailboxes: mailboxes.map(|it| it.name.clone()).collect(),
            id: own.map(|it| it.id.to_string()),
            of: own.map(|it| if it.is_of_installation { "installation" } else { "organisation" }.to_owned()),
            client_id: own.map(|it| it.client_id.clone()),
            has_secret: own.map(|it| it.has_secret),
            tenant: own.and_then(|it| it.tenant.clone()),
            kind: own.map(|it| it.kind.word().to_owned()),
            verified: own.map(|it| it.is_verified),
            created_at: own.map(|it| it.created_at.to_string()),
            proven_at: own.and_then(|it| it.proven_at.as_ref()).map(Timestamp::to_string),
            trouble: trouble.and_then(|(rule, _)| catalogue.find(rule)).map(diagnosis),
            trouble_since: trouble.map(|(_, at)| at.to_string()),
            redirect_uri: redirect.uri,
            pasted: redirect.is_pasted,
        }
    }
}

/// The service said no, or something else stood in the way: then the words are our own, and nothing is tried again by itself.
fn not_taken(service: &str, it: &Diagnosis, words: &str) -> Refusal {
    let is_trouble = OAuthTrouble::ALL.iter().any(|trouble| trouble.rule() == it.rule);
    let cure = match it.rule == OAuthTrouble::Unreachable.rule() {
        true => "Check this computer's internet connection, and give the command again: nothing was stored.",
        false => &it.cure,
    };
    let words = match (words.is_empty(), is_trouble) {
        (true, _) => String::new(),
        (false, true) => format!(" What was seen: {}", gatepost_core::printable(words.as_bytes())),
        (false, false) => format!(" {service} said: {}", gatepost_core::printable(words.as_bytes())),
    };
    Refusal::new(format!("{} Cure: {cure} Who can do this: {}.{words}", it.cause, it.who))
}

fn kind(word: Option<&str>, public_url: Option<&str>) -> Result<ApplicationKind, Refusal> {
    match word {
        None => Ok(ApplicationKind::suited_to(public_url)),
        Some(word) => word
            .parse()
            .map_err(|()| Refusal::new(format!("{word:?} is no kind of application. Known: web, desktop"))),
    }
}

fn step(it: Step) -> OAuthStepShown {
    let copy = it.copy.into_iter().map(|it| OAuthValueShown { label: it.label, value: it.value });
    OAuthStepShown { text: it.text, link: it.link, copy: copy.collect() }
}

#[cfg(test)]
mod tests {
    use gatepost_providers::{Evidence, Providers};

    use super::*;

    #[test]
    fn what_the_service_did_not_say_is_not_put_into_its_mouth() {
        let providers = Providers::embedded();
        let of = |trouble| providers.catalogue().diagnose(&Evidence::OAuthTrouble(trouble));
        let text = not_taken("Google", &of(OAuthTrouble::Unreachable), "no such host").to_string();
        assert!(
            text.ends_with("What was seen: no such host") && text.contains("nothing was stored"),
            "{text}"
        );
        assert!(!text.contains("Google said") && !text.contains("by itself"), "{text}");
        let refused = providers.catalogue().find("oauth-strange").unwrap();
        let text = not_taken("Google", refused, "quota").to_string();
        assert!(text.ends_with("Google said: quota"), "{text}");
    }
}
