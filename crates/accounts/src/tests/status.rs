use std::time::Duration;

use gatepost_testkit::on_both_engines;

use super::*;

on_both_engines!(
    ROOMS;
    a_sign_in_shows_as_connected,
    a_success_on_a_connected_account_costs_no_transaction,
    a_refused_sign_in_parks_the_account_and_says_why,
    a_failing_account_waits_then_tries_one_letter,
    a_block_ends_only_with_a_letter_really_sent,
    events_about_an_older_credential_or_time_change_nothing,
    pausing_holds_above_the_status_that_keeps_moving,
    a_parked_account_is_probed_by_schedule_and_success_releases_it,
    the_running_clock_stands_still_while_held_also_across_restarts,
    reading_counts_once_something_reads,
    what_one_process_writes_another_sees_within_a_second,
    a_row_that_contradicts_itself_is_an_error_that_names_it,
);

const CONNECTED: StatusName = StatusName::Connected;
const NEEDS_SIGN_IN: StatusName = StatusName::NeedsSignIn;
const FAILING: StatusName = StatusName::Failing;

async fn a_sign_in_shows_as_connected(it: TestStore) {
    let it = Fixture::new(it).await;
    assert_eq!(it.status().await.status, StatusName::Unchecked);
    it.advance(5);
    let change = it.report(What::Succeeded).await;
    assert_eq!(change, Change { before: StatusName::Unchecked, after: CONNECTED, released: false });
    let since = it.now();
    it.advance(5);
    for what in [What::Succeeded, What::LetterSent] {
        assert_eq!(it.report(what).await, Change { before: CONNECTED, after: CONNECTED, released: false });
    }
    let status = it.restarted().status(it.organisation, it.id).await.unwrap();
    assert_eq!((status.status, status.sending.since), (CONNECTED, since));
    assert_eq!((status.sending.diagnosis, status.sending.reply), (None, None));
}

/// Whoever looks at the broken row fails, so a report that succeeds has not looked. What is remembered lasts a second; on a
/// machine that was busy for longer it is shown again.
async fn a_success_on_a_connected_account_costs_no_transaction(it: TestStore) {
    let it = Fixture::new(it).await;
    it.report(What::Succeeded).await;
    let event = it.event(What::LetterSent).await;
    let mut was_free = false;
    for _ in 0..20 {
        it.accounts.refresh(it.organisation).await.unwrap();
        it.tamper(&tampering::BREAK_STATUS, vec![it.id.into()]).await;
        let done = it.accounts.report(it.organisation, it.id, Direction::Sending, event.clone()).await;
        it.tamper(&tampering::MEND_STATUS, vec![it.id.into()]).await;
        was_free |= done.is_ok();
    }
    assert!(was_free);
}

