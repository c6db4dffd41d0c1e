//! Child processes that do not outlive their test.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use crate::wait_until;

/// A running child and everything it started. Dropping it kills them all, so that a failed test leaves nothing behind.
pub struct Process {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `command` in a process group of its own.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.process_group(0).spawn()?, ended: None })
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends `signal` to the process alone, for example [`Signal::TERM`].
    pub fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            // The process may have ended by itself in the meantime; its number is ours until it is waited for.
            let _ = rustix::process::kill_process(self.pid(), signal);
        }
    }

    /// Waits for the end, at most `patience`; `None` when the process still runs.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = wait_until(patience, || self.child.try_wait().ok().flatten());
        }
        self.ended
    }

    /// kill -9, as a power cut would: the process gets no chance to tidy up.
    pub fn kill(&mut self) {
        if self.ended.is_none() {
            // The group first: once the leader is waited for, its number may belong to someone else.
            let _ = rustix::process::kill_process_group(self.pid(), Signal::KILL);
            self.ended = self.child.wait().ok();
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_dropped_process_takes_its_children_along() {
        let mut process = Process::start(
            Command::new("sh").args(["-c", "sleep 600 & echo $!; wait"]).stdout(Stdio::piped()),
        )
        .unwrap();
        let mut line = String::new();
        BufReader::new(process.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let stat = format!("/proc/{}/stat", line.trim());
        assert!(std::fs::exists(&stat).unwrap());
        drop(process);
        let gone = wait_until(Duration::from_secs(10), || match std::fs::read_to_string(&stat) {
            Err(_) => Some(()),
            Ok(text) => text.contains(") Z ").then_some(()), // Ended; whoever adopted it has not looked yet.
        });
        assert!(gone.is_some(), "the grandchild still runs");
    }

    #[test]
    fn an_ended_process_tells_how_it_ended() {
        let mut process = Process::start(Command::new("sh").args(["-c", "exit 3"])).unwrap();
        assert_eq!(process.wait(Duration::from_secs(10)).unwrap().code(), Some(3));
    }
}
