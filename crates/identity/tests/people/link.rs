//! Links that work once.

use std::sync::Arc;
use std::time::Duration;

use gatepost_identity::{
    AccountProblem, AppPasswordLimits, Entrance, LinkKind, NewAppPassword, Person, PersonRefusal, Protocols,
    Role,
};
use gatepost_journal::{Actor, NoticeKind};
use gatepost_testkit::{TestStore, on_both_engines};

use crate::ROOMS;
use crate::house::{House, OTHER, RIGHT, office, pre_session, secret, session, visitor};

on_both_engines!(ROOMS;
    a_link_lets_an_invited_person_choose_a_password_once,
    a_link_lives_as_long_as_its_kind,
    fifty_uses_of_one_link_let_one_in,
    no_letter_makes_somebody_an_administrator,
    a_reset_leaves_the_second_step_and_ends_everything_else,
    a_link_opens_nothing_but_what_it_is_for,
    forgotten_passwords_are_answered_alike_and_five_times_a_day,
    what_raises_the_epoch_ends_links_to_a_password,
    this_was_not_me_secures_and_mails_a_way_back,
    the_app_password_of_a_letter_goes_only_if_that_is_asked_for,
    a_sign_in_link_is_over_unless_it_is_the_demo,
    a_contact_is_proven_by_its_link,
    the_link_of_the_demo_signs_in_once,
);

fn is_over<T>(it: Result<T, AccountProblem>) -> bool {
    matches!(it, Err(AccountProblem::Refused(PersonRefusal::Over)))
}

/// ID-29.
async fn a_link_lets_an_invited_person_choose_a_password_once(it: TestStore) {
    let house = House::new(it).await;
    for (address, kind) in [("chief@example.org", LinkKind::SetUp), ("new@example.org", LinkKind::Invitation)]
    {
        let person = house.invited(address, Role::Administrator).await;
        let token = house.link(&person, kind, "{}").await;
        for _ in 0..2 {
            let opened = house.people.find_link(&token).await.unwrap().unwrap();
            assert_eq!((opened.person.id, opened.kind), (person.id, kind));
            assert_eq!(opened.organisation_name, "Praxis Plum");
            assert_eq!(opened.expires_at, house.now() + kind.lives_for());
        }
        // What will not do uses nothing up.
        for bad in ["short", "praxisplum20262026"] {
            let refused = house.people.choose_password(&token, &secret(bad), None, false, &office()).await;
            assert!(matches!(refused, Err(AccountProblem::Password(_))), "{bad}");
        }
        let made = session(
            house.people.choose_password(&token, &secret(RIGHT), None, false, &office()).await.unwrap(),
        );
        assert!(made.session.person.has_password && made.session.is_proven(house.now()));
        assert!(house.find(&made).await.is_some());
        let known = house.people.sign_in(address, &secret(RIGHT), made.device.as_ref(), &office()).await;
        session(known.unwrap());
        assert!(is_over(house.people.choose_password(&token, &secret(OTHER), None, false, &office()).await));
        assert!(house.people.find_link(&token).await.unwrap().is_none());
        assert!(house.sign_in(address, OTHER).await.is_err());
        assert!(house.notices(&person).await.is_empty(), "there is nothing to warn of");
    }
}

async fn a_link_lives_as_long_as_its_kind(it: TestStore) {
    let house = House::new(it).await;
    for (n, (kind, hours)) in
        [(LinkKind::SetUp, 24), (LinkKind::Invitation, 72), (LinkKind::PasswordReset, 1)]
            .into_iter()
            .enumerate()
    {
        let person = house.invited(&format!("p{n}@example.org"), Role::Operator).await;
        let token = house.link(&person, kind, "{}").await;
        house.it.clock.advance(Duration::from_hours(hours) - Duration::from_millis(1));
        assert!(house.people.find_link(&token).await.unwrap().is_some());
        house.it.clock.advance(Duration::from_millis(1));
        assert!(house.people.find_link(&token).await.unwrap().is_none());
        assert!(is_over(house.people.choose_password(&token, &secret(RIGHT), None, false, &office()).await));
        assert!(!house.reread(&person).await.has_password);
    }
    // Nobody who is disabled gets back in by a link.
    let gone = house.operator().await;
    let token = house.link(&gone, LinkKind::PasswordReset, "{}").await;
    house.disable(&gone).await;
    assert!(house.people.find_link(&token).await.unwrap().is_none());
    assert!(is_over(house.people.choose_password(&token, &secret(OTHER), None, false, &office()).await));
}

