//! The two steps of signing in.

use std::time::Duration;

use gatepost_identity::{Entrance, Method, PersonRefusal, Role, SecondStep, Token};
use gatepost_journal::NoticeKind;
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, RIGHT, WRONG, office, pre_session, secret, session};
use crate::second_step::protected;

on_both_engines!(ROOMS;
    a_right_password_opens_a_session,
    whatever_is_wrong_is_refused_alike,
    with_two_step_verification_a_password_opens_the_second_step_alone,
    a_pre_session_ends_after_ten_minutes_and_with_the_epoch,
    a_trusted_device_skips_the_second_step_of_its_person_alone,
    administrators_trust_no_devices,
    a_new_device_is_told_once,
    right_passwords_send_five_letters_an_hour,
    a_browser_has_one_token_and_each_who_uses_it_a_row,
    a_person_has_at_most_fifty_sessions_ten_pre_sessions_and_twenty_devices,
    strangers_with_the_right_password_end_nothing_of_a_known_device,
    a_device_that_was_trusted_in_the_future_is_asked_until_then,
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
    assert_eq!(house.entries("session.began").await.len(), 1);
    assert!(house.entries("session.began").await[0].contains(r#""factors":["password"]"#));
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
    let entries = house.entries("sign_in.refused").await;
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
    let entry = &house.entries("session.began").await[0];
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
    assert!(!house.people.forget_device(&session_of_carl, id).await.unwrap());
    session(come().await.unwrap());
    assert!(house.people.forget_device(&session_of_anna, id).await.unwrap());
    assert!(!house.people.forget_device(&session_of_anna, id).await.unwrap());
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
    let come = async |address: &str, device: Option<&Token>| {
        session(house.people.sign_in(address, &secret(RIGHT), device, &office()).await.unwrap()).device
    };
    let n_told = async || house.notices(&anna).await.len();
    let first = come("anna@example.org", None).await.unwrap();
    assert_eq!(n_told().await, 0, "the first of all is none");
    assert!(come("anna@example.org", Some(&first)).await.is_none(), "the cookie stays");
    assert_eq!(n_told().await, 0);
    let second = come("anna@example.org", None).await.unwrap();
    assert_eq!(n_told().await, 1, "another browser of the same kind in the same house");
    come("anna@example.org", Some(&second)).await;
    assert_eq!(n_told().await, 1);
    // A known device stays known when everybody is signed out.
    let made = house.signed_in(&anna).await;
    house.people.sign_out_everywhere(&made.session, &office()).await.unwrap();
    assert!(come("anna@example.org", Some(&first)).await.is_none());
    assert_eq!(n_told().await, 2);
    for (kind, addresses) in house.notices(&anna).await {
        assert_eq!(kind, NoticeKind::NewDevice);
        assert_eq!(addresses, ["anna@example.org", "anna@home.example"]);
    }
    assert_eq!(house.links(&anna).await, ["not_me", "not_me"]);
}

/// Two people at the front desk: one cookie, a row for each, and neither has the other's place.
async fn a_browser_has_one_token_and_each_who_uses_it_a_row(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    let ben = house.person("ben@example.org", Role::Operator).await;
    let anns = house.trust(&anna).await;
    let come = async |address: &str, device: &Token| {
        house.people.sign_in(address, &secret(RIGHT), Some(device), &office()).await.unwrap()
    };
    let made = session(come("ben@example.org", &anns).await);
    // A token that somebody planted is not the one of the next person's device.
    let shared = made.device.clone().unwrap();
    assert!(session(come("ben@example.org", &shared).await).device.is_none());
    pre_session(come("anna@example.org", &anns).await);
    let by_anna = session(come("anna@example.org", &shared).await);
    assert!(by_anna.session.is_single_factor && by_anna.device.is_none());
    // What Ben forgets is his row alone, and ends what came by it.
    let of_ben = house.people.security_overview(&ben).await.unwrap().devices;
    assert_eq!((of_ben.len(), of_ben[0].trusted_until), (1, None));
    let elsewhere = house.signed_in(&ben).await;
    assert!(!house.people.forget_device(&by_anna.session, of_ben[0].id).await.unwrap());
    assert!(house.people.forget_device(&elsewhere.session, of_ben[0].id).await.unwrap());
    assert!(house.find(&made).await.is_none(), "it came by that device");
    assert!(house.find(&elsewhere).await.is_some() && house.find(&by_anna).await.is_some());
    session(come("anna@example.org", &shared).await);
    assert!(session(come("ben@example.org", &shared).await).device.is_some(), "a new device again");
}

async fn a_person_has_at_most_fifty_sessions_ten_pre_sessions_and_twenty_devices(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let oldest = house.signed_in(&anna).await;
    let known = oldest.device.clone().unwrap();
    for n in 0..50 {
        house.it.clock.advance(Duration::from_secs(1));
        let come = house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&known), &office()).await;
        let made = session(come.unwrap());
        assert!(house.find(&made).await.is_some(), "{n}");
        assert_eq!(house.find(&oldest).await.is_some(), n < 49, "{n}");
    }
    assert_eq!(house.sessions(&anna).await.len(), 50);
    for _ in 0..25 {
        house.it.clock.advance(Duration::from_mins(1));
        house.signed_in(&anna).await;
    }
    assert_eq!(house.people.security_overview(&anna).await.unwrap().devices.len(), 20);
    let ben = house.with_two_step("ben@example.org", Role::Operator).await;
    let mut all = Vec::new();
    for _ in 0..11 {
        house.it.clock.advance(Duration::from_secs(10));
        all.push(pre_session(house.sign_in(ben.address.as_str(), RIGHT).await.unwrap()));
    }
    for (n, token) in all.iter().enumerate() {
        assert_eq!(house.people.find_pre_session(token).await.unwrap().is_some(), n > 0, "{n}");
    }
}

