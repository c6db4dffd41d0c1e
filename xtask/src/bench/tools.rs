//! The load generator and the sink (`bench/`), and the folder of one run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

use super::process::{Talker, output_of};

/// Connections at the same time: an office has about as many devices.
const CONCURRENCY: &str = "20";

/// Size of a letter in bytes.
const LETTER_BYTES: &str = "4096";

/// What each letter costs in connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Persistent,
    Fresh,
}

impl Mode {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::Fresh => "fresh",
        }
    }
}

/// A server as an application sees it.
pub(super) struct Door {
    /// Where it listens, with STARTTLS.
    pub(super) address: SocketAddr,
    pub(super) user: String,
    pub(super) password_file: PathBuf,
    /// Reverse path of the letters.
    pub(super) from: String,
}

/// What `load` prints. Times of day are milliseconds since 1970.
#[derive(Deserialize)]
pub(super) struct Accepted {
    pub(super) letters: u64,
    pub(super) rate: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) errors: u64,
    pub(super) first_error: Option<String>,
    pub(super) first_accepted_at: i64,
}

/// What the sink has.
#[derive(Deserialize)]
pub(super) struct Arrived {
    pub(super) letters: u64,
    pub(super) duplicates: u64,
    pub(super) connections: u64,
    pub(super) last_at: i64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// The tools, and the folder in which everything of this run lies. Dropping it removes the folder.
pub(super) struct Tools {
    program: PathBuf,
    folder: PathBuf,
}

impl Tools {
    pub(super) fn new(root: &Path, parent: &Path) -> anyhow::Result<Self> {
        let template = parent.join("gatepost-bench-XXXXXX");
        let made = output_of(Command::new("mktemp").arg("-d").arg(template), "")?;
        let tools =
            Self { program: root.join("target/release/gatepost-bench"), folder: made.trim_end().into() };
        // Postfix's own users must be able to pass through; what is secret has its own mode.
        output_of(Command::new("chmod").arg("711").arg(&tools.folder), "")?;
        let mut command = Command::new(&tools.program);
        output_of(command.args(["certificates", "--folder"]).arg(&tools.folder), "")?;
        Ok(tools)
    }

    /// Applications and providers to measure with.
    pub(super) fn program(&self) -> &Path {
        &self.program
    }

    /// A file or folder of this run.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The same as text for a command line or a configuration.
    pub(super) fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    pub(super) fn start_sink(&self) -> anyhow::Result<Sink> {
        let mut talker = Talker::start(&self.program, &["sink", "--certificates", &self.text("")])?;
        let addresses: Addresses = talker.hear()?;
        Ok(Sink { talker, address: addresses.starttls })
    }

    pub(super) fn load(&self, door: &Door, mode: Mode, letters: u64) -> anyhow::Result<Accepted> {
        let mut command = self.application("load", door);
        command.args(["--mode", mode.word(), "--letters", &letters.to_string()]);
        command.args(["--concurrency", CONCURRENCY, "--size", LETTER_BYTES]);
        serde_json::from_str(&output_of(&mut command, "")?).context("load printed something else")
    }

    /// So many letters of so many MiB at once.
    pub(super) fn big(&self, door: &Door, letters: usize, mebibytes: usize) -> anyhow::Result<()> {
        let mut command = self.application("big", door);
        command.args(["--letters", &letters.to_string(), "--mebibytes", &mebibytes.to_string()]);
        output_of(&mut command, "").map(drop)
    }

    /// Opens so many signed-in connections. They are closed when what is returned is dropped.
    pub(super) fn start_idle(&self, door: &Door, connections: usize) -> anyhow::Result<Talker> {
        let mut args = vec!["idle".to_owned()];
        args.extend(self.door_args(door));
        args.extend(["--connections".to_owned(), connections.to_string()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut talker = Talker::start(&self.program, &args)?;
        talker.hear::<serde_json::Value>()?;
        Ok(talker)
    }

    fn application(&self, what: &str, door: &Door) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(what).args(self.door_args(door));
        command
    }

    fn door_args(&self, door: &Door) -> [String; 10] {
        [
            "--server".to_owned(),
            door.address.to_string(),
            "--authority".to_owned(),
            self.text("authority.pem"),
            "--user".to_owned(),
            door.user.clone(),
            "--password-file".to_owned(),
            door.password_file.to_string_lossy().into_owned(),
            "--from".to_owned(),
            door.from.clone(),
        ]
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

#[derive(Deserialize)]
struct Addresses {
    starttls: SocketAddr,
}

/// The running sink.
pub(super) struct Sink {
    talker: Talker,
    address: SocketAddr,
}

impl Sink {
    /// Where it listens, with STARTTLS.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn reset(&mut self) -> anyhow::Result<()> {
        self.talker.say("reset")?;
        self.talker.hear::<Arrived>().map(drop)
    }

    /// Waits until so many letters are there, or time is up.
    pub(super) fn wait_for(&mut self, letters: u64, at_most: Duration) -> anyhow::Result<Arrived> {
        self.talker.say(&format!("await {letters} {}", at_most.as_secs()))?;
        self.talker.hear()
    }
}
