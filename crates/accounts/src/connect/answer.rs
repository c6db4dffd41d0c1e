//! What comes back from a provider's page.

use gatepost_core::{DraftId, EmailAddress, OAuthClientId, SecretText};
use gatepost_providers::{
    Application, Callback, Catalogue, Evidence, Exchange, Granted, Lacking, OAuthClient, OAuthFailure,
    OAuthService, OAuthTrouble,
};
use gatepost_store::{StoreError, params};

use super::draft::{Draft, DraftState, StoredRefused};
use super::error::ConnectError;
use super::flow::Flow;
use super::kept::Place;
use super::mailbox::{Mailbox, whose_mailbox};
use super::{Connecting, sql};
use crate::application;
use crate::credential::{NewGrant, NewSecret};

/// A sign-in with all it needs.
struct Asked<'a> {
    catalogue: &'a Catalogue,
    flow: &'a Flow,
    draft: &'a Draft,
    service: &'a OAuthService,
    application: &'a Application,
    oauth: &'a OAuthClient,
    state: SecretText,
}

/// Why a sign-in brought nothing that is kept.
struct Vain {
    refused: StoredRefused,
    /// What the provider gave all the same.
    given: Option<NewGrant>,
}

impl Connecting {
    /// Takes the answer of a provider's page into its draft, or notes there why it brought nothing. The draft that comes back
    /// has a secret if it succeeded; else [`Draft::refused`] says why.
    ///
    /// An answer that belongs to nothing, or comes from another service, spends nothing and changes nothing.
    pub async fn answer(&self, callback: Callback) -> Result<Draft, ConnectError> {
        self.answer_of(callback, None).await
    }

    async fn answer_of(&self, callback: Callback, of: Option<DraftId>) -> Result<Draft, ConnectError> {
        let (store, keyring) = (self.accounts.store(), self.accounts.keyring());
        let state = callback.state().clone();
        let flow = Flow::find(store, keyring, &state).await?.ok_or(ConnectError::FlowOver)?;
        if flow.whose != self.whose || of.is_some_and(|id| id != flow.draft) {
            return Err(ConnectError::FlowOver);
        }
        let draft = self.get(flow.draft).await?;
        if draft.revision != flow.revision || matches!(draft.state, DraftState::Finished(_)) {
            return Err(ConnectError::FlowOver);
        }
        let providers = self.accounts.providers();
        let service = providers.service(&flow.service).ok_or(ConnectError::FlowOver)?;
        let found = application::find(store, keyring, self.whose.organisation, flow.client).await?;
        let mut application = found.ok_or(ConnectError::FlowOver)?.application;
        let preset = providers.find(&draft.details.provider);
        application.tenant = application.tenant.or_else(|| preset.and_then(|it| it.tenant.clone()));
        let oauth = self.accounts.oauth().ok_or(ConnectError::FlowOver)?;
        let code =
            callback.code_for(gatepost_providers::Flow { service, application: &application, state: &state });
        if let Err(failure @ OAuthFailure::Trouble { trouble: OAuthTrouble::WrongIssuer, .. }) = &code {
            let diagnosis = failure.diagnose(providers.catalogue(), service);
            return Err(ConnectError::WrongAnswer(Box::new(diagnosis)));
        }
        if !flow.take(store).await? {
            return Err(ConnectError::FlowOver);
        }
        let catalogue = providers.catalogue();
        let asked =
            Asked { catalogue, flow: &flow, draft: &draft, service, application: &application, oauth, state };
        let granted = match code {
            Ok(code) => self.exchange(&asked, &code).await?,
            Err(failure) => Err(asked.failed(&failure, None)),
        };
        match granted {
            Ok(grant) => self.keep(&draft, NewSecret::Grant(Box::new(grant))).await?,
            Err(vain) => {
                draft
                    .put_refused(store, &StoredRefused { at: store.world().now().millis(), ..vain.refused })
                    .await?;
                if let Some(given) = vain.given {
                    self.accounts.give_back(self.whose.organisation, given);
                }
            }
        }
        self.get(draft.id).await
    }

    /// The same with the whole address that somebody copied from the browser: no redirect reaches this installation, or a
    /// command waits for it.
    pub async fn answer_pasted(&self, id: DraftId, text: &str) -> Result<Draft, ConnectError> {
        let callback = self.read_pasted(&self.get(id).await?, text).await?;
        self.answer_of(callback, Some(id)).await
    }

    /// The answer in a pasted text, if a sign-in of the draft is under way and ends at that address. Spends nothing.
    pub async fn read_pasted(&self, draft: &Draft, text: &str) -> Result<Callback, ConnectError> {
        let flow = self.under_way(draft).await?.filter(|it| !it.is_over).ok_or(ConnectError::FlowOver)?;
        Callback::from_pasted(text, &flow.redirect_uri).map_err(ConnectError::Pasted)
    }

