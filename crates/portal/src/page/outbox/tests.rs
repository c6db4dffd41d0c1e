//! The outbox as people see it.

use gatepost_accounts::{Direction, Event, Serves, What};
use gatepost_identity::Role;
use gatepost_providers::{Evidence, Phase};

use crate::PortalSettings;
use crate::routes::table;
use crate::tests::{Browser, House, settings};

/// An administrator and two operators, with a letter of each operator.
#[tokio::test]
async fn operators_see_their_own_letters_and_administrators_all() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await;
    let mut letters = Vec::new();
    let mut browsers = Vec::new();
    for name in ["anna", "bert"] {
        let person = house.person(&format!("{name}@practice.test"), Role::Operator).await;
        let login = house.rooms.identity.ensure_person_login(&person).await.unwrap().id;
        let to = format!("for-{name}@example.net");
        letters.push((to.clone(), house.letter(login, Some(account), &[&to]).await));
        let mut browser = Browser::default();
        browser.keep("session", house.session(&person).await.token.reveal());
        browsers.push(browser);
    }
    let mut administrator = house.signed_in(Role::Administrator).await;
    for (place, browser) in browsers.iter_mut().enumerate() {
        for path in ["/", "/outbox", "/outbox?state=waiting"] {
            let page = house.get(browser, path).await.body;
            assert!(page.contains(&letters[place].0), "{path}: {page}");
            assert!(!page.contains(&letters[1 - place].0), "{path}: {page}");
        }
        for (other, (_, id)) in letters.iter().enumerate() {
            let want = if other == place { 200 } else { 404 };
            for path in [format!("/outbox/{id}"), format!("/outbox/{id}/time-line")] {
                assert_eq!(house.get(browser, &path).await.status, want, "{path}");
            }
            if other != place {
                let path = format!("/outbox/{id}/cancel");
                assert_eq!(house.post(browser, "/", &path, "").await.status, 404);
            }
        }
    }
    let page = house.get(&mut administrator, "/outbox").await.body;
    assert!(letters.iter().all(|(to, _)| page.contains(to)), "{page}");
    house.end().await;
}

/// Whatever they may see, they may act on; from elsewhere an administrator is like an operator.
#[tokio::test]
async fn from_outside_the_administration_networks_an_administrator_sees_their_own_letters_alone() {
    let networks = vec!["192.0.2.0/24".parse().unwrap()];
    let outside = PortalSettings { administration_networks: networks, ..settings() };
    let house = House::with(outside, table()).await;
    let account = house.account("Reception", Serves::Organisation).await;
    let mut browser = house.signed_in(Role::Administrator).await;
    house.prove().await;
    let all = house.rooms.identity.list_people(house.organisation).await.unwrap();
    let own = house.rooms.identity.ensure_person_login(&all[0]).await.unwrap().id;
    let own = house.letter(own, Some(account), &["own@example.net"]).await;
    let login = gatepost_core::LoginId::new(&house.it.world);
    let others = house.letter(login, Some(account), &["others@example.net"]).await;
    for path in ["/", "/outbox", "/outbox?state=waiting"] {
        let page = house.get(&mut browser, path).await.body;
        assert!(page.contains("own@example.net") && !page.contains("others@example.net"), "{path}: {page}");
    }
    for (id, status, done) in [(own, 200, 303), (others, 404, 404)] {
        let page = format!("/outbox/{id}");
        assert_eq!(house.get(&mut browser, &page).await.status, status);
        assert_eq!(house.get(&mut browser, &format!("{page}/time-line")).await.status, status);
        for command in ["hold", "retry", "release", "cancel"] {
            let reply = house.post(&mut browser, "/", &format!("{page}/{command}"), "").await;
            assert_eq!(reply.status, done, "{command}");
        }
    }
    house.end().await;
}

/// ID-25.
#[tokio::test]
async fn an_administrator_acts_on_a_letter_with_a_proof_and_an_operator_on_their_own_without() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await;
    let anna = house.person("anna@practice.test", Role::Operator).await;
    let login = house.rooms.identity.ensure_person_login(&anna).await.unwrap().id;
    let id = house.letter(login, Some(account), &["patient@example.net"]).await;
    let page = format!("/outbox/{id}");
    let mut chief = house.signed_in(Role::Administrator).await;
    for command in ["hold", "retry", "release", "cancel"] {
        let asked = house.post(&mut chief, &page, &format!("{page}/{command}"), "").await;
        assert!(
            asked.status == 200 && asked.body.contains("name=\"proof_code\""),
            "{command}: {}",
            asked.head
        );
    }
    let shown = house.get(&mut chief, &page).await.body;
    assert!(shown.contains("Hold it") && shown.contains("Take it back"), "nothing was done: {shown}");
    let mut browser = Browser::default();
    browser.keep("session", house.session(&anna).await.token.reveal());
    for command in ["hold", "release", "cancel"] {
        let done = house.post(&mut browser, &page, &format!("{page}/{command}"), "").await;
        assert_eq!((done.status, done.location()), (303, page.as_str()), "{command}");
    }
    assert!(house.get(&mut browser, &page).await.body.contains("Cancelled"));
    house.end().await;
}

