//! The portal over real sockets, with real rooms behind it.

use std::net::SocketAddr;

use gatepost_accounts::Accounts;
use gatepost_delivery::Outbox;
use gatepost_identity::{
    Identity, LastUses, LinkKind, NewPerson, NewSession, People, Person, RevocationWatch, Role, SignIns,
    Visitor,
};
use gatepost_journal::Actor;
use gatepost_store::{RoomMigrations, Statement, params};
use gatepost_testkit::TestStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::*;
use crate::{Access, Kind, MailDoors, RouteRow};

const ROOMS: &[RoomMigrations] = &[
    gatepost_store::MIGRATIONS,
    gatepost_journal::MIGRATIONS,
    gatepost_identity::MIGRATIONS,
    gatepost_accounts::MIGRATIONS,
    gatepost_delivery::MIGRATIONS,
];

/// A portal with an organisation that is set up.
struct House {
    it: TestStore,
    rooms: Rooms,
    organisation: gatepost_core::OrganisationId,
    address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

/// What a browser keeps.
#[derive(Clone, Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

fn settings() -> PortalSettings {
    PortalSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
        public_url: None,
        administration_networks: Vec::new(),
        trusted_proxies: Vec::new(),
        mail: MailDoors::default(),
        phone: None,
    }
}

async fn rooms(it: &TestStore) -> Rooms {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let watch = RevocationWatch::new(it.store.clone());
    let uses = LastUses::new(it.store.clone());
    let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), uses, watch).await.unwrap();
    Rooms {
        people: People::new(&identity, &sign_ins, 1),
        identity,
        reports: sign_ins.reports().clone(),
        accounts: Accounts::new(&it.store, &it.keyring),
        outbox: Outbox::new(&it.store, &it.keyring, &it.bodies),
        store: it.store.clone(),
    }
}

