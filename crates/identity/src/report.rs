//! What happens at this node's doors, for the person who is setting up an application and waits for its first sign-in (B10).
//!
//! *Trust note.* What is typed under an unknown user name may be anything, a good secret too. Its letters are kept in memory
//! only while somebody listens and for ten minutes after, are compared by whoever listens and not on the way of the answer, and
//! nobody sees the name that was typed but the owner of the app password whose letters these were.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{AppPasswordId, LoginId, OrganisationId, Timestamp, printable};
use gatepost_store::{Keyring, Store, StoreError, params};
use gatepost_vault::{Digest, PurposeKey};
use tokio::sync::watch;

use crate::app_password::digest;
use crate::{AppPasswordText, Protocol, RefusedBecause, SignedIn, sql};

/// How many reports are remembered.
const MOST: usize = 500;
/// How long letters are kept for somebody who stopped listening: a page without script asks again and again.
const LISTENS_FOR: Duration = Duration::from_mins(10);
/// How soon it is told again that a source is slowed: an application that tries each second would push out what came before.
const SLOWED_AGAIN: Duration = Duration::from_mins(1);
/// How much of an unknown user name is remembered.
const LONGEST_TYPED: usize = 100;

/// One try of an application, as far as it went.
#[derive(Clone, Debug)]
pub struct DoorReport {
    /// Rises with every report of this node.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub source: IpAddr,
    /// At which door.
    pub protocol: Protocol,
    /// The version in words, such as `TLS 1.3`; none without encryption.
    pub tls: Option<&'static str>,
    /// The SASL mechanism, where it got that far.
    pub mechanism: Option<&'static str>,
    /// What came of it.
    pub event: DoorEvent,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum DoorEvent {
    /// Signed in.
    SignedIn {
        /// Whose.
        organisation: OrganisationId,
        /// As which login.
        login: LoginId,
        /// With which.
        app_password: AppPasswordId,
    },
    /// Signed in to read, and its mailbox is open.
    Opened {
        /// Whose.
        organisation: OrganisationId,
        /// With which.
        app_password: AppPasswordId,
    },
    /// Signed in to read, and there is no mailbox for it.
    NotOpened {
        /// Whose.
        organisation: OrganisationId,
        /// With which.
        app_password: AppPasswordId,
        /// What the application heard.
        because: String,
    },
    /// Refused under a user name that there is.
    Refused {
        /// Whose.
        organisation: OrganisationId,
        /// The login.
        login: LoginId,
        /// The app password, where the letters were one's of this login.
        app_password: Option<AppPasswordId>,
        /// Why.
        why: RefusedBecause,
    },
    /// A user name that there is not.
    UnknownUserName {
        /// What was typed, at most 100 printable characters; empty for everybody but the one whose app password was meant.
        typed: String,
        /// The app password that is being listened for and whose letters these were: the user name alone is wrong.
        meant: Option<AppPasswordId>,
    },
    /// It tried to sign in or to send without encryption.
    NoTls,
    /// Too many wrong tries came from there: this one was not looked at. Told once a minute.
    Slowed {
        /// Whose login it was, where that is being listened for: nobody looks it up in the database for a guesser.
        whose: Option<(OrganisationId, LoginId)>,
        /// When the next one is looked at.
        retry_after: Duration,
    },
}

/// The reports of this node: the last 500 are remembered, and whoever listens gets each new one. Cheap to clone.
#[derive(Clone)]
pub struct DoorReports {
    store: Store,
    /// The key under which app passwords are hashed.
    key: Arc<PurposeKey>,
    ring: Arc<Mutex<Ring>>,
    /// The number of the newest report.
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    reports: VecDeque<Remembered>,
    listened: HashMap<(OrganisationId, LoginId), Listened>,
}

/// A login that somebody listens for, or did a moment ago.
#[derive(Default)]
struct Listened {
    /// None where the app password was not there any more.
    user_name: Option<String>,
    n: usize,
    /// Until then, whoever listened last may come back.
    until: Option<Timestamp>,
}

#[derive(Clone)]
struct Remembered {
    report: DoorReport,
    /// What was typed under an unknown user name, where it has the shape of an app password.
    letters: Option<Arc<AppPasswordText>>,
}

/// A try that was just answered; what [`DoorReports::publish`] makes a report of.
pub(crate) struct Answered {
    pub(crate) at: Timestamp,
    pub(crate) source: IpAddr,
    pub(crate) protocol: Protocol,
    pub(crate) tls: Option<&'static str>,
    pub(crate) mechanism: Option<&'static str>,
    pub(crate) event: DoorEvent,
    pub(crate) letters: Option<Arc<AppPasswordText>>,
}

/// What came of a sign-in to read; what [`DoorReports::opening`] makes a report of.
pub struct Opening<'a> {
    /// Who signed in.
    pub who: &'a SignedIn,
    /// At which door.
    pub protocol: Protocol,
    /// From where.
    pub source: IpAddr,
    /// The version in words.
    pub tls: Option<&'static str>,
    /// The SASL mechanism, or the command that carried the password.
    pub mechanism: &'static str,
    /// The mailbox is open, or what the application heard.
    pub outcome: Result<(), String>,
}

