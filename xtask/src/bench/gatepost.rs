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

/// An installation: a configuration, a database, an administrator.
pub(super) struct Installation {
    program: PathBuf,
    config: String,
    folder: PathBuf,
}

/// What `app-password create --json` prints.
#[derive(Deserialize)]
struct AppPassword {
    user_name: String,
    password: String,
}

impl Installation {
    /// Makes one in this folder of the run. `doors` are further sections of its configuration; `provider` is on this machine.
    pub(super) fn set_up(
        root: &Path,
        tools: &Tools,
        folder: &str,
        doors: &str,
        provider: SocketAddr,
    ) -> anyhow::Result<Self> {
        let folder = tools.path(folder);
        std::fs::create_dir(&folder)?;
        let config = folder.join("gatepost.toml");
        std::fs::write(&config, configuration(tools, &folder, doors, provider))?;
        let key = folder.join("gatepost.key");
        std::fs::write(&key, master_key()?)?;
        output_of(Command::new("chmod").arg("600").arg(&key), "")?;
        let program = root.join("target/release/gatepost");
        let it = Self { program, config: config.to_string_lossy().into_owned(), folder };
        it.command(&["init", "--admin", "anna@bench.example"], "")?;
        Ok(it)
    }

    /// Runs one of its commands; gives what that printed.
    pub(super) fn command(&self, args: &[&str], input: &str) -> anyhow::Result<String> {
        output_of(Command::new(&self.program).args(args).args(["--config", &self.config, "--json"]), input)
    }

    /// An app password of the mail account with this address: its user name, and the file that holds it.
    pub(super) fn app_password(&self, address: &str, may: &str) -> anyhow::Result<(String, PathBuf)> {
        let args = ["app-password", "create", "--account", address, "--name", "Bench", "--allow", may];
        let created: AppPassword = serde_json::from_str(&self.command(&args, "")?)
            .context("app-password create printed something else")?;
        let file = self.folder.join("app-password");
        std::fs::write(&file, created.password)?;
        Ok((created.user_name, file))
    }

    /// Starts it; it does not listen yet.
    pub(super) fn start(&self) -> anyhow::Result<Process> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log"))?;
        let args = ["serve", "--config", &self.config];
        Process::start(&self.program, &args, [Stdio::null(), log.try_clone()?.into(), log.into()])
    }
}

/// An installation that takes letters.
pub(super) struct Gatepost {
    installation: Installation,
    address: SocketAddr,
    user: String,
    password_file: PathBuf,
}

impl Gatepost {
    /// One mail account at the sink, one app password.
    pub(super) fn set_up(root: &Path, tools: &Tools, sink: SocketAddr) -> anyhow::Result<Self> {
        let address = free_address()?;
        let doors =
            format!("[submission]\nstarttls = \"{address}\"\nhostname = \"gatepost.bench.example\"\n");
        let installation = Installation::set_up(root, tools, "gatepost", &doors, sink)?;
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
        installation.command(&account, "a password for the length of a run\n")?;
        let (user, password_file) = installation.app_password(ADDRESS, "smtp")?;
        Ok(Self { installation, address, user, password_file })
    }

    /// Starts it and waits for its greeting.
    pub(super) fn start(&self) -> anyhow::Result<Running> {
        let begun = Instant::now();
        let process = self.installation.start()?;
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

/// All servers show the same certificate. Nothing is turned off or set for speed.
fn configuration(tools: &Tools, folder: &Path, doors: &str, provider: SocketAddr) -> String {
    let folder = folder.display();
    let [authority, certificate, certificate_key] =
        ["authority.pem", "certificate.pem", "key.pem"].map(|it| tools.text(it));
    format!(
        "\
data_dir = \"{folder}/data\"
master_key_file = \"{folder}/gatepost.key\"

{doors}
[tls]
certificate = \"{certificate}\"
key = \"{certificate_key}\"

[upstream]
extra_authorities = [\"{authority}\"]
allow_private_addresses = [\"{provider}\"]
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