    /// The code becomes a grant of the right mailbox with all it needs, or nothing.
    async fn exchange(
        &self,
        it: &Asked<'_>,
        code: &SecretText,
    ) -> Result<Result<NewGrant, Vain>, StoreError> {
        let key = self.accounts.keyring().data_key(self.whose.organisation).await?;
        let Some(verifier) = it.flow.verifier(&key) else {
            return Ok(Err(it.trouble(OAuthTrouble::IdentityUnproven, None)));
        };
        let exchange = Exchange {
            service: it.service,
            application: it.application,
            token_url: &it.flow.token_url,
            redirect_uri: &it.flow.redirect_uri,
            code,
            verifier: &verifier,
        };
        let granted = match it.oauth.exchange(exchange).await {
            Ok(granted) => granted,
            Err(failure) => return Ok(Err(it.failed(&failure, None))),
        };
        let known = match it.draft.account {
            Some(account) => {
                self.accounts.subject_of(self.whose.organisation, account, it.flow.client).await?
            }
            None => None,
        };
        let lacking = granted.lacks(it.service, it.draft.details.uses());
        let parts = ((it.service, it.application), (&granted, &it.state));
        let mailbox = whose_mailbox(it.oauth, parts.0, parts.1, &it.draft.details, known.as_ref()).await;
        let subject = match &mailbox {
            Ok(Mailbox::Expected(subject)) => subject.clone(),
            Ok(Mailbox::Other(it)) => Some((it.issuer.clone(), it.subject.clone())),
            Err(_) => None,
        };
        let client = it.flow.client;
        Ok(match (mailbox, lacking) {
            (Err(failure), _) => Err(it.failed(&failure, it.given(granted, client, subject))),
            (Ok(Mailbox::Other(other)), _) => {
                let mut vain =
                    it.trouble(OAuthTrouble::OtherMailbox, it.given(granted, client, subject.clone()));
                vain.refused.address = other.address.as_ref().map(EmailAddress::to_string);
                vain.refused.subject = subject;
                Err(vain)
            }
            (Ok(Mailbox::Expected(_)), Some(lacking)) => {
                let mut vain = it.trouble(lacking.trouble(), it.given(granted, client, subject));
                if let Lacking::Scopes(missing) = lacking {
                    vain.refused.missing = missing;
                }
                Err(vain)
            }
            (Ok(Mailbox::Expected(_)), None) => it
                .given(granted, client, subject)
                .ok_or_else(|| it.trouble(OAuthTrouble::NoLastingGrant, None)),
        })
    }

    /// Keeps what somebody signs in with from now on. Sign-ins that are under way end.
    pub(super) async fn keep(&self, draft: &Draft, secret: NewSecret) -> Result<(), ConnectError> {
        let endpoints = draft.details.endpoints.as_ref().ok_or(ConnectError::NoServers)?;
        let (store, organisation) = (self.accounts.store(), self.whose.organisation);
        let key = self.accounts.keyring().data_key(organisation).await?;
        let place = Place { organisation, draft: draft.id, endpoints };
        let sealed = place.seal(&secret, &key, store.world());
        let (client, subject) = match secret {
            NewSecret::Grant(it) => (Some(it.client), it.subject.map(|(_, subject)| subject)),
            NewSecret::Password(..) => (None, None),
        };
        let (id, revision) = (draft.id, draft.revision);
        let before = self.accounts.grant_of_draft(draft).await?;
        let kept = store.write(move |tx| {
            let values = params![organisation, id, revision, &sealed, client, subject.as_deref()];
            let n = tx.execute(&sql::PUT_SECRET, values)?;
            if n == 1 {
                tx.execute(&sql::DELETE_FLOWS, params![organisation, id])?;
            }
            Ok::<_, StoreError>(n)
        });
        if kept.await? != 1 {
            return Err(ConnectError::Changed);
        }
        if let Some(before) = before {
            self.accounts.give_back(organisation, before);
        }
        Ok(())
    }
}

impl Asked<'_> {
    fn failed(&self, failure: &OAuthFailure, given: Option<NewGrant>) -> Vain {
        let diagnosis = failure.diagnose(self.catalogue, self.service);
        let refused =
            StoredRefused { rule: diagnosis.rule, words: failure.words(), ..StoredRefused::default() };
        Vain { refused, given }
    }

    fn trouble(&self, trouble: OAuthTrouble, given: Option<NewGrant>) -> Vain {
        let diagnosis = self.catalogue.diagnose(&Evidence::OAuthTrouble(trouble));
        Vain { refused: StoredRefused { rule: diagnosis.rule, ..StoredRefused::default() }, given }
    }

    fn given(
        &self,
        granted: Granted,
        client: OAuthClientId,
        subject: Option<(String, String)>,
    ) -> Option<NewGrant> {
        Some(NewGrant {
            client,
            token_url: self.flow.token_url.clone(),
            refresh_token: granted.refresh_token?,
            access_token: granted.access_token,
            lifetime: granted.lifetime,
            scopes: granted.scopes,
            subject,
        })
    }
}
