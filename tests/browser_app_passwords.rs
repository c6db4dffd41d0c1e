//! App passwords, walked through in a browser, with real applications at the doors.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use gatepost_testkit::{fresh_folder, wait_until};
use harness::portal::{Telephone, sign_in};
use harness::{
    AppPassword, Browser, Door, Letter, LineClient, Outcome, Running, Smtp, application, demo, output_of,
    trusting,
};

const ADMIN: &str = "admin@sandbox.test";
const RECEPTION: &str = "reception@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
const PASSWORD: &str = "between two patients there is tea";

/// The letters on the page, without the spaces.
fn letters(browser: &mut Browser) -> String {
    let shown = browser.text_of("#letters");
    let groups: Vec<_> = shown.split(' ').map(str::len).collect();
    assert_eq!(groups, [4, 4, 4, 4], "{shown}");
    shown.replace(' ', "")
}

/// Presses the choice that begins with these words; what it is stands behind them.
fn press_choice(browser: &mut Browser, words: &str) {
    let find = "return [...document.querySelectorAll('.choices a')].map((it) => it.innerText) \
        .find((it) => it.startsWith(arguments[0])).replace(/\\s+/g, ' ')";
    let whole = browser.script(find, &[words.into()]);
    browser.press(whole.as_str().unwrap());
}

/// The choices of the first two steps, for the reception's mail account.
fn choose(browser: &mut Browser, application: &str) {
    browser.go("/app-passwords/new");
    browser.see("Whom is it for?");
    press_choice(browser, "Reception (reception@");
    browser.see("Which application or device is it for?");
    press_choice(browser, application);
}

fn swaks(at: &Running, args: &[&str]) -> Outcome {
    let address = at.text("submission_starttls");
    let (host, port) = address.rsplit_once(':').unwrap();
    output_of(Command::new("swaks").args(["--server", host, "--port", port]).args(args))
}

#[test]
fn a_person_makes_copies_loses_replaces_and_removes_an_app_password() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let mut browser = sign_in(&at);

    // Name, then generated, then copied, then done.
    browser.press("App passwords");
    browser.see("One password for each application or device");
    browser.press("Make an app password");
    Telephone::of(&at).confirm(&mut browser);
    choose(&mut browser, "EXACT");
    browser.see("EXACT needs no app password");
    browser.see("signs in to Google or Microsoft by itself");
    browser.press("Choose another application");
    browser.see("Which application or device is it for?");
    press_choice(&mut browser, "TDO");
    browser.see("App password for TDO");
    browser.check_page();
    assert_eq!(browser.value("Name"), "TDO");
    assert!(browser.is_ticked("Send letters") && !browser.is_ticked("Read letters"));
    browser.fill("Name", " ");
    browser.fill("Device or place (may be left out)", "Computer at the reception");
    browser.press("Make the password");
    browser.see("Give it a name that you will know again");
    assert_eq!(browser.value("Device or place (may be left out)"), "Computer at the reception");
    browser.fill("Name", "TDO letters");
    browser.press("Make the password");
    browser.see("The password for TDO letters is ready");
    browser.see("You won’t see this again.");
    for words in ["Author Email", "Require TLS Connection", RECEPTION, "STARTTLS"] {
        browser.see(words);
    }
    let port = at.text("submission_starttls").rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(browser.text_of("#port"), port, "the port of the door as it is");
    browser.check_page_in_every_look();
    let first = letters(&mut browser);
    browser.allow_clipboard(true);
    browser.press_near("App password", "Copy");
    browser.see("Copied");
    assert_eq!(browser.clipboard(), first);

    // The browser may refuse: then the text is there to be copied by hand.
    browser.allow_clipboard(false);
    browser.press_near("User name", "Copy");
    browser.see("Your browser did not allow it. The text is selected: press Ctrl+C");
    let selected = browser.script("return String(getSelection())", &[]);
    assert_eq!(selected, RECEPTION);

    // It is never there again.
    browser.press("Done");
    browser.see("TDO letters");
    browser.check_page();
    assert!(!browser.text().replace(' ', "").contains(&first));
    browser.go_back();
    browser.see("This password is not shown again");
    assert!(!browser.text().replace(' ', "").contains(&first));

    // It works, and the list says so.
    let sends = |password: &str, subject: &str| {
        let letter = Letter { user_name: RECEPTION, password, to: ANNA, subject };
        application("swaks", &at, Door::Starttls, &letter).code == Some(0)
    };
    assert!(sends(&first, "by the first"));
    let used = wait_until(Duration::from_secs(30), || {
        browser.go("/app-passwords");
        browser.text().contains("ago from 127.0.0.1 (SMTP)").then_some(())
    });
    used.expect("the last use is shown");

    // The sheet is in the application's words, and without the letters.
    browser.press("TDO letters");
    browser.check_page();
    browser.press("Set-up sheet");
    browser.see("The 16 letters shown when it was made");
    browser.see("Setup > Site Configuration > Add/Edit Practice and Doctor Emails > Add");
    browser.check_page();
    assert!(!browser.text().replace(' ', "").contains(&first));

    // Forgotten: replaced, and the old one opens nothing.
    browser.go("/app-passwords");
    browser.press_near("TDO letters", "Replace TDO letters");
    browser.see("Replace TDO letters?");
    browser.check_page();
    browser.tick(
        "Ends now, and what is signed in with it is cut off: for one that is lost or that somebody else knows",
    );
    browser.press("Make a new password");
    let second = letters(&mut browser);
    assert_ne!(first, second);
    browser.press("Done");
    assert!(!sends(&first, "by the one that was replaced"));
    assert!(sends(&second, "by the second"));

    // Removed while an application is signed in.
    let with = AppPassword { id: String::new(), user_name: RECEPTION.into(), password: second };
    let tls = trusting(Path::new(&at.text("certificate")));
    let mut open = Smtp::sign_in(&at.text("submission_tls"), &tls, &with).unwrap();
    browser.press_near("TDO letters", "Remove TDO letters");
    browser.see("Remove TDO letters?");
    browser.see("stops working at once");
    browser.check_page();
    browser.press("Remove TDO letters");
    browser.see("“TDO letters” was removed.");
    let farewell = open.overhear();
    assert!(farewell.as_ref().is_some_and(|it| it.0.starts_with("421 ")), "{farewell:?}");
    assert!(open.is_closed());
    at.stop();
}

