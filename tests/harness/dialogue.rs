//! A command that somebody talks with: it says something, waits for an answer, and goes on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use gatepost_testkit::Process;

use super::Outcome;

/// Longer than any line takes, also on a machine that does other things.
const SAID_WITHIN: Duration = Duration::from_secs(90);

pub(crate) struct Dialogue {
    process: Process,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: thread::JoinHandle<String>,
    /// All lines that were read.
    said: Vec<String>,
}

impl Dialogue {
    pub(crate) fn begin(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Process::start(command).unwrap();
        let child = process.child();
        let (stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let stdin = child.stdin.take();
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || BufReader::new(stdout).lines().try_for_each(|it| tell.send(it.unwrap())));
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            text
        });
        Self { process, stdin, lines, stderr, said: Vec::new() }
    }

    /// Waits for the first line from here on that contains this.
    #[track_caller]
    pub(crate) fn hear(&mut self, words: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(SAID_WITHIN) else {
                panic!("{words:?} was not said, only {:#?}", self.said)
            };
            self.said.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Types a line.
    pub(crate) fn say(&mut self, line: &str) {
        // One that has ended does not read it.
        let _ = writeln!(self.stdin.as_mut().unwrap(), "{line}");
    }

    /// Lets it end, and gives all that it said.
    #[track_caller]
    pub(crate) fn end(mut self) -> Outcome {
        drop(self.stdin.take());
        let Some(status) = self.process.wait(SAID_WITHIN) else {
            panic!("it has not ended: {:#?}", self.said)
        };
        self.said.extend(self.lines.iter());
        let stdout = self.said.iter().map(|it| format!("{it}\n")).collect();
        Outcome { code: status.code(), stdout, stderr: self.stderr.join().unwrap() }
    }
}
