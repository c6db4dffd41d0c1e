//! The end of connections that read by the built program: whatever ends them, and what both sides hear of it.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::fs;
use std::time::Duration;

use gatepost_testkit::wait_until;
use harness::{AppPassword, LineClient, READER, ReadingDoor, ReadingHouse};

/// Much longer than the second that it takes, on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(30);

const IMAP: ReadingDoor = ReadingDoor::IMAP[1];
const POP3: ReadingDoor = ReadingDoor::POP3[1];

/// More than all buffers between Dovecot and a client that does not read.
const HUGE: usize = 48 * 1024 * 1024;

fn log(at: &ReadingHouse) -> String {
    fs::read_to_string(&at.server.log).unwrap()
}

fn n_ended(at: &ReadingHouse) -> usize {
    log(at).matches("session ended").count()
}

/// Waits until so many sessions are over, at Dovecot, too.
#[track_caller]
fn are_over(at: &ReadingHouse, n: usize) {
    let count = |text: &str, what: &str| text.matches(what).count();
    let over = || {
        let there = at.dovecot.log();
        let (begun, ended) = (count(&there, "Info: Login: "), count(&there, "Info: Disconnected: "));
        // Those that waited for a sign-in to end are not counted there.
        (n_ended(at) >= n && ended >= begun).then_some(())
    };
    assert!(wait_until(PATIENCE, over).is_some(), "{n}\n{}", at.told());
}

/// Three sessions: one that idles, one between two commands, and one that fetches.
struct Three {
    idle: LineClient,
    selected: LineClient,
    pop3: LineClient,
}

fn three(at: &ReadingHouse, with: &AppPassword) -> Three {
    let mut idle = at.signed_in(IMAP, with);
    idle.command("a SELECT INBOX");
    assert!(idle.ask("b IDLE").starts_with("+ "));
    let mut selected = at.signed_in(ReadingDoor::IMAP[0], with);
    selected.command("a EXAMINE INBOX");
    let mut pop3 = at.signed_in(POP3, with);
    assert!(pop3.ask("STAT").starts_with("+OK "));
    Three { idle, selected, pop3 }
}

impl Three {
    /// All of them have ended: IMAP with these words, and POP3, which has none for it, without.
    #[track_caller]
    fn heard(mut self, words: &[&str]) {
        for imap in [&mut self.idle, &mut self.selected] {
            let bye = imap.hear();
            assert!(words.iter().any(|it| bye == format!("* BYE {it}")), "{bye}");
            assert!(imap.rest().is_empty());
        }
        assert!(self.pop3.rest().is_empty());
    }
}

/// Opens three sessions, ends them, and looks at what they hear.
#[track_caller]
fn end(at: &ReadingHouse, with: &AppPassword, by: &[&str], words: &[&str]) {
    let (open, n_before) = (three(at, with), n_ended(at));
    at.it.command(by).done();
    open.heard(words);
    are_over(at, n_before + 3);
}

/// Whoever looks into the log knows a mailbox and an app password by their names.
#[test]
fn the_log_names_whom_a_session_was_for_and_tells_signing_out_from_going_away() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    let mut imap = at.signed_in(IMAP, &with);
    imap.command("q LOGOUT");
    assert!(imap.rest().is_empty());
    let mut pop3 = at.signed_in(POP3, &with);
    assert!(pop3.ask("QUIT").starts_with("+OK"));
    assert!(pop3.rest().is_empty());
    are_over(&at, 2);
    drop(at.signed_in(IMAP, &with));
    are_over(&at, 3);
    let mut stranger = at.connect(IMAP);
    stranger.command("q LOGOUT");
    assert!(stranger.rest().is_empty());
    are_over(&at, 4);

    let log = log(&at);
    let lines = |what: &str| -> Vec<&str> { log.lines().filter(|it| it.contains(what)).collect() };
    let names = ["account.address=\"r…@practice.example\"", "account.name=", "app_password.name=\"Test\""];
    let (begun, ended) = (lines("signed in to read"), lines("session ended"));
    assert_eq!((begun.len(), ended.len()), (3, 4), "{log}");
    for line in begun.iter().chain(&ended[..3]) {
        assert!(names.iter().all(|it| line.contains(it)), "{line}");
    }
    for (line, because) in ended.iter().zip([
        "because=the client signed out",
        "because=the client signed out",
        "because=the client went away: ",
        "because=the client said goodbye before it signed in",
    ]) {
        assert!(line.contains(because), "{line}");
    }
    assert!(!log.contains(READER) && !ended[3].contains("account."), "{log}");
    at.server.stop();
}

