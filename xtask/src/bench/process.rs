//! Processes that end with the benchmark, and what the kernel knows about them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::de::DeserializeOwned;

/// How long a process may take to end when it is asked to.
const END_WITHIN: Duration = Duration::from_secs(10);

/// How long a server may take until it listens.
const LISTEN_WITHIN: Duration = Duration::from_secs(20);

/// A running child. Dropping it asks it to end, and then ends it with all it has started.
pub(super) struct Process(Child);

impl Process {
    /// Starts `program` with this standard input, output and error. It ends with us, even when we are killed.
    pub(super) fn start(program: &Path, args: &[&str], stdio: [Stdio; 3]) -> anyhow::Result<Self> {
        let [stdin, stdout, stderr] = stdio;
        // Only the kernel can promise that: setpriv asks it to, and becomes the program.
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--"])
            .arg(program)
            .args(args)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .with_context(|| format!("cannot start {} through setpriv", program.display()))?;
        Ok(Self(child))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|it| it.is_some())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.0);
        // An error means that it has ended already, which is what is wanted.
        let _ended = kill_process(pid, Signal::TERM);
        let deadline = Instant::now() + END_WITHIN;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Postfix's master makes a group of its own for its daemons, whose number is its own.
        let _ended = kill_process_group(pid, Signal::KILL);
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

/// A child that answers in JSON, a line each, and ends when its standard input does.
pub(super) struct Talker {
    // Closed first: that is how it is asked to end.
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    process: Process,
}

impl Talker {
    pub(super) fn start(program: &Path, args: &[&str]) -> anyhow::Result<Self> {
        let mut process = Process::start(program, args, [Stdio::piped(), Stdio::piped(), Stdio::inherit()])?;
        let stdin = process.0.stdin.take().context("the pipe was asked for")?;
        let stdout = process.0.stdout.take().context("the pipe was asked for")?;
        Ok(Self { stdin, stdout: BufReader::new(stdout), process })
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn say(&mut self, line: &str) -> anyhow::Result<()> {
        writeln!(self.stdin, "{line}").context("the tool is gone")
    }

    pub(super) fn hear<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("the tool said {line:?}"))
    }
}

/// Runs a command to its end, with `input` on standard input; gives what it printed.
pub(super) fn output_of(command: &mut Command, input: &str) -> anyhow::Result<String> {
    let program = command.get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    // A command that reads nothing closes its end; what it says then is in its status.
    let _closed = child.stdin.take().context("the pipe was asked for")?.write_all(input.as_bytes());
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "{} failed ({}): {}",
        program.display(),
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// A port nobody listens on at the moment.
pub(super) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Tries until the server at `address` has said its greeting.
pub(super) fn wait_for_greeting(address: SocketAddr, at_most: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + at_most;
    let greeted = || -> std::io::Result<bool> {
        let socket = std::net::TcpStream::connect(address)?;
        socket.set_read_timeout(Some(at_most))?;
        let mut line = String::new();
        BufReader::new(&socket).read_line(&mut line)?;
        (&socket).write_all(b"QUIT\r\n")?;
        Ok(line.starts_with("220"))
    };
    while !greeted().unwrap_or(false) {
        ensure!(Instant::now() < deadline, "nothing greets at {address}");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Tries until somebody listens at `address`; if nobody does, tells what stands in the server's log.
pub(super) fn wait_for_listener(address: SocketAddr, log: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + LISTEN_WITHIN;
    while std::net::TcpStream::connect(address).is_err() {
        if Instant::now() > deadline {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            bail!("nobody listens at {address}:\n{log}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// What `/proc/PID/stat` says.
struct Stat {
    parent: u32,
    /// Of the process.
    own: Duration,
    /// Of its children that have ended.
    ended_children: Duration,
}

fn stat(id: u32) -> Option<Stat> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

/// proc(5): the name in brackets may hold anything, so counting begins behind its last bracket.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    // USER_HZ, in which the kernel counts towards programs, is 100 on every Linux of today.
    let ticks = |at: usize| Some(Duration::from_millis(10 * fields.get(at)?.parse::<u64>().ok()?));
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: ticks(11)? + ticks(12)?,
        ended_children: ticks(13)? + ticks(14)?,
    })
}

/// CPU time of a process and of its children, running and ended.
pub(super) fn cpu_of_family(id: u32) -> anyhow::Result<Duration> {
    let head = stat(id).with_context(|| format!("process {id} is gone"))?;
    let children = children_of(id)?.into_iter().filter_map(stat);
    Ok(children.chain([head]).map(|it| it.own + it.ended_children).sum())
}

/// The memory that a process and its children have in RAM now, in bytes; what they share counts once (`Pss`).
pub(super) fn memory_of_family(id: u32) -> anyhow::Result<u64> {
    let of = |id: u32| {
        let text = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    let head = of(id).with_context(|| format!("the memory of process {id} cannot be seen"))?;
    Ok((head + children_of(id)?.into_iter().filter_map(of).sum::<u64>()) * 1_024)
}

fn children_of(parent: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
        if stat(id).is_some_and(|it| it.parent == parent) {
            children.push(id);
        }
    }
    Ok(children)
}

/// The most memory a process has had in RAM so far, in bytes.
pub(super) fn peak_memory(id: u32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_program_is_called() {
        let line = "4242 (a) b (c) S 17 4242 4242 0 -1 4194560 5 0 0 0 150 25 1000 200 20 0 1 0 99 0 0";
        let stat = parse_stat(line).unwrap();
        assert_eq!(stat.parent, 17);
        assert_eq!(stat.own, Duration::from_millis(1_750));
        assert_eq!(stat.ended_children, Duration::from_millis(12_000));
        assert!(parse_stat("4242 (a) S").is_none());
    }

    #[test]
    fn thisprocess_has_used_memory() {
        assert!(peak_memory(std::process::id()).unwrap() > 100_000);
        assert!(cpu_of_family(std::process::id()).is_ok());
    }
}
