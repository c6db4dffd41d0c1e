//! What is open at this moment, for people to see and to end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gatepost_accounts::{ReadingProtocol, Used};
use gatepost_core::{AppPasswordId, MailAccountId, OrganisationId, Timestamp};
use tokio_util::sync::CancellationToken;

/// All open connections of this process. Cheap to clone.
#[derive(Clone, Default)]
pub struct OpenConnections(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    all: HashMap<u64, Row>,
}

#[derive(Clone)]
struct Row {
    organisation: OrganisationId,
    used: Used,
    shown: OpenConnection,
    moved: Arc<Moved>,
    end: Arc<End>,
}

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenConnection {
    /// Names it while it lives.
    pub number: u64,
    /// Whose mailbox.
    pub account: MailAccountId,
    /// Which app password opened it.
    pub app_password: AppPasswordId,
    /// How it reads.
    pub protocol: ReadingProtocol,
    /// From where.
    pub source: IpAddr,
    /// Since when.
    pub since: Timestamp,
    /// Octets that went to the application.
    pub n_down: u64,
    /// Octets that it sent.
    pub n_up: u64,
}

/// Octets that have passed.
#[derive(Default)]
pub(crate) struct Moved {
    pub(crate) down: AtomicU64,
    pub(crate) up: AtomicU64,
}

/// The end of one connection, from outside.
#[derive(Default)]
struct End {
    asked: CancellationToken,
    because: OnceLock<&'static str>,
}

/// One connection's own row, until it is dropped.
pub(crate) struct Entry {
    table: OpenConnections,
    number: u64,
    pub(crate) moved: Arc<Moved>,
    end: Arc<End>,
}

/// A connection that opens.
pub(crate) struct Opening {
    pub(crate) organisation: OrganisationId,
    pub(crate) account: MailAccountId,
    pub(crate) used: Used,
    pub(crate) app_password: AppPasswordId,
    pub(crate) protocol: ReadingProtocol,
    pub(crate) source: IpAddr,
    pub(crate) since: Timestamp,
}

impl OpenConnections {
    /// Those to one mailbox, the oldest first.
    #[must_use]
    pub fn of(&self, organisation: OrganisationId, account: MailAccountId) -> Vec<OpenConnection> {
        let table = self.table();
        let theirs =
            table.all.values().filter(|it| it.organisation == organisation && it.shown.account == account);
        let mut shown: Vec<OpenConnection> = theirs.map(Row::shown).collect();
        shown.sort_by_key(|it| it.number);
        shown
    }

    /// Ends one, and says what it was. None if it has ended by itself, or is another mailbox's.
    pub fn end(
        &self,
        organisation: OrganisationId,
        account: MailAccountId,
        number: u64,
    ) -> Option<OpenConnection> {
        let table = self.table();
        let found = table.all.get(&number);
        let found = found.filter(|it| it.organisation == organisation && it.shown.account == account);
        found.map(|it| {
            it.end.now("the connection was ended in Gatepost");
            it.shown()
        })
    }

    pub(crate) fn enter(&self, it: Opening) -> Entry {
        let mut table = self.table();
        let number = table.next;
        table.next += 1;
        let (moved, end) = (Arc::new(Moved::default()), Arc::new(End::default()));
        let shown = OpenConnection {
            number,
            account: it.account,
            app_password: it.app_password,
            protocol: it.protocol,
            source: it.source,
            since: it.since,
            n_down: 0,
            n_up: 0,
        };
        let row = Row {
            organisation: it.organisation,
            used: it.used,
            shown,
            moved: Arc::clone(&moved),
            end: Arc::clone(&end),
        };
        table.all.insert(number, row);
        Entry { table: self.clone(), number, moved, end }
    }

    /// The mailboxes that are open, with what was signed in with, each once.
    pub(crate) fn signed_in(&self) -> Vec<(OrganisationId, MailAccountId, Used)> {
        let table = self.table();
        let mut all: Vec<_> =
            table.all.values().map(|it| (it.organisation, it.shown.account, it.used)).collect();
        all.sort_by_key(|(organisation, account, used)| (*organisation, *account, used.grant, used.serial));
        all.dedup();
        all
    }

    /// Ends all that were signed in so.
    pub(crate) fn end_all(&self, account: MailAccountId, used: Used, because: &'static str) {
        for it in self.table().all.values().filter(|it| it.shown.account == account && it.used == used) {
            it.end.now(because);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Row {
    fn shown(&self) -> OpenConnection {
        let n = |it: &AtomicU64| it.load(Ordering::Relaxed);
        OpenConnection { n_down: n(&self.moved.down), n_up: n(&self.moved.up), ..self.shown.clone() }
    }
}

impl End {
    fn now(&self, because: &'static str) {
        self.because.get_or_init(|| because);
        self.asked.cancel();
    }
}

impl Entry {
    /// Is cancelled when somebody ends it.
    pub(crate) fn signal(&self) -> CancellationToken {
        self.end.asked.clone()
    }

    /// Octets to the client, and from it.
    pub(crate) fn n_passed(&self) -> (u64, u64) {
        (self.moved.down.load(Ordering::Relaxed), self.moved.up.load(Ordering::Relaxed))
    }

    /// Why they did.
    pub(crate) fn because(&self) -> &'static str {
        self.end.because.get().copied().unwrap_or("the connection was ended in Gatepost")
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.table.table().all.remove(&self.number);
    }
}
