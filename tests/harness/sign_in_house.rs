//! An installation whose people sign in on the sandbox's pages, without a browser and without the portal.

use std::process::Command;

use gatepost_testkit::fresh_folder;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use super::{
    AppPassword, Dialogue, Installation, Mailboxes, Outcome, Provider, Running, Smtp, TokenDoor, output_of,
};

/// What the sandbox asks for at sign-in, unless it was changed.
const PASSWORD: &str = "sandbox";

pub(crate) struct SignInHouse {
    pub(crate) provider: Provider,
    pub(crate) door: TokenDoor,
    pub(crate) it: Installation,
}

impl SignInHouse {
    /// `top` begins the configuration, `more` ends it.
    pub(crate) fn start(top: &str, more: &str) -> Self {
        let provider = Provider::start();
        let pages = provider.pages();
        let door = TokenDoor::before(&pages);
        let token = door.url();
        let service = format!(
            r#"
[providers.sandbox.oauth]
authorize = "{pages}/oauth2/auth"
token = "{token}"
revoke = "{pages}/oauth2/revoke"
userinfo = "{pages}/oauth2/userinfo"
issuers = ["{pages}"]
sends_issuer = true
name = "Sandbox"
client_auth = "post"
scopes = {{ smtp = ["mail.send"], imap = ["mail.read.imap"], lasting = ["offline_access"], identity = ["openid", "email"] }}
scope_words = {{ "mail.send" = "Send mail as you", "mail.read.imap" = "Read your mail" }}
again = {{ prompt = "consent" }}
login_hint = true
loopback = "http://127.0.0.1"
register = "sandbox"
{more}"#
        );
        let it = Installation::with(&provider.authority(), top, &service);
        Self { provider, door, it }
    }

    /// Names the sandbox's own application.
    pub(crate) fn register(&self) {
        let args =
            ["oauth-client", "add", "--service", "sandbox", "--client-id", "gatepost-sandbox", "--no-secret"];
        self.it.command(&args).done();
    }

    pub(crate) fn mailboxes(&self) -> Mailboxes {
        self.provider.mailboxes()
    }

    /// `account add --sign-in` of this mailbox, with the sandbox's servers unless they are given.
    pub(crate) fn adding(&self, address: &str, servers: Servers<'_>, more: &[&str]) -> Dialogue {
        let mut command = self.it.gatepost();
        command.args(["account", "add", "--provider", "sandbox", "--address", address, "--sign-in"]);
        let (smtp, imap) = (self.provider.smtp(), self.provider.imap());
        command.args(["--smtp", servers.smtp.unwrap_or(&smtp), "--smtp-tls", "starttls"]);
        command.args(["--imap", servers.imap.unwrap_or(&imap), "--imap-tls", "starttls"]);
        Dialogue::begin(command.args(more))
    }

    /// `account reauthenticate` of this mailbox.
    pub(crate) fn signing_in_again(&self, address: &str, more: &[&str]) -> Dialogue {
        let mut command = self.it.gatepost();
        Dialogue::begin(command.args(["account", "reauthenticate", address]).args(more))
    }

    /// Connects a mailbox.
    pub(crate) fn connect(&self, address: &str, servers: Servers<'_>) {
        let adding = self.adding(address, servers, &["--json"]);
        let lines = self.finish(adding, address).json_lines();
        assert_eq!(lines.last().unwrap()["status"], "connected", "{lines:#?}");
    }

    /// Does what a command with `--json` asks for, by allowing everything as `address`.
    pub(crate) fn finish(&self, mut command: Dialogue, address: &str) -> Outcome {
        let link = link_of(&command.hear("\"link\""));
        command.say(&Visitor::new().allow(&link, address, &[]));
        command.end()
    }

    /// What the provider does to the tokens of a mailbox: `expire` or `revoke`.
    pub(crate) fn tokens(&self, address: &str, action: &str) {
        self.mailboxes().put("tokens", &json!({ "account": address, "action": action }).to_string());
    }

    /// Sends letters with these subjects from the mailbox to `to`, in this order.
    pub(crate) fn send(&self, server: &Running, with: &AppPassword, to: &str, subjects: &[&str]) {
        let tls = super::trusting(std::path::Path::new(&server.text("certificate")));
        let mut application = Smtp::sign_in(&server.text("submission_tls"), &tls, with).unwrap();
        for subject in subjects {
            let from = &with.user_name;
            let text = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n\r\nA letter.");
            let reply = application.send(from, &[to], &text).unwrap();
            assert_eq!(reply.code(), 250, "{}", reply.0);
        }
    }
}

/// Where a mailbox is reached, if not at the sandbox itself.
#[derive(Clone, Copy, Default)]
pub(crate) struct Servers<'a> {
    pub(crate) smtp: Option<&'a str>,
    pub(crate) imap: Option<&'a str>,
}

/// The link in a line that a command wrote with `--json`.
pub(crate) fn link_of(line: &str) -> String {
    let line: Value = serde_json::from_str(line).unwrap();
    line["link"].as_str().unwrap_or_else(|| panic!("no link in {line}")).to_owned()
}

/// Somebody who walks through the sandbox's pages.
pub(crate) struct Visitor {
    jar: TempDir,
}

impl Visitor {
    pub(crate) fn new() -> Self {
        Self { jar: fresh_folder() }
    }

    /// Signs in as `address` and allows all but `unticked`; gives the address that the browser shows at the end.
    pub(crate) fn allow(&self, link: &str, address: &str, unticked: &[&str]) -> String {
        let page = match self.sign_in(link, address) {
            Ok(page) => page,
            Err(back) => return back,
        };
        let asked = Url::parse(link).unwrap();
        let (_, scopes) = asked.query_pairs().find(|(name, _)| name == "scope").unwrap();
        let ticked = scopes.split(' ').filter(|it| !unticked.contains(it)).map(|it| format!("scope={it}"));
        let form: Vec<String> = ticked.chain(["answer=allow".to_owned()]).collect();
        self.post(&format!("{page}/consent"), &form)
    }

    /// Signs in, and says no.
    pub(crate) fn deny(&self, link: &str, address: &str) -> String {
        let page = self.sign_in(link, address).expect("it was allowed before");
        self.post(&format!("{page}/consent"), &["answer=cancel".to_owned()])
    }

    /// The page that asks for permissions; where nothing has to be asked, where it leads back to.
    fn sign_in(&self, link: &str, address: &str) -> Result<String, String> {
        let page = self.ask(&[link]);
        self.post(&format!("{page}/another"), &[]);
        self.post(&format!("{page}/account"), &[format!("address={address}")]);
        let next = self.post(&format!("{page}/password"), &[format!("password={PASSWORD}")]);
        if next == page { Ok(page) } else { Err(next) }
    }

    fn post(&self, url: &str, form: &[String]) -> String {
        let form = form.join("&");
        self.ask(&["--data-raw", &form, url])
    }

    /// Where an answer leads.
    fn ask(&self, args: &[&str]) -> String {
        let mut curl = Command::new("curl");
        let jar = self.jar.path().join("cookies");
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            "--output",
            "/dev/null",
            "--write-out",
            "%{redirect_url}",
        ]);
        curl.arg("--cookie").arg(&jar).arg("--cookie-jar").arg(&jar);
        let next = output_of(curl.args(args)).done();
        assert!(next.starts_with("http"), "{args:?} leads nowhere");
        next
    }
}
