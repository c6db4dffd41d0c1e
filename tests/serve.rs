//! `gatepost serve`: an installation with a provider of its own, from its first letter to its end.

#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gatepost_testkit::{PostgresServer, Process, fresh_folder, wait_until};
use harness::{
    Door, Letter, Mailboxes, Running, application, gatepost_command, output_of, python, sandbox, serve,
    serve_by, serve_under, with_input,
};
use serde_json::Value;
use tempfile::TempDir;

const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";

/// Long, because the machine may do other things.
const SOON: Duration = Duration::from_secs(30);

/// An installation whose provider is a sandbox beside it.
struct Office {
    folder: TempDir,
    sandbox: Running,
}

impl Office {
    /// Set up, with one mail account of a custom provider.
    fn new() -> Self {
        let it = Self::empty("");
        it.add_account(RECEPTION);
        it
    }

    /// Set up, with these lines in its configuration and nothing connected.
    fn empty(lines: &str) -> Self {
        let folder = fresh_folder();
        let sandbox = sandbox(&folder.path().join("provider"));
        let text = format!(
            "data_dir = \"data\"\nmaster_key_file = \"gatepost.key\"\n{lines}\n[submission]\nhostname = \"gatepost.test\"\n\
             [upstream]\nextra_authorities = [{:?}]\nallow_private_addresses = [\"{}\"]\n",
            sandbox.text("certificate"),
            sandbox.text("sandbox_smtp")
        );
        fs::write(folder.path().join("gatepost.toml"), text).unwrap();
        let it = Self { folder, sandbox };
        it.command(&["init", "--admin", ANNA]).done();
        it
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("gatepost.toml")
    }

    fn mailboxes(&self) -> Mailboxes {
        self.sandbox.mailboxes()
    }

    fn command(&self, args: &[&str]) -> harness::Outcome {
        output_of(gatepost_command().args(args).arg("--config").arg(self.config()))
    }

    fn add_account(&self, address: &str) {
        let mut command = gatepost_command();
        command.args([
            "account",
            "add",
            "--provider",
            "custom",
            "--address",
            address,
            "--short-name",
            "Reception",
        ]);
        command.args([
            "--smtp",
            &self.sandbox.text("sandbox_smtp"),
            "--smtp-tls",
            "starttls",
            "--password-stdin",
            "--unchecked",
        ]);
        with_input(command.arg("--config").arg(self.config()), "sandbox\n").done();
    }

    /// A new app password of the account.
    fn app_password(&self) -> String {
        let made = self
            .command(&["app-password", "create", "--account", RECEPTION, "--name", "TDO", "--json"])
            .json();
        made["password"].as_str().unwrap().to_owned()
    }
}

/// Hands a letter in. Says whether the door took it.
fn send(at: &Running, user_name: &str, password: &str, subject: &str) -> bool {
    let letter = Letter { user_name, password, to: ANNA, subject };
    application("smtplib", at, Door::Starttls, &letter).code == Some(0)
}

/// The id of the newest letter.
fn newest(office: &Office) -> String {
    let newest = office.command(&["outbox", "list", "--limit", "1", "--json"]).json();
    newest["id"].as_str().unwrap().to_owned()
}

#[track_caller]
fn await_state(office: &Office, id: &str, state: &str) -> Value {
    let show = || office.command(&["outbox", "show", id, "--json"]).json();
    let found = wait_until(SOON, || Some(show()).filter(|it| it["state"] == state));
    found.unwrap_or_else(|| panic!("not {state}: {}", show()))
}

