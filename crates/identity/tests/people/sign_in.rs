//! The two steps of signing in.

use std::time::Duration;

use gatepost_identity::{Entrance, Method, PersonRefusal, Role};
use gatepost_journal::NoticeKind;
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, RIGHT, WRONG, office, pre_session, secret, session, visitor};

on_both_engines!(ROOMS;
    a_right_password_opens_a_session,
    whatever_is_wrong_is_refused_alike,
    with_two_step_verification_a_password_opens_the_second_step_alone,
    a_pre_session_ends_after_ten_minutes_and_with_the_epoch,
    a_trusted_device_skips_the_second_step_of_its_person_alone,
    administrators_trust_no_devices,
    a_new_device_is_told_once,
    old_hashes_are_made_anew,
);

async fn a_right_password_opens_a_session(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    assert!(anna.has_password && anna.signed_in_at.is_none());
    let made = session(house.sign_in(" Anna@Example.org ", RIGHT).await.unwrap());
    assert!(
        made.session.is_proven(house.now()) && !made.session.is_single_factor && !made.session.is_lasting
    );
    let found = house.find(&made).await.unwrap();
    assert_eq!((found.id, found.person.id), (made.session.id, anna.id));
    assert_eq!(found.person.signed_in_at, Some(house.now()));
    assert_eq!(house.entries("person.signed_in").await.len(), 1);
    assert!(house.entries("person.signed_in").await[0].contains(r#""factors":["password"]"#));
    // Another case is another password.
    assert!(house.sign_in("anna@example.org", &RIGHT.to_uppercase()).await.is_err());
}

/// ID-11: one answer, whatever is wrong; the journal alone knows which.
async fn whatever_is_wrong_is_refused_alike(it: TestStore) {
    let house = House::new(it).await;
    house.operator().await;
    house.invited("new@example.org", Role::Operator).await;
    let gone = house.person("gone@example.org", Role::Operator).await;
    house.disable(&gone).await;
    for (address, password) in [
        ("nobody@example.org", RIGHT),
        ("anna@example.org", WRONG),
        ("anna@example.org", ""),
        ("anna@example.org", &"x".repeat(100_000)),
        ("gone@example.org", RIGHT),
        ("new@example.org", RIGHT),
        ("not\0an address", RIGHT),
        ("", ""),
    ] {
        let refused = house.sign_in(address, password).await;
        assert!(matches!(refused, Err(PersonRefusal::WrongPassword)), "{address}");
    }
    let entries = house.entries("person.sign_in_refused").await;
    assert_eq!(entries.len(), 5, "of nobody there is no entry");
    for (entry, because) in entries.iter().zip(["no password yet", "disabled", "wrong password"]) {
        assert!(entry.contains(because), "{entry}");
        assert!(!entry.contains(WRONG) && !entry.contains(RIGHT));
    }
}

/// ID-27.
async fn with_two_step_verification_a_password_opens_the_second_step_alone(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    let token = pre_session(house.sign_in("anna@example.org", RIGHT).await.unwrap());
    let found = house.people.find_pre_session(&token).await.unwrap().unwrap();
    assert_eq!(found.person.id, anna.id);
    assert_eq!(found.methods, Vec::<Method>::new());
    assert!(found.may_trust_device);
    assert_eq!(found.expires_at, house.now() + Duration::from_mins(10));
    // It is no session, no link and no trusted device.
    assert!(house.people.find_session(&token, true).await.unwrap().is_none());
    assert!(house.people.find_link(&token).await.unwrap().is_none());
    let again = house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&token), &office()).await;
    assert!(matches!(again, Ok(Entrance::SecondStep { .. })));
    assert!(house.sessions(&anna).await.is_empty());
    assert!(house.reread(&anna).await.signed_in_at.is_none());
    house.people.leave_pre_session(&token).await.unwrap();
    assert!(house.people.find_pre_session(&token).await.unwrap().is_none());
    // A session is no pre-session either.
    let ben = house.person("ben@example.org", Role::Operator).await;
    let made = house.signed_in(&ben).await;
    assert!(house.people.find_pre_session(&made.token).await.unwrap().is_none());
}

async fn a_pre_session_ends_after_ten_minutes_and_with_the_epoch(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    let token = pre_session(house.sign_in("anna@example.org", RIGHT).await.unwrap());
    house.it.clock.advance(Duration::from_mins(10) - Duration::from_millis(1));
    assert!(house.people.find_pre_session(&token).await.unwrap().is_some());
    house.it.clock.advance(Duration::from_millis(1));
    assert!(house.people.find_pre_session(&token).await.unwrap().is_none());
    let token = pre_session(house.sign_in("anna@example.org", RIGHT).await.unwrap());
    house.change_role(&anna, Role::Administrator).await;
    assert!(house.people.find_pre_session(&token).await.unwrap().is_none());
    let token = pre_session(house.sign_in("anna@example.org", RIGHT).await.unwrap());
    assert!(!house.people.find_pre_session(&token).await.unwrap().unwrap().may_trust_device);
    house.disable(&anna).await;
    assert!(house.people.find_pre_session(&token).await.unwrap().is_none());
}

