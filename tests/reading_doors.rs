//! Signing in to read by the built program: every way, every refusal with its words, and what is kept back afterwards.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_testkit::wait_until;
use harness::{AppPassword, LineClient, READER, READERS_PASSWORD, ReadingDoor, ReadingHouse};

const PATIENCE: Duration = Duration::from_secs(60);

const WRONG: &str = "Sign-in refused: check user name and app password";

fn said(text: &str) -> String {
    STANDARD.encode(text)
}

/// What a mechanism sends, one text for each time that the server asks.
fn responses(mechanism: &str, user: &str, password: &str) -> Vec<String> {
    match mechanism {
        "PLAIN" => vec![said(&format!("\0{user}\0{password}"))],
        "LOGIN" => vec![said(user), said(password)],
        "XOAUTH2" => vec![said(&format!("user={user}\x01auth=Bearer {password}\x01\x01"))],
        "OAUTHBEARER" => {
            vec![said(&format!(
                "n,a={user},\x01host=localhost\x01port=143\x01auth=Bearer {password}\x01\x01"
            ))]
        }
        other => panic!("there is no mechanism {other}"),
    }
}

/// AUTHENTICATE or AUTH, with the first response at once or when asked, up to the answer.
fn authenticate(
    client: &mut LineClient,
    door: ReadingDoor,
    (mechanism, at_once): (&str, bool),
    (user, password): (&str, &str),
) -> String {
    let responses = responses(mechanism, user, password);
    let verb = if door.protocol == "imap" { "l AUTHENTICATE" } else { "AUTH" };
    let n_at_once = usize::from(at_once);
    let first: String = responses[..n_at_once].iter().map(|it| format!(" {it}")).collect();
    let mut answer = client.ask(&format!("{verb} {mechanism}{first}"));
    for response in &responses[n_at_once..] {
        assert!(answer.starts_with("+ "), "{mechanism}: {answer}");
        answer = client.ask(response);
    }
    answer
}

const MECHANISMS: [&str; 4] = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];

