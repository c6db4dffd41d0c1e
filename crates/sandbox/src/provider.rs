//! What all doors of the provider share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::{EmailAddress, World};
use gatepost_net::ServerTls;
use gatepost_wire::sasl::{Credentials, Secret};
use tokio_util::sync::CancellationToken;

use crate::SandboxError;
use crate::fault::{Faults, Order};
use crate::mailbox::{self, Mailboxes, MessageId, Numbered, SecondStep, SignInAs, Verdict, phone_account};
use crate::oauth::{GrantId, OAuth, Scope};
use crate::phone::{Account, Name, Phone};

/// The provider behind its doors.
pub(crate) struct Provider {
    pub(crate) mailboxes: Arc<Mailboxes>,
    pub(crate) phone: Arc<Phone>,
    pub(crate) oauth: Arc<OAuth>,
    pub(crate) faults: Faults,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) tls: ServerTls,
    pub(crate) world: World,
    /// Ends everything.
    pub(crate) stop: CancellationToken,
}

impl Provider {
    /// Turns a fault on or off. Some end the sessions of those they concern at once.
    pub(crate) fn order(&self, order: &Order) {
        self.faults.carry_out(order);
        if let Order::Set(fault) = order
            && fault.kind.ends_sessions()
        {
            self.sessions.end(fault.account.as_ref());
        }
    }

    /// Whom `secret` proves, and what it is worth for what `needs` allows. A bearer token can speak for itself; nobody else can.
    async fn check(
        &self,
        claimed: Option<EmailAddress>,
        secret: &Secret,
        needs: Scope,
    ) -> (Option<EmailAddress>, Verdict) {
        let verdict = claimed.as_ref().map_or(Verdict::Refused, |it| self.mailboxes.check(it, secret));
        let Secret::BearerToken(token) = secret else { return (claimed, verdict) };
        if verdict != Verdict::Refused {
            return (claimed, verdict);
        }
        let token = token.clone();
        let bearer = match self.work(move |oauth| oauth.grants.use_access(&token)).await {
            Ok(bearer) => bearer,
            Err(error) => {
                tracing::error!(%error, "a token could not be checked");
                None
            }
        };
        let bearer = bearer.filter(|it| it.scopes.contains(&needs));
        match (bearer, claimed) {
            (Some(it), claimed)
                if claimed.as_ref().is_none_or(|claimed| self.opens(&it.account, claimed)) =>
            {
                let account = claimed.unwrap_or(it.account);
                (Some(account), Verdict::Good(SignInAs::ByToken { set_at: it.set_at }))
            }
            (_, claimed) => (claimed, Verdict::Refused),
        }
    }

    /// Whether a token of `account` opens `mailbox`: its own, or one that is shared with it, as at Microsoft.
    fn opens(&self, account: &EmailAddress, mailbox: &EmailAddress) -> bool {
        mailbox.is_same_mailbox(account) || self.mailboxes.credentials(mailbox).is_shared_with(account)
    }

    /// As [`Provider::check`], for what a sign-in has brought. Nobody may act as somebody else.
    pub(crate) async fn check_credentials(
        &self,
        credentials: &Credentials,
        needs: Scope,
    ) -> (Option<EmailAddress>, Verdict) {
        let user_name = &credentials.user_name;
        let claimed: Option<EmailAddress> = user_name.parse().ok();
        let acts_as: Option<Option<EmailAddress>> =
            credentials.authorization_id.as_ref().map(|it| it.parse().ok());
        let is_self = acts_as.is_none_or(|it| {
            it.zip(claimed.as_ref()).is_some_and(|(acts_as, claimed)| acts_as.is_same_mailbox(claimed))
        });
        // RFC 7628 §3.1: without a name the token says who it is. A name that is no address is nobody's.
        if !is_self || (claimed.is_none() && !user_name.is_empty()) {
            return (claimed, Verdict::Refused);
        }
        self.check(claimed, &credentials.secret, needs).await
    }

