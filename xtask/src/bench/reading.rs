//! Measures reading through Gatepost beside other proxies in front of the same Dovecot, over TLS, in one run.
//!
//! Runs alternate between the servers, so that whatever else the machine does falls on all of them.

mod dovecot;
mod gatepost;
mod letters;
mod nginx;
mod oauth_proxy;
mod report;
mod token_service;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use super::process::{Process, Talker, cpu_of_family, memory_of_family, output_of};
use super::tools::Tools;
use report::Report;

/// The mailbox that everybody reads.
const USER: &str = "reception@bench.example";
/// Its password at Dovecot, and its access token too.
const PASSWORD: &str = "a-password-for-the-length-of-a-run";

/// Pairs of idle connections whose memory is measured.
const IDLE_PAIRS: usize = 2_000;
/// As many as 20,000 descriptors allow.
const MANY_PAIRS: usize = 9_000;

/// A server that lets the mailbox be read.
struct Server {
    name: &'static str,
    /// IMAP with TLS from the first byte.
    address: SocketAddr,
    user: String,
    password_file: PathBuf,
    process: Process,
}

impl Server {
    /// Somebody in front of Dovecot who passes its user name and password on.
    fn with_the_mailboxs_own(
        name: &'static str,
        tools: &Tools,
        address: SocketAddr,
        process: Process,
    ) -> Self {
        Self { name, address, user: USER.into(), password_file: tools.path("password"), process }
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        cpu_of_family(self.process.id())
    }

    fn memory(&self) -> anyhow::Result<u64> {
        memory_of_family(self.process.id())
    }

    fn args(&self, tools: &Tools) -> [String; 8] {
        let password = self.password_file.to_string_lossy().into_owned();
        [
            "--server".into(),
            self.address.to_string(),
            "--authority".into(),
            tools.text("authority.pem"),
            "--user".into(),
            self.user.clone(),
            "--password-file".into(),
            password,
        ]
    }
}

/// What `fetch` prints.
#[derive(Deserialize)]
struct Fetched {
    bytes: u64,
    seconds: f64,
}

/// What `idle-readers` prints.
#[derive(Deserialize)]
struct Open {
    connections: usize,
}

/// Prints everything.
pub(super) fn run(root: &Path, args: &[String]) -> anyhow::Result<ExitCode> {
    let rounds: usize = match args {
        [] => 3,
        [name, n] if name == "--rounds" => n.parse().context("--rounds takes a number")?,
        _ => bail!("Usage: cargo xtask bench reading [--rounds N]"),
    };
    let tools = Tools::new(root, Path::new("/var/tmp"))?;
    std::fs::write(tools.path("password"), PASSWORD)?;
    let mut report = Report::default();
    {
        let host = dovecot::start_host(&tools)?;
        let tokens = token_service::start(PASSWORD)?;
        let mut servers = vec![
            gatepost::start(root, &tools, "gatepost", host.server.address, 1_000)?,
            dovecot::start_proxy(&tools, "dovecot-proxy", host.server.address)?,
        ];
        servers.extend(oauth_proxy::start(&tools, host.server.address, tokens)?);
        servers.extend(nginx::start(&tools, host.plain)?);
        servers.insert(0, host.server);
        for round in 0..=rounds {
            for server in &servers {
                measure(&tools, server, &mut report, round == 0)?;
            }
        }
    }
    idle(root, &tools, &mut report)?;
    report.print();
    report.write(&root.join("target/bench/reading.json"))?;
    Ok(ExitCode::SUCCESS)
}

/// One run of each kind. The first of all only fills caches.
fn measure(tools: &Tools, server: &Server, report: &mut Report, is_first: bool) -> anyhow::Result<()> {
    for (connections, times) in [(1, 10), (10, 2)] {
        let before = server.cpu()?;
        let it = fetch(tools, server, connections, times)?;
        let cpu = server.cpu()?.saturating_sub(before);
        let wanted = (letters::N * letters::BYTES * connections * times) as u64;
        ensure!(it.bytes == wanted, "{}: {} octets instead of {wanted}", server.name, it.bytes);
        if !is_first {
            report.fetched(server.name, connections, it.bytes, it.seconds, cpu);
        }
    }
    // It takes 0.2 s for each.
    let times = if server.name == oauth_proxy::NAME { 10 } else { 200 };
    let before = server.cpu()?;
    let mut command = Command::new(tools.program());
    command.arg("sign-ins").args(server.args(tools)).args(["--times", &times.to_string()]);
    output_of(&mut command, "").with_context(|| format!("signing in through {}", server.name))?;
    if !is_first {
        report.signed_in(server.name, times, server.cpu()?.saturating_sub(before));
    }
    Ok(())
}

fn fetch(tools: &Tools, server: &Server, connections: usize, times: usize) -> anyhow::Result<Fetched> {
    let mut command = Command::new(tools.program());
    command.arg("fetch").args(server.args(tools));
    command.args(["--connections", &connections.to_string(), "--times", &times.to_string()]);
    let printed = output_of(&mut command, "").with_context(|| format!("reading through {}", server.name))?;
    serde_json::from_str(&printed).context("fetch printed something else")
}

/// Memory of idle pairs, and very many of them, in front of a provider that costs next to nothing.
fn idle(root: &Path, tools: &Tools, report: &mut Report) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Addresses {
        imaps: SocketAddr,
    }
    let mut mailbox = Talker::start(tools.program(), &["mailbox", "--certificates", &tools.text("")])?;
    let provider = mailbox.hear::<Addresses>()?.imaps;
    for pairs in [IDLE_PAIRS, MANY_PAIRS] {
        let name = format!("idle-{pairs}");
        let server = gatepost::start(root, tools, &name, provider, pairs + 100)?;
        let (before, with) = hold(tools, &server, pairs)?;
        report.held("gatepost", pairs, before, with);
    }
    let server = dovecot::start_proxy(tools, "dovecot-idle", provider)?;
    let (before, with) = hold(tools, &server, IDLE_PAIRS)?;
    report.held("dovecot-proxy", IDLE_PAIRS, before, with);
    Ok(())
}

/// Memory before and with so many pairs, all of which are served in the end.
fn hold(tools: &Tools, server: &Server, pairs: usize) -> anyhow::Result<(u64, u64)> {
    // Everything that the first connections bring about for good.
    let mut command = Command::new(tools.program());
    output_of(command.arg("sign-ins").args(server.args(tools)).args(["--times", "100"]), "")?;
    let before = server.memory()?;
    let mut args = vec!["idle-readers".to_owned()];
    args.extend(server.args(tools));
    args.extend(["--connections".to_owned(), pairs.to_string()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut readers = Talker::start(tools.program(), &args)?;
    readers.hear::<Open>()?;
    let with = server.memory()?;
    readers.say("are you all there")?;
    let served = readers.hear::<Open>()?.connections;
    ensure!(served == pairs, "{}: only {served} of {pairs} are served", server.name);
    Ok((before, with))
}
