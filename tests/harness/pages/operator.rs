//! Somebody who was invited: the first password, the safety of their account, and every way in.

use std::cell::RefCell;

use gatepost_testkit::fresh_folder;
use tempfile::TempDir;

use super::Page;
use crate::harness::portal::{code_of, link_in};
use crate::harness::{Browser, Running, demo};

const PAUL: &str = "paul@sandbox.test";
const PASSWORD: &str = "seven quiet herons by the weir";
const ANOTHER: &str = "an old lamp over the green door";

/// A demo with an operator, who has not chosen a password yet.
pub(crate) struct Operator {
    at: Running,
    invitation: String,
    /// Those that were made last and are not used yet.
    recovery_codes: RefCell<Vec<String>>,
    _data: TempDir,
}

impl Operator {
    pub(crate) fn start() -> Self {
        let data = fresh_folder();
        let at = demo(&data.path().join("demo"));
        let args = ["person", "add", "--address", PAUL, "--name", "Paul Berg", "--location", "Main Street"];
        let made = at.command(&[&args[..], &["--json"]].concat()).json();
        let invitation = made["link"].as_str().unwrap().to_owned();
        Self { at, invitation, recovery_codes: RefCell::default(), _data: data }
    }

    pub(crate) fn browser(&self) -> Browser {
        let mut browser = Browser::open(&self.at.text("portal"));
        // Chromium tells what signing out has cleared.
        browser.expect_in_console("Clear-Site-Data");
        browser
    }

    fn link(&self, args: &[&str]) -> String {
        let made = self.at.command(&[args, &["--json"]].concat()).json();
        made["link"].as_str().unwrap().to_owned()
    }

    /// The link in the newest letter with this subject.
    fn link_in_letter(&self, subject: &str) -> String {
        let letter = self.at.mailboxes().await_subject(PAUL, subject);
        link_in(&letter)
    }

    fn keep_codes(&self, browser: &mut Browser) {
        let codes = browser.text_of("#codes");
        *self.recovery_codes.borrow_mut() = codes.split_whitespace().map(str::to_owned).collect();
    }

    /// Types one of the recovery codes back.
    fn confirm_codes(&self, browser: &mut Browser, button: &str) {
        let code = self.recovery_codes.borrow()[0].clone();
        browser.fill("One of the codes", &code);
        browser.press(button);
        browser.not_see("One of the codes");
    }

    fn show_recovery_code(&self, browser: &mut Browser) {
        let code = self.recovery_codes.borrow_mut().pop().unwrap();
        browser.fill("Recovery code", &code);
        browser.press("Sign in");
        browser.arrives_at("/stay");
    }

    /// From another computer, to the end.
    fn sign_in_elsewhere(&self) {
        let mut other = self.browser();
        sign_in(&mut other);
        other.go("/second-step?by=recovery");
        self.show_recovery_code(&mut other);
    }
}

fn sign_in(browser: &mut Browser) {
    browser.go("/sign-in");
    browser.fill("E-mail address", PAUL);
    browser.fill("Password", PASSWORD);
    browser.press("Sign in");
    browser.arrives_at("/second-step");
}

/// Opens the page to which a button of the security page leads.
fn from_security(browser: &mut Browser, button: &str) {
    browser.go("/security");
    browser.press(button);
    browser.not_see("How you sign in");
}

