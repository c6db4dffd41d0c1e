//! The second step of signing in, and what it leaves behind.

use std::sync::Arc;
use std::time::Duration;

use gatepost_core::SecretText;
use gatepost_identity::{
    Entrance, Method, Person, PersonRefusal, Proof, Role, SecondStep, SecondStepPassed, Token,
};
use gatepost_journal::NoticeKind;
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, OTHER, RIGHT, WRONG, office, pre_session, secret, session};

on_both_engines!(ROOMS;
    the_second_step_opens_a_session_and_ends_the_pre_session,
    of_many_second_steps_at_once_one_opens_a_session,
    a_second_step_comes_too_late,
    a_device_that_is_trusted_now_is_not_asked_again_but_must_prove_itself,
    many_wrong_codes_before_a_right_one_are_told,
);

/// Someone with two-step verification on, and the recovery codes.
pub(crate) async fn protected(house: &House, address: &str, role: Role) -> (Person, Vec<SecretText>) {
    let person = house.person(address, role).await;
    let people = &house.people;
    let made = house.signed_in(&person).await;
    let begun = people.begin_authenticator(&made.session).await.unwrap();
    let key = totp_rs::Secret::try_from_base32(begun.key.reveal().replace(' ', "")).unwrap();
    let totp = totp_rs::Builder::new().with_secret(key).build().unwrap();
    let code = secret(&totp.generate(house.now().seconds().try_into().unwrap()).to_string());
    people.prove_authenticator(&made.session, begun.id, &code, &office()).await.unwrap();
    let codes = people.new_recovery_codes(&made.session).await.unwrap().0;
    people.confirm_recovery_codes(&made.session, &codes[0], &office()).await.unwrap();
    (house.reread(&person).await, codes)
}

async fn show(
    house: &House,
    token: &Token,
    code: &SecretText,
    trusts_device: bool,
) -> Result<SecondStepPassed, PersonRefusal> {
    let shown = SecondStep::RecoveryCode(code.clone());
    house.people.second_step(token, &shown, trusts_device, &office()).await
}

async fn between(house: &House, person: &Person) -> Token {
    pre_session(house.sign_in(person.address.as_str(), RIGHT).await.unwrap())
}

async fn the_second_step_opens_a_session_and_ends_the_pre_session(it: TestStore) {
    let house = House::new(it).await;
    let (anna, codes) = protected(&house, "anna@example.org", Role::Administrator).await;
    let token = between(&house, &anna).await;
    let found = house.people.find_pre_session(&token).await.unwrap().unwrap();
    assert_eq!(found.methods, [Method::AuthenticatorApp, Method::RecoveryCode]);
    let refused = show(&house, &token, &secret("AAAA-AAAA-AAAAA"), true).await;
    assert!(matches!(refused, Err(PersonRefusal::WrongCode)));
    let passed = show(&house, &token, &codes[1], true).await.unwrap();
    assert!(passed.trusted_until.is_none(), "not for administrators");
    assert_eq!(passed.recovery_codes_left, Some(9));
    let made = passed.session;
    assert!(made.session.is_proven(house.now()) && !made.session.is_single_factor);
    assert!(house.find(&made).await.is_some());
    assert!(house.people.find_pre_session(&token).await.unwrap().is_none());
    assert!(matches!(show(&house, &token, &codes[2], false).await, Err(PersonRefusal::Over)));
    let entry = &house.entries("session.began").await[0];
    assert!(entry.contains(r#"["password","recovery_code"]"#), "{entry}");
}

async fn of_many_second_steps_at_once_one_opens_a_session(it: TestStore) {
    let house = Arc::new(House::new(it).await);
    let (anna, codes) = protected(&house, "anna@example.org", Role::Operator).await;
    let token = between(&house, &anna).await;
    let before = house.sessions(&anna).await.len();
    // Each with a right code of its own, so that the codes cannot decide it.
    let tries: Vec<_> = (1..4)
        .map(|n| {
            let (house, token, code) = (Arc::clone(&house), token.clone(), codes[n].clone());
            tokio::spawn(async move { show(&house, &token, &code, false).await.is_ok() })
        })
        .collect();
    let mut n = 0;
    for it in tries {
        n += u32::from(it.await.unwrap());
    }
    assert_eq!(n, 1);
    assert_eq!(house.sessions(&anna).await.len(), before + 1);
}

async fn a_second_step_comes_too_late(it: TestStore) {
    let house = House::new(it).await;
    let (anna, codes) = protected(&house, "anna@example.org", Role::Operator).await;
    let late = between(&house, &anna).await;
    house.it.clock.advance(Duration::from_mins(10));
    assert!(matches!(show(&house, &late, &codes[1], false).await, Err(PersonRefusal::Over)));
    let overtaken = between(&house, &anna).await;
    house.change_role(&anna, Role::Operator).await;
    assert!(matches!(show(&house, &overtaken, &codes[1], false).await, Err(PersonRefusal::Over)));
    let left = between(&house, &anna).await;
    house.people.leave_pre_session(&left).await.unwrap();
    assert!(matches!(show(&house, &left, &codes[1], false).await, Err(PersonRefusal::Over)));
    // The code was not spent by any of it.
    let token = between(&house, &anna).await;
    assert!(show(&house, &token, &codes[1], false).await.is_ok());
}

/// ID-23.
async fn a_device_that_is_trusted_now_is_not_asked_again_but_must_prove_itself(it: TestStore) {
    let house = House::new(it).await;
    let (anna, codes) = protected(&house, "anna@example.org", Role::Operator).await;
    let token = between(&house, &anna).await;
    let passed = show(&house, &token, &codes[1], true).await.unwrap();
    assert_eq!(passed.trusted_until, Some(house.now() + Duration::from_hours(30 * 24)));
    let trusted = passed.session.device.unwrap();
    let again = async |password: &str| {
        let device = Some(&trusted);
        house.people.sign_in("anna@example.org", &secret(password), device, &office()).await
    };
    let made = session(again(RIGHT).await.unwrap());
    assert!(made.session.is_single_factor && made.session.proven_at.is_none());
    let proof = Proof::SecondStep(SecondStep::RecoveryCode(codes[2].clone()));
    let proven = house.people.confirm(&made.session, &proof, &office()).await.unwrap();
    assert!(proven.session.is_proven(house.now()) && !proven.session.is_single_factor);
    // Not after the password was changed.
    let changed =
        house.people.change_password(&proven.session, &secret(RIGHT), &secret(OTHER), false, &office()).await;
    assert!(changed.is_ok());
    assert!(matches!(again(OTHER).await, Ok(Entrance::SecondStep { .. })));
    assert!(again(WRONG).await.is_err());
}

/// ID-26.
async fn many_wrong_codes_before_a_right_one_are_told(it: TestStore) {
    let house = House::new(it).await;
    let (anna, codes) = protected(&house, "anna@example.org", Role::Operator).await;
    let token = between(&house, &anna).await;
    for n in 0..5 {
        let wrong = secret(&format!("AAAA-AAAA-AAAA{}", char::from(b'A' + n)));
        assert!(matches!(show(&house, &token, &wrong, false).await, Err(PersonRefusal::WrongCode)));
    }
    let early = show(&house, &token, &codes[1], false).await;
    assert!(matches!(early, Err(PersonRefusal::Slowed { .. })));
    house.it.clock.advance(Duration::from_secs(30));
    show(&house, &token, &codes[1], false).await.unwrap();
    let told = house.kinds(&anna).await;
    assert_eq!(told.iter().filter(|it| **it == NoticeKind::ManyMisses).count(), 1);
}
