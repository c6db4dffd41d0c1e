use std::time::Duration;

use gatepost_core::{PersonId, Timestamp};
use gatepost_store::{RoomMigrations, Statement};
use gatepost_testkit::{TestStore, on_both_engines};
use serde_json::json;

use super::*;

const ROOMS: &[RoomMigrations] = &[gatepost_store::MIGRATIONS, crate::MIGRATIONS];

on_both_engines!(ROOMS;
    a_notice_is_due_until_it_is_done,
    of_two_nodes_one_takes_a_notice_in_hand,
    a_notice_put_off_beyond_the_horizon_is_due,
    a_notice_that_cannot_be_read_makes_no_other_wait,
    giving_up_is_journalled_once,
    what_became_of_a_notice_is_forgotten_after_ninety_days,
);

mod tampering {
    gatepost_store::statements! {
        /// A word that no version knows.
        BREAK_KIND = "UPDATE notice SET kind = 'postcard' WHERE id = $1";
    }
}

fn time(now: Timestamp) -> DueTime {
    DueTime { now, horizon: now + Duration::from_hours(2) }
}

async fn write(it: &TestStore, person: PersonId) -> NoticeId {
    let (world, organisation) = (it.world.clone(), it.organisation);
    let job = move |tx: &mut Transaction<'_>| {
        let addresses = ["ana@example.org".parse().unwrap(), "ana@home.test".parse().unwrap()];
        let details = json!({ "device": "Firefox on Windows" });
        let notice = Notice {
            organisation,
            kind: NoticeKind::NewDevice,
            person,
            addresses: &addresses,
            link: None,
            details,
        };
        notify(tx, &world, &notice)
    };
    it.store.write(job).await.unwrap()
}

async fn due(it: &TestStore) -> Vec<DueNotice> {
    due_notices(&it.store, time(it.world.now()), 10).await.unwrap()
}

async fn take(it: &TestStore, due: DueNotice) -> Result<Option<OpenNotice>, StoreError> {
    let now = it.world.now();
    take_notice(&it.store, due, time(now), now + Duration::from_mins(1)).await
}

async fn states(it: &TestStore, person: PersonId) -> Vec<NoticeState> {
    let latest = latest_notices(&it.store, it.organisation, person, 10).await.unwrap();
    latest.into_iter().map(|it| it.state).collect()
}

async fn a_notice_is_due_until_it_is_done(it: TestStore) {
    let person = PersonId::new(&it.world);
    let id = write(&it, person).await;
    let first = due(&it).await;
    assert_eq!(first, [DueNotice { organisation: it.organisation, id, n_tries: 0 }]);
    let taken = take(&it, first[0]).await.unwrap().unwrap();
    assert_eq!((taken.kind, taken.person, taken.due.n_tries), (NoticeKind::NewDevice, person, 1));
    assert_eq!(
        taken.addresses.iter().map(EmailAddress::as_str).collect::<Vec<_>>(),
        ["ana@example.org", "ana@home.test"]
    );
    assert_eq!(taken.details["device"], "Firefox on Windows");
    assert!(due(&it).await.is_empty(), "it is in hand");

    let later = it.world.now() + Duration::from_mins(5);
    notice_waits(&it.store, first[0], "no account".into(), later).await.unwrap();
    it.clock.advance(Duration::from_mins(4));
    assert!(due(&it).await.is_empty(), "it was put off");
    let waiting = NoticeState::Waiting { because: Some("no account".into()), next_try_at: later };
    assert_eq!(states(&it, person).await, [waiting]);
    it.clock.advance(Duration::from_mins(1));
    assert_eq!(due(&it).await, first, "waiting was no try");

    let taken = take(&it, first[0]).await.unwrap().unwrap();
    notice_done(&it.store, taken.due).await.unwrap();
    it.clock.advance(Duration::from_hours(24));
    assert!(due(&it).await.is_empty());
    assert_eq!(states(&it, person).await, [NoticeState::InOutbox]);
    assert!(states(&it, PersonId::new(&it.world)).await.is_empty(), "another person has none");
}

