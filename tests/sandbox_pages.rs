//! The sandbox's pages in a browser.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "harness/mod.rs"]
mod harness;

use gatepost_testkit::{fresh_folder, take_slot};
use harness::pages::{FilledSandbox, SANDBOX};
use harness::{Browser, BrowserOptions, LOOKS, Mailboxes, sandbox};
use serde_json::Value;

const KEY: &str = "Key, or the address from the QR code";

#[test]
fn every_page_is_accessible_quiet_light_and_still_in_every_look() {
    let _slot = take_slot();
    let sandbox = FilledSandbox::start();
    let mut browser = Browser::open(&sandbox.address());
    for look in LOOKS {
        browser.change_look(look);
        for (_, reach) in SANDBOX {
            reach(&mut browser, &sandbox);
            browser.check_page();
        }
    }
}

#[test]
fn an_account_is_put_on_the_phone_by_hand_and_taken_off_also_without_script() {
    let _slot = take_slot();
    let data = fresh_folder();
    let running = sandbox(data.path());
    let address = running.text("sandbox_pages");
    for is_script_on in [true, false] {
        let mut browser =
            Browser::open_with(&address, BrowserOptions { is_script_on, ..BrowserOptions::default() });
        browser.go("/");
        browser.press("Phone");
        browser.see("No accounts yet");
        browser.fill(KEY, "gezd gnbv gy3t qojq gezd gnbv gy3t qojq");
        browser.press("Add");
        browser.see("Give the account a name");
        assert_eq!(browser.value(KEY), "gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "what was typed is kept");
        browser.fill("Account name", "anna");
        browser.press("Add");
        browser.not_see("Give the account a name");
        assert_eq!(browser.path(), "/phone");
        // A code may become another between two looks at it, but hardly each time.
        let is_shown = (0..5).any(|_| {
            browser.press("Show the code now");
            browser.text_of(".figures").replace(' ', "") == codes(&address)[0]["code"].as_str().unwrap()
        });
        assert!(is_shown, "{:?}", codes(&address));
        browser.press("Remove anna");
        browser.see("No accounts yet");
        assert_eq!(codes(&address).len(), 0);
    }
}

#[test]
fn the_phone_keeps_its_accounts_over_a_kill() {
    let _slot = take_slot();
    let data = fresh_folder();
    let running = sandbox(data.path());
    let uri = r#"{"uri":"otpauth://totp/Practice:anna?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}"#;
    Mailboxes::at(&running.text("sandbox_pages")).put("phone/authenticators", uri);
    running.kill();
    let running = sandbox(data.path());
    let kept = codes(&running.text("sandbox_pages"));
    assert!(kept.len() == 1 && kept[0]["issuer"] == "Practice" && kept[0]["account"] == "anna", "{kept:?}");
}

/// What the phone shows now.
fn codes(address: &str) -> Vec<Value> {
    let url = format!("{address}/api/phone/authenticators");
    let mut curl = std::process::Command::new("curl");
    let answer = harness::output_of(curl.args(["--silent", "--show-error", "--fail", &url])).json();
    answer.as_array().unwrap().clone()
}
