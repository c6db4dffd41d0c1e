//! A demo in which something happens: what an administrator sees of its mail, its people and its places.

use std::time::Duration;

use gatepost_testkit::{fresh_folder, wait_until};
use tempfile::TempDir;

use super::Page;
use crate::harness::portal::{Telephone, sign_in};
use crate::harness::{Browser, Door, Letter, Running, application, demo, gatepost_command, with_input};

const RECEPTION: &str = "reception@sandbox.test";
const BILLING: &str = "billing@sandbox.test";
const ADMIN_NAME: &str = "Demo administrator";

/// A letter is tried at once; the machine may do other things.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// A demo with two mail accounts, one of them in trouble, letters in every state, and some people.
pub(crate) struct Office {
    pub(crate) at: Running,
    _data: TempDir,
}

impl Office {
    pub(crate) fn start() -> Self {
        let data = fresh_folder();
        let this = Self { at: demo(&data.path().join("demo")), _data: data };
        this.connect_billing();
        this.send_letters();
        for (address, name, role) in [
            ("paul@sandbox.test", "Paul Berg", "operator"),
            ("eva@sandbox.test", "Eva Lindqvist", "administrator"),
            ("maria@sandbox.test", "Maria Lang", "operator"),
        ] {
            let args = ["person", "add", "--address", address, "--name", name, "--role", role, "--json"];
            let link = this.at.command(&args).json()["link"].as_str().unwrap().to_owned();
            if role == "operator" {
                let mut theirs = Browser::open(&this.at.text("portal"));
                theirs.go(&link);
                theirs.fill("New password", "seven quiet herons by the weir");
                theirs.press("Set the password");
                theirs.arrives_at("/");
            }
        }
        let args = ["app-password", "create", "--person", "paul@sandbox.test", "--name", "Scanner", "--json"];
        this.at.command(&args).json();
        this.at.command(&["person", "disable", "maria@sandbox.test"]).done();
        this
    }

    /// A browser of its administrator.
    pub(crate) fn browser(&self) -> Browser {
        sign_in(&self.at)
    }

    /// Goes to a page, and proves who it is where that is asked.
    pub(crate) fn open(&self, browser: &mut Browser, path: &str) {
        browser.go(path);
        if browser.text().contains("Confirm that it is you") {
            Telephone::of(&self.at).confirm(browser);
        }
    }

    /// Proves who it is where a form asks for it.
    pub(crate) fn confirm(&self, browser: &mut Browser) {
        if browser.text().contains("Confirm that it is you") {
            Telephone::of(&self.at).confirm(browser);
        }
    }

    /// Goes to the page of a person, or to one behind it.
    fn person(&self, browser: &mut Browser, name: &str, behind: &str) {
        browser.go("/people");
        browser.press(name);
        browser.see("About this person");
        if !behind.is_empty() {
            let path = browser.path();
            self.open(browser, &format!("{path}{behind}"));
        }
    }

    /// Goes to the page of a mail account, or to one behind it.
    fn account(&self, browser: &mut Browser, name: &str, behind: &str) {
        browser.go("/accounts");
        browser.press(name);
        browser.see("What happened");
        if !behind.is_empty() {
            let path = browser.path();
            self.open(browser, &format!("{path}{behind}"));
        }
    }

    fn connect_billing(&self) {
        let (smtp, config) = (self.at.text("sandbox_smtp"), self.at.text("config"));
        let mut command = gatepost_command();
        command.args(["account", "add", "--provider", "custom", "--address", BILLING, "--smtp", &smtp]);
        command.args([
            "--short-name",
            "Billing",
            "--smtp-tls",
            "starttls",
            "--password-stdin",
            "--unchecked",
        ]);
        with_input(command.args(["--config", &config]), "sandbox").done();
    }

