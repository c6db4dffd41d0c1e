//! What an account signs in with: a password, or the grant of an OAuth service (docs/decisions/0012).

use std::str::FromStr;
use std::time::Duration;

use gatepost_core::{
    CredentialId, MailAccountId, OAuthClientId, OrganisationId, SecretText, Timestamp, World,
};
use gatepost_store::{Row, Statement, StoreError, Transaction, params};
use gatepost_vault::DataKey;

use crate::due::due_after;
use crate::endpoint::Endpoints;
use crate::error::Invalid;
use crate::secret::{Part, Place, TokenPlace};
use crate::sql;

/// What kind of secret it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// The mailbox's own password.
    Password,
    /// One that the provider made for Gatepost.
    AppPassword,
    /// A sign-in on the provider's page.
    OAuth,
}

impl CredentialKind {
    const ALL: [Self; 3] = [Self::Password, Self::AppPassword, Self::OAuth];

    /// The word of rows and of JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::AppPassword => "app_password",
            Self::OAuth => "oauth",
        }
    }
}

impl FromStr for CredentialKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.word() == text).ok_or(())
    }
}

/// Names what a connection signed in with: a report about an older grant says nothing about the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// The grant: one password, or one sign-in at a service with all its tokens.
    pub grant: CredentialId,
    /// Which of its access tokens; 0 for a password.
    pub serial: u64,
}

/// A secret for an account, as somebody has just given it.
pub enum NewSecret {
    /// A password or an app password, as it is sent.
    Password(CredentialKind, SecretText),
    /// A sign-in on the provider's page.
    Grant(Box<NewGrant>),
}

impl From<SecretText> for NewSecret {
    fn from(text: SecretText) -> Self {
        Self::Password(CredentialKind::Password, text)
    }
}

/// What a service gave for a sign-in on its page.
pub struct NewGrant {
    /// As which application.
    pub client: OAuthClientId,
    /// The address that gave it and gives new tokens.
    pub token_url: String,
    /// For refreshing.
    pub refresh_token: SecretText,
    /// For signing in at once.
    pub access_token: SecretText,
    /// How long that lives.
    pub lifetime: Duration,
    /// What was granted, where the service said it.
    pub scopes: Option<Vec<String>>,
    /// Who signed in, as the service names it: issuer and subject.
    pub subject: Option<(String, String)>,
}

impl NewSecret {
    /// What is wrong with it, if it cannot be sent.
    pub(crate) fn checked(&self) -> Result<(), Invalid> {
        match self {
            Self::Password(_, text) => checked_secret(text),
            Self::Grant(_) => Ok(()),
        }
    }

    /// A grant of its own for an account with these servers.
    pub(crate) fn credential(
        &self,
        (organisation, account): (OrganisationId, MailAccountId),
        endpoints: &Endpoints,
        key: &DataKey,
        world: &World,
    ) -> Credential {
        let id = CredentialId::new(world);
        let seal = |token: Option<&TokenPlace>, part, text: &SecretText| {
            let place = Place { organisation, account, credential: id, endpoints, token };
            place.seal(part, key, text, world)
        };
        match self {
            Self::Password(kind, text) => Credential::password(id, *kind, seal(None, Part::Secret, text)),
            Self::Grant(it) => {
                let token = TokenPlace { client: it.client, token_url: it.token_url.clone() };
                let sealed = seal(Some(&token), Part::Secret, &it.refresh_token);
                let access = seal(Some(&token), Part::Access, &it.access_token);
                let (issuer, subject) = it.subject.clone().unzip();
                let now = world.now();
                Credential {
                    kind: CredentialKind::OAuth,
                    token: Some(token),
                    issuer,
                    subject,
                    scopes: it.scopes.as_ref().map(|it| it.join(" ")),
                    access: Access { sealed: Some(access), serial: 1, expires_at: Some(now + it.lifetime) },
                    refresh_at: Some(due_after(world, it.lifetime, true)),
                    used_at: Some(now),
                    ..Credential::password(id, CredentialKind::OAuth, sealed)
                }
            }
        }
    }
}

/// Neither empty nor with a character that no sign-in can carry: RFC 4616 §2 forbids NUL, and line ends would end a command.
fn checked_secret(secret: &SecretText) -> Result<(), Invalid> {
    let text = secret.reveal();
    let fits = !text.is_empty() && text.len() <= 4_096 && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Invalid::Secret) }
}

/// One live row, its secrets sealed.
#[derive(Clone)]
pub(crate) struct Credential {
    pub(crate) id: CredentialId,
    pub(crate) kind: CredentialKind,
    pub(crate) sealed: Vec<u8>,
    pub(crate) grant: CredentialId,
    pub(crate) generation: u64,
    /// Present for grants of OAuth services.
    pub(crate) token: Option<TokenPlace>,
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    /// What was granted, separated by spaces.
    pub(crate) scopes: Option<String>,
    pub(crate) access: Access,
    pub(crate) refresh_at: Option<Timestamp>,
    pub(crate) refresh_began_at: Option<Timestamp>,
    pub(crate) n_refresh_failures: u32,
    pub(crate) worked_at: Option<Timestamp>,
    pub(crate) used_at: Option<Timestamp>,
}

/// The access token, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Access {
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) serial: u64,
    pub(crate) expires_at: Option<Timestamp>,
}

