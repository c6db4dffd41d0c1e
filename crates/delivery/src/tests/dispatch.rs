//! The dispatcher at work, against a provider that changes its mind; time is moved by hand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_accounts::StatusName;
use gatepost_journal::Actor;
use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::server::Server;
use super::{Office, ROOMS};
use crate::outbox::Ring;
use crate::state::StateName;
use crate::submission::Origin;
use crate::work::{Dispatcher, Workshop};

/// An office whose account's provider is a server of this test.
struct Running {
    office: Office,
    server: Arc<Mutex<Server>>,
    n_connections: Arc<Mutex<u32>>,
    /// Connections that the sender has ended.
    n_ended: Arc<Mutex<u32>>,
    stop: CancellationToken,
    dispatcher: JoinHandle<Result<(), gatepost_store::StoreError>>,
}

impl Running {
    async fn start(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let office =
            Office::with_port(gatepost_testkit::sqlite(ROOMS).await, listener.local_addr().unwrap().port())
                .await;
        let (server, n_connections) = (Arc::new(Mutex::new(server)), Arc::new(Mutex::new(0)));
        let (script, counter) = (Arc::clone(&server), Arc::clone(&n_connections));
        let n_ended = Arc::new(Mutex::new(0));
        let ended = Arc::clone(&n_ended);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *counter.lock().unwrap() += 1;
                let server = script.lock().unwrap().clone();
                let ended = Arc::clone(&ended);
                tokio::spawn(async move {
                    server.talk(socket).await;
                    *ended.lock().unwrap() += 1;
                });
            }
        });
        let stop = CancellationToken::new();
        let dispatcher = tokio::spawn(Dispatcher::new(workshop(&office).await).run(stop.clone()));
        Self { office, server, n_connections, n_ended, stop, dispatcher }
    }

    fn change(&self, change: impl FnOnce(&mut Server)) {
        change(&mut self.server.lock().unwrap());
    }

    /// Waits until the letter shows this state; fails with what it shows instead.
    async fn until(&self, id: gatepost_core::SubmissionId, state: StateName) {
        for _ in 0..1_000 {
            if self.state(id).await == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the letter never became {state}: {:?}", self.office.show(id).await);
    }

    async fn state(&self, id: gatepost_core::SubmissionId) -> StateName {
        self.office.show(id).await.state(|account| self.office.accounts.is_held(account))
    }

    async fn status(&self) -> StatusName {
        let status = self.office.accounts.status(self.office.it.organisation, self.office.account).await;
        status.unwrap().status
    }

    /// Waits until so many connections have ended: less long than one without work is kept open.
    async fn until_ended(&self, n: u32) {
        for _ in 0..500 {
            if *self.n_ended.lock().unwrap() == n {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} connections have ended, not {n}", self.n_ended.lock().unwrap());
    }

    async fn until_status(&self, want: StatusName) {
        for _ in 0..1_000 {
            if self.status().await == want {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the account never became {want:?}, it is {:?}", self.status().await);
    }

    async fn end(self) {
        self.stop.cancel();
        self.dispatcher.await.unwrap().unwrap();
    }
}

pub(crate) async fn workshop(office: &Office) -> Workshop {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    Workshop {
        outbox: office.outbox.clone(),
        accounts: office.accounts.clone(),
        dialer: Dialer::new(Resolver::system(), Arc::new(guard)),
        tls: ClientTls::new(&[], &office.it.world).unwrap(),
        host: "gatepost.example.org".parse().unwrap(),
        node: gatepost_core::NodeId::new(&office.it.world),
    }
}

#[tokio::test]
async fn letters_leave_by_themselves_over_few_connections() {
    let running = Running::start(Server::good(1_000)).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(running.office.accept(&["b@example.net"]).await);
    }
    for id in ids {
        running.until(id, StateName::Sent).await;
    }
    assert!(*running.n_connections.lock().unwrap() <= 20);
    assert_eq!(running.status().await, StatusName::Connected);
    running.end().await;
}

/// SC-8: a refused sign-in holds the letters and never bounces them; a probe that succeeds releases them.
#[tokio::test]
async fn a_refused_sign_in_holds_the_letters_until_a_probe_succeeds() {
    let running = Running::start(Server { auth: "535 5.7.8 no", ..Server::good(1_000) }).await;
    let id = running.office.accept(&["b@example.net"]).await;
    running.until_status(StatusName::NeedsSignIn).await;
    running.until(id, StateName::Held).await;
    let later = running.office.accept(&["c@example.net"]).await;
    running.until(later, StateName::Held).await;
    let n_before = *running.n_connections.lock().unwrap();
    running.change(|server| server.auth = "235 2.7.0 welcome");
    running.office.it.clock.advance(Duration::from_mins(6));
    running.until(id, StateName::Sent).await;
    running.until(later, StateName::Sent).await;
    assert!(*running.n_connections.lock().unwrap() > n_before);
    assert_eq!(running.status().await, StatusName::Connected);
    running.end().await;
}

/// A temporary refusal at sign-in is no wrong password: the letter waits its turn, the account is not parked.
#[tokio::test]
async fn a_temporary_refusal_at_sign_in_is_tried_again() {
    let running = Running::start(Server { auth: "454 4.7.0 later", ..Server::good(1_000) }).await;
    let id = running.office.accept(&["b@example.net"]).await;
    running.until(id, StateName::Deferred).await;
    assert_eq!(running.status().await, StatusName::Failing);
    running.change(|server| server.auth = "235 2.7.0 welcome");
    running.office.it.clock.advance(Duration::from_mins(5));
    running.until(id, StateName::Sent).await;
    running.until_status(StatusName::Connected).await;
    running.end().await;
}

/// Each ring began the wait for the next tick anew: a house that always had something to do tried nothing again, and heard of no change
/// of the clock.
#[tokio::test]
async fn a_busy_house_keeps_its_time() {
    let running = Running::start(Server { auth: "454 4.7.0 later", ..Server::good(1_000) }).await;
    let id = running.office.accept(&["b@example.net"]).await;
    running.until(id, StateName::Deferred).await;
    running.change(|server| server.auth = "235 2.7.0 welcome");
    // An account of which nothing waits is rung for a hundred times a tick, for as long as it takes.
    let doorbell = running.office.outbox.doorbell().clone();
    let organisation = running.office.it.organisation;
    let other = gatepost_core::MailAccountId::new(&running.office.it.world);
    let ringing = tokio::spawn(async move {
        loop {
            doorbell.ring(organisation, other, Ring::Letters);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    running.office.it.clock.advance(Duration::from_mins(5));
    running.until(id, StateName::Sent).await;
    ringing.abort();
    running.end().await;
}

/// SC-10: a permanent refusal makes one bounce, to the sender, through the same account; a bounce that fails makes none.
#[tokio::test]
async fn a_refused_letter_bounces_once() {
    let running =
        Running::start(Server { recipients: vec!["550 5.1.1 unknown"; 100], ..Server::good(0) }).await;
    let id = running.office.accept(&["b@example.net"]).await;
    running.until(id, StateName::Failed).await;
    let bounces = || async {
        let filter = crate::Filter { state: None, before: None, limit: 100 };
        let all = running.office.outbox.list(running.office.it.organisation, filter).await.unwrap();
        all.into_iter().filter(|it| it.from.is_none()).collect::<Vec<_>>()
    };
    let bounce = bounces().await.pop().expect("the sender is told");
    assert_eq!(bounce.recipients[0].address.as_str(), "a@example.org");
    running.until(bounce.id, StateName::Failed).await;
    assert_eq!(bounces().await.len(), 1);
    running.end().await;
}

/// SC-10: a notice that is refused is told of once, in the mailbox of the account that it left by, and the bounce, refused as
/// well, makes no other.
#[tokio::test]
async fn a_refused_notice_bounces_once() {
    let running =
        Running::start(Server { recipients: vec!["550 5.1.1 unknown"; 100], ..Server::good(0) }).await;
    let office = &running.office;
    let origin = Origin::Notice { of: gatepost_core::NoticeId::new(&office.it.world) };
    let id = office.accept_from(origin, Some(office.account), &["b@example.net"]).await;
    running.until(id, StateName::Failed).await;
    let filter = crate::Filter { state: None, before: None, limit: 100 };
    let all = || async { office.outbox.list(office.it.organisation, filter).await.unwrap() };
    let bounce = all().await.into_iter().find(|it| it.origin == Origin::Bounce { of: id });
    running.until(bounce.expect("the bounce comes with the failure").id, StateName::Failed).await;
    assert_eq!(all().await.len(), 2);
    running.end().await;
}

/// A connection that waited for letters went on with the old password, and past a pause.
#[tokio::test]
async fn a_new_password_or_a_pause_reaches_an_account_at_work() {
    let running = Running::start(Server::good(1_000)).await;
    let (office, organisation) = (&running.office, running.office.it.organisation);
    let first = office.accept(&["b@example.net"]).await;
    running.until(first, StateName::Sent).await;

    let secret = gatepost_core::SecretText::new("another".into());
    office.accounts.replace_secret(organisation, office.account, secret, Actor::Command).await.unwrap();
    office.outbox.account_changed(organisation, office.account);
    running.until_ended(1).await;
    let second = office.accept(&["b@example.net"]).await;
    running.until(second, StateName::Sent).await;
    assert_eq!(*running.n_connections.lock().unwrap(), 2);

    office.accounts.pause(organisation, office.account, Actor::Command).await.unwrap();
    office.outbox.account_changed(organisation, office.account);
    running.until_ended(2).await;
    let third = office.accept(&["b@example.net"]).await;
    running.until(third, StateName::Held).await;
    assert!(office.show(third).await.attempts.is_empty());
    running.end().await;
}

/// Connections that a provider closes between two letters cost no attempt.
#[tokio::test]
async fn a_connection_closed_between_letters_is_made_anew() {
    let running = Running::start(Server { message: "250 2.0.0 ok", ..Server::good(1) }).await;
    for _ in 0..3 {
        // The server knows one recipient a connection; the next RCPT ends it.
        let id = running.office.accept(&["b@example.net"]).await;
        running.until(id, StateName::Sent).await;
        assert_eq!(running.office.show(id).await.attempts.len(), 1);
    }
    running.end().await;
}

/// QS-14: an hour forward or back sends nothing twice and loses nothing.
#[tokio::test]
async fn steps_of_the_clock_send_nothing_twice() {
    let running = Running::start(Server { auth: "454 4.7.0 later", ..Server::good(1_000) }).await;
    let id = running.office.accept(&["b@example.net"]).await;
    running.until(id, StateName::Deferred).await;
    running.change(|server| server.auth = "235 2.7.0 welcome");
    let now = running.office.now();
    running.office.it.clock.set(now + Duration::from_hours(1));
    running.until(id, StateName::Sent).await;
    running.office.it.clock.set(now - Duration::from_hours(1));
    let early = running.office.accept(&["c@example.net"]).await;
    running.until(early, StateName::Sent).await;
    assert_eq!(running.office.show(id).await.attempts.iter().filter(|it| it.result == "sent").count(), 1);
    running.end().await;
}