/// Two-step verification and all else about the safety of one's own account.
pub(crate) const SECURITY: &[Page<Operator>] = &[
    ("link-invitation", |browser, scene| browser.go(&scene.invitation)),
    ("link-invitation-short", |browser, _| {
        browser.fill("New password", "too short");
        browser.press("Set the password");
        browser.see("needs at least 15");
    }),
    ("home-operator", |browser, _| {
        browser.fill("New password", PASSWORD);
        browser.press("Set the password");
        browser.arrives_at("/");
    }),
    ("outbox-operator", |browser, _| browser.go("/outbox")),
    ("accounts-operator", |browser, _| browser.go("/accounts")),
    ("account-state-only", |browser, _| browser.press("Reception")),
    ("app-passwords-not-offered", |browser, _| browser.go("/app-passwords")),
    ("security-findings", |browser, _| browser.go("/security")),
    ("two-step", |browser, _| browser.go("/two-step")),
    ("two-step-app", |browser, _| {
        browser.press("Begin");
        browser.arrives_at("/two-step/app");
    }),
    ("two-step-app-wrong", |browser, _| {
        browser.press("The camera cannot read it? Type a key");
        let key = browser.text_of("#key").replace(' ', "");
        for _ in 0..2 {
            browser.fill("Code", "12");
            browser.press("Check the code");
            browser.see("ode");
        }
        browser.press("The camera cannot read it? Type a key");
        browser.fill("Code", &code_of(&key));
    }),
    ("two-step-codes", |browser, scene| {
        browser.press("Check the code");
        browser.arrives_at("/two-step/codes");
        scene.keep_codes(browser);
    }),
    ("two-step-codes-wrong", |browser, _| {
        browser.fill("One of the codes", "AAAA-AAAA-AAAAA");
        browser.press("Turn it on");
        browser.see("This is none of the ten codes");
    }),
    ("two-step-done", |browser, scene| {
        scene.confirm_codes(browser, "Turn it on");
        browser.arrives_at("/two-step/done");
    }),
    ("two-step-another", |browser, _| browser.go("/two-step")),
    ("two-step-codes-new", |browser, _| browser.go("/two-step/codes")),
    ("two-step-codes-anew", |browser, scene| {
        browser.press("Make new codes");
        browser.see("Your old codes work");
        scene.keep_codes(browser);
    }),
    ("two-step-off", |browser, scene| {
        scene.confirm_codes(browser, "Use these codes");
        browser.go("/two-step/off");
    }),
    ("security-password", |browser, _| browser.go("/security/password")),
    ("security-password-empty", |browser, _| {
        browser.press("Change the password");
        browser.see("Type the password that you use now.");
    }),
    ("security-address", |browser, _| browser.go("/security/contacts/address")),
    ("security-address-sent", |browser, _| {
        browser.fill("E-mail address", "paul.berg@sandbox.test");
        browser.press("Send the link");
        browser.see("is not proven yet");
    }),
    ("link-contact", |browser, scene| {
        let letter =
            scene.at.mailboxes().await_message("paul.berg@sandbox.test", |it| it["subject"].is_string());
        browser.go(&link_in(&letter));
    }),
    ("security-sign-in-with", |browser, _| {
        browser.press("Yes, it is mine");
        browser.see("paul.berg@sandbox.test is yours.");
        from_security(browser, "Sign in with this one paul.berg@sandbox.test");
    }),
    ("security-remove", |browser, _| from_security(browser, "Remove paul.berg@sandbox.test")),
    ("security-telephone", |browser, _| browser.go("/security/contacts/telephone")),
    ("security-telephone-wrong", |browser, _| {
        browser.fill("Telephone number", "ask Anna");
        browser.press("Keep this number");
        browser.see("A telephone number has 5 to 20 digits");
    }),
    ("security", |browser, scene| {
        browser.fill("Telephone number", "+49 30 1234567");
        browser.press("Keep this number");
        browser.see("The number is kept.");
        scene.sign_in_elsewhere();
        browser.go("/security");
    }),
];

/// Every way in, for the same person afterwards.
pub(crate) const ENTRANCE: &[Page<Operator>] = &[
    ("sign-in-signed-out", |browser, _| {
        browser.press("Your account Paul Berg");
        browser.press("Sign out");
        browser.see("You are signed out.");
    }),
    ("sign-in", |browser, _| browser.go("/sign-in")),
    ("sign-in-menu", |browser, _| browser.press("Your account Look")),
    ("sign-in-wrong", |browser, _| {
        browser.go("/sign-in");
        browser.fill("E-mail address", PAUL);
        browser.fill("Password", "not the password at all");
        browser.press("Sign in");
        browser.see("The address or the password is wrong.");
    }),
    ("second-step", |browser, _| sign_in(browser)),
    ("second-step-wrong", |browser, _| {
        browser.fill("Code", "12");
        browser.press("Sign in");
        browser.see("ode");
    }),
    ("second-step-other", |browser, _| browser.press("Try another way")),
    ("second-step-lost", |browser, _| browser.press("I don't have any of these")),
    ("second-step-recovery", |browser, _| browser.press("Use a recovery code")),
    ("second-step-recovery-wrong", |browser, _| {
        browser.fill("Recovery code", "AAAA-AAAA-AAAAA");
        browser.press("Sign in");
        browser.see("This recovery code is wrong");
    }),
    ("stay", |browser, scene| scene.show_recovery_code(browser)),
    ("home-recovered", |browser, _| {
        browser.press("No");
        browser.arrives_at("/");
    }),
    ("link-sign-in", |browser, scene| browser.go(&scene.at.text("sign_in_link"))),
    ("forgot", |browser, _| {
        browser.go("/");
        browser.press("Your account Paul Berg");
        browser.press("Sign out");
        browser.press("Forgot password?");
    }),
    ("forgot-sent", |browser, _| {
        browser.fill("E-mail address", PAUL);
        browser.press("Send the link");
        browser.arrives_at("/forgot/sent");
    }),
    ("link-reset", |browser, scene| browser.go(&scene.link(&["person", "reset-password", PAUL]))),
    ("link-not-me", |browser, scene| {
        browser.fill("New password", ANOTHER);
        browser.press("Set the password");
        browser.arrives_at("/second-step");
        browser.go(&scene.link_in_letter("The password of your Gatepost account was changed"));
    }),
    ("link-secured", |browser, _| {
        browser.press("It was not me: secure the account");
        browser.arrives_at("/link/secured");
    }),
    ("link-over", |browser, scene| browser.go(&scene.invitation)),
    ("error-not-found-outside", |browser, _| browser.go("/nowhere")),
];
