//! Postfix and Dovecot as mailbox host, by password: what providers really run.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use gatepost_testkit::wait_until;
use harness::{AppPassword, Installation, MailboxHost, Running, python};

const RECEPTION: &str = "reception@practice.example";
const PASSWORD: &str = "Lakeside-7-Anemones";
const ANNA: &str = "anna@practice.example";

/// What a body may hold and must keep: dots, spaces at line ends, lines longer than a screen, other scripts, no text at all.
const BODY: &str = "Dear Anna,\r\n.\r\n..two dots\r\n.hidden\r\ntrailing space \t \r\n\r\n\r\nGr\u{fc}\u{df}e, \u{3a5}\u{3b3}\u{3b5}\u{3af}\u{3b1}, \u{1f4ee}\r\n\u{7f}\u{b}\r\nFrom here on\r\n-- \r\nthe end\r\n";

/// Python's smtplib with the letter on standard input.
const SMTPLIB: &str = r#"
import smtplib, ssl, sys
host, port, authority, user, password, to = sys.argv[1:]
session = smtplib.SMTP(host, int(port))
session.starttls(context=ssl.create_default_context(cafile=authority))
session.login(user, password)
session.sendmail(user, [to], sys.stdin.buffer.read(), mail_options=["BODY=8BITMIME"])
session.quit()
"#;

fn send(server: &Running, with: &AppPassword, subject: &str) {
    let address = server.text("submission_starttls");
    let (host, port) = address.rsplit_once(':').unwrap();
    let mut python = python();
    python.arg("-c").arg(SMTPLIB).args([host, port, &server.text("certificate")]);
    python.args([&with.user_name, &with.password, ANNA]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let letter = format!(
        "From: Reception <{RECEPTION}>\r\nTo: {ANNA}\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{BODY}"
    );
    child.stdin.take().unwrap().write_all(letter.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

fn body(letter: &[u8]) -> &[u8] {
    let end = letter.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    &letter[end + 4..]
}

#[test]
fn a_letter_arrives_at_postfix_and_dovecot_over_starttls_and_over_tls_with_every_byte_of_its_body() {
    let host = MailboxHost::start(RECEPTION, PASSWORD);
    for (n, (smtp, tls)) in [(&host.starttls, "starttls"), (&host.tls, "implicit")].into_iter().enumerate() {
        let house = Installation::towards(&host.authority(), "");
        house.add_account(RECEPTION, PASSWORD, smtp, tls);
        let password = house.app_password(RECEPTION, &[]);
        let server = house.serve();
        send(&server, &password, tls);
        let letters = host.letters(ANNA, n + 1);
        let letter =
            letters.iter().find(|it| String::from_utf8_lossy(it).contains(&format!("Subject: {tls}\r\n")));
        assert_eq!(String::from_utf8_lossy(body(letter.unwrap())), BODY);
        let checked = house.command(&["account", "check", RECEPTION, "--json"]);
        assert_eq!(checked.code, Some(0), "{checked:?}");
        assert!(checked.stdout.contains("may_send"), "{checked:?}");
        let own = host.letters(RECEPTION, n + 1);
        assert!(
            own.iter()
                .all(|it| String::from_utf8_lossy(it).contains("\r\nAuto-Submitted: auto-generated\r\n"))
        );
        assert_eq!(house.account(RECEPTION)["status"], "connected");
        assert_eq!(server.stop().code(), Some(0));
    }
}

/// A refused sign-in holds the account's mail and never bounces it; once it works, what waits leaves by itself.
#[test]
fn a_mailbox_password_that_was_changed_holds_the_mail_until_it_is_right_again() {
    let host = MailboxHost::start(RECEPTION, "changed-at-the-provider");
    let house = Installation::towards(&host.authority(), "");
    house.add_account(RECEPTION, PASSWORD, &host.starttls, "starttls");
    let password = house.app_password(RECEPTION, &[]);
    let server = house.serve();
    send(&server, &password, "held");
    let account = wait_until(Duration::from_secs(30), || {
        Some(house.account(RECEPTION)).filter(|it| it["status"] == "needs_sign_in")
    });
    let account = account.unwrap_or_else(|| panic!("{}", house.account(RECEPTION)));
    for key in ["cause", "cure", "who"] {
        assert!(account["diagnosis"][key].as_str().is_some_and(|it| !it.is_empty()), "{key}: {account}");
    }
    assert!(account["sending"]["reply"].as_str().unwrap().starts_with("535 5.7.8 "), "{account}");
    let held = house.letters(&[]);
    assert_eq!((held.len(), held[0]["state"].as_str()), (1, Some("held")), "{held:?}");
    assert!(held[0]["because"].as_str().is_some_and(|it| !it.is_empty()), "{held:?}");

    // Still wrong: the check says so, and nothing changes.
    let refused = house.command(&["account", "check", RECEPTION]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(house.letters(&["--state", "held"]).len(), 1);

    host.set_password(RECEPTION, PASSWORD);
    house.command(&["account", "check", RECEPTION]).done();
    assert_eq!(String::from_utf8_lossy(body(&host.letters(ANNA, 1)[0])), BODY);
    let sent = wait_until(Duration::from_secs(30), || house.letters(&["--state", "sent"]).pop());
    assert_eq!(sent.unwrap()["recipients"][0]["address"], ANNA);
    assert_eq!(house.account(RECEPTION)["status"], "connected");
    server.stop();
}