/// Someone who waits for one app password's first use.
pub struct Listening {
    reports: DoorReports,
    organisation: OrganisationId,
    login: LoginId,
    app_password: AppPasswordId,
    /// What its letters give; none if it is not there any more.
    digest: Option<Digest>,
    newest: watch::Receiver<u64>,
    /// Reports up to this number are not waited for.
    heard: u64,
    /// How far it had come when it began.
    began: u64,
}

impl DoorReports {
    pub(crate) fn new(store: &Store, keyring: &Keyring) -> Self {
        let key = Arc::clone(keyring.app_passwords());
        Self { store: store.clone(), key, ring: Arc::default(), newest: watch::Sender::new(0) }
    }

    /// Tells of a try without encryption; those that are looked at are told by [`crate::SignIns::verify`].
    pub fn without_tls(&self, at: Timestamp, source: IpAddr, protocol: Protocol) {
        let event = DoorEvent::NoTls;
        self.publish(Answered { at, source, protocol, tls: None, mechanism: None, event, letters: None });
    }

    /// Tells whether whoever signed in to read can.
    pub fn opening(&self, at: Timestamp, it: Opening<'_>) {
        let Opening { who, protocol, source, tls, mechanism, outcome } = it;
        let (organisation, app_password) = (who.organisation, who.app_password);
        let event = match outcome {
            Ok(()) => DoorEvent::Opened { organisation, app_password },
            Err(because) => DoorEvent::NotOpened { organisation, app_password, because },
        };
        let mechanism = Some(mechanism);
        self.publish(Answered { at, source, protocol, tls, mechanism, event, letters: None });
    }

    /// Begins to listen for an app password that was just made. While somebody listens, a try under an unknown user name is compared
    /// with that app password.
    pub async fn listen(
        &self,
        organisation: OrganisationId,
        login: LoginId,
        app_password: AppPasswordId,
    ) -> Result<Listening, StoreError> {
        let row = self.store.read(move |tx| {
            tx.row(&sql::FIND_APP_PASSWORD_DIGEST, params![organisation, login, app_password])
        });
        let row = row.await?;
        let row = row.map(|row| Ok::<_, StoreError>((row.get::<Vec<u8>>(0)?, row.get(1)?))).transpose()?;
        let (digest, user_name) = row.unzip();
        let digest = digest.and_then(|bytes| Digest::from_row(&bytes));
        self.ring().begin((organisation, login), user_name, self.store.world().now());
        let newest = self.newest.subscribe();
        let began = *newest.borrow();
        let reports = self.clone();
        Ok(Listening { reports, organisation, login, app_password, digest, newest, heard: began, began })
    }

    /// Remembers a try that was answered, and wakes whoever listens. The work does not depend on what the try was.
    pub(crate) fn publish(&self, it: Answered) {
        self.add(&mut self.ring(), it);
    }

    /// The same for one that was not looked at, whose source has to wait.
    pub(crate) fn publish_slowed(&self, it: Answered, user_name: &str, retry_after: Duration) {
        let mut ring = self.ring();
        let whose = ring.whose(user_name, it.at);
        if !ring.was_told(it.source.to_canonical(), whose, it.at) {
            self.add(&mut ring, Answered { event: DoorEvent::Slowed { whose, retry_after }, ..it });
        }
    }

