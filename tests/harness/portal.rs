//! The ways in at the portal: links, passwords, and the telephone that shows codes.

use std::process::Command;
use std::time::Duration;

use gatepost_testkit::wait_until;
use serde_json::Value;

use super::{Browser, Running, output_of};

/// A code lasts 30 seconds, and the machine may do other things.
const NEXT_CODE_WITHIN: Duration = Duration::from_secs(60);

/// The demo's administrator.
const ADMINISTRATOR: &str = "admin@sandbox.test";

/// Somebody's telephone at the sandbox. Each code works once.
pub(crate) struct Telephone {
    /// The sandbox's pages.
    pages: String,
    /// Whose codes count.
    person: &'static str,
    used: String,
}

impl Telephone {
    /// The administrator's. The code on it was spent when two-step verification was turned on.
    pub(crate) fn of(at: &Running) -> Self {
        let mut its = Self::of_person(at, ADMINISTRATOR);
        its.used = its.shown();
        its
    }

    /// Somebody's who has used none of its codes yet.
    pub(crate) fn of_person(at: &Running, person: &'static str) -> Self {
        Self { pages: at.text("sandbox_pages"), person, used: String::new() }
    }

    /// What it shows now.
    #[track_caller]
    pub(crate) fn shown(&self) -> String {
        let all = authenticators(&self.pages);
        let its = all.iter().find(|it| it["account"] == self.person);
        its.unwrap_or_else(|| panic!("not on the telephone: {all:?}"))["code"].as_str().unwrap().to_owned()
    }

    /// The code that was used last.
    pub(crate) fn used(&self) -> &str {
        &self.used
    }

    /// A code that was not used yet.
    pub(crate) fn code(&mut self) -> String {
        self.used = next_after(&self.used, || self.shown());
        self.used.clone()
    }

    /// Types a code that was not used yet.
    pub(crate) fn type_code(&mut self, browser: &mut Browser, button: &str) {
        browser.fill("Code", &self.code());
        browser.press(button);
        browser.not_see("Six digits");
    }

    /// Proves once more that it is them, where the page asks for it.
    pub(crate) fn confirm(&mut self, browser: &mut Browser) {
        browser.see("Confirm that it is you");
        self.type_code(browser, "Continue");
    }
}

/// The accounts on the sandbox's telephone.
pub(crate) fn authenticators(pages: &str) -> Vec<Value> {
    let url = format!("{pages}/api/phone/authenticators");
    let answer = output_of(Command::new("curl").args(["--silent", "--show-error", "--fail", &url])).json();
    answer.as_array().unwrap().clone()
}

#[track_caller]
fn next_after(used: &str, shown: impl Fn() -> String) -> String {
    let next = wait_until(NEXT_CODE_WITHIN, || Some(shown()).filter(|it| it != used));
    next.expect("there is another code every half minute")
}

/// A code that is wrong as long as this one is right.
pub(crate) fn wrong(code: &str) -> String {
    let n: u32 = code.parse().unwrap();
    format!("{:06}", (n + 314_159) % 1_000_000)
}

/// By the link that the demo prints.
pub(crate) fn sign_in(at: &Running) -> Browser {
    let mut browser = Browser::open(&at.text("portal"));
    browser.go(&at.text("sign_in_link"));
    browser.press("Sign in");
    browser.see("Demo administrator");
    browser
}

/// What an authenticator app with this key shows, as another program computes it.
pub(crate) fn code_of(key: &str) -> String {
    output_of(Command::new("oathtool").args(["--totp", "--base32", key])).done().trim().to_owned()
}

/// The next one that is not `used`.
#[track_caller]
pub(crate) fn code_after(key: &str, used: &str) -> String {
    next_after(used, || code_of(key))
}

/// The first step with a password.
#[track_caller]
pub(crate) fn type_password(browser: &mut Browser, address: &str, password: &str) {
    browser.go("/sign-in");
    browser.fill("E-mail address", address);
    browser.fill("Password", password);
    browser.press("Sign in");
}

/// The link in a letter, whatever way its text is encoded.
#[track_caller]
pub(crate) fn link_in(letter: &str) -> String {
    let plain = letter.replace("=\r\n", "").replace("=3D", "=");
    let found = plain.split_whitespace().find(|it| it.contains("/link?token="));
    found.unwrap_or_else(|| panic!("no link in {letter}")).to_owned()
}
