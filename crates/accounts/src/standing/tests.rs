use proptest::prelude::*;

use gatepost_core::Who;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn diagnosis(rule: &str, retry: RetryClass) -> Diagnosis {
    let (cause, cure) = ("A cause.".to_owned(), "A cure.".to_owned());
    Diagnosis { rule: rule.to_owned(), cause, cure, who: Who::Owner, retry }
}

fn backoff(seconds: u64) -> RetryClass {
    RetryClass::Backoff { at_least: Duration::from_secs(seconds) }
}

fn refused(retry: RetryClass) -> What {
    What::SignInRefused { diagnosis: diagnosis("refused", retry), reply: Some(b"535 5.7.8 no".to_vec()) }
}

fn trouble(retry: RetryClass) -> What {
    What::Trouble { diagnosis: diagnosis("trouble", retry), reply: None }
}

fn blocked() -> What {
    What::Blocked { diagnosis: diagnosis("blocked", backoff(0)), reply: Some(b"550 5.4.5 limit".to_vec()) }
}

fn standing(state: State) -> Standing {
    Standing { rule: Some("before".into()), n_failures: 1, ..Standing::quiet(state, Timestamp::EPOCH) }
}

/// docs/decisions/0002, "One account, one direction", cell by cell; `None` is a cell in which nothing changes.
#[test]
fn every_move_is_the_documented_one() {
    use State::{Blocked, Connected, Failing, NeedsSignIn, Unchecked};
    let events = [
        What::Succeeded,
        refused(RetryClass::Hold),
        refused(backoff(0)),
        trouble(backoff(0)),
        blocked(),
        What::LetterSent,
        What::Opened,
    ];
    let table = [
        (
            Unchecked,
            [
                Some(Connected),
                Some(NeedsSignIn),
                Some(Failing),
                Some(Failing),
                Some(Blocked),
                Some(Connected),
                Some(Connected),
            ],
        ),
        (Connected, [None, Some(NeedsSignIn), Some(Failing), Some(Failing), Some(Blocked), None, None]),
        (
            NeedsSignIn,
            [
                Some(Connected),
                Some(NeedsSignIn),
                Some(NeedsSignIn),
                Some(NeedsSignIn),
                None,
                Some(Connected),
                Some(Connected),
            ],
        ),
        (
            Failing,
            [
                Some(Connected),
                Some(NeedsSignIn),
                Some(Failing),
                Some(Failing),
                Some(Blocked),
                Some(Connected),
                Some(Connected),
            ],
        ),
        (
            Blocked,
            [
                None,
                Some(NeedsSignIn),
                Some(Blocked),
                Some(Blocked),
                Some(Blocked),
                Some(Connected),
                Some(Connected),
            ],
        ),
    ];
    for (state, row) in table {
        for (event, want) in events.iter().zip(row) {
            let got = standing(state).after(event, NOW).map(|it| it.state);
            assert_eq!(got, want, "{state:?} and {event:?}");
        }
    }
}

#[test]
fn a_refusal_that_no_rule_lets_wait_parks_the_account() {
    for retry in [RetryClass::Hold, RetryClass::Permanent] {
        assert_eq!(standing(State::Connected).after(&refused(retry), NOW).unwrap().state, State::NeedsSignIn);
    }
    assert_eq!(
        standing(State::Connected).after(&refused(RetryClass::Now), NOW).unwrap().state,
        State::Failing
    );
    // No sign-in is possible until somebody acts: as good as refused.
    let no_mechanism = trouble(RetryClass::Hold);
    assert_eq!(standing(State::Connected).after(&no_mechanism, NOW).unwrap().state, State::NeedsSignIn);
}

fn waits(mut it: Standing, event: &What, n: usize) -> Vec<u64> {
    let mut now = NOW;
    let mut waits = Vec::new();
    for _ in 0..n {
        it = it.after(event, now).unwrap();
        let until = it.not_before.unwrap();
        waits.push(until.since(now).as_secs());
        now = until;
    }
    waits
}

