//! Handing an account out to whoever signs in with it.

use gatepost_core::{
    CredentialId, Diagnosis, EmailAddress, MailAccountId, OrganisationId, SecretText, Timestamp,
};
use gatepost_journal::append;
use gatepost_providers::{Limits, Providers};
use gatepost_store::{Keyring, Store, StoreError, params};

use crate::record::Record;
use crate::report::entry;
use crate::secret::Place;
use crate::sql;
use crate::standing::{Standing, State};
use crate::status::{Direction, DirectionStatus, StatusName};

/// An account with all that a connection needs. Holds the secret: no `Debug`, and not kept longer than the connection.
pub struct SendingAccount {
    /// Its id.
    pub id: MailAccountId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The mailbox's address.
    pub address: EmailAddress,
    /// What people call it.
    pub short_name: String,
    /// The display name of its letters' author.
    pub author_name: String,
    /// Which rules of the catalogue speak of its provider.
    pub provider_kind: Option<String>,
    /// The server. The secret is bound to it and may be sent nowhere else.
    pub endpoint: gatepost_upstream::Endpoint,
    /// What it signs in as.
    pub user_name: String,
    /// The password.
    pub secret: SecretText,
    /// Names the password, for the report.
    pub credential: CredentialId,
    /// What it may do there.
    pub limits: Limits,
    /// It was failing: one letter goes first, on a new connection, and the rest when it was sent.
    pub is_trial: bool,
}

/// Why an account cannot be used at present.
#[derive(Debug, thiserror::Error)]
pub enum NotUsable {
    /// It was removed, or never belonged to this organisation.
    #[error("the mail account was removed")]
    Removed,
    /// By hand.
    #[error("the mail account is paused")]
    Paused,
    /// Parked until a sign-in succeeds.
    #[error("the provider refused the sign-in")]
    NeedsSignIn {
        /// Since when.
        since: Timestamp,
        /// Cause and cure.
        diagnosis: Option<Box<Diagnosis>>,
    },
    /// It is failing, and is not tried before this time.
    #[error("the mail account is not tried before {0}")]
    NotBefore(Timestamp),
    /// There is no password, or it does not open for these servers: it must be entered again.
    #[error("the mail account has no password for its server")]
    NoSecret,
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What it is handed out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Letters go out: only if nothing speaks against it.
    Letters,
    /// Only signing in, to see whether it works: also while parked, failing or paused.
    SigningIn,
}

/// Reads the account as it is now and opens its secret.
pub(crate) async fn hand_out(
    store: &Store,
    keyring: &Keyring,
    providers: &Providers,
    organisation: OrganisationId,
    id: MailAccountId,
    purpose: Use,
) -> Result<SendingAccount, NotUsable> {
    let found = store
        .read(move |tx| {
            let Some(record) = Record::find(tx, organisation, id)? else { return Ok(None) };
            let row = tx.row(&sql::FIND_CREDENTIAL, params![organisation, id])?;
            let sealed = row.map(|row| Ok::<_, StoreError>((row.get(0)?, row.get(1)?))).transpose()?;
            Ok::<_, StoreError>(Some((record, sealed)))
        })
        .await?;
    let (record, sealed): (Record, Option<(CredentialId, Vec<u8>)>) =
        found.filter(|(record, _)| record.account.is_live()).ok_or(NotUsable::Removed)?;
    if purpose == Use::Letters {
        refuse(&record, store.world().now())?;
    }
    let (credential, sealed) = sealed.ok_or(NotUsable::NoSecret)?;
    let key = keyring.data_key(organisation).await?;
    let endpoints = &record.account.endpoints;
    let opened = Place { organisation, account: id, credential, endpoints }.open(&key, &sealed);
    let Some(secret) = opened else {
        park(store, &record, credential).await?;
        return Err(NotUsable::NoSecret);
    };
    // It opened, so it was sealed for exactly these servers, which were checked then.
    let expected = "the name of a server";
    let endpoint = record.account.endpoints.smtp.dialled().map_err(|_| StoreError::Contradiction {
        statement: sql::FIND_ACCOUNT.name,
        column: 7,
        expected,
    })?;
    let limits = record.account.limits(providers);
    let provider_kind = record.account.provider_kind(providers).map(str::to_owned);
    let account = record.account;
    Ok(SendingAccount {
        id,
        organisation,
        address: account.address,
        short_name: account.short_name,
        author_name: account.author_name,
        provider_kind,
        endpoint,
        user_name: account.user_name,
        secret,
        credential,
        limits,
        is_trial: record.sending.state.name() == StatusName::Failing,
    })
}

/// What speaks against sending, the strongest first.
fn refuse(record: &Record, now: Timestamp) -> Result<(), NotUsable> {
    let sending = &record.sending;
    if record.account.paused_at.is_some() {
        return Err(NotUsable::Paused);
    }
    if sending.state == State::NeedsSignIn && sending.lacks_secret() {
        return Err(NotUsable::NoSecret);
    }
    if sending.state == State::NeedsSignIn {
        let DirectionStatus { diagnosis, since, .. } = DirectionStatus::of(sending);
        return Err(NotUsable::NeedsSignIn { since, diagnosis: diagnosis.map(Box::new) });
    }
    sending.waits_until(now).map_or(Ok(()), |until| Err(NotUsable::NotBefore(until)))
}

/// A secret that does not open is as good as none: the account is parked with that reason, so that its letters are held and
/// people see why. Written only if nobody has replaced the secret meanwhile.
async fn park(store: &Store, seen: &Record, credential: CredentialId) -> Result<(), StoreError> {
    let (organisation, id, world) = (seen.account.organisation, seen.account.id, store.world().clone());
    store
        .write(move |tx| {
            let Some(before) = Record::lock(tx, organisation, id)? else { return Ok(()) };
            if before.credential != Some(credential) || before.sending.lacks_secret() {
                return Ok(());
            }
            let now = world.now();
            let mut after = before.clone();
            after.set_both(&Standing::without_secret(now));
            let was = before.sending.state.name();
            append(tx, &world, &entry(&before, Direction::Sending, was, &after.sending))?;
            after.save(tx, &before, now)
        })
        .await
}
