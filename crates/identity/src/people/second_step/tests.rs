use gatepost_journal::Actor;
use gatepost_store::RoomMigrations;
use gatepost_testkit::{TestStore, on_both_engines};

use super::*;
use crate::{Identity, LastUses, LinkKind, NewPerson, RevocationWatch, Role, SignIns};

const ROOMS: &[RoomMigrations] =
    &[gatepost_store::MIGRATIONS, gatepost_journal::MIGRATIONS, crate::MIGRATIONS];

on_both_engines!(ROOMS;
    of_fifty_equal_codes_on_two_nodes_one_gets_in,
    of_fifty_equal_recovery_codes_on_two_nodes_one_gets_in,
);

async fn node(it: &TestStore) -> People {
    let identity = Identity::new(it.store.clone(), it.keyring.clone());
    let (last_uses, watch) = (LastUses::new(it.store.clone()), RevocationWatch::new(it.store.clone()));
    let sign_ins = SignIns::open(it.store.clone(), it.keyring.clone(), last_uses, watch).await.unwrap();
    People::new(&identity, &sign_ins, 1).with_sign_in_links()
}

fn visitor() -> Visitor {
    Visitor { source: "192.0.2.7".parse().unwrap(), device: "a test".into() }
}

/// A person with two-step verification, the secret of their app, and one of their recovery codes.
async fn enrolled(it: &TestStore, people: &People) -> (Person, TotpSecret, SecretText) {
    let identity = people.identity();
    let organisation = identity.create_organisation("Practice", Actor::Command).await.unwrap().id;
    let new = NewPerson {
        organisation,
        address: "anna@example.org".parse().unwrap(),
        name: "Anna".into(),
        role: Role::Operator,
        home_location: None,
    };
    let anna = identity.add_person(new, Actor::Command).await.unwrap();
    let handed = identity.hand_link(organisation, anna.id, LinkKind::SignIn, Actor::Command).await.unwrap();
    let session = people.sign_in_by_link(&handed.token, &visitor()).await.unwrap().session;
    let begun = people.begin_authenticator(&session).await.unwrap();
    let found = people.read(move |tx| list_authenticators(tx, organisation, anna.id)).await.unwrap();
    let secret = people.open_authenticator(&session.person, &found[0]).await.unwrap();
    let code = secret.code(it.world.now());
    people.prove_authenticator(&session, begun.id, &code, &visitor()).await.unwrap();
    let codes = people.new_recovery_codes(&session).await.unwrap().0;
    let on = people.confirm_recovery_codes(&session, &codes[0], &visitor()).await.unwrap();
    it.clock.advance(std::time::Duration::from_secs(30));
    (on.session.person, secret, codes[1].clone())
}

/// Fifty at once, half of them on each node: one gets in, and the others are told that it was used, or to wait.
async fn one_gets_in(it: &TestStore, person: &Person, shown: impl Fn() -> SecondStep) {
    let nodes = [node(it).await, node(it).await];
    let mut at_once = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (people, person, shown) = (nodes[n % 2].clone(), person.clone(), shown());
        at_once.spawn(async move { people.check_second_step(&person, &shown, &visitor(), None).await });
    }
    let mut n_in = 0;
    for outcome in at_once.join_all().await {
        match outcome {
            Ok(_) => n_in += 1,
            Err(PersonRefusal::CodeUsed | PersonRefusal::Slowed { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(n_in, 1);
    // After a restart as well (ID-13).
    it.clock.advance(std::time::Duration::from_secs(60));
    let replayed = node(it).await.check_second_step(person, &shown(), &visitor(), None).await;
    assert!(matches!(replayed, Err(PersonRefusal::CodeUsed | PersonRefusal::Slowed { .. })), "{replayed:?}");
}

// ID-13.
async fn of_fifty_equal_codes_on_two_nodes_one_gets_in(it: TestStore) {
    let (person, secret, _) = enrolled(&it, &node(&it).await).await;
    let code = secret.code(it.world.now());
    one_gets_in(&it, &person, || SecondStep::Code(code.clone())).await;
}

// ID-21.
async fn of_fifty_equal_recovery_codes_on_two_nodes_one_gets_in(it: TestStore) {
    let (person, _, code) = enrolled(&it, &node(&it).await).await;
    one_gets_in(&it, &person, || SecondStep::RecoveryCode(code.clone())).await;
}
