//! Mail accounts as people see them.

use gatepost_accounts::{
    Direction, EndedConnection, Endpoint, Endpoints, Event, ReadingProtocol, Serves, TlsMode, What,
};
use gatepost_core::{AppPasswordId, EmailAddress, LoginId, MailAccountId, PersonId};
use gatepost_identity::{AppPasswordLimits, MOST_APP_PASSWORDS, NewAppPassword, Person, Protocols, Role};
use gatepost_journal::Actor;
use gatepost_providers::{Evidence, Phase, Providers, Trouble};

use crate::tests::{Browser, House, Reply};

/// Somebody of that role who is signed in, has just proven, and is known to the house.
async fn somebody(house: &House, address: &str, role: Role) -> (Person, Browser) {
    let person = house.person(address, role).await;
    let text = "UPDATE {table} SET two_step_at = created_at WHERE role = 'administrator'";
    house.execute("FIND_PERSON", text).await;
    let mut browser = Browser::default();
    browser.keep("session", house.session(&person).await.token.reveal());
    house.prove().await;
    (person, browser)
}

async fn chief(house: &House) -> Browser {
    somebody(house, "chief@practice.test", Role::Administrator).await.1
}

/// One named `TDO letters`.
async fn app_password(house: &House, login: LoginId, by: Actor) -> AppPasswordId {
    let limits = AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    };
    let new = NewAppPassword::new(&house.it.world, house.organisation, login, "TDO letters", limits);
    house.rooms.identity.create_app_password(new, MOST_APP_PASSWORDS, by).await.unwrap().id
}

/// The provider refuses the account's password, or takes it.
async fn report(house: &House, id: MailAccountId, what: What) {
    house.it.clock.advance(std::time::Duration::from_secs(1));
    let accounts = &house.rooms.accounts;
    let account = accounts.signing_in(house.organisation, id).await.unwrap_or_else(|why| panic!("{why}"));
    let event = Event { used: account.used, began_at: house.it.world.now(), what };
    accounts.report(house.organisation, id, Direction::Sending, event).await.unwrap();
}

fn refused() -> What {
    let text = b"5.7.8 Authentication credentials invalid";
    let evidence = Evidence::Smtp {
        provider_kind: None,
        phase: Phase::Auth,
        code: 535,
        enhanced: Some((5, 7, 8)),
        text,
    };
    let diagnosis = Providers::embedded().catalogue().diagnose(&evidence);
    What::SignInRefused { diagnosis, reply: Some(b"535 5.7.8 <b>no</b>".to_vec()) }
}

/// Posts and goes where the answer leads.
async fn press(house: &House, browser: &mut Browser, at: &str, path: &str, fields: &str) -> Reply {
    let done = house.post(browser, at, path, fields).await;
    assert_eq!(done.status, 303, "{path}: {}", done.body);
    house.get(browser, done.location()).await
}

#[track_caller]
fn shows(page: &Reply, all: &[&str], none: &[&str]) {
    for text in all {
        assert!(page.body.contains(text), "{text:?} is not there: {}", page.body);
    }
    for text in none {
        assert!(!page.body.contains(text), "{text:?} is there: {}", page.body);
    }
}

/// E1.
#[tokio::test]
async fn what_was_cut_off_stands_among_what_happened() {
    let house = House::new().await;
    let (person, mut browser) = somebody(&house, "chief@practice.test", Role::Administrator).await;
    let id = house.account("Reception", Serves::Organisation).await;
    for name in [Some("Laptop <i>".to_owned()), None] {
        let app_password = AppPasswordId::new(&house.it.world);
        let source = [192, 168, 1, 40].into();
        let ended = EndedConnection {
            app_password,
            name,
            protocol: ReadingProtocol::Pop3,
            source,
            by: String::new(),
        };
        let by = Actor::Person(person.id);
        house.rooms.accounts.connection_ended(house.organisation, id, ended, by).await.unwrap();
    }
    let page = house.get(&mut browser, &format!("/accounts/{id}")).await;
    let by = "A connection that read it was ended</strong><bdi>Ana &#60;b&#62;Example&#60;/b&#62;</bdi>";
    let (named, unnamed) =
        ("Laptop &#60;i&#62;, by POP3 from 192.168.1.40", "A removed app password, by POP3 from");
    shows(&page, &[by, named, unnamed], &[]);
    house.end().await;
}

