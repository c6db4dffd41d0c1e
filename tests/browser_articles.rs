//! The articles by which people set their applications up, walked click by click from the mailbox to the letter that arrives.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;

use harness::connecting::{House, begin, confirm, look, signs_in};
use harness::portal::code_of;
use harness::{AppPassword, Browser, Smtp, trusting};
use serde_json::Value;

const LISA: &str = "lisa@sandbox.test";
const RECEPTION: &str = "reception@sandbox.test";
const OLGA: &str = "olga@sandbox.test";
const PAUL: &str = "paul@sandbox.test";
const PASSWORD: &str = "seven quiet herons by the weir";

/// What an application's own settings hold.
struct Settings {
    server: String,
    with: AppPassword,
}

/// What the page of a new app password shows beside a field of the application.
#[track_caller]
fn typed_in(browser: &Browser, field: &str) -> String {
    let find = "const name = [...document.querySelectorAll('.facts dt')].find((it) => it.innerText === arguments[0]); \
        return name ? name.nextElementSibling.innerText : null";
    let value = browser.script(find, &[field.into()]);
    value.as_str().unwrap_or_else(|| panic!("no {field} in {}", browser.text())).to_owned()
}

/// Presses the choice that begins with these words; what it is stands behind them.
fn press_choice(browser: &mut Browser, words: &str) {
    browser.see(words);
    let find = "return [...document.querySelectorAll('.choices a')].map((it) => it.innerText) \
        .find((it) => it.startsWith(arguments[0])).replace(/\\s+/g, ' ')";
    let whole = browser.script(find, &[words.into()]);
    browser.press(whole.as_str().unwrap());
}

/// A letter of an application, encrypted as it was told to.
fn send(house: &House, settings: &Settings, from: &str, subject: &str) {
    let tls = trusting(Path::new(&house.at.text("certificate")));
    let mut application = Smtp::sign_in(&settings.server, &tls, &settings.with).unwrap();
    let text = format!("From: {from}\r\nTo: <{LISA}>\r\nSubject: {subject}\r\n\r\nWe expect you.");
    let address = from.rsplit('<').next().unwrap().trim_end_matches('>');
    let reply = application.send(address, &[LISA], &text).unwrap();
    assert_eq!(reply.code(), 250, "{}", reply.0);
}

/// The page of the newest letter, as an administrator sees it.
fn open_newest(browser: &mut Browser) {
    browser.go("/outbox");
    let find = "return document.querySelector('main a[href^=\"/outbox/\"]').getAttribute('href')";
    let newest = browser.script(find, &[]);
    browser.go(newest.as_str().unwrap());
    browser.see("About this letter");
}

/// What the page of the newest letter says.
#[track_caller]
fn left_by(browser: &mut Browser, account: &str, because: &str) {
    open_newest(browser);
    assert!(typed_in(browser, "Leaves by").contains(account), "{}", browser.text());
    assert_eq!(typed_in(browser, "Because"), because);
    browser.see("The provider took it");
}

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
    browser.look("articles-gmail-doubted");
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