#[test]
fn a_parked_account_is_probed_after_5_and_30_minutes_2_hours_then_daily() {
    let day = 86_400;
    let want = [300, 1_800, 7_200, day, day];
    assert_eq!(waits(standing(State::Connected), &refused(RetryClass::Hold), 5), want);
    // A probe that could not even connect counts like one that was refused.
    let parked = standing(State::Connected).after(&refused(RetryClass::Hold), NOW).unwrap();
    assert_eq!(waits(parked, &trouble(backoff(0)), 4), want[1..]);
}

#[test]
fn a_failing_account_waits_from_a_minute_up_to_4000_seconds() {
    let want = [60, 120, 240, 480, 960, 1_920, 3_840, 4_000, 4_000];
    for event in [trouble(backoff(0)), blocked()] {
        assert_eq!(waits(standing(State::Connected), &event, 9), want);
    }
    assert_eq!(waits(standing(State::Connected), &trouble(RetryClass::Now), 2), want[..2]);
}

#[test]
fn a_stated_wait_lengthens_and_never_shortens() {
    assert_eq!(waits(standing(State::Connected), &trouble(backoff(3_600)), 3), [3_600, 3_600, 3_600]);
    assert_eq!(waits(standing(State::Failing), &trouble(backoff(1)), 1), [120]);
}

#[test]
fn probing_in_vain_keeps_the_reason_and_since_when() {
    let parked = standing(State::Connected).after(&refused(RetryClass::Hold), NOW).unwrap();
    let later = NOW + Duration::from_mins(5);
    let still = parked.after(&trouble(backoff(0)), later).unwrap();
    assert_eq!((still.rule, still.reply, still.since), (parked.rule, parked.reply, NOW));
    assert_eq!(still.checked_at, later);
}

#[test]
fn a_reply_without_end_is_cut() {
    let long = What::Trouble { diagnosis: diagnosis("x", backoff(0)), reply: Some(vec![b'x'; 100_000]) };
    assert_eq!(standing(State::Connected).after(&long, NOW).unwrap().reply.unwrap().len(), REPLY_BYTES);
}

#[test]
fn a_clock_set_back_neither_keeps_waiting_nor_makes_all_events_old() {
    let failing = standing(State::Connected).after(&trouble(backoff(3_600)), NOW).unwrap();
    let before = NOW - Duration::from_hours(5);
    assert!(failing.waits_until(NOW).is_some());
    assert_eq!(failing.waits_until(before), None);
    assert!(failing.is_older(before, NOW));
    assert!(!failing.is_older(before, before));
}

fn any_what() -> impl Strategy<Value = What> {
    let retry = prop_oneof![
        Just(RetryClass::Now),
        Just(RetryClass::Hold),
        Just(RetryClass::Permanent),
        (0_u64..100_000).prop_map(backoff)
    ];
    (0_u8..6, retry).prop_map(|(kind, retry)| match kind {
        0 => What::Succeeded,
        1 => refused(retry),
        2 => trouble(retry),
        3 => What::Blocked { diagnosis: diagnosis("blocked", retry), reply: None },
        4 => What::Opened,
        _ => What::LetterSent,
    })
}

proptest! {
    /// Whatever happens: what is wrong has a time before which nothing is dialled and a name, what is not has neither.
    #[test]
    fn trouble_always_waits_and_success_never(events in prop::collection::vec((any_what(), 0_u64..100_000_000), 0..60)) {
        let (mut it, mut now) = (Standing::unchecked(NOW), NOW);
        for (event, span) in events {
            now = now + Duration::from_millis(span);
            it = it.after(&event, now).unwrap_or(it);
            let is_wrong = matches!(it.state.name(), StatusName::NeedsSignIn | StatusName::Failing);
            prop_assert_eq!(it.not_before.is_some(), is_wrong);
            prop_assert_eq!(it.rule.is_some(), is_wrong);
            prop_assert_eq!(it.n_failures > 0, is_wrong);
            prop_assert!(it.since <= it.checked_at);
            prop_assert!(it.not_before.is_none_or(|until| until >= it.checked_at + Duration::from_secs(60)));
        }
    }
}