/// C4, C13.
#[tokio::test]
async fn administrators_see_every_account_and_operators_their_own_and_the_one_they_send_by() {
    let house = House::new().await;
    let (anna, mut annas) = somebody(&house, "anna@practice.test", Role::Operator).await;
    let (_, mut berts) = somebody(&house, "bert@practice.test", Role::Operator).await;
    let reception = house.account("Reception", Serves::Organisation).await;
    let own = house.account("Dr Anna", Serves::Person(anna.id)).await;
    let mut chief = chief(&house).await;
    shows(&house.get(&mut chief, "/accounts").await, &["Reception", "Dr Anna"], &["Your own mail accounts"]);
    shows(&house.get(&mut annas, "/accounts").await, &["Dr Anna", "Your own mail accounts"], &["Reception"]);
    shows(&house.get(&mut berts, "/accounts").await, &["Reception"], &["Dr Anna", "Check now"]);
    let page = |id: MailAccountId| format!("/accounts/{id}");
    let whole = ["What happened", "Signs in as", "Letters may come from", "Check now", "Remove"];
    shows(&house.get(&mut chief, &page(own)).await, &whole, &["secret"]);
    shows(
        &house.get(&mut annas, &page(own)).await,
        &whole,
        &["secret", "Make it the default", "Another address"],
    );
    // Of one that they only send by: how it fares, and no more.
    shows(&house.get(&mut berts, &page(reception)).await, &["Unchecked", "An administrator"], &whole);
    for path in ["", "/status", "/check", "/edit", "/remove"] {
        let path = format!("{}{path}", page(own));
        assert_eq!(house.get(&mut berts, &path).await.status, 404, "{path}");
    }
    for path in ["/check", "/check/steps", "/edit", "/remove"] {
        let path = format!("{}{path}", page(reception));
        assert_eq!(house.get(&mut berts, &path).await.status, 404, "{path}");
    }
    for path in ["/pause", "/resume", "/check", "/edit", "/remove", "", "/default"] {
        for (browser, id) in [(&berts, reception), (&berts, own), (&annas, reception)] {
            let mut browser = browser.clone();
            let path = format!("{}{path}", page(id));
            assert_eq!(
                house.post(&mut browser, "/accounts", &path, "for=organisation").await.status,
                404,
                "{path}"
            );
        }
    }
    house.end().await;
}

/// C4: what would let an own account send or read as somebody else, or serve others, is not theirs to change.
#[tokio::test]
async fn an_operator_edits_their_own_account_but_not_whom_it_serves_or_what_it_opens() {
    let house = House::new().await;
    let (anna, mut browser) = somebody(&house, "anna@practice.test", Role::Operator).await;
    let id = house.account("Anna", Serves::Person(anna.id)).await;
    let page = format!("/accounts/{id}");
    let form = house.get(&mut browser, &format!("{page}/edit")).await;
    shows(&form, &["name=\"short_name\""], &["name=\"serves\"", "name=\"opens\"", "name=\"user_name\""]);
    let fields =
        "is_typed=on&short_name=Dr+Anna&author_name=&user_name=a&serves=organisation&opens=b%40practice.test";
    let done = press(&house, &mut browser, &page, &format!("{page}/edit"), fields).await;
    shows(&done, &["The settings are changed.", "Dr Anna"], &[]);
    for path in ["", "/addresses/remove", "/default"] {
        let fields = "address=b%40practice.test&for=organisation";
        assert_eq!(house.post(&mut browser, &page, &format!("{page}{path}"), fields).await.status, 404);
    }
    let account = house.rooms.accounts.get(house.organisation, id).await.unwrap();
    assert_eq!((account.short_name.as_str(), account.user_name.as_str()), ("Dr Anna", "a@practice.test"));
    assert_eq!((account.serves, account.opens), (Serves::Person(anna.id), None));
    assert!(account.further_addresses.is_empty());
    house.end().await;
}

