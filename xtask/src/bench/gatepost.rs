//! Gatepost, set up with its own commands.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Deserialize;

use super::Server;
use super::process::{Process, cpu_of_family, free_address, output_of, peak_memory, wait_for_greeting};
use super::tools::{Door, Tools};

pub(super) const NAME: &str = "gatepost";
const ADDRESS: &str = "reception@bench.example";

/// An installation that can be started.
pub(super) struct Gatepost {
    program: PathBuf,
    config: String,
    log: PathBuf,
    address: SocketAddr,
    user: String,
    password_file: PathBuf,
}

/// What `app-password create --json` prints.
#[derive(Deserialize)]
struct AppPassword {
    user_name: String,
    password: String,
}

impl Gatepost {
    /// Configuration, database, one mail account at the sink, one app password.
    pub(super) fn set_up(root: &Path, tools: &Tools, sink: SocketAddr) -> anyhow::Result<Self> {
        let program = root.join("target/release/gatepost");
        let address = free_address()?;
        std::fs::create_dir(tools.path("gatepost"))?;
        std::fs::write(tools.path("gatepost/gatepost.toml"), configuration(tools, address, sink))?;
        let config = tools.text("gatepost/gatepost.toml");
        let gatepost = |args: &[&str], input: &str| {
            output_of(Command::new(&program).args(args).args(["--config", &config, "--json"]), input)
        };
        std::fs::write(tools.path("gatepost/gatepost.key"), master_key()?)?;
        output_of(Command::new("chmod").args(["600", &tools.text("gatepost/gatepost.key")]), "")?;
        gatepost(&["init", "--admin", "anna@bench.example"], "")?;
        let smtp = sink.to_string();
        let account = [
            "account",
            "add",
            "--provider",
            "custom",
            "--address",
            ADDRESS,
            "--short-name",
            "Reception",
            "--author-name",
            "Reception",
            "--user-name",
            "upstream",
            "--smtp",
            &smtp,
            "--smtp-tls",
            "starttls",
            "--password-stdin",
            "--unchecked",
        ];
        gatepost(&account, "a password for the length of a run\n")?;
        let created = gatepost(
            &["app-password", "create", "--account", ADDRESS, "--name", "Bench", "--allow", "smtp"],
            "",
        )?;
        let created: AppPassword =
            serde_json::from_str(&created).context("app-password create printed something else")?;
        let password_file = tools.path("gatepost/app-password");
        std::fs::write(&password_file, created.password)?;
        let log = tools.path("gatepost/log");
        Ok(Self { program, config, log, address, user: created.user_name, password_file })
    }

    /// Starts it and waits for its greeting.
    pub(super) fn start(&self) -> anyhow::Result<Running> {
        let log = std::fs::File::options().create(true).append(true).open(&self.log)?;
        let begun = Instant::now();
        let args = ["serve", "--config", &self.config];
        let process =
            Process::start(&self.program, &args, [Stdio::null(), log.try_clone()?.into(), log.into()])?;
        wait_for_greeting(self.address, Duration::from_secs(20))?;
        let started_within = begun.elapsed();
        let door = Door {
            address: self.address,
            user: self.user.clone(),
            password_file: self.password_file.clone(),
            from: ADDRESS.to_owned(),
        };
        Ok(Running { process, door, started_within })
    }
}

/// Both servers show the same certificate. Nothing is turned off or set for speed.
fn configuration(tools: &Tools, address: SocketAddr, sink: SocketAddr) -> String {
    let (data, key) = (tools.text("gatepost/data"), tools.text("gatepost/gatepost.key"));
    let [authority, certificate, certificate_key] =
        ["authority.pem", "certificate.pem", "key.pem"].map(|it| tools.text(it));
    format!(
        "\
data_dir = \"{data}\"
master_key_file = \"{key}\"

[submission]
starttls = \"{address}\"
hostname = \"gatepost.bench.example\"

[tls]
certificate = \"{certificate}\"
key = \"{certificate_key}\"

[upstream]
extra_authorities = [\"{authority}\"]
allow_private_addresses = [\"{sink}\"]
"
    )
}

/// 64 hexadecimal digits and a line end.
fn master_key() -> anyhow::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect())
}

/// A running server.
pub(super) struct Running {
    process: Process,
    door: Door,
    started_within: Duration,
}

impl Running {
    /// From the start of its process to its greeting.
    pub(super) fn started_within(&self) -> Duration {
        self.started_within
    }

    /// The most memory it has had so far, in bytes.
    pub(super) fn memory(&self) -> anyhow::Result<u64> {
        peak_memory(self.process.id())
    }
}

impl Server for Running {
    fn name(&self) -> &'static str {
        NAME
    }

    fn door(&self) -> &Door {
        &self.door
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of_family(self.process.id())
    }
}