/// C1, C2: TDO's article, field by field: Short Name, Author Name, Author Email, User Name, Password, server, port 587, Require TLS
/// Connection, the default of a location; then a letter, to see that it works.
#[test]
fn tdos_fields_make_the_default_of_a_location_and_a_test_letter_arrives() {
    let house = House::empty();
    let mut browser = house.administrator();
    let front = "front@endodontics.invalid";
    begin(&mut browser, front);
    browser.press("Another provider");
    let (smtp, imap) = (house.at.text("sandbox_smtp"), house.at.text("sandbox_imap"));
    for (kind, address) in [("smtp", &smtp), ("imap", &imap)] {
        let (host, port) = address.rsplit_once(':').unwrap();
        let script = "document.getElementById(arguments[0]).value = arguments[1]";
        browser.script(script, &[format!("{kind}_host").into(), host.into()]);
        browser.script(script, &[format!("{kind}_port").into(), port.into()]);
        browser.script(script, &[format!("{kind}_tls").into(), "starttls".into()]);
    }
    browser.see("STARTTLS");
    browser.fill("User name (signs in as)", front);
    browser.look("articles-tdo-servers");
    browser.press("Continue");
    browser.fill(&format!("Password of {front}"), "sandbox");
    browser.press("Check");
    browser.see("The mailbox works");
    browser.fill("Short name", "Front office");
    browser.fill("Author’s name", "Lakeside Endodontics");
    assert_eq!(browser.value("Author’s e-mail address"), front);
    browser.choose("Whom it serves", "Location: Main Street");
    browser.tick("Letters leave by this mailbox unless another one is chosen. The first mailbox is the default in any case.");
    browser.look("articles-tdo-finish");
    browser.press("Finish");
    browser.see("Front office is connected.");
    browser.see("Location: Main Street");
    look(&mut browser, "articles-tdo-account");

    // The proof, from the home page.
    browser.go("/");
    browser.choose("Mail account", "Front office");
    browser.fill("To", LISA);
    browser.look("articles-tdo-home");
    browser.press("Send it");
    confirm(&house, &mut browser);
    browser.see("The test letter was handed in.");
    browser.see("The provider took it");
    assert!(typed_in(&browser, "Leaves by").contains("Front office"), "{}", browser.text());
    look(&mut browser, "articles-tdo-test-letter");
    let arrived = house.at.mailboxes().await_subject(LISA, "Test letter from Gatepost");
    assert!(arrived.contains(&format!("From: \"Lakeside Endodontics\" <{front}>")), "{arrived}");

    // What TDO itself needs, in its own words, for everybody at that place.
    browser.go("/app-passwords/new");
    confirm(&house, &mut browser);
    press_choice(&mut browser, "Main Street");
    press_choice(&mut browser, "TDO");
    browser.see("App password for TDO");
    browser.press("Make the password");
    browser.see("The password for TDO is ready");
    browser.see("Setup > Site Configuration > Add/Edit Practice and Doctor Emails > Add");
    let author = format!("{} <{}>", typed_in(&browser, "Author Name"), typed_in(&browser, "Author Email"));
    assert_eq!(author, format!("Lakeside Endodontics <{front}>"));
    assert_eq!(typed_in(&browser, "Require TLS Connection"), "Ticked");
    assert_eq!(typed_in(&browser, "Short Name"), "TDO");
    let port = house.at.text("submission_starttls").rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(
        (typed_in(&browser, "SMTP server"), typed_in(&browser, "Port")),
        ("localhost".to_owned(), port)
    );
    browser.look("articles-tdo-values");
    let settings = settings_on(&house, &mut browser, "User Name");
    send(&house, &settings, &author, "Your root canal");
    let arrived = house.at.mailboxes().await_subject(LISA, "Your root canal");
    assert!(arrived.contains(&format!("From: {author}")), "{arrived}");
    left_by(&mut browser, "Front office", "this location's default");
}

/// What stands on the page of a new app password, the letters included.
fn settings_on(house: &House, browser: &mut Browser, user_name: &str) -> Settings {
    let with = AppPassword {
        id: String::new(),
        user_name: typed_in(browser, user_name),
        password: browser.text_of("#letters"),
    };
    Settings { server: house.at.text("submission_tls"), with }
}

/// An operator's own browser, from the link of the invitation on.
fn operator(house: &House, address: &str, name: &str) -> Browser {
    let args = ["person", "add", "--address", address, "--name", name, "--role", "operator", "--json"];
    let link = house.at.command(&args).json()["link"].as_str().unwrap().to_owned();
    let mut browser = Browser::open(&house.at.text("portal"));
    browser.go(&link);
    browser.fill("New password", PASSWORD);
    browser.press("Set the password");
    browser.arrives_at("/");
    browser.go("/two-step");
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
    browser
}

/// Lamplight's fields, filled from the page that an operator sees.
fn lamplight(house: &House, browser: &mut Browser) -> Settings {
    browser.go("/app-passwords/new");
    if browser.text().contains("Whom is it for?") {
        press_choice(browser, "Myself");
    }
    press_choice(browser, "Lamplight");
    browser.press("Make the password");
    browser.see("admin > system administration > Communication Settings");
    assert_eq!(typed_in(browser, "Host name"), "localhost");
    assert_eq!(
        (typed_in(browser, "SSL type"), typed_in(browser, "Authentication")),
        ("TLS".into(), "login".into())
    );
    settings_on(house, browser, "Username")
}

/// An operator connects the mailbox of their own.
fn connect_own(browser: &mut Browser, address: &str) {
    begin(browser, address);
    browser.press("Use the mailbox’s password");
    browser.fill(&format!("Password of {address}"), "sandbox");
    browser.press("Check");
    browser.see("The mailbox works");
    browser.press("Finish");
    browser.see("is connected.");
}

fn explain(house: &House, person: &str) -> Value {
    house.at.command(&["outbox", "explain", "--person", person, "--json"]).json()
}

