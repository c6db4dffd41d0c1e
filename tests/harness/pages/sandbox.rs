//! The sandbox's own pages.

use std::process::Command;

use gatepost_testkit::fresh_folder;
use tempfile::TempDir;

use super::Page;
use crate::harness::{Mailboxes, Running, output_of, sandbox};

/// A sandbox with letters and with accounts on its phone.
pub(crate) struct FilledSandbox {
    pub(crate) running: Running,
    pub(crate) data: TempDir,
}

impl FilledSandbox {
    pub(crate) fn start() -> Self {
        let data = fresh_folder();
        let running = sandbox(data.path());
        let this = Self { running, data };
        this.deliver("Subject: Your appointment on Monday\r\nFrom: Reception <reception@sandbox.test>\r\n\r\nDear Anna,\r\n\r\nsee you on Monday at nine.\r\n");
        this.deliver(
            "Subject: A scan\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Your scan</p>\r\n\
             --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=scan.pdf\r\n\r\nPDF\r\n--b--\r\n",
        );
        for (account, letter) in [("Demo%20practice:anna%40sandbox.test", "A"), ("reception", "B")] {
            let uri = format!("otpauth://totp/{account}?secret={}", letter.repeat(32));
            this.mailboxes().put("phone/authenticators", &serde_json::json!({ "uri": uri }).to_string());
        }
        this
    }

    /// The address of its pages.
    pub(crate) fn address(&self) -> String {
        self.running.text("sandbox_pages")
    }

    pub(crate) fn mailboxes(&self) -> Mailboxes {
        Mailboxes::at(&self.address())
    }

    fn deliver(&self, letter: &str) {
        let path = self.data.path().join("letter.eml");
        std::fs::write(&path, letter).unwrap();
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--ssl-reqd",
            "--user",
            "reception@sandbox.test:sandbox",
        ]);
        curl.args(["--mail-from", "reception@sandbox.test", "--mail-rcpt", "anna@sandbox.test"]);
        curl.arg("--cacert").arg(self.running.text("certificate")).arg("--upload-file").arg(path);
        output_of(curl.arg(format!("smtp://{}", self.running.text("sandbox_smtp")))).done();
    }
}

/// Every page of the sandbox.
pub(crate) const SANDBOX: &[Page<FilledSandbox>] = &[
    ("sandbox-mailboxes", |browser, _| browser.go("/")),
    ("sandbox-mailbox", |browser, _| browser.go("/mailboxes/anna@sandbox.test")),
    ("sandbox-mailbox-empty", |browser, _| browser.go("/mailboxes/nobody@sandbox.test")),
    ("sandbox-message", |browser, _| {
        browser.go("/mailboxes/anna@sandbox.test");
        browser.press("Your appointment on Monday");
        browser.see("see you on Monday at nine.");
    }),
    ("sandbox-message-attached", |browser, _| {
        browser.go("/mailboxes/anna@sandbox.test");
        browser.press("A scan");
        browser.press("All headers");
        browser.see("multipart/mixed");
    }),
    ("sandbox-phone", |browser, _| browser.go("/phone")),
    ("sandbox-phone-refused", |browser, _| {
        browser.go("/phone");
        browser.fill("Key, or the address from the QR code", "GEZD GNBV");
        browser.fill("Account name", "Anna");
        browser.press("Add");
        browser.see("at least 26 of them");
    }),
    ("sandbox-faults", |browser, _| browser.go("/faults")),
    ("sandbox-not-found", |browser, _| browser.go("/nowhere")),
];
