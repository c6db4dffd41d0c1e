//! All grants, on disk and in memory.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gatepost_core::{EmailAddress, SecretText, World};

use super::grant::{Grant, GrantId, Presented, from_json, to_json};
use super::token::generate;
use super::{Client, Digest, Rotation, Scope, Settings};
use crate::error::storage;
use crate::{SandboxError, durable};

/// Grants of one account to one application; the oldest ends without a word when there is another, as at Google.
const MOST_FOR_ONE: usize = 100;

/// The grants of one sandbox.
pub(crate) struct Grants {
    folder: PathBuf,
    world: World,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_id: HashMap<GrantId, Arc<Mutex<Grant>>>,
    by_token: HashMap<Digest, GrantId>,
    /// By [`EmailAddress::to_key`], in the order of granting.
    by_account: HashMap<String, Vec<GrantId>>,
}

/// Fresh tokens.
pub(crate) struct Tokens {
    pub(crate) access: SecretText,
    pub(crate) refresh: Option<SecretText>,
    pub(crate) expires_in_s: u64,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) account: EmailAddress,
    pub(crate) grant: GrantId,
}

/// Whom an access token speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Bearer {
    pub(crate) account: EmailAddress,
    pub(crate) scopes: Vec<Scope>,
    /// When it was handed out, if that was since the start.
    pub(crate) set_at: Option<Instant>,
}

/// Why a refresh token brings nothing.
#[derive(Debug)]
pub(crate) enum NoRefresh {
    Unknown,
    /// It came back although it had been exchanged, and rotation is strict: the grant of this account is gone.
    Reused(EmailAddress),
    /// More was asked for than was granted.
    TooMuch,
    Storage(SandboxError),
}

impl Grants {
    /// Reads what `folder` holds. Blocks.
    pub(super) fn open(folder: &Path, world: &World) -> Result<Self, SandboxError> {
        let mut grants = Vec::new();
        for entry in fs::read_dir(folder).map_err(storage("read", folder))? {
            let path = entry.map_err(storage("read", folder))?.path();
            let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            // What a kill left half-written has another ending.
            let Some(id) = name.strip_suffix(".json").and_then(|it| it.parse().ok()) else { continue };
            let bytes = fs::read(&path).map_err(storage("read", &path))?;
            grants.push(from_json(id, &bytes).ok_or_else(|| SandboxError::Damaged { path })?);
        }
        grants.sort_by_key(|it| (it.granted_at, it.id));
        let mut known = Known::default();
        grants.into_iter().for_each(|it| known.put(it));
        Ok(Self { folder: folder.to_owned(), world: world.clone(), known: Mutex::new(known) })
    }

    /// Keeps a new grant durably, and gives its first tokens. Blocks.
    pub(crate) fn add(
        &self,
        account: EmailAddress,
        client: &Client,
        scopes: Vec<Scope>,
        settings: &Settings,
    ) -> Result<Tokens, SandboxError> {
        let scopes = narrowed(scopes, settings);
        let id = GrantId(u64::from_be_bytes(self.world.random()));
        let mut grant = Grant::new(id, account.clone(), client.id.clone(), scopes.clone(), self.world.now());
        let refresh = scopes.contains(&Scope::OfflineAccess).then(|| generate(&self.world, "refresh-"));
        if let Some(refresh) = &refresh {
            grant.begin(Digest::of(refresh.reveal()));
        }
        let access = self.access(&mut grant, scopes.clone(), settings);
        self.write(&grant)?;
        self.known().put(grant);
        self.drop_oldest(&account, client)?;
        let expires_in_s = settings.access_lifetime_s;
        Ok(Tokens { access, refresh, expires_in_s, scopes, account, grant: id })
    }

