//! Connecting mailboxes in a browser: what the walks have in common.

use std::time::Duration;

use gatepost_testkit::{fresh_folder, wait_until};
use tempfile::TempDir;

use super::pages::authorization;
use super::portal::{Telephone, sign_in};
use super::{Browser, Door, Letter, Running, application, demo, demo_beside, sandbox};

/// A demo that has no mail account, and its administrator.
pub(crate) struct House {
    pub(crate) at: Running,
    /// Where it was started before the demo.
    _sandbox: Option<Running>,
    _data: TempDir,
}

impl House {
    pub(crate) fn empty() -> Self {
        let data = fresh_folder();
        let at = demo(&data.path().join("demo"));
        Self::emptied(Self { at, _sandbox: None, _data: data })
    }

    /// A demo whose first letter has left, with the mail account that it comes with.
    pub(crate) fn with_reception() -> Self {
        let data = fresh_folder();
        let at = demo(&data.path().join("demo"));
        at.mailboxes().await_message("anna@sandbox.test", |_| true);
        Self { at, _sandbox: None, _data: data }
    }

    /// The same as [`House::empty`], with Gmail, Yahoo and Outlook.com as they are, but for their addresses: the sandbox is behind all of them.
    pub(crate) fn towards_large_providers() -> Self {
        let data = fresh_folder();
        let folder = data.path().join("demo");
        // First, so that its addresses are known.
        let sandbox = sandbox(&folder);
        let at = demo_beside(&folder, &large_providers(&sandbox));
        Self::emptied(Self { at, _sandbox: Some(sandbox), _data: data })
    }

    fn emptied(self) -> Self {
        // The demo's first letter leaves before that.
        self.at.mailboxes().await_message("anna@sandbox.test", |_| true);
        let removed = || {
            let outcome = self.at.command(&["account", "remove", "reception@sandbox.test"]);
            (outcome.code == Some(0)).then_some(())
        };
        wait_until(Duration::from_secs(60), removed).expect("no letter waits for it");
        self
    }

    /// The administrator on the home page, with a proof of just now.
    pub(crate) fn administrator(&self) -> Browser {
        let mut browser = sign_in(&self.at);
        browser.go("/people/new");
        if browser.path().starts_with("/confirm") {
            Telephone::of(&self.at).confirm(&mut browser);
        }
        browser.go("/");
        browser
    }

    /// Signs the browser in at the provider, as somebody's own browser mostly is.
    pub(crate) fn signs_in_at_provider(&self, browser: &mut Browser, address: &str) {
        let portal = self.at.text("portal");
        browser.at(&self.at.text("sandbox_pages"));
        let back = "http%3A%2F%2F127.0.0.1%3A9%2Fback";
        browser.go(&authorization(back, "&prompt=login"));
        if browser.text().contains("Choose an account") {
            browser.press("Use another account");
        }
        browser.fill("Email address", address);
        browser.press("Next");
        browser.fill("Password", "sandbox");
        browser.press("Next");
        browser.see("Gatepost wants to access your account");
        browser.at(&portal);
        browser.go("/");
    }

    pub(crate) fn send(&self, from: &str, password: &str, to: &str) {
        let letter = Letter { user_name: from, password, to, subject: "Your appointment" };
        let sent = application("curl", &self.at, Door::Starttls, &letter);
        assert_eq!(sent.code, Some(0), "{sent:?}");
    }
}

/// `[providers.…]` of the configuration, without that word.
fn large_providers(sandbox: &Running) -> String {
    let endpoint = |door: &str| {
        let address = sandbox.text(door);
        let (host, port) = address.rsplit_once(':').unwrap();
        format!(r#"[{{ host = "{host}", port = {port}, tls = "starttls" }}]"#)
    };
    let (smtp, imap) = (endpoint("sandbox_smtp"), endpoint("sandbox_imap"));
    let servers = |name: &str| format!("[{name}]\nsmtp = {smtp}\nimap = {imap}\n");
    let sections: String = ["sandbox", "gmail", "yahoo", "outlook_com"].map(servers).concat();
    let pages = sandbox.text("sandbox_pages");
    // What Microsoft calls its permissions, the sandbox does not know.
    format!(
        r#"{sections}
[outlook_com.oauth]
authorize = "{pages}/oauth2/auth"
token = "{pages}/oauth2/token"
issuers = ["{pages}"]
scopes = {{ smtp = ["mail.send"], imap = ["mail.read.imap"], lasting = ["offline_access"], identity = ["openid", "email"] }}
scope_aliases = {{}}
scope_words = {{ "mail.send" = "Send emails from your mailbox", "mail.read.imap" = "Read and write access to your mail via IMAP" }}
subject = ["sub"]
address = ["email"]
"#
    )
}

/// [`Browser::look`] at a page that may be loaded anew.
#[track_caller]
pub(crate) fn look(browser: &mut Browser, name: &str) {
    // What comes while one looks on may move what is below it; a page that is loaded may not.
    browser.reload();
    browser.look(name);
}

/// From the address to the page that offers ways.
pub(crate) fn begin(browser: &mut Browser, address: &str) {
    browser.go("/accounts/connect");
    browser.fill("E-mail address of the mailbox", address);
    browser.press("Continue");
    browser.see(&format!("Connect {address}"));
}

/// Proves who it is where that is asked.
pub(crate) fn confirm(house: &House, browser: &mut Browser) {
    if browser.text().contains("Confirm that it is you") {
        Telephone::of(&house.at).confirm(browser);
    }
}

/// On the provider's page, as whom.
pub(crate) fn signs_in(browser: &mut Browser, address: &str) {
    browser.await_address("/oauth2/sign-in/");
    if browser.text().contains("Choose an account") && browser.text().contains(address) {
        browser.press(address);
        return;
    }
    if browser.text().contains("Use another account") && !browser.text().contains(address) {
        browser.press("Use another account");
    }
    if browser.text().contains("Email address") {
        browser.fill("Email address", address);
        browser.press("Next");
    }
    if browser.text().contains("Password") {
        browser.fill("Password", "sandbox");
        browser.press("Next");
    }
}