/// Whoever has the password alone ends nothing that came by a device of the person, and keeps that device from nothing.
async fn strangers_with_the_right_password_end_nothing_of_a_known_device(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let come = async |address: &str, device: &Token| {
        house.people.sign_in(address, &secret(RIGHT), Some(device), &office()).await.unwrap()
    };
    let device = house.signed_in(&anna).await.device.unwrap();
    house.it.clock.advance(Duration::from_mins(1));
    let made = session(come("anna@example.org", &device).await);
    for n in 0..60 {
        house.it.clock.advance(Duration::from_mins(1));
        let stranger = house.signed_in(&anna).await;
        assert!(house.find(&stranger).await.is_some(), "{n}: nor is somebody new kept out");
        assert!(house.people.find_session(&made.token, true).await.unwrap().is_some(), "{n}");
    }
    assert!(come_known(&house, &device).await, "it is known as ever");
    let (ben, codes) = protected(&house, "ben@example.org", Role::Operator).await;
    let first = pre_session(house.sign_in("ben@example.org", RIGHT).await.unwrap());
    let shown = SecondStep::RecoveryCode(codes[1].clone());
    let passed = house.people.second_step(&first, &shown, false, &office()).await.unwrap();
    let device = passed.session.device.unwrap();
    let between = pre_session(come("ben@example.org", &device).await);
    for _ in 0..30 {
        house.it.clock.advance(Duration::from_secs(15));
        let _ = house.sign_in(ben.address.as_str(), RIGHT).await;
    }
    let shown = SecondStep::RecoveryCode(codes[2].clone());
    house.people.second_step(&between, &shown, false, &office()).await.unwrap();
}

async fn come_known(house: &House, device: &Token) -> bool {
    let come = house.people.sign_in("anna@example.org", &secret(RIGHT), Some(device), &office()).await;
    session(come.unwrap()).device.is_none()
}

/// Trusted by a clock that was ahead, it would skip the second step for longer than thirty days.
async fn a_device_that_was_trusted_in_the_future_is_asked_until_then(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    let now = house.now();
    house.it.clock.advance(Duration::from_hours(24));
    let (ahead, device) = (house.now(), house.trust(&anna).await);
    let come = async || {
        house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&device), &office()).await.unwrap()
    };
    let is_listed = async || {
        let devices = house.people.security_overview(&anna).await.unwrap().devices;
        devices.iter().any(|it| it.trusted_until.is_some())
    };
    for (at, is_trusted) in [
        (now, false),
        (ahead - Duration::from_secs(31), false),
        (ahead - Duration::from_secs(30), true),
        (ahead + Duration::from_hours(24), true),
    ] {
        house.it.clock.set(at);
        assert_eq!(matches!(come().await, Entrance::SignedIn(_)), is_trusted, "{at}");
        assert_eq!(is_listed().await, is_trusted, "{at}");
    }
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

/// A right password, again and again without a cookie, must not use up what the mailbox may send.
async fn right_passwords_send_five_letters_an_hour(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    for _ in 0..9 {
        house.sign_in("anna@example.org", RIGHT).await.unwrap();
    }
    assert_eq!(house.notices(&anna).await.len(), 5, "the first sign-in of all is told to nobody");
    house.it.clock.advance(Duration::from_hours(1));
    house.sign_in("anna@example.org", RIGHT).await.unwrap();
    assert_eq!(house.notices(&anna).await.len(), 6);
}
