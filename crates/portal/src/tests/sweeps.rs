//! What holds for every row of the table, whoever writes it: each test walks all of them, and fills `{id}` with what is really there.

use std::collections::BTreeMap;

use axum::http::Method;
use gatepost_accounts::{ApplicationKind, Details, NewApplication, Serves, Whose};
use gatepost_core::{EmailAddress, LoginId, OrganisationId, PersonId};
use gatepost_identity::{
    AppPasswordLimits, ContactKind, Entrance, LinkKind, MOST_APP_PASSWORDS, NewAppPassword, NewPerson,
    NewSession, Person, Protocols, Role, Visitor,
};
use gatepost_journal::Actor;
use gatepost_store::{Lock, Statement, params};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Browser, House, Reply, settings};
use crate::routes::table;
use crate::{Access, Kind, PortalSettings, RouteRow, routes};

/// Nobody has it.
const NOBODYS: &str = "0192f0c1-0000-7000-8000-000000000001";

/// Writes by somebody who is signed in that need no proof (docs/decisions/0010), and why each of them does no harm.
const WITHOUT_PROOF: [&str; 12] = [
    // The program may come again at once; removing its app password, which keeps it out, needs a proof.
    "/accounts/{id}/open/end",
    // These are the proof, or end what somebody could do.
    "/confirm",
    "/sign-out",
    "/security/sign-out-everywhere",
    "/security/sessions/{id}/end",
    "/security/devices/{id}/forget",
    // Asked at the end of signing in, about this session alone.
    "/stay",
    // The recovery codes that this session made with a proof at most ten minutes ago.
    "/two-step/codes",
    // Brings what a provider gave for a sign-in that began with a proof at most ten minutes ago (docs/decisions/0014).
    "/accounts/connect/{id}/waiting",
    // Names the organisation once, before there is anything in it.
    "/set-up",
    // Signs in where the account signs in by itself.
    "/accounts/{id}/check",
    // Silences, for whoever asks, what they were told of.
    "/accounts/later",
];

/// An application of the first organisation.
const OURS: &str = "client-of-ours.example";

/// A host that is not ours.
const EVIL: &str = "evil.example";

/// What those who are at work here have, and what somebody elsewhere would like to have.
struct Town {
    house: House,
    /// An administrator, an operator, and another organisation's administrator, all of them just proven.
    chief: Browser,
    operator: Browser,
    stranger: Browser,
    /// Somebody between the two steps.
    between: Browser,
}

fn statement(text: String) -> &'static Statement {
    Box::leak(Box::new(Statement { name: "SWEEP", text: Box::leak(text.into_boxed_str()), lock: Lock::None }))
}

impl House {
    /// Past the rooms: what only time, trouble or an attacker would do. Tables of other rooms stand in brackets.
    async fn run(&self, text: &str) {
        let statement = statement(text.replace(['[', ']'], ""));
        self.it.store.write(move |tx| tx.execute(statement, params![])).await.unwrap();
    }

