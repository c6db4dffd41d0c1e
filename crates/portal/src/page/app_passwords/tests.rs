//! App passwords, as far as no browser and no mail is needed.

use gatepost_accounts::{Endpoint, Endpoints, Serves, TlsMode};
use gatepost_identity::{
    AppPasswordLimits, Attempt, LastUses, NewAppPassword, Protocol, Protocols, RevocationWatch, Role, SignIns,
};
use gatepost_journal::Actor;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::routes::table;
use crate::tests::{Browser, House, ROOMS, Reply, rooms, settings};
use crate::{MailDoors, PortalSettings, Ports, Rooms};

/// One app password of a login, made by a command.
async fn app_password(house: &House, login: &gatepost_identity::Login, name: &str) -> String {
    app_password_for(house, login, name, Protocols::MAIL).await
}

/// The same that opens these doors alone.
async fn app_password_for(
    house: &House,
    login: &gatepost_identity::Login,
    name: &str,
    allowed: Protocols,
) -> String {
    let new = new_app_password(house, login, name, allowed);
    let made = house.rooms.identity.create_app_password(new, 40, Actor::Command).await.unwrap();
    made.id.to_string()
}

fn new_app_password(
    house: &House,
    login: &gatepost_identity::Login,
    name: &str,
    allowed: Protocols,
) -> NewAppPassword {
    let limits = AppPasswordLimits {
        allowed,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    };
    NewAppPassword::new(house.it.store.world(), login.organisation, login.id, name, limits)
}

/// Someone who is signed in and has just proven who they are.
async fn signed_in(house: &House, role: Role) -> Browser {
    let browser = house.signed_in(role).await;
    prove(house).await;
    browser
}

async fn prove(house: &House) {
    house.execute("FIND_SESSION", "UPDATE {table} SET proven_at = created_at").await;
}

/// The value of the hidden field with that name.
fn hidden(page: &Reply, name: &str) -> String {
    let (_, behind) = page.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    behind.split('"').next().unwrap().to_owned()
}

/// Posts what the last step asks for, with the id of the page.
async fn create(house: &House, browser: &mut Browser, fields: &str) -> (Reply, String) {
    let page = house.get(browser, "/app-passwords/new?for=me&application=tdo").await;
    assert_eq!(page.status, 200, "{}", page.head);
    let (token, id) = (page.form_token(), hidden(&page, "form_id"));
    let body = format!("form_token={token}&form_id={id}&for=me&application=tdo&{fields}");
    (house.ask(browser, "POST", "/app-passwords/new", "", &body).await, body)
}