async fn fifty_uses_of_one_link_let_one_in(it: TestStore) {
    let house = Arc::new(House::new(it).await);
    let person = house.invited("new@example.org", Role::Operator).await;
    let token = house.link(&person, LinkKind::Invitation, "{}").await;
    let uses: Vec<_> = (0..50)
        .map(|n| {
            let (house, token) = (Arc::clone(&house), token.clone());
            tokio::spawn(async move {
                let password = secret(&format!("{RIGHT}, and {n} more"));
                match house.people.choose_password(&token, &password, None, false, &office()).await {
                    Ok(_) => Some(n),
                    Err(AccountProblem::Refused(PersonRefusal::Over | PersonRefusal::Busy)) => None,
                    Err(other) => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut winners = Vec::new();
    for it in uses {
        winners.extend(it.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    let password = format!("{RIGHT}, and {} more", winners[0]);
    assert!(house.sign_in("new@example.org", &password).await.is_ok(), "the one that came in");
    assert_eq!(house.entries("password.chosen").await.len(), 1);
}

/// ID-22.
async fn a_reset_leaves_the_second_step_and_ends_everything_else(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Operator).await;
    let device = house.trust(&anna).await;
    let entered = house.people.sign_in("anna@example.org", &secret(RIGHT), Some(&device), &office()).await;
    let before = session(entered.unwrap());
    let between = pre_session(house.sign_in("anna@example.org", RIGHT).await.unwrap());
    let (token, other) = (
        house.link(&anna, LinkKind::PasswordReset, "{}").await,
        house.link(&anna, LinkKind::PasswordReset, "{}").await,
    );
    let chosen = house.people.choose_password(&token, &secret(OTHER), None, false, &office()).await.unwrap();
    assert!(house.people.find_pre_session(&pre_session(chosen)).await.unwrap().is_some());
    assert_eq!(house.reread(&anna).await.two_step_at, anna.two_step_at);
    assert!(house.find(&before).await.is_none());
    assert!(house.people.find_pre_session(&between).await.unwrap().is_none());
    assert!(house.devices(&anna).await.is_empty());
    assert!(house.people.find_link(&other).await.unwrap().is_none(), "using one ends the others");
    assert!(matches!(house.sign_in("anna@example.org", RIGHT).await, Err(PersonRefusal::WrongPassword)));
    pre_session(house.sign_in("anna@example.org", OTHER).await.unwrap());
    assert_eq!(house.kinds(&anna).await, [NoticeKind::PasswordChanged]);
}

async fn a_link_opens_nothing_but_what_it_is_for(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let kinds = [
        LinkKind::SetUp,
        LinkKind::Invitation,
        LinkKind::PasswordReset,
        LinkKind::Contact,
        LinkKind::NotMe,
        LinkKind::SignIn,
    ];
    for kind in kinds {
        let token = house.link(&anna, kind, "{}").await;
        let people = &house.people;
        if !matches!(kind, LinkKind::SetUp | LinkKind::Invitation | LinkKind::PasswordReset) {
            assert!(
                is_over(people.choose_password(&token, &secret(OTHER), None, false, &office()).await),
                "{kind}"
            );
        }
        if kind != LinkKind::Contact {
            assert!(is_over(people.prove_contact(&token).await), "{kind}");
        }
        if kind != LinkKind::NotMe {
            assert!(is_over(people.not_me(&token, false, &office()).await), "{kind}");
        }
        if kind != LinkKind::SignIn {
            assert!(matches!(people.sign_in_by_link(&token, &office()).await, Err(PersonRefusal::Over)));
        }
        assert!(people.find_session(&token, true).await.unwrap().is_none());
        assert!(people.find_link(&token).await.unwrap().is_some(), "{kind}: a wrong door uses nothing up");
    }
}

async fn forgotten_passwords_are_answered_alike_and_five_times_a_day(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    house.contact(&anna, "anna@home.example", true).await;
    let gone = house.person("gone@example.org", Role::Operator).await;
    house.disable(&gone).await;
    let new = house.invited("new@example.org", Role::Operator).await;
    for address in ["nobody@example.org", "gone@example.org", "ANNA@example.org", "new@example.org", "a\0b"] {
        house.people.forgot_password(address, &office()).await.unwrap();
    }
    let asked = NoticeKind::PasswordReset;
    assert_eq!(house.notices(&anna).await, [(asked, vec!["anna@example.org".to_owned()])]);
    assert!(house.notices(&gone).await.is_empty());
    assert!(house.notices(&new).await.is_empty(), "an invitation is not to be got round");
    // Many at once, from everywhere: nothing, for five minutes, and the link that is on its way lives.
    let first = house.token_of_waiting_link(&anna, LinkKind::PasswordReset).await;
    let ask = async |n: u32| {
        let from = visitor(&format!("198.51.{n}.7"), "curl");
        house.people.forgot_password("anna@example.org", &from).await.unwrap();
    };
    house.it.clock.advance(Duration::from_mins(5) - Duration::from_millis(1));
    for n in 0..10 {
        ask(n).await;
    }
    assert_eq!(house.kinds(&anna).await, [asked]);
    for n in 10..30 {
        house.it.clock.advance(Duration::from_mins(5));
        ask(n).await;
    }
    // Five, and a sixth once none lived any more: a stranger who asks and asks keeps nobody out.
    assert_eq!(house.kinds(&anna).await, [asked; 6]);
    house.it.clock.advance(Duration::from_hours(23));
    ask(30).await;
    assert_eq!(house.kinds(&anna).await, [asked; 7]);
    assert!(house.people.find_link(&first).await.unwrap().is_none(), "its hour is over");
    let living = house.token_of_waiting_link(&anna, LinkKind::PasswordReset).await;
    house.it.clock.advance(Duration::from_mins(6));
    ask(31).await;
    assert!(house.people.find_link(&living).await.unwrap().is_some(), "asking ends no link");
    // Asking is not free: a source that goes through addresses is slowed, whether they are anybody's or not.
    let mut slowed = 0;
    for n in 0..12 {
        let from = visitor("203.0.113.9", "curl");
        let asked = house.people.forgot_password(&format!("p{n}@example.org"), &from).await;
        slowed += u32::from(matches!(asked, Err(PersonRefusal::Slowed { .. })));
    }
    assert_eq!(slowed, 2);
    // And no miss of anybody.
    house.signed_in(&anna).await;
    assert!(!house.kinds(&anna).await.contains(&NoticeKind::ManyMisses));
}

/// ID-24: a link that a thief has asked for dies with the password that it was asked for.
async fn what_raises_the_epoch_ends_links_to_a_password(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    for kind in [LinkKind::PasswordReset, LinkKind::Invitation, LinkKind::SetUp, LinkKind::SignIn] {
        let token = house.link(&anna, kind, "{}").await;
        assert!(house.people.find_link(&token).await.unwrap().is_some());
        house.change_role(&anna, Role::Operator).await;
        assert!(house.people.find_link(&token).await.unwrap().is_none(), "{kind}");
        match kind {
            LinkKind::SignIn => {
                assert!(house.people.sign_in_by_link(&token, &office()).await.is_err());
            }
            _ => assert!(is_over(
                house.people.choose_password(&token, &secret(OTHER), None, false, &office()).await
            )),
        }
    }
    assert!(house.find(&made).await.is_none());
    for kind in [LinkKind::NotMe, LinkKind::Contact] {
        let token = house.link(&anna, kind, "{}").await;
        house.change_role(&anna, Role::Operator).await;
        assert!(house.people.find_link(&token).await.unwrap().is_some(), "{kind} lets nobody in");
    }
    house.signed_in(&anna).await;
}

/// ID-24, ID-26: it secures and nothing else; whoever holds the letter is given nothing.
async fn this_was_not_me_secures_and_mails_a_way_back(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    house.signed_in(&anna).await;
    let from = visitor("203.0.113.7", "Other");
    let thief = house.people.sign_in("anna@example.org", &secret(RIGHT), None, &from).await;
    let thief = session(thief.unwrap());
    assert_eq!(house.kinds(&anna).await, [NoticeKind::NewDevice]);
    // The thief has asked for a reset, too.
    let asked = house.link(&anna, LinkKind::PasswordReset, "{}").await;
    let token = house.token_of_waiting_link(&anna, LinkKind::NotMe).await;
    house.it.clock.advance(Duration::from_hours(7 * 24) - Duration::from_millis(1));
    house.people.not_me(&token, false, &office()).await.unwrap();
    assert!(house.find(&thief).await.is_none());
    assert!(house.sessions(&anna).await.is_empty());
    assert!(house.people.find_link(&asked).await.unwrap().is_none());
    assert!(is_over(house.people.not_me(&token, false, &office()).await));
    let refused = house.sign_in("anna@example.org", RIGHT).await;
    assert!(matches!(refused, Err(PersonRefusal::WrongPassword)), "the password opens nothing");
    let mailed = (NoticeKind::AccountSecured, vec!["anna@example.org".to_owned()]);
    assert_eq!(house.notices(&anna).await.last(), Some(&mailed));
    let reset = house.token_of_waiting_link(&anna, LinkKind::PasswordReset).await;
    let chosen = house.people.choose_password(&reset, &secret(OTHER), None, false, &office()).await;
    assert!(matches!(chosen, Ok(Entrance::SignedIn(_))));
    // A week later the letter is nothing.
    let late = house.link(&anna, LinkKind::NotMe, "{}").await;
    house.it.clock.advance(Duration::from_hours(7 * 24));
    assert!(is_over(house.people.not_me(&late, false, &office()).await));
}

async fn the_app_password_of_a_letter_goes_only_if_that_is_asked_for(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let login = house.identity.ensure_person_login(&anna).await.unwrap();
    let limits = AppPasswordLimits {
        allowed: Protocols::MAIL,
        networks: Vec::new(),
        send_as: Vec::new(),
        expires_at: None,
        repairs_line_ends: false,
    };
    let new = NewAppPassword::new(&house.it.world, house.organisation, login.id, "Scanner", limits);
    let id = house.identity.create_app_password(new, 40, Actor::Person(anna.id)).await.unwrap().id;
    let details = format!(r#"{{"app_password":"{id}"}}"#);
    for (removes, n_left) in [(false, 1), (true, 0)] {
        let token = house.link(&anna, LinkKind::NotMe, &details).await;
        house.people.not_me(&token, removes, &office()).await.unwrap();
        let left = house.identity.list_app_passwords(house.organisation).await.unwrap();
        assert_eq!(left.len(), n_left);
    }
}

async fn a_sign_in_link_is_over_unless_it_is_the_demo(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let token = house.link(&anna, LinkKind::SignIn, "{}").await;
    let elsewhere = gatepost_identity::People::new(&house.identity, &house.sign_ins, 1);
    assert!(elsewhere.find_link(&token).await.unwrap().is_none());
    assert!(matches!(elsewhere.sign_in_by_link(&token, &office()).await, Err(PersonRefusal::Over)));
    assert!(house.people.sign_in_by_link(&token, &office()).await.is_ok());
}

async fn a_contact_is_proven_by_its_link(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.operator().await;
    let id = house.contact(&anna, "anna@home.example", false).await;
    let details = format!(r#"{{"contact":"{id}"}}"#);
    let token = house.link(&anna, LinkKind::Contact, &details).await;
    let proven = house.people.prove_contact(&token).await.unwrap();
    assert_eq!((proven.value.as_str(), proven.proven_at), ("anna@home.example", Some(house.now())));
    assert!(is_over(house.people.prove_contact(&token).await));
    // One that was removed, and one of somebody else.
    let ben = house.person("ben@example.org", Role::Operator).await;
    for (person, details) in [(&anna, r#"{"contact":"nonsense"}"#), (&ben, details.as_str())] {
        let token = house.link(person, LinkKind::Contact, details).await;
        assert!(matches!(house.people.prove_contact(&token).await, Err(AccountProblem::NotFound)));
    }
}

async fn the_link_of_the_demo_signs_in_once(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.with_two_step("anna@example.org", Role::Administrator).await;
    let token = house.link(&anna, LinkKind::SignIn, "{}").await;
    let made = house.people.sign_in_by_link(&token, &office()).await.unwrap();
    assert!(house.find(&made).await.is_some());
    assert!(made.session.is_single_factor && made.session.proven_at.is_none(), "it proves nothing");
    assert!(matches!(house.people.sign_in_by_link(&token, &office()).await, Err(PersonRefusal::Over)));
}

/// Whoever reads the sent folder of the mailbox that letters leave by must not become an administrator.
async fn no_letter_makes_somebody_an_administrator(it: TestStore) {
    let house = House::new(it).await;
    let anna = house.person("anna@example.org", Role::Administrator).await;
    house.people.forgot_password("anna@example.org", &office()).await.unwrap();
    assert!(house.notices(&anna).await.is_empty(), "two-step verification is off");
}

mod sql {
    gatepost_store::statements! {
        /// As turning it on does.
        TURN_ON = "UPDATE person SET two_step_at = 1, epoch = epoch + 1 WHERE id = $1";
        /// As another address to sign in with.
        MOVE = "UPDATE person SET address = 'evil@elsewhere.example' WHERE id = $1";
        /// How many transactions of this database wait for another.
        COUNT_WAITING = "
            SELECT COUNT(*)
            FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
    }
}

/// Carries `acts` out while another transaction has changed the person and is not over; that one goes on once `acts` waits for it.
async fn at_this_moment<T: Send + 'static>(
    house: &House,
    person: &Person,
    change: &'static gatepost_store::Statement,
    acts: impl Future<Output = T> + Send + 'static,
) -> T {
    let (store, id) = (house.it.store.clone(), person.id);
    let (begun, has_begun) = std::sync::mpsc::channel();
    let (go, may_go) = std::sync::mpsc::channel();
    let may_go = std::sync::Mutex::new(may_go);
    let changed = tokio::spawn(async move {
        let job = store.write(move |tx| {
            tx.execute(change, gatepost_store::params![id])?;
            begun.send(()).unwrap();
            may_go.lock().unwrap().recv().unwrap();
            Ok::<_, gatepost_store::StoreError>(())
        });
        job.await.unwrap();
    });
    while has_begun.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    let acted = tokio::spawn(acts);
    let n_waiting = async || {
        let row = house.it.store.read(|tx| tx.row(&sql::COUNT_WAITING, gatepost_store::params![])).await;
        row.unwrap().unwrap().get::<i64>(0).unwrap()
    };
    while n_waiting().await == 0 {
        assert!(!acted.is_finished(), "it waits for nobody");
    }
    go.send(()).unwrap();
    changed.await.unwrap();
    acted.await.unwrap()
}

/// RACE: PostgreSQL shows a transaction what was committed before each of its statements. Without a lock the link would be judged by
/// what was before, and the session made in the epoch of after, without a second step.
#[tokio::test]
async fn a_reset_waits_for_two_step_verification_that_is_turned_on_at_this_moment() {
    let house = House::new(gatepost_testkit::postgres(ROOMS).await).await;
    let anna = house.operator().await;
    let token = house.link(&anna, LinkKind::PasswordReset, "{}").await;
    let people = house.people.clone();
    let chosen = at_this_moment(&house, &anna, &sql::TURN_ON, async move {
        people.choose_password(&token, &secret(OTHER), None, false, &office()).await
    });
    assert!(is_over(chosen.await));
    assert!(house.sessions(&anna).await.is_empty());
}

/// RACE: read before the lock, the person would be looked for under an address that nobody has any more, or somebody else.
#[tokio::test]
async fn an_address_that_is_changed_at_this_moment_swallows_no_link() {
    let house = House::new(gatepost_testkit::postgres(ROOMS).await).await;
    let anna = house.operator().await;
    let made = house.signed_in(&anna).await;
    let token = house.link(&anna, LinkKind::NotMe, "{}").await;
    let people = house.people.clone();
    let secured =
        at_this_moment(
            &house,
            &anna,
            &sql::MOVE,
            async move { people.not_me(&token, false, &office()).await },
        );
    secured.await.unwrap();
    assert!(house.find(&made).await.is_none());
}