    async fn texts(&self, text: &str) -> Vec<String> {
        let statement = statement(text.to_owned());
        let rows = self.it.store.read(move |tx| tx.rows(statement, params![])).await.unwrap();
        rows.iter().map(|row| row.get::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
    }

    async fn tables(&self) -> Vec<String> {
        self.texts("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name LIMIT 1000")
            .await
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        self.texts(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid LIMIT 1000")).await
    }

    /// Everything that the database holds, but for when a session was last used.
    async fn dump(&self) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::new();
        for table in self.tables().await {
            let columns = self.columns(&table).await;
            let kept = columns.iter().filter(|it| (table.as_str(), it.as_str()) != ("session", "active_at"));
            let line = kept.map(|it| format!("quote({it})")).collect::<Vec<_>>().join(" || '|' || ");
            let rows = self.texts(&format!("SELECT {line} FROM {table} ORDER BY 1 LIMIT 100000")).await;
            all.insert(table, rows);
        }
        all
    }

    async fn people_of(&self, organisation: OrganisationId, address: &str, role: Role) -> Person {
        let new = NewPerson {
            organisation,
            address: address.parse().unwrap(),
            name: address.into(),
            role,
            home_location: None,
        };
        self.rooms.identity.add_person(new, Actor::Command).await.unwrap()
    }

    /// A mailbox that somebody is connecting.
    async fn draft(&self, person: &Person) {
        let providers = self.rooms.accounts.providers();
        let address: EmailAddress = "office@gmail.com".parse().unwrap();
        let found = providers.recognise(&address, &self.rooms.reach.dialer).await;
        let details = Details::of(&address, &found, Serves::Organisation);
        let whose = Whose { organisation: person.organisation, person: Some(person.id) };
        self.rooms.accounts.connecting(whose).begin(details).await.unwrap();
    }

    async fn enter(&self, person: &Person) -> NewSession {
        let link =
            self.rooms.identity.hand_link(person.organisation, person.id, LinkKind::SignIn, Actor::Command);
        self.rooms.people.sign_in_by_link(&link.await.unwrap().token, &visitor()).await.unwrap()
    }

    async fn app_password(&self, login: LoginId, by: &Person) {
        let limits = AppPasswordLimits {
            allowed: Protocols::MAIL,
            networks: Vec::new(),
            send_as: Vec::new(),
            expires_at: None,
            repairs_line_ends: false,
        };
        let new = NewAppPassword::new(&self.it.world, by.organisation, login, "Scanner", limits);
        let made = self.rooms.identity.create_app_password(new, MOST_APP_PASSWORDS, Actor::Person(by.id));
        made.await.unwrap();
    }

    /// One request, byte for byte. A stream is read until its head is there.
    async fn send(
        &self,
        browser: &Browser,
        row: &RouteRow,
        path: &str,
        host: &str,
        headers: &str,
        body: &str,
    ) -> Reply {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let (method, cookies, length) = (&row.method, self.cookies(browser), body.len());
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let (mut bytes, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            let n = socket.read(&mut piece).await.unwrap_or(0);
            bytes.extend_from_slice(&piece[..n]);
            let text = String::from_utf8_lossy(&bytes);
            let is_stream = text.split("\r\n\r\n").next().unwrap().contains("text/event-stream");
            if n == 0 || (is_stream && text.contains("\r\n\r\n")) {
                let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
                let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
                return Reply { status, head: head.to_owned(), body: body.to_owned() };
            }
        }
    }
}

fn visitor() -> Visitor {
    Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() }
}

impl Town {
    async fn new() -> Self {
        Self::with(settings()).await
    }

    async fn with(settings: PortalSettings) -> Self {
        let house = House::with(settings, table()).await;
        let (identity, here, by) = (house.rooms.identity.clone(), house.organisation, Actor::Command);
        let chief = house.people_of(here, "chief@practice.test", Role::Administrator).await;
        let ben = house.people_of(here, "ben@practice.test", Role::Operator).await;
        let eva = house.people_of(here, "eva@practice.test", Role::Operator).await;
        let elsewhere = identity.create_organisation("Elsewhere", by).await.unwrap().id;
        identity.set_organisation_up(elsewhere, "Elsewhere", by).await.unwrap();
        let them = house.people_of(elsewhere, "them@elsewhere.test", Role::Administrator).await;
        house.run("UPDATE [person] SET two_step_at = created_at WHERE role = 'administrator'").await;
        // What the ids of the addresses stand for. None of it is the operator's.
        let location = identity.add_location(here, "Main Street", by).await.unwrap();
        let account = house.account("Reception", Serves::Organisation).await;
        house.account("Eva", Serves::Person(eva.id)).await;
        let of_eva = identity.ensure_person_login(&eva).await.unwrap();
        let login = identity.ensure_location_login(&location).await.unwrap();
        let application = NewApplication {
            service: "google".into(),
            client_id: OURS.into(),
            secret: None,
            tenant: None,
            kind: ApplicationKind::Web,
            is_verified: false,
            is_proven: true,
        };
        house.rooms.accounts.put_application(Some(here), application, here, by).await.unwrap();
        let address: EmailAddress = "reception@practice.test".parse().unwrap();
        identity.ensure_account_login(here, account, &address, None).await.unwrap();
        house.app_password(login.id, &eva).await;
        house.app_password(of_eva.id, &eva).await;
        house.letter(login.id, Some(account), &["patient@example.test"]).await;
        house.letter(login.id, None, &["patient@example.test"]).await;
        let new = NewPerson {
            organisation: here,
            address: "new@practice.test".parse().unwrap(),
            name: "New".into(),
            role: Role::Operator,
            home_location: Some(location.id),
        };
        identity.invite_person(new, Actor::Person(chief.id)).await.unwrap();
        // Somebody with both factors, up to the second.
        let sam = house.people_of(here, "sam@practice.test", Role::Operator).await;
        house.run("UPDATE [person] SET two_step_at = created_at WHERE address = 'sam@practice.test'").await;
        let link = identity.hand_link(here, sam.id, LinkKind::Invitation, by).await.unwrap();
        let password = gatepost_core::SecretText::new("a long sentence of my own".into());
        let entrance = house
            .rooms
            .people
            .choose_password(&link.token, &password, None, false, &visitor())
            .await
            .unwrap();
        let Entrance::SecondStep { token, .. } = entrance else { panic!("two-step verification is on") };
        let mut between = Browser::default();
        between.keep("pre-session", token.reveal());
        house.draft(&chief).await;
        let mut browsers = Vec::new();
        for person in [&chief, &ben, &them] {
            let new = house.enter(person).await;
            if person.id == chief.id {
                house
                    .rooms
                    .people
                    .add_contact(&new.session, ContactKind::Telephone, "+49 30 123456")
                    .await
                    .unwrap();
                house
                    .rooms
                    .people
                    .add_contact(&new.session, ContactKind::Address, "chief@home.test")
                    .await
                    .unwrap();
            }
            let mut browser = Browser::default();
            browser.keep("session", new.token.reveal());
            browsers.push(browser);
        }
        let [stranger, operator, chief] = [browsers.remove(2), browsers.remove(1), browsers.remove(0)];
        let mut town = Self { house, chief, operator, stranger, between };
        town.prove("active_at").await;
        // From now on each has a visitor cookie.
        for browser in [&mut town.chief, &mut town.operator, &mut town.stranger, &mut town.between] {
            town.house.get(browser, "/nothing-here").await;
        }
        town
    }

