//! Secrets stay where they belong: after a day's work at the most talkative level of the log, none can be read in the log, in
//! the data folder, on a command line or in what commands answer, in any of the disguises that programs give to bytes.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use gatepost::app::App;
use gatepost::config::Settings;
use gatepost::data_dir::DataDir;
use gatepost_core::{SecretText, World};
use gatepost_identity::{
    Entrance, LastUses, LinkKind, People, PersonRefusal, Proof, RevocationWatch, SecondStep, SignIns, Token,
    Visitor,
};
use gatepost_journal::Actor;
use gatepost_sandbox::give_phone;
use gatepost_testkit::fresh_folder;
use harness::{
    AppPassword, Canary, Installation, Provider, READER, READERS_PASSWORD, ReadingDoor, ReadingHouse,
    Running, Search, Smtp, gatepost_command, percent, trusting, with_input,
};
use memchr::memmem;
use serde_json::json;

const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
/// Each has letters that are written differently in JSON, in addresses of pages, and in other alphabets.
const MAILBOX_PASSWORD: &str = "caña \"mail\\box\" 91c7&d4";
const WRONG_MAILBOX_PASSWORD: &str = "wröng <mail/box> 55e0+b8";
const WRONG_APP_PASSWORD: &str = "qzxv wqzx vkqz xjwq";
const TYPED_AS_USER_NAME: &str = "hunter-\"2é0%77-beef";
/// As installations of tests are made.
const ADMINISTRATOR: &str = "anna@practice.example";
const PERSON_PASSWORD: &str = "drei \"blaue\" Gänse <47> fliegen & \\ singen";
const WRONG_PERSON_PASSWORD: &str = "vier \"grüne\" Gänse <48> fliegen & \\ singen";
const WRONG_RECOVERY_CODE: &str = "QZXV-WQZX-VKQZ7";
const BODY: &str = "The biopsy of Mrs \"Ögren\" \\ is <benign> & 41%";
const SUBJECT: &str = "Results of Mr Winterbottom-Quince";
const SOUGHT: &str = "pheochromocytoma-4711";

/// Whatever a search says, it could have found it.
#[test]
fn the_search_finds_each_disguise() {
    let secret = BODY.as_bytes();
    let canary = Canary::new("body", secret);
    let found = |text: &[u8]| !canary.forms_in(&[b"some log: ", text, b" and more"].concat()).is_empty();
    assert!(found(secret) && !found(b"The biopsy of Mrs"));
    let sign_in = format!("\0reception@sandbox.test\0{BODY}");
    for before in 0..3 {
        let text = format!("{}{sign_in}", &"xyz"[..before]);
        assert!(
            found(STANDARD_NO_PAD.encode(&text).as_bytes())
                && found(URL_SAFE_NO_PAD.encode(&text).as_bytes())
        );
    }
    assert!(found(json!({ "said": BODY }).to_string().as_bytes()));
    assert!(found(format!("{BODY:?}").as_bytes()) && found(&percent(secret)));
    let utf16: Vec<u8> = BODY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(found(&utf16));
    let hex: String = secret.iter().map(|it| format!("{it:02x}")).collect();
    assert!(found(hex.as_bytes()));
}

fn connect(server: &Running) -> Smtp {
    let tls = trusting(Path::new(&server.text("certificate")));
    Smtp::connect(&server.text("submission_tls"), &tls).unwrap()
}

fn letter(text: &str) -> String {
    format!(
        "From: <{RECEPTION}>\r\nTo: <{ANNA}>\r\nSubject: {SUBJECT}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
    )
}

