//! What those hear who wait for an application's first sign-in, on both engines.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod house;

use std::time::Duration;

use gatepost_identity::{
    CreatedAppPassword, DoorEvent, DoorReport, Listening, Opening, Protocol, RefusedBecause,
};
use gatepost_journal::Actor;
use gatepost_testkit::{TestStore, on_both_engines};

use house::{House, OFFICE, ROOMS, address};

on_both_engines!(ROOMS;
    every_try_under_the_user_name_is_heard_and_nothing_of_others,
    whether_a_mailbox_opened_is_heard_by_those_who_wait_for_its_app_password,
    a_wrong_user_name_is_shown_to_nobody_but_whose_letters_were_typed,
    letters_are_kept_only_while_somebody_listens,
    the_last_five_hundred_are_remembered_in_order,
    a_slowed_source_is_told_of_and_of_whose_user_name_to_those_it_concerns,
);

const WRONG: &str = "zzzz zzzz zzzz zzzz";

async fn listen(house: &House, made: &CreatedAppPassword) -> Listening {
    house.sign_ins.reports().listen(house.organisation, house.login.id, made.id).await.unwrap()
}

async fn next(listening: &mut Listening) -> DoorReport {
    tokio::time::timeout(Duration::from_secs(20), listening.next()).await.unwrap()
}

async fn every_try_under_the_user_name_is_heard_and_nothing_of_others(it: TestStore) {
    let house = House::new(it).await;
    let (mine, other) = (house.make("mine").await, house.make("other").await);
    let elsewhere = house.identity.create_organisation("Elsewhere", Actor::Command).await.unwrap().id;
    let account = gatepost_core::MailAccountId::new(&house.it.world);
    let theirs =
        house.identity.ensure_account_login(elsewhere, account, &address("them@example.org"), None).await;
    let theirs = theirs.unwrap();
    let foreign = house.make_for(&theirs, "foreign").await;
    house.identity.revoke_app_password(house.organisation, other.id, Actor::Command).await.unwrap();

    let mut listening = listen(&house, &mine).await;
    house.sign_in(&foreign).await;
    house.verify("them@example.org", WRONG).await.unwrap_err();
    house.verify("reception@example.org", WRONG).await.unwrap_err();
    house.verify("reception@example.org", other.text.grouped().reveal()).await.unwrap_err();
    house.sign_in(&mine).await;
    for want in [(None, RefusedBecause::WrongPassword), (Some(other.id), RefusedBecause::Removed)] {
        let report = next(&mut listening).await;
        let DoorEvent::Refused { app_password, why, login, .. } = report.event else { panic!("{report:?}") };
        assert_eq!(((app_password, why), login), (want, house.login.id));
    }
    let report = next(&mut listening).await;
    assert_eq!((report.tls, report.mechanism), (Some("TLS 1.3"), Some("PLAIN")));
    assert_eq!((report.source, report.at), (OFFICE.parse().unwrap(), house.it.world.now()));
    let DoorEvent::SignedIn { organisation, login, app_password } = report.event else {
        panic!("{report:?}")
    };
    assert_eq!((organisation, login, app_password), (house.organisation, house.login.id, mine.id));
    // Who comes later sees what is remembered; an organisation that names another's app password sees nothing of it.
    let late = listen(&house, &mine).await;
    assert_eq!(late.past(report.at).len(), 3);
    assert!(late.past(report.at + Duration::from_millis(1)).is_empty());
    let stranger = house.sign_ins.reports().listen(elsewhere, house.login.id, mine.id).await.unwrap();
    assert!(stranger.past(report.at).is_empty());
}

async fn whether_a_mailbox_opened_is_heard_by_those_who_wait_for_its_app_password(it: TestStore) {
    let house = House::new(it).await;
    let (mine, other) = (house.make("mine").await, house.make("other").await);
    let (mut me, mut them) = (listen(&house, &mine).await, listen(&house, &other).await);
    let who = house.sign_in(&mine).await;
    let (reports, now) = (house.sign_ins.reports(), house.it.world.now());
    for outcome in [Err("it is paused".to_owned()), Ok(())] {
        let (source, tls) = (OFFICE.parse().unwrap(), Some("TLS 1.3"));
        let opening =
            Opening { who: &who, protocol: Protocol::Pop3, source, tls, mechanism: "USER", outcome };
        reports.opening(now, opening);
    }
    assert!(matches!(next(&mut me).await.event, DoorEvent::SignedIn { .. }));
    let report = next(&mut me).await;
    assert_eq!(
        (report.protocol, report.tls, report.mechanism),
        (Protocol::Pop3, Some("TLS 1.3"), Some("USER"))
    );
    let DoorEvent::NotOpened { because, .. } = report.event else { panic!("{report:?}") };
    assert_eq!(because, "it is paused");
    assert!(matches!(next(&mut me).await.event, DoorEvent::Opened { .. }));
    // Of another app password of the same user name nothing of it is told.
    house.sign_in(&other).await;
    let DoorEvent::SignedIn { app_password, .. } = next(&mut them).await.event else { panic!() };
    assert_eq!(app_password, other.id);
}