    /// All sessions showed their strongest factor then.
    async fn prove(&self, at: &str) {
        self.house.run(&format!("UPDATE [session] SET proven_at = {at}")).await;
    }

    /// The address of a row with an id that is really there, of the first organisation and not the operator's.
    async fn path(&self, row: &RouteRow) -> String {
        let (mut path, mut noun) = (String::new(), "");
        for segment in row.path.split('/').skip(1) {
            path.push('/');
            if segment.starts_with('{') {
                path.push_str(&self.real_id(noun, row).await);
            } else {
                path.push_str(segment);
                noun = segment;
            }
        }
        path
    }

    async fn real_id(&self, noun: &str, row: &RouteRow) -> String {
        let tables = self.house.tables().await;
        let singular = noun.trim_end_matches('s').replace('-', "_");
        let table = match noun {
            "people" => "person",
            "accounts" => "mail_account",
            "outbox" => "submission",
            "connect" => "draft",
            // A service's word.
            "callback" => return "google".to_owned(),
            // Made by a second step with a tick, which no session here has come by.
            "devices" => return NOBODYS.to_owned(),
            // Files, which are nobody's.
            "assets" => return "gone.css".to_owned(),
            // Services, which are everybody's.
            "applications" => return "google".to_owned(),
            _ => singular.as_str(),
        };
        assert!(tables.iter().any(|it| it == table), "{row:?}: say in `real_id` what {noun:?} are");
        let not_the_operators = match table {
            "person" => "address = 'eva@practice.test'",
            "mail_account" => "address = 'eva@practice.test'",
            "session" | "contact" => {
                "person_id IN (SELECT id FROM [person] WHERE address = 'chief@practice.test')"
            }
            _ => "1 = 1",
        };
        let text = format!(
            "SELECT id FROM {table} WHERE organisation_id = $1 AND {not_the_operators} ORDER BY id LIMIT 1"
        );
        let (statement, organisation) = (statement(text.replace(['[', ']'], "")), self.house.organisation);
        let row_of =
            self.house.it.store.read(move |tx| tx.row(statement, params![organisation])).await.unwrap();
        let found = row_of.unwrap_or_else(|| panic!("{row:?}: let `Town::with` make one of the {noun}"));
        found.get::<PersonId>(0).unwrap().to_string()
    }

