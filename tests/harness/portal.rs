//! The demo's administrator at the portal: the link that signs in, and the telephone that shows codes.

use std::process::Command;
use std::time::Duration;

use gatepost_testkit::wait_until;

use super::{Browser, Running, output_of};

/// A code lasts 30 seconds, and the machine may do other things.
const NEXT_CODE_WITHIN: Duration = Duration::from_secs(60);

/// The administrator's telephone. Each code works once.
pub(crate) struct Telephone<'a> {
    at: &'a Running,
    used: String,
}

impl<'a> Telephone<'a> {
    /// The code on it was spent when two-step verification was turned on.
    pub(crate) fn of(at: &'a Running) -> Self {
        Self { at, used: shown(at) }
    }

    /// Types a code that was not used yet.
    pub(crate) fn type_code(&mut self, browser: &mut Browser, button: &str) {
        let next = wait_until(NEXT_CODE_WITHIN, || Some(shown(self.at)).filter(|it| *it != self.used));
        self.used = next.expect("the telephone shows another code every half minute");
        browser.fill("Code", &self.used);
        browser.press(button);
        browser.not_see("Six digits");
    }

    /// Proves once more that it is them, where the page asks for it.
    pub(crate) fn confirm(&mut self, browser: &mut Browser) {
        browser.see("Confirm that it is you");
        self.type_code(browser, "Continue");
    }
}

fn shown(at: &Running) -> String {
    let url = format!("{}/api/phone/authenticators", at.text("sandbox_pages"));
    let answer = output_of(Command::new("curl").args(["--silent", "--show-error", "--fail", &url])).json();
    answer[0]["code"].as_str().unwrap().to_owned()
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
