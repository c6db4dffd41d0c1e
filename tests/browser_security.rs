//! What a person does about the safety of their own account, walked click by click as the providers' help articles do.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use gatepost_testkit::fresh_folder;
use harness::portal::{Telephone, code_after, link_in, type_password, wrong};
use harness::{Browser, BrowserOptions, Running, demo};
use tempfile::TempDir;

const PAUL: &str = "paul@sandbox.test";
const SECOND: &str = "paul.berg@sandbox.test";
const PASSWORD: &str = "seven quiet herons by the weir";
const ANOTHER: &str = "an old lamp over the green door";

/// A demo with an operator, Paul, whose two-step verification is off.
struct House {
    at: Running,
    /// The link with which Paul chooses a password.
    link: String,
    _data: TempDir,
}

impl House {
    fn start() -> Self {
        let data = fresh_folder();
        let at = demo(&data.path().join("demo"));
        let made = at.command(&["person", "add", "--address", PAUL, "--name", "Paul Berg", "--json"]).json();
        let link = made["link"].as_str().unwrap().to_owned();
        Self { at, link, _data: data }
    }

    fn browser(&self) -> Browser {
        Browser::open(&self.at.text("portal"))
    }

    /// A browser in which Paul has just chosen a password.
    fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        browser.go(&self.link);
        browser.fill("New password", PASSWORD);
        browser.press("Set the password");
        browser.arrives_at("/");
        browser
    }
}

#[track_caller]
fn sign_out(browser: &mut Browser) {
    browser.expect_in_console("Clear-Site-Data");
    browser.go("/");
    browser.press("Your account Paul Berg");
    browser.press("Sign out");
    browser.see("You are signed out.");
}

fn codes_on(browser: &mut Browser) -> Vec<String> {
    let codes: Vec<String> = browser.text_of("#codes").split_whitespace().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10, "{codes:?}");
    codes
}