    /// What a form might hold: enough for most of them.
    async fn fields(&self, browser: &Browser) -> String {
        let token = self.house.get(&mut browser.clone(), "/nothing-here").await.form_token();
        format!(
            "form_token={token}&form_id={NOBODYS}&role=operator&name=Changed&address=x%40practice.test&password=another+sentence+of+mine&theme=dark&short_name=Changed&user_name=changed&serves=organisation&for=organisation"
        )
    }

    async fn send(&self, browser: &Browser, row: &RouteRow, body: &str) -> Reply {
        let path = self.path(row).await;
        self.house.send(browser, row, &path, "localhost", "", body).await
    }

    #[track_caller]
    fn same(before: &BTreeMap<String, Vec<String>>, after: &BTreeMap<String, Vec<String>>, what: &str) {
        for (table, rows) in before {
            assert_eq!(Some(rows), after.get(table), "{what} has changed {table}");
        }
    }
}

fn all(method: &Method) -> Vec<RouteRow> {
    routes().into_iter().filter(|it| it.method == *method).collect()
}

/// WP-9, ID-27.
#[tokio::test]
async fn nothing_opens_without_the_cookie_that_it_needs() {
    let town = Town::new().await;
    let before = town.house.dump().await;
    let nobody = Browser::default();
    // The token of a pre-session is none of a session.
    let mut swapped = town.between.clone();
    let token = swapped.find("pre-session").unwrap().to_owned();
    swapped.keep("session", &token);
    for row in routes() {
        for (who, browser) in
            [("nobody", &nobody), ("between the steps", &town.between), ("swapped", &swapped)]
        {
            let is_open =
                row.access == Access::Public || (row.access == Access::SecondStep && who != "nobody");
            if is_open || row.kind == Kind::Plain {
                continue;
            }
            let body = if row.method == Method::POST { town.fields(browser).await } else { String::new() };
            let reply = town.send(browser, &row, &body).await;
            let is_led_away = reply.status == 303 && reply.location().starts_with("/sign-in");
            assert!(is_led_away || reply.status == 404, "{who} {row:?}: {}", reply.head);
        }
    }
    Town::same(&before, &town.house.dump().await, "somebody without a session");
    town.house.end().await;
}

/// WP-9: what belongs to others is not there.
#[tokio::test]
async fn what_belongs_to_others_is_not_there() {
    let town = Town::new().await;
    let before = town.house.dump().await;
    let mut n_foreign = 0;
    for row in routes().into_iter().filter(|it| it.path.contains('{')) {
        for (who, browser) in
            [("another organisation's administrator", &town.stranger), ("an operator", &town.operator)]
        {
            if row.access == Access::Public || row.access == Access::SecondStep {
                continue;
            }
            let body = if row.method == Method::POST { town.fields(browser).await } else { String::new() };
            let reply = town.send(browser, &row, &body).await;
            // The service is everybody's, and what is registered there each organisation's own.
            if row.path.contains("{service}") && !std::ptr::eq(browser, &town.operator) {
                assert!(reply.status < 500 && !reply.body.contains(OURS), "{row:?}: {}", reply.body);
                continue;
            }
            // What is over already is answered alike, whoever asks for it.
            let is_nothing =
                reply.status == 404 || (reply.status == 303 && row.path.starts_with("/security/"));
            assert!(is_nothing, "{who} {row:?}: {} {}", reply.status, reply.location());
            n_foreign += 1;
        }
    }
    assert!(n_foreign > 20);
    Town::same(&before, &town.house.dump().await, "somebody else");
    town.house.end().await;
}

#[tokio::test]
async fn rows_for_administrators_are_not_there_for_operators() {
    let town = Town::new().await;
    let before = town.house.dump().await;
    for row in routes().into_iter().filter(|it| it.access == Access::Administrator) {
        let body = if row.method == Method::POST { town.fields(&town.operator).await } else { String::new() };
        let reply = town.send(&town.operator, &row, &body).await;
        assert_eq!(reply.status, 404, "{row:?}");
    }
    Town::same(&before, &town.house.dump().await, "an operator");
    town.house.end().await;
}