    /// Exchanges a refresh token of `client` for fresh tokens. Blocks; one grant is exchanged once at a time.
    pub(crate) fn refresh(
        &self,
        client: &Client,
        presented: &SecretText,
        asked: Option<&[Scope]>,
        settings: &Settings,
    ) -> Result<Tokens, NoRefresh> {
        let presented = Digest::of(presented.reveal());
        let found = self.find_by_token(presented).ok_or(NoRefresh::Unknown)?;
        let mut grant = found.lock().unwrap_or_else(PoisonError::into_inner);
        if grant.client_id != client.id || !self.is_there(grant.id) {
            return Err(NoRefresh::Unknown);
        }
        match grant.judge(presented, settings.rotation) {
            Presented::Good => {}
            Presented::Spent if settings.rotation == Rotation::Strict => {
                self.forget(&grant).map_err(NoRefresh::Storage)?;
                return Err(NoRefresh::Reused(grant.account.clone()));
            }
            Presented::Spent | Presented::Unknown => return Err(NoRefresh::Unknown),
        }
        // RFC 6749 §6: not more than was granted.
        let scopes = asked.unwrap_or(&grant.scopes).to_vec();
        if !scopes.iter().all(|it| grant.scopes.contains(it)) {
            return Err(NoRefresh::TooMuch);
        }
        let scopes = narrowed(scopes, settings);
        let next = (settings.rotation != Rotation::None).then(|| generate(&self.world, "refresh-"));
        let mut changed = grant.clone();
        changed.exchange(presented, next.as_ref().map(|it| Digest::of(it.reveal())), self.world.now());
        let access = self.access(&mut changed, scopes.clone(), settings);
        self.replace(&mut grant, changed).map_err(NoRefresh::Storage)?;
        Ok(Tokens {
            access,
            refresh: next,
            expires_in_s: settings.access_lifetime_s,
            scopes,
            account: grant.account.clone(),
            grant: grant.id,
        })
    }

    /// Whom an access token speaks for, if it is good. Its first use can end the refresh token before it, durably. Blocks.
    pub(crate) fn use_access(&self, token: &SecretText) -> Result<Option<Bearer>, SandboxError> {
        let digest = Digest::of(token.reveal());
        let Some(found) = self.find_by_token(digest) else { return Ok(None) };
        let mut grant = found.lock().unwrap_or_else(PoisonError::into_inner);
        let access = grant.find_access(digest, self.world.now()).filter(|_| self.is_there(grant.id));
        let Some(access) = access else { return Ok(None) };
        let mut changed = grant.clone();
        if changed.note_use(digest) {
            self.replace(&mut grant, changed)?;
        }
        Ok(Some(Bearer { account: grant.account.clone(), scopes: access.scopes, set_at: access.set_at }))
    }

    /// The grant that a token of either kind belongs to.
    pub(crate) fn find(&self, token: &SecretText) -> Option<Grant> {
        self.find_by_token(Digest::of(token.reveal())).map(|it| copy(&it))
    }

    /// Ends a grant durably, with all its tokens; gives whose it was. Blocks.
    pub(crate) fn revoke(&self, id: GrantId) -> Result<Option<EmailAddress>, SandboxError> {
        let Some(found) = self.find_by_id(id) else { return Ok(None) };
        let grant = found.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(&grant)?;
        Ok(Some(grant.account.clone()))
    }

    /// Ends the access tokens of a grant durably; it can be refreshed. Gives whose it is. Blocks.
    pub(crate) fn expire(&self, id: GrantId) -> Result<Option<EmailAddress>, SandboxError> {
        let Some(found) = self.find_by_id(id) else { return Ok(None) };
        let mut grant = found.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_there(id) {
            return Ok(None);
        }
        let mut changed = grant.clone();
        changed.expire_access();
        self.replace(&mut grant, changed)?;
        Ok(Some(grant.account.clone()))
    }

    /// All grants, or those of one account, oldest first.
    pub(crate) fn list(&self, account: Option<&EmailAddress>) -> Vec<Grant> {
        let found: Vec<_> = {
            let known = self.known();
            match account {
                Some(account) => {
                    let ids = known.by_account.get(&account.to_key()).into_iter().flatten();
                    ids.filter_map(|id| known.by_id.get(id).cloned()).collect()
                }
                None => known.by_id.values().cloned().collect(),
            }
        };
        let mut grants: Vec<_> = found.iter().map(copy).collect();
        grants.sort_by_key(|it| (it.granted_at, it.id));
        grants
    }

