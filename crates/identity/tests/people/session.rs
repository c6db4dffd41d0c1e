//! What keeps people in, and what ends it.

use std::time::Duration;

use gatepost_core::{PersonId, SessionId};
use gatepost_identity::{NewSession, PersonRefusal, Proof, Role, SecondStep};
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, RIGHT, WRONG, office, pre_session, secret};
use crate::second_step::protected;

on_both_engines!(ROOMS;
    a_session_ends_by_idling_and_after_its_time,
    looking_is_no_activity_and_activity_is_written_once_a_minute,
    proof_again_gives_a_new_id_and_token,
    with_two_step_verification_a_password_is_no_proof_in_any_session,
    of_many_proofs_at_once_one_continues_the_session,
    staying_signed_in_lasts_thirty_days_and_asks_for_a_factor_each_day,
    a_session_ends_when_its_person_says_so,
    signing_out_everywhere_ends_all_but_one,
    a_session_dies_with_role_and_access,
    a_clock_set_back_does_not_lengthen_a_session,
    what_is_long_over_is_swept,
    a_line_of_sessions_is_found_for_as_long_as_its_person_is_signed_in,
);

const MOMENT: Duration = Duration::from_millis(1);

/// WP-3.
async fn a_session_ends_by_idling_and_after_its_time(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let chief = house.person("chief@example.org", Role::Administrator).await;
    for (person, idle, at_most) in [(&anna, 30, 12), (&chief, 15, 8)] {
        let (idle, at_most) = (Duration::from_mins(idle), Duration::from_hours(at_most));
        let made = house.signed_in(person).await;
        house.it.clock.advance(idle - MOMENT);
        assert!(house.find(&made).await.is_some());
        house.it.clock.advance(MOMENT);
        assert!(house.find(&made).await.is_none(), "idle");
        // Busy all the time.
        let made = house.signed_in(person).await;
        let over = house.now() + at_most;
        while house.now() + Duration::from_mins(14) < over {
            house.it.clock.advance(Duration::from_mins(14));
            assert!(house.people.find_session(&made.token, true).await.unwrap().is_some());
        }
        house.it.clock.set(over - MOMENT);
        assert!(house.find(&made).await.is_some());
        house.it.clock.set(over);
        assert!(house.people.find_session(&made.token, true).await.unwrap().is_none(), "over");
    }
}

async fn looking_is_no_activity_and_activity_is_written_once_a_minute(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    let began = house.now();
    let active_at = async || house.sessions(&anna).await[0].active_at;
    for (seconds, is_activity, want) in [
        (59, true, 0),
        (60, false, 0),
        (60, true, 60),
        (119, true, 60),
        (120, true, 120),
        // Set back: never backwards.
        (100, true, 120),
    ] {
        house.it.clock.set(began + Duration::from_secs(seconds));
        assert!(house.people.find_session(&made.token, is_activity).await.unwrap().is_some());
        assert_eq!(active_at().await, began + Duration::from_secs(want), "{seconds} {is_activity}");
    }
    // A page that polls keeps nobody signed in.
    for _ in 0..30 {
        house.it.clock.advance(Duration::from_mins(1));
        house.find(&made).await;
    }
    house.it.clock.advance(Duration::from_mins(1));
    assert!(house.find(&made).await.is_none());
}

async fn confirm(house: &House, it: &NewSession, password: &str) -> Result<NewSession, PersonRefusal> {
    house.people.confirm(&it.session, &Proof::Password(secret(password)), &office()).await
}

/// WP-2, ID-25.
async fn proof_again_gives_a_new_id_and_token(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let old = house.signed_in(&anna).await;
    house.it.clock.advance(Duration::from_mins(5));
    assert!(old.session.is_proven(house.now()));
    house.it.clock.advance(MOMENT);
    assert!(!old.session.is_proven(house.now()));
    assert!(matches!(confirm(&house, &old, WRONG).await, Err(PersonRefusal::WrongPassword)));
    assert!(house.find(&old).await.is_some(), "a wrong try ends nothing");
    let new = confirm(&house, &old, RIGHT).await.unwrap();
    assert!(new.session.is_proven(house.now()));
    assert_ne!(new.session.id, old.session.id);
    assert_eq!(new.session.created_at, old.session.created_at, "it does not begin anew");
    assert!(house.find(&old).await.is_none(), "an id from before opens nothing");
    assert_eq!(house.find(&new).await.unwrap().proven_at, Some(house.now()));
    assert!(matches!(confirm(&house, &old, RIGHT).await, Err(PersonRefusal::Over)));
    // Where two-step verification is on, a password is no proof.
    let ben = house.with_two_step("ben@example.org", Role::Operator).await;
    let device = house.trust(&ben).await;
    let entered = house.people.sign_in("ben@example.org", &secret(RIGHT), Some(&device), &office()).await;
    let made = crate::house::session(entered.unwrap());
    let confirmed = confirm(&house, &made, RIGHT).await.unwrap().session;
    assert!(confirmed.proven_at.is_none() && confirmed.is_single_factor);
}

