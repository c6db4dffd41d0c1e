//! A disk that fails to confirm a write (QS-4): nothing may be believed of it any more, so the program ends, and the next
//! start finds everything that was acknowledged.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::io;
use std::path::Path;
use std::process::Command;

use gatepost_testkit::PostgresServer;
use harness::{AppPassword, Installation, Load, Provider, Running, Smtp, serve_under, trusting};

const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";

fn connected(provider: &Provider, house: Installation) -> (Installation, AppPassword) {
    house.add_account(RECEPTION, "sandbox", &provider.smtp(), "starttls");
    let password = house.app_password(RECEPTION, &[]);
    (house, password)
}

/// The server, with the `nth` sync of each of its threads failing, and all others succeeding: a second try would be told
/// that all is well.
fn serve_failing(house: &Installation, nth: &str) -> Running {
    let mut strace = Command::new("strace");
    strace.args(["--daemonize", "--follow-forks", "--quiet=all", "--output=/dev/null"]);
    strace.args(["--trace=fsync,fdatasync", &format!("--inject=fsync,fdatasync:error=EIO:when={nth}")]);
    serve_under(strace, &house.config)
}

/// The process has ended by itself, with an exit code and words that say so.
#[track_caller]
fn assert_ended_by_the_disk(server: Running) {
    let log = server.log.clone();
    assert_eq!(server.ended().code(), Some(1));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("the disk failed to confirm a write, so this process has ended"), "{log}");
}

/// Whoever was not told yes was told 451, or nothing at all.
fn is_no_yes(last: &io::Error) -> bool {
    let text = last.to_string();
    last.kind() != io::ErrorKind::Other || text.contains(": 451 4.3.0 ") || text.contains(": 421 ")
}

#[test]
fn at_each_sync_that_fails_the_program_ends_and_the_next_start_has_every_acknowledged_letter() {
    let provider = Provider::start();
    let (house, password) = connected(&provider, Installation::towards(&provider.authority(), ""));
    let mut load = Load::new(RECEPTION, password);
    // The writer has made four when it begins to listen; after them come letters, claims and outcomes in any order.
    for nth in 5..25 {
        let server = serve_failing(&house, &nth.to_string());
        let applications = load.start(&server);
        assert_ended_by_the_disk(server);
        for last in load.end(applications) {
            assert!(is_no_yes(&last), "{last}");
        }
    }
    let server = house.serve();
    let comparison = load.compare(&house, &provider.mailboxes());
    server.stop();
    assert!(comparison.n_acknowledged > 0, "it worked before the disk failed");
    assert!(comparison.lost.is_empty() && comparison.unexplained.is_empty(), "{comparison:?}");
}

/// With its rows in PostgreSQL, all that the program itself has to sync are the files of large bodies.
#[test]
fn a_large_body_whose_file_is_not_confirmed_is_not_acknowledged() {
    let provider = Provider::start();
    let top = format!("database_url = {:?}", PostgresServer::shared().fresh_database());
    let (house, password) = connected(&provider, Installation::with_top(&provider.authority(), &top));
    // The first sync of a thread is the lock's or the folder's at the start, or the file's; the second is the file's or that
    // of its folder.
    let server = serve_failing(&house, "2+");
    let tls = trusting(Path::new(&server.text("certificate")));
    let mut application = Smtp::sign_in(&server.text("submission_tls"), &tls, &password).unwrap();
    let head = format!("From: <{RECEPTION}>\r\nTo: <{ANNA}>\r\nSubject: ");
    let small = application.send(RECEPTION, &[ANNA], &format!("{head}Small\r\n\r\nHello.")).unwrap();
    assert_eq!(small.code(), 250, "{}", small.0);
    let line = "Eighty characters of a letter that is too large for a row of a database, so.\r\n";
    let large = format!("{head}Large\r\n\r\n{}", line.repeat(2_000));
    match application.send(RECEPTION, &[ANNA], &large) {
        Ok(reply) => assert!(reply.0.starts_with("451 4.3.0 "), "{}", reply.0),
        Err(error) => assert!(is_no_yes(&error), "{error}"),
    }
    assert_ended_by_the_disk(server);

    let server = house.serve();
    let mut application = Smtp::sign_in(&server.text("submission_tls"), &tls, &password).unwrap();
    assert_eq!(application.send(RECEPTION, &[ANNA], &large).unwrap().code(), 250);
    provider.mailboxes().await_subject(ANNA, "Large");
    provider.mailboxes().await_subject(ANNA, "Small");
    assert_eq!(provider.mailboxes().messages(ANNA).len(), 2);
    server.stop();
}
