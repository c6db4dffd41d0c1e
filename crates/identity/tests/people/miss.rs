//! Wrong tries, by person and by source.

use std::time::Duration;

use gatepost_identity::{LastUses, LinkKind, People, PersonRefusal, Proof, RevocationWatch, SignIns};
use gatepost_journal::NoticeKind;
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, OTHER, RIGHT, WRONG, office, secret, session, visitor};
use crate::second_step::protected;

on_both_engines!(ROOMS;
    from_the_fifth_miss_on_each_waits_longer,
    the_hundredth_miss_disables_the_password_until_it_is_reset,
    misses_are_counted_across_nodes_and_restarts,
    a_trusted_device_has_a_count_of_its_own,
    a_known_device_has_a_count_of_its_own_at_both_steps,
    ten_wrong_second_steps_in_a_row_are_told_at_once,
    no_wait_is_longer_than_an_hour,
    many_right_tries_at_once_pass_and_many_wrong_ones_do_not,
    right_passwords_alone_are_slowed,
    right_sign_ins_of_one_person_at_once_hear_of_no_wrong_tries,
    a_success_after_many_misses_is_told,
    whoever_got_in_lately_is_checked_also_after_a_restart,
    every_door_meets_the_one_limiter,
);

/// Each try from a source of its own, so that the limiter of sources does not answer first.
async fn miss(people: &People, address: &str, n: u32) -> Result<(), PersonRefusal> {
    let [_, a, b, c] = n.to_be_bytes();
    let from = visitor(&format!("10.{}.{}.1", c.wrapping_add(a), b.wrapping_add(c).wrapping_mul(8)), "curl");
    people.sign_in(address, &secret(&format!("wrong, and long enough {n}")), None, &from).await.map(drop)
}

fn wait(refused: Result<(), PersonRefusal>) -> Option<Duration> {
    match refused {
        Err(PersonRefusal::WrongPassword) => None,
        Err(PersonRefusal::Slowed { retry_after }) => Some(retry_after),
        other => panic!("{other:?}"),
    }
}

/// ID-7, for people and for nobody alike.
async fn from_the_fifth_miss_on_each_waits_longer(it: TestStore) {
    let house = House::new(it).await;
    house.operator().await;
    for address in ["anna@example.org", "nobody@example.org"] {
        for n in 0..5 {
            assert_eq!(wait(miss(&house.people, address, n).await), None, "{address} {n}");
        }
        for (n, seconds) in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600].into_iter().enumerate() {
            let (n, span) = (100 + u32::try_from(n).unwrap(), Duration::from_secs(seconds));
            assert_eq!(wait(miss(&house.people, address, n).await), Some(span), "{address}");
            // Not even the right one is looked at meanwhile.
            house.it.clock.advance(span - Duration::from_millis(1));
            let early = house.sign_in(address, RIGHT).await;
            assert!(matches!(early, Err(PersonRefusal::Slowed { .. })), "{address}");
            house.it.clock.advance(Duration::from_millis(1));
            assert_eq!(wait(miss(&house.people, address, n + 50).await), None, "{address}");
        }
    }
    house.it.clock.advance(Duration::from_hours(1));
    assert!(house.sign_in("anna@example.org", RIGHT).await.is_ok());
    for n in 200..205 {
        assert_eq!(wait(miss(&house.people, "anna@example.org", n).await), None, "the count began anew");
    }
}