/// On, with recovery codes; then new codes, and another telephone.
#[test]
fn two_step_verification_is_turned_on_and_looked_after() {
    let house = House::start();
    let mut browser = house.signed_in();

    // The check-up says what is wrong, and leads to the cure.
    browser.go("/security");
    browser.see("Two-step verification is off.");
    browser.see("None. They can be made once two-step verification is on.");
    browser.look("security-off");
    browser.press_near("Two-step verification is off.", "Turn it on");
    browser.arrives_at("/two-step");
    browser.see("Recommended: an authenticator app");
    browser.look("two-step");
    browser.press("Begin");
    browser.arrives_at("/two-step/app");
    browser.look("two-step-app");
    browser.press("The camera cannot read it? Type a key");
    let key = browser.text_of("#key").replace(' ', "");

    // Loading the page anew, leaving it and coming back: the same secret.
    browser.reload();
    browser.go("/security");
    browser.go("/two-step");
    browser.press("Go on where you stopped");
    browser.arrives_at("/two-step/app");
    browser.press("The camera cannot read it? Type a key");
    assert_eq!(browser.text_of("#key").replace(' ', ""), key);

    // A wrong code; after the second, what time it is here.
    let code = code_after(&key, "");
    for n in 1..=2 {
        browser.fill("Code", &wrong(&code));
        browser.press("Check the code");
        browser.see("This code is wrong");
        if n == 1 {
            browser.not_see("The clock of Gatepost shows");
        }
    }
    browser.see("The clock of Gatepost shows");
    browser.look("two-step-app-wrong");

    browser.press("Send it to the demo’s pretend phone");
    browser.see("The pretend phone has it");
    let code = Telephone::of_person(&house.at, PAUL).shown();
    browser.fill("Code", &code);
    browser.press("Check the code");
    browser.arrives_at("/two-step/codes");
    let codes = codes_on(&mut browser);
    browser.look("two-step-codes");

    // In the middle: loading anew, back, and coming by the first page all lead to the same codes. Nothing is on yet.
    browser.reload();
    assert_eq!(codes_on(&mut browser), codes);
    browser.go_back();
    browser.go("/two-step");
    browser.arrives_at("/two-step/codes");
    assert_eq!(codes_on(&mut browser), codes);

    // The file holds what the page does.
    browser.press("Download");
    let file = String::from_utf8(browser.downloaded("gatepost-recovery-codes.txt")).unwrap();
    let kept: Vec<_> = file.lines().filter(|it| codes.iter().any(|code| code == it)).collect();
    assert_eq!(kept, codes);
    assert!(file.contains(PAUL) && file.contains("\r\n"), "{file}");
    browser.allow_clipboard(true);
    browser.press("Copy");
    browser.see("Copied");
    assert_eq!(browser.clipboard().split_whitespace().collect::<Vec<_>>(), codes);

    browser.fill("One of the codes", "AAAA-AAAA-AAAAA");
    browser.press("Turn it on");
    browser.see("This is none of the ten codes");
    browser.fill("One of the codes", &codes[6].to_lowercase().replace('-', " "));
    browser.press("Turn it on");
    browser.arrives_at("/two-step/done");
    browser.see("Two-step verification is on");
    browser.look("two-step-done");
    browser.press("To my security");
    browser.arrives_at("/security");
    browser.see("10 are left");
    browser.not_see("Two-step verification is off.");
    browser.look("security-on");

    // Neither the codes nor the secret are shown a second time.
    browser.go("/two-step/codes");
    browser.see("You get ten new codes.");
    browser.not_see(&codes[0]);
    browser.go("/two-step/recovery-codes.txt");
    browser.see("Nothing here");
    browser.go("/two-step/app");
    browser.arrives_at("/two-step");
    browser.see("Use another telephone");
    browser.look("two-step-another");

    // New codes: the old ones are gone once one of the new was typed back.
    browser.go("/security");
    browser.press("Make new codes");
    browser.look("two-step-codes-new");
    browser.press("Make new codes");
    let new_codes = codes_on(&mut browser);
    assert!(new_codes.iter().all(|it| !codes.contains(it)));
    browser.fill("One of the codes", &codes[1]);
    browser.press("Use these codes");
    browser.see("This is none of the ten codes");
    browser.fill("One of the codes", &new_codes[1]);
    browser.press("Use these codes");
    browser.arrives_at("/security");
    browser.see("Your new recovery codes count from now on.");
    sign_out(&mut browser);
    type_password(&mut browser, PAUL, PASSWORD);
    browser.arrives_at("/second-step");
    browser.press("Try another way");
    browser.press("Use a recovery code");
    browser.fill("Recovery code", &codes[1]);
    browser.press("Sign in");
    browser.see("This recovery code is wrong");
    browser.fill("Recovery code", &new_codes[1]);
    browser.press("Sign in");
    browser.see("Stay signed in?");
    browser.press("No");
    browser.arrives_at("/");

    // Another telephone: the old one's codes open nothing any more.
    browser.go("/security");
    browser.see("9 are left");
    browser.press("Use another telephone");
    browser.press("Set up the new telephone");
    browser.arrives_at("/two-step/app");
    browser.press("The camera cannot read it? Type a key");
    let new_key = browser.text_of("#key").replace(' ', "");
    assert_ne!(new_key, key);
    browser.fill("Code", &code_after(&key, &code));
    browser.press("Check the code");
    browser.see("This code is wrong");
    let used = code_after(&new_key, "");
    browser.fill("Code", &used);
    browser.press("Check the code");
    browser.arrives_at("/security");
    browser.see("Your new telephone is set up");
    sign_out(&mut browser);
    type_password(&mut browser, PAUL, PASSWORD);
    browser.arrives_at("/second-step");
    browser.fill("Code", &code_after(&key, ""));
    browser.press("Sign in");
    browser.see("This code is wrong");
    browser.fill("Code", &code_after(&new_key, &used));
    browser.press("Sign in");
    browser.see("Stay signed in?");
    browser.press("No");
    browser.arrives_at("/");

    // Off again.
    browser.go("/two-step/off");
    browser.look("two-step-off");
    browser.press("Turn it off");
    browser.arrives_at("/security");
    browser.see("Your password alone opens this account now.");
    sign_out(&mut browser);
    type_password(&mut browser, PAUL, PASSWORD);
    browser.see("Stay signed in?");
}

#[test]
fn every_page_of_the_set_up_works_without_scripts() {
    let house = House::start();
    let options = BrowserOptions { is_script_on: false, ..BrowserOptions::default() };
    let mut browser = Browser::open_with(&house.at.text("portal"), options);
    browser.go(&house.link);
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/");
    browser.go("/two-step");
    browser.press("Begin");
    browser.press("The camera cannot read it? Type a key");
    let key = browser.text_of("#key").replace(' ', "");
    browser.fill("Code", &code_after(&key, ""));
    browser.press("Check the code");
    browser.arrives_at("/two-step/codes");
    let codes = codes_on(&mut browser);
    browser.press("Download");
    let file = String::from_utf8(browser.downloaded("gatepost-recovery-codes.txt")).unwrap();
    assert!(codes.iter().all(|it| file.contains(it.as_str())), "{file}");
    browser.not_see("Copy");
    browser.fill("One of the codes", &codes[0]);
    browser.press("Turn it on");
    browser.see("Two-step verification is on");
}

