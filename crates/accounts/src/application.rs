//! Applications that are registered at OAuth services: an organisation's own, or the installation's.

use std::str::FromStr;

use gatepost_core::{MailAccountId, OAuthClientId, OrganisationId, SecretText, Timestamp};
use gatepost_journal::{Actor, Entry, append};
use gatepost_providers::{Application, OAuthClient, OAuthService, Providers, RedirectTo, takes_redirects};
use gatepost_store::{Keyring, Row, Store, StoreError, params};
use gatepost_vault::{Binding, open, seal};
use serde_json::json;
use uuid::Uuid;

use crate::error::{AccountsError, Invalid, NotRegistered};
use crate::sql;

/// The organisation of what belongs to the whole installation.
pub(crate) const INSTALLATION: OrganisationId = OrganisationId::from_uuid(Uuid::nil());

/// Where the redirect leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationKind {
    /// Back to the portal.
    Web,
    /// To a loopback address, from which the person pastes it.
    Desktop,
}

impl ApplicationKind {
    /// The word of rows and of JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Desktop => "desktop",
        }
    }

    /// The one to register for an installation whose portal has this address: services lead nobody back to a name or address
    /// that only the local network knows.
    #[must_use]
    pub fn suited_to(public_url: Option<&str>) -> Self {
        if public_url.is_some_and(takes_redirects) { Self::Web } else { Self::Desktop }
    }

    /// Where a service sends people back to, for an installation whose portal has this address: to the portal, or, for desktop
    /// applications and where no redirect may lead there, to an address whose page they paste.
    #[must_use]
    pub fn redirect(self, service: &OAuthService, public_url: Option<&str>) -> RedirectTo {
        let portal = || service.redirect_to_portal(public_url?);
        let portal = if self == Self::Web { portal() } else { None };
        portal.unwrap_or_else(|| service.redirect_to_paste())
    }
}

impl FromStr for ApplicationKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Web, Self::Desktop].into_iter().find(|it| it.word() == text).ok_or(())
    }
}

/// A registered application, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthApplication {
    /// Its id here.
    pub id: OAuthClientId,
    /// The service's word.
    pub service: String,
    /// Its id there.
    pub client_id: String,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// The tenant it is registered in, where the service has tenants.
    pub tenant: Option<String>,
    /// Where the redirect leads.
    pub kind: ApplicationKind,
    /// The service has reviewed it, so that its grants last and nobody is warned of it.
    pub is_verified: bool,
    /// It belongs to the installation, not to this organisation.
    pub is_of_installation: bool,
    /// When it was registered here.
    pub created_at: Timestamp,
    /// When the service took id and secret.
    pub proven_at: Option<Timestamp>,
    /// By which rule the service refuses it now, and since when.
    pub trouble: Option<(String, Timestamp)>,
}

/// One to be registered.
pub struct NewApplication {
    /// The service's word.
    pub service: String,
    /// Its id there.
    pub client_id: String,
    /// Its secret there, if it has one.
    pub secret: Option<SecretText>,
    /// The tenant, where the service has tenants.
    pub tenant: Option<String>,
    /// Where the redirect leads.
    pub kind: ApplicationKind,
    /// The service has reviewed it.
    pub is_verified: bool,
    /// The service has just taken id and secret.
    pub is_proven: bool,
}

/// One as grants use it.
pub(crate) struct Registered {
    pub(crate) id: OAuthClientId,
    pub(crate) owner: OrganisationId,
    pub(crate) service: String,
    pub(crate) application: Application,
    /// The service has refused it, and nothing has shown since that it no longer does.
    pub(crate) has_trouble: bool,
}

/// OC-9: the secret opens for this application of this service alone.
fn binding(id: OAuthClientId, owner: OrganisationId, service: &str) -> Binding<'_> {
    Binding {
        organisation: owner,
        table: "oauth_client",
        column: "secret_sealed",
        row: id.uuid(),
        extra: service.as_bytes(),
    }
}

impl NewApplication {
    pub(crate) fn checked(self) -> Result<Self, Invalid> {
        let client_id = self.client_id.trim().to_owned();
        let is_word = |text: &str| {
            !text.is_empty() && text.len() <= 512 && text.chars().all(|it| it.is_ascii_graphic())
        };
        let is_tenant = |text: &str| {
            text.len() <= 255 && text.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-'))
        };
        let tenant = self.tenant.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        if !is_word(&client_id) {
            return Err(Invalid::ClientId);
        }
        if tenant.as_deref().is_some_and(|it| !is_tenant(it)) {
            return Err(Invalid::Tenant);
        }
        let secret = self.secret.map(|it| SecretText::new(it.reveal().trim().to_owned()));
        let secret = secret.filter(|it| !it.reveal().is_empty());
        if secret.as_ref().is_some_and(|it| !is_word(it.reveal())) {
            return Err(Invalid::ClientSecret);
        }
        Ok(Self { client_id, tenant, secret, ..self })
    }
}

