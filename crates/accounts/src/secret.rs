//! Sealing and opening what an account signs in with.

use gatepost_core::{CredentialId, MailAccountId, OrganisationId, SecretText, Timestamp, World};
use gatepost_store::{StoreError, Transaction, params};
use gatepost_vault::{Binding, DataKey, open, seal};

use crate::endpoint::Endpoints;
use crate::sql;

/// The word of a credential that is a password: the mailbox's own, or the provider's app password.
const PASSWORD: &str = "password";

/// Where a secret belongs: its row, its account, and every server it may be sent to (VA-2, OC-9).
pub(crate) struct Place<'a> {
    pub(crate) organisation: OrganisationId,
    pub(crate) account: MailAccountId,
    pub(crate) credential: CredentialId,
    pub(crate) endpoints: &'a Endpoints,
}

impl Place<'_> {
    fn with_binding<T>(&self, work: impl FnOnce(&Binding<'_>) -> T) -> T {
        let mut extra = self.account.uuid().as_bytes().to_vec();
        extra.extend(self.endpoints.binding());
        work(&Binding {
            organisation: self.organisation,
            table: "credential",
            column: "secret_sealed",
            row: self.credential.uuid(),
            extra: &extra,
        })
    }

    pub(crate) fn seal(&self, key: &DataKey, secret: &SecretText, world: &World) -> Vec<u8> {
        self.with_binding(|binding| seal(key, binding, secret.reveal().as_bytes(), world)).into_bytes()
    }

    /// `None` if it was sealed for another place, changed, or emptied.
    pub(crate) fn open(&self, key: &DataKey, sealed: &[u8]) -> Option<SecretText> {
        self.with_binding(|binding| open(key, binding, sealed)).ok()?.into_text()
    }
}

/// Writes a sealed password as the account's credential.
pub(crate) fn insert(
    tx: &mut Transaction<'_>,
    place: &Place<'_>,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let values = params![place.credential, place.organisation, place.account, PASSWORD, sealed, now];
    tx.execute(&sql::INSERT_CREDENTIAL, values).map(drop)
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
