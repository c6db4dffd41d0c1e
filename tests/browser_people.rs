//! People and locations, walked click by click by administrators and by those whom they invite, help and disable.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;

use gatepost_testkit::fresh_folder;
use harness::portal::{Telephone, code_of, link_in, type_password};
use harness::{AppPassword, Browser, Running, Smtp, demo, trusting};
use tempfile::TempDir;

const ADMIN: &str = "admin@sandbox.test";
const ADMIN_NAME: &str = "Demo administrator";
const PAUL: &str = "paul@sandbox.test";
const PASSWORD: &str = "seven quiet herons by the weir";

/// A demo, whose administrator has the sandbox's telephone.
struct House {
    at: Running,
    telephone: Telephone,
    _data: TempDir,
}

impl House {
    fn start() -> Self {
        let data = fresh_folder();
        let at = demo(&data.path().join("demo"));
        let telephone = Telephone::of(&at);
        Self { at, telephone, _data: data }
    }

    fn browser(&self) -> Browser {
        Browser::open(&self.at.text("portal"))
    }

    /// The demo's administrator, signed in.
    fn administrator(&self) -> Browser {
        let mut browser = self.browser();
        browser.go(&self.at.text("sign_in_link"));
        browser.press("Sign in");
        browser.arrives_at("/");
        browser
    }

    /// Goes on with a code of the telephone where the page asks for one.
    fn prove(&mut self, browser: &mut Browser) {
        if browser.text().contains("Confirm that it is you") {
            self.telephone.confirm(browser);
        }
    }

    fn add(&self, args: &[&str]) -> String {
        let made = self.at.command(&[&["person", "add", "--json"], args].concat()).json();
        made["link"].as_str().unwrap().to_owned()
    }

    /// The link in the newest letter that holds one.
    fn link_in_letter(&self, address: &str, subject: &str) -> String {
        let letter = self.at.mailboxes().await_message(address, |it| {
            it["subject"].as_str().is_some_and(|it| it.to_lowercase().contains(subject))
        });
        link_in(&letter)
    }
}

fn choose_password(browser: &mut Browser, link: &str) {
    browser.go(link);
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.not_see("Set the password");
}

fn sign_in(browser: &mut Browser, address: &str) {
    type_password(browser, address, PASSWORD);
    browser.not_see("Forgot password?");
}

/// Turns two-step verification on, as another program computes the codes.
fn set_two_step_up(browser: &mut Browser) {
    browser.press("Begin");
    browser.arrives_at("/two-step/app");
    browser.press("The camera cannot read it? Type a key");
    let key = browser.text_of("#key").replace(' ', "");
    browser.fill("Code", &code_of(&key));
    browser.press("Check the code");
    browser.arrives_at("/two-step/codes");
    let code = browser.text_of("#codes").split_whitespace().next().unwrap().to_owned();
    browser.fill("One of the codes", &code);
    browser.press("Turn it on");
    browser.arrives_at("/two-step/done");
}

#[test]
fn a_test_letter_leaves_from_home_and_its_page_follows_it() {
    let mut house = House::start();
    let mut browser = house.administrator();
    browser.check_page_in_every_look();
    assert_eq!(browser.value("To"), ADMIN);
    browser.fill("To", "anna@sandbox.test");
    browser.press("Send it");
    // A proof in the middle of the form, there and back, and what was typed comes along.
    browser.see("Confirm that it is you");
    browser.check_page_in_every_look();
    browser.press("Use a recovery code");
    browser.see("Recovery code");
    browser.check_page_in_every_look();
    browser.press("Use the authenticator app");
    browser.fill("Code", &house.telephone.code());
    // A double click: the browser hangs up on the first, and shows the answer to the second.
    browser.script(
        "const button = document.querySelector('main form .button.main'); button.click(); setTimeout(() => button.click(), 20)",
        &[],
    );
    browser.see("The test letter was handed in.");
    browser.see("Letter to anna@sandbox.test");
    // By itself: the page looks again.
    browser.see("The provider took it");
    house.at.mailboxes().await_subject("anna@sandbox.test", "Test letter from Gatepost");
    assert_eq!(house.at.mailboxes().count("anna@sandbox.test", "Test letter from Gatepost"), 1);
}

