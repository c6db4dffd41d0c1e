//! Ending and starting again, and what must not need it: a stop under load, a full disk, a removed app password.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::io;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use gatepost_testkit::wait_until;
use harness::{
    AppPassword, Installation, Load, Provider, Running, Smtp, gatepost_command, serve_by, serve_under,
    trusting,
};
use serde_json::{Value, json};

const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
/// Long, because the machine may do other things.
const SOON: Duration = Duration::from_secs(30);

/// An installation with one account at a sandbox provider, and an app password for it.
fn connected(provider: &Provider) -> (Installation, AppPassword) {
    let house = Installation::towards(&provider.authority(), "");
    house.add_account(RECEPTION, "sandbox", &provider.smtp(), "starttls");
    let password = house.app_password(RECEPTION, &[]);
    (house, password)
}

fn sign_in(server: &Running, password: &AppPassword) -> io::Result<Smtp> {
    let tls = trusting(Path::new(&server.text("certificate")));
    Smtp::sign_in(&server.text("submission_tls"), &tls, password)
}

fn letter(subject: &str) -> String {
    format!("From: <{RECEPTION}>\r\nTo: <{ANNA}>\r\nSubject: {subject}\r\n\r\nKeep me.")
}

/// Doors opened before removals of app passwords had been read for the first time, and answered 454.
#[test]
fn applications_that_waited_for_a_restart_sign_in_at_once() {
    let provider = Provider::start();
    let (house, password) = connected(&provider);
    for _ in 0..5 {
        // On one processor, so that nothing happens beside what the doors do first.
        let mut command = gatepost_command();
        command.env("TOKIO_WORKER_THREADS", "1");
        let server = serve_by(command, &house.config);
        let (address, tls) =
            (server.text("submission_tls"), trusting(Path::new(&server.text("certificate"))));
        let waiting: Vec<_> = (0..16)
            .map(|_| {
                let (address, tls, password) = (address.clone(), tls.clone(), password.clone());
                thread::spawn(move || Smtp::connect(&address, &tls).and_then(|mut smtp| smtp.auth(&password)))
            })
            .collect();
        for application in waiting {
            let reply = application.join().unwrap().unwrap();
            assert_eq!(reply.code(), 235, "{}", reply.0);
        }
        server.kill();
    }
}

/// OP-10.
#[test]
fn a_stop_under_load_ends_in_time_tells_everybody_loses_nothing_and_repeats_nothing() {
    let provider = Provider::start();
    let (house, password) = connected(&provider);
    let mut load = Load::new(RECEPTION, password);
    for _ in 0..3 {
        let server = house.serve();
        let applications = load.begin(&server);
        thread::sleep(Duration::from_millis(200)); // The load goes on; any moment is as good as any other.
        let started = Instant::now();
        assert_eq!(server.stop().code(), Some(0));
        assert!(started.elapsed() < Duration::from_secs(35));
        for last in load.end(applications) {
            assert!(last.to_string().contains(": 421 4.3.2 "), "{last}");
        }
    }
    let server = house.serve();
    let comparison = load.compare(&house, &provider.mailboxes());
    server.stop();
    assert!(comparison.lost.is_empty(), "{comparison:?}");
    assert_eq!(
        comparison.n_repeated, 0,
        "what was on its way is finished, so nothing leaves twice: {comparison:?}"
    );
}

/// OP-10.
#[test]
fn an_attempt_that_the_provider_never_answers_is_uncertain_after_a_stop_in_time() {
    let provider = Provider::start();
    let (house, password) = connected(&provider);
    let server = house.serve();
    provider.fault(&json!({ "fault": "slow", "phase": "final", "milliseconds": 120_000, "times": 1 }));
    let sent =
        sign_in(&server, &password).unwrap().send(RECEPTION, &[ANNA], &letter("Are you there?")).unwrap();
    assert_eq!(sent.code(), 250, "{}", sent.0);
    let id = house.letters(&[])[0]["id"].as_str().unwrap().to_owned();
    let running = |it: &Value| it["attempts"].as_array().unwrap().iter().any(|it| it["result"] == "running");
    let begun = wait_until(SOON, || running(&house.letter(&id)).then_some(()));
    assert!(begun.is_some(), "{}", house.letter(&id));
    let started = Instant::now();
    assert_eq!(server.stop().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(35));
    let stopped = house.letter(&id);
    assert_eq!(stopped["attempts"][0]["result"], "uncertain", "{stopped}");
    assert_eq!(stopped["recipients"][0]["uncertain"], true, "{stopped}");
    let server = house.serve();
    provider.mailboxes().await_subject(ANNA, "Are you there?");
    server.stop();
}

/// AP-7.
#[test]
fn a_removed_app_password_cuts_a_live_session_within_a_second_and_opens_nothing_more() {
    let provider = Provider::start();
    let (house, removed) = connected(&provider);
    let other = house.app_password(RECEPTION, &[]);
    let server = house.serve();
    let (mut cut, mut kept) = (sign_in(&server, &removed).unwrap(), sign_in(&server, &other).unwrap());
    assert_eq!(cut.command(&format!("MAIL FROM:<{RECEPTION}>")).unwrap().code(), 250);
    house.command(&["app-password", "revoke", &removed.id]).done();
    let revoked = Instant::now();
    let farewell = cut.overhear();
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    assert!(farewell.as_ref().is_some_and(|it| it.0.starts_with("421 4.7.0 ")), "{farewell:?}");
    assert!(cut.is_closed());
    let refused = sign_in(&server, &removed).err().unwrap();
    assert!(refused.to_string().starts_with("AUTH: 535 5.7.8 "), "{refused}");
    assert_eq!(kept.send(RECEPTION, &[ANNA], &letter("Still here")).unwrap().code(), 250);
    provider.mailboxes().await_subject(ANNA, "Still here");
    server.stop();
}

/// QS-4, QS-5: a full disk ends nothing. Space for the database runs out at some write and is back at a later one.
#[test]
fn a_full_disk_is_answered_452_and_letters_are_taken_again_once_there_is_space() {
    let provider = Provider::start();
    let (house, password) = connected(&provider);
    let mut strace = Command::new("strace");
    strace.args(["--daemonize", "--follow-forks", "--quiet=all", "--output=/dev/null", "--trace=pwrite64"]);
    // Only the database writes in this way.
    strace.arg("--inject=pwrite64:error=ENOSPC:when=40..80");
    let server = serve_under(strace, &house.config);
    let mut application = sign_in(&server, &password).unwrap();
    let (mut codes, mut accepted) = (Vec::new(), Vec::new());
    let is_over = |codes: &[u16]| codes.contains(&452) && codes.ends_with(&[250]);
    while !is_over(&codes) {
        assert!(codes.len() < 400, "{codes:?}");
        let subject = format!("Letter {}", codes.len());
        let reply = application.send(RECEPTION, &[ANNA], &letter(&subject)).unwrap();
        codes.push(reply.code());
        match reply.code() {
            250 => accepted.push(subject),
            _ => assert!(reply.0.starts_with("452 4.3.1 "), "{}", reply.0),
        }
    }
    assert_eq!(codes[0], 250, "{codes:?}");
    let sent =
        wait_until(SOON, || (house.letters(&["--state", "sent"]).len() == accepted.len()).then_some(()));
    assert!(sent.is_some(), "{codes:?} {:?}", house.letters(&[]));
    for subject in &accepted {
        assert_eq!(provider.mailboxes().count(ANNA, subject), 1, "{subject}: {codes:?}");
    }
    assert_eq!(provider.mailboxes().messages(ANNA).len(), accepted.len());
    assert_eq!(server.stop().code(), Some(0));
}
