//! Handing an account out to whoever signs in with it.

use std::time::Duration;

use gatepost_core::{
    CredentialId, Diagnosis, EmailAddress, MailAccountId, MailProtocol, OrganisationId, SecretText, Timestamp,
};
use gatepost_journal::append;
use gatepost_providers::{Catalogue, Limits, Providers, UserNameRule, Uses};
use gatepost_store::{Keyring, Store, StoreError, params};
use gatepost_upstream::{Credential, Mechanism, SignIn};

use crate::account::MailAccount;
use crate::check::Server;
use crate::credential::{Credential as Stored, CredentialKind, Present, Used};
use crate::error::Invalid;
use crate::record::Record;
use crate::report::entry;
use crate::sql;
use crate::standing::{Standing, State};
use crate::status::{Direction, DirectionStatus, StatusName};
use crate::told::Written;

/// How often it is written that a grant is used.
const USE_WRITTEN_EVERY: Duration = Duration::from_hours(1);

/// An account with all that a connection needs. Holds the secret: no `Debug`, and not kept longer than the connection.
pub struct SendingAccount {
    /// Its id.
    pub id: MailAccountId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// The address that its letters come from.
    pub address: EmailAddress,
    /// The mailbox that it opens, where that is another's.
    pub opens: Option<EmailAddress>,
    /// What people call it.
    pub short_name: String,
    /// The display name of its letters' author.
    pub author_name: String,
    /// Which rules of the catalogue speak of its provider.
    pub provider_kind: Option<String>,
    /// The server. The secret is bound to it and may be sent nowhere else.
    pub endpoint: gatepost_upstream::Endpoint,
    /// Where and as whom it reads by IMAP.
    pub imap: Option<Box<ReadingServer>>,
    /// The same by POP3.
    pub pop3: Option<Box<ReadingServer>>,
    /// What it signs in as.
    pub user_name: String,
    /// The mechanisms that its provider takes best, best first.
    pub preferred: Vec<Mechanism>,
    /// The password, or an access token that lives for another minute at least. Absent where letters leave by a grant: each
    /// connection asks for the token of its moment.
    pub secret: Option<SecretText>,
    /// Which of the two.
    pub kind: CredentialKind,
    /// Names it, for the report.
    pub used: Used,
    /// What it may do there.
    pub limits: Limits,
    /// It was failing: one letter goes first, on a new connection, and the rest when it was sent.
    pub is_trial: bool,
    /// The generation before is kept until this one has signed in.
    pub(crate) is_unproven: bool,
}

/// A server that lets letters be read.
pub struct ReadingServer {
    /// How it is spoken to.
    pub protocol: ReadingProtocol,
    /// The server. The secret is bound to it as well.
    pub endpoint: gatepost_upstream::Endpoint,
    /// What the account signs in as there; at some providers that is not what it sends as.
    pub user_name: String,
    /// False if what it signs in with is known not to have been granted for this protocol.
    pub is_granted: bool,
}

/// How letters are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadingProtocol {
    /// IMAP.
    Imap,
    /// POP3.
    Pop3,
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
    /// The service of its grant gave no access token; the account's status says why, too.
    #[error("no access token: {}", diagnosis.cause)]
    NoToken {
        /// Cause and cure.
        diagnosis: Box<Diagnosis>,
    },
    /// Its access token is over. Only inside this room: a new one is asked for.
    #[error("the access token of the mail account is over")]
    TokenOver {
        /// Which one that was.
        serial: u64,
    },
    /// The store's own.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ReadingProtocol {
    /// As people know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Imap => Self::Pop3,
            Self::Pop3 => Self::Imap,
        }
    }

    /// It alone.
    const fn uses(self) -> Uses {
        match self {
            Self::Imap => Uses { smtp: false, imap: true, pop3: false },
            Self::Pop3 => Uses { smtp: false, imap: false, pop3: true },
        }
    }
}

impl ReadingServer {
    /// As the catalogue has to know it.
    pub(crate) const fn named<'a>(&'a self, provider_kind: Option<&'a str>) -> Server<'a> {
        let protocol = match self.protocol {
            ReadingProtocol::Imap => MailProtocol::Imap,
            ReadingProtocol::Pop3 => MailProtocol::Pop3,
        };
        Server { protocol, endpoint: &self.endpoint, provider_kind }
    }
}

