//! The ways in, walked click by click: links, both steps, forgotten passwords, and what browsers do besides.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use gatepost_testkit::fresh_folder;
use harness::portal::{Telephone, code_after, code_of, link_in, type_password, wrong};
use harness::{Browser, BrowserOptions, Installation, LOOKS, Provider, Running, demo};
use serde_json::Value;
use tempfile::TempDir;

const ADMIN: &str = "admin@sandbox.test";
const PAUL: &str = "paul@sandbox.test";
const PASSWORD: &str = "seven quiet herons by the weir";
const ANOTHER: &str = "an old lamp over the green door";

/// A demo, whose administrator has two-step verification on and the sandbox's telephone.
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
        let mut browser = Browser::open(&self.at.text("portal"));
        // Chromium tells what signing out has cleared.
        browser.expect_in_console("Clear-Site-Data");
        browser
    }

    fn link(&self, args: &[&str]) -> String {
        let made: Value = self.at.command(&[args, &["--json"]].concat()).json();
        made["link"].as_str().unwrap().to_owned()
    }
}

/// From `/two-step` to its last page; gives the key and the recovery codes.
#[track_caller]
fn turn_two_step_on(browser: &mut Browser) -> (String, Vec<String>) {
    browser.press("Begin");
    browser.arrives_at("/two-step/app");
    browser.press("The camera cannot read it? Type a key");
    let key = browser.text_of("#key").replace(' ', "");
    browser.fill("Code", &code_of(&key));
    browser.press("Check the code");
    browser.arrives_at("/two-step/codes");
    let codes: Vec<String> = browser.text_of("#codes").split_whitespace().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    browser.fill("One of the codes", &codes[3]);
    browser.press("Turn it on");
    (key, codes)
}

#[test]
fn the_link_of_the_set_up_leads_home() {
    let provider = Provider::start();
    let house = Installation::towards(&provider.authority(), "");
    let server = house.serve();
    let made = server.command(&["person", "reset-password", "anna@practice.example", "--json"]).json();
    let link = made["link"].as_str().unwrap();
    let mut browser = Browser::open(link.split("/link").next().unwrap());
    browser.expect_in_console("Clear-Site-Data");

    browser.go(link);
    browser.see("Welcome to Gatepost");
    browser.look("set-up-password");
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/two-step");
    // Nothing else opens before it is on, and then nothing before the organisation has its name.
    browser.go("/outbox");
    browser.arrives_at("/two-step");
    let (_, codes) = turn_two_step_on(&mut browser);
    browser.arrives_at("/two-step/done");
    browser.go("/outbox");
    browser.arrives_at("/set-up");
    browser.look("set-up");
    browser.fill("Name of the organisation", "");
    browser.press("Finish the set-up");
    browser.see("Please look again at:");
    browser.look("set-up-empty");
    browser.fill("Name of the organisation", "Praxis Süd");
    browser.fill("First location", "Main Street");
    browser.press("Finish the set-up");
    browser.arrives_at("/");
    browser.see("Gatepost is set up.");
    browser.see("Praxis Süd");

    // The telephone is lost: one of the codes is as good, once.
    browser.press("Your account anna");
    browser.press("Sign out");
    for is_first in [true, false] {
        type_password(&mut browser, "anna@practice.example", PASSWORD);
        browser.arrives_at("/second-step");
        browser.press("Try another way");
        browser.press("Use a recovery code");
        browser.fill("Recovery code", &codes[5].to_lowercase());
        browser.press("Sign in");
        if is_first {
            browser.arrives_at("/");
            browser.see("9 are left");
            browser.press("Your account anna");
            browser.press("Sign out");
        } else {
            browser.see("This recovery code was used already");
        }
    }
}