    fn add(&self, ring: &mut Ring, it: Answered) {
        if !ring.is_heard(it.at) {
            ring.reports.iter_mut().for_each(|it| it.letters = None);
        }
        let letters = it.letters.filter(|_| ring.is_heard(it.at));
        let number = *self.newest.borrow() + 1;
        let Answered { at, source, protocol, tls, mechanism, event, .. } = it;
        let source = source.to_canonical();
        let report = DoorReport { number, at, source, protocol, tls, mechanism, event };
        let letters = letters.filter(|_| matches!(report.event, DoorEvent::UnknownUserName { .. }));
        if ring.reports.len() >= MOST {
            ring.reports.pop_front();
        }
        ring.reports.push_back(Remembered { report, letters });
        // Under the lock, so that numbers rise in the order of the ring.
        self.newest.send_replace(number);
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn begin(&mut self, whose: (OrganisationId, LoginId), user_name: Option<String>, now: Timestamp) {
        self.listened.retain(|_, it| it.is_heard(now));
        let listened = self.listened.entry(whose).or_default();
        listened.n += 1;
        listened.user_name = user_name.or(listened.user_name.take());
    }

    fn end(&mut self, whose: (OrganisationId, LoginId), now: Timestamp) {
        if let Some(listened) = self.listened.get_mut(&whose) {
            listened.n = listened.n.saturating_sub(1);
            listened.until = Some(now + LISTENS_FOR);
        }
    }

    /// Whether letters may be kept.
    fn is_heard(&self, now: Timestamp) -> bool {
        self.listened.values().any(|it| it.is_heard(now))
    }

    /// Whose user name that is, if somebody listens for it.
    fn whose(&self, user_name: &str, now: Timestamp) -> Option<(OrganisationId, LoginId)> {
        let is_it = |it: &Listened| it.user_name.as_deref() == Some(user_name) && it.is_heard(now);
        self.listened.iter().find(|(_, it)| is_it(it)).map(|(whose, _)| *whose)
    }

    /// Whether that this source is slowed was said a moment ago.
    fn was_told(&self, source: IpAddr, whose: Option<(OrganisationId, LoginId)>, now: Timestamp) -> bool {
        self.reports.iter().rev().map(|it| &it.report).any(|it| {
            matches!(it.event, DoorEvent::Slowed { whose: told, retry_after }
                if told == whose && now.since(it.at) < retry_after.min(SLOWED_AGAIN))
                && it.source == source
                && it.at <= now
        })
    }
}

impl Listened {
    fn is_heard(&self, now: Timestamp) -> bool {
        self.n > 0 || self.until.is_some_and(|until| now < until)
    }
}

impl Listening {
    /// What is remembered that concerns this app password or its login, or nobody in particular, since `since`; oldest first. What
    /// [`Listening::next`] will give is not among it.
    #[must_use]
    pub fn past(&self, since: Timestamp) -> Vec<DoorReport> {
        let remembered = self.remembered(|it| it.number <= self.began && it.at >= since);
        remembered.into_iter().filter_map(|it| self.concerning(it)).collect()
    }

    /// The next report that may concern it. Dropping the future loses nothing.
    pub async fn next(&mut self) -> DoorReport {
        loop {
            self.newest.mark_unchanged();
            for it in self.remembered(|it| it.number > self.heard) {
                self.heard = it.report.number;
                if let Some(report) = self.concerning(it) {
                    return report;
                }
            }
            // This holds a sender itself, so it never ends.
            let _ = self.newest.changed().await;
        }
    }

    fn remembered(&self, is_wanted: impl Fn(&DoorReport) -> bool) -> Vec<Remembered> {
        let ring = self.reports.ring();
        ring.reports.iter().filter(|it| is_wanted(&it.report)).cloned().collect()
    }

    /// The report as this listener may see it; none if it is somebody else's affair.
    fn concerning(&self, it: Remembered) -> Option<DoorReport> {
        let Remembered { mut report, letters } = it;
        match &mut report.event {
            DoorEvent::SignedIn { organisation, app_password, .. }
            | DoorEvent::Opened { organisation, app_password }
            | DoorEvent::NotOpened { organisation, app_password, .. } => {
                if (*organisation, *app_password) != (self.organisation, self.app_password) {
                    return None;
                }
            }
            DoorEvent::Refused { organisation, login, .. } => {
                if (*organisation, *login) != (self.organisation, self.login) {
                    return None;
                }
            }
            DoorEvent::UnknownUserName { typed, meant } => {
                if letters.is_some_and(|it| self.is_meant(&it)) {
                    *meant = Some(self.app_password);
                } else {
                    typed.clear();
                }
            }
            DoorEvent::Slowed { whose, .. } => {
                *whose = whose.filter(|it| *it == (self.organisation, self.login));
            }
            DoorEvent::NoTls => {}
        }
        Some(report)
    }

    fn is_meant(&self, letters: &AppPasswordText) -> bool {
        let typed = digest(&self.reports.key, self.login, Some(letters));
        self.digest.as_ref().is_some_and(|it| it.matches(&typed))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let now = self.reports.store.world().now();
        self.reports.ring().end((self.organisation, self.login), now);
    }
}

/// A hostile user name as it may be shown.
pub(crate) fn typed(user_name: &str) -> String {
    let start: String = user_name.trim().chars().take(LONGEST_TYPED).collect();
    printable(start.as_bytes()).to_string().chars().take(LONGEST_TYPED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_user_name_is_short_and_printable() {
        assert_eq!(typed("  reception@example.tset "), "reception@example.tset");
        assert_eq!(typed(&"ü".repeat(1_000)).chars().count(), 100);
        let hostile = typed("\u{1b}[31m\u{202e}\r\nx");
        assert!(!hostile.contains(|c: char| c.is_control() || c == '\u{202e}'), "{hostile:?}");
        assert_eq!(typed(&"\u{1b}".repeat(100)).chars().count(), 100);
    }
}