impl SendingAccount {
    /// The server of a direction; an account that nothing is read from has one.
    #[must_use]
    pub fn server(&self, direction: Direction) -> Server<'_> {
        let provider_kind = self.provider_kind.as_deref();
        match (self.reading(), direction) {
            (Some(it), Direction::Reading) => it.named(provider_kind),
            (_, Direction::Sending) | (None, Direction::Reading) => {
                Server { protocol: MailProtocol::Smtp, endpoint: &self.endpoint, provider_kind }
            }
        }
    }

    /// The account as a connection needs it.
    pub(crate) fn new(account: MailAccount, it: Opened, providers: &Providers) -> Result<Self, Invalid> {
        let limits = account.limits(providers);
        let provider_kind = account.provider_kind(providers).map(str::to_owned);
        let preferred = providers.find(&account.provider).map(|it| it.mechanisms.clone()).unwrap_or_default();
        Ok(Self {
            id: account.id,
            organisation: account.organisation,
            provider_kind,
            endpoint: account.endpoints.smtp.dialled()?,
            imap: reading(&account, &it, ReadingProtocol::Imap, providers)?,
            pop3: reading(&account, &it, ReadingProtocol::Pop3, providers)?,
            // The provider is told which mailbox is to be opened; who signed in stands in the token.
            user_name: match (&account.opens, it.kind) {
                (Some(opens), CredentialKind::OAuth) => opens.to_string(),
                _ => account.user_name,
            },
            address: account.address,
            opens: account.opens,
            short_name: account.short_name,
            author_name: account.author_name,
            preferred,
            secret: it.secret,
            kind: it.kind,
            used: it.used,
            limits,
            is_trial: it.is_trial,
            is_unproven: it.is_unproven,
        })
    }

    /// Reads there as well.
    #[cfg(test)]
    pub(crate) fn reads_at(&mut self, server: ReadingServer) {
        match server.protocol {
            ReadingProtocol::Imap => self.imap = Some(Box::new(server)),
            ReadingProtocol::Pop3 => self.pop3 = Some(Box::new(server)),
        }
    }

    /// Where a check reads. IMAP before POP3: it tells more, and leaves the letters where they are.
    #[must_use]
    pub fn reading(&self) -> Option<&ReadingServer> {
        self.imap.as_deref().or(self.pop3.as_deref())
    }

    /// Its server of a protocol.
    #[must_use]
    pub fn reading_by(&self, protocol: ReadingProtocol) -> Option<&ReadingServer> {
        match protocol {
            ReadingProtocol::Imap => self.imap.as_deref(),
            ReadingProtocol::Pop3 => self.pop3.as_deref(),
        }
    }

    /// Who signs in, and with what.
    #[must_use]
    pub fn sign_in(&self) -> Option<SignIn> {
        let secret = self.secret.clone()?;
        let credential = match self.kind {
            CredentialKind::Password | CredentialKind::AppPassword => Credential::Password(secret),
            CredentialKind::OAuth => Credential::Bearer(secret),
        };
        let (user_name, preferred) = (self.user_name.clone(), self.preferred.clone());
        Some(SignIn { user_name, credential, preferred })
    }
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
            let present = Present::find(tx, organisation, id)?;
            Ok::<_, StoreError>(Some((record, present)))
        })
        .await?;
    let (record, present): (Record, Option<Present>) =
        found.filter(|(record, _)| record.account.is_live()).ok_or(NotUsable::Removed)?;
    let now = store.world().now();
    if purpose == Use::Letters {
        refuse(&record, providers.catalogue(), now)?;
    }
    let Present { present, before } = present.ok_or(NotUsable::NoSecret)?;
    let key = keyring.data_key(organisation).await?;
    let endpoints = &record.account.endpoints;
    let opened = match present.kind {
        CredentialKind::Password | CredentialKind::AppPassword => {
            present.open(organisation, id, endpoints, &key)
        }
        // A refresh may take seconds, and whoever looks for letters that are due must not wait for it.
        CredentialKind::OAuth if purpose == Use::Letters => None,
        CredentialKind::OAuth => {
            if !present.access.lives_at(now) {
                return Err(NotUsable::TokenOver { serial: present.access.serial });
            }
            present.open_access(organisation, id, endpoints, &key)
        }
    };
    let is_asked_for_later = present.kind == CredentialKind::OAuth && purpose == Use::Letters;
    if opened.is_none() && !is_asked_for_later {
        park(store, providers.catalogue(), &record, present.grant).await?;
        return Err(NotUsable::NoSecret);
    }
    record_use(store, organisation, &present, now).await?;
    let opened = Opened {
        kind: present.kind,
        used: present.used(),
        scopes: present.scopes,
        secret: opened,
        is_trial: record.sending.state.name() == StatusName::Failing,
        is_unproven: present.worked_at.is_none() && before.is_some(),
    };
    // It opened, so it was sealed for exactly these servers, which were checked then.
    let contradiction = |_| StoreError::Contradiction {
        statement: sql::FIND_ACCOUNT.name,
        column: 7,
        expected: "the names of servers",
    };
    Ok(SendingAccount::new(record.account, opened, providers).map_err(contradiction)?)
}