/// An IMAP session that is open: its inbox can be looked at, and what cannot pass is not offered.
#[track_caller]
fn is_open(client: &mut LineClient, answer: &str) {
    let capabilities = answer.strip_prefix("l OK [CAPABILITY ").unwrap_or_else(|| panic!("{answer}"));
    assert!(capabilities.ends_with(&format!("] {READER} is open")), "{answer}");
    assert!(capabilities.contains("IDLE") && capabilities.contains("UIDPLUS"), "{answer}");
    let asked = client.command("c CAPABILITY").swap_remove(0);
    for text in [capabilities, &asked] {
        for word in ["COMPRESS", "AUTH=", "STARTTLS", "LOGINDISABLED", "UNAUTHENTICATE"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    assert!(client.command("s SELECT INBOX").last().unwrap().starts_with("s OK"));
    client.command("q LOGOUT");
}

#[test]
fn every_way_to_sign_in_opens_the_mailbox() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    let joined = password.replace(' ', "");
    for door in ReadingDoor::ALL {
        for mechanism in MECHANISMS {
            for at_once in [false, true] {
                let mut client = at.connect(door);
                let answer = authenticate(&mut client, door, (mechanism, at_once), (&user_name, &password));
                if door.protocol == "imap" {
                    is_open(&mut client, &answer);
                } else {
                    assert_eq!(answer, format!("+OK {READER} is open"), "{mechanism}");
                    assert_eq!(client.ask("STAT"), "+OK 0 0");
                    client.ask("QUIT");
                    client.rest();
                }
            }
        }
    }
    for door in ReadingDoor::IMAP {
        // Quoted, as atoms, and in other letters: people type names as they like.
        for line in [
            format!("l LOGIN \"{user_name}\" \"{password}\""),
            format!("l LOGIN {user_name} {joined}"),
            format!("l login {} \"{}\"", user_name.to_uppercase(), password.to_uppercase()),
        ] {
            let mut client = at.connect(door);
            let answer = client.ask(&line);
            is_open(&mut client, &answer);
        }
        // Literals that wait to be asked for.
        let mut client = at.connect(door);
        assert!(client.ask(&format!("l LOGIN {{{}}}", user_name.len())).starts_with("+ "));
        assert!(client.ask(&format!("{user_name} {{{}}}", password.len())).starts_with("+ "));
        let answer = client.ask(&password);
        is_open(&mut client, &answer);
        // And literals that do not.
        let mut client = at.connect(door);
        let (n_user, n_password) = (user_name.len(), password.len());
        client.say(&format!("l LOGIN {{{n_user}+}}\r\n{user_name} {{{n_password}+}}\r\n{password}"));
        let answer = client.hear();
        is_open(&mut client, &answer);
    }
    // Everything at once, and a sign-in that the client gives up.
    let mut client = at.connect(ReadingDoor::IMAP[1]);
    assert!(client.ask("a AUTHENTICATE PLAIN").starts_with("+ "));
    assert!(client.ask("*").starts_with("a BAD "));
    client.say(&format!("l LOGIN {user_name} {joined}\r\ns SELECT INBOX\r\nf NOOP\r\ng LOGOUT"));
    assert!(client.hear().starts_with("l OK"));
    for answer in ["s OK", "f OK", "* BYE", "g OK"] {
        assert!(client.until(answer).last().is_some());
    }
    assert!(client.rest().is_empty());
    let mut client = at.connect(ReadingDoor::POP3[1]);
    assert!(client.ask("AUTH PLAIN").starts_with("+ "));
    assert!(client.ask("*").starts_with("-ERR"));
    client.say(&format!("USER {user_name}\r\nPASS {joined}\r\nSTAT\r\nQUIT"));
    let answers: Vec<String> = (0..4).map(|_| client.hear()).collect();
    assert!(answers.iter().all(|it| it.starts_with("+OK")), "{answers:?}");
    assert!(client.rest().is_empty());
    for door in ReadingDoor::POP3 {
        let mut client = at.connect(door);
        assert!(client.ask(&format!("USER {user_name}")).starts_with("+OK"));
        assert_eq!(client.ask(&format!("PASS {password}")), format!("+OK {READER} is open"));
        client.ask("QUIT");
        client.rest();
    }
    at.server.stop();
}

#[test]
fn nothing_secret_is_taken_without_tls_and_nothing_but_the_door_is_there_before_sign_in() {
    let at = ReadingHouse::start();
    let AppPassword { user_name, password, .. } = at.app_password(&[]);
    let mut imap = LineClient::plain(&at.server.text("imap_starttls"));
    let greeting = imap.hear();
    assert!(greeting.starts_with("* OK [CAPABILITY IMAP4rev1 ") && greeting.ends_with("] Gatepost is ready"));
    assert!(greeting.contains(" STARTTLS LOGINDISABLED") && !greeting.contains("AUTH="), "{greeting}");
    let encrypt = "Switch on STARTTLS or TLS in the mail program: no password is taken without encryption";
    let privacy = format!("NO [PRIVACYREQUIRED] {encrypt}");
    assert_eq!(imap.ask(&format!("a LOGIN {user_name} \"{password}\"")), format!("a {privacy}"));
    assert_eq!(imap.ask("b AUTHENTICATE PLAIN"), format!("b {privacy}"));
    assert_eq!(imap.ask("b LOGIN {10}"), format!("b {privacy}"));
    assert!(imap.ask("c SELECT INBOX").starts_with("c BAD "));
    assert_eq!(imap.ask("d STARTTLS"), "d OK Begin TLS now");
    let mut imap = imap.encrypted(&at.tls());
    let [capabilities, _] = imap.command("e CAPABILITY").try_into().unwrap();
    for word in MECHANISMS.map(|it| format!(" AUTH={it}")) {
        assert!(capabilities.contains(&word), "{capabilities}");
    }
    assert!(!capabilities.contains("STARTTLS") && !capabilities.contains("LOGINDISABLED"));
    for line in ["f SELECT INBOX", "f LIST \"\" *", "f IDLE", "f COMPRESS DEFLATE", "f ENABLE CONDSTORE"] {
        assert_eq!(imap.ask(line), "f BAD This command is not possible before sign-in");
    }
    assert!(imap.command("g ID NIL")[0].starts_with("* ID (\"name\" \"Gatepost\""));
    assert!(imap.command("h LOGOUT")[0].starts_with("* BYE "));

    let mut pop3 = LineClient::plain(&at.server.text("pop3_starttls"));
    assert_eq!(pop3.hear(), "+OK Gatepost is ready");
    for line in [format!("USER {user_name}"), format!("PASS {password}"), "AUTH PLAIN".to_owned()] {
        assert_eq!(pop3.ask(&line), format!("-ERR {encrypt}"));
    }
    pop3.say("CAPA");
    let offered = pop3.until(".");
    assert!(offered.contains(&"STLS".to_owned()) && !offered.iter().any(|it| it.starts_with("SASL")));
    assert!(pop3.ask("STAT").starts_with("-ERR"));
    assert_eq!(pop3.ask("STLS"), "+OK Begin TLS now");
    let mut pop3 = pop3.encrypted(&at.tls());
    pop3.say("CAPA");
    let offered = pop3.until(".");
    assert!(offered.contains(&"SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER".to_owned()), "{offered:?}");
    assert!(pop3.ask("STAT").starts_with("-ERR"));
    pop3.ask("QUIT");
    assert!(!at.dovecot.log().contains("imap-login") && !at.dovecot.log().contains("pop3-login"));
    at.server.stop();
}

#[test]
fn a_wrong_app_password_sounds_the_same_whatever_is_wrong_and_reaches_no_provider() {
    let at = ReadingHouse::start();
    let right = at.app_password(&[]);
    let sending = at.app_password(&["--allow", "smtp"]);
    let elsewhere = at.app_password(&["--network", "192.0.2.0/24"]);
    let user = right.user_name.as_str();
    for door in ReadingDoor::ALL {
        let wrong = if door.protocol == "imap" { "l NO [AUTHENTICATIONFAILED]" } else { "-ERR [AUTH]" };
        let wrong = format!("{wrong} {WRONG}");
        for (user, password) in [
            (user, "abcd efgh ijkl mnop"),
            ("nobody@practice.example", right.password.as_str()),
            (user, READERS_PASSWORD),
            (user, sending.password.as_str()),
            (user, elsewhere.password.as_str()),
        ] {
            let mut client = at.connect(door);
            let heard = authenticate(&mut client, door, ("PLAIN", true), (user, password));
            assert_eq!(heard, wrong, "{door:?}");
        }
        // RFC 7628 §3.2.3: tokens are refused in two steps.
        for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
            let mut client = at.connect(door);
            let asked = authenticate(&mut client, door, (mechanism, true), (user, "abcd efgh ijkl mnop"));
            let why = STANDARD.decode(asked.strip_prefix("+ ").unwrap()).unwrap();
            assert!(String::from_utf8(why).unwrap().starts_with("{\"status\":"), "{asked}");
            assert_eq!(client.ask("AQ=="), wrong);
        }
    }
    let mut client = at.connect(ReadingDoor::IMAP[1]);
    let heard: Vec<String> = (0..3).map(|_| client.ask(&format!("l LOGIN {user} wrong"))).collect();
    assert!(heard.iter().all(|it| it == &format!("l NO [AUTHENTICATIONFAILED] {WRONG}")), "{heard:?}");
    assert_eq!(client.hear(), "* BYE Too many wrong sign-ins");
    assert!(client.rest().is_empty());
    assert!(!at.dovecot.log().contains("-login"), "{}", at.dovecot.log());
    at.server.stop();
}