/// ID-25.
#[tokio::test]
async fn a_proof_of_eleven_minutes_ago_changes_nothing_that_matters() {
    let town = Town::new().await;
    for row in all(&Method::POST) {
        let is_theirs_to_ask = !matches!(row.access, Access::Public | Access::SecondStep);
        let is_exception = WITHOUT_PROOF.contains(&row.path);
        assert!(!is_theirs_to_ask || row.needs_proof != is_exception, "{row:?}");
        assert!(!is_exception || row.access != Access::Administrator, "{row:?}");
        // What they are spared they need not have done to others: the sweep over what belongs to others has these rows too.
        assert!(!row.spares_operators || row.path.starts_with("/outbox/"), "{row:?}");
    }
    town.prove("active_at - 660000").await;
    let before = town.house.dump().await;
    for row in routes().into_iter().filter(|it| it.needs_proof) {
        for browser in [&town.chief, &town.operator] {
            let is_spared = row.access == Access::Administrator || row.spares_operators;
            if is_spared && std::ptr::eq(browser, &town.operator) {
                continue;
            }
            let body = if row.method == Method::POST { town.fields(browser).await } else { String::new() };
            let reply = town.send(browser, &row, &body).await;
            if row.method == Method::POST {
                assert!(reply.body.contains("name=\"proof_"), "{row:?}: {}", reply.head);
            } else if row.kind == Kind::Page {
                assert!(reply.location().starts_with("/confirm"), "{row:?}: {}", reply.head);
            } else {
                assert_eq!(reply.status, 403, "{row:?}");
            }
        }
    }
    Town::same(&before, &town.house.dump().await, "an old proof");
    town.house.end().await;
}

/// WP-5.
#[tokio::test]
async fn a_form_that_is_not_ours_changes_nothing() {
    let town = Town::new().await;
    let before = town.house.dump().await;
    let foreign = town.fields(&town.operator).await;
    let stale = town
        .fields(&Browser {
            cookies: town.chief.cookies.iter().filter(|it| it.0 == "visitor").cloned().collect(),
        })
        .await;
    for row in all(&Method::POST) {
        for (what, body) in
            [("no token", "name=x"), ("another's token", &foreign), ("a token from before", &stale)]
        {
            // The token of a visitor is that of a form for visitors.
            if row.access == Access::SecondStep {
                continue;
            }
            let reply = town.send(&town.chief, &row, body).await;
            assert!(matches!(reply.status, 403 | 303 | 404), "{what} {row:?}: {}", reply.head);
            assert!(reply.status == 403 || !row.path.contains("people"), "{what} {row:?}: {}", reply.head);
        }
    }
    Town::same(&before, &town.house.dump().await, "a forged form");
    town.house.end().await;
}

/// WP-5: by what browsers say of where a request comes from.
#[tokio::test]
async fn what_another_site_sends_is_refused() {
    let town = Town::new().await;
    let before = town.house.dump().await;
    let body = town.fields(&town.chief).await;
    for row in all(&Method::POST) {
        let path = town.path(&row).await;
        for headers in [
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: same-site\r\n",
            "Origin: https://evil.example\r\n",
            "Origin: http://localhost:1\r\n",
            "Origin: http://localhost.evil.example\r\n",
            "Origin: rubbish\r\n",
        ] {
            let reply = town.house.send(&town.chief, &row, &path, "localhost", headers, &body).await;
            assert_eq!(reply.status, 403, "{headers} {row:?}");
        }
    }
    Town::same(&before, &town.house.dump().await, "another site");
    town.house.end().await;
}

/// CVE-2026-25748 of a peer: what cannot be read is nobody's.
#[tokio::test]
async fn malformed_cookie_fails_closed() {
    let town = Town::new().await;
    let before = town.house.dump().await;
    let right = town.chief.find("session").unwrap().to_owned();
    let half = &right[..right.len() / 2];
    let values = [
        "\"",
        "%00",
        "=",
        ";;;",
        half,
        "null",
        "undefined",
        "{}",
        "../../etc/passwd",
        "' OR 1=1 --",
        "\u{fc}\u{1f600}",
    ];
    let longer = format!("{right}A");
    let upper = right.to_uppercase();
    let huge = "A".repeat(7_000);
    for row in routes().into_iter().filter(|it| it.method == Method::GET) {
        if matches!(row.access, Access::Public) {
            continue;
        }
        for value in values.iter().copied().chain([longer.as_str(), upper.as_str(), huge.as_str()]) {
            let mut browser = Browser::default();
            browser.cookies.push(("session".into(), value.into()));
            browser.cookies.push(("pre-session".into(), value.into()));
            browser.cookies.push(("device".into(), value.into()));
            let reply = town.send(&browser, &row, "").await;
            assert!(matches!(reply.status, 303 | 400 | 404 | 431), "{value:?} {row:?}: {}", reply.head);
            assert!(reply.status != 303 || reply.location().starts_with("/sign-in"), "{row:?}");
        }
    }
    Town::same(&before, &town.house.dump().await, "a broken cookie");
    town.house.end().await;
}