/// SC-8: 535 parks the account, not the letter.
async fn a_refused_sign_in_parks_the_account_and_says_why(it: TestStore) {
    let it = Fixture::new(it).await;
    it.report(What::Succeeded).await;
    it.advance(60);
    let change = it.report(refused()).await;
    assert_eq!(change, Change { before: CONNECTED, after: NEEDS_SIGN_IN, released: false });
    let status = it.status().await;
    assert_eq!((status.status, status.sending.since), (NEEDS_SIGN_IN, it.now()));
    assert_eq!(status.sending.reply.as_deref(), Some(&b"535 5.7.8 Authentication credentials invalid"[..]));
    let diagnosis = status.sending.diagnosis.expect("the catalogue knows a plain 535");
    assert_eq!(diagnosis.retry, RetryClass::Hold);
    match it.sending().await {
        Err(NotUsable::NeedsSignIn { since, diagnosis: shown }) => {
            assert_eq!((since, shown.as_deref()), (it.now(), Some(&diagnosis)));
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a parked account was handed out"),
    }
    assert!(it.accounts.is_held(it.id));
    let reason = it.accounts.held_reason(it.id).unwrap();
    let begins = "Reception (reception@example.org) cannot send since 09:13 UTC: ";
    assert!(reason.starts_with(begins), "{reason}");
    assert!(reason.contains(&diagnosis.cause) && reason.contains(&diagnosis.cure), "{reason}");
    it.advance(86_400);
    let next_day = it.accounts.held_reason(it.id).unwrap();
    assert!(next_day.contains("since 2026-11-21 09:13 UTC"), "{next_day}");
}

async fn a_failing_account_waits_then_tries_one_letter(it: TestStore) {
    let it = Fixture::new(it).await;
    it.report(What::Succeeded).await;
    it.advance(1);
    assert_eq!(it.report(unreachable()).await, Change { before: CONNECTED, after: FAILING, released: false });
    assert!(
        matches!(it.sending().await, Err(NotUsable::NotBefore(at)) if at == it.now() + Duration::from_secs(60))
    );
    assert!(!it.accounts.is_held(it.id), "failing does not hold: life goes on");
    it.advance(60);
    let trial = it.sending().await.unwrap_or_else(|why| panic!("{why}"));
    assert!(trial.is_trial);
    it.report(unreachable()).await;
    assert!(
        matches!(it.sending().await, Err(NotUsable::NotBefore(at)) if at == it.now() + Duration::from_secs(120))
    );
    it.advance(120);
    assert_eq!(
        it.report(What::Succeeded).await,
        Change { before: FAILING, after: CONNECTED, released: true }
    );
    assert!(!it.sending().await.unwrap_or_else(|why| panic!("{why}")).is_trial);
}

async fn a_block_ends_only_with_a_letter_really_sent(it: TestStore) {
    let it = Fixture::new(it).await;
    assert_eq!(it.report(blocked()).await.after, FAILING);
    it.advance(60);
    let quiet = Change { before: FAILING, after: FAILING, released: false };
    assert_eq!(it.report(What::Succeeded).await, quiet, "a sign-in proves nothing about a block");
    assert_eq!(it.report(unreachable()).await, quiet);
    it.advance(120);
    assert_eq!(it.report(What::Succeeded).await, quiet, "trouble on the way did not wash the block off");
    assert!(it.sending().await.unwrap_or_else(|why| panic!("{why}")).is_trial);
    assert_eq!(
        it.report(What::LetterSent).await,
        Change { before: FAILING, after: CONNECTED, released: true }
    );
}

async fn events_about_an_older_credential_or_time_change_nothing(it: TestStore) {
    let it = Fixture::new(it).await;
    let early = it.event(refused()).await;
    it.advance(10);
    it.report(What::Succeeded).await;
    it.advance(10);
    let quiet = Change { before: CONNECTED, after: CONNECTED, released: false };
    assert_eq!(
        it.report_event(early.clone()).await,
        quiet,
        "that sign-in began before the one that succeeded"
    );

    // One of many connections that were opened together fails first; the others tell nothing new.
    let together = it.event(unreachable()).await;
    it.advance(1);
    assert_eq!(it.report_event(together.clone()).await.after, FAILING);
    let wait = it.now() + Duration::from_secs(60);
    it.advance(1);
    it.report_event(together).await;
    assert!(matches!(it.sending().await, Err(NotUsable::NotBefore(at)) if at == wait));

    let old = it.event(refused()).await;
    it.advance(1);
    let secret = SecretText::new("new".into());
    it.accounts.replace_secret(it.organisation, it.id, secret, Actor::Command).await.unwrap();
    let old_password = Event { began_at: it.now() + Duration::from_secs(9), ..old };
    for accounts in [it.accounts.clone(), it.restarted()] {
        let event = old_password.clone();
        let change = accounts.report(it.organisation, it.id, Direction::Sending, event).await.unwrap();
        assert_eq!((change.before, change.after), (StatusName::Unchecked, StatusName::Unchecked));
    }
}

async fn pausing_holds_above_the_status_that_keeps_moving(it: TestStore) {
    let it = Fixture::new(it).await;
    let (organisation, id) = (it.organisation, it.id);
    let change = it.accounts.pause(organisation, id, Actor::Command).await.unwrap();
    assert_eq!(change, Change { before: StatusName::Unchecked, after: StatusName::Paused, released: false });
    assert!(matches!(it.sending().await, Err(NotUsable::Paused)));
    let reason = it.accounts.held_reason(id).unwrap();
    assert!(reason.contains("is paused since 09:12 UTC"), "{reason}");
    assert_eq!(it.report(refused()).await.after, StatusName::Paused);
    assert_eq!(it.status().await.sending.status, NEEDS_SIGN_IN);
    assert_eq!(
        it.accounts.due_probes(it.now() + Duration::from_hours(99), Direction::Sending).await.unwrap(),
        []
    );
    let resumed = it.accounts.resume(organisation, id, Actor::Command).await.unwrap();
    assert_eq!(resumed, Change { before: StatusName::Paused, after: NEEDS_SIGN_IN, released: false });

    it.accounts.pause(organisation, id, Actor::Command).await.unwrap();
    it.advance(1);
    assert!(!it.report(What::Succeeded).await.released, "what is still paused is not released");
    let resumed = it.accounts.resume(organisation, id, Actor::Command).await.unwrap();
    assert_eq!(resumed, Change { before: StatusName::Paused, after: CONNECTED, released: true });
    assert_eq!(it.accounts.held_reason(id), None);
}

/// SC-8.
async fn a_parked_account_is_probed_by_schedule_and_success_releases_it(it: TestStore) {
    let it = Fixture::new(it).await;
    let due = async || it.accounts.due_probes(it.now(), Direction::Sending).await.unwrap();
    it.report(refused()).await;
    for minutes in [5, 30, 120, 24 * 60, 24 * 60] {
        it.advance(minutes * 60 - 1);
        assert_eq!(due().await, [], "not yet after {minutes} minutes");
        it.advance(1);
        assert_eq!(due().await, [(it.organisation, it.id)], "{minutes} minutes");
        assert!(matches!(it.sending().await, Err(NotUsable::NeedsSignIn { .. })), "a probe sends no letter");
        let change = it.report(refused()).await;
        assert_eq!(change, Change { before: NEEDS_SIGN_IN, after: NEEDS_SIGN_IN, released: false });
        assert_eq!(due().await, []);
    }
    it.advance(24 * 60 * 60);
    assert_eq!(
        it.report(What::Succeeded).await,
        Change { before: NEEDS_SIGN_IN, after: CONNECTED, released: true }
    );
    it.advance(24 * 60 * 60);
    assert_eq!(due().await, []);
    assert!(it.sending().await.is_ok());
}

async fn the_running_clock_stands_still_while_held_also_across_restarts(it: TestStore) {
    let it = Fixture::new(it).await;
    let start = it.now();
    let at = |seconds| start + Duration::from_secs(seconds);
    it.advance(100);
    assert_eq!(it.running_now().await, at(100));
    it.report(refused()).await;
    it.advance(1_000);
    assert_eq!(it.running_now().await, at(100));
    assert_eq!(it.restarted().running_now(it.organisation, it.id).await.unwrap(), at(100));
    // A pause within the hold, and longer than it, is one hold.
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    it.report(What::Succeeded).await;
    it.advance(1_000);
    assert_eq!(it.running_now().await, at(100));
    let clocks = it.accounts.running_clocks(it.organisation).await.unwrap();
    it.accounts.resume(it.organisation, it.id, Actor::Command).await.unwrap();
    it.advance(7);
    assert_eq!(it.running_now().await, at(107));
    assert_eq!(it.restarted().running_now(it.organisation, it.id).await.unwrap(), at(107));
    assert_eq!(clocks.reading(Some(it.id), it.now()), at(100), "as it was read");
    assert_eq!(clocks.reading(None, it.now()), it.now());
    // Failing does not stop it.
    it.report(unreachable()).await;
    it.advance(30);
    assert_eq!(it.running_now().await, at(137));
    let chosen = it.accounts.choose(it.organisation, Target::Account(it.id)).await.unwrap();
    assert_eq!(chosen.running_now, at(137));
}

async fn reading_counts_once_something_reads(it: TestStore) {
    let it = Fixture::new(it).await;
    it.report(What::Succeeded).await;
    let status = it.status().await;
    assert_eq!((status.status, status.reading.status), (CONNECTED, StatusName::Unchecked));
    let event = it.event(refused()).await;
    it.accounts.report(it.organisation, it.id, Direction::Reading, event).await.unwrap();
    let status = it.restarted().status(it.organisation, it.id).await.unwrap();
    assert_eq!((status.status, status.sending.status), (NEEDS_SIGN_IN, CONNECTED));
    assert!(!it.accounts.is_held(it.id), "letters go out while reading is refused");
    assert!(it.sending().await.is_ok());
}

async fn what_one_process_writes_another_sees_within_a_second(it: TestStore) {
    let it = Fixture::new(it).await;
    let neighbour = it.restarted();
    neighbour.refresh_all().await.unwrap();
    assert!(!neighbour.is_held(it.id));
    it.accounts.pause(it.organisation, it.id, Actor::Command).await.unwrap();
    assert!(
        matches!(neighbour.sending(it.organisation, it.id).await, Err(NotUsable::Paused)),
        "never from memory"
    );
    let started = std::time::Instant::now();
    while neighbour.status(it.organisation, it.id).await.unwrap().status != StatusName::Paused {
        assert!(started.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(neighbour.is_held(it.id));
}

async fn a_row_that_contradicts_itself_is_an_error_that_names_it(it: TestStore) {
    let it = Fixture::new(it).await;
    it.tamper(&tampering::BREAK_STATUS, vec![it.id.into()]).await;
    let refused = it.restarted().status(it.organisation, it.id).await.unwrap_err().to_string();
    assert!(refused.contains("LIST_STATUSES") && refused.contains("a status"), "{refused}");
}