/// ID-25: whoever has a cookie and the password has not the second step.
async fn with_two_step_verification_a_password_is_no_proof_in_any_session(it: TestStore) {
    let house = House::new(it).await;
    let (ben, codes) = protected(&house, "ben@example.org", Role::Operator).await;
    let fresh = async |code: &gatepost_core::SecretText, trusts: bool| {
        let token = pre_session(house.sign_in("ben@example.org", RIGHT).await.unwrap());
        let shown = SecondStep::RecoveryCode(code.clone());
        house.people.second_step(&token, &shown, trusts, &office()).await.unwrap().session
    };
    let not_proven = async |made: &NewSession, what: &str| {
        let found = house.find(made).await.unwrap();
        assert!(!found.is_proven(house.now()), "{what}");
        let confirmed =
            house.people.confirm(&found, &Proof::Password(secret(RIGHT)), &office()).await.unwrap();
        assert!(!confirmed.session.is_proven(house.now()), "{what}");
        assert!(!house.find(&confirmed).await.unwrap().is_proven(house.now()), "{what}");
        assert!(!confirmed.session.needs_factor, "{what}");
    };
    let made = fresh(&codes[1], false).await;
    house.it.clock.advance(Duration::from_mins(6));
    not_proven(&made, "fresh").await;
    let lasting = house.people.stay_signed_in(&fresh(&codes[2], false).await.session).await.unwrap();
    house.it.clock.advance(Duration::from_hours(25));
    assert!(house.find(&lasting).await.unwrap().needs_factor);
    not_proven(&lasting, "lasting").await;
    let device = house.trust(&ben).await;
    let entered = house.people.sign_in("ben@example.org", &secret(RIGHT), Some(&device), &office()).await;
    not_proven(&crate::house::session(entered.unwrap()), "trusted device").await;
}

async fn of_many_proofs_at_once_one_continues_the_session(it: TestStore) {
    let house = std::sync::Arc::new(House::new(it).await);
    let anna = house.operator().await;
    let made = std::sync::Arc::new(house.signed_in(&anna).await);
    let tries: Vec<_> = (0..20)
        .map(|_| {
            let (house, made) = (std::sync::Arc::clone(&house), std::sync::Arc::clone(&made));
            tokio::spawn(async move { house.people.stay_signed_in(&made.session).await.is_ok() })
        })
        .collect();
    let mut n = 0;
    for it in tries {
        n += u32::from(it.await.unwrap());
    }
    assert_eq!(n, 1);
    assert_eq!(house.sessions(&anna).await.len(), 1);
}

async fn staying_signed_in_lasts_thirty_days_and_asks_for_a_factor_each_day(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let first = house.signed_in(&anna).await;
    let made = house.people.stay_signed_in(&first.session).await.unwrap();
    assert!(made.session.is_lasting && !made.session.needs_factor);
    assert!(house.find(&first).await.is_none());
    let day = Duration::from_hours(24);
    house.it.clock.advance(day);
    assert!(!house.find(&made).await.unwrap().needs_factor);
    house.it.clock.advance(MOMENT);
    let found = house.find(&made).await.unwrap();
    assert!(found.needs_factor);
    let next = house.people.confirm(&found, &Proof::Password(secret(RIGHT)), &office()).await.unwrap();
    assert!(!next.session.needs_factor && next.session.is_lasting);
    assert!(!house.find(&next).await.unwrap().needs_factor);
    house.it.clock.set(made.session.created_at + 30 * day - MOMENT);
    assert!(house.find(&next).await.unwrap().needs_factor);
    house.it.clock.advance(MOMENT);
    assert!(house.find(&next).await.is_none());
    // Administrators get a new id and nothing more.
    let chief = house.person("chief@example.org", Role::Administrator).await;
    let made = house.signed_in(&chief).await;
    assert!(!house.people.stay_signed_in(&made.session).await.unwrap().session.is_lasting);
}

async fn a_session_ends_when_its_person_says_so(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let ben = house.person("ben@example.org", Role::Operator).await;
    let (one, two) = (house.signed_in(&anna).await, house.signed_in(&anna).await);
    let other = house.signed_in(&ben).await;
    assert!(!house.people.end_session(&other.session, one.session.id).await.unwrap(), "not their own");
    assert!(!house.people.end_session(&one.session, SessionId::new(&house.it.world)).await.unwrap());
    assert!(house.people.end_session(&one.session, two.session.id).await.unwrap());
    assert!(!house.people.end_session(&one.session, two.session.id).await.unwrap());
    assert!(house.find(&two).await.is_none() && house.find(&one).await.is_some());
    house.people.sign_out(&one.session).await.unwrap();
    assert!(house.find(&one).await.is_none() && house.find(&other).await.is_some());
}

/// ID-24.
async fn signing_out_everywhere_ends_all_but_one(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let (one, two) = (house.signed_in(&anna).await, house.signed_in(&anna).await);
    house.trust(&anna).await;
    let new = house.people.sign_out_everywhere(&one.session, &office()).await.unwrap();
    assert!(house.find(&one).await.is_none() && house.find(&two).await.is_none());
    assert!(house.find(&new).await.is_some());
    assert!(house.devices(&anna).await.is_empty());
    assert_eq!(house.sessions(&anna).await.len(), 1);
    // One that is over signs nobody out.
    let again = house.people.sign_out_everywhere(&two.session, &office()).await;
    assert!(matches!(again, Err(PersonRefusal::Over)));
    assert!(house.find(&new).await.is_some());
}