/// RACE: both have read that it is due.
async fn of_two_nodes_one_takes_a_notice_in_hand(it: TestStore) {
    write(&it, PersonId::new(&it.world)).await;
    let one = due(&it).await[0];
    let it = std::sync::Arc::new(it);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let it = std::sync::Arc::clone(&it);
        tasks.spawn(async move { take(&it, one).await.unwrap().is_some() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|it| *it).count(), 1);
}

/// QS-14: a clock that was a year ahead has put nothing off for a year.
async fn a_notice_put_off_beyond_the_horizon_is_due(it: TestStore) {
    let now = it.world.now();
    it.clock.advance(Duration::from_hours(24 * 365));
    write(&it, PersonId::new(&it.world)).await;
    it.clock.set(now);
    let late = due(&it).await;
    assert_eq!(late.len(), 1);
    assert!(take(&it, late[0]).await.unwrap().is_some());
    assert!(due(&it).await.is_empty());
}

async fn a_notice_that_cannot_be_read_makes_no_other_wait(it: TestStore) {
    let person = PersonId::new(&it.world);
    let id = write(&it, person).await;
    it.store.write(move |tx| tx.execute(&tampering::BREAK_KIND, params![id])).await.unwrap();
    it.clock.advance(Duration::from_millis(1));
    let good = write(&it, person).await;
    let both = due(&it).await;
    assert_eq!(both.iter().map(|it| it.id).collect::<Vec<_>>(), [id, good]);
    let broken = take(&it, both[0]).await;
    assert!(matches!(broken, Err(StoreError::Contradiction { .. })), "{broken:?}");
    assert_eq!(due(&it).await.iter().map(|it| it.id).collect::<Vec<_>>(), [good]);
}

async fn giving_up_is_journalled_once(it: TestStore) {
    let person = PersonId::new(&it.world);
    let id = write(&it, person).await;
    let one = due(&it).await[0];
    let mut notice = take(&it, one).await.unwrap().unwrap();
    notice.because = Some("no account".into());
    for _ in 0..2 {
        notice_given_up(&it.store, &notice, "five days are over", None).await.unwrap();
    }
    let gone = NoticeState::GivenUp { because: "five days are over: no account".into() };
    assert_eq!(states(&it, person).await, [gone]);
    let entries = crate::newest(&it.store, it.organisation, 10).await.unwrap();
    let [entry] = entries.as_slice() else { panic!("one entry: {entries:?}") };
    assert_eq!((entry.action.as_str(), entry.subject_id), ("notice.given_up", Some(id.uuid())));
    assert!(entry.details.contains("five days are over"), "{}", entry.details);
}

async fn what_became_of_a_notice_is_forgotten_after_ninety_days(it: TestStore) {
    let person = PersonId::new(&it.world);
    write(&it, person).await;
    let one = due(&it).await[0];
    let days = |n: u64| std::time::Duration::from_hours(24 * n);
    it.clock.advance(days(100));
    sweep_notices(&it.store).await.unwrap();
    assert_eq!(states(&it, person).await.len(), 1, "one that waits is not forgotten");
    notice_done(&it.store, one).await.unwrap();
    for (n, left) in [(90, 1), (1, 0)] {
        it.clock.advance(days(n));
        sweep_notices(&it.store).await.unwrap();
        assert_eq!(states(&it, person).await.len(), left);
    }
}

/// What is due is found by its index, or every notice there ever was is read every few seconds.
#[tokio::test]
async fn due_notices_are_found_by_their_index() {
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let text = Box::leak(format!("EXPLAIN QUERY PLAN {}", sql::LIST_DUE_NOTICES.text).into_boxed_str());
    let explain = Statement { name: "EXPLAIN", text, lock: gatepost_store::Lock::None };
    let now = it.world.now();
    let plan = it.store.read(move |tx| {
        let rows = tx.rows(&explain, params![now, now, 10_u32])?;
        rows.iter().map(|row| row.get::<String>(3)).collect::<Result<Vec<_>, StoreError>>()
    });
    let plan = plan.await.unwrap().join("; ");
    assert!(plan.contains("notice_due"), "{plan}");
}