/// Every way in, right and wrong, and letters small and large.
fn work(server: &Running, with: &AppPassword, provider: &Provider) {
    let mut wrong = connect(server);
    let guess = AppPassword { password: WRONG_APP_PASSWORD.to_owned(), ..with.clone() };
    assert_eq!(wrong.auth(&guess).unwrap().code(), 535);
    let mistaken = AppPassword { user_name: TYPED_AS_USER_NAME.to_owned(), ..with.clone() };
    assert_eq!(wrong.auth(&mistaken).unwrap().code(), 535);
    // In the wrong place altogether.
    wrong.command(TYPED_AS_USER_NAME).unwrap();

    let bearer = format!("auth=Bearer {}\x01\x01", with.password);
    for (mechanism, before) in [
        ("XOAUTH2", format!("user={}\x01", with.user_name)),
        ("OAUTHBEARER", format!("n,a={},\x01", with.user_name)),
    ] {
        let initial = STANDARD.encode(format!("{before}{bearer}"));
        let reply = connect(server).command(&format!("AUTH {mechanism} {initial}")).unwrap();
        assert_eq!(reply.code(), 235, "{mechanism}: {}", reply.0);
    }
    let mut application = connect(server);
    assert_eq!(application.auth(with).unwrap().code(), 235);
    let large = format!("{BODY}\r\n").repeat(4_000);
    for text in [BODY, &large] {
        let reply = application.send(RECEPTION, &[ANNA], &letter(text)).unwrap();
        assert_eq!(reply.code(), 250, "{}", reply.0);
    }
    // Cut off in the middle.
    let mut broken_off = connect(server);
    assert_eq!(broken_off.auth(with).unwrap().code(), 235);
    broken_off
        .write(&format!("MAIL FROM:<{RECEPTION}>\r\nRCPT TO:<{ANNA}>\r\nDATA\r\n{}", letter(&large)))
        .unwrap();
    drop(broken_off);
    provider.mailboxes().await_subject(ANNA, SUBJECT);
}

/// Whatever a browser may bring to the portal's pages, with no right to any of them.
fn visit(link: &str, search: &mut Search) {
    let (portal, token) = link.split_once("/link?token=").unwrap();
    let (_, port) = portal.rsplit_once(':').unwrap();
    let session = "c2Vzc2lvbi1jYW5hcnktMDEyMzQ1Njc4OWFiY2RlZmc";
    let device = "ZGV2aWNlLWNhbmFyeS0wMTIzNDU2Nzg5YWJjZGVmZ2g";
    for (name, it) in [
        ("the link's token", token),
        ("a session's token", session),
        ("a trusted device's token", device),
        ("a person's password", PERSON_PASSWORD),
        ("a person's recovery code", WRONG_RECOVERY_CODE),
    ] {
        search.canaries.push(Canary::new(name, it.as_bytes()));
    }
    let curl = |url: &str, more: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}"]);
        let cookies = [("session", session), ("device", device), ("pre-session", session)];
        let cookies = cookies.map(|(name, value)| format!("{name}-{port}={value}"));
        command.args(["--cookie", &cookies.join("; ")]);
        let answered = with_input(command.args(more).arg(url), "").done();
        assert!(!answered.starts_with('5'), "{url}: {answered}");
    };
    for path in ["", "/sign-in", "/outbox", "/assets/nothing"] {
        curl(&format!("{portal}{path}"), &[]);
    }
    curl(link, &[]);
    curl(link, &["--head"]);
    let typed = [
        ("address", ADMINISTRATOR),
        ("password", PERSON_PASSWORD),
        ("token", token),
        ("code", WRONG_RECOVERY_CODE),
        ("form_token", session),
    ]
    .map(|(name, value)| ["--data-urlencode".to_owned(), format!("{name}={value}")]);
    let typed: Vec<&str> = typed.iter().flatten().map(String::as_str).collect();
    for path in ["/sign-in", "/second-step", "/link", "/forgot"] {
        curl(&format!("{portal}{path}"), &typed);
        curl(&format!("{portal}{path}"), &[&typed[..], &["--header", &format!("Origin: {portal}")]].concat());
    }
}

