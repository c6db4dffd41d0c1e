//! A portal on a free port with real rooms behind it, and a browser to drive it with.

use std::net::SocketAddr;
use std::sync::Arc;

use gatepost_accounts::{Accounts, Arrival, Endpoint, Endpoints, NewAccount, Overrides, Reach, Serves};
use gatepost_core::{AppPasswordId, LoginId, MailAccountId, SecretText, SubmissionId, TlsMode};
use gatepost_delivery::{Choice, ChosenAccount, Envelope, NewSubmission, Origin, Outbox, Recipient};
use gatepost_identity::{
    Identity, LastUses, LinkKind, NewPerson, NewSession, People, Person, RevocationWatch, Role, SignIns,
    Visitor,
};
use gatepost_journal::Actor;
use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_store::{RoomMigrations, Statement, params};
use gatepost_testkit::TestStore;
use gatepost_wire::smtp::{BodyKind, ReversePath};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::frame::Route;
use crate::routes::table;
use crate::{MailDoors, Portal, PortalSettings, Rooms};

pub(crate) const ROOMS: &[RoomMigrations] = &[
    gatepost_store::MIGRATIONS,
    gatepost_journal::MIGRATIONS,
    gatepost_identity::MIGRATIONS,
    gatepost_accounts::MIGRATIONS,
    gatepost_delivery::MIGRATIONS,
];

/// A portal with an organisation that is set up.
pub(crate) struct House {
    pub(crate) it: TestStore,
    pub(crate) rooms: Rooms,
    pub(crate) organisation: gatepost_core::OrganisationId,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// What a browser keeps.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookies: Vec<(String, String)>,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) fn settings() -> PortalSettings {
    PortalSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        public_url: None,
        administration_networks: Vec::new(),
        trusted_proxies: Vec::new(),
        mail: MailDoors::default(),
        phone: None,
        ring: None,
    }
}

pub(crate) async fn rooms(it: &TestStore) -> Rooms {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let watch = RevocationWatch::new(it.store.clone());
    let uses = LastUses::new(it.store.clone());
    let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), uses, watch).await.unwrap();
    Rooms {
        people: People::new(&identity, &sign_ins, 1).with_sign_in_links(),
        identity,
        reports: sign_ins.reports().clone(),
        accounts: Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded()),
        outbox: Outbox::new(&it.store, &it.keyring, &it.bodies),
        reading: gatepost_gateway::OpenConnections::default(),
        reach: reach(it),
        store: it.store.clone(),
    }
}