#[tokio::test]
async fn a_letter_is_held_let_go_and_taken_back_on_its_page() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await;
    let login = gatepost_core::LoginId::new(&house.it.world);
    let id = house.letter(login, Some(account), &["anna@example.net", "bert@example.net"]).await;
    let mut browser = house.signed_in(Role::Administrator).await;
    house.prove().await;
    let page = format!("/outbox/{id}");
    for (command, says, offers, hides) in [
        ("hold", "The letter is held until you let it go.", "Let it go", "Hold it"),
        ("release", "The letter leaves now.", "Hold it", "Let it go"),
        ("cancel", "The letter was taken back.", "Cancelled", "Take it back"),
        ("retry", "The letter has moved on", "Cancelled", "Try again now"),
    ] {
        let reply = house.post(&mut browser, &page, &format!("{page}/{command}"), "").await;
        assert_eq!((reply.status, reply.location()), (303, page.as_str()), "{command}");
        let shown = house.get(&mut browser, &page).await.body;
        assert!(
            shown.contains(says) && shown.contains(offers) && !shown.contains(hides),
            "{command}: {shown}"
        );
        assert!(!house.get(&mut browser, &page).await.body.contains(says), "{command} is said once");
    }
    house.end().await;
}

#[tokio::test]
async fn the_list_is_turned_page_by_page() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await;
    let login = gatepost_core::LoginId::new(&house.it.world);
    let all: Vec<String> = (0..60).map(|n| format!("r{n:02}@example.net")).collect();
    for to in &all {
        house.letter(login, Some(account), &[to]).await;
    }
    let mut browser = house.signed_in(Role::Administrator).await;
    let (mut path, mut seen) = ("/outbox?state=waiting".to_owned(), Vec::new());
    for n in [25, 25, 10] {
        let page = house.get(&mut browser, &path).await.body;
        let here: Vec<_> = all.iter().filter(|it| page.contains(*it)).cloned().collect();
        assert_eq!(here.len(), n, "{path}");
        seen.extend(here);
        path = page
            .split("href=\"")
            .map(|it| it.split('"').next().unwrap())
            .find(|it| it.contains("before="))
            .map(|it| it.replace("&#38;", "&"))
            .unwrap_or_default();
    }
    assert!(path.is_empty(), "{path}");
    seen.sort();
    assert_eq!(seen, all);
    assert!(house.get(&mut browser, "/outbox?state=sent").await.body.contains("No such letters"));
    house.end().await;
}

/// C13.
#[tokio::test]
async fn a_letter_that_waits_for_its_account_leads_to_what_helps_the_account() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await;
    let anna = house.person("anna@practice.test", Role::Operator).await;
    let login = house.rooms.identity.ensure_person_login(&anna).await.unwrap().id;
    let id = house.letter(login, Some(account), &["patient@example.net"]).await;
    let mut chief = house.signed_in(Role::Administrator).await;
    let mut annas = Browser::default();
    annas.keep("session", house.session(&anna).await.token.reveal());
    house.prove().await;
    let (page, link) = (format!("/outbox/{id}"), format!("href=\"/accounts/{account}\""));
    let shown = house.get(&mut chief, &page).await.body;
    assert!(shown.contains(&link) && shown.contains("Hold it") && !shown.contains("Resume"), "{shown}");
    let pause = format!("/accounts/{account}/pause");
    assert_eq!(house.post(&mut chief, "/", &pause, "").await.status, 303);
    house.get(&mut chief, "/").await;
    let shown = house.get(&mut chief, &page).await.body;
    assert!(shown.contains("Resume") && shown.contains(&link) && shown.contains("Take it back"), "{shown}");
    assert!(!shown.contains("Hold it") && !shown.contains("Try again now"), "{shown}");
    // Whoever only sends by it sees how it fares.
    let shown = house.get(&mut annas, &page).await.body;
    assert!(shown.contains(&link) && !shown.contains("Resume") && !shown.contains("Hold it"), "{shown}");
    let text = b"5.7.8 Authentication credentials invalid";
    let evidence = Evidence::Smtp {
        provider_kind: None,
        phase: Phase::Auth,
        code: 535,
        enhanced: Some((5, 7, 8)),
        text,
    };
    let diagnosis = house.rooms.accounts.providers().catalogue().diagnose(&evidence);
    let accounts = &house.rooms.accounts;
    let resume = format!("/accounts/{account}/resume");
    assert_eq!(house.post(&mut chief, "/", &resume, "").await.status, 303);
    let Ok(handed) = accounts.signing_in(house.organisation, account).await else { panic!("it can") };
    let what = What::SignInRefused { diagnosis, reply: None };
    let event = Event { used: handed.used, began_at: house.it.world.now(), what };
    accounts.report(house.organisation, account, Direction::Sending, event).await.unwrap();
    let shown = house.get(&mut chief, &page).await.body;
    let form = format!("action=\"/accounts/{account}/reauthenticate\"");
    // Once in the panel at the head, once beside the letter.
    assert!(shown.matches(&form).count() == 2 && !shown.contains("Hold it"), "{shown}");
    house.end().await;
}