/// WP-10, CVE-2024-47070 of a peer.
#[tokio::test]
async fn forwarded_header_garbage() {
    let proxied = PortalSettings { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..settings() };
    let town = Town::with(proxied).await;
    for row in routes() {
        let path = town.path(&row).await;
        for said in ["rubbish", "unknown", "127.0.0.1, ,", "1.2.3", "_hidden", "10.0.0.1;"] {
            let headers = format!("X-Forwarded-For: {said}\r\n");
            let reply = town.house.send(&town.chief, &row, &path, "localhost", &headers, "").await;
            assert_eq!(reply.status, 400, "{said} {row:?}: {}", reply.head);
        }
    }
    town.house.end().await;
    // From somebody who is no proxy it says nothing.
    let named =
        PortalSettings { administration_networks: vec!["192.0.2.0/24".parse().unwrap()], ..settings() };
    let town = Town::with(named).await;
    for row in routes().into_iter().filter(|it| it.access == Access::Administrator) {
        let path = town.path(&row).await;
        for said in ["192.0.2.1", "rubbish"] {
            let headers =
                format!("X-Forwarded-For: {said}\r\nForwarded: for={said}\r\nX-Real-IP: {said}\r\n");
            let reply = town.house.send(&town.chief, &row, &path, "localhost", &headers, "").await;
            assert_eq!(reply.status, 404, "{said} {row:?}");
        }
    }
    town.house.end().await;
}

/// WP-10: no answer repeats a host that somebody made up.
#[tokio::test]
async fn a_forged_host_leads_nowhere() {
    for public_url in [None, Some("https://mail.practice.example".to_owned())] {
        let town = Town::with(PortalSettings { public_url, ..settings() }).await;
        for row in routes() {
            let path = town.path(&row).await;
            let reply = town.house.send(&town.chief, &row, &path, EVIL, "", "").await;
            assert_eq!(reply.status, 421, "{row:?}");
            let headers =
                format!("X-Forwarded-Host: {EVIL}\r\nX-Original-URL: /people\r\nForwarded: host={EVIL}\r\n");
            let reply = town.house.send(&town.chief, &row, &path, "localhost", &headers, "").await;
            assert!(!reply.head.contains(EVIL) && !reply.body.contains(EVIL), "{row:?}: {}", reply.head);
        }
        town.house.end().await;
    }
}

/// WP-13.
#[tokio::test]
async fn no_address_leads_to_another_site() {
    const TRICKS: [&str; 40] = [
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "https://evil.example",
        "http:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "/%2F%2Fevil.example",
        "/%5Cevil.example",
        "%2F%2Fevil.example",
        "/..//evil.example",
        "/./%2e%2e//evil.example",
        "/people/..//evil.example",
        "/people/../../evil.example",
        "/people?x=//evil.example",
        "/people#//evil.example",
        "/people@evil.example",
        "@evil.example",
        "/@evil.example",
        ".evil.example",
        "/\tevil.example",
        "/\n/evil.example",
        "/\r\nLocation: https://evil.example",
        "/ /evil.example",
        " //evil.example",
        "/people\u{0}//evil.example",
        "/sign-in?then=//evil.example",
        "//localhost@evil.example",
        "//evil.example:80",
        "//[::1]/evil.example",
        "/people;//evil.example",
        "\u{ff0f}\u{ff0f}evil.example",
    ];
    let town = Town::new().await;
    for trick in TRICKS {
        let encoded: String = trick.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for row in all(&Method::GET).into_iter().filter(|it| it.kind == Kind::Page) {
            let path = town.path(&row).await;
            for browser in [&town.chief, &Browser::default()] {
                for given in [format!("{path}?then={encoded}"), format!("{path}?back={encoded}")] {
                    let reply = town.house.send(browser, &row, &given, "localhost", "", "").await;
                    let to = reply.location().to_lowercase();
                    assert!(!to.contains("evil"), "{trick:?} {row:?}: {to}");
                    for sign in ["href", "action", "content", "src"] {
                        let is_linked = reply.body.split(&format!("{sign}=\"")).skip(1).any(|it| {
                            let target = it.split('"').next().unwrap().to_lowercase();
                            target.contains("evil.example") && !target.contains("%2")
                        });
                        assert!(!is_linked, "{trick:?} {row:?} in {sign}");
                    }
                }
            }
        }
        let body = format!("{}&back={encoded}&then={encoded}", town.fields(&town.chief).await);
        let row = all(&Method::POST).into_iter().find(|it| it.path == "/theme").unwrap();
        let reply = town.send(&town.chief, &row, &body).await;
        let is_home = (reply.status, reply.location()) == (303, "/");
        assert!(is_home || (trick.contains('\0') && reply.status == 400), "{trick:?}: {}", reply.head);
    }
    town.house.end().await;
}