/// The table "Who may do what on whose" of docs/decisions/0010, over every address of one app password.
#[tokio::test]
async fn each_may_do_on_app_passwords_what_the_table_says_and_finds_nothing_else() {
    let house = House::new().await;
    let identity = &house.rooms.identity;
    let mut operator = signed_in(&house, Role::Operator).await;
    let mut administrator = signed_in(&house, Role::Administrator).await;
    let person = async |address: &str| {
        identity.find_person(house.organisation, &address.parse().unwrap()).await.unwrap().unwrap()
    };
    let location = identity.add_location(house.organisation, "Main Street", Actor::Command).await.unwrap();
    let of_operator = identity.ensure_person_login(&person("operator@practice.test").await).await.unwrap();
    let of_administrator =
        identity.ensure_person_login(&person("administrator@practice.test").await).await.unwrap();
    let of_location = identity.ensure_location_login(&location).await.unwrap();
    let account = async |name: &str, serves: Serves| {
        let id = house.account(name, serves).await;
        let address = format!("{name}@practice.test").parse().unwrap();
        identity.ensure_account_login(house.organisation, id, &address, serves.person()).await.unwrap()
    };
    let shared = account("reception", Serves::Organisation).await;
    let own = account("own", Serves::Person(person("operator@practice.test").await.id)).await;
    let elsewhere = identity.create_organisation("Another practice", Actor::Command).await.unwrap().id;
    let strange = identity.add_location(elsewhere, "Elsewhere", Actor::Command).await.unwrap();
    let of_stranger = identity.ensure_location_login(&strange).await.unwrap();
    // See, sheet, made, replace; remove.
    for (login, by_operator, by_administrator) in [
        (&of_operator, (true, true), (false, true)),
        (&of_administrator, (false, false), (true, true)),
        (&of_location, (false, false), (true, true)),
        (&shared, (false, false), (true, true)),
        (&own, (true, true), (false, true)),
        (&of_stranger, (false, false), (false, false)),
    ] {
        let id = app_password(&house, login, "Scanner").await;
        for (browser, (is_full, may_remove)) in
            [(&mut operator, by_operator), (&mut administrator, by_administrator)]
        {
            let list = house.get(browser, "/app-passwords").await.body;
            assert_eq!(list.contains(&id), may_remove, "{}", login.user_name);
            assert_eq!(house.get(browser, &format!("/app-passwords/{id}")).await.status == 200, may_remove);
            assert_eq!(
                house.get(browser, &format!("/app-passwords/{id}/remove")).await.status == 200,
                may_remove
            );
            for page in ["sheet", "made", "replace", "listen"] {
                if is_full && page == "listen" {
                    continue;
                }
                let path = format!("/app-passwords/{id}/{page}");
                let reply = house.get(browser, &path).await;
                assert_eq!(reply.status != 404, is_full, "{} {page}: {}", login.user_name, reply.head);
            }
            for act in ["replace", "remove"] {
                let is_allowed = if act == "remove" { may_remove } else { is_full };
                if is_allowed {
                    continue;
                }
                let fields = "form_id=0192f0c1-0000-7000-8000-000000000001&old=now";
                let reply = house.post(browser, "/", &format!("/app-passwords/{id}/{act}"), fields).await;
                assert_eq!(reply.status, 404, "{} {act}", login.user_name);
            }
        }
        // Nothing of that changed anything.
        assert!(identity.get_app_password(login.organisation, id.parse().unwrap()).await.is_ok());
    }
    house.end().await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_app_password_which_is_shown_once() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let (reply, body) = create(&house, &mut browser, "name=TDO+letters&send=1&device=Server").await;
    assert_eq!(reply.status, 303, "{}", reply.body);
    let place = reply.location().to_owned();
    let again = house.ask(&mut browser, "POST", "/app-passwords/new", "", &body).await;
    assert_eq!((again.status, again.location()), (303, place.as_str()));
    let all = house.rooms.identity.list_app_passwords(house.organisation).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].application.as_deref(), all[0].device.as_deref()), (Some("tdo"), Some("Server")));

    // Another session of the same person does not see the letters, nor ends their being shown.
    let me = house.rooms.identity.list_people(house.organisation).await.unwrap().remove(0);
    let mut other = Browser::default();
    other.keep("session", house.session(&me).await.token.reveal());
    prove(&house).await;
    assert!(!house.get(&mut other, &place).await.body.contains("id=\"letters\""));
    let shown = house.get(&mut browser, &place).await;
    assert!(shown.body.contains("id=\"letters\"") && shown.body.contains("Require TLS Connection"));
    let letters = shown.body.split("data-text=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(letters.len(), 16);
    let reload = house.get(&mut browser, &place).await;
    assert!(reload.body.contains("not shown again") && reload.body.contains("Replace"), "{}", reload.body);
    let id = all[0].id;
    for path in
        ["/app-passwords", &format!("/app-passwords/{id}"), &format!("/app-passwords/{id}/sheet"), &place]
    {
        let page = house.get(&mut browser, path).await;
        assert_eq!(page.status, 200, "{path}");
        let squeezed: String = page.body.split_whitespace().collect();
        assert!(!squeezed.contains(&letters), "{path}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_form_with_mistakes_keeps_what_was_typed_and_says_what_is_wrong() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    for (fields, words) in [
        ("name=&send=1&device=Kept", "Give it a name that you will know again"),
        ("name=x&device=Kept", "Tick at least one of the three"),
        ("name=x&send=1&device=Kept&networks=10.0.0.0%2F8%0D%0Athe+office", "is no network"),
        ("name=x&send=1&device=Kept&expires=31.12.2027", "Write a day such as"),
        ("name=x&send=1&device=Kept&expires=1999-01-01", "This day is over"),
        ("name=%E2%80%AEx&send=1&device=Kept", "something in this name cannot be seen"),
    ] {
        let (reply, _) = create(&house, &mut browser, fields).await;
        assert_eq!(reply.status, 422, "{fields}: {}", reply.head);
        assert!(reply.body.contains(words), "{fields}: {}", reply.body);
        assert!(reply.body.contains("value=\"Kept\""), "{fields}");
    }
    // A token that is too old: the form comes back with everything in it.
    let page = house.get(&mut browser, "/app-passwords/new?for=me&application=other").await;
    let body = format!(
        "form_token=x&form_id={}&for=me&application=other&own_words=Door&name=Kept",
        hidden(&page, "form_id")
    );
    let reply = house.ask(&mut browser, "POST", "/app-passwords/new", "", &body).await;
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("value=\"Door\"") && reply.body.contains("value=\"Kept\""), "{}", reply.body);
    assert!(house.rooms.identity.list_app_passwords(house.organisation).await.unwrap().is_empty());
    house.end().await;
}

