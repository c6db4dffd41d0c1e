//! Refreshing the grant of an OAuth service, so that no crash and no second node loses it (docs/decisions/0012, OC-6, OC-7).

use std::time::Duration;

use gatepost_core::{CredentialId, Diagnosis, MailAccountId, OrganisationId, RetryClass, Timestamp, World};
use gatepost_journal::append;
use gatepost_providers::{
    Evidence, Granted, OAuthClient, OAuthFailure, OAuthService, OAuthTrouble, Providers, Uses,
};
use gatepost_store::{Keyring, Store, StoreError, params};
use gatepost_vault::DataKey;
use uuid::Uuid;

use crate::account::MailAccount;
use crate::application::{self, Registered};
use crate::credential::{Access, Credential, Present};
use crate::due::{due_after, is_at_rest, wait_after};
use crate::record::Record;
use crate::report::entry;
use crate::secret::{Part, Place};
use crate::sql;
use crate::standing::{Standing, State, What};
use crate::told::Written;

/// A refresh takes 10 s at most; whoever has claimed one and not answered for so long has died, or lost its answer.
const CLAIMED_FOR: Duration = Duration::from_secs(30);
/// How often somebody looks whether another node's refresh is over, and how long.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const LOOK_FOR: Duration = Duration::from_secs(35);
/// How often an answer is tried to be stored while the database is away.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// Who refreshes what.
pub(crate) struct Refresh<'a> {
    pub(crate) store: &'a Store,
    pub(crate) keyring: &'a Keyring,
    pub(crate) providers: &'a Providers,
    pub(crate) oauth: &'a OAuthClient,
    /// Names this process in a claim.
    pub(crate) owner: Uuid,
    pub(crate) organisation: OrganisationId,
    pub(crate) id: MailAccountId,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Refreshed {
    /// There is an access token that is newer than the one that was not wanted any more.
    Done,
    /// There is none, and the account's status says why.
    Failed(Box<Diagnosis>),
    /// The account has no grant, or was removed.
    Nothing,
}

/// A claim, and all that is needed to ask.
struct Claimed {
    record: Record,
    present: Credential,
    before: Option<Credential>,
    registered: Registered,
    key: std::sync::Arc<DataKey>,
    /// An earlier refresh of this generation was never answered.
    was_unanswered: bool,
}

