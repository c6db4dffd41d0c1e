//! A person at a browser: Chromium, driven by chromedriver, in that person's words.
//!
//! A browser takes no place of its own (`take_slot`): it stands beside a server that has one. It, its driver and its profile
//! end with the test, also with one that fails; one that fails leaves a picture of what it saw.

mod act;
mod driver;
mod judge;
mod look;
mod picture;

use std::path::PathBuf;
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use gatepost_testkit::{Process, fresh_folder};
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::{ParseError, Url};

pub(crate) use fantoccini::key::Key;
pub(crate) use look::{LOOKS, Look, Size, Theme};

/// How long anything may take that a person waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open browser with one tab.
pub(crate) struct Browser {
    client: Client,
    runtime: Runtime,
    /// What paths stand on, such as `http://127.0.0.1:8025`.
    base: String,
    look: Look,
    is_script_on: bool,
    console: judge::Console,
    _driver: Process,
    /// Profile, downloads, and what else it writes.
    folder: TempDir,
}

/// How the browser is set up.
#[derive(Clone, Copy)]
pub(crate) struct BrowserOptions {
    pub(crate) look: Look,
    pub(crate) is_script_on: bool,
    pub(crate) are_cookies_on: bool,
}

impl Default for BrowserOptions {
    fn default() -> Self {
        Self { look: Look::default(), is_script_on: true, are_cookies_on: true }
    }
}

impl Browser {
    /// Opens one for the pages at `base`; it stands on none yet.
    pub(crate) fn open(base: &str) -> Self {
        Self::open_with(base, BrowserOptions::default())
    }

    /// The same, set up in another way.
    pub(crate) fn open_with(base: &str, options: BrowserOptions) -> Self {
        let folder = fresh_folder();
        let (driver, address) = driver::start(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let capabilities = driver::capabilities(folder.path(), options);
        let client = runtime.block_on(async {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            let connecting = builder.capabilities(capabilities).connect(&address);
            tokio::time::timeout(PATIENCE * 3, connecting).await.expect("Chromium starts within a minute")
        });
        let client = client.unwrap_or_else(|error| panic!("Chromium does not start: {error}"));
        let mut this = Self {
            client,
            runtime,
            base: String::new(),
            look: options.look,
            is_script_on: options.is_script_on,
            console: judge::Console::default(),
            _driver: driver,
            folder,
        };
        this.at(base);
        this.change_look(options.look);
        let downloads = this.downloads();
        std::fs::create_dir_all(&downloads).unwrap();
        this.devtools("Browser.setDownloadBehavior", json!({"behavior": "allow", "downloadPath": downloads}));
        this
    }

    /// From now on paths stand on these pages.
    pub(crate) fn at(&mut self, base: &str) {
        base.trim_end_matches('/').clone_into(&mut self.base);
    }

    /// Another window and theme. A page that is open follows them as it would for a person.
    pub(crate) fn change_look(&mut self, look: Look) {
        self.look = look;
        for (method, params) in look.emulation() {
            self.devtools(method, params);
        }
    }

    /// Does something in every look, without loading the page anew, and goes back to the look of before.
    pub(crate) fn in_every_look(&mut self, mut act: impl FnMut(&mut Self, Look)) {
        let before = self.look;
        for look in LOOKS {
            self.change_look(look);
            act(self, look);
        }
        self.change_look(before);
    }

    /// Lets pages use the clipboard, or refuses it to them. Without a word of the person Chromium allows writing alone.
    pub(crate) fn allow_clipboard(&mut self, is_allowed: bool) {
        let setting = if is_allowed { "granted" } else { "denied" };
        for permission in [
            json!({"name": "clipboard-read"}),
            json!({"name": "clipboard-write"}),
            // Chromium asks for either, by what is written.
            json!({"name": "clipboard-write", "allowWithoutSanitization": true}),
        ] {
            let params = json!({"origin": self.base, "permission": permission, "setting": setting});
            self.devtools("Browser.setPermission", params);
        }
    }

    /// A command of the DevTools protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, method: &str, params: Value) -> Value {
        let body = json!({"cmd": method, "params": params});
        let sent = self.ask("chromium/send_command_and_get_result", body);
        sent.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Runs a script as the body of a function in the page, whatever the page's policy says.
    #[track_caller]
    pub(crate) fn script(&self, script: &str, args: &[Value]) -> Value {
        self.try_script(script, args).unwrap_or_else(|error| panic!("{error}\n{script}"))
    }

    /// The same; a page that is just leaving cannot run it.
    fn try_script(&self, script: &str, args: &[Value]) -> Result<Value, String> {
        self.ask("execute/sync", json!({"script": script, "args": args}))
    }

    /// A script that ends by calling its last argument. The browser has no timers and no promises where script is off.
    #[track_caller]
    fn script_that_calls_back(&self, script: &str, args: &[Value]) -> Value {
        assert!(self.is_script_on, "no page calls back where script is off: look at it in another browser");
        let done = self.ask("execute/async", json!({"script": script, "args": args}));
        done.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A command of WebDriver that belongs to the session.
    fn ask(&self, path: &'static str, body: Value) -> Result<Value, String> {
        let asking = self.client.issue_cmd(Post { path, body });
        let answer = self.runtime.block_on(async { tokio::time::timeout(PATIENCE * 3, asking).await });
        answer.map_err(|_| format!("no answer to {path} for a minute"))?.map_err(|error| error.to_string())
    }

    /// Every command has a deadline.
    fn wait_for<T>(&self, command: impl Future<Output = T>) -> T {
        let done = self.runtime.block_on(async { tokio::time::timeout(PATIENCE * 3, command).await });
        done.unwrap_or_else(|_| panic!("the browser has not answered for a minute"))
    }

    /// The folder that no other browser has.
    pub(crate) fn profile(&self) -> String {
        self.folder.path().join("profile").display().to_string()
    }

    fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.leave_a_picture();
        } else {
            self.is_quiet();
        }
    }
}

/// A command that fantoccini has no words for.
#[derive(Debug)]
struct Post {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Post {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
