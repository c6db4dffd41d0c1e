//! One sign-in at a provider, from its beginning until it is answered (OC-2).

use std::time::Duration;

use gatepost_core::{DraftId, OAuthClientId, SecretText, SessionId, Timestamp, World};
use gatepost_providers::Callback;
use gatepost_store::{Keyring, Row, Store, StoreError, params};
use gatepost_vault::{Binding, DataKey, Digest, keyed_hash, open, seal};

use super::draft::Draft;
use super::{Connecting, Whose, sql};
use crate::accounts::Accounts;

/// How long somebody may take on the provider's pages.
const LIVES_FOR: Duration = Duration::from_mins(10);

/// Where a sign-in begins.
#[derive(Clone, Copy)]
pub enum FlowOrigin<'a> {
    /// In a browser: only that one may bring the answer.
    Browser {
        /// The line of sessions it is signed in with.
        lineage: SessionId,
        /// The cookie that was made for this.
        token: &'a SecretText,
    },
    /// By a command on this machine, into which the answer is pasted.
    Command,
}

/// A sign-in that somebody has brought an answer for, before anything is done with that.
pub struct SeenFlow {
    /// Who began it.
    pub whose: Whose,
    /// What it is for.
    pub draft: DraftId,
    /// The line of sessions that must still be signed in; none: it was begun by a command.
    pub lineage: Option<SessionId>,
    /// The word of the service that it was begun at.
    pub service: String,
    browser: Option<Digest>,
    key: std::sync::Arc<gatepost_vault::PurposeKey>,
}

/// The newest sign-in of a draft, as whoever waits for it sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// When somebody was sent to the provider's page.
    pub began_at: Timestamp,
    /// An answer came, or its time is over.
    pub is_over: bool,
    /// The word of the service.
    pub service: String,
    /// Where the service sends people back to: what is pasted must be of that page.
    pub redirect_uri: String,
}

impl SeenFlow {
    /// Whether it was begun in the browser that has this cookie.
    #[must_use]
    pub fn is_of_browser(&self, token: &SecretText) -> bool {
        let digest = browser_digest(&self.key, token);
        self.browser.as_ref().is_some_and(|it| it.matches(&digest))
    }
}

/// As its row has it.
pub(super) struct Flow {
    pub(super) digest: Digest,
    pub(super) whose: Whose,
    pub(super) draft: DraftId,
    pub(super) revision: u64,
    lineage: Option<SessionId>,
    browser: Option<Digest>,
    pub(super) service: String,
    pub(super) client: OAuthClientId,
    verifier_sealed: Vec<u8>,
    pub(super) token_url: String,
    pub(super) redirect_uri: String,
    is_used: bool,
}

/// One that begins.
pub(super) struct NewFlow<'a> {
    pub(super) whose: Whose,
    pub(super) draft: DraftId,
    pub(super) revision: u64,
    pub(super) origin: FlowOrigin<'a>,
    pub(super) service: String,
    pub(super) client: OAuthClientId,
    pub(super) redirect_uri: String,
    pub(super) begun: &'a gatepost_providers::Begun,
}

fn state_digest(keyring: &Keyring, state: &SecretText) -> Digest {
    keyed_hash(keyring.tokens(), &[b"oauth-state", state.reveal().as_bytes()])
}

fn browser_digest(key: &gatepost_vault::PurposeKey, token: &SecretText) -> Digest {
    keyed_hash(key, &[b"oauth-browser", token.reveal().as_bytes()])
}

/// The verifier opens for this sign-in and this address alone (OC-3).
fn with_binding<T>(
    (whose, draft, digest, token_url): (Whose, DraftId, &Digest, &str),
    work: impl FnOnce(&Binding<'_>) -> T,
) -> T {
    let mut extra = digest.as_bytes().to_vec();
    extra.extend(token_url.as_bytes());
    work(&Binding {
        organisation: whose.organisation,
        table: "oauth_flow",
        column: "verifier_sealed",
        row: draft.uuid(),
        extra: &extra,
    })
}

impl NewFlow<'_> {
    /// Ends the draft's other sign-ins, and begins this one.
    pub(super) async fn insert(self, store: &Store, keyring: &Keyring) -> Result<(), StoreError> {
        let key = keyring.data_key(self.whose.organisation).await?;
        let world: World = store.world().clone();
        let digest = state_digest(keyring, &self.begun.state);
        let place = (self.whose, self.draft, &digest, self.begun.token_url.as_str());
        let verifier = with_binding(place, |binding| {
            seal(&key, binding, self.begun.verifier.reveal().as_bytes(), &world).into_bytes()
        });
        let (lineage, browser) = match self.origin {
            FlowOrigin::Browser { lineage, token } => {
                (Some(lineage), Some(browser_digest(keyring.tokens(), token)))
            }
            FlowOrigin::Command => (None, None),
        };
        let Self { whose, draft, revision, service, client, redirect_uri, begun, .. } = self;
        let token_url = begun.token_url.clone();
        let inserted = store.write(move |tx| {
            let now = world.now();
            tx.execute(&sql::DELETE_FLOWS, params![whose.organisation, draft])?;
            let values = params![
                digest.as_bytes(),
                whose.organisation,
                draft,
                revision,
                whose.person,
                lineage,
                browser.as_ref().map(|it| it.as_bytes().as_slice()),
                &service,
                client,
                &verifier,
                &token_url,
                &redirect_uri,
                now,
                now + LIVES_FOR,
            ];
            tx.execute(&sql::INSERT_FLOW, values)
        });
        inserted.await.map(drop)
    }
}

