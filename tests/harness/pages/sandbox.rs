//! The sandbox's own pages.

use std::process::Command;

use gatepost_testkit::fresh_folder;
use tempfile::TempDir;

use super::Page;
use crate::harness::{Browser, Mailboxes, Running, output_of, sandbox};

/// A sandbox with letters, with accounts on its phone, and with accounts that are protected in each way.
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
        for (name, security) in [
            ("codes", r#"{"second_step":"codes"}"#),
            ("key", r#"{"second_step":"keys"}"#),
            ("office", r#"{"needs_approval":true,"forbids_app_passwords":true}"#),
        ] {
            let json = format!(r#"{{"security":{security}}}"#);
            this.mailboxes().put(&format!("mailboxes/{name}@sandbox.test"), &json);
        }
        let grant = r#"{"account":"granted@sandbox.test"}"#;
        this.mailboxes().post("oauth/grants", grant);
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

/// What an application sends a browser to, with something of its own at the end.
pub(crate) fn authorization(redirect: &str, more: &str) -> String {
    // RFC 7636, Appendix B.
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    format!(
        "/oauth2/auth?client_id=gatepost-sandbox&response_type=code&code_challenge={challenge}&code_challenge_method=S256\
         &scope=mail.send+mail.read.imap+mail.read.pop3+openid+email+offline_access&state=s1&redirect_uri={redirect}{more}"
    )
}

/// As if an application that nobody reaches had asked.
fn begin(browser: &mut Browser, more: &str) {
    browser.go(&authorization("http%3A%2F%2F127.0.0.1%3A9%2Fback", more));
}

/// Up to what follows the password.
fn sign_in(browser: &mut Browser, name: &str) {
    begin(browser, &format!("&prompt=login&login_hint={name}%40sandbox.test"));
    browser.fill("Password", "sandbox");
    browser.press("Next");
    browser.not_see("It is sandbox, unless");
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
    ("sandbox-mailbox-protected", |browser, _| browser.go("/mailboxes/codes@sandbox.test")),
    ("sandbox-app-passwords", |browser, _| browser.go("/mailboxes/codes@sandbox.test/app-passwords")),
    ("sandbox-app-password-made", |browser, _| {
        browser.go("/mailboxes/codes@sandbox.test/app-passwords");
        browser.fill("App name", "Gatepost");
        browser.press("Create");
        browser.see("It is shown this once.");
    }),
    ("sandbox-app-passwords-refused", |browser, _| {
        browser.go("/mailboxes/office@sandbox.test/app-passwords");
    }),
    ("sandbox-access", |browser, _| browser.go("/mailboxes/granted@sandbox.test/access")),
    ("sandbox-access-empty", |browser, _| browser.go("/mailboxes/codes@sandbox.test/access")),
    ("sandbox-applications", |browser, _| browser.go("/applications")),
    ("sandbox-application-made", |browser, _| {
        browser.go("/applications");
        browser.fill("Name", "Practice");
        browser.fill("Redirect addresses", "https://mail.practice.example/oauth/callback/sandbox");
        browser.press("Register");
        browser.see("The secret is shown this once.");
    }),
    ("sandbox-sign-in", |browser, _| {
        begin(browser, "&prompt=login");
        // A browser that knows somebody asks who it is first.
        if browser.text().contains("Choose an account") {
            browser.press("Use another account");
        }
        browser.see("Email address");
    }),
    ("sandbox-sign-in-password", |browser, _| begin(browser, "&login_hint=bo%40sandbox.test")),
    ("sandbox-sign-in-password-wrong", |browser, _| {
        begin(browser, "&login_hint=bo%40sandbox.test");
        browser.fill("Password", "wrong");
        browser.press("Next");
        browser.see("Wrong password");
    }),
    ("sandbox-sign-in-code", |browser, _| {
        sign_in(browser, "codes");
        browser.see("Code from the phone");
    }),
    ("sandbox-sign-in-key", |browser, _| {
        sign_in(browser, "key");
        browser.see("Touch the security key");
    }),
    ("sandbox-sign-in-approval", |browser, _| {
        sign_in(browser, "office");
        browser.see("Need admin approval");
    }),
    ("sandbox-consent", |browser, _| {
        sign_in(browser, "anna");
        browser.see("wants to access your account");
    }),
    ("sandbox-choose-account", |browser, _| {
        sign_in(browser, "anna");
        begin(browser, "&prompt=select_account");
        browser.see("Choose an account");
    }),
    ("sandbox-sign-in-blocked", |browser, _| {
        browser.go("/oauth2/auth?client_id=gatepost-sandbox&redirect_uri=https%3A%2F%2Felsewhere.example%2F");
        browser.see("redirect_uri_mismatch");
    }),
    ("sandbox-sign-in-over", |browser, _| browser.go("/oauth2/sign-in/0")),
    ("sandbox-faults", |browser, _| browser.go("/faults")),
    ("sandbox-not-found", |browser, _| browser.go("/nowhere")),
];