fn sends_one_letter(lines: &str) {
    let office = Office::empty(lines);
    office.add_account(RECEPTION);
    let at = serve(&office.config());
    let password = office.app_password();
    assert!(send(&at, RECEPTION, &password, "by a custom provider"));
    office.mailboxes().await_subject(ANNA, "by a custom provider");
    let letter = await_state(&office, &newest(&office), "sent");
    assert_eq!(letter["account"], RECEPTION);
    assert_eq!(letter["from"], RECEPTION);
    assert_eq!(letter["recipients"][0]["address"], ANNA);
    assert!(letter["recipients"][0]["reply"].as_str().unwrap().starts_with("250 2.0.0 OK"), "{letter}");
    assert_eq!(letter["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(office.command(&["check"]).code, Some(0));
    assert_eq!(at.stop().code(), Some(0));
    // The same without a server.
    assert_eq!(office.command(&["outbox", "list", "--json"]).json()["state"], "sent");
}

#[test]
fn a_letter_goes_through_a_custom_provider_with_sqlite() {
    sends_one_letter("");
}

#[test]
fn a_letter_goes_through_a_custom_provider_with_postgresql() {
    let url = PostgresServer::shared().fresh_database();
    sends_one_letter(&format!("database_url = {url:?}"));
}

#[test]
fn a_refused_sign_in_holds_letters_with_cause_and_cure_and_a_check_releases_them() {
    let office = Office::new();
    let at = serve(&office.config());
    let password = office.app_password();
    office.mailboxes().fault(&format!(r#"{{"account":"{RECEPTION}","fault":"refuse_sign_in"}}"#));
    assert!(send(&at, RECEPTION, &password, "while the password is wrong"), "it is accepted all the same");
    let id = newest(&office);
    let letter = await_state(&office, &id, "held");
    let because = letter["because"].as_str().unwrap();
    assert!(because.contains("Reception (reception@sandbox.test) cannot send since"), "{because}");
    assert!(because.contains("Cure: ") && because.contains("Who can do this: "), "{because}");
    let account = office.command(&["account", "show", RECEPTION, "--json"]).json();
    assert_eq!(
        (&account["status"], &account["sending"]["status"]),
        (&"needs_sign_in".into(), &"needs_sign_in".into())
    );
    for key in ["cause", "cure", "who"] {
        assert!(account["diagnosis"][key].is_string(), "{account}");
    }
    assert!(account["sending"]["reply"].as_str().unwrap().starts_with("535 "), "{account}");
    assert_eq!(account["waiting"], 1);
    // C19: what waits is shown before anything is lost.
    office.command(&["account", "remove", RECEPTION]).refused(&["1 letters wait for reception@sandbox.test"]);
    let checked = office.command(&["account", "check", RECEPTION]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.stdout.contains("✗ sign in\n  the provider said 535"), "{}", checked.stdout);
    assert_eq!(office.command(&["check"]).code, Some(1), "check says that somebody has to act");

    office.mailboxes().fault(r#"{"fault":"none"}"#);
    let checked = office.command(&["account", "check", RECEPTION]).done();
    assert!(checked.contains("✓ sign in") && checked.contains("✓ Connected"), "{checked}");
    office.mailboxes().await_subject(ANNA, "while the password is wrong");
    await_state(&office, &id, "sent");
    // The log at its usual level: one warning however often it was tried, one line when it works again.
    let log = std::fs::read_to_string(&at.log).unwrap();
    for (said, n) in [
        ("a mail account cannot send account.address=\"r…@sandbox.test\"", 1),
        ("letters of this mail account are held from now on", 1),
        ("letters of this mail account are held no longer", 1),
    ] {
        assert_eq!(log.matches(said).count(), n, "{said}: {log}");
    }
    assert!(log.contains("before=\"needs_sign_in\""), "{log}");
    at.stop();
}

#[test]
fn commands_hold_release_retry_and_cancel_letters_of_a_running_server() {
    let office = Office::new();
    let at = serve(&office.config());
    let password = office.app_password();
    office.command(&["account", "pause", RECEPTION]).done();
    assert!(send(&at, RECEPTION, &password, "first"));
    let first = newest(&office);
    assert!(send(&at, RECEPTION, &password, "second"));
    let second = newest(&office);
    let paused = await_state(&office, &first, "held");
    assert!(paused["because"].as_str().unwrap().contains("is paused since"), "{paused}");
    let held = office.command(&["outbox", "hold", &first, "--json"]).json();
    assert_eq!((&held["state"], &held["because"]), (&"held".into(), &"held by hand".into()));
    assert_eq!(office.command(&["outbox", "cancel", &second, "--json"]).json()["state"], "cancelled");
    office.command(&["outbox", "retry", &second]).refused(&["cannot be retried"]);

    office.command(&["account", "resume", RECEPTION]).done();
    assert!(send(&at, RECEPTION, &password, "third"));
    office.mailboxes().await_subject(ANNA, "third");
    assert_eq!(await_state(&office, &first, "held")["because"], "held by hand");
    let states = |filter: &str| {
        let all = office.command(&["outbox", "list", "--state", filter, "--json"]).json_lines();
        all.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states("held,cancelled"), [second.clone(), first.clone()], "newest first");
    office.command(&["outbox", "release", &first]).done();
    office.mailboxes().await_subject(ANNA, "first");
    await_state(&office, &first, "sent");
    assert_eq!(office.mailboxes().count(ANNA, "second"), 0);
    at.stop();
}

/// Design: nothing found is accepted and held, and chosen again when an account comes.
#[test]
fn a_letter_without_an_account_waits_until_one_is_connected() {
    let office = Office::empty("");
    let at = serve(&office.config());
    let made =
        office.command(&["app-password", "create", "--person", ANNA, "--name", "Laptop", "--json"]).json();
    assert!(send(&at, ANNA, made["password"].as_str().unwrap(), "before there is a mailbox"));
    let id = newest(&office);
    let letter = await_state(&office, &id, "held");
    assert_eq!(letter["account"], Value::Null);
    assert_eq!(letter["because"], "no mail account serves this sender: connect one, or choose a default");
    office.add_account(ANNA);
    office.mailboxes().await_subject(ANNA, "before there is a mailbox");
    assert_eq!(await_state(&office, &id, "sent")["account"], ANNA);
    at.stop();
}

/// A client that is signed in and does as it is told, line by line.
struct Client {
    process: Process,
    said: BufReader<std::process::ChildStdout>,
}

impl Client {
    fn sign_in(at: &Running, password: &str) -> Self {
        let program = r#"
import smtplib, ssl, sys
address, authority, user, password = sys.argv[1:]
host, port = address.rsplit(":", 1)
session = smtplib.SMTP(host, int(port))
session.starttls(context=ssl.create_default_context(cafile=authority))
session.login(user, password)
session.sock.settimeout(60)
print("signed in", flush=True)
for line in sys.stdin:
    word, _, text = line.rstrip("\n").partition(" ")
    if word == "send":
        session.send(text.encode().decode("unicode_escape"))
        print("sent", flush=True)
    elif word == "docmd":
        session.putcmd(text)
    if word in ("docmd", "reply"):
        try:
            print(*session.getreply(), flush=True)
        except smtplib.SMTPServerDisconnected:
            print("closed", flush=True)
"#;
        let mut command = python();
        command.args([
            "-c",
            program,
            &at.text("submission_starttls"),
            &at.text("certificate"),
            RECEPTION,
            password,
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command).unwrap();
        let said = BufReader::new(process.child().stdout.take().unwrap());
        let mut it = Self { process, said };
        assert_eq!(it.hear(), "signed in");
        it
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, order: &str) -> String {
        writeln!(self.process.child().stdin.as_mut().unwrap(), "{order}").unwrap();
        self.hear()
    }
}

/// OP-10.
#[test]
fn sigterm_finishes_the_letter_that_is_being_read_and_tells_the_rest() {
    let office = Office::new();
    let at = serve(&office.config());
    let password = office.app_password();
    let (mut sending, mut idle) = (Client::sign_in(&at, &password), Client::sign_in(&at, &password));
    assert!(sending.ask(&format!("docmd MAIL FROM:<{RECEPTION}>")).starts_with("250 "));
    assert!(sending.ask(&format!("docmd RCPT TO:<{ANNA}>")).starts_with("250 "));
    assert!(sending.ask("docmd DATA").starts_with("354 "));
    let half = format!("send From: {RECEPTION}\\r\\nSubject: at the end\\r\\n\\r\\nhalf of it\\r\\n");
    assert_eq!(sending.ask(&half), "sent");
    at.terminate();
    assert_eq!(idle.ask("reply"), "421 b'4.3.2 Gatepost is stopping: try again'");
    assert_eq!(sending.ask("send and the other half\\r\\n.\\r\\n"), "sent");
    let accepted = sending.ask("reply");
    assert!(accepted.starts_with("250 b'2.0.0 Accepted as "), "{accepted}");
    let started = Instant::now();
    assert_eq!(at.ended().code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(35));
    // It is on the disk, and leaves at the next start if it has not left yet.
    let at = serve(&office.config());
    let text = office.mailboxes().await_subject(ANNA, "at the end");
    assert!(text.contains("half of it\r\nand the other half\r\n"), "{text}");
    at.stop();
}

#[test]
fn the_local_authority_stays_the_same_over_restarts() {
    let office = Office::new();
    let password = office.app_password();
    let first = serve(&office.config());
    let path = first.text("certificate");
    let authority = fs::read_to_string(&path).unwrap();
    first.stop();
    // Its copy for people can be made again; its key is sealed in the database.
    fs::remove_file(&path).unwrap();
    let second = serve(&office.config());
    assert_eq!(fs::read_to_string(&path).unwrap(), authority);
    assert!(!authority.contains("PRIVATE KEY"));
    assert!(send(&second, RECEPTION, &password, "with the same trust"));
    second.stop();
}

/// OP-9.
#[test]
fn a_certificate_that_is_replaced_is_served_without_a_restart() {
    let office = Office::new();
    let make = |name: &str| {
        let output = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "30",
            ])
            .args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
            .arg("-keyout")
            .arg(office.folder.path().join("tls.key"))
            .arg("-out")
            .arg(office.folder.path().join("tls.pem"))
            .output();
        assert!(output.unwrap().status.success());
    };
    make("the-first");
    let text = fs::read_to_string(office.config()).unwrap();
    fs::write(office.config(), format!("{text}[tls]\ncertificate = \"tls.pem\"\nkey = \"tls.key\"\n"))
        .unwrap();
    let at = serve(&office.config());
    let address = at.text("submission_tls");
    let served = || {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-connect", &address]);
        with_input(&mut command, "").stdout
    };
    assert!(served().contains("the-first"));
    assert!(at.ready["certificate"].is_null(), "there is no local authority to trust");
    make("the-second");
    assert!(wait_until(SOON, || served().contains("the-second").then_some(())).is_some());
    at.stop();
}

/// QS-4: nothing is retried on a file whose pages may be lost.
#[test]
fn a_disk_that_fails_to_confirm_a_write_ends_the_process_and_loses_nothing_acknowledged() {
    let office = Office::new();
    let password = office.app_password();
    let mut strace = Command::new("strace");
    strace.args(["--follow-forks", "--quiet=all", "--output=/dev/null", "--trace=fsync,fdatasync"]);
    // The first ones open everything; those of letters come after them.
    strace.args(["--inject=fsync,fdatasync:error=EIO:when=60+"]);
    let at = serve_under(strace, &office.config());
    let mut acknowledged = Vec::new();
    for n in 1..200 {
        let subject = format!("letter {n}");
        if !send(&at, RECEPTION, &password, &subject) {
            break;
        }
        acknowledged.push(subject);
    }
    assert!(!acknowledged.is_empty(), "it worked before the disk failed");
    let log = at.log.clone();
    assert_eq!(at.ended().code(), Some(1));
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("the disk failed to confirm a write, so this process has ended"), "{log}");
    let at = serve(&office.config());
    for subject in &acknowledged {
        office.mailboxes().await_subject(ANNA, subject);
    }
    at.stop();
}

/// `gatepost serve` after `ulimit -n FILES`.
fn with_files(office: &Office, files: u32) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {files} && exec \"$0\" \"$@\"")]);
    command.env("GATEPOST_SUBMISSION_STARTTLS", "127.0.0.1:0").env("GATEPOST_SUBMISSION_TLS", "127.0.0.1:0");
    command.current_dir(office.folder.path());
    command
}