#[test]
fn other_browsers_are_signed_out_one_by_one_everywhere_and_by_a_new_password() {
    let house = House::start();
    let mut browser = house.signed_in();
    let mut other = house.browser();
    let enter = |other: &mut Browser, password: &str| {
        type_password(other, PAUL, password);
        other.see("Stay signed in?");
        other.press("No");
        other.arrives_at("/");
    };
    let is_out = |other: &mut Browser| {
        other.go("/security");
        other.arrives_at("/sign-in");
    };

    enter(&mut other, PASSWORD);
    browser.go("/security");
    browser.see("This one");
    browser.look("security-sessions");
    browser.press_near("Where you are signed in", "Sign out Chrome on Linux, 127.0.0.1");
    browser.see("That browser is signed out.");
    is_out(&mut other);

    enter(&mut other, PASSWORD);
    browser.go("/security");
    browser.press("Sign out everywhere");
    browser.see("You are signed out everywhere but here");
    is_out(&mut other);

    enter(&mut other, PASSWORD);
    browser.go("/security");
    browser.press("Change the password");
    browser.look("security-password");
    browser.press("Change the password");
    browser.see("Type the password that you use now.");
    browser.see("Type the password that you want to use.");
    browser.look("security-password-empty");
    browser.fill("Current password", "not the password at all");
    browser.fill("New password", ANOTHER);
    browser.press("Change the password");
    browser.see("This is not your current password.");
    browser.fill("Current password", PASSWORD);
    browser.fill("New password", "too short");
    browser.press("Change the password");
    browser.see("has 9 characters and needs at least 15");
    browser.fill("Current password", PASSWORD);
    browser.fill("New password", ANOTHER);
    browser.press("Change the password");
    browser.arrives_at("/security");
    browser.see("Your password was changed.");
    is_out(&mut other);
    type_password(&mut other, PAUL, PASSWORD);
    other.see("The address or the password is wrong.");
    enter(&mut other, ANOTHER);
    // Until here nothing ended the session that did it all.
    browser.go("/security");
    browser.see("Where you are signed in");
}

#[test]
fn a_second_address_is_proven_by_its_letter_and_becomes_the_one_to_sign_in_with() {
    let house = House::start();
    let mut browser = house.signed_in();
    browser.go("/security");
    browser.press_near("There is no second address", "Add an address");
    browser.look("security-address");
    browser.fill("E-mail address", "paul at home");
    browser.script(
        "document.querySelector('form[action=\"/security/contacts/address\"]').noValidate = true",
        &[],
    );
    browser.press("Send the link");
    browser.see("This is not an e-mail address.");
    assert_eq!(browser.value("E-mail address"), "paul at home");
    browser.fill("E-mail address", SECOND);
    browser.press("Send the link");
    browser.arrives_at("/security");
    browser.see("A link was sent to paul.berg@sandbox.test.");
    browser.see("is not proven yet");
    browser.look("security-contacts");

    let letter = house.at.mailboxes().await_message(SECOND, |it| it["subject"].is_string());
    browser.go(&link_in(&letter));
    browser.press("Yes, it is mine");
    browser.see("paul.berg@sandbox.test is yours.");
    browser.go("/security");
    browser.see("Proven");
    browser.press_near("Proven", "Sign in with this one paul.berg@sandbox.test");
    browser.see("From now on you sign in with paul.berg@sandbox.test.");
    browser.look("security-sign-in-with");
    browser.press("Use this address");
    browser.arrives_at("/security");
    browser.press("Remove paul@sandbox.test");
    browser.see("Notices about your account no longer go there.");
    browser.look("security-remove");
    browser.press("Remove");
    browser.see("It was removed from your contacts.");

    browser.press("Add a number");
    browser.look("security-telephone");
    browser.fill("Telephone number", "ask Anna");
    browser.press("Keep this number");
    browser.see("A telephone number has 5 to 20 digits");
    browser.fill("Telephone number", "+49 30 1234567");
    browser.press("Keep this number");
    browser.see("The number is kept.");
    browser.see("+49 30 1234567");
    sign_out(&mut browser);
    type_password(&mut browser, SECOND, PASSWORD);
    browser.see("Stay signed in?");
}

#[test]
fn an_administrator_is_told_why_two_step_verification_stays_on() {
    let house = House::start();
    let mut browser = house.browser();
    browser.go(&house.at.text("sign_in_link"));
    browser.press("Sign in");
    browser.arrives_at("/");
    browser.go("/two-step/off");
    browser.arrives_at("/confirm");
    browser.fill("Code", &Telephone::of(&house.at).code());
    browser.press("Continue");
    browser.arrives_at("/two-step/off");
    browser.see("administrators need two-step verification");
    browser.not_see("Turn it off");
    browser.look("two-step-off-administrator");
    browser.press("Use another telephone");
    browser.arrives_at("/two-step");
}
