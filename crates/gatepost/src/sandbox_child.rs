//! The sandbox provider of a demo: found alive, or started as a child process.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gatepost_net::Listener;
use gatepost_sandbox::{DemoPresence, SandboxError, SandboxReady, attend, find_living};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::cli::SandboxPorts;
use crate::control::Refusal;
use crate::sandbox::{SandboxShown, busy, loopback};

/// How long a child may take from its start to its doors.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long it may take to end.
const END_WITHIN: Duration = Duration::from_secs(6);

/// The hidden option that a demo gives its sandbox, and by which it is known again.
const WITH_DEMO: &str = "--with-demo";

/// A sandbox that lives as long as this demo.
pub(crate) struct LivingSandbox {
    pub(crate) shown: SandboxShown,
    /// The process to end with the demo; none where somebody else has started it by hand.
    process: Option<Pid>,
    child: Option<Child>,
    _presence: DemoPresence,
}

/// Adopts the sandbox that lives in the folder, else starts one.
pub(crate) async fn adopt_or_start(data: &Path, ports: &SandboxPorts) -> Result<LivingSandbox, Refusal> {
    let found = find_living(data).await.map_err(|error| explain(&error, data))?;
    let (ready, child) = match found {
        Some(ready) => (ready, None),
        None => {
            let (ready, child) = start(data, ports).await?;
            (ready, Some(child))
        }
    };
    let presence = attend(data).map_err(|error| explain(&error, data))?;
    let number = i32::try_from(ready.process).ok().and_then(Pid::from_raw);
    let process = number.filter(|_| child.is_some() || was_started_by_a_demo(ready.process));
    Ok(LivingSandbox { shown: SandboxShown::from(&ready), process, child, _presence: presence })
}

async fn start(data: &Path, ports: &SandboxPorts) -> Result<(SandboxReady, Child), Refusal> {
    for (port, option) in ports.options() {
        Listener::bind(loopback(port, false)).map_err(|error| busy(&error, option))?;
    }
    make_folder(data)?;
    let log_path = data.join("sandbox.log");
    let failed = |what: String| {
        Refusal::new(format!("the sandbox provider did not start: {what}. See {}", log_path.display()))
    };
    let log = File::create(&log_path).map_err(|error| failed(error.to_string()))?;
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(program)
        .arg("sandbox")
        .arg("--data")
        .arg(data)
        .args(ports.options().into_iter().flat_map(|(port, option)| [option.to_owned(), port.to_string()]))
        .arg(WITH_DEMO)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // A pipe would tie whoever reads ours to the life of the child.
        .stderr(log)
        // ctrl-c is for the demo, which ends the sandbox once the last letters have left.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let patience = Instant::now() + READY_WITHIN;
    loop {
        // Its file and a lock on it say when it lives; there is nothing else to wait on.
        if let Some(ready) = find_living(data).await.map_err(|error| explain(&error, data))? {
            return Ok((ready, child));
        }
        let ended = child.try_wait().map_err(|error| failed(error.to_string()))?;
        if ended.is_some() || Instant::now() > patience {
            let _ = child.kill();
            let _ = child.wait();
            let words = std::fs::read_to_string(&log_path).unwrap_or_default();
            return Err(failed(words.lines().last().unwrap_or("it took too long").to_owned()));
        }
        sleep(Duration::from_millis(10)).await;
    }
}

fn make_folder(data: &Path) -> Result<(), Refusal> {
    crate::data_dir::make(data).map_err(|error| Refusal::new(error.to_string()))
}

/// One that a person has started by hand lives on.
fn was_started_by_a_demo(process: u32) -> bool {
    let line = std::fs::read(PathBuf::from(format!("/proc/{process}/cmdline"))).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|word| word == WITH_DEMO.as_bytes())
}

fn explain(error: &SandboxError, data: &Path) -> Refusal {
    Refusal::new(format!("{error}. Choose another folder than {} with --data", data.display()))
}

impl LivingSandbox {
    /// Ends the sandbox of this or an earlier demo.
    pub(crate) async fn end(mut self) {
        let Some(process) = self.process else { return };
        let _ = kill_process(process, Signal::TERM);
        let patience = Instant::now() + END_WITHIN;
        while let Some(child) = &mut self.child {
            match child.try_wait() {
                Ok(None) if Instant::now() < patience => sleep(Duration::from_millis(10)).await,
                Ok(None) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return;
                }
                Ok(Some(_)) | Err(_) => return,
            }
        }
    }
}