async fn a_session_dies_with_role_and_access(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    house.change_role(&anna, Role::Administrator).await;
    assert!(house.find(&made).await.is_none());
    // Nor can it be continued.
    assert!(matches!(
        house.people.sign_out_everywhere(&made.session, &office()).await,
        Err(PersonRefusal::Over)
    ));
    let kept = house.people.stay_signed_in(&made.session).await;
    assert!(kept.is_err() || house.find(&kept.unwrap()).await.is_none());
    let made = house.signed_in(&anna).await;
    house.disable(&anna).await;
    assert!(house.find(&made).await.is_none());
}

async fn a_clock_set_back_does_not_lengthen_a_session(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let today = house.now();
    house.it.clock.advance(Duration::from_hours(400 * 24));
    let made = house.signed_in(&anna).await;
    house.it.clock.set(today);
    assert!(house.find(&made).await.is_none(), "made in a year that has not come");
    // A small step back signs nobody out.
    let made = house.signed_in(&anna).await;
    let lasting = house.people.stay_signed_in(&house.signed_in(&anna).await.session).await.unwrap();
    house.it.clock.set(today - Duration::from_secs(30));
    let found = house.find(&made).await.unwrap();
    assert!(found.is_proven(house.now()));
    // Beyond what the clocks of two nodes differ by, there was no activity and no proof yet.
    house.it.clock.set(today - Duration::from_secs(31));
    assert!(!found.is_proven(house.now()));
    assert!(house.find(&made).await.is_none());
    assert!(house.find(&lasting).await.unwrap().needs_factor);
}

async fn what_is_long_over_is_swept(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    let ben = house.person("ben@example.org", Role::Operator).await;
    house.signed_in(&ben).await;
    house.sign_in("anna@example.org", RIGHT).await.unwrap();
    assert!(house.sign_in("nobody@example.org", WRONG).await.is_err());
    house.link(&anna, gatepost_identity::LinkKind::PasswordReset, "{}").await;
    // A session, a pre-session, a link, a device, the misses of two people and of nobody, and what two people came right with.
    assert_eq!(house.n_rows().await, 9);
    house.people.sweep().await.unwrap();
    assert_eq!(house.n_rows().await, 9);
    house.it.clock.advance(Duration::from_hours(25));
    house.people.sweep().await.unwrap();
    assert_eq!(house.n_rows().await, 8, "the pre-session");
    house.it.clock.advance(Duration::from_hours(31 * 24));
    house.people.sweep().await.unwrap();
    assert_eq!(house.n_rows().await, 2, "misses go by age, whoever they are about");
    house.it.clock.advance(Duration::from_hours(60 * 24));
    house.people.sweep().await.unwrap();
    assert_eq!(house.n_rows().await, 1);
    house.it.clock.advance(Duration::from_hours(275 * 24));
    house.people.sweep().await.unwrap();
    assert_eq!(house.n_rows().await, 0, "the device, with its cookie");
    // What was begun and never finished.
    let made = house.signed_in(&ben).await;
    house.people.begin_authenticator(&made.session).await.unwrap();
    house.contact(&ben, "ben@home.example", false).await;
    let before = house.n_rows().await;
    house.it.clock.advance(Duration::from_hours(31 * 24));
    house.people.sweep().await.unwrap();
    assert_eq!(before - house.n_rows().await, 4, "with the counts of the sign-in");
}

/// OC-2: what comes back from another site brings no cookie of the session.
async fn a_line_of_sessions_is_found_for_as_long_as_its_person_is_signed_in(it: TestStore) {
    let house = House::new(it).await;
    let (anna, chief) =
        (house.operator().await, house.person("chief@example.org", Role::Administrator).await);
    let made = house.signed_in(&anna).await;
    let lineage = made.session.lineage;
    let find = async |person: PersonId| {
        house.people.find_by_lineage(anna.organisation, person, lineage).await.unwrap().map(|it| it.id)
    };
    assert_eq!(find(anna.id).await, Some(anna.id));
    assert_eq!(find(chief.id).await, None, "it is nobody else's");
    // Its id changes with a proof; the line goes on.
    let proof = Proof::Password(secret(RIGHT));
    let next = house.people.confirm(&made.session, &proof, &office()).await.unwrap();
    assert_ne!(next.session.id, made.session.id);
    assert_eq!(find(anna.id).await, Some(anna.id));
    house.it.clock.advance(Duration::from_mins(30));
    assert_eq!(find(anna.id).await, None, "idle");
    house.it.clock.set(house.now() - Duration::from_mins(30));
    assert_eq!(find(anna.id).await, Some(anna.id));
    house.people.sign_out(&next.session).await.unwrap();
    assert_eq!(find(anna.id).await, None, "signed out");
}
