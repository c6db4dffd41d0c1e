//! What all doors of the provider share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatepost_core::{EmailAddress, World};
use gatepost_net::ServerTls;
use tokio_util::sync::CancellationToken;

use crate::SandboxError;
use crate::fault::{Faults, Order};
use crate::mailbox::Mailboxes;
use crate::phone::{Account, Name, Phone};

/// The provider behind its doors.
pub(crate) struct Provider {
    pub(crate) mailboxes: Arc<Mailboxes>,
    pub(crate) phone: Arc<Phone>,
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