async fn a_wrong_user_name_is_shown_to_nobody_but_whose_letters_were_typed(it: TestStore) {
    let house = House::new(it).await;
    let (mine, other) = (house.make("mine").await, house.make("other").await);
    let (mut me, mut them) = (listen(&house, &mine).await, listen(&house, &other).await);
    house.verify("recepton@example.org", mine.text.grouped().reveal()).await.unwrap_err();
    house.verify("somebody", "not sixteen letters").await.unwrap_err();
    let seen = |report: DoorReport| match report.event {
        DoorEvent::UnknownUserName { typed, meant } => (typed, meant),
        other => panic!("{other:?}"),
    };
    assert_eq!(seen(next(&mut me).await), ("recepton@example.org".to_owned(), Some(mine.id)));
    assert_eq!(seen(next(&mut me).await), (String::new(), None));
    assert_eq!(seen(next(&mut them).await), (String::new(), None));
    assert_eq!(seen(next(&mut them).await), (String::new(), None));
    let again = listen(&house, &mine).await.past(house.it.world.now());
    assert_eq!(seen(again[0].clone()).1, Some(mine.id));
}

async fn letters_are_kept_only_while_somebody_listens(it: TestStore) {
    let house = House::new(it).await;
    let mine = house.make("mine").await;
    let began = house.it.world.now();
    let try_it = async || {
        house.it.clock.advance(Duration::from_mins(2));
        house.verify("recepton@example.org", mine.text.grouped().reveal()).await.unwrap_err();
    };
    let n_meant = async |began| {
        let past = listen(&house, &mine).await.past(began);
        past.iter().filter(|it| matches!(it.event, DoorEvent::UnknownUserName { meant: Some(_), .. })).count()
    };
    try_it().await;
    assert_eq!(n_meant(began).await, 0, "nobody had listened");
    try_it().await;
    assert_eq!(n_meant(began).await, 1, "somebody may come back");
    let held = listen(&house, &mine).await;
    house.it.clock.advance(Duration::from_mins(60));
    try_it().await;
    assert_eq!(n_meant(began).await, 2, "somebody listens for an hour");
    drop(held);
    house.it.clock.advance(Duration::from_mins(10));
    try_it().await;
    assert_eq!(n_meant(began).await, 0, "nobody came back, and all are forgotten");
}

async fn the_last_five_hundred_are_remembered_in_order(it: TestStore) {
    let house = House::new(it).await;
    let mine = house.make("mine").await;
    let (reports, now) = (house.sign_ins.reports(), house.it.world.now());
    let mut early = listen(&house, &mine).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let reports = reports.clone();
        tasks.spawn(async move {
            (0..100).for_each(|_| reports.without_tls(now, [127, 0, 0, 1].into(), Protocol::Smtp));
        });
    }
    tasks.join_all().await;
    let past = listen(&house, &mine).await.past(now);
    let numbers: Vec<_> = past.iter().map(|it| it.number).collect();
    assert_eq!(numbers, (301..=800).collect::<Vec<u64>>());
    // Whoever is too slow goes on with the oldest that there is.
    assert_eq!(next(&mut early).await.number, 301);
    assert!(early.past(now).is_empty());
}

/// Ten typing errors, and the right password did nothing any more: without a word.
async fn a_slowed_source_is_told_of_and_of_whose_user_name_to_those_it_concerns(it: TestStore) {
    let house = House::new(it).await;
    let mine = house.make("mine").await;
    let account = gatepost_core::MailAccountId::new(&house.it.world);
    let other = address("billing@example.org");
    let login = house.identity.ensure_account_login(house.organisation, account, &other, None).await.unwrap();
    let theirs = house.make_for(&login, "theirs").await;
    let began = house.it.world.now();
    let mut me = listen(&house, &mine).await;
    for n in 0..10 {
        house.verify("reception@example.org", &format!("wrong {n}")).await.unwrap_err();
        next(&mut me).await;
    }
    let slowed = async |user_name: &str| {
        let letters = mine.text.grouped();
        house.verify(user_name, letters.reveal()).await.unwrap_err()
    };
    // In capitals and with spaces, as people type it; said once, however often it is tried.
    for _ in 0..3 {
        slowed(" Reception@example.org ").await;
    }
    slowed("nobody@example.org").await;
    let whose = (house.organisation, house.login.id);
    for want in [Some(whose), None] {
        let report = next(&mut me).await;
        let DoorEvent::Slowed { whose, retry_after } = report.event else { panic!("{report:?}") };
        assert_eq!((whose, retry_after), (want, Duration::from_secs(60)));
        assert_eq!((report.source, report.at), (OFFICE.parse().unwrap(), began));
    }
    // Whom it does not concern reads of the source alone.
    let listening = house.sign_ins.reports().listen(house.organisation, login.id, theirs.id).await.unwrap();
    let past = listening.past(began).into_iter();
    let told: Vec<_> = past.map(|it| matches!(it.event, DoorEvent::Slowed { whose: None, .. })).collect();
    assert_eq!(told, [true, true]);
    // A minute later it is a try like others.
    house.it.clock.advance(Duration::from_mins(1));
    house.sign_in(&mine).await;
    assert!(matches!(next(&mut me).await.event, DoorEvent::SignedIn { .. }));
}