/// Asks the service whether it knows the application, with the secret that is there already if none is given anew.
pub(crate) async fn prove(
    store: &Store,
    keyring: &Keyring,
    (providers, oauth): (&Providers, Option<&OAuthClient>),
    owner: OrganisationId,
    new: NewApplication,
    public_url: Option<&str>,
) -> Result<NewApplication, NotRegistered> {
    let mut new = new.checked()?;
    let known = || providers.services().map(|it| it.word.as_str()).collect::<Vec<_>>().join(", ");
    let service = providers.service(&new.service);
    let service = service.ok_or_else(|| Invalid::Service(new.service.clone(), known()))?;
    let before = list(store, owner)
        .await?
        .into_iter()
        .find(|it| it.service == new.service && (owner == INSTALLATION || !it.is_of_installation));
    if let Some(before) = before.filter(|it| new.secret.is_none() && it.has_secret) {
        // OC-9: a secret goes nowhere but where it was meant for.
        let is_same = before.client_id == new.client_id && before.tenant == new.tenant;
        if is_same {
            new.secret = find(store, keyring, owner, before.id).await?.and_then(|it| it.application.secret);
        } else if new.kind == ApplicationKind::Web {
            return Err(Invalid::SecretAgain.into());
        }
    }
    let usual = || providers.usual_tenant(service).map(str::to_owned);
    let application = Application {
        client_id: new.client_id.clone(),
        secret: new.secret.clone(),
        tenant: new.tenant.clone().or_else(usual),
    };
    let redirect = new.kind.redirect(service, public_url);
    let oauth = oauth.ok_or(NotRegistered::NoWayToServices)?;
    match oauth.prove_application(service, &application, &redirect.uri).await {
        Ok(()) => Ok(NewApplication { is_proven: true, ..new }),
        Err(failure) => Err(NotRegistered::Refused {
            diagnosis: Box::new(failure.diagnose(providers.catalogue(), service)),
            words: failure.words(),
        }),
    }
}

/// Registers an application in place of the one of the same service. With the same id there it stays the same one, also
/// after it was removed: grants made with it are due, because its trouble may be over. With another id, grants made with the one before go on with that one, which
/// alone can refresh them (RFC 6749 §6).
pub(crate) async fn put(
    store: &Store,
    keyring: &Keyring,
    organisation: Option<OrganisationId>,
    new: NewApplication,
    (journal, actor): (OrganisationId, Actor),
) -> Result<OAuthClientId, AccountsError> {
    let new = new.checked()?;
    let owner = organisation.unwrap_or(INSTALLATION);
    let key = keyring.data_key(owner).await?;
    let world = store.world().clone();
    let fresh = OAuthClientId::new(&world);
    let put = store.write(move |tx| {
        let now = world.now();
        let proven_at = new.is_proven.then_some(now);
        let rows = tx.rows(&sql::LIST_OAUTH_CLIENTS, params![owner, owner])?;
        for row in &rows {
            if row.get::<String>(2)? == new.service && row.get::<String>(3)? != new.client_id {
                let id = row.get::<OAuthClientId>(0)?;
                tx.execute(&sql::REMOVE_OAUTH_CLIENT, params![owner, id, now])?;
            }
        }
        let there = params![owner, &new.service, &new.client_id];
        let known = tx.row(&sql::FIND_OAUTH_CLIENT_THERE, there)?;
        let known = known.map(|row| row.get::<OAuthClientId>(0)).transpose()?;
        let id = known.unwrap_or(fresh);
        let secret = new.secret.as_ref().map(|it| {
            let binding = binding(id, owner, &new.service);
            seal(&key, &binding, it.reveal().as_bytes(), &world).into_bytes()
        });
        let (kind, tenant) = (new.kind.word(), new.tenant.as_deref());
        if known.is_some() {
            let values = params![owner, id, secret.as_ref(), tenant, kind, new.is_verified, proven_at];
            tx.execute(&sql::UPDATE_OAUTH_CLIENT, values)?;
            tx.execute(&sql::MAKE_REFRESHES_DUE, params![id, now])?;
        } else {
            let values = params![
                id,
                owner,
                &new.service,
                &new.client_id,
                secret.as_ref(),
                tenant,
                kind,
                new.is_verified,
                now,
                proven_at
            ];
            tx.execute(&sql::INSERT_OAUTH_CLIENT, values)?;
        }
        let details = json!({ "service": &new.service, "client_id": &new.client_id });
        let (action, subject, subject_id) = ("oauth_client.put", "oauth_client", Some(id.uuid()));
        append(tx, &world, &Entry { organisation: journal, actor, action, subject, subject_id, details })?;
        Ok::<_, StoreError>(id)
    });
    Ok(put.await?)
}

