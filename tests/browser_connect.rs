//! Connecting mailboxes, walked click by click: by signing in at the provider, by app password, by servers typed by hand; and what
//! goes wrong on the way.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;

use harness::connecting::{House, begin, confirm, look, signs_in};
use harness::{Browser, LineClient, trusting};

const ANNA: &str = "anna@sandbox.test";
const CARL: &str = "carl@sandbox.test";
const INFO: &str = "info@sandbox.test";

/// Clicks and fields, as people count them.
#[derive(Default)]
struct Count {
    clicks: usize,
    fields: usize,
}

impl Count {
    #[track_caller]
    fn press(&mut self, browser: &mut Browser, words: &str) {
        browser.press(words);
        self.clicks += 1;
    }

    #[track_caller]
    fn fill(&mut self, browser: &mut Browser, label: &str, text: &str) {
        browser.fill(label, text);
        self.fields += 1;
    }
}

/// C5, C6, C12, C14, C15.
#[test]
fn a_mailbox_is_connected_by_signing_in_and_again_when_that_has_expired() {
    let house = House::empty();
    let mut browser = house.administrator();
    house.signs_in_at_provider(&mut browser, ANNA);
    browser.see("Three steps to the first letter");
    look(&mut browser, "connect-home");
    let mut count = Count::default();
    count.press(&mut browser, "Connect a mailbox");
    browser.arrives_at("/accounts/connect");
    look(&mut browser, "connect-address");
    count.fill(&mut browser, "E-mail address of the mailbox", ANNA);
    count.press(&mut browser, "Continue");
    browser.see("anna@sandbox.test is a mailbox at Sandbox provider");
    look(&mut browser, "connect-ways");
    count.press(&mut browser, "Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    browser.await_address("/oauth2/sign-in/");
    if browser.text().contains("Choose an account") {
        count.press(&mut browser, ANNA);
    }
    browser.see("Gatepost wants to access your account");
    let provider = browser.turn_to(first);
    browser.see("Finish in the other tab. This page goes on by itself.");
    look(&mut browser, "connect-waiting");
    let first = browser.turn_to(provider);
    count.press(&mut browser, "Allow");
    browser.see("You can close this tab");
    assert!(browser.path().starts_with("/oauth/callback/sandbox?"));
    browser.look("connect-callback");
    browser.close_for(first);
    // Nobody touches the first page.
    browser.see("The mailbox works");
    browser.is_quiet();
    look(&mut browser, "connect-works");
    assert_eq!(browser.value("Short name"), "Anna");
    count.press(&mut browser, "Finish");
    browser.see("Anna is connected.");
    browser.see("Connected");
    assert!(count.clicks <= 6 && count.fields <= 1, "{} clicks, {} fields", count.clicks, count.fields);

    // The provider forgets the permission; a letter finds that out.
    let args = ["app-password", "create", "--account", ANNA, "--name", "TDO", "--json"];
    let password = house.at.command(&args).json()["password"].as_str().unwrap().to_owned();
    house.send(ANNA, &password, "lisa@sandbox.test");
    house.at.mailboxes().await_subject("lisa@sandbox.test", "Your appointment");
    let portal = house.at.text("portal");
    browser.at(&house.at.text("sandbox_pages"));
    browser.go("/mailboxes/anna@sandbox.test/access");
    browser.press("Revoke this grant");
    browser.see("No applications");
    browser.at(&portal);
    house.send(ANNA, &password, "paul@sandbox.test");
    browser.go("/");
    browser.see("Needs sign-in");
    // The pop-up, on every page.
    browser.go("/people");
    browser.see("Re-authenticate now");
    look(&mut browser, "connect-again-home");
    browser.press("Re-authenticate now");
    confirm(&house, &mut browser);
    browser.see("Sign in again to Anna");
    look(&mut browser, "connect-again-ways");
    browser.press("Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    browser.await_address("/oauth2/sign-in/");
    if browser.text().contains("Choose an account") {
        browser.press(ANNA);
    }
    browser.see("Gatepost wants to access your account");
    browser.press("Allow");
    browser.see("You can close this tab");
    browser.close_for(first);
    browser.see("Anna is connected again. 1 letter leaves now.");
    browser.look("connect-again-done");
    house.at.mailboxes().await_subject("paul@sandbox.test", "Your appointment");
}

/// C10.
#[test]
fn a_mailbox_is_connected_by_an_app_password() {
    let house = House::empty();
    let mut browser = house.administrator();
    house.at.mailboxes().put(&format!("mailboxes/{CARL}"), r#"{"security":{"second_step":"codes"}}"#);
    let mut count = Count::default();
    count.press(&mut browser, "Connect a mailbox");
    count.fill(&mut browser, "E-mail address of the mailbox", CARL);
    count.press(&mut browser, "Continue");
    browser.see("is a mailbox at");
    count.press(&mut browser, "Use an app password");
    browser.see("Make an app password at");
    look(&mut browser, "connect-app-password");
    browser.press("The page does not offer app passwords?");
    browser.see("Two-step verification is off.");
    let first = browser.new_tab();
    browser.at(&house.at.text("sandbox_pages"));
    browser.go("/mailboxes/carl@sandbox.test/app-passwords");
    count.fill(&mut browser, "App name", "Gatepost");
    count.press(&mut browser, "Create");
    browser.see("It is shown this once.");
    let shown = browser.text_of(".secret");
    browser.at(&house.at.text("portal"));
    browser.close_for(first);
    // The mailbox's own password is warned about, and goes nowhere.
    browser.fill("App password", "sandbox");
    browser.press("Check");
    browser.see("This does not look like an app password");
    browser.look("connect-app-password-doubted");
    count.fill(&mut browser, "App password", &format!(" {shown}\u{200b} "));
    count.press(&mut browser, "Check");
    browser.see("The mailbox works");
    count.press(&mut browser, "Finish");
    browser.see("Carl is connected.");
    assert!(count.clicks <= 7 && count.fields <= 3, "{} clicks, {} fields", count.clicks, count.fields);
    // E1: nobody has typed that server.
    assert_eq!(pop3(&house, CARL)[0], format!("+OK {CARL} is open"));
}

/// What a POP3 program hears that signs in to this mailbox with an app password of its own, and asks how many letters there are.
fn pop3(house: &House, address: &str) -> [String; 2] {
    let args = ["app-password", "create", "--account", address, "--name", "TDO", "--json"];
    let made = house.at.command(&args).json();
    let tls = trusting(Path::new(&house.at.text("certificate")));
    let mut program = LineClient::tls(&house.at.text("pop3_tls"), &tls);
    program.hear();
    program.ask(&format!("USER {}", made["user_name"].as_str().unwrap()));
    [format!("PASS {}", made["password"].as_str().unwrap()), "STAT".to_owned()].map(|it| program.ask(&it))
}

/// E1.
#[test]
fn a_mailbox_that_was_signed_in_to_is_read_by_pop3_where_that_was_allowed() {
    let house = House::empty();
    let mut browser = house.administrator();
    // Without the permission the mailbox is connected all the same, and the program hears what is missing.
    begin(&mut browser, ANNA);
    browser.press("Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, ANNA);
    browser.see("Gatepost wants to access your account");
    browser.tick("Read and delete your mail (POP3)");
    browser.press("Allow");
    browser.see("You can close this tab");
    browser.close_for(first);
    browser.see("The mailbox works");
    browser.press("Finish");
    browser.see("Anna is connected.");
    let refused = &pop3(&house, ANNA)[0];
    let words = "-ERR [SYS/TEMP] anna@sandbox.test cannot be read by POP3: that permission was not given at its provider.";
    assert!(refused.starts_with(words), "{refused}");
    let account = house.at.command(&["account", "show", ANNA, "--json"]).json();
    assert_eq!(account["reading"]["status"], "connected", "{account:#}");

    browser.press("Re-authenticate");
    confirm(&house, &mut browser);
    browser.see("Sign in again to Anna");
    browser.press("Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, ANNA);
    browser.see("Gatepost wants to access your account");
    browser.press("Allow");
    browser.see("You can close this tab");
    browser.close_for(first);
    browser.see("Anna is connected again.");
    let [opened, letters] = pop3(&house, ANNA);
    assert_eq!(opened, format!("+OK {ANNA} is open"));
    assert!(letters.starts_with("+OK ") && letters != "+OK 0 0", "{letters}");
}

/// C1, C12.
#[test]
fn a_mailbox_with_servers_of_its_own_is_connected_by_hand_for_a_location() {
    let house = House::empty();
    let mut browser = house.administrator();
    browser.go("/locations");
    browser.fill("Name", "Harbour");
    browser.press("Add");
    browser.see("Harbour was added.");
    begin(&mut browser, "office@praxis.invalid");
    look(&mut browser, "connect-unknown");
    browser.press("Another provider");
    browser.see("These are guesses");
    look(&mut browser, "connect-servers");
    let smtp = house.at.text("sandbox_smtp");
    let (host, port) = smtp.rsplit_once(':').unwrap();
    let imap = house.at.text("sandbox_imap");
    for (id, text) in [
        ("smtp_host", host),
        ("smtp_port", "0"),
        ("imap_host", host),
        ("imap_port", imap.rsplit_once(':').unwrap().1),
    ] {
        browser
            .script("document.getElementById(arguments[0]).value = arguments[1]", &[id.into(), text.into()]);
    }
    for id in ["smtp_tls", "imap_tls"] {
        browser.script("document.getElementById(arguments[0]).value = 'starttls'", &[id.into()]);
    }
    browser.press("Continue");
    browser.see("A port is a number from 1 to 65535");
    browser.look("connect-servers-wrong");
    browser.script("document.getElementById('smtp_port').value = arguments[0]", &[port.into()]);
    browser.press("Continue");
    browser.see("Password of office@praxis.invalid");
    browser.fill("Password of office@praxis.invalid", "wrong");
    browser.press("Check");
    browser.see("Cannot send");
    look(&mut browser, "connect-cross");
    browser.press("Type the password again");
    browser.fill("Password of office@praxis.invalid", "sandbox");
    browser.press("Check");
    browser.see("The mailbox works");
    browser.fill("Short name", "");
    browser.press("Finish");
    browser.see("A short name has 1 to 60 characters on one line.");
    browser.look("connect-finish-wrong");
    browser.fill("Short name", "Harbour office");
    browser.choose("Whom it serves", "Location: Harbour");
    browser.press("Finish");
    browser.see("Harbour office is connected.");
    browser.see("Location: Harbour");
}

/// C6, C7, C8.
#[test]
fn the_wrong_mailbox_missing_permissions_and_a_way_back_by_hand() {
    let house = House::empty();
    let mut browser = house.administrator();
    house.signs_in_at_provider(&mut browser, CARL);
    begin(&mut browser, ANNA);
    browser.press("Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, CARL);
    browser.see("Gatepost wants to access your account");
    browser.press("Allow");
    browser.see("The mailbox is not connected yet");
    browser.look("connect-callback-refused");
    browser.close_for(first);
    browser.see("Expected mailbox");
    browser.see(CARL);
    browser.see("This is the same mailbox");
    look(&mut browser, "connect-other-mailbox");

    browser.press("Sign in with Sandbox again");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, ANNA);
    browser.see("Gatepost wants to access your account");
    browser.tick("Send mail as you (SMTP)");
    browser.press("Allow");
    browser.see("The mailbox is not connected yet");
    browser.close_for(first);
    browser.see("These permissions were not given:");
    browser.see("Send mail as you (SMTP)");
    look(&mut browser, "connect-missing");
    browser.press("Try again");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, ANNA);
    browser.see("Gatepost wants to access your account");
    browser.press("Cancel");
    browser.see("The mailbox is not connected yet");
    browser.close_for(first);
    browser.see("Sign in with Sandbox again");

    // An application whose redirect reaches nobody.
    let args = ["oauth-client", "add", "--service", "sandbox", "--client-id", "gatepost-sandbox"];
    house.at.command(&[&args[..], &["--no-secret", "--kind", "desktop"]].concat()).done();
    browser.press("Sign in with Sandbox again");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, ANNA);
    browser.see("Gatepost wants to access your account");
    browser.press("Allow");
    let landed = browser.await_address("code=");
    browser.close_for(first);
    browser.see("copy the address of that page and paste it");
    look(&mut browser, "connect-paste");
    browser.fill("Address of the page", "http://127.0.0.1/?code=1");
    browser.press("Go on with this address");
    browser.see("This address is not whole");
    browser.fill("Address of the page", &landed);
    browser.press("Go on with this address");
    browser.see("The mailbox works");
    browser.press("Finish");
    browser.see("Anna is connected.");
}

/// C11: whoever signs in is one, and the mailbox that is opened another.
#[test]
fn a_shared_mailbox_is_connected_with_the_sign_in_of_somebody_who_may_open_it() {
    let house = House::empty();
    let mut browser = house.administrator();
    begin(&mut browser, INFO);
    browser.press("Servers, user name, shared mailbox");
    browser.fill("User name (signs in as)", ANNA);
    browser.fill("Opens mailbox", INFO);
    browser.look("connect-shared");
    browser.press("Continue");
    browser.see(&format!("Connect {INFO}"));
    browser.press("Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    signs_in(&mut browser, ANNA);
    browser.see("Gatepost wants to access your account");
    browser.press("Allow");
    browser.see("You can close this tab");
    browser.close_for(first);
    // Nobody has let Anna into it.
    browser.see("Cannot send");
    look(&mut browser, "connect-shared-cross");
    house.at.mailboxes().put(&format!("mailboxes/{INFO}"), &format!(r#"{{"members":["{ANNA}"]}}"#));
    browser.press("Sign in with Sandbox");
    let first = browser.turn_to_opened_tab();
    // She has allowed it already.
    browser.see("You can close this tab");
    browser.close_for(first);
    browser.see("The mailbox works");
    browser.press("Finish");
    browser.see("Info is connected.");
    browser.see("Opens the mailbox");
    look(&mut browser, "connect-shared-account");

    // Letters come from the shared address, and it is read; hers is neither.
    let args = ["app-password", "create", "--account", INFO, "--name", "TDO", "--json"];
    let password = house.at.command(&args).json()["password"].as_str().unwrap().to_owned();
    house.send(INFO, &password, "lisa@sandbox.test");
    let arrived = house.at.mailboxes().await_subject("lisa@sandbox.test", "Your appointment");
    assert!(arrived.contains(&format!("From: {INFO}")) && !arrived.contains(ANNA), "{arrived}");
    let shown = house.at.command(&["account", "check", INFO, "--json"]).json_lines();
    let arrival = shown.iter().find(|it| it["step"] == "arrival").unwrap_or_else(|| panic!("{shown:#?}"));
    assert_eq!(arrival["ok"], true, "{arrival}");
    let proofs = |address: &str| {
        let all = house.at.mailboxes().messages(address);
        all.iter().filter(|it| it["subject"].as_str().unwrap().starts_with("Gatepost checks")).count()
    };
    assert_eq!((proofs(ANNA), proofs(INFO)), (0, 2));
}