    /// Whether this account has allowed the application all of this before.
    pub(crate) fn covers(&self, account: &EmailAddress, client: &Client, scopes: &[Scope]) -> bool {
        let is_enough =
            |it: &Grant| it.client_id == client.id && scopes.iter().all(|scope| it.scopes.contains(scope));
        self.list(Some(account)).iter().any(is_enough)
    }

    fn access(&self, grant: &mut Grant, scopes: Vec<Scope>, settings: &Settings) -> SecretText {
        let token = generate(&self.world, "access-");
        let lifetime = Duration::from_secs(settings.access_lifetime_s);
        grant.add_access(Digest::of(token.reveal()), scopes, self.world.now(), lifetime);
        token
    }

    fn drop_oldest(&self, account: &EmailAddress, client: &Client) -> Result<(), SandboxError> {
        let mut theirs = self.list(Some(account));
        theirs.retain(|it| it.client_id == client.id);
        let n_too_many = theirs.len().saturating_sub(MOST_FOR_ONE);
        for grant in theirs.iter().take(n_too_many) {
            self.revoke(grant.id)?;
        }
        Ok(())
    }

    /// Puts `changed` in the place of a grant that is there: on disk, then in memory.
    fn replace(&self, grant: &mut Grant, changed: Grant) -> Result<(), SandboxError> {
        self.write(&changed)?;
        self.known().index(grant, &changed);
        *grant = changed;
        Ok(())
    }

    fn write(&self, grant: &Grant) -> Result<(), SandboxError> {
        let path = self.path(grant.id);
        durable::replace(&path, &to_json(grant), 0o600).map_err(storage("write", &path))
    }

    fn forget(&self, grant: &Grant) -> Result<(), SandboxError> {
        let path = self.path(grant.id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(storage("remove", &path)(error));
            }
            _ => durable::sync_folder(&self.folder).map_err(storage("sync", &self.folder))?,
        }
        self.known().take(grant);
        Ok(())
    }

    fn path(&self, id: GrantId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn find_by_token(&self, digest: Digest) -> Option<Arc<Mutex<Grant>>> {
        let known = self.known();
        known.by_id.get(known.by_token.get(&digest)?).cloned()
    }

    fn find_by_id(&self, id: GrantId) -> Option<Arc<Mutex<Grant>>> {
        self.known().by_id.get(&id).cloned()
    }

    /// To be asked again once a grant is locked: it may have been revoked meanwhile.
    fn is_there(&self, id: GrantId) -> bool {
        self.known().by_id.contains_key(&id)
    }

    /// Never held while a grant is waited for.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copy(grant: &Arc<Mutex<Grant>>) -> Grant {
    grant.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn narrowed(mut scopes: Vec<Scope>, settings: &Settings) -> Vec<Scope> {
    scopes.retain(|it| !settings.narrow_scopes.contains(it));
    scopes
}

impl Known {
    fn put(&mut self, grant: Grant) {
        self.by_token.extend(grant.digests().map(|it| (it, grant.id)));
        self.by_account.entry(grant.account.to_key()).or_default().push(grant.id);
        self.by_id.insert(grant.id, Arc::new(Mutex::new(grant)));
    }

    fn take(&mut self, grant: &Grant) {
        self.by_id.remove(&grant.id);
        if let Some(theirs) = self.by_account.get_mut(&grant.account.to_key()) {
            theirs.retain(|it| *it != grant.id);
        }
        for digest in grant.digests() {
            self.by_token.remove(&digest);
        }
    }

    fn index(&mut self, before: &Grant, after: &Grant) {
        for digest in before.digests() {
            self.by_token.remove(&digest);
        }
        self.by_token.extend(after.digests().map(|it| (it, after.id)));
    }
}
