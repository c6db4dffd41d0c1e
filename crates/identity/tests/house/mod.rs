//! An organisation with a login of a mail account, and everything that signs in there.

#![allow(dead_code, reason = "each test file uses what it needs")]

use std::time::Duration;

use gatepost_core::{EmailAddress, MailAccountId, OrganisationId, SecretText};
use gatepost_identity::{
    AppPasswordLimits, Attempt, CreatedAppPassword, Identity, LastUses, Login, MOST_APP_PASSWORDS,
    NewAppPassword, NewPerson, Person, Protocol, Protocols, RevocationWatch, Role, SignInRefusal, SignIns,
    SignedIn,
};
use gatepost_journal::{Actor, DueTime, OpenNotice, due_notices, take_notice};
use gatepost_store::RoomMigrations;
use gatepost_testkit::TestStore;

pub(crate) const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, gatepost_identity::MIGRATIONS];

pub(crate) const OFFICE: &str = "192.0.2.7";

pub(crate) struct House {
    pub(crate) it: TestStore,
    pub(crate) identity: Identity,
    pub(crate) organisation: OrganisationId,
    pub(crate) login: Login,
    pub(crate) sign_ins: SignIns,
    pub(crate) watch: RevocationWatch,
}

impl House {
    pub(crate) async fn new(it: TestStore) -> Self {
        let identity = Identity::new(it.store.clone(), it.keyring.clone());
        let organisation = identity.create_organisation("Practice", Actor::Command).await.unwrap().id;
        let account = MailAccountId::new(&it.world);
        let login = identity
            .ensure_account_login(organisation, account, &address("reception@example.org"), None)
            .await;
        let watch = RevocationWatch::new(it.store.clone());
        let last_uses = LastUses::new(it.store.clone());
        let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), last_uses, watch.clone()).await;
        Self { identity, organisation, login: login.unwrap(), sign_ins: sign_ins.unwrap(), watch, it }
    }

    pub(crate) async fn make(&self, name: &str) -> CreatedAppPassword {
        self.make_for(&self.login, name).await
    }

    pub(crate) async fn make_for(&self, login: &Login, name: &str) -> CreatedAppPassword {
        let new = NewAppPassword::new(&self.it.world, login.organisation, login.id, name, mail());
        self.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Command).await.unwrap()
    }

    pub(crate) async fn verify(&self, user_name: &str, password: &str) -> Result<SignedIn, SignInRefusal> {
        self.watch.look().await.unwrap();
        let attempt = Attempt {
            user_name,
            password: &SecretText::new(password.to_owned()),
            protocol: Protocol::Smtp,
            source: OFFICE.parse().unwrap(),
            tls: Some("TLS 1.3"),
            mechanism: Some("PLAIN"),
        };
        self.sign_ins.verify(attempt).await
    }

    pub(crate) async fn sign_in(&self, made: &CreatedAppPassword) -> SignedIn {
        self.verify(&made.user_name, made.text.grouped().reveal()).await.unwrap()
    }

    pub(crate) async fn add(&self, at: &str, role: Role) -> Person {
        let new = self.new_person(at, role);
        self.identity.add_person(new, Actor::Command).await.unwrap()
    }

    pub(crate) fn new_person(&self, at: &str, role: Role) -> NewPerson {
        let name = at.split('@').next().unwrap().to_owned();
        let organisation = self.organisation;
        NewPerson { organisation, address: address(at), name, role, home_location: None }
    }
}

pub(crate) fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

pub(crate) fn mail() -> AppPasswordLimits {
    AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    }
}

impl House {
    /// The notices that were written down since the last call, oldest first.
    pub(crate) async fn notices(&self) -> Vec<OpenNotice> {
        let (store, now) = (&self.it.store, self.it.world.now());
        let [never, horizon] = [100_000, 200_000].map(|hours| now + Duration::from_hours(hours));
        let time = DueTime { now, horizon };
        let mut all = Vec::new();
        for due in due_notices(store, time, 1_000).await.unwrap() {
            all.extend(take_notice(store, due, time, never).await.unwrap());
        }
        all.sort_by_key(|it| it.due.id.uuid());
        all
    }
}