#[tokio::test]
async fn app_passwords_are_not_offered_before_two_step_verification_is_on() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Operator).await;
    let list = house.get(&mut browser, "/app-passwords").await.body;
    assert!(list.contains("App passwords need two-step verification") && list.contains("href=\"/two-step\""));
    assert!(!list.contains("/app-passwords/new"));
    let fields = "form_id=0192f0c1-0000-7000-8000-000000000001&for=me&application=tdo&name=x&send=1";
    let reply = house.post(&mut browser, "/", "/app-passwords/new", fields).await;
    assert_eq!((reply.status, reply.location()), (303, "/app-passwords"), "{}", reply.body);
    assert!(house.rooms.identity.list_app_passwords(house.organisation).await.unwrap().is_empty());
    house.end().await;
}

#[tokio::test]
async fn removing_twice_is_answered_kindly() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let me = house.rooms.identity.list_people(house.organisation).await.unwrap().remove(0);
    let login = house.rooms.identity.ensure_person_login(&me).await.unwrap();
    let id = app_password(&house, &login, "Scanner").await;
    let path = format!("/app-passwords/{id}/remove");
    for words in ["was removed. What was signed in", "was removed before"] {
        let reply = house.post(&mut browser, "/", &path, "").await;
        assert_eq!((reply.status, reply.location()), (303, "/app-passwords"), "{}", reply.body);
        assert!(house.get(&mut browser, "/app-passwords").await.body.contains(words), "{words}");
    }
    assert_eq!(house.get(&mut browser, &format!("/app-passwords/{id}")).await.status, 404);
    house.end().await;
}

#[tokio::test]
async fn a_replaced_one_ends_in_a_day_and_its_form_makes_one_successor() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let me = house.rooms.identity.list_people(house.organisation).await.unwrap().remove(0);
    let login = house.rooms.identity.ensure_person_login(&me).await.unwrap();
    let id = app_password(&house, &login, "Scanner").await;
    let path = format!("/app-passwords/{id}/replace");
    let page = house.get(&mut browser, &path).await;
    let body = format!("form_token={}&form_id={}&old=day", page.form_token(), hidden(&page, "form_id"));
    let first = house.ask(&mut browser, "POST", &path, "", &body).await;
    let second = house.ask(&mut browser, "POST", &path, "", &body).await;
    assert_eq!((first.status, first.location()), (303, second.location()), "{}", first.body);
    assert!(house.get(&mut browser, first.location()).await.body.contains("id=\"letters\""));
    let list = house.get(&mut browser, "/app-passwords").await.body;
    assert!(list.contains("Being replaced") && list.contains("Nobody has used the old one"), "{list}");
    // Its successor can be replaced, it itself cannot.
    let again = house.get(&mut browser, &path).await;
    assert_eq!((again.status, again.location()), (303, format!("/app-passwords/{id}").as_str()));
    house.end().await;
}