/// C13.
#[tokio::test]
async fn the_board_says_what_is_wrong_since_when_why_what_to_do_who_and_what_waits() {
    let house = House::new().await;
    let mut browser = chief(&house).await;
    let empty = house.get(&mut browser, "/accounts").await;
    shows(&empty, &["No mail account yet"], &["name=\"find\""]);
    for name in ["Alpha", "Beta"] {
        let id = house.account(name, Serves::Organisation).await;
        report(&house, id, What::Succeeded).await;
    }
    let zeta = house.account("Zeta", Serves::Organisation).await;
    report(&house, zeta, refused()).await;
    let login = LoginId::new(&house.it.world);
    house.letter(login, Some(zeta), &["one@example.net", "two@example.net"]).await;
    let board = house.get(&mut browser, "/accounts").await;
    let diagnosis = refused();
    let diagnosis = diagnosis.diagnosis().unwrap();
    let who = diagnosis.who.to_string();
    shows(
        &board,
        &[
            "Needs sign-in",
            "Connected",
            "less than a minute ago",
            &who,
            "2 letters wait",
            "data-live=\"/accounts/board\"",
        ],
        &["name=\"find\"", "<b>no"],
    );
    let place = |name: &str| board.body.find(&format!(">{name}<")).unwrap();
    assert!(place("Zeta") < place("Alpha") && place("Alpha") < place("Beta"), "who needs a person is first");
    shows(&house.get(&mut browser, "/accounts/board").await, &["Zeta", "2 letters wait"], &["<html"]);
    // Home says the same in a line.
    shows(&house.get(&mut browser, "/").await, &["3 mail accounts: 1 needs a sign-in, 2 connected"], &[]);
    let detail = house.get(&mut browser, &format!("/accounts/{zeta}")).await;
    shows(
        &detail,
        &["535 5.7.8 &#60;b&#62;no", "Sending: Needs sign-in", "Added without a check"],
        &["<b>no"],
    );
    report(&house, zeta, What::Succeeded).await;
    shows(&house.get(&mut browser, "/accounts/board").await, &["Zeta"], &["Needs sign-in", &who]);
    house.end().await;
}

#[tokio::test]
async fn fifty_accounts_are_a_page_and_from_ten_on_they_are_searched() {
    let house = House::new().await;
    let mut browser = chief(&house).await;
    for n in 0..9 {
        house.account(&format!("Box {n:02}"), Serves::Organisation).await;
    }
    shows(&house.get(&mut browser, "/accounts").await, &[], &["name=\"find\"", "Page 1"]);
    for n in 9..51 {
        house.account(&format!("Box {n:02}"), Serves::Organisation).await;
    }
    let first = house.get(&mut browser, "/accounts").await;
    shows(&first, &["name=\"find\"", "Page 1 of 2", "/accounts?page=2", "Box 49"], &["Box 50"]);
    let second = house.get(&mut browser, "/accounts?page=2").await;
    shows(&second, &["Page 2 of 2", "Box 50", "data-live=\"/accounts/board?page=2\""], &["Box 49"]);
    shows(&house.get(&mut browser, "/accounts?find=box+1").await, &["Box 19"], &["Box 20", "Page 1"]);
    shows(
        &house.get(&mut browser, "/accounts?find=nobody").await,
        &["No mail account fits.", "Show all"],
        &[],
    );
    house.end().await;
}