/// Whoever looks into the log sees by which protocol somebody came, and what was wrong with the encryption.
#[test]
fn the_log_names_the_protocol_and_what_was_wrong_with_the_encryption() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    let plain = |door: &str| LineClient::plain(&at.server.text(door));
    let mut imap = plain("imap_starttls");
    imap.hear();
    assert!(imap.ask("a LOGIN x y").contains("PRIVACYREQUIRED"));
    drop(imap);
    let mut smtp = plain("submission_starttls");
    smtp.hear();
    smtp.say("EHLO client.example");
    smtp.until("250 ");
    smtp.ask("QUIT");
    for door in ["submission_starttls", "imap_starttls", "pop3_starttls"] {
        let mut client = plain(door);
        client.write(&[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);
        client.rest();
    }
    for door in ["submission_tls", "imap_tls", "pop3_tls"] {
        let mut client = plain(door);
        client.say("NOOP");
        client.rest();
    }
    let mut wrong = at.connect(POP3);
    wrong.ask(&format!("USER {READER}"));
    assert!(wrong.ask("PASS wrong").starts_with("-ERR [AUTH]"));
    drop(at.signed_in(IMAP, &with));
    at.it.command(&["app-password", "revoke", &with.id]).done();
    let door = |name: &str| format!("door={}", at.server.text(name));
    let (imap, pop3, smtp) = (door("imap_tls"), door("pop3_tls"), door("submission_tls"));
    let (no_tls, ended) = ("TLS did not begin", "session ended");
    for (n, parts) in [
        (2, [ended, "because=the client was told to encrypt first, and left", ""]),
        (3, [ended, "because=the client began TLS on a port for STARTTLS", ""]),
        (1, [no_tls, &imap, "protocol=\"imap\""]),
        (1, [no_tls, &pop3, "protocol=\"pop3\""]),
        (1, [no_tls, &smtp, "protocol=\"smtp\""]),
        (1, ["sign-in refused", "protocol=\"POP3\"", ""]),
        (1, ["signed in to read", "protocol=\"IMAP\"", ""]),
        (1, ["an app password was removed", "app_password.name=\"Test\"", &with.id]),
    ] {
        let there = || {
            let log = log(&at);
            let found = log.lines().filter(|line| parts.iter().all(|it| line.contains(it)));
            (found.count() == n).then_some(())
        };
        assert!(wait_until(PATIENCE, there).is_some(), "{n} {parts:?}\n{}", log(&at));
    }
    at.server.stop();
}

const REMOVED: &str = "This app password was removed or has expired";

#[test]
fn a_removal_and_a_pause_end_what_is_open_with_their_reason() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    end(&at, &with, &["app-password", "revoke", &with.id], &[REMOVED]);
    let with = at.app_password(&[]);
    let words = "[UNAVAILABLE] The mailbox was paused in Gatepost";
    end(&at, &with, &["account", "pause", READER], &[words]);
    at.it.command(&["account", "resume", READER]).done();
    let words = "[UNAVAILABLE] The mailbox was removed from Gatepost";
    // Its app passwords go with it, and either may be seen first.
    end(&at, &with, &["account", "remove", READER], &[words, REMOVED]);
    at.server.stop();
}

#[test]
fn a_person_who_is_disabled_and_a_program_that_stops_end_what_is_open_with_their_reason() {
    let at = ReadingHouse::start();
    let person = "paul@practice.example";
    let add = ["person", "add", "--address", person, "--name", "Paul", "--role", "operator"];
    at.it.command(&add).done();
    at.it.command(&["account", "edit", READER, "--for-person", person]).done();
    at.it.command(&["account", "default", READER, "--for-person", person]).done();
    let make = ["app-password", "create", "--person", person, "--name", "His", "--json"];
    let made = at.it.command(&make).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let his = AppPassword { id: text("id"), user_name: text("user_name"), password: text("password") };
    end(&at, &his, &["person", "disable", person], &[REMOVED]);

    // An account of nobody who can sign in lets no application in.
    at.it.command(&["account", "edit", READER, "--for-organisation"]).done();
    let open = three(&at, &at.app_password(&[]));
    at.server.terminate();
    open.heard(&["[UNAVAILABLE] Gatepost is stopping: try again"]);
    assert_eq!(at.server.ended().code(), Some(0));
}

#[test]
fn a_connection_that_ends_within_a_message_is_cut_without_a_word() {
    let at = ReadingHouse::start();
    let mut text = b"Subject: huge\r\n\r\n".to_vec();
    while text.len() < HUGE {
        text.extend_from_slice(b"A line of a letter that nobody reads to its end, again and again.\r\n");
    }
    at.dovecot.deliver(READER, None, &text);
    let with = at.app_password(&[]);
    let mut imap = at.signed_in(IMAP, &with);
    imap.command("a SELECT INBOX");
    imap.say("b FETCH 1 BODY.PEEK[]");
    assert!(imap.hear().starts_with("* 1 FETCH (BODY[] {"));
    // An upload that stops in its midst.
    let mut uploading = at.signed_in(IMAP, &with);
    assert!(uploading.ask("a APPEND INBOX {1000}").starts_with("+ "));
    uploading.write(b"Subject: not all of it\r\n");
    let mut pop3 = at.signed_in(POP3, &with);
    pop3.say("RETR 1");
    assert!(pop3.hear().starts_with("+OK"));

    at.it.command(&["app-password", "revoke", &with.id]).done();
    are_over(&at, 3);
    for rest in [imap.rest(), pop3.rest()] {
        assert!(rest.len() < HUGE, "not all has come");
        let end = String::from_utf8_lossy(&rest[rest.len().saturating_sub(200)..]).into_owned();
        assert!(!end.contains("BYE") && !end.contains("-ERR"), "{end}");
    }
    // Here a line may begin.
    assert_eq!(uploading.hear(), "* BYE This app password was removed or has expired");
    assert!(uploading.rest().is_empty());
    assert_eq!(at.dovecot.letters(READER, None).len(), 1, "what was not whole is not there");
    at.server.stop();
}

#[test]
fn a_provider_that_leaves_says_so_itself_and_a_client_that_leaves_deletes_nothing() {
    let mut at = ReadingHouse::start();
    at.dovecot.deliver(READER, None, b"Subject: one\r\n\r\nx\r\n");
    let with = at.app_password(&[]);
    let mut pop3 = at.signed_in(POP3, &with);
    assert!(pop3.ask("DELE 1").starts_with("+OK"));
    drop(pop3);
    are_over(&at, 1);
    assert_eq!(at.dovecot.letters(READER, None).len(), 1);

    let mut imap = at.signed_in(IMAP, &with);
    imap.command("a SELECT INBOX");
    at.dovecot.stop();
    assert!(imap.hear().starts_with("* BYE "));
    assert!(imap.rest().is_empty(), "once is enough");
    at.server.stop();
}