/// ID-7, in the words of a wrong password (ID-11).
async fn the_hundredth_miss_disables_the_password_until_it_is_reset(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let known = house.signed_in(&anna).await.device.unwrap();
    let at_home = async |password: &str| {
        house.people.sign_in("anna@example.org", &secret(password), Some(&known), &office()).await.map(drop)
    };
    // Over all devices together, and before and after a sweep.
    for n in 0..100 {
        let missed = match n % 2 {
            0 => miss(&house.people, "anna@example.org", n).await,
            _ => at_home(&format!("wrong, and long enough {n}")).await,
        };
        assert_eq!(wait(missed), None, "{n}");
        house.it.clock.advance(Duration::from_hours(2));
        if n == 98 {
            at_home(RIGHT).await.unwrap();
            for n in 0..49 {
                assert_eq!(wait(at_home(&format!("wrong again {n}")).await), None, "{n}");
                house.it.clock.advance(Duration::from_hours(2));
            }
        }
    }
    assert_eq!(house.entries("password.disabled").await.len(), 1);
    for _ in 0..2 {
        house.it.clock.advance(Duration::from_hours(31 * 24));
        house.people.sweep().await.unwrap();
        assert_eq!(wait(house.sign_in("anna@example.org", RIGHT).await.map(drop)), None);
        assert_eq!(wait(at_home(RIGHT).await), None);
    }
    assert!(house.entries("sign_in.refused").await[0].contains("the password was disabled"));
    // Asking for a link sets nothing back; a new password does.
    house.people.forgot_password("anna@example.org", &office()).await.unwrap();
    assert_eq!(wait(house.sign_in("anna@example.org", RIGHT).await.map(drop)), None);
    let token = house.link(&anna, LinkKind::PasswordReset, "{}").await;
    house.people.choose_password(&token, &secret(OTHER), None, false, &office()).await.unwrap();
    assert!(house.sign_in("anna@example.org", OTHER).await.is_ok());
}

async fn misses_are_counted_across_nodes_and_restarts(it: TestStore) {
    let house = House::new(it).await;
    house.operator().await;
    for n in 0..5 {
        let (store, keyring) = (house.it.store.clone(), house.it.keyring.clone());
        let (last_uses, watch) = (LastUses::new(store.clone()), RevocationWatch::new(store.clone()));
        let sign_ins = SignIns::open(store, keyring, last_uses, watch).await.unwrap();
        let node = People::new(&house.identity, &sign_ins, 1);
        assert_eq!(wait(miss(&node, "anna@example.org", n).await), None);
    }
    assert_eq!(wait(miss(&house.people, "anna@example.org", 9).await), Some(Duration::from_secs(30)));
}

/// ID-10.
async fn a_trusted_device_has_a_count_of_its_own(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", gatepost_identity::Role::Operator).await;
    let device = house.trust(&anna).await;
    for n in 0..5 {
        assert_eq!(wait(miss(&house.people, "anna@example.org", n).await), None);
    }
    assert!(matches!(house.sign_in("anna@example.org", RIGHT).await, Err(PersonRefusal::Slowed { .. })));
    let come = async |password: &str| {
        house.people.sign_in("anna@example.org", &secret(password), Some(&device), &office()).await
    };
    session(come(RIGHT).await.unwrap());
    // The cookie of somebody else is none, whoever's browser it is.
    let ben = house.person("ben@example.org", gatepost_identity::Role::Operator).await;
    let of_ben = house.signed_in(&ben).await.device.unwrap();
    let guess = house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&of_ben), &office()).await;
    assert!(matches!(guess, Err(PersonRefusal::Slowed { .. })));
    // Its own misses count as well, and the success on it forgave nobody else's.
    assert!(matches!(house.sign_in("anna@example.org", RIGHT).await, Err(PersonRefusal::Slowed { .. })));
    for n in 0..5 {
        assert!(matches!(come(&format!("wrong {n}")).await, Err(PersonRefusal::WrongPassword)));
    }
    assert!(matches!(come(RIGHT).await, Err(PersonRefusal::Slowed { .. })));
}