/// Those that an organisation can use, its own in front; at most one for each service.
pub(crate) async fn list(
    store: &Store,
    organisation: OrganisationId,
) -> Result<Vec<OAuthApplication>, StoreError> {
    let rows = store.read(move |tx| tx.rows(&sql::LIST_OAUTH_CLIENTS, params![organisation, INSTALLATION]));
    let mut all: Vec<OAuthApplication> = Vec::new();
    for row in &rows.await? {
        let it = OAuthApplication::try_from(row)?;
        if !all.iter().any(|have| have.service == it.service) {
            all.push(it);
        }
    }
    Ok(all)
}

/// One with its secret, as grants use it; also one that is offered no more.
pub(crate) async fn find(
    store: &Store,
    keyring: &Keyring,
    organisation: OrganisationId,
    id: OAuthClientId,
) -> Result<Option<Registered>, StoreError> {
    let row = store
        .read(move |tx| tx.row(&sql::FIND_OAUTH_CLIENT, params![organisation, INSTALLATION, id]))
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (owner, service): (OrganisationId, String) = (row.get(1)?, row.get(2)?);
    let key = keyring.data_key(owner).await?;
    let sealed: Option<Vec<u8>> = row.get(4)?;
    let secret = sealed.and_then(|it| open(&key, &binding(id, owner, &service), &it).ok()?.into_text());
    let application = Application { client_id: row.get(3)?, secret, tenant: row.get(5)? };
    let has_trouble = row.get::<Option<String>>(10)?.is_some();
    Ok(Some(Registered { id, owner, service, application, has_trouble }))
}

/// The service refuses the application itself, or takes it again.
pub(crate) async fn set_trouble(
    store: &Store,
    it: &Registered,
    rule: Option<&str>,
) -> Result<(), StoreError> {
    let (owner, id, rule, world) = (it.owner, it.id, rule.map(str::to_owned), store.world().clone());
    let set = store.write(move |tx| {
        let at = rule.as_ref().map(|_| world.now());
        tx.execute(&sql::SET_OAUTH_CLIENT_TROUBLE, params![owner, id, rule.as_deref(), at])
    });
    set.await.map(drop)
}

/// It is offered no more; grants made with it go on.
pub(crate) async fn remove(
    store: &Store,
    organisation: Option<OrganisationId>,
    id: OAuthClientId,
    (journal, actor): (OrganisationId, Actor),
) -> Result<bool, StoreError> {
    let (world, owner) = (store.world().clone(), organisation.unwrap_or(INSTALLATION));
    let removed = store.write(move |tx| {
        if tx.execute(&sql::REMOVE_OAUTH_CLIENT, params![owner, id, world.now()])? == 0 {
            return Ok(false);
        }
        let organisation = journal;
        let (action, subject, subject_id) = ("oauth_client.removed", "oauth_client", Some(id.uuid()));
        append(tx, &world, &Entry { organisation, actor, action, subject, subject_id, details: json!({}) })?;
        Ok::<_, StoreError>(true)
    });
    removed.await
}

/// The accounts of an organisation that sign in by a grant made with it.
pub(crate) async fn accounts_of(
    store: &Store,
    organisation: OrganisationId,
    id: OAuthClientId,
) -> Result<Vec<MailAccountId>, StoreError> {
    let rows =
        store.read(move |tx| tx.rows(&sql::LIST_ACCOUNTS_OF_OAUTH_CLIENT, params![organisation, id])).await?;
    rows.iter().map(|row| row.get(0)).collect()
}

impl TryFrom<&Row> for OAuthApplication {
    type Error = StoreError;

    fn try_from(row: &Row) -> Result<Self, StoreError> {
        let trouble = row.get::<Option<String>>(10)?.zip(row.get(11)?);
        Ok(Self {
            id: row.get(0)?,
            is_of_installation: row.get::<OrganisationId>(1)? == INSTALLATION,
            service: row.get(2)?,
            client_id: row.get(3)?,
            has_secret: row.get::<Option<Vec<u8>>>(4)?.is_some(),
            tenant: row.get(5)?,
            kind: row.parse(6, "web or desktop")?,
            is_verified: row.get(7)?,
            created_at: row.get(8)?,
            proven_at: row.get(9)?,
            trouble,
        })
    }
}
