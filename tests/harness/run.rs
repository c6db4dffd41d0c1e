//! One command, from its start to its end.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use gatepost_testkit::Process;
use serde_json::Value;

/// Longer than any command takes, also on a machine that does other things.
const ENDS_WITHIN: Duration = Duration::from_secs(60);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The built program, in an environment that says nothing about Gatepost.
pub(crate) fn gatepost_command() -> Command {
    command_of(Path::new(env!("CARGO_BIN_EXE_gatepost")))
}

/// Another build of it, in the same environment.
pub(crate) fn command_of(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GATEPOST_") {
            command.env_remove(name);
        }
    }
    command.env_remove("CREDENTIALS_DIRECTORY");
    command
}

/// Runs `gatepost` with these arguments to its end.
pub(crate) fn gatepost<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Outcome {
    output_of(gatepost_command().args(args))
}

/// Runs any command to its end.
pub(crate) fn output_of(command: &mut Command) -> Outcome {
    with_input(command, "")
}

/// The same, with something on standard input.
pub(crate) fn with_input(command: &mut Command, input: &str) -> Outcome {
    let shown = format!("{command:?}");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::start(command).unwrap_or_else(|error| panic!("{shown}: {error}"));
    let child = process.child();
    let (mut stdin, stdout, stderr) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let input = input.to_owned();
    // One that refuses does not read it.
    thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let gathered = [read(stdout), read(stderr)];
    let Some(status) = process.wait(ENDS_WITHIN) else { panic!("{shown} has not ended") };
    let [stdout, stderr] = gathered.map(|it| it.join().unwrap());
    Outcome { code: status.code(), stdout, stderr }
}

fn read(mut from: impl std::io::Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Outcome {
    /// Asserts that it was done, and gives what it wrote.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// Asserts that it was done, and gives the one JSON object that it wrote.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.done();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Asserts that it was done, and gives the JSON objects that it wrote, one a line.
    #[track_caller]
    pub(crate) fn json_lines(self) -> Vec<Value> {
        self.done().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asserts that it was refused with one line that says all of `words`, and wrote nothing else.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "one clear message: {}", self.stderr);
        assert_eq!(self.stdout, "");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is missing in: {}", self.stderr);
        }
    }
}
