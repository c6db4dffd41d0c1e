//! Setting up over real sockets: what is shown, to whom, and for how long.

use std::process::Command;
use std::time::Duration;

use gatepost_core::SecretText;
use gatepost_identity::{Entrance, LinkKind, Role, Visitor};
use gatepost_journal::Actor;

use super::Step;
use crate::tests::{Browser, House};

/// What an app with the key of this page shows now, as another program computes it.
fn code_on(house: &House, page: &str) -> String {
    let (_, behind) = page.split_once("id=\"key\"").unwrap();
    let (_, behind) = behind.split_once('>').unwrap();
    let key = behind.split('<').next().unwrap().replace(' ', "");
    let now = house.it.world.now().to_string().replace('T', " ");
    let now = format!("{} UTC", now.split('.').next().unwrap());
    let shown = Command::new("oathtool").args(["--totp", "--base32", "--now", &now, &key]).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    String::from_utf8(shown.stdout).unwrap().trim().to_owned()
}

fn codes_on(page: &str) -> Vec<String> {
    let (_, behind) = page.split_once("id=\"codes\">").unwrap();
    let list = behind.split("</ol>").next().unwrap();
    list.split("<li>").skip(1).map(|it| it.split('<').next().unwrap().to_owned()).collect()
}

/// Somebody who has chosen a password just now; each call is another browser.
async fn browser(house: &House, address: &str) -> Browser {
    let of = house.organisation;
    let all = house.rooms.identity.list_people(of).await.unwrap();
    let person = match all.into_iter().find(|it| it.address.as_str() == address) {
        Some(person) => person,
        None => house.person(address, Role::Operator).await,
    };
    let kind = if person.has_password { LinkKind::SignIn } else { LinkKind::PasswordReset };
    let link = house.rooms.identity.hand_link(of, person.id, kind, Actor::Command).await.unwrap();
    let visitor = Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
    let people = &house.rooms.people;
    let new = if person.has_password {
        people.sign_in_by_link(&link.token, &visitor).await.unwrap()
    } else {
        let password = SecretText::new("a long sentence of my own".into());
        match people.choose_password(&link.token, &password, None, false, &visitor).await.unwrap() {
            Entrance::SignedIn(new) => new,
            Entrance::SecondStep { .. } => panic!("two-step verification is off"),
        }
    };
    let mut browser = Browser::default();
    browser.keep("session", new.token.reveal());
    browser
}

#[test]
fn the_step_list_knows_what_is_done_and_what_is_now() {
    assert_eq!([1, 2, 3].map(|n| Step(2).class(n)), ["done", "now", ""]);
}

#[tokio::test]
async fn looking_at_the_pages_begins_nothing() {
    let house = House::new().await;
    let mut anna = browser(&house, "anna@practice.test").await;
    for (path, leads_to) in
        [("/two-step/app", "/two-step"), ("/two-step/codes", "/two-step"), ("/two-step/done", "/two-step")]
    {
        let reply = house.get(&mut anna, path).await;
        assert_eq!((reply.status, reply.location()), (303, leads_to), "{path}");
    }
    assert_eq!(house.get(&mut anna, "/two-step/recovery-codes.txt").await.status, 404);
    assert!(!house.get(&mut anna, "/two-step").await.body.contains("Go on where you stopped"));
    house.end().await;
}

#[tokio::test]
async fn recovery_codes_are_shown_to_the_session_that_made_them_until_one_was_typed_back() {
    let house = House::new().await;
    let mut anna = browser(&house, "anna@practice.test").await;
    let reply = house.post(&mut anna, "/two-step", "/two-step/begin", "").await;
    assert_eq!(reply.location(), "/two-step/app");
    let app = house.get(&mut anna, "/two-step/app").await.body;
    assert!(app.contains("<svg viewBox=\"0 0 ") && app.contains("role=\"img\""), "{app}");
    assert!(!app.contains("otpauth"), "the address with the secret is in the drawing alone");
    let fields = format!("code={}", code_on(&house, &app));
    let reply = house.post(&mut anna, "/two-step/app", "/two-step/app", &fields).await;
    assert_eq!((reply.status, reply.location()), (303, "/two-step/codes"), "{}", reply.body);
    // The same form again, from the back button: on to what comes next, and the same codes.
    let codes = codes_on(&house.get(&mut anna, "/two-step/codes").await.body);
    assert_eq!(codes.len(), 10);
    let reply = house.post(&mut anna, "/two-step/codes", "/two-step/app", &fields).await;
    assert_eq!(reply.location(), "/two-step/codes");
    assert_eq!(codes_on(&house.get(&mut anna, "/two-step/codes").await.body), codes);
    let file = house.get(&mut anna, "/two-step/recovery-codes.txt").await;
    assert!(codes.iter().all(|it| file.body.contains(it.as_str())));
    assert_eq!(file.headers("cache-control"), ["no-store"]);

    let mut elsewhere = browser(&house, "anna@practice.test").await;
    let page = house.get(&mut elsewhere, "/two-step/codes").await.body;
    assert!(codes.iter().all(|it| !page.contains(it.as_str())), "{page}");
    assert_eq!(house.get(&mut elsewhere, "/two-step/recovery-codes.txt").await.status, 404);

    let fields = format!("recovery_code={}", codes[4]);
    let reply = house.post(&mut anna, "/two-step/codes", "/two-step/codes", &fields).await;
    assert_eq!((reply.status, reply.location()), (303, "/two-step/done"), "{}", reply.body);
    let page = house.get(&mut anna, "/two-step/codes").await.body;
    assert!(codes.iter().all(|it| !page.contains(it.as_str())), "{page}");
    assert_eq!(house.get(&mut anna, "/two-step/recovery-codes.txt").await.status, 404);
    // Sent twice.
    let reply = house.post(&mut anna, "/two-step/codes", "/two-step/codes", &fields).await;
    assert_eq!(reply.location(), "/security");
    let reply = house.get(&mut elsewhere, "/security").await;
    assert!(reply.location().starts_with("/sign-in"), "turning it on signs out elsewhere: {}", reply.head);
    house.end().await;
}

#[tokio::test]
async fn codes_that_were_lost_are_made_anew_and_a_late_beginning_begins_anew() {
    let house = House::new().await;
    let mut anna = browser(&house, "anna@practice.test").await;
    house.post(&mut anna, "/two-step", "/two-step/begin", "").await;
    let app = house.get(&mut anna, "/two-step/app").await.body;
    let fields = format!("code={}", code_on(&house, &app));
    house.post(&mut anna, "/two-step/app", "/two-step/app", &fields).await;
    let codes = codes_on(&house.get(&mut anna, "/two-step/codes").await.body);
    // A second set takes the place of one that nobody has typed back.
    house.post(&mut anna, "/two-step/codes", "/two-step/codes/new", "").await;
    let new_codes = codes_on(&house.get(&mut anna, "/two-step/codes").await.body);
    assert!(new_codes.iter().all(|it| !codes.contains(it)));
    let fields = format!("recovery_code={}", codes[0]);
    let reply = house.post(&mut anna, "/two-step/codes", "/two-step/codes", &fields).await;
    assert_eq!(reply.status, 422, "{}", reply.body);
    // Too late: what was begun is over, and the page leads to the beginning.
    house.it.clock.advance(Duration::from_hours(1));
    let mut anna = browser(&house, "anna@practice.test").await;
    assert_eq!(house.get(&mut anna, "/two-step/codes").await.location(), "/two-step");
    house.end().await;
}