#[tokio::test]
async fn what_is_seen_at_the_doors_reaches_everybody_who_listens_until_the_portal_stops() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let me = house.rooms.identity.list_people(house.organisation).await.unwrap().remove(0);
    let login = house.rooms.identity.ensure_person_login(&me).await.unwrap();
    let id = app_password(&house, &login, "Scanner").await;
    let mut other = Browser::default();
    other.keep("session", house.session(&me).await.token.reveal());
    prove(&house).await;
    let mut streams = Vec::new();
    for browser in [&mut browser, &mut other] {
        let mut socket = TcpStream::connect(house.address).await.unwrap();
        let cookies = house.cookies(browser);
        let request = format!(
            "GET /app-passwords/{id}/listen HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\nAccept: text/event-stream\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let head = until(&mut socket, "event: replace").await;
        assert!(head.to_lowercase().contains("content-type: text/event-stream"), "{head}");
        streams.push(socket);
    }
    let (now, source) = (house.it.store.world().now(), "192.168.1.40".parse().unwrap());
    house.rooms.reports.without_tls(now, source, Protocol::Smtp);
    for socket in &mut streams {
        until(socket, "No encryption, from 192.168.1.40 by SMTP.").await;
    }
    // Without script the page says the same.
    let page = house.get(&mut browser, &format!("/app-passwords/{id}")).await.body;
    assert!(page.contains("No encryption, from 192.168.1.40 by SMTP."), "{page}");
    // The portal ends although two streams are open.
    house.end().await;
}

/// B10: what is told names the protocol with its own port, and nothing of before there was this app password.
#[tokio::test]
async fn the_panel_names_the_protocol_and_nothing_from_before_the_app_password() {
    let ports = |starttls| Ports { starttls: Some(starttls), tls: None };
    let (smtp, imap, pop3) = (ports(587), ports(143), ports(110));
    let mail = MailDoors { smtp, imap, pop3, ..MailDoors::default() };
    let house = House::with(PortalSettings { mail, ..settings() }, table()).await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let me = house.rooms.identity.list_people(house.organisation).await.unwrap().remove(0);
    let login = house.rooms.identity.ensure_person_login(&me).await.unwrap();
    let tries = |source: &str| {
        for protocol in [Protocol::Smtp, Protocol::Imap, Protocol::Pop3] {
            let now = house.it.store.world().now();
            house.rooms.reports.without_tls(now, source.parse().unwrap(), protocol);
        }
    };
    tries("192.168.1.40");
    house.it.clock.advance(std::time::Duration::from_secs(1));
    for (allowed, first) in [
        ("smtp", "Send a letter from the application now."),
        ("imap,pop3", "Let the application fetch its letters now."),
        ("smtp,imap", "Send a letter from the application now, or let it fetch its letters."),
        ("api", "Let the application sign in now."),
    ] {
        let id = app_password_for(&house, &login, allowed, allowed.parse().unwrap()).await;
        tries("192.168.1.41");
        let page = house.get(&mut browser, &format!("/app-passwords/{id}")).await.body;
        for (protocol, port) in [("SMTP", 587), ("IMAP", 143), ("POP3", 110)] {
            let words = format!("No encryption, from 192.168.1.41 by {protocol}.");
            assert!(page.contains(&words), "{words}: {page}");
            let cure = format!("turn encryption on, STARTTLS on port {port}.");
            assert!(page.contains(&cure), "{cure}: {page}");
        }
        assert!(page.contains(&format!("{first} Each try")), "{first}: {page}");
        assert!(!page.contains("192.168.1.40"), "{page}");
        house.it.clock.advance(std::time::Duration::from_secs(1));
    }
    house.end().await;
}