/// Field names of most applications are long, and what is typed there stood in what they left.
#[test]
fn no_word_of_what_is_typed_is_broken_beside_long_field_names() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let mut browser = sign_in(&at);
    browser.go("/app-passwords/new");
    Telephone::of(&at).confirm(&mut browser);
    choose(&mut browser, "Another application");
    browser.fill("Which application or device?", "Billing program");
    browser.fill("Name", "Billing program");
    browser.tick("Read letters");
    browser.press("Make the password");
    browser.see("The password for Billing program is ready");
    browser.see("Incoming mail by IMAP");
    browser.see("Or by POP3");
    let broken = "const broken = []; for (const it of document.querySelectorAll('.facts dt, .facts dd')) { \
        for (const word of it.firstChild.data.matchAll(/[A-Za-z0-9]+/g)) { \
        const range = document.createRange(); range.setStart(it.firstChild, word.index); \
        range.setEnd(it.firstChild, word.index + word[0].length); \
        if (range.getClientRects().length > 1) broken.push(word[0]); } } return broken.join(' ')";
    browser.in_every_look(|browser, look| {
        assert_eq!(browser.script(broken, &[]), "", "{}", look.name());
    });
    browser.look("made-another-application");
    at.stop();
}

#[test]
fn app_passwords_are_not_offered_before_two_step_verification_is_on() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let invited = at.command(&["person", "add", "--address", ANNA, "--name", "Anna", "--json"]).json();
    let mut browser = Browser::open(&at.text("portal"));
    browser.go(invited["link"].as_str().unwrap());
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.not_see("Set the password");
    browser.go("/app-passwords");
    browser.see("App passwords need two-step verification");
    browser.see("Set up two-step verification");
    assert!(!browser.text().contains("Make an app password"));
    browser.check_page();
    browser.go("/app-passwords/new?for=me&application=tdo");
    browser.see("App passwords need two-step verification");
    at.stop();
}

#[test]
fn two_who_listen_see_a_wrong_password_no_tls_and_a_wrong_user_name_told_apart() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    // Two sessions: with a password of their own the administrator can sign in more than once.
    let reset = at.command(&["person", "reset-password", ADMIN, "--json"]).json();
    let mut browser = Browser::open(&at.text("portal"));
    browser.go(reset["link"].as_str().unwrap());
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    let mut telephone = Telephone::of(&at);
    telephone.type_code(&mut browser, "Sign in");
    let mut other = Browser::open(&at.text("portal"));
    other.go("/sign-in");
    other.fill("E-mail address", ADMIN);
    other.fill("Password", PASSWORD);
    other.press("Sign in");
    other.see("Six digits");
    telephone.type_code(&mut other, "Sign in");

    choose(&mut browser, "Lamplight");
    browser.press("Make the password");
    let password = letters(&mut browser);
    browser.see("Listening");
    other.go("/app-passwords");
    other.press("Lamplight");
    other.see("Listening");

    let right = |user_name: &str, password: &str| {
        let letter = Letter { user_name, password, to: ANNA, subject: "a try" };
        application("swaks", &at, Door::Starttls, &letter)
    };
    assert_ne!(right(RECEPTION, "abcd efgh ijkl mnop").code, Some(0));
    for browser in [&mut browser, &mut other] {
        browser.see("Wrong password, from 127.0.0.1 by SMTP, TLS 1.3, AUTH LOGIN.");
        browser.see("The user name is right. Type the 16 letters again");
    }
    let plain = swaks(&at, &["--from", RECEPTION, "--to", ANNA]);
    assert_ne!(plain.code, Some(0), "{plain:?}");
    for browser in [&mut browser, &mut other] {
        browser.see("No encryption, from 127.0.0.1 by SMTP.");
        browser.see("turn encryption on, TLS on port");
    }
    assert_ne!(right("recption@sandbox.test", &password).code, Some(0));
    for browser in [&mut browser, &mut other] {
        browser.see("Wrong user name, from 127.0.0.1 by SMTP, TLS 1.3, AUTH LOGIN: “recption@sandbox.test”.");
        browser.see(&format!("Type {RECEPTION} as the user name."));
    }
    let sent = right(RECEPTION, &password);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    for browser in [&mut browser, &mut other] {
        browser.see("Signed in: seen from 127.0.0.1 by SMTP, TLS 1.3, AUTH LOGIN.");
    }
    // Ten wrong ones in a minute; what comes then is not looked at any more, and that is said too.
    let is_slowed =
        |n: u32| right("recption@sandbox.test", &format!("wrong {n}")).stdout.contains("454 4.7.0");
    assert!((0..20).any(is_slowed), "it is looked at for ever");
    for browser in [&mut browser, &mut other] {
        browser.see("Too many wrong tries from 127.0.0.1: Gatepost answers it again in");
        browser.see("what signed in from there within the last 30 days goes on");
        browser.accessible();
    }
    assert_eq!(right(RECEPTION, &password).code, Some(0));
    at.stop();
}