    fn send_letters(&self) {
        let args = ["app-password", "create", "--account", BILLING, "--name", "Billing program", "--json"];
        let made = self.at.command(&args).json();
        let (reception, billing) = (self.at.app_password(), made["password"].as_str().unwrap().to_owned());
        self.at.mailboxes().fault(
            r#"{"fault":"reply","phase":"rcpt","recipient":"later@sandbox.test","text":"451 4.7.1 Greylisted, come again later"}"#,
        );
        self.at.mailboxes().fault(
            r#"{"fault":"reply","phase":"data","account":"billing@sandbox.test","text":"550 5.1.1 There is no such mailbox here","times":1}"#,
        );
        let send = |from: &str, password: &str, to: &str, subject: &str, state: &str| {
            let letter = Letter { user_name: from, password, to, subject };
            let sent = application("curl", &self.at, Door::Starttls, &letter);
            assert_eq!(sent.code, Some(0), "{sent:?}");
            self.await_letter(to, state);
        };
        send(BILLING, &billing, "moved@sandbox.test", "Invoice 4711", "failed");
        send(RECEPTION, &reception, "anna@sandbox.test", "Your appointment on Monday", "sent");
        send(RECEPTION, &reception, "jan@sandbox.test", "Your appointment on Tuesday", "sent");
        send(RECEPTION, &reception, "later@sandbox.test", "Your appointment on Friday", "deferred");
        self.at.mailboxes().fault(&format!(r#"{{"account":"{BILLING}","fault":"refuse_sign_in"}}"#));
        send(BILLING, &billing, "lisa@sandbox.test", "Invoice 4712", "held");
    }

    /// Waits until the newest letter to somebody is in this state.
    fn await_letter(&self, to: &str, state: &str) {
        let mut last = Vec::new();
        let settled = wait_until(SETTLED_WITHIN, || {
            last = self.at.command(&["outbox", "list", "--json"]).json_lines();
            let letter = last.iter().find(|it| it["recipients"][0]["address"] == to)?;
            (letter["state"] == state).then_some(())
        });
        assert!(settled.is_some(), "the letter to {to} is not {state}: {last:?}");
    }

    /// The page of the letter to somebody.
    fn letter(browser: &mut Browser, to: &str) {
        browser.go("/outbox");
        browser.press(to);
        browser.see("What happened");
    }
}

/// Proof, home, outbox, what goes wrong.
pub(crate) const MAIL: &[Page<Office>] = &[
    ("confirm", |browser, _| {
        browser.go("/people/new");
        browser.arrives_at("/confirm");
    }),
    ("confirm-wrong", |browser, _| {
        browser.fill("Code", "12");
        browser.press("Continue");
        browser.see("code");
        browser.arrives_at("/confirm");
    }),
    ("confirm-recovery", |browser, _| browser.press("Use a recovery code")),
    ("confirm-in-form", |browser, _| {
        browser.go("/");
        browser.fill("To", "anna@sandbox.test");
        browser.press("Send it");
        browser.see("Confirm that it is you");
    }),
    ("confirm-in-form-recovery", |browser, _| {
        browser.press("Use a recovery code");
        browser.see("Use the authenticator app");
    }),
    ("home", |browser, _| browser.go("/")),
    ("home-menu", |browser, _| browser.press("Your account Demo administrator")),
    ("outbox", |browser, _| browser.go("/outbox")),
    ("outbox-failed", |browser, _| browser.go("/outbox?state=failed")),
    ("message-sent", |browser, _| Office::letter(browser, "jan@sandbox.test")),
    ("message-deferred", |browser, _| Office::letter(browser, "later@sandbox.test")),
    ("message-held", |browser, _| Office::letter(browser, "lisa@sandbox.test")),
    ("message-failed", |browser, _| Office::letter(browser, "moved@sandbox.test")),
    ("error-not-found", |browser, _| browser.go("/nowhere")),
    ("error-old", |browser, _| {
        browser.go("/security");
        browser
            .script("for (const it of document.querySelectorAll('[name=form_token]')) it.value = 'x'", &[]);
        browser.press("Sign out everywhere");
        browser.not_see("Sign out everywhere");
    }),
    ("security-administrator", |browser, _| browser.go("/security")),
    ("two-step-off-administrator", |browser, office| office.open(browser, "/two-step/off")),
    ("home-test-letter-refused", |browser, _| {
        browser.go("/");
        browser.fill("To", "anna at sandbox");
        browser.press("Send it");
        browser.see("This is not an e-mail address.");
    }),
    ("message-test", |browser, _| {
        browser.fill("To", "anna@sandbox.test");
        browser.press("Send it");
        browser.see("The test letter was handed in.");
        // By itself: the page looks again.
        browser.see("The provider took it");
    }),
];

/// People and locations.
pub(crate) const PEOPLE: &[Page<Office>] = &[
    ("people", |browser, _| browser.go("/people")),
    ("people-none", |browser, _| browser.go("/people?find=nobody")),
    ("people-invite", |browser, office| office.open(browser, "/people/new")),
    ("people-invite-wrong", |browser, _| {
        browser.fill("Address", "paul at sandbox");
        browser.press("Invite");
        browser.see("An address looks like anna@practice.example.");
    }),
    ("people-link", |browser, _| {
        browser.fill("Name", "Jonas Vogel");
        browser.fill("Address", "jonas@sandbox.test");
        browser.press("Invite");
        browser.see("A link for Jonas Vogel");
    }),
    ("people-link-gone", |browser, _| {
        browser.reload();
        browser.see("This link was shown before.");
    }),
    ("person", |browser, office| office.person(browser, "Paul Berg", "")),
    ("person-edit", |browser, office| office.person(browser, "Paul Berg", "/edit")),
    ("person-role", |browser, office| office.person(browser, "Paul Berg", "/role")),
    ("person-password", |browser, office| office.person(browser, "Paul Berg", "/password")),
    ("person-two-step", |browser, office| office.person(browser, "Paul Berg", "/two-step")),
    ("person-disable", |browser, office| office.person(browser, "Paul Berg", "/disable")),
    ("person-invited", |browser, office| office.person(browser, "Jonas Vogel", "")),
    ("person-invited-administrator", |browser, office| office.person(browser, "Eva Lindqvist", "")),
    ("person-withdraw", |browser, office| office.person(browser, "Eva Lindqvist", "/withdraw")),
    ("person-disabled", |browser, office| office.person(browser, "Maria Lang", "")),
    ("person-last-administrator", |browser, office| office.person(browser, ADMIN_NAME, "")),
    ("person-last-disable", |browser, office| office.person(browser, ADMIN_NAME, "/disable")),
    ("locations", |browser, _| browser.go("/locations")),
    ("locations-exists", |browser, office| {
        office.open(browser, "/people/new");
        browser.go("/locations");
        browser.fill("Name", "Main Street");
        browser.press("Add");
        browser.see("There is a location of this name already.");
    }),
    ("locations-added", |browser, _| {
        browser.fill("Name", "Harbour");
        browser.press("Add");
        browser.see("Harbour was added.");
    }),
    ("location-rename", |browser, office| {
        browser.press_near("Harbour", "Rename Harbour");
        let path = browser.path();
        office.open(browser, &path);
    }),
];

/// Mail accounts that are there.
pub(crate) const ACCOUNTS: &[Page<Office>] = &[
    ("accounts", |browser, _| browser.go("/accounts")),
    ("accounts-none-such", |browser, _| browser.go("/accounts?find=nobody")),
    ("account", |browser, office| office.account(browser, "Reception", "")),
    ("account-needs-sign-in", |browser, office| office.account(browser, "Billing", "")),
    ("account-edit", |browser, office| office.account(browser, "Reception", "/edit")),
    ("account-edit-wrong", |browser, _| {
        browser.fill("Short name", " ");
        browser.press("Save");
        browser.see("Write 1 to 60 characters on one line.");
    }),
    ("account-remove", |browser, office| office.account(browser, "Billing", "/remove")),
    ("account-check-none", |browser, office| office.account(browser, "Reception", "/check")),
    ("account-check-refused", |browser, office| {
        office.account(browser, "Billing", "/check");
        browser.press("Check once more");
        browser.see("did not work");
    }),
    ("account-check", |browser, office| {
        office.account(browser, "Reception", "/check");
        browser.press("Check once more");
        browser.see("Everything works.");
    }),
    ("account-address-refused", |browser, office| {
        office.account(browser, "Reception", "");
        browser.fill("Another address", "info");
        browser.press("Allow it");
        browser.see("An address looks like anna@practice.example.");
    }),
    ("account-paused", |browser, office| {
        office.account(browser, "Reception", "");
        browser.press("Pause");
        browser.see("Paused since");
    }),
    ("accounts-paused", |browser, _| browser.go("/accounts")),
    ("account-resumed", |browser, office| {
        office.account(browser, "Reception", "");
        browser.press("Resume");
        browser.see("goes on");
    }),
];
