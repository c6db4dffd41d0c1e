//! What a draft signs in with, sealed as one piece and bound to its servers (OC-9).

use std::time::Duration;

use gatepost_core::{DraftId, OAuthClientId, OrganisationId, SecretText, Timestamp, World};
use gatepost_store::StoreError;
use gatepost_vault::{Binding, DataKey, open, seal};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::draft::Draft;
use crate::accounts::Accounts;
use crate::credential::{CredentialKind, NewGrant, NewSecret};
use crate::endpoint::Endpoints;

/// Whose secret it is, and where it may be sent.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) organisation: OrganisationId,
    pub(super) draft: DraftId,
    pub(super) endpoints: &'a Endpoints,
}

impl Place<'_> {
    fn with_binding<T>(&self, work: impl FnOnce(&Binding<'_>) -> T) -> T {
        let extra = self.endpoints.binding();
        work(&Binding {
            organisation: self.organisation,
            table: "draft",
            column: "secret_sealed",
            row: self.draft.uuid(),
            extra: &extra,
        })
    }

    pub(super) fn seal(&self, secret: &NewSecret, key: &DataKey, world: &World) -> Vec<u8> {
        let plain = plain(secret, world.now());
        self.with_binding(|binding| seal(key, binding, &plain, world)).into_bytes()
    }

    /// `None` if it was sealed for other servers, or changed.
    pub(super) fn open(&self, sealed: &[u8], key: &DataKey, now: Timestamp) -> Option<NewSecret> {
        let plain = self.with_binding(|binding| open(key, binding, sealed)).ok()?;
        serde_json::from_slice::<Kept<String>>(plain.reveal()).ok()?.into_secret(now)
    }
}

impl Accounts {
    /// What a draft signs in with. `None` if there is nothing, or it was sealed for other servers.
    pub(super) async fn secret_of(&self, draft: &Draft) -> Result<Option<NewSecret>, StoreError> {
        let (Some(sealed), Some(endpoints)) = (&draft.sealed, &draft.details.endpoints) else {
            return Ok(None);
        };
        let organisation = draft.organisation;
        let key = self.keyring().data_key(organisation).await?;
        let place = Place { organisation, draft: draft.id, endpoints };
        Ok(place.open(sealed, &key, self.now()))
    }

    /// The same where that is what a service gave for it.
    pub(super) async fn grant_of_draft(&self, draft: &Draft) -> Result<Option<NewGrant>, StoreError> {
        Ok(match self.secret_of(draft).await? {
            Some(NewSecret::Grant(it)) => Some(*it),
            Some(NewSecret::Password(..)) | None => None,
        })
    }
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kept<T> {
    Password {
        text: T,
    },
    AppPassword {
        text: T,
    },
    Grant {
        client: Uuid,
        token_url: T,
        refresh_token: T,
        access_token: T,
        expires_at: i64,
        scopes: Option<Vec<String>>,
        subject: Option<(String, String)>,
    },
}

/// Written at once into memory that is wiped: no copy stays behind in a buffer that was outgrown.
fn plain(secret: &NewSecret, now: Timestamp) -> Zeroizing<Vec<u8>> {
    let kept = match secret {
        NewSecret::Password(CredentialKind::AppPassword, text) => Kept::AppPassword { text: text.reveal() },
        NewSecret::Password(_, text) => Kept::Password { text: text.reveal() },
        NewSecret::Grant(it) => Kept::Grant {
            client: it.client.uuid(),
            token_url: it.token_url.as_str(),
            refresh_token: it.refresh_token.reveal(),
            access_token: it.access_token.reveal(),
            expires_at: (now + it.lifetime).millis(),
            scopes: it.scopes.clone(),
            subject: it.subject.clone(),
        },
    };
    let mut count = Counter(0);
    serde_json::to_writer(&mut count, &kept).expect("counting cannot fail");
    let mut bytes = Zeroizing::new(Vec::with_capacity(count.0));
    serde_json::to_writer(&mut *bytes, &kept).expect("memory takes what was counted");
    bytes
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Kept<String> {
    fn into_secret(self, now: Timestamp) -> Option<NewSecret> {
        let password = |kind, text| NewSecret::Password(kind, SecretText::new(text));
        Some(match self {
            Self::Password { text } => password(CredentialKind::Password, text),
            Self::AppPassword { text } => password(CredentialKind::AppPassword, text),
            Self::Grant { client, token_url, refresh_token, access_token, expires_at, scopes, subject } => {
                let left = expires_at.saturating_sub(now.millis());
                NewSecret::Grant(Box::new(NewGrant {
                    client: OAuthClientId::from_uuid(client),
                    token_url,
                    refresh_token: SecretText::new(refresh_token),
                    access_token: SecretText::new(access_token),
                    lifetime: Duration::from_millis(u64::try_from(left).unwrap_or(0)),
                    scopes,
                    subject,
                }))
            }
        })
    }
}