/// OP-1, VA-8.
#[test]
fn no_secret_can_be_read_in_log_data_command_lines_and_answers() {
    let provider = Provider::start();
    let house = Installation::towards(&provider.authority(), "[log]\nlevel = \"trace\"");
    provider.set_password(RECEPTION, MAILBOX_PASSWORD);
    let key = fs::read(house.folder().join("gatepost.key")).unwrap();
    let key = key.trim_ascii();
    let key_bytes: Vec<u8> =
        key.chunks(2).map(|it| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 16).unwrap()).collect();
    let mut answers = Vec::new();
    // An account with the right password, and one that is refused.
    for (address, password) in [(RECEPTION, MAILBOX_PASSWORD), ("info@sandbox.test", WRONG_MAILBOX_PASSWORD)]
    {
        let mut add = house.gatepost();
        add.args([
            "account",
            "add",
            "--provider",
            "custom",
            "--address",
            address,
            "--smtp",
            &provider.smtp(),
        ]);
        add.args(["--smtp-tls", "starttls", "--password-stdin", "--unchecked"]);
        answers.push(("account add", with_input(&mut add, password)));
    }
    let with = house.app_password(RECEPTION, &[]);
    let joined = with.password.replace(' ', "");
    let mut search = Search {
        canaries: vec![
            Canary::new("the app password", with.password.as_bytes()),
            Canary::new("the app password, joined,", joined.as_bytes()),
            Canary::new("a wrong app password", WRONG_APP_PASSWORD.as_bytes()),
            Canary::new("a password typed as user name", TYPED_AS_USER_NAME.as_bytes()),
            Canary::new("the mailbox password", MAILBOX_PASSWORD.as_bytes()),
            Canary::new("a wrong mailbox password", WRONG_MAILBOX_PASSWORD.as_bytes()),
            Canary::new("the master key", &key_bytes),
            Canary::new("the master key's text", key),
            Canary::new("the letter", BODY.as_bytes()),
            Canary::new("the subject", SUBJECT.as_bytes()),
        ],
        n_places: 0,
        found: Vec::new(),
    };
    let server = house.serve();
    work(&server, &with, &provider);
    for args in [
        &["account", "list"][..],
        &["account", "list", "--json"],
        &["account", "show", RECEPTION, "--json"],
        &["account", "check", RECEPTION],
        &["account", "check", "info@sandbox.test"],
        &["account", "show", "info@sandbox.test"],
        &["app-password", "list"],
        &["app-password", "list", "--json"],
        &["outbox", "list"],
        &["outbox", "list", "--json"],
        &["check"],
    ] {
        answers.push(("a command", house.command(args)));
    }
    for it in house.letters(&[]) {
        answers.push(("outbox show", house.command(&["outbox", "show", it["id"].as_str().unwrap()])));
    }
    let link = house.command(&["person", "reset-password", ADMINISTRATOR, "--json"]).json();
    visit(link["link"].as_str().unwrap(), &mut search);
    search.look("the command line", &fs::read(format!("/proc/{}/cmdline", server.process_id())).unwrap());
    let log = server.log.clone();
    // As a thief finds it: nothing is tidied up.
    server.kill();
    for (name, outcome) in &answers {
        search.look_at_outcome(name, outcome);
    }
    let log = fs::read(log).unwrap();
    search.look("the log", &log);
    for address in [ANNA, RECEPTION] {
        assert!(memmem::find(&log, address.as_bytes()).is_none(), "{address} is in the log");
    }
    search.look_through(&house.folder().join("data"));
    assert_eq!(search.found, Vec::<String>::new());

    // It was there to be found, and a good deal was looked at.
    let arrived = provider.mailboxes().await_subject(ANNA, SUBJECT);
    assert!(!Canary::new("the letter", BODY.as_bytes()).forms_in(arrived.as_bytes()).is_empty());
    for said in ["sign-in refused", "letter accepted", "an attempt ended"] {
        assert!(memmem::find(&log, said.as_bytes()).is_some(), "{said}: {}", String::from_utf8_lossy(&log));
    }
    assert!(search.n_places > 256, "{}", search.n_places);
    let files =
        ["gatepost.db", "gatepost.db-wal", "authority.pem"].map(|it| house.folder().join("data").join(it));
    assert!(files.iter().all(|it| fs::metadata(it).unwrap().len() > 0));
}

/// What a person shows or is shown, in the order in which it is made.
struct PersonSecrets {
    canaries: Vec<Canary>,
}

impl PersonSecrets {
    fn note(&mut self, name: &'static str, secret: &str) {
        self.canaries.push(Canary::new(name, secret.as_bytes()));
    }

