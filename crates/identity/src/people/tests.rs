//! What cannot be seen from outside: how much work each answer is.

use std::sync::atomic::Ordering;

use gatepost_core::SecretText;
use gatepost_journal::Actor;
use gatepost_store::{RoomMigrations, StoreError};
use gatepost_testkit::{TestStore, on_both_engines};

use super::*;
use crate::{LastUses, NewPerson, RevocationWatch, Role, Visitor};
use password::set_password;

const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, crate::MIGRATIONS];

on_both_engines!(ROOMS;
    every_refused_password_costs_the_same,
    asking_for_a_link_costs_the_same_for_nobody,
    busy_is_no_miss,
    a_sign_in_that_is_overtaken_by_the_epoch_opens_nothing,
    a_thousand_at_once_are_answered,
);

const RIGHT: &str = "plums for the grey mare";

async fn people(it: &TestStore) -> People {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let (last_uses, watch) = (LastUses::new(it.store.clone()), RevocationWatch::new(it.store.clone()));
    let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), last_uses, watch).await.unwrap();
    let people = People::new(&identity, &sign_ins, 2);
    let organisation = identity.create_organisation("Practice", Actor::Command).await.unwrap().id;
    for address in ["anna@example.org", "gone@example.org", "new@example.org"] {
        let (name, role) = ("N".into(), Role::Operator);
        let address = address.parse().unwrap();
        let new = NewPerson { organisation, address, name, role, home_location: None };
        let person = identity.add_person(new, Actor::Command).await.unwrap();
        if person.address.as_str() == "new@example.org" {
            continue;
        }
        let hash = people.hashed(password::Password::read(&secret(RIGHT)).unwrap()).await.unwrap();
        let (keyring, world) = (it.keyring.clone(), it.world.clone());
        let written = it.store.write(move |tx| {
            if person.address.as_str() == "gone@example.org" {
                tx.execute(&DISABLE, gatepost_store::params![person.id, world.now()])?;
            }
            set_password(tx, &keyring, &world, &person, &hash)
        });
        written.await.unwrap();
    }
    people
}

const DISABLE: gatepost_store::Statement = gatepost_store::Statement {
    name: "DISABLE",
    text: "UPDATE person SET disabled_at = $2 WHERE id = $1",
    lock: gatepost_store::Lock::None,
};

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn office() -> Visitor {
    Visitor { source: [192, 0, 2, 7].into(), device: "Firefox on Windows".into() }
}

/// Calls of the store, and hashes, since the last time.
fn work(people: &People) -> (usize, usize) {
    (people.n_store_calls.swap(0, Ordering::SeqCst), people.hashes.n_runs.swap(0, Ordering::SeqCst))
}

/// ID-11.
async fn every_refused_password_costs_the_same(it: TestStore) {
    let people = people(&it).await;
    work(&people);
    for (address, password) in [
        ("nobody@example.org", RIGHT),
        ("anna@example.org", "wrong, but long enough"),
        ("anna@example.org", ""),
        ("anna@example.org", &"x".repeat(10_000)),
        ("gone@example.org", RIGHT),
        ("gone@example.org", "wrong, but long enough"),
        ("new@example.org", RIGHT),
        ("a\0b", RIGHT),
        ("", ""),
    ] {
        let refused = people.sign_in(address, &secret(password), None, &office()).await;
        assert!(matches!(refused, Err(PersonRefusal::WrongPassword)), "{address}");
        assert_eq!(work(&people), (2, 1), "{address} {password:?}");
    }
    assert!(people.sign_in("anna@example.org", &secret(RIGHT), None, &office()).await.is_ok());
    assert_eq!(work(&people), (2, 1), "a right one costs no more");
}

async fn asking_for_a_link_costs_the_same_for_nobody(it: TestStore) {
    let people = people(&it).await;
    work(&people);
    for address in ["anna@example.org", "nobody@example.org", "gone@example.org", "new@example.org", ""] {
        people.forgot_password(address, &office()).await.unwrap();
        assert_eq!(work(&people), (1, 0), "{address}");
    }
}

/// ID-6.
async fn busy_is_no_miss(it: TestStore) {
    let people = people(&it).await;
    let full = people.hashes.fill().await;
    for n in 0..30 {
        for password in [RIGHT, &format!("wrong, but long enough {n}")] {
            let refused = people.sign_in("anna@example.org", &secret(password), None, &office()).await;
            assert!(matches!(refused, Err(PersonRefusal::Busy)), "{n}");
        }
    }
    drop(full);
    for n in 0..4 {
        let refused = people.sign_in("anna@example.org", &secret(&n.to_string()), None, &office()).await;
        assert!(matches!(refused, Err(PersonRefusal::WrongPassword)), "{n}");
    }
    assert!(people.sign_in("anna@example.org", &secret(RIGHT), None, &office()).await.is_ok());
}

/// The password was right when it was looked at, and everybody was signed out before the session was written.
async fn a_sign_in_that_is_overtaken_by_the_epoch_opens_nothing(it: TestStore) {
    let people = people(&it).await;
    let right = people
        .check_password("anna@example.org", &secret(RIGHT), password::By::Cookie(None), &office())
        .await
        .ok()
        .unwrap();
    let (tokens, world) = (it.keyring.tokens().clone(), it.world.clone());
    let made = it.store.write(move |tx| {
        raise_epoch(tx, right.person.organisation, right.person.id, world.now())?;
        let shown = session::Shown::Password;
        let (person, epoch, visitor) = (&right.person, right.epoch, &office());
        let entering = session::Entering { person, epoch, visitor, browser: None, shown };
        session::begin_session(tx, &tokens, &world, &entering)
    });
    let made = made.await.map_err(|err: StoreError| err.to_string()).ok().unwrap();
    assert!(made.is_none());
}

/// ID-6: with two threads and 64 places, a thousand sign-ins end, right or busy.
async fn a_thousand_at_once_are_answered(it: TestStore) {
    let people = people(&it).await;
    let tries: Vec<_> = (0..1_000)
        .map(|_| {
            let people = people.clone();
            tokio::spawn(async move {
                match people.sign_in("anna@example.org", &secret(RIGHT), None, &office()).await {
                    Ok(_) => true,
                    Err(PersonRefusal::Busy | PersonRefusal::Slowed { .. }) => false,
                    Err(other) => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut n_right = 0;
    for it in tries {
        n_right += u32::from(it.await.unwrap());
    }
    assert!(n_right > 0);
}