/// ID-23.
async fn a_trusted_device_skips_the_second_step_of_its_person_alone(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    house.with_two_step("ben@example.org", Role::Operator).await;
    let device = house.trust(&anna).await;
    let come = async |address: &str, password: &str| {
        house.people.sign_in(address, &secret(password), Some(&device), &office()).await
    };
    let made = session(come("anna@example.org", RIGHT).await.unwrap());
    assert!(made.session.is_single_factor && !made.session.is_proven(house.now()));
    let entry = &house.entries("person.signed_in").await[0];
    assert!(entry.contains(r#"["password","trusted_device"]"#), "{entry}");
    // Not for another person, not without the password.
    pre_session(come("ben@example.org", RIGHT).await.unwrap());
    assert!(matches!(come("anna@example.org", WRONG).await, Err(PersonRefusal::WrongPassword)));
    // One second past its time.
    house.it.clock.advance(Duration::from_hours(30 * 24) - Duration::from_secs(1));
    session(come("anna@example.org", RIGHT).await.unwrap());
    house.it.clock.advance(Duration::from_secs(1));
    pre_session(come("anna@example.org", RIGHT).await.unwrap());
    // Forgotten by its owner, and by nobody else.
    let device = house.trust(&anna).await;
    let come =
        async || house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&device), &office()).await;
    let session_of_anna = session(come().await.unwrap()).session;
    let id = *house.devices(&anna).await.last().unwrap();
    let carl = house.person("carl@example.org", Role::Operator).await;
    let session_of_carl = house.signed_in(&carl).await.session;
    assert!(!house.people.forget_trusted_device(&session_of_carl, id).await.unwrap());
    session(come().await.unwrap());
    assert!(house.people.forget_trusted_device(&session_of_anna, id).await.unwrap());
    assert!(!house.people.forget_trusted_device(&session_of_anna, id).await.unwrap());
    pre_session(come().await.unwrap());
    // Dead with the epoch.
    let device = house.trust(&anna).await;
    house.change_role(&anna, Role::Operator).await;
    let again = house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&device), &office()).await;
    pre_session(again.unwrap());
}

async fn administrators_trust_no_devices(it: TestStore) {
    let house = House::new(it).await;
    let chief = house.with_two_step("chief@example.org", Role::Administrator).await;
    let device = house.trust(&chief).await;
    let entered = house.people.sign_in("chief@example.org", &secret(RIGHT), Some(&device), &office()).await;
    pre_session(entered.unwrap());
}

/// ID-26.
async fn a_new_device_is_told_once(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    house.contact(&anna, "anna@home.example", true).await;
    house.contact(&anna, "not-yet@home.example", false).await;
    let come = async |source: &str, device: &str| {
        let entered =
            house.people.sign_in("anna@example.org", &secret(RIGHT), None, &visitor(source, device)).await;
        session(entered.unwrap());
        house.notices(&anna).await.len()
    };
    assert_eq!(come("192.0.2.7", "Firefox on Windows").await, 0, "the first of all is none");
    assert_eq!(come("192.0.2.200", "Firefox on Windows").await, 0, "the same house");
    assert_eq!(come("192.0.2.7", "Safari on an iPhone").await, 1);
    assert_eq!(come("192.0.2.8", "Safari on an iPhone").await, 1);
    assert_eq!(come("2001:db8:1::7", "Safari on an iPhone").await, 2);
    assert_eq!(come("2001:db8:1:2::7", "Safari on an iPhone").await, 2);
    for (kind, addresses) in house.notices(&anna).await {
        assert_eq!(kind, NoticeKind::NewDevice);
        assert_eq!(addresses, ["anna@example.org", "anna@home.example"]);
    }
    assert_eq!(house.links(&anna).await, ["not_me", "not_me"]);
}

/// ID-5.
async fn old_hashes_are_made_anew(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.person("anna@example.org", Role::Operator).await;
    let old = house.hash(&anna).await;
    assert!(old.starts_with("$argon2id$v=19$m=256,t=1,p=1$"));
    assert!(house.sign_in("anna@example.org", WRONG).await.is_err());
    assert_eq!(house.hash(&anna).await, old);
    house.signed_in(&anna).await;
    let new = house.hash(&anna).await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{new}");
    house.signed_in(&anna).await;
    assert_eq!(house.hash(&anna).await, new);
}
