//! Changing a password.

use gatepost_identity::{
    AccountProblem, AppPasswordLimits, NewAppPassword, PasswordProblem, PersonRefusal, Protocols, Role,
    Session,
};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, OTHER, RIGHT, WRONG, office, secret};

on_both_engines!(ROOMS;
    a_new_password_ends_all_other_sessions_and_is_told,
    a_new_password_is_judged_before_anything_else,
    composed_and_decomposed_forms_are_one_password,
    a_session_that_is_over_changes_nothing,
    app_passwords_go_with_the_password_on_request,
);

async fn a_new_password_ends_all_other_sessions_and_is_told(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let (one, two) = (house.signed_in(&anna).await, house.signed_in(&anna).await);
    let change = async |current: &str| {
        house.people.change_password(&one.session, &secret(current), &secret(OTHER), false, &office()).await
    };
    let refused = change(WRONG).await;
    assert!(matches!(refused, Err(AccountProblem::Refused(PersonRefusal::WrongPassword))));
    assert!(house.find(&two).await.is_some());
    let new = change(RIGHT).await.unwrap();
    assert!(house.find(&new).await.is_some());
    assert!(house.find(&one).await.is_none() && house.find(&two).await.is_none());
    assert!(house.sign_in("anna@example.org", RIGHT).await.is_err());
    assert!(house.sign_in("anna@example.org", OTHER).await.is_ok());
    assert!(house.kinds(&anna).await.contains(&NoticeKind::PasswordChanged));
    assert_eq!(house.entries("password.changed").await.len(), 1);
}

async fn a_new_password_is_judged_before_anything_else(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.person("anna@plum.example", Role::Operator).await;
    let judged = async |new: &str| match house.people.judge_password(&anna, &secret(new)).await {
        Err(AccountProblem::Password(problem)) => Some(problem),
        Err(other) => panic!("{other:?}"),
        Ok(()) => None,
    };
    assert!(matches!(judged("🐎🐎").await, Some(PasswordProblem::TooShort { n: 2, least: 15 })));
    assert!(matches!(judged(&"x-".repeat(200)).await, Some(PasswordProblem::TooLong)));
    assert!(matches!(judged("Password1234567").await, Some(PasswordProblem::Common)));
    for name in [
        "Praxis Plum 2026!!",
        "PraxisPlum123456",
        "annaannaannaanna",
        "anna@plum.example",
        "Anna Berg 123456",
    ] {
        assert!(matches!(judged(name).await, Some(PasswordProblem::Name)), "{name}");
    }
    assert!(judged(RIGHT).await.is_none());
    // No miss is counted for it.
    let made = house.signed_in(&anna).await;
    for _ in 0..20 {
        let (wrong, short) = (secret(WRONG), secret("short"));
        let changed = house.people.change_password(&made.session, &wrong, &short, false, &office()).await;
        assert!(matches!(changed, Err(AccountProblem::Password(_))));
    }
    house.signed_in(&anna).await;
}

/// ID-3.
async fn composed_and_decomposed_forms_are_one_password(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    let new = secret("Süße Pflaumen für alle");
    house.people.change_password(&made.session, &secret(RIGHT), &new, false, &office()).await.unwrap();
    assert!(house.sign_in("anna@example.org", "Su\u{308}ße Pflaumen fu\u{308}r alle").await.is_ok());
    assert!(house.sign_in("anna@example.org", "Süße pflaumen für alle").await.is_err());
}

async fn a_session_that_is_over_changes_nothing(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let (thief, owner) = (house.signed_in(&anna).await, house.signed_in(&anna).await);
    // Found alive, and over before the change is written.
    let found = house.find(&thief).await.unwrap();
    house.people.sign_out_everywhere(&owner.session, &office()).await.unwrap();
    let changed =
        house.people.change_password(&found, &secret(RIGHT), &secret(OTHER), false, &office()).await;
    assert!(matches!(changed, Err(AccountProblem::Refused(PersonRefusal::Over))));
    assert!(house.sign_in("anna@example.org", RIGHT).await.is_ok());
    assert!(!house.kinds(&anna).await.contains(&NoticeKind::PasswordChanged));
}

/// B12.
async fn app_passwords_go_with_the_password_on_request(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let (identity, organisation, world) = (&house.identity, house.organisation, &house.it.world);
    let login = identity.ensure_person_login(&anna).await.unwrap().id;
    let account = async |at: &str, person| {
        let (id, at) = (gatepost_core::MailAccountId::new(world), at.parse().unwrap());
        identity.ensure_account_login(organisation, id, &at, person).await.unwrap().id
    };
    let own = account("anna-mail@example.org", Some(anna.id)).await;
    let shared = account("reception@example.org", None).await;
    let count = async |logins: &[gatepost_core::LoginId]| {
        identity.list_app_passwords_of(organisation, logins).await.unwrap().len()
    };
    let n_left = async || count(&[login, own]).await;
    let make = async || {
        for (login, name, by) in [
            (login, "Laptop", Actor::Person(anna.id)),
            (own, "Telephone", Actor::Command),
            (shared, "Scanner", Actor::Person(anna.id)),
        ] {
            let limits = AppPasswordLimits {
                allowed: Protocols::MAIL,
                networks: Vec::new(),
                send_as: Vec::new(),
                expires_at: None,
                repairs_line_ends: false,
            };
            let new = NewAppPassword::new(world, organisation, login, name, limits);
            identity.create_app_password(new, 40, by).await.unwrap();
        }
    };
    make().await;
    let made = house.signed_in(&anna).await;
    let change = async |session: &Session, old: &str, new: &str, removes: bool| {
        let (old, new) = (secret(old), secret(new));
        house.people.change_password(session, &old, &new, removes, &office()).await.unwrap().session
    };
    let session = change(&made.session, RIGHT, OTHER, false).await;
    assert_eq!(n_left().await, 2);
    change(&session, OTHER, RIGHT, true).await;
    assert_eq!(n_left().await, 0);
    assert_eq!(house.entries("app_password.revoked").await.len(), 2);
    // By a link as well.
    make().await;
    for (removes, n) in [(false, 2), (true, 0)] {
        let token = house.link(&anna, gatepost_identity::LinkKind::PasswordReset, "{}").await;
        let new = secret(if removes { RIGHT } else { OTHER });
        house.people.choose_password(&token, &new, None, removes, &office()).await.unwrap();
        assert_eq!(n_left().await, n);
    }
    assert_eq!(count(&[shared]).await, 2, "what serves others stays");
}
