//! Measures Gatepost beside a Postfix that is set up well, on this machine, in one run.
//!
//! Both servers take letters on loopback and hand them to the same sink, with their data in the same folder. Runs
//! alternate between them, so that whatever else the machine does falls on both. Nothing here judges: figures are
//! printed and written down, and docs/performance.md says what they mean.

mod accounts;
mod gatepost;
mod portal;
mod postfix;
mod process;
mod reading;
mod report;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use gatepost::Gatepost;
use postfix::Postfix;
use report::{Report, Run};
use tools::{Door, Mode, Sink, Tools};

const USAGE: &str = "\
Usage: cargo xtask bench [--rounds N] [--folder DIR] [--only gatepost|postfix]
       cargo xtask bench portal
       cargo xtask bench accounts
       cargo xtask bench reading [--rounds N]

  --rounds N    runs of each kind for each server; the median counts (3)
  --folder DIR  where both servers keep their data: a real disk (/var/tmp)
  --only NAME   one server alone";

/// How long a server may take to hand on what it has accepted.
const DRAIN_WITHIN: Duration = Duration::from_secs(120);

struct Options {
    rounds: usize,
    folder: PathBuf,
    with_gatepost: bool,
    with_postfix: bool,
}

impl Options {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            rounds: 3,
            // Unlike /tmp, this is never in memory: what is measured includes waiting for a disk.
            folder: "/var/tmp".into(),
            with_gatepost: true,
            with_postfix: true,
        };
        let mut args = args.iter().map(String::as_str);
        while let Some(name) = args.next() {
            match (name, args.next()) {
                ("--rounds", Some(n)) => options.rounds = n.parse().context("--rounds takes a number")?,
                ("--folder", Some(folder)) => options.folder = folder.into(),
                ("--only", Some("gatepost")) => options.with_postfix = false,
                ("--only", Some("postfix")) => options.with_gatepost = false,
                _ => bail!("{USAGE}"),
            }
        }
        ensure!(options.rounds > 0, "--rounds must be at least 1");
        Ok(options)
    }
}

/// The command.
pub(crate) fn run(root: &Path, args: &[String]) -> anyhow::Result<ExitCode> {
    if args == ["portal"] {
        build(root, true)?;
        portal::run(root)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args == ["accounts"] {
        build(root, true)?;
        accounts::run(root)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some((name, args)) = args.split_first()
        && name == "reading"
    {
        build(root, true)?;
        return reading::run(root, args);
    }
    let options = Options::parse(args)?;
    build(root, options.with_gatepost)?;
    let tools = Tools::new(root, &options.folder)?;
    let mut report = Report::new();
    {
        let mut sink = tools.start_sink()?;
        let gatepost =
            options.with_gatepost.then(|| Gatepost::set_up(root, &tools, sink.address())).transpose()?;
        let postfix = options.with_postfix.then(|| Postfix::start(&tools, sink.address())).transpose()?;
        let running = gatepost.as_ref().map(Gatepost::start).transpose()?;
        let mut servers: Vec<&dyn Server> = Vec::new();
        servers.extend(running.as_ref().map(|it| it as &dyn Server));
        servers.extend(postfix.as_ref().map(|it| it as &dyn Server));
        throughput(&tools, &mut sink, &servers, options.rounds, &mut report)?;
        drop((running, postfix));
        if let Some(gatepost) = &gatepost {
            memory(&tools, gatepost, &mut report)?;
            cold_start(gatepost, &mut report)?;
        }
    }
    report.print();
    report.write(&root.join("target/bench/latest.json"))?;
    Ok(ExitCode::SUCCESS)
}

/// A server that is running and can be measured.
trait Server {
    fn name(&self) -> &'static str;
    /// Where letters are handed in.
    fn door(&self) -> &Door;
    /// CPU time of all its processes so far, those that have ended included.
    fn cpu(&self) -> anyhow::Result<Duration>;
}

fn build(root: &Path, with_gatepost: bool) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "-p", "gatepost-bench"]).current_dir(root);
    if with_gatepost {
        cargo.args(["-p", "gatepost"]);
    }
    ensure!(cargo.status().context("cargo does not start")?.success(), "the release build failed");
    Ok(())
}

fn throughput(
    tools: &Tools,
    sink: &mut Sink,
    servers: &[&dyn Server],
    rounds: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    for server in servers {
        // Processes are started and caches filled before anything counts.
        measure(tools, sink, *server, Mode::Persistent, 400)?;
        measure(tools, sink, *server, Mode::Fresh, 100)?;
    }
    for round in 1..=rounds {
        for mode in [Mode::Persistent, Mode::Fresh] {
            for server in servers {
                let run = measure(tools, sink, *server, mode, letters_for(server.name(), mode))?;
                eprintln!("round {round}: {run}");
                report.add(run);
            }
        }
    }
    Ok(())
}

/// Enough for a few seconds each, and no more.
fn letters_for(server: &str, mode: Mode) -> u64 {
    match (server, mode) {
        (gatepost::NAME, Mode::Persistent) => 12_000,
        (_, Mode::Persistent) => 2_400,
        (gatepost::NAME, Mode::Fresh) => 3_000,
        (_, Mode::Fresh) => 1_200,
    }
}

fn measure(
    tools: &Tools,
    sink: &mut Sink,
    server: &dyn Server,
    mode: Mode,
    letters: u64,
) -> anyhow::Result<Run> {
    sink.reset()?;
    let cpu_before = server.cpu()?;
    let accepted = tools.load(server.door(), mode, letters)?;
    ensure!(
        accepted.letters == letters && accepted.errors == 0,
        "{}: {} of {letters} letters accepted, {} errors, the first: {}",
        server.name(),
        accepted.letters,
        accepted.errors,
        accepted.first_error.as_deref().unwrap_or("none")
    );
    let arrived = sink.wait_for(letters, DRAIN_WITHIN)?;
    ensure!(
        arrived.letters == letters,
        "{}: only {} of {letters} acknowledged letters have arrived",
        server.name(),
        arrived.letters
    );
    let cpu = settled_cpu(server)?.saturating_sub(cpu_before);
    Ok(Run::new(server.name(), mode, &accepted, &arrived, cpu))
}

/// CPU time once the server has finished what it does behind the last delivery.
fn settled_cpu(server: &dyn Server) -> anyhow::Result<Duration> {
    let mut before = server.cpu()?;
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(150));
        let now = server.cpu()?;
        if now.saturating_sub(before) <= Duration::from_millis(10) {
            return Ok(now);
        }
        before = now;
    }
    Ok(before)
}

/// The most memory Gatepost ever has, with many idle connections and many large letters at once.
fn memory(tools: &Tools, gatepost: &Gatepost, report: &mut Report) -> anyhow::Result<()> {
    let running = gatepost.start()?;
    let at_start = running.memory()?;
    let idle = tools.start_idle(running.door(), 1_000)?;
    let with_idle = running.memory()?;
    tools.big(running.door(), 50, 30)?;
    report.memory(at_start, with_idle, running.memory()?);
    drop(idle);
    Ok(())
}

fn cold_start(gatepost: &Gatepost, report: &mut Report) -> anyhow::Result<()> {
    for _ in 0..10 {
        report.cold_start(gatepost.start()?.started_within());
    }
    Ok(())
}