    fn note_token(&mut self, name: &'static str, token: &Token) {
        self.note(name, token.reveal());
        self.canaries.push(Canary::new(name, &URL_SAFE_NO_PAD.decode(token.reveal()).unwrap()));
    }
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

/// A person from the set-up link to a trusted device, with a wrong try of everything.
async fn live(app: &App, people: &People, pages: SocketAddr) -> PersonSecrets {
    let mut all = PersonSecrets { canaries: Vec::new() };
    let visitor = Visitor { source: "192.0.2.7".parse().unwrap(), device: "Firefox on Windows".to_owned() };
    let organisation = app.identity.choose_organisation(None).await.unwrap();
    let address = ADMINISTRATOR.parse().unwrap();
    let person = app.identity.find_person(organisation.id, &address).await.unwrap().unwrap();
    let hand = async |kind| {
        let handed = app.identity.hand_link(organisation.id, person.id, kind, Actor::Command).await;
        handed.unwrap().token
    };
    let link = hand(LinkKind::SetUp).await;
    all.note_token("the set-up link", &link);
    people.find_link(&link).await.unwrap().unwrap();
    all.note("the password", PERSON_PASSWORD);
    all.note("a wrong password", WRONG_PERSON_PASSWORD);
    let Entrance::SignedIn(begun) =
        people.choose_password(&link, &secret(PERSON_PASSWORD), None, false, &visitor).await.ok().unwrap()
    else {
        panic!("there is no second step yet")
    };
    all.note_token("the first session", &begun.token);
    let enrolment = people.begin_authenticator(&begun.session).await.ok().unwrap();
    all.note("the authenticator's address", enrolment.uri.reveal());
    all.note("the authenticator's key in groups", enrolment.key.reveal());
    let key: String = enrolment.key.reveal().split_whitespace().collect();
    all.note("the authenticator's key", &key);
    all.canaries.push(Canary::new("the authenticator's bytes", &base32(&key)));
    let code = give_phone(pages, &enrolment.uri).await.ok().unwrap();
    people.prove_authenticator(&begun.session, enrolment.id, &code, &visitor).await.ok().unwrap();
    let codes = people.new_recovery_codes(&begun.session).await.ok().unwrap().0;
    for code in &codes {
        all.note("a recovery code", code.reveal());
        all.note("a recovery code, joined,", &code.reveal().replace('-', ""));
    }
    let on = people.confirm_recovery_codes(&begun.session, &codes[0], &visitor).await.ok().unwrap();
    all.note_token("the session with two-step verification", &on.token);
    people.sign_out(&on.session).await.unwrap();

    let wrong = people.sign_in(address.as_str(), &secret(WRONG_PERSON_PASSWORD), None, &visitor).await;
    assert!(matches!(wrong, Err(PersonRefusal::WrongPassword)));
    let entered = people.sign_in(address.as_str(), &secret(PERSON_PASSWORD), None, &visitor).await;
    let Ok(Entrance::SecondStep { token: between, .. }) = entered else {
        panic!("the second step is asked for")
    };
    all.note_token("the pre-session", &between);
    let wrong = SecondStep::RecoveryCode(secret(WRONG_RECOVERY_CODE));
    all.note("a wrong recovery code", WRONG_RECOVERY_CODE);
    assert!(people.second_step(&between, &wrong, false, &visitor).await.is_err());
    let right = SecondStep::RecoveryCode(codes[1].clone());
    let passed = people.second_step(&between, &right, true, &visitor).await.ok().unwrap();
    all.note_token("the session", &passed.session.token);
    all.note_token("the device", passed.session.device.as_ref().unwrap());
    people.find_session(&passed.session.token, true).await.unwrap().unwrap();
    let proof = Proof::SecondStep(SecondStep::RecoveryCode(codes[2].clone()));
    let proven = people.confirm(&passed.session.session, &proof, &visitor).await.ok().unwrap();
    all.note_token("the session after step-up", &proven.token);
    let reset = hand(LinkKind::PasswordReset).await;
    all.note_token("the reset link", &reset);
    people.forgot_password(address.as_str(), &visitor).await.ok().unwrap();
    all
}

/// RFC 4648 §6.
fn base32(text: &str) -> Vec<u8> {
    let mut bits = String::new();
    for c in text.bytes() {
        let value = if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        bits.push_str(&format!("{value:05b}"));
    }
    let whole = bits.as_bytes().chunks_exact(8);
    whole.map(|it| u8::from_str_radix(std::str::from_utf8(it).unwrap(), 2).unwrap()).collect()
}

/// OP-1, VA-8, ID-29: the same for what people sign in with.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_person_signs_in_with_can_be_read_in_log_and_data() {
    let provider = Provider::start();
    let house = Installation::towards(&provider.authority(), "[portal]\nlisten = \"127.0.0.1:0\"");
    let log = house.folder().join("people.log");
    let file = Arc::new(fs::File::create(&log).unwrap());
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(file).init();
    let settings = Arc::new(Settings::load(Some(&house.config)).unwrap());
    let folder = DataDir::take(&settings.data_dir).unwrap();
    let (app, closing) = App::open(settings, folder, World::real()).await.ok().unwrap();
    let watch = RevocationWatch::new(app.store.clone());
    watch.look().await.unwrap();
    let last_uses = LastUses::new(app.store.clone());
    let sign_ins = SignIns::open(app.store.clone(), app.keyring.clone(), last_uses, watch).await.unwrap();
    let people = People::new(&app.identity, &sign_ins, 2);
    let pages = provider.pages().strip_prefix("http://").unwrap().parse().unwrap();
    let secrets = live(&app, &people, pages).await;
    let n_secrets = secrets.canaries.len();
    let mut search = Search { canaries: secrets.canaries, n_places: 0, found: Vec::new() };
    // With what waits in the write-ahead log, and without.
    search.look_through(&house.folder().join("data"));
    drop((people, sign_ins, app));
    closing.finish().await;
    search.look_through(&house.folder().join("data"));
    let said = fs::read(&log).unwrap();
    search.look("the log", &said);
    assert_eq!(search.found, Vec::<String>::new());
    // What is no secret is found there.
    search.canaries = vec![Canary::new("the address", ADMINISTRATOR.as_bytes())];
    search.look_through(&house.folder().join("data"));
    assert!(!search.found.is_empty());
    assert!(n_secrets > 30 && search.n_places > 5, "{n_secrets}");
    assert!(!said.is_empty());
}

