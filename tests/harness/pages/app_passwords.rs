//! App passwords, for an administrator.

use std::process::Command;

use super::Page;
use super::office::Office;
use crate::harness::output_of;

/// From the list to the question before one is removed; what is shown once is on its way.
pub(crate) const APP_PASSWORDS: &[Page<Office>] = &[
    ("app-passwords", |browser, office| office.open(browser, "/app-passwords")),
    ("app-password-whom", |browser, office| office.open(browser, "/app-passwords/new")),
    ("app-password-what", |browser, office| office.open(browser, "/app-passwords/new?for=me")),
    ("app-password-exact", |browser, office| {
        office.open(browser, "/app-passwords/new?for=me&application=exact")
    }),
    ("app-password-name", |browser, office| {
        office.open(browser, "/app-passwords/new?for=me&application=tdo")
    }),
    ("app-password-name-refused", |browser, office| {
        office.open(browser, "/app-passwords/new?for=me&application=other");
        browser.press("More: from where, until when");
        browser.fill("Works only from these networks", "the office");
        browser.press("Make the password");
        browser.see("is no network");
    }),
    ("app-password-made", |browser, office| {
        office.open(browser, "/app-passwords/new?for=me&application=tdo");
        browser.fill("Device or place (may be left out)", "Computer at the reception");
        browser.press("Make the password");
        browser.see("You won’t see this again.");
    }),
    ("app-password-shown-before", |browser, _| {
        browser.reload();
        browser.see("This password is not shown again");
    }),
    ("app-password-seen", |browser, office| {
        let address = office.at.text("submission_starttls");
        let (host, port) = address.rsplit_once(':').unwrap();
        let args = ["--server", host, "--port", port, "--from", "a@sandbox.test", "--to", "b@sandbox.test"];
        output_of(Command::new("swaks").args(args));
        browser.press("See its details");
        browser.see("No encryption, from 127.0.0.1 by SMTP.");
    }),
    ("app-password-sheet", |browser, _| browser.press("Set-up sheet")),
    ("app-password-replace", |browser, _| {
        browser.press("Back");
        browser.press("Replace");
        browser.see("Replace TDO?");
    }),
    ("app-password-remove", |browser, _| {
        browser.press("Keep it as it is");
        browser.press("Remove");
        browser.see("Remove TDO?");
    }),
];