/// C1, C2.
#[tokio::test]
async fn an_administrator_edits_an_account_its_addresses_and_whose_default_it_is() {
    let house = House::new().await;
    let (anna, _) = somebody(&house, "anna@practice.test", Role::Operator).await;
    let identity = &house.rooms.identity;
    let north = identity.add_location(house.organisation, "North", Actor::Command).await.unwrap();
    house.account("Reception", Serves::Organisation).await;
    let id = house.account("Billing", Serves::Organisation).await;
    let mut browser = chief(&house).await;
    let page = format!("/accounts/{id}");
    let edit = format!("{page}/edit");
    let wrong = house
        .post(
            &mut browser,
            &page,
            &edit,
            "is_typed=on&short_name=+&user_name=a&serves=organisation&max_connections=0&opens=x",
        )
        .await;
    assert_eq!(wrong.status, 422);
    shows(&wrong, &["An address looks like", "Write a whole number", "href=\"#opens\""], &[]);
    let wrong = house
        .post(&mut browser, &page, &edit, "is_typed=on&short_name=+&user_name=a&serves=organisation")
        .await;
    shows(&wrong, &["Write 1 to 60 characters", "name=\"user_name\" type=\"text\" value=\"a\""], &[]);
    let foreign =
        format!("is_typed=on&short_name=x&user_name=a&serves=person-{}", PersonId::new(&house.it.world));
    assert_eq!(house.post(&mut browser, &page, &edit, &foreign).await.status, 400);
    let fields = format!(
        "is_typed=on&short_name=Invoices&author_name=Practice&user_name=a&serves=person-{}&opens=shared%40practice.test&never_falls_back=on&max_connections=2&max_megabytes=10",
        anna.id
    );
    let done = press(&house, &mut browser, &page, &edit, &fields).await;
    shows(
        &done,
        &["Invoices", "Ana &#60;b&#62;Example", "shared@practice.test", "Never to another", "10 MB"],
        &[],
    );
    let account = house.rooms.accounts.get(house.organisation, id).await.unwrap();
    assert_eq!(account.serves, Serves::Person(anna.id));
    assert_eq!(
        (account.overrides.max_connections, account.overrides.max_message_bytes),
        (Some(2), Some(10_000_000))
    );
    assert!(account.overrides.never_falls_back);
    // What it serves decides whose its login is.
    let target = gatepost_identity::Target::Account(id);
    assert!(identity.find_login_of(house.organisation, target).await.unwrap().is_some());

    let default = format!("{page}/default");
    let done = press(&house, &mut browser, &page, &default, &format!("for=location-{}", north.id)).await;
    shows(&done, &["Invoices is the default now: North."], &[]);
    let of = house.rooms.accounts.defaults_of(house.organisation, id).await.unwrap();
    assert!(of.contains(&Serves::Location(north.id)), "{of:?}");
    assert_eq!(house.post(&mut browser, &page, &default, "for=location-x").await.status, 400);

    let addresses = page.clone();
    let done = press(&house, &mut browser, &page, &addresses, "address=info%40practice.test").await;
    shows(&done, &["Letters may come from info@practice.test now."], &[]);
    let wrong = house.post(&mut browser, &page, &addresses, "address=info").await;
    assert_eq!(wrong.status, 422);
    shows(&wrong, &["An address looks like", "value=\"info\""], &[]);
    let remove = format!("{addresses}/addresses/remove");
    let done = press(&house, &mut browser, &page, &remove, "address=INFO%40practice.test").await;
    shows(&done, &["may not come from"], &[]);
    let account = house.rooms.accounts.get(house.organisation, id).await.unwrap();
    assert!(account.further_addresses.is_empty());
    house.end().await;
}

/// C19.
#[tokio::test]
async fn what_waits_and_what_stops_is_shown_before_an_account_is_removed() {
    let house = House::new().await;
    let (person, mut browser) = somebody(&house, "chief@practice.test", Role::Administrator).await;
    let id = house.account("Reception", Serves::Organisation).await;
    let address: EmailAddress = "reception@practice.test".parse().unwrap();
    let identity = &house.rooms.identity;
    let login = identity.ensure_account_login(house.organisation, id, &address, None).await.unwrap();
    app_password(&house, login.id, Actor::Person(person.id)).await;
    let letter = house.letter(login.id, Some(id), &["patient@example.net"]).await;
    let page = format!("/accounts/{id}");
    shows(&house.get(&mut browser, &page).await, &["TDO letters", "reception@practice.test"], &[]);
    let remove = format!("{page}/remove");
    let asked = house.get(&mut browser, &remove).await;
    shows(
        &asked,
        &["Remove Reception?", "1 letter waits for it.", "TDO letters", "The whole organisation"],
        &[],
    );
    let done = press(&house, &mut browser, &remove, &remove, "").await;
    shows(&done, &["Reception is removed.", "No mail account yet"], &[]);
    let held = house.rooms.outbox.show(house.organisation, letter).await.unwrap().unwrap();
    assert_eq!(held.state(|_| false), gatepost_delivery::state::StateName::Held);
    assert!(identity.list_app_passwords(house.organisation).await.unwrap().is_empty());
    // The second of two clicks.
    let again = press(&house, &mut browser, "/accounts", &remove, "").await;
    shows(&again, &["The mail account was removed before."], &[]);
    assert_eq!(house.get(&mut browser, &page).await.status, 404);
    house.end().await;
}

#[tokio::test]
async fn pausing_holds_and_resuming_lets_go() {
    let house = House::new().await;
    let id = house.account("Reception", Serves::Organisation).await;
    let mut browser = chief(&house).await;
    let page = format!("/accounts/{id}");
    let paused = press(&house, &mut browser, &page, &format!("{page}/pause"), "").await;
    shows(&paused, &["Reception is paused.", "Paused since", "/resume\""], &[]);
    assert!(house.rooms.accounts.is_held(id));
    let resumed = press(&house, &mut browser, &page, &format!("{page}/resume"), "").await;
    shows(&resumed, &["Reception goes on.", "/pause\""], &["Paused since"]);
    assert!(!house.rooms.accounts.is_held(id));
    house.end().await;
}