/// Every way to sign in to read, right and wrong, and what is done then: searched for, fetched, uploaded, and mistyped.
fn read(at: &ReadingHouse, with: &AppPassword) {
    let (user, password) = (with.user_name.as_str(), with.password.as_str());
    let plain = STANDARD.encode(format!("\0{user}\0{password}"));
    let bearer = format!("auth=Bearer {password}\x01\x01");
    let ways = [
        ("PLAIN", vec![plain]),
        ("LOGIN", vec![STANDARD.encode(user), STANDARD.encode(password)]),
        ("XOAUTH2", vec![STANDARD.encode(format!("user={user}\x01{bearer}"))]),
        ("OAUTHBEARER", vec![STANDARD.encode(format!("n,a={user},\x01{bearer}"))]),
    ];
    let text = letter(BODY);
    for door in [ReadingDoor::IMAP, ReadingDoor::POP3].concat() {
        for (mechanism, responses) in &ways {
            let mut client = at.connect(door);
            let verb = if door.protocol == "imap" { "l AUTHENTICATE" } else { "AUTH" };
            let mut answer = client.ask(&format!("{verb} {mechanism}"));
            for response in responses {
                assert!(answer.starts_with("+ "), "{answer}");
                answer = client.ask(response);
            }
            assert!(answer.starts_with("l OK") || answer.starts_with("+OK"), "{answer}");
            client.ask(if door.protocol == "imap" { "q LOGOUT" } else { "QUIT" });
            client.rest();
        }
    }
    let mut imap = at.connect(ReadingDoor::IMAP[0]);
    let wrong = imap.ask(&format!("w LOGIN {user} \"{WRONG_APP_PASSWORD}\""));
    assert!(wrong.starts_with("w NO [AUTHENTICATIONFAILED]"), "{wrong}");
    assert!(imap.ask(&format!("{TYPED_AS_USER_NAME} {WRONG_APP_PASSWORD}")).contains("BAD "));
    assert!(imap.ask(&format!("l LOGIN {user} \"{password}\"")).starts_with("l OK"));
    imap.command("s SELECT INBOX");
    assert_eq!(imap.command(&format!("f SEARCH BODY {SOUGHT}"))[0], "* SEARCH 1");
    let fetched = imap.command("r FETCH 1 BODY[]").join("\n");
    assert!(fetched.contains(BODY) && fetched.contains(SUBJECT));
    assert!(imap.ask(&format!("a APPEND INBOX {{{}}}", text.len())).starts_with("+ "));
    imap.say(&text);
    imap.until("a OK ");
    assert!(imap.ask(&format!("x LOGIN {user} {WRONG_APP_PASSWORD}")).starts_with("x BAD "));
    // A line that nobody can follow.
    imap.say(&format!("{SOUGHT}\n"));
    imap.rest();
    let mut pop3 = at.connect(ReadingDoor::POP3[0]);
    pop3.ask(&format!("USER {TYPED_AS_USER_NAME}"));
    assert!(pop3.ask(&format!("PASS {WRONG_APP_PASSWORD}")).starts_with("-ERR [AUTH]"));
    assert!(pop3.ask(&format!("{SOUGHT} {WRONG_APP_PASSWORD}")).starts_with("-ERR"));
    pop3.ask(&format!("USER {user}"));
    assert!(pop3.ask(&format!("PASS {password}")).starts_with("+OK"));
    pop3.say("RETR 1");
    assert!(pop3.until(".").iter().any(|it| it.contains(BODY)));
    assert!(pop3.ask(&format!("{SOUGHT} {WRONG_APP_PASSWORD}")).starts_with("-ERR"));
    pop3.ask("QUIT");
    pop3.rest();
}

