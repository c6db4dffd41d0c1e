//! Connecting a mailbox, up to the last question.

use super::{Office, Page};
use crate::harness::Browser;

const ANNA: &str = "anna@sandbox.test";

/// A page of the mailbox that is being connected.
fn behind(browser: &mut Browser, behind: &str) {
    browser.go("/accounts/connect");
    browser.see("Go on with");
    let open = browser.script("return document.querySelector('.choices a').getAttribute('href')", &[]);
    browser.go(&format!("{}{behind}", open.as_str().unwrap()));
}

/// In the order of connecting.
pub(crate) const CONNECT: &[Page<Office>] = &[
    ("connect", |browser, _| browser.go("/accounts/connect")),
    ("connect-no-address", |browser, office| {
        browser.script("document.querySelector('form[action=\"/accounts/connect\"]').noValidate = true", &[]);
        browser.fill("E-mail address of the mailbox", "anna at sandbox");
        browser.press("Continue");
        office.confirm(browser);
        browser.see("This is not an e-mail address.");
    }),
    ("connect-ways", |browser, office| {
        browser.fill("E-mail address of the mailbox", ANNA);
        browser.press("Continue");
        office.confirm(browser);
        browser.see("Sign in with Sandbox");
    }),
    ("connect-open", |browser, _| browser.go("/accounts/connect")),
    ("connect-waiting", |browser, _| behind(browser, "/waiting")),
    ("connect-app-password", |browser, _| behind(browser, "/password?method=app_password")),
    ("connect-servers", |browser, _| behind(browser, "/servers")),
    ("connect-cross", |browser, office| {
        behind(browser, "/password?method=password");
        browser.fill("Password of anna@sandbox.test", "wrong");
        browser.press("Check");
        office.confirm(browser);
        browser.see("Cannot send");
    }),
    ("connect-check", |browser, office| {
        browser.press("Type the password again");
        browser.fill("Password of anna@sandbox.test", "sandbox");
        browser.press("Check");
        office.confirm(browser);
        browser.see("The mailbox works");
    }),
    ("connect-which", |browser, office| {
        browser.go("/accounts/connect");
        browser.fill("E-mail address of the mailbox", "office@praxis.invalid");
        browser.press("Continue");
        office.confirm(browser);
        browser.see("Where is this mailbox?");
    }),
    ("connect-servers-typed", |browser, office| {
        browser.press("Another provider");
        browser.script("document.getElementById('smtp_host').value = 'https://smtp.example.org'", &[]);
        browser.press("Continue");
        office.confirm(browser);
        browser.see("This is the address of a web page.");
    }),
    ("connect-gone", |browser, _| browser.go("/accounts/connect/0192f0c1-0000-7000-8000-000000000001")),
    ("connect-callback", |browser, _| browser.go("/oauth/callback/sandbox")),
];
