//! A demo or a server that runs while a test does.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gatepost_testkit::{Process, Slot, take_slot};
use rustix::process::Signal;
use serde_json::Value;

use super::{Mailboxes, Outcome, gatepost_command, output_of};

/// From the start to the line that says "ready".
const READY_WITHIN: Duration = Duration::from_secs(60);
/// OP-10.
const ENDS_WITHIN: Duration = Duration::from_secs(35);

/// A running program that has said where it listens.
pub(crate) struct Running {
    process: Process,
    /// Its line of JSON.
    pub(crate) ready: Value,
    /// What it writes on standard error.
    pub(crate) log: PathBuf,
    config: PathBuf,
    // Given back once the process is gone.
    _slot: Option<Slot>,
}

/// Starts `gatepost demo` in `data` on ports that the system chooses, and waits until it listens.
pub(crate) fn demo(data: &Path) -> Running {
    demo_by(gatepost_command(), data)
}

/// The same where the sandbox lives in `data` already, with these sections about providers.
pub(crate) fn demo_beside(data: &Path, providers: &str) -> Running {
    let mut command = gatepost_command();
    command.env("GATEPOST_PROVIDERS", providers);
    demo_by(command, data)
}

fn demo_by(mut command: Command, data: &Path) -> Running {
    command.arg("demo").arg("--data").arg(data).args(["--free-ports", "--json"]);
    start(command, &data.with_extension("log"), data.join("gatepost.toml"), Some(take_slot()))
}

/// Starts `gatepost sandbox` in `data` on ports that the system chooses, and waits until it listens.
pub(crate) fn sandbox(data: &Path) -> Running {
    let mut command = gatepost_command();
    command.arg("sandbox").arg("--data").arg(data).args(["--free-ports", "--json"]);
    // Without a place of its own: it stands beside a server that has one.
    start(command, &data.with_extension("log"), PathBuf::new(), None)
}

/// Starts `gatepost serve` with this configuration on ports that the system chooses, and waits until it listens.
pub(crate) fn serve(config: &Path) -> Running {
    serve_by(gatepost_command(), config)
}

/// The same, as the child of another program.
pub(crate) fn serve_under(mut command: Command, config: &Path) -> Running {
    command.arg(env!("CARGO_BIN_EXE_gatepost"));
    serve_by(command, config)
}

/// The same by another build of the program, or in another environment.
pub(crate) fn serve_by(mut command: Command, config: &Path) -> Running {
    command.arg("serve").arg("--config").arg(config).arg("--json");
    for door in ["PORTAL_LISTEN", "SUBMISSION_STARTTLS", "SUBMISSION_TLS"] {
        let variable = format!("GATEPOST_{door}");
        if command.get_envs().all(|(name, _)| name != variable.as_str()) {
            command.env(variable, "127.0.0.1:0");
        }
    }
    start(command, &config.with_extension("log"), config.to_owned(), Some(take_slot()))
}

fn start(mut command: Command, log: &Path, config: PathBuf, slot: Option<Slot>) -> Running {
    let stderr = File::options().create(true).append(true).open(log).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut process = Process::start(&mut command).unwrap();
    let stdout = process.child().stdout.take().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            // Nobody listens after the first; the pipe is read on, so that the program is never stopped by it.
            let _ = line.map(|line| tell.send(line));
        }
    });
    let Ok(line) = told.recv_timeout(READY_WITHIN) else {
        panic!("{command:?} did not get ready: {}", std::fs::read_to_string(log).unwrap_or_default())
    };
    let ready = serde_json::from_str(&line).unwrap();
    Running { process, ready, log: log.to_owned(), config, _slot: slot }
}

impl Running {
    /// A text of the ready line.
    #[track_caller]
    pub(crate) fn text(&self, key: &str) -> String {
        let value = &self.ready[key];
        let value = value.get(0).unwrap_or(value);
        value.as_str().unwrap_or_else(|| panic!("no {key} in {}", self.ready)).to_owned()
    }

    /// The app password of a demo, as an application sends it.
    pub(crate) fn app_password(&self) -> String {
        self.text("app_password")
    }

    /// Runs a command on the same installation.
    pub(crate) fn command(&self, args: &[&str]) -> Outcome {
        output_of(gatepost_command().args(args).arg("--config").arg(&self.config))
    }

    /// The mailboxes of a demo's sandbox.
    pub(crate) fn mailboxes(&self) -> Mailboxes {
        Mailboxes::at(&self.text("sandbox_pages"))
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to end, and does not wait.
    pub(crate) fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn ended(mut self) -> ExitStatus {
        let ended = self.process.wait(ENDS_WITHIN);
        ended.unwrap_or_else(|| {
            panic!("not ended: {}", std::fs::read_to_string(&self.log).unwrap_or_default())
        })
    }

    /// SIGTERM, and how it ended.
    #[track_caller]
    pub(crate) fn stop(self) -> ExitStatus {
        self.terminate();
        self.ended()
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }
}
