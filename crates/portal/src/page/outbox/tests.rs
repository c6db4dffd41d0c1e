//! The outbox as people see it.

use gatepost_accounts::Serves;
use gatepost_identity::Role;

use crate::tests::{Browser, House};

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

#[tokio::test]
async fn a_letter_is_held_let_go_and_taken_back_on_its_page() {
    let house = House::new().await;
    let account = house.account("Reception", Serves::Organisation).await;
    let login = gatepost_core::LoginId::new(&house.it.world);
    let id = house.letter(login, Some(account), &["anna@example.net", "bert@example.net"]).await;
    let mut browser = house.signed_in(Role::Administrator).await;
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
