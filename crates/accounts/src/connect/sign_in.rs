//! Beginning a sign-in at a provider's page.

use gatepost_core::DraftId;
use gatepost_providers::{Method, SignIn};

use super::Connecting;
use super::details::Details;
use super::error::ConnectError;
use super::flow::{FlowOrigin, NewFlow};
use crate::application;

/// A sign-in that has begun.
pub struct Begun {
    /// Where to send the browser. It holds the state, so it belongs to that browser alone, and into no log.
    pub url: String,
    /// The person copies the address they land on: no redirect reaches this installation, or a command waits for it.
    pub is_pasted: bool,
    /// The service's name.
    pub service: String,
}

impl Connecting {
    /// Begins a sign-in on the provider's page; one that is under way for the same draft ends. `portal`: what its addresses
    /// begin with, where it can be reached at all.
    pub async fn begin_sign_in(
        &self,
        id: DraftId,
        revision: u64,
        origin: FlowOrigin<'_>,
        portal: Option<&str>,
    ) -> Result<Begun, ConnectError> {
        let draft = self.open(id, revision).await?;
        let draft = match draft.details.method {
            Some(Method::SignIn) => draft,
            _ => {
                let details = Details { method: Some(Method::SignIn), ..draft.details };
                self.change(id, revision, details).await?
            }
        };
        if draft.details.endpoints.is_none() {
            return Err(ConnectError::NoServers);
        }
        let providers = self.accounts.providers();
        let preset = providers.find(&draft.details.provider).ok_or(ConnectError::NoSignInPage)?;
        let service = providers.service_of(preset).ok_or(ConnectError::NoSignInPage)?;
        let organisation = self.whose.organisation;
        let all = self.accounts.applications(organisation).await?;
        let no_application = || ConnectError::NoApplication(service.name.clone());
        let registered = all.into_iter().find(|it| it.service == service.word).ok_or_else(no_application)?;
        let (store, keyring) = (self.accounts.store(), self.accounts.keyring());
        let found = application::find(store, keyring, organisation, registered.id).await?;
        let mut application = found.ok_or_else(no_application)?.application;
        application.tenant = application.tenant.or_else(|| preset.tenant.clone());
        let redirect = registered.kind.redirect(service, portal);
        let expected = draft.details.expected();
        let asked = SignIn {
            service,
            application: &application,
            redirect_uri: &redirect.uri,
            uses: draft.details.uses(),
            mailbox: Some(&expected),
            again: draft.refused.as_ref().is_some_and(|it| !it.missing.is_empty()),
        };
        let oauth = self.accounts.oauth().ok_or(ConnectError::NoSignInPage)?;
        let begun = oauth.begin(asked).ok_or(ConnectError::NoSignInPage)?;
        let flow = NewFlow {
            whose: self.whose,
            draft: id,
            revision: draft.revision,
            origin,
            service: service.word.clone(),
            client: registered.id,
            redirect_uri: redirect.uri,
            begun: &begun,
        };
        flow.insert(store, keyring).await?;
        let is_pasted = redirect.is_pasted || matches!(origin, FlowOrigin::Command);
        Ok(Begun { url: begun.url, is_pasted, service: service.name.clone() })
    }
}