/// MP-15, OP-1: there are no transcripts of what is said, at whatever level.
#[test]
fn nothing_that_is_said_by_imap_and_pop3_stands_in_the_log() {
    let at = ReadingHouse::start_with("[log]\nlevel = \"trace\"\n");
    let text = format!("{}\r\n{SOUGHT}\r\n", letter(BODY));
    at.dovecot.deliver(READER, None, text.as_bytes());
    let with = at.app_password(&[]);
    let joined = with.password.replace(' ', "");
    let canaries = vec![
        Canary::new("the app password", with.password.as_bytes()),
        Canary::new("the app password, joined,", joined.as_bytes()),
        Canary::new("a wrong app password", WRONG_APP_PASSWORD.as_bytes()),
        Canary::new("a password typed as user name", TYPED_AS_USER_NAME.as_bytes()),
        Canary::new("the mailbox password", READERS_PASSWORD.as_bytes()),
        Canary::new("the letter", BODY.as_bytes()),
        Canary::new("the subject", SUBJECT.as_bytes()),
        Canary::new("what was searched for", SOUGHT.as_bytes()),
    ];
    let mut search = Search { canaries, n_places: 0, found: Vec::new() };
    read(&at, &with);
    let log = at.server.log.clone();
    assert_eq!(at.server.stop().code(), Some(0));
    let said = fs::read(log).unwrap();
    search.look("the log", &said);
    assert_eq!(search.found, Vec::<String>::new());
    // What may stand there does.
    for words in ["signed in to read", "IMAP session ended", "POP3 session ended"] {
        assert!(memmem::find(&said, words.as_bytes()).is_some(), "{words}");
    }
}

/// VA-8: the database of somebody else is of no use without the key that belongs to it.
#[test]
fn a_stolen_data_folder_does_not_open_with_another_key() {
    let provider = Provider::start();
    let house = Installation::towards(&provider.authority(), "");
    house.add_account(RECEPTION, MAILBOX_PASSWORD, &provider.smtp(), "starttls");
    let other = fresh_folder();
    let config = other.path().join("gatepost.toml");
    let text =
        "data_dir = \"data\"\nmaster_key_file = \"gatepost.key\"\n[submission]\ntls = \"127.0.0.1:0\"\n";
    fs::write(&config, text).unwrap();
    let mut init = gatepost_command();
    init.args(["init", "--admin", "thief@elsewhere.example", "--config"]).arg(&config);
    with_input(&mut init, "").done();
    for file in fs::read_dir(house.folder().join("data")).unwrap().map(|it| it.unwrap().path()) {
        if file.is_file() {
            fs::copy(&file, other.path().join("data").join(file.file_name().unwrap())).unwrap();
        }
    }
    for args in [&["serve"][..], &["account", "list"]] {
        let mut command = gatepost_command();
        command.args(args).arg("--config").arg(&config);
        with_input(&mut command, "").refused(&["the master key", "does not open this database"]);
    }
}
