//! `gatepost demo` as somebody sees it who has just built the program.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gatepost_testkit::{fresh_folder, wait_until};
use harness::portal::authenticators;
use harness::{Door, Letter, Running, application, demo, gatepost, gatepost_command, output_of};
use serde_json::{Value, json};

const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
const ADMIN: &str = "admin@sandbox.test";

/// Sends a letter with curl, and says whether the door took it.
fn sends(at: &Running, password: &str, subject: &str) -> bool {
    let letter = Letter { user_name: RECEPTION, password, to: ANNA, subject };
    application("curl", at, Door::Starttls, &letter).code == Some(0)
}

#[test]
fn the_line_of_json_says_where_everything_is_and_the_first_letter_arrives() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let keys = [
        "portal",
        "submission_starttls",
        "submission_tls",
        "imap_starttls",
        "imap_tls",
        "pop3_starttls",
        "pop3_tls",
        "sandbox_pages",
        "sandbox_smtp",
        "sandbox_imap",
        "sandbox_pop3",
        "certificate",
        "config",
        "account",
        "app_password",
        "sign_in_link",
    ];
    let found: Vec<&str> = at.ready.as_object().unwrap().keys().map(String::as_str).collect();
    for key in keys {
        assert!(found.contains(&key), "{key} is missing in {found:?}");
    }
    assert_eq!(found.len(), keys.len(), "keys of parts that are not built are absent: {found:?}");
    assert!(at.text("portal").starts_with("http://localhost:"));
    assert!(at.text("sandbox_pages").starts_with("http://127.0.0.1:"));
    assert_eq!(at.text("account"), RECEPTION);
    for key in ["certificate", "config"] {
        assert!(Path::new(&at.text(key)).is_absolute() && Path::new(&at.text(key)).exists(), "{key}");
    }
    let groups: Vec<usize> = at.app_password().split(' ').map(str::len).collect();
    assert_eq!(groups, [4, 4, 4, 4]);

    let text = at.mailboxes().await_subject(ANNA, "The first letter");
    assert!(text.contains("handed to Gatepost by SMTP"), "{text}");
    assert!(text.contains("\r\nMessage-ID: <"), "what was missing was added: {text}");
    let portal = at.text("portal");
    let fetch = |url: &str, more: &[&str]| {
        output_of(Command::new("curl").args(["--silent", "--show-error", "--fail"]).args(more).arg(url))
            .done()
    };
    let where_to = fetch(&portal, &["--write-out", "%{http_code} %{redirect_url}"]);
    assert_eq!(where_to, format!("303 {portal}/sign-in"), "nobody sees anything before sign-in");
    assert_eq!(fetch(&format!("{portal}/healthz"), &[]), "ok\n");
    assert_eq!(fetch(&format!("{portal}/readyz"), &[]), "ready\n");
    assert_eq!(at.stop().code(), Some(0));
}

