//! chromedriver and what it is told about Chromium.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use fantoccini::wd::Capabilities;
use gatepost_testkit::Process;
use serde_json::{Value, json};

use super::{BrowserOptions, PATIENCE};

/// How often a driver is started that ends at once.
const TRIES: u32 = 5;

/// Starts a driver on a port of its own choice; gives its address. Chromium becomes its child and dies with it.
pub(super) fn start(folder: &Path) -> (Process, String) {
    // It chooses a port that is free for IPv4, takes the same for IPv6, and ends where somebody else has that one.
    let started = (0..TRIES).find_map(|_| try_to_start(folder));
    started.expect("chromedriver says on which port it listens")
}

/// None if it ends without a port.
fn try_to_start(folder: &Path) -> Option<(Process, String)> {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").env("HOME", folder).env("TMPDIR", folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = Process::start(&mut command)
        .unwrap_or_else(|error| panic!("chromedriver: {error}. Run `cargo xtask install`"));
    let stdout = process.child().stdout.take().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // "ChromeDriver was started successfully on port 39155."
            let port = line.split_once("successfully on port ").map(|(_, rest)| rest.trim_end_matches('.'));
            if let Some(port) = port {
                let _ = tell.send(port.to_owned());
            }
        }
    });
    match told.recv_timeout(PATIENCE) {
        Ok(port) => Some((process, format!("http://127.0.0.1:{port}"))),
        Err(mpsc::RecvTimeoutError::Disconnected) => None,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("chromedriver says nothing"),
    }
}

pub(super) fn capabilities(folder: &Path, options: BrowserOptions) -> Capabilities {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let args = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--force-color-profile=srgb",
        "--lang=en",
        // Nothing comes from elsewhere, not even by mistake.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
        &profile,
    ];
    let mut settings = json!({
        "credentials_enable_service": false,
        "profile.password_manager_enabled": false,
        "profile.password_manager_leak_detection": false,
        "download.prompt_for_download": false,
    });
    // 2 blocks.
    if !options.is_script_on {
        settings["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    if !options.are_cookies_on {
        settings["profile.default_content_setting_values.cookies"] = json!(2);
    }
    let wanted = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"args": args, "prefs": settings},
        "timeouts": {"script": 30_000, "pageLoad": 30_000, "implicit": 0},
        "unhandledPromptBehavior": "ignore",
    });
    match wanted {
        Value::Object(map) => map,
        _ => unreachable!("this is an object"),
    }
}