/// WP-5: programs that search letters and pages for harm follow links.
#[tokio::test]
async fn looking_changes_nothing() {
    let town = Town::new().await;
    let nobody = Browser::default();
    let people = [&town.chief, &town.operator, &town.stranger, &town.between, &nobody];
    for row in all(&Method::GET) {
        let before = town.house.dump().await;
        for browser in people {
            town.send(browser, &row, "").await;
        }
        Town::same(&before, &town.house.dump().await, &format!("{row:?}"));
    }
    town.house.end().await;
}

/// WP-6, WP-7.
#[tokio::test]
async fn every_answer_carries_what_keeps_a_browser_safe() {
    for public_url in [None, Some("https://mail.practice.example".to_owned())] {
        let is_https = public_url.is_some();
        let mut town = Town::with(PortalSettings { public_url, ..settings() }).await;
        if is_https {
            for (name, _) in &mut town.chief.cookies {
                *name = format!("__Host-{}", name.trim_start_matches("__Host-"));
            }
        }
        let mut rows = routes();
        rows.push(RouteRow { path: "/nothing-here", ..rows[0].clone() });
        for row in rows {
            for browser in [&town.chief, &Browser::default()] {
                let reply = town.send(browser, &row, "").await;
                let one = |name: &str| reply.headers(name).first().copied().unwrap_or_default().to_owned();
                let policy = one("content-security-policy");
                for part in [
                    "default-src 'none'",
                    "script-src 'self'",
                    "style-src 'self'",
                    "base-uri 'none'",
                    "frame-ancestors 'none'",
                    "form-action 'self'",
                ] {
                    assert!(policy.contains(part), "{row:?}: {policy}");
                }
                assert!(!policy.contains("unsafe") && !policy.contains('*'), "{row:?}: {policy}");
                assert_eq!(one("x-content-type-options"), "nosniff", "{row:?}");
                assert_eq!(one("referrer-policy"), "no-referrer", "{row:?}");
                assert_eq!(one("cross-origin-opener-policy"), "same-origin", "{row:?}");
                assert_eq!(one("cross-origin-resource-policy"), "same-origin", "{row:?}");
                if row.kind != Kind::Plain {
                    assert!(one("cache-control").contains("no-store"), "{row:?}: {}", reply.head);
                }
                let transport = one("strict-transport-security");
                assert_eq!(
                    is_https,
                    transport.contains("max-age=31536000; includeSubDomains"),
                    "{row:?}: {transport}"
                );
                for cookie in reply.headers("set-cookie") {
                    assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/"), "{row:?}: {cookie}");
                    assert!(cookie.contains("SameSite="), "{row:?}: {cookie}");
                    assert_eq!(
                        is_https,
                        cookie.starts_with("__Host-") && cookie.contains("Secure"),
                        "{row:?}: {cookie}"
                    );
                }
                for told in ["server", "x-powered-by", "access-control-allow-origin"] {
                    assert_eq!(one(told), "", "{row:?}");
                }
                assert!(
                    !reply.body.contains("<script>")
                        && !reply.body.contains(" style=\"")
                        && !reply.body.contains(" onclick="),
                    "{row:?}"
                );
            }
        }
        town.house.end().await;
    }
}