impl Refresh<'_> {
    /// Refreshes unless the present access token is newer than `older_than`. The caller sees to it that one process does this
    /// once at a time for an account.
    pub(crate) async fn run(&self, older_than: u64) -> Result<Refreshed, StoreError> {
        let began = std::time::Instant::now();
        loop {
            let Some((record, it)) = self.find().await? else { return Ok(Refreshed::Nothing) };
            if it.present.access.serial > older_than {
                return Ok(Refreshed::Done);
            }
            if it.present.token.is_none() {
                return Ok(Refreshed::Nothing);
            }
            if it.present.is_dead() {
                return self.stay_parked(&record, &it.present).await;
            }
            if let Some(claimed) = self.claim(record, it).await? {
                return self.ask(claimed).await;
            }
            if began.elapsed() > LOOK_FOR {
                let trouble = Evidence::OAuthTrouble(OAuthTrouble::Busy);
                return Ok(Refreshed::Failed(Box::new(self.providers.catalogue().diagnose(&trouble))));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The grant is dead, so nobody asks with it; whatever has unparked the account meanwhile was mistaken.
    async fn stay_parked(&self, record: &Record, it: &Credential) -> Result<Refreshed, StoreError> {
        let catalogue = self.providers.catalogue();
        let known = record.sending.rule.as_deref().and_then(|rule| catalogue.find(rule)).cloned();
        let is_parked = record.sending.state == State::NeedsSignIn;
        let diagnosis = known.filter(|_| is_parked).unwrap_or_else(|| {
            let (provider_kind, error, text) = (None, "invalid_grant", "");
            catalogue.diagnose(&Evidence::OAuth { provider_kind, error, text })
        });
        if !is_parked {
            self.park(it, &diagnosis, None).await?;
        }
        Ok(Refreshed::Failed(Box::new(diagnosis)))
    }

    async fn find(&self) -> Result<Option<(Record, Present)>, StoreError> {
        let (organisation, id) = (self.organisation, self.id);
        let found = self.store.read(move |tx| {
            let record = Record::find(tx, organisation, id)?.filter(|it| it.account.is_live());
            Ok::<_, StoreError>(record.zip(Present::find(tx, organisation, id)?))
        });
        found.await
    }

    /// One conditional update; none if somebody else's refresh is under way.
    async fn claim(&self, record: Record, it: Present) -> Result<Option<Claimed>, StoreError> {
        let (organisation, credential, owner) = (self.organisation, it.present.id, self.owner);
        let serial = it.present.access.serial;
        let world = self.world().clone();
        let claimed = self.store.write(move |tx| {
            let now = world.now();
            tx.execute(
                &sql::CLAIM_REFRESH,
                params![organisation, credential, now, owner, now - CLAIMED_FOR, serial, now + CLAIMED_FOR],
            )
        });
        if claimed.await? == 0 {
            return Ok(None);
        }
        let Present { present, before } = it;
        let client = present.token.as_ref().map(|it| it.client);
        let registered = match client {
            Some(client) => application::find(self.store, self.keyring, organisation, client).await?,
            None => None,
        };
        let key = self.keyring.data_key(organisation).await?;
        let was_unanswered = present.refresh_began_at.is_some();
        let Some(registered) = registered else { return Ok(None) };
        Ok(Some(Claimed { record, present, before, registered, key, was_unanswered }))
    }

    async fn ask(&self, it: Claimed) -> Result<Refreshed, StoreError> {
        let Some(service) = self.providers.service(&it.registered.service) else {
            return Ok(Refreshed::Nothing);
        };
        let answer = self.ask_with(&it, service, &it.present).await;
        let answer = match answer {
            // The newest generation never worked, and the one before it is there: the newest may be lost.
            Err(OAuthFailure::Refused(refusal))
                if refusal.ends_the_grant() && it.present.worked_at.is_none() =>
            {
                match &it.before {
                    Some(before) => self.ask_with_the_one_before(&it, service, before).await,
                    None => Err(OAuthFailure::Refused(refusal)),
                }
            }
            answer => answer,
        };
        match answer {
            Ok(granted) => self.store_granted(&it, service, granted).await,
            Err(failure) => self.store_failure(&it, service, &failure).await,
        }
    }

    /// Where that answers, its refresh token is the living one: as the next generation, unless the answer brings another.
    async fn ask_with_the_one_before(
        &self,
        it: &Claimed,
        service: &OAuthService,
        before: &Credential,
    ) -> Result<Granted, OAuthFailure> {
        let mut granted = self.ask_with(it, service, before).await?;
        if granted.refresh_token.is_none() {
            granted.refresh_token =
                before.open(self.organisation, self.id, &it.record.account.endpoints, &it.key);
        }
        Ok(granted)
    }

    async fn ask_with(
        &self,
        it: &Claimed,
        service: &OAuthService,
        credential: &Credential,
    ) -> Result<Granted, OAuthFailure> {
        let endpoints = &it.record.account.endpoints;
        let token = credential.open(self.organisation, self.id, endpoints, &it.key);
        let (Some(token), Some(place)) = (token, &credential.token) else {
            // Re-pointed in the database: there is nothing to ask with.
            return Err(OAuthFailure::Trouble {
                trouble: OAuthTrouble::GrantAnswerLost,
                retry_after: None,
                words: String::new(),
            });
        };
        self.oauth.refresh(service, &it.registered.application, &place.token_url, &token).await
    }

    /// Before anybody gets the access token, all of the answer is on the disk.
    async fn store_granted(
        &self,
        it: &Claimed,
        service: &OAuthService,
        granted: Granted,
    ) -> Result<Refreshed, StoreError> {
        let now = self.world().now();
        let next = self.next(it, &granted, now);
        let lacking = granted.lacks_scopes(service, uses(&it.record.account));
        loop {
            match self.try_to_store(it, &next, lacking.is_some()).await {
                Ok(()) => break,
                // The only living token may be the one in our hands: nobody uses it, and nobody gives up.
                Err(failure) if is_for_the_moment(&failure) => {
                    tracing::error!(account.id = %self.id, error = %failure, "a new token cannot be stored yet");
                    tokio::time::sleep(STORE_AGAIN).await;
                }
                Err(failure) => return Err(failure),
            }
        }
        if it.registered.has_trouble {
            application::set_trouble(self.store, &it.registered, None).await?;
        }
        match lacking {
            None => Ok(Refreshed::Done),
            Some(lacking) => {
                let diagnosis =
                    self.providers.catalogue().diagnose(&Evidence::OAuthTrouble(lacking.trouble()));
                self.park(&next, &diagnosis, None).await?;
                Ok(Refreshed::Failed(Box::new(diagnosis)))
            }
        }
    }

    /// The row that stands for the answer: the same one with another access token, or one of the next generation.
    fn next(&self, it: &Claimed, granted: &Granted, now: Timestamp) -> Credential {
        let is_rotated = granted.refresh_token.is_some();
        let mut next = it.present.clone();
        if is_rotated {
            next.id = CredentialId::new(self.world());
            next.generation += 1;
            next.worked_at = None;
        }
        let place = Place {
            organisation: self.organisation,
            account: self.id,
            credential: next.id,
            endpoints: &it.record.account.endpoints,
            token: next.token.as_ref(),
        };
        let access = place.seal(Part::Access, &it.key, &granted.access_token, self.world());
        let sealed = granted
            .refresh_token
            .as_ref()
            .map(|token| place.seal(Part::Secret, &it.key, token, self.world()));
        next.sealed = sealed.unwrap_or(next.sealed);
        next.access = Access {
            sealed: Some(access),
            serial: it.present.access.serial + 1,
            expires_at: Some(now + granted.lifetime),
        };
        next.scopes = granted.scopes.as_ref().map(|it| it.join(" ")).or(next.scopes);
        next.refresh_began_at = None;
        next.n_refresh_failures = 0;
        let is_used = it.record.account.paused_at.is_none() && !is_at_rest(next.used_at, now);
        next.refresh_at = Some(due_after(self.world(), granted.lifetime, is_used));
        next
    }

    async fn try_to_store(&self, it: &Claimed, next: &Credential, is_over: bool) -> Result<(), StoreError> {
        let (organisation, id, world) = (self.organisation, self.id, self.world().clone());
        let (asked, next) = (it.present.clone(), next.clone());
        self.store
            .write(move |tx| {
                let Some(now_present) = Present::lock(tx, organisation, id)? else { return Ok(()) };
                // Removed or signed in again meanwhile: the answer is about a grant that nobody has any more.
                if now_present.present.grant != asked.grant {
                    return Ok(());
                }
                if now_present.present.generation > asked.generation {
                    // Stored already, by this very loop whose answer from the database was lost, or by somebody newer.
                    return Ok(());
                }
                let refresh_at = next.refresh_at.filter(|_| !is_over);
                if next.id == asked.id {
                    let values = params![
                        organisation,
                        next.id,
                        next.access.sealed.as_ref(),
                        next.access.serial,
                        next.access.expires_at,
                        refresh_at,
                        next.scopes.as_deref(),
                    ];
                    tx.execute(&sql::STORE_ACCESS, values)?;
                } else {
                    // It was refreshed with, so it has worked, and what came before it is needed no more.
                    tx.execute(&sql::DELETE_PREDECESSORS, params![organisation, id, asked.generation])?;
                    let kept = params![organisation, asked.id, None::<Timestamp>, 0_u32, None::<Timestamp>];
                    tx.execute(&sql::STORE_FAILURE, kept)?;
                    Credential { refresh_at, ..next.clone() }.insert(tx, organisation, id, world.now())?;
                }
                Ok::<_, StoreError>(())
            })
            .await
    }

    async fn store_failure(
        &self,
        it: &Claimed,
        service: &OAuthService,
        failure: &OAuthFailure,
    ) -> Result<Refreshed, StoreError> {
        let catalogue = self.providers.catalogue();
        let (is_over, is_of_application) = match failure {
            OAuthFailure::Refused(it) => (it.ends_the_grant(), it.is_of_the_application()),
            OAuthFailure::Trouble { trouble, .. } => (*trouble == OAuthTrouble::GrantAnswerLost, false),
        };
        let diagnosis = if is_over && it.was_unanswered {
            catalogue.diagnose(&Evidence::OAuthTrouble(OAuthTrouble::GrantAnswerLost))
        } else {
            failure.diagnose(catalogue, service)
        };
        // Only an answer that was understood tells that the token was not used up.
        let is_answered = match failure {
            OAuthFailure::Refused(_) => true,
            OAuthFailure::Trouble { trouble, .. } => *trouble == OAuthTrouble::Busy,
        };
        let n_failures = it.present.n_refresh_failures.saturating_add(1);
        let now = self.world().now();
        let wait = wait_after(n_failures, failure);
        let refresh_at = (!is_over).then(|| now + wait);
        let began_at = if is_answered { None } else { Some(now) };
        let (organisation, credential) = (self.organisation, it.present.id);
        let values = (refresh_at, n_failures, began_at);
        let stored = self.store.write(move |tx| {
            let (refresh_at, n_failures, began_at) = values;
            let values = params![organisation, credential, refresh_at, n_failures, began_at];
            tx.execute(&sql::STORE_FAILURE, values)
        });
        stored.await?;
        let words = Some(failure.words().into_bytes()).filter(|it| !it.is_empty());
        if is_of_application {
            application::set_trouble(self.store, &it.registered, Some(&diagnosis.rule)).await?;
        }
        if is_over {
            self.park(&it.present, &diagnosis, words).await?;
        } else if it.present.access.expires_at.is_none_or(|at| at <= now) {
            self.fail(&it.present, &diagnosis, words, wait).await?;
        }
        Ok(Refreshed::Failed(Box::new(diagnosis)))
    }

    /// The grant is dead: somebody has to sign in again, and no probe asks before that.
    async fn park(
        &self,
        asked: &Credential,
        diagnosis: &Diagnosis,
        words: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let retry = RetryClass::Hold;
        let diagnosis = Diagnosis { retry, ..diagnosis.clone() };
        let what = What::SignInRefused { diagnosis, reply: words };
        self.move_both(asked, what, |standing| Standing { not_before: None, ..standing }).await
    }

    /// Nothing is known about the grant: the account fails for now.
    async fn fail(
        &self,
        asked: &Credential,
        diagnosis: &Diagnosis,
        words: Option<Vec<u8>>,
        wait: Duration,
    ) -> Result<(), StoreError> {
        let retry = RetryClass::Backoff { at_least: wait };
        let diagnosis = Diagnosis { retry, ..diagnosis.clone() };
        self.move_both(asked, What::Trouble { diagnosis, reply: words }, |standing| standing).await
    }

    /// Says it of the account, unless it was asked with a grant or a generation that is not the present one any more: that answer
    /// is about what nobody has.
    async fn move_both(
        &self,
        asked: &Credential,
        what: What,
        finish: impl Fn(Standing) -> Standing + Send + Sync + 'static,
    ) -> Result<(), StoreError> {
        let (organisation, id, world) = (self.organisation, self.id, self.world().clone());
        let asked = (asked.grant, asked.generation);
        let written = self
            .store
            .write(move |tx| {
                let Some(before) = Record::lock(tx, organisation, id)? else { return Ok(None) };
                let present = Present::find(tx, organisation, id)?.map(|it| it.present);
                if present.is_none_or(|it| (it.grant, it.generation) != asked) {
                    return Ok(None);
                }
                let (now, mut after) = (world.now(), before.clone());
                for direction in after.directions() {
                    let standing = before.standing(direction);
                    if let Some(moved) = standing.after(&what, now).map(&finish) {
                        if moved.state.name() != standing.state.name() {
                            append(tx, &world, &entry(&before, direction, standing.state.name(), &moved))?;
                        }
                        after.set_standing(direction, moved);
                    }
                }
                if after != before {
                    after.save(tx, &before, now)?;
                }
                Ok::<_, StoreError>(Some(Written::new(before, after, None)))
            })
            .await?;
        if let Some(written) = written {
            written.tell(self.providers.catalogue());
        }
        Ok(())
    }

    fn world(&self) -> &World {
        self.store.world()
    }
}

/// The protocols of an account.
pub(crate) fn uses(it: &MailAccount) -> Uses {
    Uses { smtp: true, imap: it.endpoints.imap.is_some(), pop3: it.endpoints.pop3.is_some() }
}

fn is_for_the_moment(failure: &StoreError) -> bool {
    !matches!(failure, StoreError::Stopped | StoreError::SyncFailed | StoreError::Contradiction { .. })
}