#[test]
fn an_operator_is_invited_by_letter_and_signs_in() {
    let mut house = House::start();
    let mut browser = house.administrator();
    browser.press("People");
    browser.arrives_at("/people");
    browser.see(ADMIN_NAME);
    browser.look("people");
    browser.press("Invite a person");
    house.prove(&mut browser);
    browser.arrives_at("/people/new");
    browser.look("people-invite");

    // What was typed stays, and what is wrong stands beside it.
    browser.fill("Address", "paul at sandbox");
    browser.press("Invite");
    browser.see("An address looks like anna@practice.example.");
    browser.see("Type a name that you will know again.");
    assert_eq!(browser.value("Address"), "paul at sandbox");
    browser.look("people-invite-wrong");
    browser.fill("Name", "Paul <b>Berg</b>");
    browser.fill("Address", PAUL);
    browser.choose("Home location", "Main Street");
    browser.press("Invite");
    browser.see("A link for Paul <b>Berg</b>");
    browser.look("people-link");
    browser.allow_clipboard(true);
    browser.press("Copy");
    browser.see("Copied");
    assert!(browser.clipboard().contains("/link?token="));
    // Once, and then no more.
    browser.reload();
    browser.see("This link was shown before.");
    browser.look("people-link-gone");
    browser.press("Back");
    browser.see("Invited");
    browser.see(PAUL);

    let link = house.link_in_letter(PAUL, "invit");
    browser.reload();
    browser.see("The letter to paul@sandbox.test was sent.");
    browser.look("people-invited");
    let mut theirs = house.browser();
    choose_password(&mut theirs, &link);
    theirs.arrives_at("/");
    theirs.see("Paul <b>Berg</b>");
    // What is for administrators is not there.
    theirs.expect_in_console("404");
    theirs.go("/people");
    theirs.see("Nothing here");

    browser.reload();
    browser.see("Can sign in");
    browser.press("Change name or location");
    house.prove(&mut browser);
    browser.fill("Name", "Paul Berg");
    browser.look("people-edit");
    browser.press("Save");
    browser.see("The changes are saved.");
    browser.look("people-person");
}

#[test]
fn an_administrators_link_is_handed_over_and_an_invitation_withdrawn() {
    let mut house = House::start();
    let mut browser = house.administrator();
    for address in ["eva@sandbox.test", "eva@sandbox.test"] {
        browser.go("/people/new");
        house.prove(&mut browser);
        browser.fill("Name", "Eva");
        browser.fill("Address", address);
        browser.tick("Administrator");
        browser.press("Invite");
        browser.see("An administrator’s invitation is not mailed");
        browser.look("people-link-administrator");
        browser.press("Done");
        browser.press("Withdraw the invitation");
        house.prove(&mut browser);
        browser.see("opens nothing any more, and eva@sandbox.test is free");
        browser.look("people-withdraw");
        browser.press("Withdraw the invitation");
        browser.see("The invitation of Eva was withdrawn.");
    }
    assert!(house.at.mailboxes().messages("eva@sandbox.test").is_empty());
}

#[test]
fn who_lost_everything_is_reset_by_an_administrator_and_sets_it_up_anew() {
    let mut house = House::start();
    let link = house.add(&["--address", PAUL, "--name", "Paul Berg", "--role", "administrator"]);
    let mut paul = house.browser();
    choose_password(&mut paul, &link);
    paul.arrives_at("/two-step");
    set_two_step_up(&mut paul);

    let mut browser = house.administrator();
    browser.go("/people");
    browser.press("Paul Berg");
    // Not one's own.
    browser.press("Reset two-step verification");
    house.prove(&mut browser);
    browser.see("Paul Berg hears of it by a letter to paul@sandbox.test.");
    browser.look("people-two-step");
    browser.press("Reset two-step verification");
    browser.see("It is set up anew at the next sign-in.");
    house.at.mailboxes().await_message(PAUL, |it| {
        it["subject"].as_str().is_some_and(|it| it.to_lowercase().contains("two-step"))
    });
    paul.go("/outbox");
    paul.arrives_at("/sign-in");
    sign_in(&mut paul, PAUL);
    paul.go("/");
    paul.arrives_at("/two-step");
    set_two_step_up(&mut paul);

    // A new password, by a link that is handed over.
    browser.press("Reset the password");
    house.prove(&mut browser);
    browser.look("people-password");
    browser.press("Reset the password");
    browser.see("chooses a new password; two-step verification stays as it is.");
    let link = browser.text_of("#handed-link");
    paul.go(&link);
    paul.fill("New password", "an old lamp over the green door");
    paul.press("Set the password");
    paul.arrives_at("/second-step");
}