#[test]
fn an_administrator_chooses_a_password_and_signs_in_with_a_code() {
    assert_eq!(LOOKS.len(), 4);
    let mut house = House::start();
    let link = house.link(&["person", "reset-password", ADMIN]);
    let mut browser = house.browser();

    // Looking uses nothing up.
    browser.go(&link);
    browser.see("Choose a new password");
    browser.reload();
    browser.see("At least 15 characters");
    browser.look("link-password");
    browser.fill("New password", "too short");
    browser.see("9 characters so far");
    browser.tick("Show what I type");
    browser.press("Set the password");
    browser.see("has 9 characters and needs at least 15");
    assert_eq!(browser.value("New password"), "", "nothing of a password is put into a page");
    browser.look("link-password-short");
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");

    // A reset leaves the second step on.
    browser.arrives_at("/second-step");
    browser.see("Your password was changed");
    browser.see(ADMIN);
    browser.not_see("Don't ask again");
    browser.look("second-step");
    let wrong = wrong(&house.telephone.shown());
    browser.fill("Code", &wrong);
    browser.press("Sign in");
    browser.see("This code is wrong");
    browser.not_see("The clock of Gatepost shows");
    browser.fill("Code", &wrong);
    browser.press("Sign in");
    browser.see("The clock of Gatepost shows");
    browser.look("second-step-wrong");

    browser.press("Try another way");
    browser.see("Use a recovery code");
    browser.look("second-step-other");
    browser.press("I don't have any of these");
    browser.see("Ask an administrator");
    browser.see("gatepost person reset-two-step");
    browser.look("second-step-lost");
    browser.press("Use a recovery code");
    browser.fill("Recovery code", "AAAA-AAAA-AAAAA");
    browser.press("Sign in");
    browser.see("This recovery code is wrong");
    browser.look("second-step-recovery");
    browser.press("Try another way");
    browser.press("Use a code from the authenticator app");
    let code = house.telephone.code();
    // As telephones show it.
    browser.fill("Code", &format!("{} {}", &code[..3], &code[3..]));
    browser.press("Sign in");
    browser.arrives_at("/");

    // Back, and the step again: the browser is past it, and goes on to where it was going.
    browser.go_back();
    browser.arrives_at("/");
    browser.go("/second-step");
    browser.arrives_at("/");
    browser.go("/sign-in");
    browser.arrives_at("/");

    // The same link again.
    browser.go(&link);
    browser.see("This link opens nothing any more");
    browser.look("link-over");

    // Out, and in again: the same code works once.
    browser.go("/");
    browser.press("Your account Demo administrator");
    browser.press("Sign out");
    browser.see("You are signed out.");
    browser.look("sign-in");
    browser.go("/");
    browser.arrives_at("/sign-in");
    type_password(&mut browser, ADMIN, "not the password at all");
    browser.see("The address or the password is wrong.");
    assert_eq!(browser.value("E-mail address"), ADMIN);
    browser.look("sign-in-wrong");
    browser.press("Use another address");
    browser.fill("E-mail address", ADMIN);
    browser.fill("Password", PASSWORD);
    browser.press("Sign in");
    browser.arrives_at("/second-step");
    let used = house.telephone.used().to_owned();
    browser.fill("Code", &used);
    browser.press("Sign in");
    // Used, or used and past its time, whatever the clock says meanwhile.
    browser.see("This code");
    let code = house.telephone.code();
    browser.fill("Code", &code);
    browser.press("Sign in");
    browser.arrives_at("/");
}

#[test]
fn who_forgot_the_password_gets_a_letter_and_the_second_step_stays() {
    let mut house = House::start();
    let mut browser = house.browser();
    browser.go("/sign-in");
    browser.press("Forgot password?");
    browser.see("Forgot your password?");
    browser.look("forgot");
    browser.press("Send the link");
    browser.see("Type the address that you sign in with.");
    browser.fill("E-mail address", "nobody@sandbox.test");
    browser.press("Send the link");
    browser.see("Look into your mailbox");
    let for_nobody = browser.text();
    browser.go("/forgot");
    browser.fill("E-mail address", ADMIN);
    browser.press("Send the link");
    browser.see("Look into your mailbox");
    assert_eq!(browser.text(), for_nobody, "nobody learns who is here");
    browser.look("forgot-sent");

    let letter = house.at.mailboxes().await_message(ADMIN, |it| {
        it["subject"].as_str().is_some_and(|subject| subject.to_lowercase().contains("password"))
    });
    browser.go(&link_in(&letter));
    browser.fill("New password", ANOTHER);
    browser.press("Set the password");
    browser.arrives_at("/second-step");
    let code = house.telephone.code();
    browser.fill("Code", &code);
    browser.press("Sign in");
    browser.arrives_at("/");

    // Was it somebody else? The letter about it takes the account back, and gives nothing to whoever holds it.
    let subject = "The password of your Gatepost account was changed";
    let letter = house.at.mailboxes().await_subject(ADMIN, subject);
    let link = link_in(&letter);
    browser.go(&link);
    browser.see("Was this not you?");
    browser.look("link-not-me");
    browser.press("It was not me: secure the account");
    browser.arrives_at("/link/secured");
    browser.see("on its way to the address that you sign in with");
    browser.look("link-secured");
    browser.go(&link);
    browser.see("This link opens nothing any more");
    browser.go("/");
    browser.arrives_at("/sign-in");
}

