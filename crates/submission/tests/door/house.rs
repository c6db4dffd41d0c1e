//! A server with everything it stands on.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use gatepost_core::{AppPasswordId, EmailAddress, MailAccountId, OrganisationId, SecretText, SubmissionId};
use gatepost_delivery::{Choice, Filter, Outbox, SubmissionView};
use gatepost_identity::{
    AppPasswordLimits, Identity, LastUses, MOST_APP_PASSWORDS, NewAppPassword, Protocols, RevocationWatch,
    SignIns, SignedIn,
};
use gatepost_journal::Actor;
use gatepost_net::{Admission, Authority, ClientTls, Door, Host, Limits, Listener, ServerTls, serve};
use gatepost_store::RoomMigrations;
use gatepost_submission::{
    APPLICATION_PROTOCOLS, ChooseAccount, ChooseError, Settings, Spans, Stands, Submission,
};
use gatepost_testkit::TestStore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::client::Client;

const ROOMS: &[RoomMigrations] = &[
    gatepost_store::MIGRATIONS,
    gatepost_journal::MIGRATIONS,
    gatepost_identity::MIGRATIONS,
    gatepost_accounts::MIGRATIONS,
    gatepost_delivery::MIGRATIONS,
];

/// The login of most tests.
pub(crate) const USER: &str = "reception@example.test";

/// A running server.
pub(crate) struct House {
    pub(crate) it: TestStore,
    pub(crate) outbox: Outbox,
    pub(crate) identity: Identity,
    pub(crate) organisation: OrganisationId,
    pub(crate) sign_ins: Arc<SignIns>,
    pub(crate) accounts: Accounts,
    pub(crate) admission: Arc<Admission>,
    pub(crate) stop: CancellationToken,
    pub(crate) sessions: TaskTracker,
    pub(crate) starttls: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) client_tls: ClientTls,
    pub(crate) password: SecretText,
    pub(crate) app_password: AppPasswordId,
    pub(crate) login: gatepost_core::LoginId,
    watching: CancellationToken,
}

/// Pretends to choose, and counts how often it was asked.
#[derive(Clone, Default)]
pub(crate) struct Accounts(Arc<Pretended>);

#[derive(Default)]
struct Pretended {
    n_asked: AtomicUsize,
    /// 0: no limit of the provider.
    max_message_bytes: AtomicU64,
    is_failing: AtomicBool,
    is_panicking: AtomicBool,
}

impl Accounts {
    pub(crate) fn n_asked(&self) -> usize {
        self.0.n_asked.load(Ordering::SeqCst)
    }