/// Loopback may be dialled, and no name server is asked.
fn reach(it: &TestStore) -> Reach {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let resolver = Resolver::configured("127.0.0.1:9".parse().unwrap()).unwrap();
    Reach {
        dialer: Dialer::new(resolver, Arc::new(guard)),
        tls: ClientTls::new(&[], &it.world).unwrap(),
        own_name: "gatepost.example".parse().unwrap(),
        arrival: Arrival::default(),
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(settings(), table()).await
    }

    pub(crate) async fn with(settings: PortalSettings, rows: Vec<Route>) -> Self {
        let it = gatepost_testkit::sqlite(ROOMS).await;
        let rooms = rooms(&it).await;
        Self::of(it, rooms, settings, rows).await
    }

    pub(crate) async fn of(it: TestStore, rooms: Rooms, settings: PortalSettings, rows: Vec<Route>) -> Self {
        let organisation =
            rooms.identity.create_organisation("Praxis <Süd>", Actor::Command).await.unwrap().id;
        rooms.identity.set_organisation_up(organisation, "Praxis <Süd>", Actor::Command).await.unwrap();
        let portal = Portal::bind(settings, rooms.clone()).unwrap();
        let (address, stop) = (portal.address(), CancellationToken::new());
        let running = tokio::spawn(portal.run_rows(rows, stop.clone()));
        Self { it, rooms, organisation, address, stop, running }
    }

    pub(crate) async fn person(&self, address: &str, role: Role) -> Person {
        let new = NewPerson {
            organisation: self.organisation,
            address: address.parse().unwrap(),
            name: "Ana <b>Example</b>".into(),
            role,
            home_location: None,
        };
        self.rooms.identity.add_person(new, Actor::Command).await.unwrap()
    }

    pub(crate) async fn session(&self, person: &Person) -> NewSession {
        let (of, by) = (self.organisation, Actor::Command);
        let link = self.rooms.identity.hand_link(of, person.id, LinkKind::SignIn, by).await.unwrap();
        let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
        self.rooms.people.sign_in_by_link(&link.token, &visitor).await.unwrap()
    }

    /// Does `text` to the table that a statement of identity reads, past that room: what only time or trouble would do.
    pub(crate) async fn execute(&self, statement: &str, text: &str) {
        let of =
            gatepost_identity::STATEMENTS.iter().copied().flatten().find(|it| it.name == statement).unwrap();
        let table = of.text.split_once("FROM ").unwrap().1.split_whitespace().next().unwrap();
        let text: &'static str = Box::leak(text.replace("{table}", table).into_boxed_str());
        let statement = Statement { name: "EXECUTE", text, lock: gatepost_store::Lock::None };
        self.it.store.write(move |tx| tx.execute(&statement, params![])).await.unwrap();
    }

    /// Someone of that role who is signed in; an administrator with two-step verification on.
    pub(crate) async fn signed_in(&self, role: Role) -> Browser {
        let person = self.person(&format!("{role}@practice.test"), role).await;
        self.execute(
            "FIND_PERSON",
            "UPDATE {table} SET two_step_at = created_at WHERE role = 'administrator'",
        )
        .await;
        let mut browser = Browser::default();
        browser.keep("session", self.session(&person).await.token.reveal());
        browser
    }

    /// Chooses a password for somebody who has none.
    pub(crate) async fn has_password(&self, person: &Person) {
        let (of, by) = (self.organisation, Actor::Command);
        let link = self.rooms.identity.hand_link(of, person.id, LinkKind::Invitation, by).await.unwrap();
        let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
        let password = SecretText::new("a long sentence of my own".into());
        self.rooms.people.choose_password(&link.token, &password, None, false, &visitor).await.unwrap();
    }

    /// Everybody who is signed in has just shown their strongest factor.
    pub(crate) async fn prove(&self) {
        self.execute("FIND_SESSION", "UPDATE {table} SET proven_at = active_at").await;
    }

    /// A mailbox that serves everybody, or one person.
    pub(crate) async fn account(&self, name: &str, serves: Serves) -> MailAccountId {
        let smtp = Endpoint { host: "127.0.0.1".into(), port: 587, tls: TlsMode::None };
        let new = NewAccount {
            organisation: self.organisation,
            address: format!("{}@practice.test", name.to_lowercase().replace(' ', ".")).parse().unwrap(),
            short_name: name.into(),
            author_name: String::new(),
            provider: "custom".into(),
            user_name: "a@practice.test".into(),
            endpoints: Endpoints { smtp, imap: None, pop3: None },
            opens: None,
            further_addresses: Vec::new(),
            serves,
            overrides: Overrides::default(),
            secret: SecretText::new("secret".into()).into(),
            actor: Actor::Command,
        };
        self.rooms.accounts.add(new).await.unwrap().id
    }

    /// A letter that came by `login`; held where there is no account.
    pub(crate) async fn letter(
        &self,
        login: LoginId,
        account: Option<MailAccountId>,
        recipients: &[&str],
    ) -> SubmissionId {
        let id = SubmissionId::new(&self.it.world);
        let mut body = self.rooms.outbox.write_body(self.organisation, id).await.unwrap();
        body.write(b"Subject: hello\r\n\r\ntext\r\n").await.unwrap();
        let recipient = |it: &&str| Recipient { address: it.parse().unwrap(), notify: None, original: None };
        let running_now = self.it.world.now();
        let letter = NewSubmission {
            id,
            organisation: self.organisation,
            origin: Origin::Login { login, app_password: AppPasswordId::new(&self.it.world) },
            choice: Choice {
                account: account.map(|id| ChosenAccount { id, running_now }),
                because: "the organisation's default".into(),
                addresses: Vec::new(),
                max_message_bytes: None,
            },
            envelope: Envelope {
                reverse_path: ReversePath::Address("reception@practice.test".parse().unwrap()),
                recipients: recipients.iter().map(recipient).collect(),
                is_smtputf8: false,
                body: BodyKind::SevenBit,
                dsn_return: None,
                envelope_id: None,
            },
            message_id: format!("<{id}@practice.test>"),
            client: None,
        };
        self.rooms.outbox.accept(letter, body.finish().await.unwrap()).await.unwrap();
        id
    }

    pub(crate) async fn get(&self, browser: &mut Browser, path: &str) -> Reply {
        self.ask(browser, "GET", path, "", "").await
    }

    /// Posts `fields` with the form token of the page at `from`.
    pub(crate) async fn post(&self, browser: &mut Browser, from: &str, path: &str, fields: &str) -> Reply {
        let page = self.get(browser, from).await;
        let token = page.form_token();
        self.ask(browser, "POST", path, "", &format!("form_token={token}&{fields}")).await
    }

    pub(crate) async fn ask(
        &self,
        browser: &mut Browser,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Reply {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let cookies = self.cookies(browser);
        let length = body.len();
        let host = if headers.contains("Host: ") { "" } else { "Host: localhost\r\n" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}Cookie: {cookies}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let reply = Reply {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.replace(&format!("-{}=", self.address.port()), "="),
            body: body.to_owned(),
        };
        for set in reply.headers("set-cookie") {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            browser.keep(name, value);
        }
        reply
    }

    /// What a browser sends. Tests name cookies without the port.
    pub(crate) fn cookies(&self, browser: &Browser) -> String {
        let port = self.address.port();
        let pair = |(name, value): &(String, String)| match name.starts_with("__Host-") {
            true => format!("{name}={value}"),
            false => format!("{name}-{port}={value}"),
        };
        browser.cookies.iter().map(pair).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

impl Browser {
    pub(crate) fn keep(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Reply {
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub(crate) fn location(&self) -> &str {
        self.headers("location").first().copied().unwrap_or_default()
    }

    pub(crate) fn form_token(&self) -> String {
        let (_, behind) = self.body.split_once("name=\"form_token\" value=\"").unwrap();
        behind.split('"').next().unwrap().to_owned()
    }
}

mod peers;
mod sweeps;