/// OP-11.
#[test]
fn few_open_files_are_a_warning_and_too_few_a_refusal() {
    let office = Office::new();
    let mut command = with_files(&office, 150);
    command.arg(env!("CARGO_BIN_EXE_gatepost")).arg("serve");
    output_of(&mut command).refused(&["this process may open 150 files", "raise the limit (ulimit -n"]);
    let password = office.app_password();
    let at = serve_under(with_files(&office, 1_024), &office.config());
    assert!(send(&at, RECEPTION, &password, "with few files"));
    office.mailboxes().await_subject(ANNA, "with few files");
    let log = fs::read_to_string(&at.log).unwrap();
    assert!(log.contains("this process may open 1024 files, enough for 352 connections"), "{log}");
    at.stop();
}

/// E1: who only reads needs no door for letters.
#[test]
fn one_door_is_enough_and_none_is_refused() {
    let office = Office::empty("");
    office.command(&["serve"]).refused(&["nothing listens", "under [submission]", "under [imap] or [pop3]"]);
    let mut config = fs::read_to_string(office.config()).unwrap();
    config += "[imap]\ntls = \"127.0.0.1:0\"\n";
    fs::write(office.config(), config).unwrap();
    let mut command = gatepost_command();
    command.env_remove("GATEPOST_SUBMISSION_STARTTLS").env_remove("GATEPOST_SUBMISSION_TLS");
    let at = serve_by(command, &office.config());
    assert!(TcpStream::connect(at.text("imap_tls")).is_ok());
    at.stop();
}