/// B10: an application was sent to the ticks of its app password, and read above that it may read.
#[tokio::test]
async fn the_panel_says_what_an_app_password_may_do_in_place_of_what_was_tried() {
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let (uses, watch) = (LastUses::new(it.store.clone()), RevocationWatch::new(it.store.clone()));
    let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), uses, watch.clone()).await.unwrap();
    let rooms = Rooms { reports: sign_ins.reports().clone(), ..rooms(&it).await };
    let house = House::of(it, rooms, settings(), table()).await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let identity = &house.rooms.identity;
    let me = identity.list_people(house.organisation).await.unwrap().remove(0);
    let login = identity.ensure_person_login(&me).await.unwrap();
    for (allowed, protocol, words, cure) in [
        (
            "imap",
            Protocol::Pop3,
            "It may read letters by IMAP, but not by POP3: from 192.168.1.40 by POP3, TLS 1.3, USER.",
            "Choose IMAP in the application, or make another app password: one that may read letters reads by POP3 too.",
        ),
        (
            "smtp,pop3",
            Protocol::Imap,
            "It may send letters, read letters by POP3, but not by IMAP:",
            "Choose POP3",
        ),
        ("imap,pop3", Protocol::Smtp, "It may read letters, but not send letters:", "that may send letters."),
        ("smtp", Protocol::Imap, "It may send letters, but not read letters:", "that may read letters."),
    ] {
        let new = new_app_password(&house, &login, "Mail", allowed.parse().unwrap());
        let made = identity.create_app_password(new, 40, Actor::Command).await.unwrap();
        let attempt = Attempt {
            user_name: &login.user_name,
            password: &made.text.grouped(),
            protocol,
            source: "192.168.1.40".parse().unwrap(),
            tls: Some("TLS 1.3"),
            mechanism: Some("USER"),
        };
        watch.look().await.unwrap();
        assert!(sign_ins.verify(attempt).await.is_err());
        let page = house.get(&mut browser, &format!("/app-passwords/{}", made.id)).await.body;
        assert!(page.contains(words), "{words}: {page}");
        assert!(page.contains(cure), "{cure}: {page}");
    }
    house.end().await;
}