#[test]
fn the_demos_mailbox_sends_a_letter_to_itself_and_finds_it() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let command = |args: &[&str]| gatepost(args.iter().copied().chain(["--config", &at.text("config")]));
    let account = command(&["account", "show", RECEPTION, "--json"]).json();
    let status = |direction: &str| account[direction]["status"].clone();
    assert_eq!((status("sending"), status("reading")), (json!("connected"), json!("connected")), "{account}");
    let checked = command(&["account", "check", RECEPTION]).done();
    for step in [
        "✓ sign in\n",
        "✓ send a letter from the mailbox to itself\n",
        "✓ for reading: open the mailbox\n",
        "✓ for reading: find the letter\n",
    ] {
        assert!(checked.contains(step), "{step} {checked}");
    }
    let of_checks = |it: &Value| it["subject"].as_str().unwrap().starts_with("Gatepost checks");
    let letters = at.mailboxes().messages(RECEPTION);
    assert!(!letters.iter().any(of_checks), "it was found and removed: {letters:?}");
    let quiet = command(&["account", "check", RECEPTION, "--no-letter"]).done();
    assert!(quiet.contains("✓ for reading: open the mailbox") && !quiet.contains("letter"), "{quiet}");

    // A mailbox that signs in and may not send: one cross, and no word against reading.
    at.mailboxes().fault(r#"{"fault":"reply","door":"smtp","phase":"data","text":"550 5.4.5 Daily user sending limit exceeded"}"#);
    let refused = command(&["account", "check", RECEPTION, "--json"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let steps: Vec<Value> = refused.stdout.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let crosses: Vec<&Value> = steps.iter().filter(|it| it["ok"] != true).collect();
    let [cross] = crosses.as_slice() else { panic!("{steps:?}") };
    assert_eq!((&cross["step"], &cross["outcome"]), (&json!("may_send"), &json!("failed")));
    assert!(cross["reply"].as_str().unwrap().starts_with("550 5.4.5"), "{cross}");
    assert_eq!(steps.last().unwrap()["step"], "open");
    assert!(refused.stderr.contains("cannot send"), "{}", refused.stderr);
    let log = std::fs::read_to_string(&at.log).unwrap();
    assert_eq!(log.matches("a mail account cannot send").count(), 1, "the demo shows warnings: {log}");
    let account = command(&["account", "show", RECEPTION, "--json"]).json();
    assert_eq!(account["diagnosis"]["rule"], cross["diagnosis"]["rule"], "{account}");
    let status = |direction: &str| account[direction]["status"].clone();
    assert_eq!((status("sending"), status("reading")), (json!("failing"), json!("connected")), "{account}");
    at.mailboxes().fault(r#"{"fault":"none"}"#);
    command(&["account", "check", RECEPTION]).done();
    let account = command(&["account", "show", RECEPTION, "--json"]).json();
    assert_eq!(account["status"], "connected", "a letter that was really sent ends it");

    at.mailboxes().fault(r#"{"fault":"refuse_sign_in","door":"imap"}"#);
    let refused = command(&["account", "check", RECEPTION]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stdout.contains("✓ sign in\n") && refused.stdout.contains("✗ for reading: sign in"));
    assert!(refused.stderr.contains("cannot be read"), "{}", refused.stderr);
    let account = command(&["account", "show", RECEPTION, "--json"]).json();
    let status = |direction: &str| account[direction]["status"].clone();
    assert_eq!((status("sending"), status("reading")), (json!("connected"), json!("needs_sign_in")));
    assert_eq!(at.stop().code(), Some(0));
}

#[test]
fn the_sandboxs_own_application_is_registered_once_and_its_service_follows_the_sandbox() {
    let folder = fresh_folder();
    let data = folder.path().join("demo");
    let first = demo(&data);
    let all = first.command(&["oauth-client", "list", "--json"]).json_lines();
    let own: Vec<_> = all.iter().filter(|it| it["client_id"].is_string()).collect();
    assert_eq!(own.len(), 1, "{all:?}");
    assert_eq!((&own[0]["service"], &own[0]["client_id"]), (&json!("sandbox"), &json!("gatepost-sandbox")));
    assert!(own[0]["proven_at"].is_string() && own[0]["trouble"].is_null(), "{own:?}");
    first.command(&["oauth-client", "remove", "--service", "sandbox"]).done();
    assert_eq!(first.stop().code(), Some(0));
    // Ports are others, and what somebody has removed stays away.
    let second = demo(&data);
    let all = second.command(&["oauth-client", "list", "--json"]).json_lines();
    assert!(all.iter().all(|it| it["client_id"].is_null()), "{all:?}");
    let args =
        ["oauth-client", "add", "--service", "sandbox", "--client-id", "gatepost-sandbox", "--no-secret"];
    second.command(&args).done();
    assert_eq!(second.stop().code(), Some(0));
}

#[test]
fn the_administrator_is_there_with_two_step_verification_on_the_pretend_phone() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let people = at.command(&["person", "list", "--json"]).json_lines();
    assert_eq!(people.len(), 1, "{people:?}");
    assert_eq!(people[0]["address"], ADMIN);
    assert_eq!(people[0]["name"], "Demo administrator");
    assert_eq!(people[0]["role"], "administrator");
    assert_eq!(people[0]["state"], "active");
    assert_eq!(people[0]["two_step"], true);
    let link = at.text("sign_in_link");
    assert!(link.starts_with(&format!("{}/link?token=", at.text("portal"))), "{link}");
    let phone = authenticators(&at.text("sandbox_pages"));
    assert_eq!((phone.len(), &phone[0]["account"]), (1, &json!(ADMIN)), "{phone:?}");
    assert_eq!(phone[0]["code"].as_str().map(str::len), Some(6));
    let invited = at.command(&["person", "add", "--address", ANNA, "--name", "Anna", "--json"]).json();
    assert!(invited["link"].as_str().unwrap().starts_with(&at.text("portal")), "{invited}");
    let letter = at.mailboxes().await_subject(ANNA, "Your invitation to Gatepost");
    assert!(letter.contains(&format!("{}/link?token=", at.text("portal"))), "{letter}");
    at.mailboxes().await_subject(ADMIN, "Two-step verification is on for your Gatepost account");
    assert_eq!(at.stop().code(), Some(0));
}

#[test]
fn a_second_start_continues_where_the_first_stopped() {
    let folder = fresh_folder();
    let data = folder.path().join("demo");
    let first = demo(&data);
    first.mailboxes().await_subject(ANNA, "The first letter");
    assert!(sends(&first, &first.app_password(), "from the first start"));
    first.mailboxes().await_subject(ANNA, "from the first start");
    let (old_password, first_link) = (first.app_password(), first.text("sign_in_link"));
    assert_eq!(first.stop().code(), Some(0));

    let second = demo(&data);
    assert!(sends(&second, &second.app_password(), "from the second start"));
    second.mailboxes().await_subject(ANNA, "from the second start");
    assert_eq!(second.mailboxes().count(ANNA, "The first letter"), 1, "it is sent on the first start only");
    assert_eq!(second.mailboxes().count(ANNA, "from the first start"), 1, "mailboxes are kept");
    assert!(!sends(&second, &old_password, "with the old password"), "each start replaces the app password");
    assert_ne!(second.text("sign_in_link"), first_link, "each start prints another");
    let phone = authenticators(&second.text("sandbox_pages"));
    assert_eq!(phone.len(), 1, "the administrator is made at the first start alone: {phone:?}");
    assert_eq!(phone[0]["account"], ADMIN);
    let letters = second.command(&["outbox", "list", "--json"]).json_lines();
    let letters: Vec<_> = letters.into_iter().filter(|it| it["recipients"][0]["address"] == ANNA).collect();
    assert_eq!(letters.len(), 3);
    assert!(letters.iter().all(|it| it["state"] == "sent"), "{letters:?}");
    assert_eq!(second.stop().code(), Some(0));
}

/// The number of the sandbox's process.
fn sandbox_of(data: &Path) -> u32 {
    let text = std::fs::read(data.join("sandbox/sandbox.json")).unwrap();
    let ready: serde_json::Value = serde_json::from_slice(&text).unwrap();
    ready["process"].as_u64().unwrap().try_into().unwrap()
}

fn lives(process: u32) -> bool {
    // A child that has ended and was not waited for still has a folder there, and no command line.
    std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| !line.is_empty())
}

#[test]
fn a_killed_demo_leaves_its_sandbox_to_the_next_one_and_sigterm_ends_both() {
    let folder = fresh_folder();
    let data = folder.path().join("demo");
    let first = demo(&data);
    let sandbox = sandbox_of(&data);
    first.kill();
    assert!(lives(sandbox), "it survives what is done to Gatepost");
    let second = demo(&data);
    assert_eq!(sandbox_of(&data), sandbox, "the living sandbox is adopted");
    second.mailboxes().await_subject(ANNA, "The first letter");
    assert_eq!(second.stop().code(), Some(0));
    let ended = wait_until(Duration::from_secs(10), || (!lives(sandbox)).then_some(()));
    assert!(ended.is_some(), "the sandbox ends with its demo");
}

#[test]
fn a_busy_port_gets_a_message_with_the_option_that_moves_it_and_nothing_is_made() {
    let folder = fresh_folder();
    let data = folder.path().join("demo");
    for option in [
        "--portal-port",
        "--submission-starttls-port",
        "--submission-tls-port",
        "--sandbox-pages-port",
        "--sandbox-smtp-port",
        "--sandbox-imap-port",
        "--sandbox-pop3-port",
    ] {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let mut command = gatepost_command();
        command.arg("demo").arg("--data").arg(&data);
        for other in [
            "--portal-port",
            "--submission-starttls-port",
            "--submission-tls-port",
            "--sandbox-pages-port",
            "--sandbox-smtp-port",
            "--sandbox-imap-port",
            "--sandbox-pop3-port",
        ] {
            command.args([other, if other == option { &port } else { "0" }]);
        }
        output_of(&mut command).refused(&[&format!(
            "port {port} on 127.0.0.1 is in use. Stop the program that uses it, or choose another with {option} (or --free-ports)"
        )]);
        assert!(!data.exists(), "nothing is half-made: {option}");
    }
}

/// OP-14.
#[test]
fn demo_and_sandbox_keep_away_from_the_data_of_a_real_installation() {
    let folder = fresh_folder();
    let config = folder.path().join("gatepost.toml");
    gatepost(["init", "--config", config.to_str().unwrap(), "--admin", "anna@example.org"]).done();
    let data = folder.path().join("data");
    for command in ["demo", "sandbox"] {
        gatepost([command, "--free-ports", "--data", data.to_str().unwrap()])
            .refused(&["holds the data of a real installation", "Choose another folder with --data"]);
    }
    assert!(!data.join("sandbox").exists());
}

/// OP-6.
#[test]
fn no_secret_stands_on_a_command_line_or_in_a_log() {
    let folder = fresh_folder();
    let data = folder.path().join("demo");
    let at = demo(&data);
    let password = at.app_password();
    assert!(sends(&at, &password, "a letter"));
    at.mailboxes().await_subject(ANNA, "a letter");
    let letters: String = password.split(' ').collect();
    for process in [at.process_id(), sandbox_of(&data)] {
        let line = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap();
        assert!(line.contains("--data"), "{line}");
        assert!(!line.contains(&letters) && !line.contains(&password), "{line}");
    }
    let log = at.log.clone();
    at.stop();
    for path in [log, data.join("sandbox.log")] {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&letters) && !text.contains(&password), "{}: {text}", path.display());
    }
}

