//! Sealing and opening what an account signs in with.

use gatepost_core::{
    CredentialId, MailAccountId, OAuthClientId, OrganisationId, SecretText, Timestamp, World,
};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::{Binding, DataKey, open, seal};

use crate::endpoint::Endpoints;
use crate::sql;

/// Which secret of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The password, or the refresh token.
    Secret,
    /// The access token.
    Access,
}

impl Part {
    const fn column(self) -> &'static str {
        match self {
            Self::Secret => "secret_sealed",
            Self::Access => "access_sealed",
        }
    }
}

/// Where a token may be sent besides the account's servers: the address that gives new ones, as one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenPlace {
    pub(crate) client: OAuthClientId,
    pub(crate) token_url: String,
}

/// Where a secret belongs: its row, its account, and everything it may be sent to (VA-2, OC-9). A refresh token is bound to the
/// servers too: pointed to others, it would bring them an access token.
pub(crate) struct Place<'a> {
    pub(crate) organisation: OrganisationId,
    pub(crate) account: MailAccountId,
    pub(crate) credential: CredentialId,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) token: Option<&'a TokenPlace>,
}

impl Place<'_> {
    fn with_binding<T>(&self, part: Part, work: impl FnOnce(&Binding<'_>) -> T) -> T {
        let mut extra = self.account.uuid().as_bytes().to_vec();
        extra.extend(self.endpoints.binding());
        if let Some(TokenPlace { client, token_url }) = self.token {
            extra.extend(client.uuid().as_bytes());
            extra.extend(token_url.as_bytes());
        }
        work(&Binding {
            organisation: self.organisation,
            table: "credential",
            column: part.column(),
            row: self.credential.uuid(),
            extra: &extra,
        })
    }

    pub(crate) fn seal(&self, part: Part, key: &DataKey, secret: &SecretText, world: &World) -> Vec<u8> {
        self.with_binding(part, |binding| seal(key, binding, secret.reveal().as_bytes(), world)).into_bytes()
    }

    /// `None` if it was sealed for another place, changed, or emptied.
    pub(crate) fn open(&self, part: Part, key: &DataKey, sealed: &[u8]) -> Option<SecretText> {
        self.with_binding(part, |binding| open(key, binding, sealed)).ok()?.into_text()
    }
}

/// Empties all secrets of an account.
pub(crate) fn retire_all(
    tx: &mut Transaction<'_>,
    organisation: OrganisationId,
    account: MailAccountId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = params![organisation, account, &[0_u8; 0], now];
    tx.execute(&sql::RETIRE_CREDENTIALS, values).map(drop)
}
