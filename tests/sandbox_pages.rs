//! The sandbox's pages in a browser.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

#[path = "harness/mod.rs"]
mod harness;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use gatepost_testkit::{fresh_folder, take_slot};
use harness::pages::{FilledSandbox, SANDBOX, authorization};
use harness::portal::authenticators;
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
            browser.text_of(".figures").replace(' ', "")
                == authenticators(&address)[0]["code"].as_str().unwrap()
        });
        assert!(is_shown, "{:?}", authenticators(&address));
        browser.press("Remove anna");
        browser.see("No accounts yet");
        assert_eq!(authenticators(&address).len(), 0);
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
    let kept = authenticators(&running.text("sandbox_pages"));
    assert!(kept.len() == 1 && kept[0]["issuer"] == "Practice" && kept[0]["account"] == "anna", "{kept:?}");
}

#[test]
fn an_application_is_allowed_through_chooser_password_second_step_and_consent_and_revoked() {
    let _slot = take_slot();
    let data = fresh_folder();
    let running = sandbox(data.path());
    let address = running.text("sandbox_pages");
    let application = application();
    let back = format!("http%3A%2F%2F{}%2Fback", application.to_string().replace(':', "%3A"));
    let mut browser = Browser::open(&address);
    browser.go("/");
    browser.fill("Address", "walk@sandbox.test");
    browser.press("Open");
    browser.press("Turn on, with codes");
    browser.see("Two-step verification: codes from the phone");

    browser.go(&authorization(&back, ""));
    browser.see("to continue to Gatepost");
    browser.fill("Email address", "walk@sandbox.test");
    browser.press("Next");
    browser.fill("Password", "wrong");
    browser.press("Next");
    browser.see("Wrong password");
    browser.fill("Password", "sandbox");
    browser.press("Next");
    browser.see("Two-step verification");
    browser.fill("Code from the phone", authenticators(&address)[0]["code"].as_str().unwrap());
    browser.press("Next");
    browser.see("Gatepost wants to access your account");
    assert!(browser.is_ticked("Send mail as you (SMTP)"));
    browser.tick("Read and delete your mail (POP3)");
    browser.press("Allow");
    browser.see("Back in the application");
    let tokens = redeem(&address, &back, &browser.path());
    assert_eq!(tokens["scope"], "mail.send mail.read.imap openid email offline_access");

    // The browser knows the account now; what was unticked has to be asked for.
    browser.go(&authorization(&back, ""));
    browser.see("Use another account");
    browser.press("walk@sandbox.test");
    browser.see("Gatepost wants to access your account");
    browser.press("Cancel");
    browser.see("Back in the application");
    assert!(browser.path().contains("error=access_denied"), "{}", browser.path());

    browser.go("/mailboxes/walk@sandbox.test");
    browser.press("Applications with access");
    browser.press("Expire access tokens");
    browser.see("expired");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&client_id=gatepost-sandbox&refresh_token={refresh}");
    let refreshed = ask_token(&address, &form);
    assert!(refreshed["access_token"].is_string(), "{refreshed}");
    browser.reload();
    browser.see("good until");
    browser.press("Revoke this grant");
    browser.see("No applications");
    let form = form.replace(refresh, refreshed["refresh_token"].as_str().unwrap());
    assert_eq!(ask_token(&address, &form)["error"], "invalid_grant");
}

/// What a code becomes that came back in the path of the application.
fn redeem(address: &str, back: &str, path: &str) -> Value {
    let (_, code) = path.split_once("code=").unwrap_or_else(|| panic!("no code in {path}"));
    let code = code.split('&').next().unwrap();
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let form = format!(
        "grant_type=authorization_code&client_id=gatepost-sandbox&redirect_uri={back}&code={code}&code_verifier={verifier}"
    );
    ask_token(address, &form)
}

fn ask_token(address: &str, form: &str) -> Value {
    let url = format!("{address}/oauth2/token");
    let mut curl = std::process::Command::new("curl");
    harness::output_of(curl.args(["--silent", "--show-error", "--data-raw", form, &url])).json()
}

/// An application that shows one page whatever is asked, until the test ends.
fn application() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let Ok(mut socket) = socket else { continue };
            // A browser also opens connections that it says nothing on.
            std::thread::spawn(move || {
                let _ = socket.read(&mut [0; 8_192]);
                let page = "<!doctype html><html lang=en><title>Application</title><main><h1>Back in the application</h1></main>";
                let _ = write!(
                    socket,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                    page.len()
                );
            });
        }
    });
    address
}
