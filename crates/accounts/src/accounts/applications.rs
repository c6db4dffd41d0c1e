//! The OAuth applications that grants are made with.

use gatepost_core::{MailAccountId, OAuthClientId, OrganisationId};
use gatepost_journal::Actor;
use gatepost_store::{StoreError, params};

use super::Accounts;
use crate::account::MailAccount;
use crate::application::{self, NewApplication, OAuthApplication};
use crate::credential::CredentialKind;
use crate::error::{AccountsError, NotRegistered};
use crate::sql;

impl Accounts {
    /// The applications that an organisation can use, its own in front of the installation's; one for each service.
    pub async fn applications(
        &self,
        organisation: OrganisationId,
    ) -> Result<Vec<OAuthApplication>, StoreError> {
        application::list(&self.store, organisation).await
    }

    /// Registers an application in place of an earlier one of the same service: for an organisation, or with none for the
    /// installation (then `journal` names the organisation whose administrator did it).
    pub async fn put_application(
        &self,
        organisation: Option<OrganisationId>,
        new: NewApplication,
        journal: OrganisationId,
        actor: Actor,
    ) -> Result<OAuthClientId, AccountsError> {
        application::put(&self.store, &self.keyring, organisation, new, (journal, actor)).await
    }

    /// The same, once the service has taken it; nothing is stored before. Where no secret is given, the one that is there already
    /// goes on, if neither client id nor tenant changes. `public_url` is where browsers find the portal.
    pub async fn register_application(
        &self,
        organisation: Option<OrganisationId>,
        new: NewApplication,
        public_url: Option<&str>,
        journal: OrganisationId,
        actor: Actor,
    ) -> Result<OAuthClientId, NotRegistered> {
        let owner = organisation.unwrap_or(application::INSTALLATION);
        let ways = (&*self.providers, self.tokens.oauth.get());
        // Large and rare.
        let proving = application::prove(&self.store, &self.keyring, ways, owner, new, public_url);
        let proven = Box::pin(proving).await?;
        Ok(self.put_application(organisation, proven, journal, actor).await?)
    }

    /// The installation's own applications.
    pub async fn applications_of_installation(&self) -> Result<Vec<OAuthApplication>, StoreError> {
        application::list(&self.store, application::INSTALLATION).await
    }

    /// Offers an application no more, an organisation's own or with none the installation's; grants made with it go on. False if
    /// there is none of this id.
    pub async fn remove_application(
        &self,
        organisation: Option<OrganisationId>,
        id: OAuthClientId,
        journal: OrganisationId,
        actor: Actor,
    ) -> Result<bool, StoreError> {
        application::remove(&self.store, organisation, id, (journal, actor)).await
    }

    /// What an account was last given to sign in with.
    pub async fn kind_of(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<Option<CredentialKind>, StoreError> {
        let row =
            self.store.read(move |tx| tx.row(&sql::FIND_LAST_KIND, params![organisation, account])).await?;
        row.map(|row| row.parse(0, "a kind of credential")).transpose()
    }

    /// The organisation's live accounts that sign in by a grant which was made with this application.
    pub async fn connected_with(
        &self,
        organisation: OrganisationId,
        id: OAuthClientId,
    ) -> Result<Vec<MailAccount>, StoreError> {
        let theirs = application::accounts_of(&self.store, organisation, id).await?;
        let live = self.list(organisation).await?;
        Ok(live.into_iter().filter(|it| theirs.contains(&it.id)).collect())
    }
}