/// WP-1: passwords never cross a network in the clear.
#[test]
fn a_portal_that_others_reach_speaks_tls_with_the_certificate_of_the_mail_doors() {
    let office = Office::new();
    let mut command = gatepost_command();
    command
        .env("GATEPOST_PORTAL_LISTEN", "0.0.0.0:0")
        .env("GATEPOST_PUBLIC_URL", "https://gatepost.example.org:8443");
    let at = serve_by(command, &office.config());
    let port = at.text("portal").rsplit_once(':').unwrap().1.to_owned();
    let fetch = |scheme: &str, host: &str| {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--cacert",
            &at.text("certificate"),
            "--resolve",
            &format!("{host}:{port}:127.0.0.1"),
        ]);
        output_of(curl.arg(format!("{scheme}://{host}:{port}/healthz")))
    };
    for host in ["gatepost.example.org", "localhost"] {
        assert_eq!(fetch("https", host).done(), "ok\n", "{host}");
    }
    assert_ne!(fetch("http", "gatepost.example.org").code, Some(0));
    let link = at.command(&["person", "reset-password", ANNA, "--json"]).json()["link"].clone();
    assert!(link.as_str().unwrap().starts_with("https://gatepost.example.org:8443/link?token="), "{link}");
    at.stop();
    // The address that people type is missing.
    let mut command = gatepost_command();
    command.env("GATEPOST_PORTAL_LISTEN", "0.0.0.0:0").args(["serve", "--config"]).arg(office.config());
    output_of(&mut command).refused(&["portal.listen is 0.0.0.0:0, where others reach it", "public_url ="]);
}

/// VA-6.
#[test]
fn a_running_server_leaves_no_core_dump() {
    let office = Office::new();
    let at = serve(&office.config());
    let limits = fs::read_to_string(format!("/proc/{}/limits", at.process_id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(line.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{line}");
    at.stop();
}
