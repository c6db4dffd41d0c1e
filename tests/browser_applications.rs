//! Registering an application of one's own, walked through in a browser, with the sandbox as the service.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::process::Command;

use gatepost_testkit::fresh_folder;
use harness::portal::{Telephone, sign_in};
use harness::{Browser, BrowserOptions, Running, demo, output_of};

const APPLICATIONS: &str = "/accounts/applications";
const SANDBOX: &str = "/accounts/applications/sandbox";

/// The id of the application that serves at the sandbox, as commands see it.
fn serving(at: &Running) -> Option<String> {
    let all = at.command(&["oauth-client", "list", "--json"]).json_lines();
    let own = all.into_iter().find(|it| it["service"] == "sandbox").unwrap();
    own["client_id"].as_str().map(str::to_owned)
}

/// Proves who it is where that is asked.
fn prove(browser: &mut Browser, telephone: &mut Telephone) {
    if browser.text().contains("Confirm that it is you") {
        telephone.confirm(browser);
    }
}

/// Registers an application on the sandbox's own pages with what the guide gave; its id and secret there.
fn register_there(at: &Running, name: &str, redirect: &str) -> (String, String) {
    let mut there = Browser::open(&at.text("sandbox_pages"));
    there.go("/applications");
    there.fill("Name", name);
    there.fill("Redirect addresses", redirect);
    there.press("Register");
    (there.text_of(".once code"), there.text_of(".once .client-secret"))
}

#[test]
fn an_application_is_registered_by_the_guide_verified_given_a_new_secret_and_removed() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let mut browser = sign_in(&at);
    let mut telephone = Telephone::of(&at);

    // The demo's own stands there with its tick; it makes room.
    browser.go(APPLICATIONS);
    browser.see("Ready");
    browser.see("gatepost-sandbox");
    browser.check_page();
    browser.press("Remove Sandbox");
    prove(&mut browser, &mut telephone);
    browser.see("No mailbox was connected with it.");
    browser.check_page();
    browser.press("Remove it");
    browser.see("is used for new sign-ins no more");
    assert_eq!(serving(&at), None);

    // The steps, each value with a button that copies it.
    browser.press("Set up Sandbox");
    browser.arrives_at(SANDBOX);
    browser.allow_clipboard(true);
    browser.press_near("Redirect addresses", "Copy");
    browser.see("Copied");
    let redirect = browser.clipboard();
    assert_eq!(redirect, format!("{}/oauth/callback/sandbox", at.text("portal")));
    browser.press_near("Name", "Copy");
    let (id, secret) = register_there(&at, "Lakeside", &redirect);

    browser.press("I have them: enter them");
    prove(&mut browser, &mut telephone);
    browser.see("Enter the application at Sandbox");
    // A secret that is wrong: cause and cure, what was typed stays, the secret does not.
    browser.fill("Client ID", &format!("  {id} "));
    browser.fill("Client secret", "not-the-secret");
    browser.press("Check and save");
    browser.see("Nothing was changed.");
    browser.see("Who can do it");
    browser.see("invalid_client");
    assert_eq!(browser.value("Client ID").trim(), id);
    assert_eq!(browser.value("Client secret"), "");
    assert!(
        !browser
            .script("return document.documentElement.outerHTML", &[])
            .to_string()
            .contains("not-the-secret")
    );
    browser.check_page();
    assert_eq!(serving(&at), None, "nothing is stored before the service has taken it");
    // The right one, with what pasting adds.
    browser.fill("Client secret", &format!(" {secret}\u{a0}"));
    browser.press("Check and save");
    browser.see("Sandbox has taken the application.");
    browser.see("Ready");
    browser.see(&id);
    assert_eq!(serving(&at), Some(id.clone()));

    // Marked as reviewed, with the secret that is there.
    browser.press("Change or enter a new secret Sandbox");
    browser.see("Empty: the secret that is here stays.");
    browser.tick("Sandbox has reviewed this application");
    browser.press("Check and save");
    browser.see("Reviewed by the provider");
    // Another application, whose secret has to be entered.
    let (other, other_secret) = register_there(&at, "Another", &redirect);
    browser.press("Change or enter a new secret Sandbox");
    browser.fill("Client ID", &other);
    browser.press("Check and save");
    browser.see("The secret belongs to the client ID and tenant from before.");
    browser.fill("Client secret", &other_secret);
    browser.press("Check and save");
    browser.see(&other);
    assert_eq!(serving(&at), Some(other));
    for secret in [&secret, &other_secret] {
        let log = std::fs::read_to_string(&at.log).unwrap();
        assert!(!log.contains(secret.as_str()), "{log}");
    }
}

/// RFC 8252 §7.3: where no redirect leads back, and where no scripts run.
#[test]
fn the_steps_are_readable_without_scripts_and_name_a_loopback_address_where_one_is_pasted() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let options = BrowserOptions { is_script_on: false, ..BrowserOptions::default() };
    let mut browser = Browser::open_with(&at.text("portal"), options);
    browser.go(&at.text("sign_in_link"));
    browser.press("Sign in");
    browser.see("Demo administrator");
    browser.go("/accounts/applications/microsoft");
    browser.see("A client secret lives for two years at most.");
    browser.see(&format!("{}/oauth/callback/microsoft", at.text("portal")));
    assert!(!browser.text().contains("Copy\n"), "{}", browser.text());
    browser.press("Use a desktop application instead, where no redirect can come back");
    browser.see("Redirect URI (mobile and desktop)");
    browser.see("They copy its address into Gatepost");
    browser.press("I have them: enter them");
    Telephone::of(&at).confirm(&mut browser);
    browser.fill("Client ID", "11111111-2222-3333-4444-555555555555");
    browser.fill("Tenant", "a/b");
    browser.press("Check and save");
    browser.see("A tenant is an ID such as");
    assert!(
        browser.is_ticked("Desktop application: people copy the address from their browser into Gatepost")
    );
    browser.go("/accounts/applications/google");
    for words in ["every permission ends after seven days", "at most 100 people", "https://mail.google.com/"]
    {
        browser.see(words);
    }
}

/// The sandbox's sign-in with its own application and its scopes: the service of the demo is whole.
#[test]
fn the_demos_service_leads_to_the_sandboxs_own_pages() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    let guide = at.command(&["oauth-client", "guide", "--service", "sandbox", "--json"]).json();
    let redirect = guide["redirect_uri"].as_str().unwrap();
    let url = format!("{}/oauth2/auth", at.text("sandbox_pages"));
    let fields = [
        "response_type=code",
        "client_id=gatepost-sandbox",
        "scope=mail.send mail.read.imap mail.read.pop3 offline_access openid email",
        "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method=S256",
        "prompt=consent",
        "state=s",
    ];
    let redirect = format!("redirect_uri={redirect}");
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--get",
        "--output",
        "/dev/null",
        "--write-out",
        "%{http_code} %{redirect_url}",
        &url,
    ]);
    for field in fields.into_iter().chain([redirect.as_str()]) {
        command.args(["--data-urlencode", field]);
    }
    let answer = output_of(&mut command).done();
    assert!(answer.starts_with("303 ") && !answer.contains("error"), "{answer}");
}