impl House {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: PortalSettings) -> Self {
        let it = gatepost_testkit::sqlite(ROOMS).await;
        let rooms = rooms(&it).await;
        let organisation =
            rooms.identity.create_organisation("Praxis <Süd>", Actor::Command).await.unwrap().id;
        rooms.identity.set_organisation_up(organisation, "Praxis <Süd>", Actor::Command).await.unwrap();
        let portal = Portal::bind(settings, rooms.clone()).unwrap();
        let (address, stop) = (portal.address(), CancellationToken::new());
        let running = tokio::spawn(portal.run(stop.clone()));
        Self { it, rooms, organisation, address, stop, running }
    }

    async fn person(&self, address: &str, role: Role) -> Person {
        let new = NewPerson {
            organisation: self.organisation,
            address: address.parse().unwrap(),
            name: "Ana <b>Example</b>".into(),
            role,
            home_location: None,
        };
        self.rooms.identity.add_person(new, Actor::Command).await.unwrap()
    }

    async fn session(&self, person: &Person) -> NewSession {
        let (of, by) = (self.organisation, Actor::Command);
        let link = self.rooms.identity.hand_link(of, person.id, LinkKind::SignIn, by).await.unwrap();
        let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
        self.rooms.people.sign_in_by_link(&link.token, &visitor).await.unwrap()
    }

    /// Someone of that role who is signed in; an administrator with two-step verification on.
    async fn signed_in(&self, role: Role) -> Browser {
        const TURN_ON: Statement = Statement {
            name: "TURN_ON",
            text: "UPDATE person SET two_step_at = created_at WHERE role = 'administrator'",
            lock: gatepost_store::Lock::None,
        };
        let person = self.person(&format!("{role}@practice.test"), role).await;
        self.it.store.write(|tx| tx.execute(&TURN_ON, params![])).await.unwrap();
        let mut browser = Browser::default();
        browser.keep("session", self.session(&person).await.token.reveal());
        browser
    }

    async fn get(&self, browser: &mut Browser, path: &str) -> Reply {
        self.ask(browser, "GET", path, "", "").await
    }

    /// Posts `fields` with the form token of the page at `from`.
    async fn post(&self, browser: &mut Browser, from: &str, path: &str, fields: &str) -> Reply {
        let page = self.get(browser, from).await;
        let token = page.form_token();
        self.ask(browser, "POST", path, "", &format!("form_token={token}&{fields}")).await
    }

    async fn ask(&self, browser: &mut Browser, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let cookies: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            cookies.join("; ")
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let reply = Reply {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        };
        for set in reply.headers("set-cookie") {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            browser.keep(name, value);
        }
        reply
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

impl Browser {
    fn keep(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Reply {
    fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    fn location(&self) -> &str {
        self.headers("location").first().copied().unwrap_or_default()
    }

    fn form_token(&self) -> String {
        let (_, behind) = self.body.split_once("name=\"form_token\" value=\"").unwrap();
        behind.split('"').next().unwrap().to_owned()
    }
}

/// The address of a row, with an id that nobody has.
fn address(row: &RouteRow) -> String {
    let segment =
        |it: &'static str| if it.starts_with('{') { "0192f0c1-0000-7000-8000-000000000001" } else { it };
    row.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn nobody_reaches_a_page_that_is_not_for_them() {
    let house = House::new().await;
    let mut operator = house.signed_in(Role::Operator).await;
    let (mut nobody, mut forged) = (Browser::default(), Browser::default());
    forged.keep("session", &"A".repeat(43));
    forged.keep("pre-session", &"A".repeat(43));
    for row in routes() {
        let path = address(&row);
        for (who, browser) in [("nobody", &mut nobody), ("forged", &mut forged), ("operator", &mut operator)]
        {
            let is_signed = who == "operator";
            let reply = house.ask(browser, row.method.as_str(), &path, "", "").await;
            let want: &[u16] = match row.access {
                Access::Public => continue,
                Access::SecondStep => &[303],
                Access::Signed | Access::Enrolling | Access::Administrator if !is_signed => &[303],
                Access::Administrator => &[404],
                // Without a form token nothing is done; what is no page is not found.
                Access::Signed | Access::Enrolling => &[200, 303, 403, 404],
            };
            assert!(want.contains(&reply.status), "{who} {row:?}: {}", reply.head);
            if !is_signed {
                assert!(reply.location().starts_with("/sign-in"), "{who} {row:?}: {}", reply.location());
            }
        }
    }
    house.end().await;
}

#[tokio::test]
async fn whoever_is_sent_to_sign_in_comes_back_to_where_they_wanted() {
    let house = House::new().await;
    for (path, location) in [
        ("/", "/sign-in"),
        ("/outbox?state=held", "/sign-in?then=/outbox%3Fstate%3Dheld"),
        ("/outbox?x=%2F%2Fevil", "/sign-in"),
        ("/home/board", "/sign-in"),
    ] {
        assert_eq!(house.get(&mut Browser::default(), path).await.location(), location, "{path}");
    }
    house.end().await;
}

#[tokio::test]
async fn an_administrator_without_two_step_verification_reaches_nothing_but_its_set_up() {
    let house = House::new().await;
    let person = house.person("a@practice.test", Role::Administrator).await;
    let mut browser = Browser::default();
    browser.keep("session", house.session(&person).await.token.reveal());
    for row in routes().iter().filter(|it| it.method == axum::http::Method::GET) {
        if matches!(row.access, Access::Signed | Access::Administrator) && !row.opens_before_factor {
            let reply = house.get(&mut browser, &address(row)).await;
            assert_eq!((reply.status, reply.location()), (303, "/two-step"), "{row:?}");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let house = House::new().await;
    let mut browser = Browser::default();
    house.get(&mut browser, "/nothing-here").await;
    for body in ["theme=dark", "theme=dark&form_token=", "theme=dark&form_token=AAAA"] {
        let reply = house.ask(&mut browser, "POST", "/theme", "", body).await;
        assert_eq!(reply.status, 403, "{body}");
        assert!(reply.body.contains("This page had become old"), "{}", reply.body);
        assert_eq!(browser.find("theme"), None);
    }
    // The token of one browser is nothing in another.
    let mut other = Browser::default();
    let token = house.get(&mut other, "/nothing-here").await.form_token();
    let body = format!("theme=dark&form_token={token}");
    assert_eq!(house.ask(&mut browser, "POST", "/theme", "", &body).await.status, 403);
    let reply = house.ask(&mut Browser::default(), "POST", "/theme", "", &body).await;
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("did not send a cookie back"), "{}", reply.body);
    house.end().await;
}

#[tokio::test]
async fn the_look_is_chosen_and_drawn_by_the_server() {
    let house = House::new().await;
    let mut browser = Browser::default();
    assert!(house.get(&mut browser, "/nothing-here").await.body.contains("data-theme=\"system\""));
    let reply = house.post(&mut browser, "/nothing-here", "/theme", "theme=dark&back=//evil.example").await;
    assert_eq!((reply.status, reply.location()), (303, "/"));
    assert_eq!(browser.find("theme"), Some("dark"));
    assert!(house.get(&mut browser, "/nothing-here").await.body.contains("data-theme=\"dark\""));
    house.end().await;
}

#[tokio::test]
async fn pages_escape_what_people_wrote_and_hold_nothing_inline_or_from_elsewhere() {
    let house = House::new().await;
    for role in [Role::Operator, Role::Administrator] {
        let mut browser = house.signed_in(role).await;
        for path in ["/", "/outbox", "/outbox?state=failed", "/nothing-here"] {
            let reply = house.get(&mut browser, path).await;
            assert!(matches!(reply.status, 200 | 404), "{path}: {}", reply.head);
            assert!(reply.body.contains("Praxis &#60;Süd&#62;"), "{}", reply.body);
            for bad in
                ["<b>", "<Süd>", "<style", " style=", " onclick", "http://", "https://", "{{", "<script>"]
            {
                assert!(!reply.body.contains(bad), "{path} has {bad}: {}", reply.body);
            }
            assert_eq!(reply.headers("cache-control"), ["no-store"]);
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_page_with_its_files_stays_below_sixty_kilobytes() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Administrator).await;
    let page = house.get(&mut browser, "/").await.body;
    let mut size = page.len();
    for behind in page.split("/assets/").skip(1) {
        let file = behind.split('"').next().unwrap();
        let reply = house.get(&mut browser, &format!("/assets/{file}")).await;
        assert_eq!(reply.headers("cache-control"), ["public, max-age=31536000, immutable"]);
        size += reply.body.len();
    }
    assert!(size < 60_000, "{size}");
    house.end().await;
}

#[tokio::test]
async fn what_is_no_letter_of_theirs_is_not_found() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Operator).await;
    for path in ["/outbox/x", "/outbox/0192f0c1-0000-7000-8000-000000000001", "/outbox/../etc", "/OUTBOX"] {
        assert_eq!(house.get(&mut browser, path).await.status, 404, "{path}");
    }
    let reply =
        house.post(&mut browser, "/", "/outbox/0192f0c1-0000-7000-8000-000000000001/cancel", "").await;
    assert_eq!(reply.status, 404);
    house.end().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_nobody_is_signed_out() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Operator).await;
    let before = browser.find("session").unwrap().to_owned();
    const BREAK: Statement = Statement {
        name: "BREAK",
        text: "ALTER TABLE session RENAME TO away",
        lock: gatepost_store::Lock::None,
    };
    house.it.store.write(|tx| tx.execute(&BREAK, params![])).await.unwrap();
    let reply = house.get(&mut browser, "/").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("Nothing you typed is lost") && reply.body.contains("Number of this error"));
    assert!(
        !reply.body.contains("session RENAME") && !reply.body.contains("no such table"),
        "{}",
        reply.body
    );
    assert_eq!(browser.find("session"), Some(before.as_str()));
    assert_eq!(house.get(&mut browser, "/healthz").await.body, "ok\n");
    house.end().await;
}

#[tokio::test]
async fn for_programs_there_are_health_and_readiness_without_cookies() {
    let house = House::new().await;
    for row in routes().iter().filter(|it| it.kind == Kind::Plain && !it.path.contains('{')) {
        let mut browser = Browser::default();
        assert_eq!(house.get(&mut browser, row.path).await.status, 200, "{row:?}");
        assert!(browser.cookies.is_empty(), "{row:?}");
    }
    house.end().await;
}

#[tokio::test]
async fn off_loopback_plain_http_is_refused_with_the_cure() {
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let rooms = rooms(&it).await;
    for (listen, public_url, want) in [
        ("0.0.0.0:0", None, "without TLS"),
        ("[::]:0", None, "without TLS"),
        ("127.0.0.1:0", Some("mail.practice.example"), "public_url"),
        ("127.0.0.1:0", Some("ftp://mail.practice.example"), "public_url"),
        ("127.0.0.1:0", Some("https://mail.practice.example/portal"), "public_url"),
        ("127.0.0.1:0", Some("https://user@mail.practice.example"), "public_url"),
    ] {
        let settings = PortalSettings {
            listen: listen.parse().unwrap(),
            public_url: public_url.map(str::to_owned),
            ..settings()
        };
        let refused = Portal::bind(settings, rooms.clone()).err().unwrap().to_string();
        assert!(refused.contains(want), "{refused}");
    }
    let settings = PortalSettings { public_url: Some("https://Mail.Example/".into()), ..settings() };
    assert_eq!(Portal::bind(settings, rooms).unwrap().public_url(), "https://Mail.Example");
}