/// E1: whoever pauses, removes or disables reads before what that cuts off.
#[tokio::test]
async fn what_cuts_programs_off_that_read_says_so_before_it_is_done() {
    let house = House::new().await;
    let id = house.account("Reception", Serves::Organisation).await;
    let mut browser = chief(&house).await;
    let (page, cut_off) = (format!("/accounts/{id}"), "cut off");
    shows(&house.get(&mut browser, &page).await, &["Letters wait until it is resumed."], &[cut_off]);
    shows(&house.get(&mut browser, &format!("{page}/remove")).await, &["Remove Reception?"], &[cut_off]);
    let at = |port| Endpoint { host: "127.0.0.1".into(), port, tls: TlsMode::None };
    let endpoints = Endpoints { smtp: at(587), imap: None, pop3: Some(at(110)) };
    let accounts = &house.rooms.accounts;
    accounts.edit_endpoints(house.organisation, id, endpoints, Actor::Command).await.unwrap();
    let hint = "No program reads it meanwhile, and what is open is cut off.";
    shows(&house.get(&mut browser, &page).await, &[hint], &[]);
    let removal = house.get(&mut browser, &format!("{page}/remove")).await;
    shows(&removal, &["Programs that read it through Gatepost are cut off."], &[]);
    let paused = press(&house, &mut browser, &page, &format!("{page}/pause"), "").await;
    shows(&paused, &["Reception is paused.", "no program reads it: what was open is cut off."], &[hint]);

    let anna = house.person("anna@practice.test", Role::Operator).await;
    let disabling = house.get(&mut browser, &format!("/people/{}/disable", anna.id)).await;
    let words = "What their app passwords have open, to send or to read, is cut off within a second.";
    shows(&disabling, &[words], &[]);
    let login = house.rooms.identity.ensure_person_login(&anna).await.unwrap();
    let id = app_password(&house, login.id, Actor::Command).await;
    let removal = house.get(&mut browser, &format!("/app-passwords/{id}/remove")).await;
    shows(&removal, &["what it sends or reads at that moment is cut off."], &[]);
    house.end().await;
}

/// C13, C15: what is wrong with a server is cured where servers are typed.
#[tokio::test]
async fn an_account_with_wrong_servers_leads_to_them() {
    let house = House::new().await;
    let id = house.account("Reception", Serves::Organisation).await;
    let mut browser = chief(&house).await;
    let (page, again) = (format!("/accounts/{id}"), format!("/accounts/{id}/reauthenticate"));
    let trouble = |it: Trouble| {
        let diagnosis = Providers::embedded().catalogue().diagnose(&Evidence::Trouble(it));
        What::Trouble { diagnosis, reply: None }
    };
    for (what, leads) in [
        (Trouble::CertificateWrongName, true),
        (Trouble::NameNotFound, true),
        (Trouble::ConnectionLost, false),
        (Trouble::CertificateExpired, false),
    ] {
        report(&house, id, trouble(what)).await;
        for path in ["/accounts", &page] {
            let shown = house.get(&mut browser, path).await.body;
            assert!(shown.contains("Failing"), "{shown}");
            assert_eq!(shown.contains("Look at the servers"), leads, "{what:?} at {path}: {shown}");
        }
    }
    let begun = house.post(&mut browser, &page, &again, "at=servers").await;
    assert!(begun.location().ends_with("/servers"), "{}", begun.head);
    let servers = house.get(&mut browser, begun.location()).await;
    shows(&servers, &["value=\"127.0.0.1\"", "value=\"587\""], &[]);
    house.end().await;
}

/// C13: leaving the page stops nothing, and whoever comes back sees how it went.
#[tokio::test]
async fn a_check_runs_in_the_background_and_shows_its_steps() {
    let house = House::new().await;
    let id = house.account("Reception", Serves::Organisation).await;
    let mut browser = chief(&house).await;
    let page = format!("/accounts/{id}/check");
    shows(&house.get(&mut browser, &page).await, &["was not checked lately", "data-every=\"2\""], &[]);
    let begun = house.post(&mut browser, "/accounts", &page, "").await;
    assert_eq!((begun.status, begun.location()), (303, page.as_str()));
    let steps = format!("{page}/steps");
    let over = loop {
        let now = house.get(&mut browser, &steps).await;
        if !now.body.contains("Checking") {
            break now;
        }
        tokio::task::yield_now().await;
    };
    // This machine is guarded: nothing was dialled.
    shows(
        &over,
        &["Find the server’s address", "did not work", "What to do", "Look at the servers"],
        &["Everything works", "is being tried", "Re-authenticate"],
    );
    shows(&house.get(&mut browser, &format!("/accounts/{id}")).await, &["Failing"], &[]);
    // Where it is the sign-in that is refused, that is begun from here.
    report(&house, id, refused()).await;
    let again = format!("action=\"/accounts/{id}/reauthenticate\"");
    shows(&house.get(&mut browser, &steps).await, &[&again, "Re-authenticate"], &["Look at the servers"]);
    house.end().await;
}