    pub(crate) fn limit(&self, bytes: u64) {
        self.0.max_message_bytes.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn fail(&self) {
        self.0.is_failing.store(true, Ordering::SeqCst);
    }

    pub(crate) fn panic(&self, is_panicking: bool) {
        self.0.is_panicking.store(is_panicking, Ordering::SeqCst);
    }
}

impl ChooseAccount for Accounts {
    async fn choose(&self, _who: &SignedIn) -> Result<Choice, ChooseError> {
        self.0.n_asked.fetch_add(1, Ordering::SeqCst);
        assert!(!self.0.is_panicking.load(Ordering::SeqCst), "as the test wanted it");
        if self.0.is_failing.load(Ordering::SeqCst) {
            return Err("nobody knows".into());
        }
        Ok(Choice {
            // The letter is held then, and nothing else differs for this room.
            account: None,
            because: "the test's choice".into(),
            addresses: vec![USER.parse()?, "second@example.test".parse()?],
            max_message_bytes: Some(self.0.max_message_bytes.load(Ordering::SeqCst)).filter(|it| *it > 0),
        })
    }
}

/// Deadlines stay as they are, so that no slow machine breaks a test; only what a test would have to wait for is short.
pub(crate) fn quick() -> Spans {
    Spans { penalty: Duration::from_millis(1), ..Spans::default() }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut Settings)) -> Self {
        let it = gatepost_testkit::sqlite(ROOMS).await;
        let identity = Identity::new(it.store.clone(), it.keyring.clone());
        let organisation = identity.create_organisation("Practice", Actor::Command).await.unwrap().id;
        let account = MailAccountId::new(&it.world);
        let login = identity
            .ensure_account_login(organisation, account, &USER.parse().unwrap(), None)
            .await
            .unwrap()
            .id;
        let watch = RevocationWatch::new(it.store.clone());
        watch.look().await.unwrap();
        let watching = CancellationToken::new();
        tokio::spawn(watch.clone().run(watching.clone()));
        let last_uses = LastUses::new(it.store.clone());
        let sign_ins =
            SignIns::open(it.store.clone(), it.keyring.clone(), last_uses, watch.clone()).await.unwrap();
        let sign_ins = Arc::new(sign_ins);
        let outbox = Outbox::new(&it.store, &it.keyring, &it.bodies);

        let host: Host = "mail.example.test".parse().unwrap();
        let (authority, _key) = Authority::generate(&it.world).unwrap();
        let tls = ServerTls::from_issued(&authority.issue(&[host], &it.world).unwrap(), &it.world).unwrap();
        let client_tls = ClientTls::new(&[authority.certificate_pem().as_bytes()], &it.world).unwrap();

        let mut settings = Settings::new("mail.example.test".parse().unwrap(), it.folder.path().to_owned());
        settings.max_message_bytes = 1 << 20;
        settings.keep_free.percent = 0;
        settings.spans = quick();
        change(&mut settings);
        let (stop, accounts) = (CancellationToken::new(), Accounts::default());
        let stands = Stands {
            outbox: outbox.clone(),
            sign_ins: Arc::clone(&sign_ins),
            watch,
            tls: tls.clone(),
            world: it.world.clone(),
            stop: stop.clone(),
        };
        let service = Arc::new(Submission::new(stands, accounts.clone(), settings));
        let (admission, sessions) = (Admission::new(Limits::default()), TaskTracker::new());
        let mut addresses = Vec::new();
        for implicit_tls in [None, Some((tls, APPLICATION_PROTOCOLS))] {
            let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
            addresses.push(listener.address());
            let door = Door { listener, implicit_tls, proxies: Vec::new() };
            tokio::spawn(serve(door, service.clone(), admission.clone(), sessions.clone(), stop.clone()));
        }
        let mut house = Self {
            it,
            outbox,
            identity,
            organisation,
            sign_ins,
            accounts,
            admission,
            stop,
            sessions,
            starttls: addresses[0],
            tls: addresses[1],
            client_tls,
            password: SecretText::new(String::new()),
            app_password: AppPasswordId::from_uuid(organisation.uuid()),
            login,
            watching,
        };
        (house.app_password, house.password) = house.create_app_password(limits()).await;
        house
    }

    /// One more app password of the login.
    pub(crate) async fn create_app_password(&self, limits: AppPasswordLimits) -> (AppPasswordId, SecretText) {
        let new = NewAppPassword::new(&self.it.world, self.organisation, self.login, "Scanner", limits);
        let made = self.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await.unwrap();
        (made.id, made.text.grouped())
    }

    pub(crate) async fn revoke(&self, id: AppPasswordId) {
        self.identity.revoke_app_password(self.organisation, id, Actor::Command).await.unwrap();
    }

    /// No more removals are read, as when the database hangs.
    pub(crate) fn stop_watching(&self) {
        self.watching.cancel();
    }

    /// A client that has signed in over TLS.
    pub(crate) async fn signed_in(&self) -> Client {
        self.signed_in_with(&self.password).await
    }

    pub(crate) async fn signed_in_with(&self, password: &SecretText) -> Client {
        let mut client = Client::connect_tls(self).await;
        client.sign_in(USER, password.reveal()).await;
        client
    }

    /// All letters, oldest first.
    pub(crate) async fn letters(&self) -> Vec<SubmissionView> {
        let filter = Filter { state: None, before: None, limit: 10_000 };
        let mut all = self.outbox.list(self.organisation, filter).await.unwrap();
        all.reverse();
        all
    }

    /// A letter's text as it will be sent.
    pub(crate) async fn text(&self, id: SubmissionId) -> Vec<u8> {
        let id = gatepost_core::BodyId::from_uuid(id.uuid());
        let mut reader = self.it.bodies.read(self.organisation, id).await.unwrap();
        let mut text = Vec::new();
        while let Some(piece) = reader.next().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        text
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop.cancel();
        self.watching.cancel();
    }
}

/// Nothing narrowed.
pub(crate) fn limits() -> AppPasswordLimits {
    AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    }
}

/// Lines with LF, as they are readable in a test, with CRLF.
pub(crate) fn crlf(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

pub(crate) fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}
