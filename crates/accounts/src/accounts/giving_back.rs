//! What services gave and nobody here needs any more goes back to them (OC-10).

use gatepost_core::{MailAccountId, OrganisationId, SecretText};
use gatepost_store::{StoreError, params};

use super::Accounts;
use crate::application;
use crate::connect::sql;
use crate::credential::{NewGrant, Present};
use crate::record::Record;

impl Accounts {
    /// What a service gave for a live account: asked before the account lets it go, and given back after that.
    pub(crate) async fn grant_of(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<Option<NewGrant>, StoreError> {
        let found = self.store.read(move |tx| {
            let record = Record::find(tx, organisation, account)?.filter(|it| it.account.is_live());
            Ok::<_, StoreError>(record.zip(Present::find(tx, organisation, account)?))
        });
        let Some((record, Present { present, .. })) = found.await? else { return Ok(None) };
        let Some(token) = present.token.clone() else { return Ok(None) };
        let key = self.keyring.data_key(organisation).await?;
        let opened = present.open(organisation, account, &record.account.endpoints, &key);
        Ok(opened.map(|refresh_token| NewGrant {
            client: token.client,
            token_url: token.token_url,
            refresh_token,
            access_token: SecretText::new(String::new()),
            lifetime: std::time::Duration::ZERO,
            scopes: None,
            subject: present.issuer.zip(present.subject),
        }))
    }

    /// Gives a grant that went out of use here back at its service, unless something else lives on it. Best effort, and nobody
    /// waits for a service that may be down: it is forgotten here either way.
    pub(crate) fn give_back(&self, organisation: OrganisationId, it: NewGrant) {
        let accounts = self.clone();
        self.tokens.tasks.spawn(async move {
            match accounts.is_needed(&it).await {
                Ok(true) => {}
                Ok(false) => accounts.revoke(organisation, it).await,
                Err(error) => tracing::warn!(%error, "a permission could not be given back"),
            }
        });
    }

    /// Whether anything has a grant of the same person at the service for the same application: taking one token back may end
    /// all of them. Somebody the service has not named may be anybody.
    async fn is_needed(&self, it: &NewGrant) -> Result<bool, StoreError> {
        let Some((_, subject)) = it.subject.clone() else { return Ok(true) };
        let client = it.client;
        let row = self.store.read(move |tx| tx.row(&sql::COUNT_GRANTS, params![client, &subject])).await?;
        row.map_or(Ok(0), |row| row.get::<i64>(0)).map(|n| n > 0)
    }

    async fn revoke(&self, organisation: OrganisationId, it: NewGrant) {
        let found = application::find(&self.store, &self.keyring, organisation, it.client).await;
        let (Ok(Some(registered)), Some(oauth)) = (found, self.oauth()) else { return };
        let Some(service) = self.providers.service(&registered.service) else { return };
        if let Err(failure) = oauth.revoke(service, &registered.application, &it.refresh_token).await {
            let diagnosis = failure.diagnose(self.providers.catalogue(), service);
            tracing::warn!(service = %service.word, rule = %diagnosis.rule, "a permission could not be given back");
        }
    }
}
