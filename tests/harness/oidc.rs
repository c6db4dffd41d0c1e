//! An OpenID provider as organisations run them: `oidc-provider` on Node, whose pages are walked by curl.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatepost_testkit::{Process, fresh_folder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::certificates::write_certificates;
use super::output_of;

/// Longer than any walk from page to page.
const N_PAGES: usize = 12;

/// What Gatepost is there.
pub(crate) const CLIENT_ID: &str = "gatepost";
pub(crate) const CLIENT_SECRET: &str = "one-secret-of-Gatepost-and-the-provider";

/// What asks about tokens that others bring.
const ASKING: (&str, &str) = ("mail-servers", "one-secret-of-the-mail-servers");

/// A running provider.
pub(crate) struct OidcProvider {
    // Ends before its folder goes.
    _process: Process,
    folder: TempDir,
    /// Its address.
    pub(crate) issuer: String,
}

impl OidcProvider {
    /// Starts one that knows these people, as login and address, and Gatepost as an application that names itself by `client_auth`
    /// (RFC 7591 §2) and lets the person paste.
    pub(crate) fn start(people: &[(&str, &str)], client_auth: &str) -> Self {
        let folder = fresh_folder();
        write_certificates(folder.path());
        let people: serde_json::Map<_, _> =
            people.iter().map(|(login, address)| ((*login).to_owned(), json!(address))).collect();
        let settings = json!({
            "certificate": folder.path().join("certificate.pem"),
            "key": folder.path().join("key.pem"),
            "people": people,
            "clients": [
                {
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "client_name": "Gatepost",
                    "application_type": "native",
                    "token_endpoint_auth_method": client_auth,
                    "redirect_uris": ["http://127.0.0.1"],
                    "grant_types": ["authorization_code", "refresh_token"],
                },
                {
                    "client_id": ASKING.0,
                    "client_secret": ASKING.1,
                    "redirect_uris": [],
                    "response_types": [],
                    "grant_types": [],
                },
            ],
        });
        let file = folder.path().join("settings.json");
        std::fs::write(&file, settings.to_string()).unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oidc/server.mjs");
        let mut command = Command::new("node");
        command.arg(program).arg(file).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(File::create(folder.path().join("log")).unwrap());
        let mut process = Process::start(&mut command).expect("node is missing: apt-get install npm");
        let stdout = process.child().stdout.take().unwrap();
        let (mut stdout, mut first) = (BufReader::new(stdout), String::new());
        stdout.read_line(&mut first).unwrap();
        // What it says later is read on: it ends where nobody listens.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let issuer = first.trim().to_owned();
        let this = Self { _process: process, folder, issuer };
        assert!(
            !this.issuer.is_empty(),
            "the provider does not start (is all there? `cargo xtask install`): {}",
            this.log()
        );
        this
    }

    /// The authority that its certificate is from, beside `certificate.pem` and `key.pem`.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Where mail servers ask about a token (RFC 7662), with what lets them.
    pub(crate) fn introspection_url(&self) -> String {
        let (id, secret) = ASKING;
        self.issuer.replace("https://", &format!("https://{id}:{secret}@")) + "/token/introspection"
    }

    /// Signs in on the page at `link` and allows all that is asked for, in a browser of its own. Gives the address at which that
    /// browser ends up.
    #[track_caller]
    pub(crate) fn sign_in(&self, link: &str, login: &str) -> String {
        let jar = fresh_folder();
        let jar = jar.path().join("cookies");
        let mut url = link.to_owned();
        let mut form: Option<String> = None;
        for _ in 0..N_PAGES {
            if !url.starts_with(&self.issuer) {
                return url;
            }
            let mut command = self.curl();
            command.arg("--cookie").arg(&jar).arg("--cookie-jar").arg(&jar);
            if let Some(form) = form.take() {
                command.args(["--data-raw", &form]);
            }
            let said = output_of(command.args(["--write-out", "\n%{redirect_url}", &url])).done();
            let (page, next) = said.rsplit_once('\n').unwrap();
            if !next.is_empty() {
                next.clone_into(&mut url);
                continue;
            }
            // A page with a form, whose hidden field says what it is for.
            form = Some(match () {
                () if page.contains(r#"name="prompt" value="login""#) => {
                    format!("prompt=login&login={login}&password=any")
                }
                () if page.contains(r#"name="prompt" value="consent""#) => "prompt=consent".to_owned(),
                () => panic!("neither a sign-in nor a consent at {url}: {page}"),
            });
            let action = page.split(r#"action=""#).nth(1).and_then(|it| it.split('"').next());
            url = action.unwrap_or_else(|| panic!("a form that leads nowhere: {page}")).to_owned();
            if url.starts_with('/') {
                url.insert_str(0, &self.issuer);
            }
        }
        panic!("the pages do not come to an end: {url}")
    }

    /// The time of all access tokens is over.
    pub(crate) fn expire(&self) {
        output_of(self.curl().args(["--request", "POST", &format!("{}/test/expire", self.issuer)])).done();
    }

    /// The person takes back what they allowed.
    pub(crate) fn revoke(&self) {
        output_of(self.curl().args(["--request", "POST", &format!("{}/test/revoke", self.issuer)])).done();
    }

    /// What became of tokens, oldest first.
    pub(crate) fn events(&self) -> Vec<Value> {
        let all = output_of(self.curl().arg(format!("{}/test/events", self.issuer)));
        assert_eq!(all.code, Some(0), "{all:?}\n{}", self.log());
        let all = all.json();
        all.as_array().unwrap().clone()
    }

    /// What it has to say about itself.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn curl(&self) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail-with-body", "--cacert"]).arg(self.authority());
        command
    }
}