impl Flow {
    /// The one that an answer claims to belong to, unless it was used or its time is over.
    pub(super) async fn find(
        store: &Store,
        keyring: &Keyring,
        state: &SecretText,
    ) -> Result<Option<Self>, StoreError> {
        let digest = state_digest(keyring, state);
        let (bytes, now) = (*digest.as_bytes(), store.world().now());
        let row = store.read(move |tx| tx.row(&sql::FIND_FLOW, params![&bytes, now])).await?;
        let found = row.map(|row| Self::read(&row, digest)).transpose()?;
        Ok(found.filter(|it| !it.is_used))
    }

    fn read(row: &Row, digest: Digest) -> Result<Self, StoreError> {
        let browser: Option<Vec<u8>> = row.get(5)?;
        Ok(Self {
            digest,
            whose: Whose { organisation: row.get(0)?, person: row.get(3)? },
            draft: row.get(1)?,
            revision: row.get(2)?,
            lineage: row.get(4)?,
            browser: browser.and_then(|it| Digest::from_row(&it)),
            service: row.get(6)?,
            client: row.get(7)?,
            verifier_sealed: row.get(8)?,
            token_url: row.get(9)?,
            redirect_uri: row.get(10)?,
            is_used: row.get::<Option<Timestamp>>(11)?.is_some(),
        })
    }

    /// `None` if any of it was changed in the database.
    pub(super) fn verifier(&self, key: &DataKey) -> Option<SecretText> {
        let place = (self.whose, self.draft, &self.digest, self.token_url.as_str());
        with_binding(place, |binding| open(key, binding, &self.verifier_sealed)).ok()?.into_text()
    }

    /// Uses it. False if somebody has.
    pub(super) async fn take(&self, store: &Store) -> Result<bool, StoreError> {
        let (digest, now) = (*self.digest.as_bytes(), store.world().now());
        let used = store.write(move |tx| tx.execute(&sql::USE_FLOW, params![&digest, now]));
        Ok(used.await? == 1)
    }
}

impl Connecting {
    /// The newest sign-in of a draft, also one that is over; nothing if none was begun since the draft changed.
    pub async fn under_way(&self, draft: &Draft) -> Result<Option<UnderWay>, StoreError> {
        let (organisation, id, revision) = (draft.organisation, draft.id, draft.revision);
        let row = self
            .accounts
            .store()
            .read(move |tx| tx.row(&sql::FIND_FLOW_OF_DRAFT, params![organisation, id, revision]))
            .await?;
        let Some(row) = row else { return Ok(None) };
        let is_used = row.get::<Option<Timestamp>>(2)?.is_some();
        let expires_at: Timestamp = row.get(1)?;
        Ok(Some(UnderWay {
            began_at: row.get(0)?,
            is_over: is_used || expires_at <= self.accounts.now(),
            service: row.get(3)?,
            redirect_uri: row.get(4)?,
        }))
    }
}

impl Accounts {
    /// The sign-in that an answer claims to belong to; nothing if there is none, it was used, or its time is over. Spends
    /// nothing.
    pub async fn seen_flow(&self, callback: &Callback) -> Result<Option<SeenFlow>, StoreError> {
        let found = Flow::find(self.store(), self.keyring(), callback.state()).await?;
        Ok(found.map(|it| SeenFlow {
            whose: it.whose,
            draft: it.draft,
            lineage: it.lineage,
            service: it.service,
            browser: it.browser,
            key: std::sync::Arc::clone(self.keyring().tokens()),
        }))
    }
}