impl Access {
    /// Whether it can be used for another minute.
    pub(crate) fn lives_at(&self, now: Timestamp) -> bool {
        self.sealed.is_some() && self.expires_at.is_some_and(|at| at > now + Duration::from_mins(1))
    }
}

/// What an account signs in with at present, and what came before while that is kept.
pub(crate) struct Present {
    pub(crate) present: Credential,
    pub(crate) before: Option<Credential>,
}

impl Present {
    /// The live rows of an account.
    pub(crate) fn find(
        tx: &mut Transaction<'_>,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<Option<Self>, StoreError> {
        Self::load(tx, &sql::FIND_CREDENTIALS, organisation, account)
    }

    /// The same, for this transaction alone.
    pub(crate) fn lock(
        tx: &mut Transaction<'_>,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<Option<Self>, StoreError> {
        Self::load(tx, &sql::LOCK_CREDENTIALS, organisation, account)
    }

    fn load(
        tx: &mut Transaction<'_>,
        statement: &Statement,
        organisation: OrganisationId,
        account: MailAccountId,
    ) -> Result<Option<Self>, StoreError> {
        let rows = tx.rows(statement, params![organisation, account])?;
        let mut rows = rows.iter().map(Credential::try_from);
        let Some(present) = rows.next().transpose()? else { return Ok(None) };
        let before = rows.next().transpose()?.filter(|it| it.grant == present.grant);
        Ok(Some(Self { present, before }))
    }
}

impl Present {
    /// A sign-in with the present generation succeeded: what came before it is needed no more (OC-6).
    pub(crate) fn has_worked(
        &self,
        tx: &mut Transaction<'_>,
        organisation: OrganisationId,
        account: MailAccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.present.worked_at.is_some() {
            return Ok(());
        }
        tx.execute(&sql::RECORD_WORKED, params![organisation, self.present.id, now])?;
        tx.execute(&sql::DELETE_PREDECESSORS, params![organisation, account, self.present.generation])?;
        Ok(())
    }
}

impl Credential {
    /// A password for these servers, to be inserted as a grant of its own.
    pub(crate) fn password(id: CredentialId, kind: CredentialKind, sealed: Vec<u8>) -> Self {
        Self {
            id,
            kind,
            sealed,
            grant: id,
            generation: 1,
            token: None,
            issuer: None,
            subject: None,
            scopes: None,
            access: Access::default(),
            refresh_at: None,
            refresh_began_at: None,
            n_refresh_failures: 0,
            worked_at: None,
            used_at: None,
        }
    }

    /// A grant that is over: somebody has to sign in again, however long its last access token still lives.
    pub(crate) const fn is_dead(&self) -> bool {
        self.token.is_some() && self.refresh_at.is_none()
    }

    pub(crate) const fn used(&self) -> Used {
        Used { grant: self.grant, serial: self.access.serial }
    }

    fn place<'a>(
        &'a self,
        organisation: OrganisationId,
        account: MailAccountId,
        endpoints: &'a Endpoints,
    ) -> Place<'a> {
        Place { organisation, account, credential: self.id, endpoints, token: self.token.as_ref() }
    }

    /// The password or the refresh token. `None` if it does not open for these servers.
    pub(crate) fn open(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
        endpoints: &Endpoints,
        key: &DataKey,
    ) -> Option<SecretText> {
        self.place(organisation, account, endpoints).open(Part::Secret, key, &self.sealed)
    }

    /// The access token. `None` if there is none, or it does not open for these servers.
    pub(crate) fn open_access(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
        endpoints: &Endpoints,
        key: &DataKey,
    ) -> Option<SecretText> {
        let sealed = self.access.sealed.as_ref()?;
        self.place(organisation, account, endpoints).open(Part::Access, key, sealed)
    }

    pub(crate) fn insert(
        &self,
        tx: &mut Transaction<'_>,
        organisation: OrganisationId,
        account: MailAccountId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let values = params![
            self.id,
            organisation,
            account,
            self.kind.word(),
            &self.sealed,
            now,
            self.grant,
            self.generation,
            self.token.as_ref().map(|it| it.client),
            self.token.as_ref().map(|it| it.token_url.as_str()),
            self.issuer.as_deref(),
            self.subject.as_deref(),
            self.scopes.as_deref(),
            self.access.sealed.as_ref(),
            self.access.serial,
            self.access.expires_at,
            self.refresh_at,
            self.used_at,
        ];
        tx.execute(&sql::INSERT_CREDENTIAL, values).map(drop)
    }
}

impl TryFrom<&Row> for Credential {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        let token = match (row.get::<Option<OAuthClientId>>(5)?, row.get(6)?) {
            (Some(client), Some(token_url)) => Some(TokenPlace { client, token_url }),
            _ => None,
        };
        let access = Access { sealed: row.get(10)?, serial: row.get(11)?, expires_at: row.get(12)? };
        Ok(Self {
            id: row.get(0)?,
            kind: row.parse(1, "a kind of credential")?,
            sealed: row.get(2)?,
            grant: row.get(3)?,
            generation: row.get(4)?,
            token,
            issuer: row.get(7)?,
            subject: row.get(8)?,
            scopes: row.get(9)?,
            access,
            refresh_at: row.get(13)?,
            refresh_began_at: row.get(14)?,
            n_refresh_failures: row.get(15)?,
            worked_at: row.get(16)?,
            used_at: row.get(17)?,
        })
    }
}