/// WP-12.
#[tokio::test]
async fn a_mistake_tells_nothing_of_how_the_house_is_built() {
    for table in ["organisation", "login", "notice", "submission", "location"] {
        let town = Town::new().await;
        let mut rows = Vec::new();
        // Some forms end the session.
        for row in all(&Method::GET).into_iter().chain(all(&Method::POST)) {
            rows.push((town.path(&row).await, row));
        }
        let fields = town.fields(&town.chief).await;
        town.house.run(&format!("ALTER TABLE {table} RENAME TO away")).await;
        let mut n_broken = 0;
        for (path, row) in rows.into_iter().filter(|(_, row)| row.kind != Kind::Plain) {
            let body = if row.method == Method::POST { fields.as_str() } else { "" };
            let reply = town.house.send(&town.chief, &row, &path, "localhost", "", body).await;
            n_broken += usize::from(reply.status >= 500);
            let text = format!("{}\n{}", reply.head, reply.body).to_lowercase();
            for word in [
                "organisation_id",
                "insert into",
                "no such table",
                "sqlite",
                "postgres",
                "panicked",
                "backtrace",
                "/work/",
                "src/",
                ".rs:",
            ] {
                assert!(!text.contains(word), "{word:?} {row:?}: {text}");
            }
        }
        assert!(n_broken > 0 || table == "notice", "{table} is asked for by some page");
        town.house.end().await;
    }
}

/// WP-8: names of people, places, app passwords and mailboxes, what browsers and applications say of themselves, and what providers
/// answered.
#[tokio::test]
async fn stored_xss_letter_fields() {
    const CORPUS: [&str; 8] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' autofocus onfocus=alert(1) x='",
        "</title><svg onload=alert(1)>",
        "</textarea><script>alert(1)</script>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "{{7*7}}<iframe srcdoc=x>",
        "<!--<b>&lt;i&gt;",
    ];
    const NAMES: [&str; 13] = [
        "name",
        "short_name",
        "author_name",
        "device",
        "application",
        "client",
        "client_id",
        "tenant",
        "because",
        "chosen_because",
        "user_name",
        "reply",
        "value",
    ];
    let town = Town::new().await;
    let tables = town.house.tables().await;
    // A try that the provider answered, and a notice that waits for a reason.
    town.house
        .run(
            "INSERT INTO [outcome] (attempt_id, ordinal, organisation_id, submission_id, at, result, code, reply)
             SELECT id, 0, organisation_id, id, accepted_at, 'failed', 550, X'35' FROM [submission]",
        )
        .await;
    town.house
        .run(
            "INSERT INTO [attempt] (id, organisation_id, submission_id, mail_account_id, node_id, fence, started_at)
             SELECT id, organisation_id, id, id, id, 1, accepted_at FROM [submission]",
        )
        .await;
    for evil in CORPUS {
        let quoted = evil.replace('\'', "''");
        for table in &tables {
            for column in town.house.columns(table).await.iter().filter(|it| NAMES.contains(&it.as_str())) {
                // A letter is held for one of a few reasons of ours; the name of an organisation is there once.
                let value = match (table.as_str(), column.as_str()) {
                    ("delivery", "because") | ("login", "user_name") => continue,
                    (_, "reply") => format!("CAST('550 {quoted}' AS BLOB)"),
                    ("organisation", "name") | ("contact", "value") | ("mail_account", "short_name") => {
                        format!("'{quoted} ' || rowid")
                    }
                    _ => format!("'{quoted}'"),
                };
                let is_text = if table == "notice" { "done_at IS NULL" } else { "1 = 1" };
                town.house.run(&format!("UPDATE {table} SET {column} = {value} WHERE {is_text}")).await;
            }
        }
        let mut n_shown = 0;
        for row in all(&Method::GET) {
            for browser in [&town.chief, &town.operator, &town.between] {
                let reply = town.send(browser, &row, "").await;
                assert!(reply.status < 500, "{row:?}: {}", reply.head);
                assert!(!reply.body.contains(evil), "{evil} {row:?}: {}", reply.body);
                n_shown += usize::from(
                    reply.body.contains("&#60;")
                        || reply.body.contains("&#39;")
                        || reply.body.contains("&lt;"),
                );
            }
        }
        assert!(n_shown > 8, "{evil} is shown on {n_shown} pages: nothing was tried");
    }
    town.house.end().await;
}