/// ID-10: known is enough, also for administrators and for the second step.
async fn a_known_device_has_a_count_of_its_own_at_both_steps(it: TestStore) {
    let house = House::new(it).await;
    let (chief, codes) = protected(&house, "chief@example.org", gatepost_identity::Role::Administrator).await;
    let address = chief.address.as_str();
    let known = async |device: Option<&gatepost_identity::Token>| {
        let entered = house.people.sign_in(address, &secret(RIGHT), device, &office()).await;
        crate::house::pre_session(entered.unwrap())
    };
    let show = async |token: &gatepost_identity::Token, code: &gatepost_core::SecretText| {
        let shown = gatepost_identity::SecondStep::RecoveryCode(code.clone());
        house.people.second_step(token, &shown, true, &office()).await
    };
    let passed = show(&known(None).await, &codes[1]).await.unwrap();
    let device = passed.session.device.unwrap();
    for n in 0..5 {
        let wrong = secret(&format!("AAAA-AAAA-AAAA{n}"));
        assert!(matches!(show(&known(None).await, &wrong).await, Err(PersonRefusal::WrongCode)), "{n}");
        house.it.clock.advance(Duration::from_secs(20));
    }
    let slowed = show(&known(None).await, &codes[2]).await;
    assert!(matches!(slowed, Err(PersonRefusal::Slowed { .. })));
    show(&known(Some(&device)).await, &codes[2]).await.unwrap();
    // Nor does a stranger who guesses passwords keep them out.
    for n in 0..5 {
        assert_eq!(wait(miss(&house.people, address, n).await), None);
    }
    let slowed = house.people.sign_in(address, &secret(RIGHT), None, &office()).await;
    assert!(matches!(slowed, Err(PersonRefusal::Slowed { .. })));
    known(Some(&device)).await;
}

/// ID-26: whoever misses the second step ten times has got the password.
async fn ten_wrong_second_steps_in_a_row_are_told_at_once(it: TestStore) {
    let house = House::new(it).await;
    let (anna, _) = protected(&house, "anna@example.org", gatepost_identity::Role::Operator).await;
    for n in 0..12 {
        let entered = house.sign_in("anna@example.org", RIGHT).await;
        let token = crate::house::pre_session(entered.unwrap());
        let shown = gatepost_identity::SecondStep::RecoveryCode(secret(&format!("AAAA-AAAA-AA{n:03}")));
        let from = visitor(&format!("10.0.{}.1", n * 8), "curl");
        let refused = house.people.second_step(&token, &shown, false, &from).await;
        assert!(matches!(refused, Err(PersonRefusal::WrongCode)), "{n}");
        let told = house.kinds(&anna).await.into_iter().filter(|it| *it == NoticeKind::PasswordKnown).count();
        assert_eq!(told, usize::from(n >= 9), "{n}");
        house.it.clock.advance(Duration::from_hours(1));
    }
}

/// A clock that was set back locks nobody out for as long.
async fn no_wait_is_longer_than_an_hour(it: TestStore) {
    let house = House::new(it).await;
    house.operator().await;
    for n in 0..14 {
        assert_eq!(wait(miss(&house.people, "anna@example.org", n).await), None, "{n}");
        if n < 13 {
            house.it.clock.advance(Duration::from_hours(1));
        }
    }
    let now = house.now();
    house.it.clock.set(now - Duration::from_secs(20));
    let hour = Duration::from_hours(1);
    assert_eq!(wait(miss(&house.people, "anna@example.org", 50).await), Some(hour));
    house.it.clock.set(now - Duration::from_mins(20));
    house.sign_in("anna@example.org", RIGHT).await.unwrap();
}

/// ID-8: an office whose people all come at eight, and a guesser with two hundred connections.
async fn many_right_tries_at_once_pass_and_many_wrong_ones_do_not(it: TestStore) {
    let house = std::sync::Arc::new(House::new(it).await);
    for n in 0..16 {
        house.person(&format!("p{n}@example.org"), gatepost_identity::Role::Operator).await;
    }
    let at_once = async |n_tries: u32, source: &'static str, is_right: bool| {
        let tries: Vec<_> = (0..n_tries)
            .map(|n| {
                let house = std::sync::Arc::clone(&house);
                tokio::spawn(async move {
                    let password = if is_right { secret(RIGHT) } else { secret(&format!("{WRONG} {n}")) };
                    let (address, from) = (format!("p{}@example.org", n % 16), visitor(source, "curl"));
                    let come = || house.people.sign_in(&address, &password, None, &from);
                    let mut came = come().await;
                    while matches!(came, Err(PersonRefusal::Busy)) {
                        tokio::task::yield_now().await;
                        came = come().await;
                    }
                    came.map(drop)
                })
            })
            .collect();
        let mut all = Vec::new();
        for it in tries {
            all.push(it.await.unwrap());
        }
        all
    };
    for came in at_once(16, "192.0.2.7", true).await {
        came.unwrap();
    }
    let looked_at = at_once(200, "203.0.113.7", false).await;
    let looked_at = looked_at.iter().filter(|it| matches!(it, Err(PersonRefusal::WrongPassword))).count();
    assert!(looked_at <= 64 + 10, "{looked_at}");
}

