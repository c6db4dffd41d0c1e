//! Mail accounts that are there, walked click by click: the board, the panel that tells of trouble, one account and its end.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use gatepost_testkit::{Process, fresh_folder};
use harness::portal::{Telephone, sign_in};
use harness::{Browser, Door, Letter, Running, application, demo, python};
use tempfile::TempDir;

const RECEPTION: &str = "reception@sandbox.test";

/// A demo whose one mail account works.
struct House {
    at: Running,
    _data: TempDir,
}

impl House {
    fn start() -> Self {
        let data = fresh_folder();
        let at = demo(&data.path().join("demo"));
        at.command(&["account", "check", RECEPTION]).done();
        Self { at, _data: data }
    }

    /// The provider takes the account's password no more.
    fn refuse(&self) {
        self.at.mailboxes().fault(&format!(r#"{{"account":"{RECEPTION}","fault":"refuse_sign_in"}}"#));
        assert_eq!(self.at.command(&["account", "check", RECEPTION]).code, Some(1));
    }

    fn behave(&self) {
        self.at.mailboxes().fault(r#"{"fault":"none"}"#);
    }

    fn send(&self, to: &str) {
        let letter =
            Letter { user_name: RECEPTION, password: &self.at.app_password(), to, subject: "An appointment" };
        let sent = application("curl", &self.at, Door::Starttls, &letter);
        assert_eq!(sent.code, Some(0), "{sent:?}");
    }

    fn confirm(&self, browser: &mut Browser) {
        if browser.text().contains("Confirm that it is you") {
            Telephone::of(&self.at).confirm(browser);
        }
    }
}

/// A program that reads, and says how that ended.
const READS: &str = r#"
import imaplib, ssl, sys
host, port, authority, user, password = sys.argv[1:]
session = imaplib.IMAP4_SSL(host, int(port), ssl_context=ssl.create_default_context(cafile=authority))
session.login(user, password)
session.select("INBOX")
session.send(b"x IDLE\r\n")
print(session.readline().decode().strip(), flush=True)
print(session.readline().decode().strip(), flush=True)
"#;

/// E1.
#[test]
fn what_reads_a_mailbox_is_seen_on_its_page_and_ended_there() {
    let house = House::start();
    let mut browser = sign_in(&house.at);
    browser.go("/accounts");
    browser.press("Reception");
    browser.see("No program reads this mailbox through Gatepost at this moment.");
    let door = house.at.text("imap_tls");
    let (host, port) = door.rsplit_once(':').unwrap();
    let mut reads = python();
    reads.arg("-c").arg(READS).args([host, port, &house.at.text("certificate"), RECEPTION]);
    reads.arg(house.at.app_password().replace(' ', "")).stdout(Stdio::piped());
    let mut reads = Process::start(&mut reads).unwrap();
    let mut said = BufReader::new(reads.child().stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.next().unwrap().starts_with('+'));
    // Nobody reloads.
    browser.see("IMAP · 127.0.0.1");
    browser.see("uploaded");
    browser.see("Demo");
    browser.reload();
    browser.check_page_in_every_look();
    browser.press("End Demo IMAP");
    browser.see("The connection ends now.");
    assert_eq!(said.next().unwrap(), "* BYE [UNAVAILABLE] The connection was ended in Gatepost");
    browser.see("No program reads this mailbox through Gatepost at this moment.");
    browser.see("A connection that read it was ended Demo administrator");
    browser.see("Demo, by IMAP from 127.0.0.1");
}

/// C13, C14.
#[test]
fn the_board_turns_by_itself_and_the_pop_up_can_wait() {
    let house = House::start();
    let mut browser = sign_in(&house.at);
    browser.press("Mail accounts");
    browser.arrives_at("/accounts");
    browser.see("Connected");
    browser.check_page();
    house.refuse();
    house.send("lisa@sandbox.test");
    // Nobody reloads.
    browser.see("Needs sign-in");
    browser.see("1 letter waits, and leaves by itself once somebody has signed in.");
    browser.see("Who can do it");

    browser.go("/people");
    browser.see("Reception cannot send or be read since");
    browser.check_page();
    browser.press("Later");
    browser.arrives_at("/people");
    browser.not_see("Reception cannot send");
    browser.go("/outbox");
    browser.not_see("Reception cannot send");

    browser.go("/accounts");
    browser.press("Reception");
    browser.press("Check now");
    browser.see("did not work");
    // What comes while one looks on may move what is below it; a page that is loaded may not.
    browser.reload();
    browser.check_page();
    house.behave();
    browser.press("Check once more");
    browser.see("Everything works.");
    browser.press("Back to the mail account");
    browser.see("Added without a check");
    browser.see("Sending: Needs sign-in");
    browser.check_page();
    house.at.mailboxes().await_subject("lisa@sandbox.test", "An appointment");
    browser.press("Mail accounts");
    browser.not_see("letter waits");
    browser.see("Connected");
}

/// C14.
#[test]
fn the_pop_up_goes_by_itself_when_the_account_signs_in_again() {
    let house = House::start();
    house.refuse();
    let mut browser = sign_in(&house.at);
    browser.see("Reception cannot send or be read since");
    browser.go("/security");
    browser.see("Reception cannot send or be read since");
    house.behave();
    house.at.command(&["account", "check", RECEPTION]).done();
    browser.not_see("Reception cannot send");
    browser.is_quiet();
}

/// C1, C2, C19.
#[test]
fn an_account_is_edited_paused_and_removed_in_the_portal() {
    let house = House::start();
    let mut browser = sign_in(&house.at);
    browser.go("/accounts");
    browser.press("Reception");
    browser.see("SMTP server");
    browser.press("Change the settings");
    house.confirm(&mut browser);
    browser.fill("Short name", "Front desk");
    browser.fill("Author name", "Lakeside Practice");
    browser.check_page();
    browser.press("Save");
    browser.see("The settings are changed.");
    browser.see("Lakeside Practice");
    browser.fill("Another address", "info@sandbox.test");
    browser.press("Allow it");
    browser.see("Letters may come from info@sandbox.test now.");
    browser.press("Remove info@sandbox.test");
    browser.see("Letters may not come from info@sandbox.test any more.");
    browser.choose("Default of", "Location: Main Street");
    browser.press("Make it the default");
    browser.see("Front desk is the default now: Main Street.");
    browser.press("Pause");
    browser.see("Front desk is paused.");
    house.send("jan@sandbox.test");
    browser.press("Remove");
    house.confirm(&mut browser);
    browser.see("Remove Front desk?");
    browser.see("1 letter waits for it.");
    browser.see("What will stop working");
    browser.check_page();
    browser.press("Keep it");
    browser.press("Resume");
    browser.see("Front desk goes on.");
    house.at.mailboxes().await_subject("jan@sandbox.test", "An appointment");
    browser.press("Remove");
    browser.see("No letter waits for it.");
    browser.press("Remove Front desk");
    browser.arrives_at("/accounts");
    browser.see("Front desk is removed.");
    browser.see("No mail account yet");
    browser.check_page();
}