#[test]
fn who_lost_everything_sets_two_step_verification_up_anew_after_a_reset() {
    let house = House::start();
    let link = house.link(&["person", "reset-password", ADMIN]);
    let mut browser = house.browser();
    browser.go(&link);
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/second-step");
    house.at.command(&["person", "reset-two-step", ADMIN]).done();
    // The step that was under way is over, and says so.
    browser.fill("Code", "123456");
    browser.press("Sign in");
    browser.arrives_at("/sign-in");
    browser.see("Begin again with your password");
    type_password(&mut browser, ADMIN, PASSWORD);
    browser.arrives_at("/two-step");
}

#[test]
fn an_operator_is_invited_stays_signed_in_and_is_signed_out_elsewhere() {
    let house = House::start();
    let link = house.link(&["person", "add", "--address", PAUL, "--name", "Paul Berg"]);
    let mut browser = house.browser();
    browser.go(&link);
    browser.see("Paul Berg");
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/");
    browser.see("Your password is set.");

    // A page of another tab that is older than the sign-in leads on, and does nothing twice.
    let first = browser.new_tab();
    browser.go("/outbox");
    browser.press("Your account Paul Berg");
    browser.press("Sign out");
    browser.see("You are signed out.");
    let second = browser.turn_to(first);
    browser.go("/outbox");
    browser.arrives_at("/sign-in");
    let first = browser.turn_to(second);
    type_password(&mut browser, PAUL, PASSWORD);
    browser.see("Stay signed in?");
    browser.look("stay");
    browser.press("Yes");
    browser.arrives_at("/");
    browser.turn_to(first);
    browser.fill("E-mail address", PAUL);
    browser.fill("Password", PASSWORD);
    browser.press("Sign in");
    browser.arrives_at("/outbox");
    browser.not_see("This page had become old");

    // Ended elsewhere.
    house.at.command(&["person", "disable", PAUL]).done();
    house.at.command(&["person", "enable", PAUL]).done();
    browser.go("/outbox");
    browser.arrives_at("/sign-in");
    browser.see("You were signed out");
    browser.fill("E-mail address", PAUL);
    browser.fill("Password", PASSWORD);
    browser.press("Sign in");
    browser.see("Stay signed in?");
    browser.press("No");
    browser.arrives_at("/outbox");
}

#[test]
fn a_device_that_is_not_to_ask_again_does_not() {
    let house = House::start();
    let link = house.link(&["person", "add", "--address", PAUL, "--name", "Paul Berg"]);
    let mut browser = house.browser();
    browser.go(&link);
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/");
    browser.go("/two-step");
    let (key, _) = turn_two_step_on(&mut browser);
    browser.arrives_at("/two-step/done");
    // The code of now is spent.
    let spent = code_of(&key);
    for is_first in [true, false] {
        browser.press("Your account Paul Berg");
        browser.press("Sign out");
        browser.see("You are signed out.");
        type_password(&mut browser, PAUL, PASSWORD);
        if is_first {
            browser.arrives_at("/second-step");
            assert!(!browser.is_ticked("Don't ask again on this device for 30 days"));
            browser.look("second-step-trust");
            browser.tick("Don't ask again on this device for 30 days");
            browser.fill("Code", &code_after(&key, &spent));
            browser.press("Sign in");
        }
        browser.arrives_at("/stay");
        browser.press("No");
        browser.arrives_at("/");
    }
    // Another browser is asked.
    let mut other = house.browser();
    type_password(&mut other, PAUL, PASSWORD);
    other.arrives_at("/second-step");
}

#[test]
fn signing_in_works_without_a_script_and_says_that_it_needs_cookies() {
    let house = House::start();
    let link = house.link(&["person", "add", "--address", PAUL, "--name", "Paul Berg"]);
    let portal = house.at.text("portal");
    let plain = BrowserOptions { is_script_on: false, ..BrowserOptions::default() };
    let mut browser = Browser::open_with(&portal, plain);
    browser.go(&link);
    browser.not_see("Show what I type");
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/");
    drop(browser);

    let bare = BrowserOptions { are_cookies_on: false, ..BrowserOptions::default() };
    let mut browser = Browser::open_with(&portal, bare);
    type_password(&mut browser, PAUL, PASSWORD);
    browser.see("Your browser did not send a cookie back");
    assert_eq!(browser.value("E-mail address"), PAUL);
    assert_eq!(browser.value("Password"), "");
    browser.look("sign-in-no-cookies");
}

#[test]
fn the_link_of_the_demo_signs_in_once_and_by_a_click() {
    let house = House::start();
    let link = house.at.text("sign_in_link");
    let mut browser = house.browser();
    browser.go(&link);
    browser.see("Signs you in to");
    browser.look("link-sign-in");
    browser.press("Sign in");
    browser.arrives_at("/");
    browser.go(&link);
    browser.see("This link opens nothing any more");
}