/// MP-2, MP-4.
#[test]
fn what_comes_before_it_is_asked_for_or_is_too_much_is_not_obeyed() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    let too_early = "Wait for the answer before you go on";
    let mut imap = LineClient::plain(&at.server.text("imap_starttls"));
    imap.hear();
    imap.say("a STARTTLS\r\nb CAPABILITY");
    assert_eq!(String::from_utf8(imap.rest()).unwrap(), format!("* BYE {too_early}\r\n"));
    let mut pop3 = LineClient::plain(&at.server.text("pop3_starttls"));
    pop3.hear();
    pop3.say("STLS\r\nCAPA");
    assert_eq!(String::from_utf8(pop3.rest()).unwrap(), format!("-ERR {too_early}\r\n"));
    let mut imap = at.connect(ReadingDoor::IMAP[0]);
    imap.say("a AUTHENTICATE PLAIN\r\nAGEAYg==");
    assert_eq!(String::from_utf8(imap.rest()).unwrap(), format!("* BYE {too_early}\r\n"));

    for hostile in [
        format!("a ID {}", "(".repeat(10_000)),
        format!("a ID ({})", "(".repeat(5_000)),
        format!("a LOGIN {}", "x".repeat(100_000)),
        "a LOGIN {4097}".to_owned(),
        "a LOGIN {4294967296+}".to_owned(),
        "a LOGIN {99999999999999999999+}".to_owned(),
        format!("a AUTHENTICATE PLAIN {}", "A".repeat(20_000)),
    ] {
        let mut imap = at.connect(ReadingDoor::IMAP[1]);
        imap.say(&hostile);
        let answer = imap.hear();
        let is_refused = ["a BAD ", "a NO ", "* BAD ", "* BYE "].iter().any(|it| answer.starts_with(it));
        assert!(is_refused, "{}: {answer}", &hostile[..hostile.len().min(40)]);
    }
    for hostile in [format!("USER {}", "x".repeat(300)), format!("AUTH PLAIN {}", "A".repeat(20_000))] {
        let mut pop3 = at.connect(ReadingDoor::POP3[1]);
        pop3.say(&hostile);
        assert!(pop3.hear().starts_with("-ERR"));
    }
    assert!(!at.dovecot.log().contains("-login"), "{}", at.dovecot.log());
    opens_again(&at, &with);
    at.server.stop();
}