/// What a person reads, pastes and sees.
#[test]
fn the_lines_for_curl_and_swaks_work_when_pasted() {
    let folder = fresh_folder();
    let data = folder.path().join("demo's folder");
    let _slot = gatepost_testkit::take_slot();
    let shown = folder.path().join("shown");
    let mut command = gatepost_command();
    command.arg("demo").arg("--data").arg(&data).arg("--free-ports");
    command.stdin(Stdio::null()).stdout(std::fs::File::create(&shown).unwrap());
    let mut process = gatepost_testkit::Process::start(&mut command).unwrap();
    let text = wait_until(Duration::from_secs(60), || {
        std::fs::read_to_string(&shown).ok().filter(|text| text.contains("ctrl-c ends the demo"))
    });
    let text = text.expect("the demo says what to do");
    assert!(
        text.contains("A first letter from reception@sandbox.test has just arrived at anna@sandbox.test")
    );
    for label in [
        "Portal",
        "Sign in",
        "Sandbox mailboxes",
        "Pretend phone",
        "Server",
        "Port for sending",
        "Port for reading",
        "User name",
        "Password",
    ] {
        assert!(text.contains(&format!("  {label}  ")), "{label} is missing in: {text}");
    }
    let pages = text.lines().find_map(|line| line.trim().strip_prefix("Sandbox mailboxes")).unwrap().trim();
    let mailboxes = harness::Mailboxes::at(pages);
    let lines = |start: &str| text.lines().find(|line| line.trim().starts_with(start)).unwrap().to_owned();
    output_of(Command::new("sh").arg("-c").arg(lines("printf "))).done();
    mailboxes.await_subject(ANNA, "Hello from curl");
    output_of(Command::new("sh").arg("-c").arg(lines("swaks "))).done();
    let read = output_of(Command::new("sh").arg("-c").arg(lines("curl "))).done();
    assert!(read.contains("(MESSAGES "), "{read}");
    let list = output_of(Command::new("sh").arg("-c").arg(lines("gatepost outbox list").replacen(
        "gatepost",
        env!("CARGO_BIN_EXE_gatepost"),
        1,
    )));
    assert_eq!(list.done().matches(ANNA).count(), 3);
    process.signal(rustix::process::Signal::INT);
    assert_eq!(
        process.wait(Duration::from_secs(35)).and_then(|status| status.code()),
        Some(0),
        "ctrl-c ends it"
    );
}