/// ID-7: ten at once, then one a minute, from browsers that are not known; whoever does not know the password learns nothing of it.
async fn right_passwords_alone_are_slowed(it: TestStore) {
    let house = House::new(it).await;
    house.operator().await;
    let ben = house.with_two_step("ben@example.org", gatepost_identity::Role::Operator).await;
    let known = house.trust(&ben).await;
    let from = |n: u32| visitor(&format!("198.51.{n}.7"), "curl");
    let come = async |address: &str, password: &str, n: u32| {
        house.people.sign_in(address, &secret(password), None, &from(n)).await.map(drop)
    };
    for address in ["anna@example.org", "ben@example.org"] {
        for n in 0..10 {
            come(address, RIGHT, n * 8).await.unwrap();
        }
        for n in 0..3 {
            assert_eq!(wait(come(address, RIGHT, n).await), Some(Duration::from_mins(1)), "{address}");
        }
        // To everybody else it is as ever: no answer without the password says that there is such a person.
        for n in 0..4 {
            assert_eq!(wait(miss(&house.people, address, n).await), None, "{address}");
            assert_eq!(wait(come(&format!("not-{address}"), RIGHT, n + 100).await), None);
            house.it.clock.advance(Duration::from_millis(1));
        }
        house.it.clock.advance(Duration::from_mins(1) - Duration::from_millis(5));
        assert!(wait(come(address, RIGHT, 1).await).is_some());
        house.it.clock.advance(Duration::from_millis(1));
        come(address, RIGHT, 1).await.unwrap();
        assert_eq!(wait(come(address, RIGHT, 1).await), Some(Duration::from_mins(1)), "{address}");
        house.it.clock.advance(Duration::from_hours(1));
    }
    for n in 0..10 {
        come("ben@example.org", RIGHT, n * 8).await.unwrap();
    }
    assert!(wait(come("ben@example.org", RIGHT, 1).await).is_some());
    for _ in 0..20 {
        let come = house.people.sign_in("ben@example.org", &secret(RIGHT), Some(&known), &office()).await;
        session(come.unwrap());
    }
    // What was one too many is counted at its source, so that nobody has hashes made without end.
    let slowed = async |n: u32, address: &str| {
        let from = visitor("203.0.113.7", "curl");
        let password = secret(if n == 0 { WRONG } else { RIGHT });
        wait(house.people.sign_in(address, &password, None, &from).await.map(drop))
    };
    for _ in 0..10 {
        assert!(slowed(1, "ben@example.org").await.is_some());
    }
    assert_eq!(slowed(0, "anna@example.org").await, Some(Duration::from_mins(1)));
    // A clock that was set back keeps nobody out.
    house.it.clock.set(house.now() - Duration::from_hours(24));
    come("ben@example.org", RIGHT, 1).await.unwrap();
}