    /// A mailbox as IMAP sees it.
    pub(crate) async fn numbered(&self, owner: &EmailAddress) -> Result<Numbered, SandboxError> {
        let (mailboxes, owner) = (self.mailboxes.clone(), owner.clone());
        let numbering = tokio::task::spawn_blocking(move || mailboxes.numbered(&owner));
        numbering.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Sets flags of messages. On return it is durable.
    pub(crate) async fn set_flags(
        &self,
        owner: &EmailAddress,
        changes: Vec<(MessageId, Vec<String>)>,
    ) -> Result<(), SandboxError> {
        let (mailboxes, owner) = (self.mailboxes.clone(), owner.clone());
        let setting = tokio::task::spawn_blocking(move || mailboxes.set_flags(&owner, &changes));
        setting.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Removes messages of a mailbox. On return it is durable.
    pub(crate) async fn delete(&self, owner: &EmailAddress, ids: Vec<MessageId>) -> Result<(), SandboxError> {
        let (mailboxes, owner) = (self.mailboxes.clone(), owner.clone());
        let deleting = tokio::task::spawn_blocking(move || mailboxes.delete(&owner, &ids));
        deleting.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Lets OAuth do something that blocks.
    pub(crate) async fn work<T: Send + 'static>(&self, work: impl FnOnce(&OAuth) -> T + Send + 'static) -> T {
        let oauth = self.oauth.clone();
        let working = tokio::task::spawn_blocking(move || work(&oauth));
        working.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Ends the access tokens of a grant, or all of it, and with it the sessions of its account; false if there is none.
    pub(crate) async fn end_grant(&self, id: GrantId, is_revoked: bool) -> Result<bool, SandboxError> {
        let ended = self
            .work(move |oauth| if is_revoked { oauth.grants.revoke(id) } else { oauth.grants.expire(id) })
            .await?;
        if let Some(account) = &ended {
            self.sessions.end(Some(account));
        }
        Ok(ended.is_some())
    }

    /// Changes what opens a mailbox. On return it is durable.
    pub(crate) async fn change_mailbox<T: Send + 'static>(
        &self,
        address: &EmailAddress,
        change: impl FnOnce(&mut mailbox::Credentials) -> T + Send + 'static,
    ) -> Result<T, SandboxError> {
        let (mailboxes, address) = (self.mailboxes.clone(), address.clone());
        let changing = tokio::task::spawn_blocking(move || mailboxes.change(&address, change));
        changing.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// Puts the codes of an account on the phone, if it has some.
    pub(crate) async fn show_codes(&self, address: &EmailAddress) -> Result<(), SandboxError> {
        let credentials = self.mailboxes.credentials(address);
        let has_codes = credentials.security().second_step == SecondStep::Codes;
        match credentials.authenticator().filter(|_| has_codes).and_then(phone_account) {
            Some(account) => self.add_to_phone(account).await,
            None => Ok(()),
        }
    }

    /// On return it is durable.
    pub(crate) async fn add_to_phone(&self, account: Account) -> Result<(), SandboxError> {
        let phone = self.phone.clone();
        let adding = tokio::task::spawn_blocking(move || phone.add(account));
        adding.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// On return it is durable; false if there was none of this name.
    pub(crate) async fn remove_from_phone(&self, name: Name) -> Result<bool, SandboxError> {
        let phone = self.phone.clone();
        let removing = tokio::task::spawn_blocking(move || phone.remove(&name));
        removing.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }
}

/// Who is signed in at any door.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Registered>);

#[derive(Default)]
struct Registered {
    next: u64,
    open: HashMap<u64, (EmailAddress, CancellationToken)>,
}

/// One open session. It is forgotten when this is dropped.
pub(crate) struct OpenSession {
    sessions: Arc<Sessions>,
    number: u64,
}

impl Sessions {
    /// From now on [`Sessions::end`] cancels `ends` when it concerns this account.
    pub(crate) fn register(self: &Arc<Self>, account: EmailAddress, ends: CancellationToken) -> OpenSession {
        let mut registered = self.registered();
        let number = registered.next;
        registered.next += 1;
        registered.open.insert(number, (account, ends));
        OpenSession { sessions: self.clone(), number }
    }

    /// Ends the sessions of `account`, or all.
    pub(crate) fn end(&self, account: Option<&EmailAddress>) {
        for (owner, ends) in self.registered().open.values() {
            if account.is_none_or(|it| it.is_same_mailbox(owner)) {
                ends.cancel();
            }
        }
    }

    fn registered(&self) -> MutexGuard<'_, Registered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.sessions.registered().open.remove(&self.number);
    }
}