/// C14.
#[tokio::test]
async fn a_pop_up_tells_on_every_page_until_it_is_put_off_or_over() {
    let house = House::new().await;
    let (anna, mut annas) = somebody(&house, "anna@practice.test", Role::Operator).await;
    let (_, mut berts) = somebody(&house, "bert@practice.test", Role::Operator).await;
    let mut browser = chief(&house).await;
    let reception = house.account("Reception", Serves::Organisation).await;
    let own = house.account("Dr Anna", Serves::Person(anna.id)).await;
    const PAGES: [&str; 5] = ["/", "/accounts", "/outbox", "/app-passwords", "/security"];
    for path in PAGES {
        shows(&house.get(&mut browser, path).await, &[], &["class=\"pop-up\""]);
    }
    report(&house, reception, refused()).await;
    let login = LoginId::new(&house.it.world);
    house.letter(login, Some(reception), &["one@example.net"]).await;
    for path in PAGES {
        let page = house.get(&mut browser, path).await;
        shows(&page, &["Reception cannot send since", "1 letter waits", "Later"], &[]);
        shows(&house.get(&mut berts, path).await, &[], &["class=\"pop-up\""]);
    }
    let there = house.get(&mut browser, &format!("/accounts/{reception}")).await;
    shows(&there, &["Reception cannot send since"], &["See it"]);
    // The same cause is one entry; its owner hears of their own alone.
    report(&house, own, refused()).await;
    let page = house.get(&mut browser, "/outbox?state=held").await;
    shows(
        &page,
        &["Reception and 1 more mail account cannot send", "aria-live=\"polite\""],
        &["Dr Anna cannot"],
    );
    shows(&house.get(&mut annas, "/").await, &["Dr Anna cannot send since"], &["Reception"]);
    let value = |page: &Reply, name: &str| {
        let (_, behind) = page.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        behind.split('"').next().unwrap().to_owned()
    };
    let (trouble, _) = (value(&page, "trouble"), ());
    let fields = format!("trouble={trouble}&back=%2Foutbox%3Fstate%3Dheld");
    let done = house.post(&mut browser, "/outbox", "/accounts/later", &fields).await;
    assert_eq!((done.status, done.location()), (303, "/outbox?state=held"));
    for path in PAGES {
        shows(&house.get(&mut browser, path).await, &[], &["class=\"pop-up\""]);
    }
    shows(&house.get(&mut annas, "/").await, &["Dr Anna cannot send since"], &[]);
    // The part of a page that stands open is empty once the account signs in again.
    shows(&house.get(&mut annas, "/accounts/pop-up?back=%2F").await, &["Dr Anna cannot"], &["<html"]);
    report(&house, own, What::Succeeded).await;
    assert_eq!(house.get(&mut annas, "/accounts/pop-up?back=%2F").await.body, "");
    // Tomorrow it is told again.
    house.it.clock.advance(std::time::Duration::from_hours(24));
    let mut tomorrow = chief_again(&house).await;
    shows(&house.get(&mut tomorrow, "/").await, &["Reception cannot send since"], &[]);
    for fields in ["", "trouble=x", "trouble=x.1", &format!("trouble={reception}.x")] {
        assert_eq!(house.post(&mut tomorrow, "/", "/accounts/later", fields).await.status, 400, "{fields}");
    }
    let elsewhere = format!("trouble={trouble}&back=https%3A%2F%2Fevil.example");
    assert_eq!(house.post(&mut tomorrow, "/", "/accounts/later", &elsewhere).await.location(), "/");
    house.end().await;
}

/// The administrator who was there the day before, signed in anew.
async fn chief_again(house: &House) -> Browser {
    let all = house.rooms.identity.list_people(house.organisation).await.unwrap();
    let chief = all.into_iter().find(|it| it.address.as_str() == "chief@practice.test").unwrap();
    let mut browser = Browser::default();
    browser.keep("session", house.session(&chief).await.token.reveal());
    browser
}
