//! Real applications at the submission door: curl, swaks, msmtp, Python's smtplib.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;
use std::time::Duration;

use gatepost_testkit::{fresh_folder, wait_until};
use harness::{Door, Letter, Running, application, demo, output_of, python};

const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
const APPLICATIONS: [&str; 4] = ["curl", "swaks", "msmtp", "smtplib"];

fn letter<'a>(password: &'a str, subject: &'a str) -> Letter<'a> {
    Letter { user_name: RECEPTION, password, to: ANNA, subject }
}

/// An app password made with these options beside what all have.
fn create(at: &Running, name: &str, options: &[&str]) -> serde_json::Value {
    let mut args = vec!["app-password", "create", "--account", RECEPTION, "--name", name, "--json"];
    args.extend(options);
    at.command(&args).json()
}

fn text(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

#[test]
fn every_application_sends_over_starttls_and_over_tls() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let spaced = at.app_password();
    let joined: String = spaced.split(' ').collect();
    for name in APPLICATIONS {
        for (door, password) in [(Door::Starttls, &spaced), (Door::Tls, &joined)] {
            let subject = format!("{name} over {door:?}");
            let sent = application(name, &at, door, &letter(password, &subject));
            assert_eq!(sent.code, Some(0), "{subject}: {sent:?}");
            let text = at.mailboxes().await_subject(ANNA, &subject);
            if name != "swaks" {
                assert!(
                    text.ends_with("\r\nIt works.\r\n..and a dot.\r\n"),
                    "dots come as they were: {text}"
                );
            }
        }
    }
    let mut used = at.command(&["outbox", "list", "--state", "sent", "--json"]).json_lines();
    // Notices go to the demo's administrator.
    used.retain(|it| it["recipients"][0]["address"] == ANNA);
    assert_eq!(used.len(), 2 * APPLICATIONS.len() + 1);
    // Written a few seconds after the use, not per letter.
    let last_use = wait_until(Duration::from_secs(30), || {
        let all = at.command(&["app-password", "list", "--json"]).json_lines();
        all.into_iter().find(|it| it["last_use"]["protocol"] == "smtp")
    });
    assert_eq!(last_use.expect("the last use is recorded")["last_use"]["from"], "127.0.0.1");
    at.stop();
}

#[test]
fn a_wrong_password_is_refused_by_name_to_every_application() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    for name in APPLICATIONS {
        for door in [Door::Starttls, Door::Tls] {
            let refused = application(name, &at, door, &letter("abcd efgh ijkl mnop", "never"));
            assert_ne!(refused.code, Some(0), "{name}");
            let said = format!("{}{}", refused.stdout, refused.stderr);
            // curl keeps the server's words to itself and says what 535 means in its own.
            let words = if name == "curl" {
                "Login denied"
            } else {
                "Sign-in refused: check user name and app password"
            };
            assert!(said.contains(words), "{name}: {said}");
        }
    }
    assert_eq!(at.mailboxes().count(ANNA, "never"), 0);
    at.stop();
}

/// AP-4, AP-7.
#[test]
fn networks_protocols_expiry_and_removal_bind_a_running_server() {
    let folder = fresh_folder();
    let data = folder.path().join("demo");
    let at = demo(&data);
    let elsewhere =
        create(&at, "Another office", &["--network", "192.0.2.0/24", "--network", "2001:db8::/32"]);
    let here = create(&at, "This machine", &["--network", "127.0.0.0/8"]);
    let reading = create(&at, "Reading alone", &["--allow", "imap,pop3"]);
    let ending = create(&at, "Until tomorrow", &["--expires", "1"]);
    let ended = create(&at, "Until yesterday", &["--expires", "1"]);
    expire(&data, &text(&ended, "id"));
    assert!(ending["expires_at"].is_string());
    assert_eq!(elsewhere["networks"], serde_json::json!(["192.0.2.0/24", "2001:db8::/32"]));
    let sends = |made: &serde_json::Value, subject: &str| {
        let password = text(made, "password");
        application("smtplib", &at, Door::Starttls, &letter(&password, subject)).code == Some(0)
    };
    assert!(sends(&here, "from the right network"));
    assert!(!sends(&elsewhere, "from the wrong network"));
    assert!(!sends(&reading, "with a password for reading"));
    assert!(sends(&ending, "before its end"));
    assert!(!sends(&ended, "after its end"));

    assert!(sends(&here, "before its removal"));
    at.command(&["app-password", "revoke", &text(&here, "id")]).done();
    assert!(!sends(&here, "after its removal"));
    let names: Vec<_> = at.command(&["app-password", "list", "--json"]).json_lines();
    assert!(names.iter().all(|it| it["id"] != here["id"]), "a removed one is not listed");
    for subject in ["from the right network", "before its end", "before its removal"] {
        at.mailboxes().await_subject(ANNA, subject);
    }
    assert_eq!(at.mailboxes().messages(ANNA).len(), 4, "those and the first letter");
    at.stop();
}

/// Nobody can wait a day: the end of an app password is moved into the past where it is stored.
fn expire(data: &Path, id: &str) {
    let program = "import sqlite3, sys, uuid\n\
                   database = sqlite3.connect(sys.argv[1])\n\
                   moved = database.execute('UPDATE app_password SET expires_at = created_at + 1 WHERE id = ?', (uuid.UUID(sys.argv[2]).bytes,))\n\
                   assert moved.rowcount == 1\n\
                   database.commit()\n";
    output_of(python().arg("-c").arg(program).arg(data.join("gatepost.db")).arg(id)).done();
}

/// AP-7: who is signed in is sent away within a second.
#[test]
fn a_removed_app_password_ends_its_open_connection() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let made = create(&at, "Idle", &[]);
    let address = at.text("submission_starttls");
    let (host, port) = address.rsplit_once(':').unwrap();
    let program = r#"
import smtplib, ssl, sys, time
host, port, authority, user, password = sys.argv[1:]
session = smtplib.SMTP(host, int(port))
session.starttls(context=ssl.create_default_context(cafile=authority))
session.login(user, password)
print("signed in", flush=True)
session.sock.settimeout(30)
started = None
sys.stdin.readline()
started = time.monotonic()
print(session.getreply(), time.monotonic() - started < 5)
"#;
    let mut command = python();
    command.args(["-c", program, host, port, &at.text("certificate"), RECEPTION, &text(&made, "password")]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut process = gatepost_testkit::Process::start(&mut command).unwrap();
    let mut said = std::io::BufReader::new(process.child().stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(line, "signed in\n");
    at.command(&["app-password", "revoke", &text(&made, "id")]).done();
    drop(process.child().stdin.take());
    line.clear();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    assert_eq!(line, "(421, b'4.7.0 This app password was removed') True\n");
    at.stop();
}

/// AP-6.
#[test]
fn there_is_a_fortieth_app_password_and_no_forty_first() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    // The demo's own is the first.
    let mut last = serde_json::Value::Null;
    for n in 2..=40 {
        last = create(&at, &format!("Device {n}"), &[]);
    }
    let password = text(&last, "password");
    assert_eq!(application("smtplib", &at, Door::Tls, &letter(&password, "the fortieth")).code, Some(0));
    at.mailboxes().await_subject(ANNA, "the fortieth");
    let create = ["app-password", "create", "--account", RECEPTION, "--name", "Device 41", "--json"];
    at.command(&create).refused(&["reception@sandbox.test already has 40 app passwords", "Remove one"]);
    at.command(&["app-password", "revoke", &text(&last, "id")]).done();
    at.command(&create).done();
    at.stop();
}