/// The table of docs/decisions/0010: of another person's, administrators see that they are there.
#[tokio::test]
async fn what_each_may_do_is_said_where_it_is_listed_to_those_who_may_see_that() {
    let house = House::new().await;
    let mut operator = signed_in(&house, Role::Operator).await;
    let mut administrator = signed_in(&house, Role::Administrator).await;
    let identity = &house.rooms.identity;
    let person = identity
        .find_person(house.organisation, &"operator@practice.test".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let words = "May send letters, read letters by IMAP<";
    for (name, serves, by_operator, by_administrator) in
        [("own", Serves::Person(person.id), true, false), ("reception", Serves::Organisation, false, true)]
    {
        let id = house.account(name, serves).await;
        let address = format!("{name}@practice.test").parse().unwrap();
        let login =
            identity.ensure_account_login(house.organisation, id, &address, serves.person()).await.unwrap();
        let made = app_password_for(&house, &login, "Thunderbird", "smtp,imap".parse().unwrap()).await;
        for (browser, sees) in [(&mut operator, by_operator), (&mut administrator, by_administrator)] {
            for path in ["/app-passwords".to_owned(), format!("/accounts/{id}")] {
                let page = house.get(browser, &path).await.body;
                assert_eq!(page.contains(words), sees, "{name} {path}: {page}");
            }
            let asked = house.get(browser, &format!("/app-passwords/{made}/remove")).await;
            // Each name once.
            let who = format!("signs in with it as {name}@practice.test ({name}) stops working");
            assert!(asked.status == 404 || asked.body.contains(&who), "{}", asked.body);
        }
        identity
            .revoke_app_password(house.organisation, made.parse().unwrap(), Actor::Command)
            .await
            .unwrap();
    }
    house.end().await;
}

/// Reads until these words have come.
async fn until(socket: &mut TcpStream, words: &str) -> String {
    let mut read = String::new();
    while !read.contains(words) {
        let mut buffer = [0; 4_096];
        let n = socket.read(&mut buffer).await.unwrap();
        assert!(n > 0, "the stream ended: {read}");
        read.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    read
}

#[tokio::test]
async fn the_certificate_of_the_authority_can_be_fetched_where_there_is_one() {
    let authority = Some("-----BEGIN CERTIFICATE-----\n".to_owned());
    for (authority, status) in [(authority, 200), (None, 404)] {
        let mail = MailDoors { authority, ..MailDoors::default() };
        let house = House::with(PortalSettings { mail, ..settings() }, table()).await;
        assert_eq!(house.get(&mut Browser::default(), "/authority.pem").await.status, status);
        house.end().await;
    }
}

/// E1: whoever sets up a mail program learns where it reads, if it may.
#[tokio::test]
async fn the_sheet_says_where_to_read_as_far_as_that_is_allowed_and_open() {
    let imap = Ports { starttls: Some(143), tls: Some(993) };
    let pop3 = Ports { starttls: Some(110), tls: None };
    let typed = |title: &str, place: &str, port: &str, word: &str| {
        format!(
            "<h3>{title}</h3>{place}\n<dl class=\"facts\"><dt>Server Name</dt><dd>mail.example</dd><dt>Port</dt><dd>{port}</dd>\
             <dt>User Name</dt><dd>administrator@practice.test</dd><dt>Connection security</dt><dd>{word}</dd>"
        )
    };
    let place = "<p>Account Settings &gt; Server Settings, below the account</p>";
    let place = place.replace("&gt;", "&#62;");
    let by_imap = typed("Incoming mail by IMAP", &place, "993", "SSL/TLS");
    let by_pop3 = typed("Incoming mail by POP3", &place, "110", "STARTTLS");
    let or_by_pop3 = typed("Or by POP3", "", "110", "STARTTLS");
    let other_door = "Where that does not work: port 143 with STARTTLS.".to_owned();
    let sending = "Outgoing Server (SMTP)";
    for (allowed, imap, pop3, wanted, unwanted) in [
        (
            "smtp,imap,pop3",
            imap,
            pop3,
            vec![sending.to_owned(), by_imap.clone(), other_door.clone(), or_by_pop3.clone()],
            vec![],
        ),
        ("smtp,imap", imap, pop3, vec![sending.to_owned(), by_imap.clone()], vec!["POP3"]),
        ("smtp", imap, pop3, vec![sending.to_owned()], vec!["Incoming", "IMAP", "POP3"]),
        ("smtp,imap,pop3", Ports::default(), pop3, vec![by_pop3.clone()], vec!["IMAP"]),
        // Nothing of letters where it may send none.
        ("imap,pop3", imap, pop3, vec![by_imap, other_door, or_by_pop3], vec!["587", sending]),
        ("pop3", imap, pop3, vec![by_pop3], vec!["587", "IMAP", sending]),
        (
            "imap",
            Ports::default(),
            pop3,
            vec!["No door for reading is open".to_owned()],
            vec!["587", sending],
        ),
    ] {
        let smtp = Ports { starttls: Some(587), tls: None };
        let mail = MailDoors { host: "mail.example".into(), smtp, imap, pop3, ..MailDoors::default() };
        let house = House::with(PortalSettings { mail, ..settings() }, table()).await;
        let mut browser = signed_in(&house, Role::Administrator).await;
        let person = house
            .rooms
            .identity
            .find_person(house.organisation, &"administrator@practice.test".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let login = house.rooms.identity.ensure_person_login(&person).await.unwrap();
        let new = NewAppPassword {
            application: Some("thunderbird".to_owned()),
            ..new_app_password(&house, &login, "Mail", allowed.parse().unwrap())
        };
        let id = house.rooms.identity.create_app_password(new, 40, Actor::Command).await.unwrap().id;
        let page = house.get(&mut browser, &format!("/app-passwords/{id}/sheet")).await.body;
        for words in wanted {
            assert!(page.contains(&words), "{allowed}: {words}\n{page}");
        }
        for words in unwanted {
            assert!(!page.contains(words), "{allowed}: {words}\n{page}");
        }
        house.end().await;
    }
}

/// E1: what an application could not read is said before it finds that out, and how that is cured.
#[tokio::test]
async fn what_cannot_be_read_is_said_before_and_after_the_app_password_is_made() {
    let open = Ports { starttls: Some(143), tls: None };
    let mail = MailDoors { imap: open, pop3: open, ..MailDoors::default() };
    let house = House::with(PortalSettings { mail, ..settings() }, table()).await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    let identity = &house.rooms.identity;
    let main = identity.add_location(house.organisation, "Main Street", Actor::Command).await.unwrap();
    let account = house.account("Reception", Serves::Organisation).await;
    let at = |port| Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None };
    let enter = async |imap: bool, pop3: bool| {
        let (imap, pop3) = (imap.then(|| at(143)), pop3.then(|| at(110)));
        let endpoints = Endpoints { smtp: at(587), imap, pop3 };
        let accounts = &house.rooms.accounts;
        accounts.edit_endpoints(house.organisation, account, endpoints, Actor::Command).await.unwrap();
    };
    let of_account = format!("account-{account}");
    let on_page = format!("href=\"/accounts/{account}\"");
    let cases = [
        (
            (false, false),
            "me".to_owned(),
            "You have no mailbox of your own in Gatepost",
            "href=\"/accounts\"",
        ),
        (
            (true, true),
            format!("location-{}", main.id),
            "make it the default of Main Street.",
            "href=\"/accounts\"",
        ),
        ((false, false), of_account.clone(), "has no server for reading in Gatepost", on_page.as_str()),
        (
            (true, false),
            of_account.clone(),
            "has no POP3 server in Gatepost: let applications read it by IMAP.",
            &on_page,
        ),
        (
            (false, true),
            of_account.clone(),
            "has no IMAP server in Gatepost: let applications read it by POP3.",
            &on_page,
        ),
        ((true, true), of_account, "", ""),
    ];
    for ((imap, pop3), whom, words, href) in cases {
        enter(imap, pop3).await;
        let path = format!("/app-passwords/new?for={whom}&application=tdo");
        let page = house.get(&mut browser, &path).await;
        let is_told = |body: &str| body.contains("alert-bar warn");
        assert_eq!(is_told(&page.body), !words.is_empty(), "{}", page.body);
        assert!(page.body.contains(words) && page.body.contains(href), "{words}: {}", page.body);
        for (ticks, reads) in [("send=1", false), ("read=1", true)] {
            let page = house.get(&mut browser, &path).await;
            let (token, id) = (page.form_token(), hidden(&page, "form_id"));
            let body = format!("form_token={token}&form_id={id}&for={whom}&application=tdo&name=x&{ticks}");
            let made = house.ask(&mut browser, "POST", "/app-passwords/new", "", &body).await;
            let made = house.get(&mut browser, made.location()).await.body;
            assert!(made.contains("id=\"letters\""), "{made}");
            assert_eq!(is_told(&made), reads && !words.is_empty(), "{ticks}: {made}");
            assert!(!is_told(&made) || made.contains(words) && made.contains(href), "{words}: {made}");
        }
        // The cure that is named is there.
        let page = house.get(&mut browser, &format!("/accounts/{account}")).await.body;
        assert_eq!(page.contains("Add a server for reading"), !(imap && pop3), "{page}");
    }
    house.end().await;
}

#[tokio::test]
async fn the_list_is_turned_page_by_page() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    for (page, status) in [("0", 200), ("1", 200), ("2", 200), ("x", 400)] {
        let reply = house.get(&mut browser, &format!("/app-passwords?page={page}")).await;
        assert_eq!(reply.status, status, "{page}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_look_at_the_head_alone_uses_nothing_up() {
    let house = House::new().await;
    let mut browser = signed_in(&house, Role::Administrator).await;
    for path in ["/", "/app-passwords"] {
        assert_eq!(house.ask(&mut browser, "HEAD", path, "", "").await.status, 405, "{path}");
    }
    assert_eq!(house.ask(&mut browser, "HEAD", "/healthz", "", "").await.status, 200);
    house.end().await;
}