/// LOGIN and PASS at the doors with TLS, and what is answered.
fn tries(at: &ReadingHouse, with: &AppPassword) -> [String; 2] {
    let mut imap = at.connect(ReadingDoor::IMAP[1]);
    let mut pop3 = at.connect(ReadingDoor::POP3[1]);
    let by_imap = imap.ask(&format!("l LOGIN {} \"{}\"", with.user_name, with.password));
    pop3.ask(&format!("USER {}", with.user_name));
    [by_imap, pop3.ask(&format!("PASS {}", with.password))]
}

/// Neither says anything of a password, and both say this.
#[track_caller]
fn are_unavailable(answers: &[String; 2], words: &str) {
    assert_eq!(answers[0], format!("l NO [UNAVAILABLE] {words}"));
    assert_eq!(answers[1], format!("-ERR [SYS/TEMP] {words}"));
}

/// Tries until both are let in.
#[track_caller]
fn opens_again(at: &ReadingHouse, with: &AppPassword) {
    let opens = || {
        let answers = tries(at, with);
        (answers[0].starts_with("l OK") && answers[1].starts_with("+OK")).then_some(())
    };
    assert!(wait_until(PATIENCE, opens).is_some(), "{:?}\n{}", tries(at, with), at.told());
}

#[test]
fn trouble_at_the_provider_is_named_and_is_never_a_wrong_password() {
    let mut at = ReadingHouse::start();
    let with = at.app_password(&[]);
    opens_again(&at, &with);
    assert_eq!(at.it.account(READER)["reading"]["status"], "connected");

    at.it.command(&["account", "pause", READER]).done();
    are_unavailable(&tries(&at, &with), &format!("{READER} is paused in Gatepost: resume it there"));
    // Whoever looks into the log for a program that does not get in finds it.
    let log = fs::read_to_string(&at.server.log).unwrap();
    let line = log.lines().find(|it| it.contains("signed in, and cannot read")).unwrap_or(&log);
    assert!(line.contains("is paused in Gatepost: resume it there") && !line.contains(READER), "{line}");
    at.it.command(&["account", "resume", READER]).done();
    opens_again(&at, &with);

    at.dovecot.set_password(READER, "another one");
    // Dovecot looks at its file once a second.
    let refused = wait_until(PATIENCE, || Some(tries(&at, &with)).filter(|it| !it[0].starts_with("l OK")));
    let answers = refused.unwrap();
    let reading = at.it.account(READER)["reading"].clone();
    assert_eq!(reading["status"], "needs_sign_in", "{reading}\n{}", at.told());
    let cause = reading["diagnosis"]["cause"].as_str().unwrap();
    are_unavailable(&answers, &format!("{READER} cannot be read: {cause} Look at it in Gatepost"));
    // It is not asked again for what is known.
    let n_asked = || at.dovecot.log().matches("auth failed").count();
    let before = n_asked();
    assert_eq!(tries(&at, &with), answers);
    assert_eq!(n_asked(), before);

    at.dovecot.set_password(READER, READERS_PASSWORD);
    let connects = || {
        // Sending has no server, so the check ends with a cross.
        at.it.command(&["account", "check", READER]);
        (at.it.account(READER)["reading"]["status"] == "connected").then_some(())
    };
    assert!(wait_until(PATIENCE, connects).is_some(), "{}", at.told());
    opens_again(&at, &with);

    at.dovecot.stop();
    let answers = tries(&at, &with);
    let reading = at.it.account(READER)["reading"].clone();
    assert_eq!(reading["status"], "failing", "{reading}");
    let cause = reading["diagnosis"]["cause"].as_str().unwrap();
    assert_eq!(
        answers[0],
        format!("l NO [UNAVAILABLE] {READER} cannot be read: {cause} Look at it in Gatepost")
    );
    // What is wrong with POP3 stands on no board: its program is told the cure.
    let by_pop3 =
        format!("-ERR [SYS/TEMP] {READER} cannot be read by POP3: {cause} Check the port for reading: ");
    assert!(answers[1].starts_with(&by_pop3), "{answers:?}");
    at.server.stop();
}

