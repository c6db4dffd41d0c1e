//! The applications against the sink: what was acknowledged has arrived.
#![expect(clippy::unwrap_used, reason = "what goes wrong here fails the test")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gatepost-bench"))
}

/// The sink; it ends when this is dropped.
struct Sink {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    addresses: Value,
}

impl Sink {
    fn start(folder: &Path) -> Self {
        let made = program().arg("certificates").arg("--folder").arg(folder).status().unwrap();
        assert!(made.success());
        std::fs::write(folder.join("password"), "any\n").unwrap();
        let mut command = program();
        command.arg("sink").arg("--certificates").arg(folder).arg("--witness").arg(folder.join("witness"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut sink = Self { child, output, addresses: Value::Null };
        sink.addresses = sink.hear();
        sink
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, line: &str) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
        self.hear()
    }

    fn application(&self, folder: &Path, what: &str, encryption: &str) -> Command {
        let mut command = program();
        let word = if encryption == "implicit" { "tls" } else { "starttls" };
        command.args([what, "--server", self.addresses[word].as_str().unwrap(), "--encryption", encryption]);
        command.args(["--user", "a@bench.example", "--from", "a@bench.example"]);
        command.arg("--authority").arg(folder.join("authority.pem"));
        command.arg("--password-file").arg(folder.join("password"));
        command
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn json(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lines(path: &Path) -> Vec<String> {
    let mut lines: Vec<_> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn every_acknowledged_letter_is_witnessed_in_each_mode() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut sink = Sink::start(folder);
    let mut n_letters = 0;
    for (mode, encryption, more) in [
        ("persistent", "starttls", None),
        ("persistent", "implicit", None),
        ("fresh", "starttls", None),
        ("fresh", "implicit", Some("--resume")),
    ] {
        let mut load = sink.application(folder, "load", encryption);
        load.args(["--mode", mode, "--letters", "50", "--concurrency", "4"]).args(more);
        let accepted = json(load.arg("--acknowledged").arg(folder.join("acknowledged")));
        n_letters += 50;
        assert_eq!((&accepted["letters"], &accepted["errors"]), (&50.into(), &0.into()), "{mode} {accepted}");
        let arrived = sink.ask(&format!("await {n_letters} 10"));
        assert_eq!(arrived["letters"], n_letters, "{arrived}");
    }
    assert_eq!(sink.ask("report")["duplicates"], 0);
    assert_eq!(lines(&folder.join("acknowledged")), lines(&folder.join("witness")));
    assert_eq!(sink.ask("reset")["letters"], 0);
}

#[test]
fn large_letters_arrive_while_others_stay_silent() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut sink = Sink::start(folder);
    let mut command = sink.application(folder, "idle", "starttls");
    command.args(["--connections", "5"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut idle = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(idle.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"connections\":5"), "{line}");

    let mut big = sink.application(folder, "big", "starttls");
    assert_eq!(json(big.args(["--letters", "3", "--mebibytes", "2"]))["letters"], 3);
    assert_eq!(sink.ask("await 3 10")["connections"], 5 + 3);

    drop(idle.stdin.take());
    assert!(idle.wait().unwrap().success());
}