#[test]
fn the_last_administrator_stays_whoever_presses_first() {
    let mut house = House::start();
    let mut browser = house.administrator();
    browser.go("/people");
    browser.press(ADMIN_NAME);
    browser.see("is the last administrator who can sign in.");
    browser.look("people-last");
    browser.not_see("Make an operator");
    let me = browser.path();
    browser.go(&format!("{me}/disable"));
    house.prove(&mut browser);
    browser.see("Make somebody else an administrator first");
    browser.look("people-last-disable");

    // With a second one, each has the question open; one of them is too late.
    let link = house.add(&["--address", PAUL, "--name", "Paul Berg", "--role", "administrator"]);
    let mut paul = house.browser();
    choose_password(&mut paul, &link);
    set_two_step_up(&mut paul);
    paul.go("/people");
    paul.press("Paul Berg");
    paul.press("Make an operator");
    paul.see("Make Paul Berg an operator?");
    browser.go(&format!("{me}/disable"));
    house.prove(&mut browser);
    browser.see("You are signed out everywhere at once");
    browser.look("people-disable-me");
    browser.press("Disable");
    browser.arrives_at("/sign-in");
    paul.expect_in_console("409");
    paul.press("Make an operator");
    paul.see("Paul Berg is the last administrator who can sign in.");
    paul.go("/people");
    paul.see("Disabled");
}

/// B8, ID-24.
#[test]
fn disabling_somebody_ends_what_their_app_passwords_have_open() {
    let mut house = House::start();
    let link = house.add(&["--address", PAUL, "--name", "Paul Berg"]);
    choose_password(&mut house.browser(), &link);
    let args = ["app-password", "create", "--person", PAUL, "--name", "Scanner", "--json"];
    let made = house.at.command(&args).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let with = AppPassword { id: text("id"), user_name: text("user_name"), password: text("password") };
    let tls = trusting(Path::new(&house.at.text("certificate")));
    let mut session = Smtp::sign_in(&house.at.text("submission_tls"), &tls, &with).unwrap();

    let mut browser = house.administrator();
    browser.go("/people");
    browser.press("Paul Berg");
    browser.press("Disable");
    house.prove(&mut browser);
    browser.see("Disable Paul Berg?");
    browser.see("What will stop working");
    browser.see("Scanner");
    browser.look("people-disable");
    browser.press("Disable");
    browser.see("Paul Berg is disabled.");
    assert_eq!(session.overhear().map(|it| it.code()), Some(421));
    assert!(Smtp::sign_in(&house.at.text("submission_tls"), &tls, &with).is_err());
    browser.look("people-disabled");
    browser.press("Enable");
    house.prove(&mut browser);
    browser.see("Paul Berg can sign in again.");
    assert!(Smtp::sign_in(&house.at.text("submission_tls"), &tls, &with).is_ok());
}

#[test]
fn locations_are_added_and_renamed() {
    let mut house = House::start();
    let mut browser = house.administrator();
    browser.go("/people");
    browser.press("Locations");
    browser.see("Main Street");
    browser.look("locations");
    browser.fill("Name", "Main Street");
    browser.press("Add");
    house.prove(&mut browser);
    browser.see("There is a location of this name already.");
    assert_eq!(browser.value("Name"), "Main Street");
    browser.look("locations-exists");
    browser.fill("Name", "Harbour");
    browser.press("Add");
    browser.see("Harbour was added.");
    browser.press_near("Harbour", "Rename Harbour");
    browser.look("locations-rename");
    browser.fill("Name", "Old Harbour");
    browser.press("Save");
    browser.see("The location is called Old Harbour now.");
    browser.look("locations-renamed");
}