/// Those that are looked at are no misses, whatever is told to those that come meanwhile.
async fn right_sign_ins_of_one_person_at_once_hear_of_no_wrong_tries(it: TestStore) {
    let house = std::sync::Arc::new(House::new(it).await);
    let anna = house.operator().await;
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let house = std::sync::Arc::clone(&house);
            tokio::spawn(async move {
                loop {
                    match house.sign_in("anna@example.org", RIGHT).await {
                        Ok(_) => return,
                        Err(PersonRefusal::Slowed { retry_after }) => {
                            assert!(retry_after <= Duration::from_secs(1), "{retry_after:?}");
                            tokio::task::yield_now().await;
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    for it in tries {
        it.await.unwrap();
    }
    assert!(!house.kinds(&anna).await.contains(&NoticeKind::ManyMisses));
}

/// ID-26.
async fn a_success_after_many_misses_is_told(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    for n_misses in [4, 5] {
        for n in 0..n_misses {
            assert_eq!(wait(miss(&house.people, "anna@example.org", n).await), None);
        }
        house.it.clock.advance(Duration::from_mins(5));
        house.signed_in(&anna).await;
    }
    assert_eq!(house.kinds(&anna).await, [NoticeKind::ManyMisses, NoticeKind::NewDevice]);
    assert_eq!(house.links(&anna).await, ["not_me"; 2]);
}

/// ID-8.
async fn whoever_got_in_lately_is_checked_also_after_a_restart(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    house.person("ben@example.org", gatepost_identity::Role::Operator).await;
    house.signed_in(&anna).await;
    let (store, keyring) = (house.it.store.clone(), house.it.keyring.clone());
    let (last_uses, watch) = (LastUses::new(store.clone()), RevocationWatch::new(store.clone()));
    let sign_ins = SignIns::open(store, keyring, last_uses, watch).await.unwrap();
    let people = People::new(&house.identity, &sign_ins, 1);
    for n in 0..10 {
        let refused = people.sign_in(&format!("p{n}@example.org"), &secret(RIGHT), None, &office()).await;
        assert!(matches!(refused, Err(PersonRefusal::WrongPassword)));
    }
    let ben = people.sign_in("ben@example.org", &secret(RIGHT), None, &office()).await;
    assert!(matches!(ben, Err(PersonRefusal::Slowed { .. })));
    assert!(people.sign_in("anna@example.org", &secret(RIGHT), None, &office()).await.is_ok());
}

/// ID-9: two hundred wrong tries at each door, and each is slowed by its source before that person is.
async fn every_door_meets_the_one_limiter(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    let people = &house.people;
    for (door, name) in ["sign-in", "confirm", "change of password"].into_iter().enumerate() {
        let from = visitor(&format!("198.51.100.{}", door * 64 + 1), "curl");
        let mut n_looked_at = 0;
        for n in 0..200 {
            let wrong = secret(&format!("wrong, and long enough {door} {n}"));
            let refused = match door {
                0 => people.sign_in(&format!("p{n}@example.org"), &wrong, None, &from).await.map(drop),
                1 => people.confirm(&made.session, &Proof::Password(wrong), &from).await.map(drop),
                _ => {
                    match people.change_password(&made.session, &wrong, &secret(OTHER), false, &from).await {
                        Err(gatepost_identity::AccountProblem::Refused(refused)) => Err(refused),
                        other => panic!("{:?}", other.map(drop)),
                    }
                }
            };
            match refused {
                Err(PersonRefusal::WrongPassword) => n_looked_at += 1,
                Err(PersonRefusal::Slowed { .. }) => {}
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(n_looked_at <= 10, "{name}: {n_looked_at}");
        house.it.clock.advance(Duration::from_mins(2));
    }
    // The door of applications knows them too.
    house.it.clock.advance(Duration::from_hours(1));
    let from = visitor("203.0.113.7", "curl");
    for n in 0..10 {
        let wrong = secret(&format!("wrong {n}"));
        assert!(people.sign_in(&format!("q{n}@example.org"), &wrong, None, &from).await.is_err());
    }
    let attempt = gatepost_identity::Attempt {
        user_name: "reception@example.org",
        password: &secret("zzzz zzzz zzzz zzzz"),
        protocol: gatepost_identity::Protocol::Smtp,
        source: from.source,
        tls: None,
        mechanism: None,
    };
    let refused = house.sign_ins.verify(attempt).await;
    assert!(matches!(
        refused,
        Err(gatepost_identity::SignInRefusal::Slowed { .. } | gatepost_identity::SignInRefusal::Unavailable)
    ));
}