/// What an account signs in with at this moment.
pub(crate) struct Opened {
    pub(crate) kind: CredentialKind,
    pub(crate) used: Used,
    /// What was granted, separated by spaces; nothing where the service did not say it, and for passwords.
    pub(crate) scopes: Option<String>,
    pub(crate) secret: Option<SecretText>,
    pub(crate) is_trial: bool,
    pub(crate) is_unproven: bool,
}

/// The account's server of a protocol, and as whom it signs in there.
fn reading(
    account: &MailAccount,
    it: &Opened,
    protocol: ReadingProtocol,
    providers: &Providers,
) -> Result<Option<Box<ReadingServer>>, Invalid> {
    let endpoint = match protocol {
        ReadingProtocol::Imap => &account.endpoints.imap,
        ReadingProtocol::Pop3 => &account.endpoints.pop3,
    };
    let Some(endpoint) = endpoint else { return Ok(None) };
    let preset = providers.find(&account.provider);
    let rule = preset.map(|it| match protocol {
        ReadingProtocol::Imap => it.user_names.imap,
        ReadingProtocol::Pop3 => it.user_names.pop3,
    });
    let service = preset.and_then(|it| it.oauth.as_deref()).and_then(|word| providers.service(word));
    let is_granted = match (service, &it.scopes) {
        (Some(service), Some(scopes)) => {
            let granted: Vec<String> = scopes.split(' ').map(str::to_owned).collect();
            service.missing_scopes(&service.needed_scopes(protocol.uses()), &granted).is_empty()
        }
        _ => true,
    };
    let user_name = match (&account.opens, rule) {
        (Some(opens), _) if it.kind == CredentialKind::OAuth => opens.to_string(),
        // The other name of the same mailbox, unless somebody has typed one that is neither.
        (_, Some(UserNameRule::LocalPart)) if account.user_name == account.address.as_str() => {
            account.address.local_part().to_owned()
        }
        _ => account.user_name.clone(),
    };
    Ok(Some(Box::new(ReadingServer { protocol, endpoint: endpoint.dialled()?, user_name, is_granted })))
}

/// A grant that is used is refreshed all the time; written once an hour at most.
async fn record_use(
    store: &Store,
    organisation: OrganisationId,
    it: &Stored,
    now: Timestamp,
) -> Result<(), StoreError> {
    let is_recent = it.used_at.is_some_and(|at| at <= now && at + USE_WRITTEN_EVERY > now);
    if it.kind != CredentialKind::OAuth || is_recent {
        return Ok(());
    }
    let id = it.id;
    let written = store.write(move |tx| tx.execute(&sql::RECORD_USED, params![organisation, id, now]));
    written.await.map(drop)
}

/// What speaks against sending, the strongest first.
fn refuse(record: &Record, catalogue: &Catalogue, now: Timestamp) -> Result<(), NotUsable> {
    let sending = &record.sending;
    if record.account.paused_at.is_some() {
        return Err(NotUsable::Paused);
    }
    if sending.state == State::NeedsSignIn && sending.lacks_secret() {
        return Err(NotUsable::NoSecret);
    }
    if sending.state == State::NeedsSignIn {
        let DirectionStatus { diagnosis, since, .. } = DirectionStatus::of(sending, catalogue);
        return Err(NotUsable::NeedsSignIn { since, diagnosis: diagnosis.map(Box::new) });
    }
    sending.waits_until(now).map_or(Ok(()), |until| Err(NotUsable::NotBefore(until)))
}

/// A secret that does not open is as good as none: the account is parked with that reason, so that its letters are held and
/// people see why. Written only if nobody has replaced the secret meanwhile.
async fn park(
    store: &Store,
    catalogue: &Catalogue,
    seen: &Record,
    credential: CredentialId,
) -> Result<(), StoreError> {
    let (organisation, id, world) = (seen.account.organisation, seen.account.id, store.world().clone());
    let written = store
        .write(move |tx| {
            let Some(before) = Record::lock(tx, organisation, id)? else { return Ok(None) };
            if before.credential != Some(credential) || before.sending.lacks_secret() {
                return Ok(None);
            }
            let now = world.now();
            let mut after = before.clone();
            after.set_both(&Standing::without_secret(now));
            let was = before.sending.state.name();
            append(tx, &world, &entry(&before, Direction::Sending, was, &after.sending))?;
            after.save(tx, &before, now)?;
            Ok::<_, StoreError>(Some(Written::new(before, after, None)))
        })
        .await?;
    if let Some(written) = written {
        written.tell(catalogue);
    }
    Ok(())
}
