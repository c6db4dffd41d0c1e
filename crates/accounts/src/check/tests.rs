use std::sync::Arc;
use std::time::Duration;

use gatepost_providers::Providers;
use tokio::sync::Notify;

use super::*;
use crate::sending::ReadingProtocol::{Imap, Pop3};

mod dovecot;
pub(crate) mod house;

use house::{House, reach};

/// Long enough for every letter that arrives.
const LONG: Duration = Duration::from_secs(60);
/// One look, or a few.
const SHORT: Duration = Duration::from_millis(20);

/// Checks a mailbox that is no account, and gives the words of its steps with how they went, both directions in one; what each
/// direction says of the mailbox; and what whoever watched has seen.
async fn check(
    mailbox: SendingAccount,
    proof: &Proof,
    looks_for: Duration,
) -> (Vec<(&'static str, Outcome)>, Vec<What>, Progress) {
    let ((world, _), providers) = (gatepost_testkit::world(), Providers::embedded());
    let (progress, watched) = watch::channel(Progress::default());
    let reach = reach(&world, looks_for);
    let sign_ins = SignIns::default();
    let mut checking = Checking::new(
        mailbox,
        Errand { reach: &reach, proof, progress: &progress },
        Means { world: &world, catalogue: providers.catalogue(), sign_ins: &sign_ins },
    );
    let mut all = vec![checking.sending(None).await.unwrap_or_else(|why| panic!("{why}"))];
    all.extend(checking.reading(None).await.unwrap_or_else(|why| panic!("{why}")));
    let whats = all.iter().map(|it| it.what.clone().unwrap()).collect();
    let steps = all.into_iter().flat_map(|it| it.steps).map(|(step, outcome)| (step.word(), outcome));
    let seen = watched.borrow().clone();
    (steps.collect(), whats, seen)
}

fn letter() -> Proof {
    Proof::Letter { asked_by: "Ana Ortiz".into() }
}

/// How the last step went.
fn last(steps: &[(&'static str, Outcome)]) -> (&'static str, &'static str) {
    steps.last().map(|(step, outcome)| (*step, outcome.word())).unwrap()
}

#[tokio::test]
async fn a_letter_is_sent_found_again_and_removed_and_every_step_is_seen_in_its_order() {
    // Not there at the first look, nor at the second.
    let house = House::new(|it| it.at_look = 4);
    let (steps, whats, seen) = check(house.mailbox(Some(Imap)).await, &letter(), LONG).await;
    let words: Vec<&str> = steps.iter().map(|it| it.0).collect();
    assert_eq!(
        words,
        [
            "resolve", "connect", "greet", "sign_in", "may_send", "resolve", "connect", "greet", "sign_in",
            "open", "arrival"
        ]
    );
    assert!(steps.iter().all(|(_, outcome)| *outcome == Outcome::Passed), "{steps:?}");
    assert_eq!(whats, [What::LetterSent, What::Opened]);
    let shown: Vec<&str> = seen.taken.iter().map(|it| it.step.word()).collect();
    assert_eq!((shown, seen.under_way), (words, None));
    house.with(|it| {
        assert_eq!((it.n_looks, it.left_in("INBOX")), (4, 1), "and another's letter stays: {:?}", it.heard);
        let verbs: Vec<_> = it.heard.iter().filter(|it| it.contains("EXPUNGE")).collect();
        assert_eq!(verbs, ["UID EXPUNGE 2"]);
    });
}

#[tokio::test]
async fn the_letter_says_who_asked_for_it_and_that_no_machine_should_answer() {
    let house = House::new(|_| {});
    check(house.mailbox(None).await, &letter(), LONG).await;
    let sent = house.with(|it| it.sent.clone());
    let [text] = sent.as_slice() else { panic!("{sent:?}") };
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    for field in [
        "From: \"Gatepost\" <reception@practice.example>\r\n",
        "To: reception@practice.example\r\n",
        "Subject: Gatepost checks this mailbox: ",
        "Date: Sat, 21 Nov 2026 09:12:00 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "@practice.example>\r\n",
    ] {
        assert!(header.contains(field), "{field} {header}");
    }
    assert!(body.contains("Ana Ortiz asked Gatepost at gatepost.example"), "{body}");
    house.with(|it| {
        let envelope: Vec<&str> = it.heard.iter().map(String::as_str).filter(|it| it.contains("<")).collect();
        let size = text.len();
        assert_eq!(
            envelope,
            [
                format!("MAIL FROM:<reception@practice.example> SIZE={size}"),
                "RCPT TO:<reception@practice.example>".into()
            ]
        );
    });
}

#[tokio::test]
async fn only_a_sign_in_sends_nothing() {
    let house = House::new(|_| {});
    let (steps, whats, _) = check(house.mailbox(Some(Imap)).await, &Proof::SignIn, LONG).await;
    assert_eq!(last(&steps), ("open", "passed"));
    assert_eq!((steps.len(), whats), (9, vec![What::Succeeded, What::Opened]));
    house.with(|it| assert!(!it.heard.iter().any(|it| it.starts_with("MAIL") || it.starts_with("UID"))));
}

/// A refusal of the letter is one cross; what it says of the account is what the same words to any other letter say.
#[tokio::test]
async fn a_mailbox_that_signs_in_and_may_not_send_has_exactly_one_cross() {
    for (at, says, effect) in [
        ("MAIL", "550 5.1.8 Access denied, bad outbound sender AS(42004)\r\n", "blocked"),
        ("MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender\r\n", "none"),
        ("RCPT", "550 5.1.1 no such mailbox\r\n", "none"),
        ("DATA", "550 5.4.5 Daily user sending limit exceeded\r\n", "blocked"),
        (".", "554 5.7.1 message looks like spam\r\n", "none"),
        ("MAIL", "535 5.7.8 Bad password\r\n", "sign-in"),
        ("MAIL", "421 4.3.2 not now\r\n", "trouble"),
        ("RCPT", "451 4.3.0 later\r\n", "none"),
        ("MAIL", "", "trouble"),
        (".", "", "none"),
    ] {
        let house = House::new(|it| it.says = vec![(at, says)]);
        let (steps, whats, seen) = check(house.mailbox(Some(Imap)).await, &letter(), LONG).await;
        let crosses: Vec<_> = steps.iter().filter(|it| matches!(it.1, Outcome::Failed { .. })).collect();
        let [("may_send", Outcome::Failed { diagnosis, reply })] = crosses.as_slice() else {
            panic!("{at} {says}: {steps:?}")
        };
        let said = String::from_utf8_lossy(reply.as_deref().unwrap_or_default());
        match says {
            "" => assert!(said.starts_with("nothing that helps; tried was "), "{said}"),
            says => assert_eq!(said, says.trim_end(), "{diagnosis:?}"),
        }
        assert_eq!(last(&steps), ("arrival", "not_reached"), "and reading is looked at all the same");
        assert_eq!(steps.iter().filter(|it| it.1.is_tick()).count(), 4 + 5);
        assert_eq!(seen.taken.len(), 4 + 1 + 5);
        let found = match &whats[0] {
            What::Succeeded => "none",
            What::Blocked { .. } => "blocked",
            What::SignInRefused { .. } => "sign-in",
            What::Trouble { .. } => "trouble",
            What::LetterSent => "sent",
            What::Opened => "opened",
        };
        assert!(found == effect, "{at} {says}: {found} {diagnosis:?}");
    }
}

#[tokio::test]
async fn where_the_letter_lies_says_what_it_proves() {
    for (folder, want, is_left) in [
        (Some("INBOX"), Outcome::Passed, false),
        (Some("Spam"), Outcome::PassedInJunk, false),
        (Some("All"), Outcome::Passed, false),
        (Some("Sent"), Outcome::NotSeen { in_sent: true }, true),
        (None, Outcome::NotSeen { in_sent: false }, true),
    ] {
        let house = House::new(|it| it.arrives_in = folder);
        let looks_for = if want.is_tick() { LONG } else { SHORT };
        let (steps, whats, _) = check(house.mailbox(Some(Imap)).await, &letter(), looks_for).await;
        assert_eq!(steps.last(), Some(&("arrival", want)), "{folder:?}");
        assert_eq!(whats, [What::LetterSent, What::Opened], "not seen says nothing against the account");
        house.with(|it| {
            let expunged = it.heard.iter().any(|it| it.contains("EXPUNGE"));
            assert_eq!(expunged, !is_left, "{folder:?}");
            assert_eq!(it.left_in("INBOX"), 1);
        });
    }
}

#[tokio::test]
async fn a_server_that_lets_nobody_look_has_its_cross_at_reading() {
    for (at, want) in [("SELECT", "open"), ("UID SEARCH", "arrival")] {
        let house = House::new(|it| it.says = vec![(at, "NO [LIMIT] Too many connections\r\n")]);
        let (steps, whats, _) = check(house.mailbox(Some(Imap)).await, &letter(), LONG).await;
        let crosses: Vec<_> = steps.iter().filter(|it| it.1.word() == "failed").collect();
        assert!(matches!(crosses.as_slice(), [(step, _)] if *step == want), "{steps:?}");
        assert!(matches!(whats.as_slice(), [What::LetterSent, What::Trouble { .. }]), "{whats:?}");
    }
}

#[tokio::test]
async fn a_letter_to_another_mailbox_is_found_there_and_left() {
    let house = House::new(|_| {});
    let mut mailbox = house.mailbox(Some(Imap)).await;
    mailbox.opens = Some("shared@practice.example".parse().unwrap());
    let (steps, ..) = check(mailbox, &letter(), LONG).await;
    assert_eq!(last(&steps), ("arrival", "passed"));
    house.with(|it| {
        assert!(it.heard.contains(&"RCPT TO:<shared@practice.example>".to_owned()));
        assert!(it.sent[0].contains("To: shared@practice.example\r\n"));
        assert!(!it.heard.iter().any(|it| it.contains("STORE") || it.contains("EXPUNGE")));
        assert_eq!(it.left_in("INBOX"), 2);
    });
}

#[tokio::test]
async fn by_pop3_it_is_looked_for_twice_and_nothing_is_deleted() {
    for (at_look, has_top, want, n_looks) in [
        (1, true, Outcome::Passed, 1),
        (2, true, Outcome::Passed, 2),
        (3, true, Outcome::NotSeen { in_sent: false }, 2),
        (1, false, Outcome::NotSeen { in_sent: false }, 2),
    ] {
        let house = House::new(|it| (it.at_look, it.has_top) = (at_look, has_top));
        let (steps, whats, _) = check(house.mailbox(Some(Pop3)).await, &letter(), SHORT).await;
        assert_eq!(steps.last(), Some(&("arrival", want)), "{at_look}");
        assert_eq!(whats, [What::LetterSent, What::Opened]);
        house.with(|it| {
            assert_eq!(it.n_looks, n_looks);
            assert!(!it.heard.iter().any(|it| it.starts_with("DELE")), "{:?}", it.heard);
        });
    }
}

/// Whoever watches sees a step as soon as it is over, and what is being waited for.
#[tokio::test]
async fn the_steps_are_seen_while_the_check_goes_on() {
    let bell = Arc::new(Notify::new());
    let house = House::new(|it| (it.at_look, it.greets_at) = (u32::MAX, Some(Arc::clone(&bell))));
    let mailbox = house.mailbox(Some(Imap)).await;
    let ((world, _), providers) = (gatepost_testkit::world(), Providers::embedded());
    let (progress, mut watched) = watch::channel(Progress::default());
    let (reach, proof) = (reach(&world, LONG), letter());
    let checking = async {
        let errand = Errand { reach: &reach, proof: &proof, progress: &progress };
        let sign_ins = SignIns::default();
        let means = Means { world: &world, catalogue: providers.catalogue(), sign_ins: &sign_ins };
        let mut checking = Checking::new(mailbox, errand, means);
        checking.sending(None).await.unwrap_or_else(|why| panic!("{why}"));
        checking.reading(None).await.unwrap_or_else(|why| panic!("{why}"))
    };
    let watching = async {
        let waits = Some((Direction::Sending, Step::Greet));
        let seen = watched.wait_for(|it| it.under_way == waits).await.unwrap();
        assert_eq!(seen.taken.len(), 2, "{seen:?}");
        drop(seen);
        bell.notify_one();
        let waits = Some((Direction::Reading, Step::Arrival));
        let seen = watched.wait_for(|it| it.under_way == waits).await.unwrap();
        assert_eq!(seen.taken.len(), 10, "{seen:?}");
        drop(seen);
        // Only now does it arrive.
        house.with(|it| it.at_look = 0);
    };
    let (read, ()) = tokio::join!(checking, watching);
    assert_eq!(read.unwrap().steps.last(), Some(&(Step::Arrival, Outcome::Passed)));
}
