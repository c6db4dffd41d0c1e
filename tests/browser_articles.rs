//! The articles by which people set their applications up, walked click by click from the mailbox to the letter that arrives.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use harness::Browser;
use harness::connecting::{House, begin, confirm, look, look_here, signs_in};

const LISA: &str = "lisa@sandbox.test";

/// On the provider's own page, as the guide says; gives what it shows once.
fn make_app_password(house: &House, browser: &mut Browser, address: &str) -> String {
    let first = browser.new_tab();
    browser.at(&house.at.text("sandbox_pages"));
    browser.go(&format!("/mailboxes/{address}/app-passwords"));
    browser.fill("App name", "Gatepost");
    browser.press("Create");
    browser.see("It is shown this once.");
    let shown = browser.text_of(".secret");
    browser.at(&house.at.text("portal"));
    browser.close_for(first);
    shown
}

/// From the tick to an application that sends by the mailbox with an app password of its own.
fn finish_and_send(house: &House, browser: &mut Browser, address: &str, name: &str) {
    browser.see("The mailbox works");
    browser.fill("Short name", name);
    browser.press("Finish");
    browser.see(&format!("{name} is connected."));
    let args = ["app-password", "create", "--account", address, "--name", "ClinicSource", "--json"];
    let made = house.at.command(&args).json();
    house.send(address, made["password"].as_str().unwrap(), LISA);
    let arrived =
        house.at.mailboxes().await_message(LISA, |it| it["from"].as_str().unwrap().contains(address));
    assert!(arrived.contains("Subject: Your appointment"), "{arrived}");
}

/// C10: a practice application with "custom SMTP settings", and what the three providers want for that today.
#[test]
fn gmail_yahoo_and_outlook_com_are_connected_as_each_of_them_wants_it() {
    let house = House::towards_large_providers();
    let mut browser = house.administrator();

    // Two-step verification first, then 16 letters.
    let gmail = "lakeside.therapy@gmail.com";
    house.at.mailboxes().put(&format!("mailboxes/{gmail}"), r#"{"security":{"second_step":"codes"}}"#);
    begin(&mut browser, gmail);
    browser.see("lakeside.therapy@gmail.com is a mailbox at Gmail.");
    browser.see("The mailbox’s own password: not possible");
    browser.see("Google no longer accepts the account's own password from mail programs.");
    look(&mut browser, "articles-gmail-ways");
    browser.press("Use an app password");
    confirm(&house, &mut browser);
    browser.see("Make an app password at Gmail");
    browser.see("2-Step Verification must be on for this Google Account.");
    browser.press("The page does not offer app passwords?");
    for words in
        ["2-Step Verification is off", "security keys only", "Your organisation", "Advanced Protection"]
    {
        browser.see(words);
    }
    look(&mut browser, "articles-gmail");
    browser.fill("App password", "sandbox");
    browser.press("Check");
    browser.see("This does not look like an app password of this provider.");
    look_here(&mut browser, "articles-gmail-doubted");
    let letters = make_app_password(&house, &mut browser, gmail);
    browser.fill("App password", &letters);
    browser.press("Check");
    finish_and_send(&house, &mut browser, gmail, "Gmail");

    let yahoo = "lakeside.therapy@yahoo.com";
    house.at.mailboxes().put(&format!("mailboxes/{yahoo}"), r#"{"security":{"second_step":"codes"}}"#);
    begin(&mut browser, yahoo);
    browser.see("lakeside.therapy@yahoo.com is a mailbox at Yahoo Mail.");
    browser.see("Signing in at the provider: not possible");
    browser.see("Yahoo and AOL register no new applications for mail");
    look(&mut browser, "articles-yahoo-ways");
    browser.press("Use an app password");
    confirm(&house, &mut browser);
    browser.see("Make an app password at Yahoo Mail");
    browser.see("Choose Generate app password, or Generate and manage app passwords.");
    look(&mut browser, "articles-yahoo");
    let letters = make_app_password(&house, &mut browser, yahoo);
    browser.fill("App password", &letters.replace(' ', ""));
    browser.press("Check");
    finish_and_send(&house, &mut browser, yahoo, "Yahoo");

    // What the old articles say is over: it is explained, and the way that there is leads on.
    let outlook = "lakeside.therapy@outlook.com";
    begin(&mut browser, outlook);
    browser.see("is a mailbox at Outlook.com");
    for words in [
        "App password: not possible",
        "Microsoft ended app passwords for mail programs at Outlook.com",
        "The mailbox’s own password: not possible",
        "Microsoft lets only registered applications in.",
    ] {
        browser.see(words);
    }
    assert!(!browser.text().contains("Use an app password"), "{}", browser.text());
    look(&mut browser, "articles-outlook-ways");
    let ways = browser.path();
    browser.press("Register an application");
    browser.see("Your own application at Microsoft");
    browser.press("I have them: enter them");
    confirm(&house, &mut browser);
    browser.fill("Client ID", "gatepost-sandbox");
    browser.press("Check and save");
    browser.see("Microsoft has taken the application.");
    browser.go(&ways);
    browser.see("App password: not possible");
    look(&mut browser, "articles-outlook-registered");
    browser.press("Sign in with Microsoft");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, outlook);
    browser.see("Gatepost wants to access your account");
    browser.press("Allow");
    browser.see("You can close this tab");
    browser.close_for(first);
    finish_and_send(&house, &mut browser, outlook, "Outlook");
    browser.go("/accounts");
    for name in ["Gmail", "Yahoo", "Outlook"] {
        browser.see(name);
    }
    look(&mut browser, "articles-board");
}