/// B10, E1.
#[test]
fn who_waits_for_an_application_that_reads_sees_how_far_it_comes() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let mut browser = sign_in(&at);
    let curl = |scheme: &str, with: &[&str]| {
        let door = at.text(&format!("{scheme}_starttls"));
        let (_, port) = door.rsplit_once(':').unwrap();
        let url = format!("{scheme}://localhost:{port}");
        let login = ["--silent", "--max-time", "60", "--cacert", &at.text("certificate"), &url];
        output_of(Command::new("curl").args(login).args(with))
    };
    // Somebody else, before there is this app password.
    curl("pop3", &[]);

    browser.go("/app-passwords/new");
    Telephone::of(&at).confirm(&mut browser);
    choose(&mut browser, "Thunderbird");
    browser.tick("Send letters");
    browser.press("Make the password");
    let user = format!("{RECEPTION}:{}", letters(&mut browser));
    browser.see("Let the application fetch its letters now.");
    browser.see("Listening");
    // A probe that asks for nothing is told of to nobody.
    let mut probe = LineClient::plain(&at.text("imap_starttls"));
    probe.hear();
    probe.command("a LOGOUT");
    // curl leaves without a try where it finds no way to sign in.
    assert_ne!(curl("imap", &["--user", &user]).code, Some(0));
    browser.see("No encryption, from 127.0.0.1 by IMAP.");
    let door = at.text("imap_starttls");
    browser.see(&format!("turn encryption on, STARTTLS on port {}.", door.rsplit_once(':').unwrap().1));
    browser.not_see("127.0.0.1 by POP3");
    let mut pop3 = LineClient::plain(&at.text("pop3_starttls"));
    pop3.hear();
    for line in [format!("USER {RECEPTION}"), "PASS x".to_owned(), "AUTH PLAIN".to_owned()] {
        assert_eq!(
            pop3.ask(&line),
            "-ERR Switch on STARTTLS or TLS in the mail program: no password is taken without encryption"
        );
    }
    pop3.ask("QUIT");
    browser.see("No encryption, from 127.0.0.1 by POP3.");
    let mut imap = LineClient::plain(&at.text("imap_starttls"));
    imap.hear();
    // A name or a password would have come next.
    assert!(imap.ask("a LOGIN {5}").starts_with("a NO "));
    let twice = || browser.text().matches("No encryption, from 127.0.0.1 by IMAP.").count() == 2;
    assert!(wait_until(Duration::from_secs(30), || twice().then_some(())).is_some(), "{}", browser.text());
    // Each connection has told of itself once.
    assert_eq!(browser.text().matches("No encryption, from 127.0.0.1 by POP3.").count(), 1);

    at.command(&["account", "pause", RECEPTION]).done();
    assert_ne!(curl("imap", &["--ssl-reqd", "--user", &user]).code, Some(0));
    browser.see("User name and app password are right: seen from 127.0.0.1 by IMAP, TLS 1.3, PLAIN.");
    browser.see("Cannot read");
    browser.see("reception@sandbox.test is paused in Gatepost: resume it there.");
    at.command(&["account", "resume", RECEPTION]).done();
    let read = curl("pop3", &["--ssl-reqd", "--user", &user]);
    assert_eq!(read.code, Some(0), "{read:?}");
    browser.see("Its mailbox is open: seen from 127.0.0.1 by POP3, TLS 1.3, PLAIN.");
    browser.see("It works");
    browser.accessible();
    at.stop();
}