/// MP-4: whoever asks and takes no answer gets no further, or hundreds of KiB would be kept for each.
#[test]
fn answers_do_not_pile_up_for_whoever_takes_none() {
    const N: u64 = 20;
    const KIB_EACH: u64 = 150;
    let at = ReadingHouse::start();
    let asked = "CAPA\r\n".repeat(2_700);
    // Asks until nobody hears it any more, because the system holds as many answers as it may.
    let asks = || {
        let mut socket = TcpStream::connect(at.server.text("pop3_starttls")).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        while socket.write_all(asked.as_bytes()).is_ok() {}
        socket
    };
    // What every first session needs once.
    drop(asks());
    let before = at.peak_kib();
    let held: Vec<TcpStream> = thread::scope(|scope| {
        let asking: Vec<_> = (0..N).map(|_| scope.spawn(asks)).collect();
        asking.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let grown = at.peak_kib() - before;
    assert!(grown < N * KIB_EACH, "{grown} KiB for {} clients", held.len());
    drop(held);
    at.server.stop();
}

/// AP-10: a program in a loop is not answered as fast as it asks, and its mailbox is not blamed.
#[test]
fn whoever_is_slowed_down_has_three_tries_like_everybody() {
    let at = ReadingHouse::start();
    for door in [ReadingDoor::IMAP[1], ReadingDoor::POP3[1]] {
        let answer = |client: &mut LineClient, n: usize| {
            if door.protocol == "imap" {
                client.ask(&format!("l LOGIN {READER} aaaabbbbccccddd{n}"))
            } else {
                client.ask(&format!("USER {READER}"));
                client.ask(&format!("PASS aaaabbbbccccddd{n}"))
            }
        };
        // Each of them costs a second.
        std::thread::scope(|scope| {
            for n in 0..12 {
                let (at, answer) = (&at, &answer);
                scope.spawn(move || answer(&mut at.connect(door), n));
            }
        });
        let mut client = at.connect(door);
        for n in 0..3 {
            let answer = answer(&mut client, n);
            assert!(answer.contains("Too many wrong sign-ins came from there: try again in "), "{answer}");
            assert!(answer.starts_with("l NO [UNAVAILABLE] ") || answer.starts_with("-ERR [SYS/TEMP] "));
        }
        assert!(client.hear().ends_with("Too many wrong sign-ins"), "{}", at.told());
    }
    at.server.stop();
}

#[test]
fn connections_to_the_provider_are_shared_and_a_full_one_says_so() {
    let at = ReadingHouse::start();
    let (first, second) = (at.app_password(&[]), at.app_password(&[]));
    let login = |with: &AppPassword| {
        let mut client = at.connect(ReadingDoor::IMAP[1]);
        let answer = client.ask(&format!("l LOGIN {} \"{}\"", with.user_name, with.password));
        (client, answer)
    };
    let full = format!(
        "{READER} has no more connections for this app password at the moment: 9 are shared by all programs. End one of them"
    );
    // Of ten, checks keep one, and somebody else finds one.
    let mut held: Vec<LineClient> = (0..8).map(|_| at.signed_in(ReadingDoor::IMAP[1], &first)).collect();
    assert_eq!(login(&first).1, format!("l NO [LIMIT] {full}"));
    held.push(at.signed_in(ReadingDoor::IMAP[1], &second));
    assert_eq!(login(&second).1, format!("l NO [LIMIT] {full}"));
    // A place is free when its connection is over.
    drop(held);
    let opens = || login(&first).1.starts_with("l OK").then_some(());
    assert!(wait_until(PATIENCE, opens).is_some(), "{}", at.told());

    // Most providers lock a mailbox that is fetched from.
    let mut fetching = at.signed_in(ReadingDoor::POP3[1], &first);
    let mut other = at.connect(ReadingDoor::POP3[1]);
    other.ask(&format!("USER {}", second.user_name));
    let full =
        "is being read by another program, and its provider lets in one at a time: try again in a moment";
    let answer = other.ask(&format!("PASS {}", second.password));
    assert_eq!(answer, format!("-ERR [IN-USE] {READER} {full}"));
    fetching.ask("QUIT");
    at.server.stop();
}

#[test]
fn whoever_has_signed_in_signs_in_no_more_and_compresses_nothing() {
    let at = ReadingHouse::start();
    let with = at.app_password(&[]);
    let bad = "BAD This command is not possible here: you are signed in already, and nothing is compressed";
    let mut imap = at.signed_in(ReadingDoor::IMAP[0], &with);
    for line in ["LOGIN a b", "authenticate PLAIN AGEAYg==", "COMPRESS DEFLATE", "STARTTLS", "UNAUTHENTICATE"]
    {
        assert_eq!(imap.ask(&format!("x {line}")), format!("x {bad}"));
    }
    // With a literal that comes at once, and with one that nobody asks for; in the midst of others.
    imap.say("y LOGIN {1+}\r\na {1+}\r\nb");
    assert_eq!(imap.hear(), format!("y {bad}"));
    imap.say("y NOOP\r\nz LOGIN {1}\r\nv NOOP");
    let all = [imap.hear(), imap.hear(), imap.hear()];
    assert!(all.contains(&format!("z {bad}")), "{all:?}");
    assert!(all.iter().any(|it| it.starts_with("y OK")) && all.iter().any(|it| it.starts_with("v OK")));
    // The same words within a letter are nobody's business.
    let letter = "Subject: x\r\n\r\na LOGIN a b\r\nb COMPRESS DEFLATE\r\nc STARTTLS\r\n";
    assert!(imap.ask(&format!("d APPEND INBOX {{{}}}", letter.len())).starts_with("+ "));
    imap.write(letter.as_bytes());
    imap.say("");
    assert!(imap.until("d ").last().unwrap().starts_with("d OK"));
    imap.say(&format!("e APPEND INBOX {{{}+}}\r\n{letter}", letter.len()));
    assert!(imap.until("e ").last().unwrap().starts_with("e OK"));
    imap.command("f SELECT INBOX");
    imap.say("g FETCH 1:2 BODY.PEEK[]");
    for n in 1..=2 {
        assert_eq!(imap.hear(), format!("* {n} FETCH (BODY[] {{{}}}", letter.len()));
        assert_eq!(imap.octets(letter.len()), letter.as_bytes());
        assert_eq!(imap.hear(), ")");
    }
    assert!(imap.hear().starts_with("g OK"));
    imap.command("h LOGOUT");

    let mut pop3 = at.signed_in(ReadingDoor::POP3[0], &with);
    for line in ["USER a", "PASS b", "AUTH PLAIN AGEAYg==", "APOP a b", "STLS", "XTND XLST"] {
        assert_eq!(pop3.ask(line), "-ERR This command is not possible here");
    }
    pop3.say("NOOP\r\nUSER a\r\nSTAT");
    assert!(pop3.hear().starts_with("+OK"));
    assert_eq!(pop3.hear(), "-ERR This command is not possible here");
    assert!(pop3.hear().starts_with("+OK 2 "));
    assert!(pop3.ask("QUIT").starts_with("+OK"));
    // The provider has heard of one sign-in for each.
    assert_eq!(at.dovecot.log().matches("Info: Login: ").count(), 2, "{}", at.dovecot.log());
    at.server.stop();
}