/// C3: Lamplight's article: one account for all operators, or one for each. What becomes of letters is said before, and on their
/// pages.
#[test]
fn lamplights_operators_share_an_account_and_one_has_their_own_that_falls_back_or_does_not() {
    let house = House::with_reception();
    let mut admin = house.administrator();
    let mut olga = operator(&house, OLGA, "Olga");
    let by_olga = lamplight(&house, &mut olga);
    olga.look("articles-lamplight-values");
    let args = ["app-password", "create", "--person", PAUL, "--name", "Lamplight", "--json"];
    house.at.command(&["person", "add", "--address", PAUL, "--name", "Paul", "--role", "operator"]).done();
    let made = house.at.command(&args).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let with = AppPassword { id: String::new(), user_name: text("user_name"), password: text("password") };
    let by_paul = Settings { server: house.at.text("submission_tls"), with };
    let mailboxes = house.at.mailboxes();

    // One for all.
    for (operator, settings) in [("Olga", &by_olga), ("Paul", &by_paul)] {
        let subject = format!("{operator} by the one for all");
        send(&house, settings, RECEPTION, &subject);
        assert!(mailboxes.await_subject(LISA, &subject).contains(RECEPTION));
        left_by(&mut admin, "Reception", "the organisation's default");
    }
    look(&mut admin, "articles-lamplight-for-all");

    // One of her own.
    olga.go("/");
    olga.see("Connect my mailbox");
    connect_own(&mut olga, OLGA);
    look(&mut olga, "articles-lamplight-own");
    send(&house, &by_olga, OLGA, "Olga by her own");
    assert!(mailboxes.await_subject(LISA, "Olga by her own").contains(&format!("From: {OLGA}")));
    left_by(&mut admin, "Olga", "this person's own account");
    assert_eq!(explain(&house, PAUL)["account"], RECEPTION);
    send(&house, &by_paul, RECEPTION, "Paul as before");
    mailboxes.await_subject(LISA, "Paul as before");
    left_by(&mut admin, "Reception", "the organisation's default");

    // Paused, it is still the choice: what she sends waits, and what he sends does not.
    olga.press("Pause");
    olga.see("Olga is paused.");
    let explained = explain(&house, OLGA);
    let held = explained["held"].as_str().unwrap_or_else(|| panic!("{explained:#}"));
    assert!(explained["account"] == OLGA && held.contains("is paused since"), "{explained:#}");
    send(&house, &by_olga, OLGA, "Olga while paused");
    open_newest(&mut admin);
    admin.see("paused");
    assert_eq!(typed_in(&admin, "Because"), "this person's own account");
    look(&mut admin, "articles-lamplight-paused");
    send(&house, &by_paul, RECEPTION, "Paul meanwhile");
    mailboxes.await_subject(LISA, "Paul meanwhile");
    assert_eq!(mailboxes.count(LISA, "Olga while paused"), 0);
    olga.press("Resume");
    olga.see("Olga goes on.");
    mailboxes.await_subject(LISA, "Olga while paused");

    // "Never fall back": once it is removed, her letters wait for a new choice.
    // She looks at something else while it goes.
    let own = olga.path();
    olga.go("/outbox");
    admin.go(&format!("{own}/edit"));
    confirm(&house, &mut admin);
    admin.tick("Never fall back to another mail account");
    admin.press("Save");
    admin.see("Never to another mail account");
    remove_own(&house, &mut admin, &own, "articles-lamplight-remove-never");
    let gone = "this person's own account was removed and never falls back to another: choose a new one";
    assert_eq!(
        (&explain(&house, OLGA)["held"], &explain(&house, OLGA)["account"]),
        (&gone.into(), &Value::Null)
    );
    send(&house, &by_olga, OLGA, "Olga without her own");
    open_newest(&mut admin);
    admin.see(gone);
    look(&mut admin, "articles-lamplight-held");
    assert_eq!(explain(&house, PAUL)["account"], RECEPTION);

    // The new choice; and without that word, what is removed falls back.
    connect_own(&mut olga, OLGA);
    mailboxes.await_subject(LISA, "Olga without her own");
    let own = olga.path();
    olga.go("/outbox");
    remove_own(&house, &mut admin, &own, "articles-lamplight-remove");
    let explained = explain(&house, OLGA);
    assert_eq!((&explained["account"], &explained["held"]), (&RECEPTION.into(), &Value::Null));
    let verdicts: Vec<_> =
        explained["considered"].as_array().unwrap().iter().map(|it| &it["verdict"]).collect();
    assert_eq!(verdicts, ["removed", "chosen"]);
    send(&house, &by_olga, RECEPTION, "Olga by the one for all again");
    mailboxes.await_subject(LISA, "Olga by the one for all again");
    left_by(&mut admin, "Reception", "the organisation's default");
}

fn remove_own(house: &House, browser: &mut Browser, account: &str, name: &str) {
    browser.go(&format!("{account}/remove"));
    confirm(house, browser);
    browser.see("Remove Olga?");
    browser.look(name);
    browser.press("Remove Olga");
    browser.see("Olga is removed.");
}
