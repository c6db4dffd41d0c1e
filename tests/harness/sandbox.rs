//! What the sandbox's mailboxes hold.

use std::process::Command;
use std::time::Duration;

use gatepost_testkit::wait_until;
use serde_json::Value;

use super::output_of;

/// From a "250" at our door to the mailbox; long, because the machine may do other things.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

/// The mailboxes of one sandbox.
#[derive(Clone)]
pub(crate) struct Mailboxes {
    pages: String,
}

impl Mailboxes {
    pub(crate) fn at(pages: &str) -> Self {
        Self { pages: pages.to_owned() }
    }

    /// All messages of a mailbox, oldest first.
    pub(crate) fn messages(&self, address: &str) -> Vec<Value> {
        let url = format!("{}/api/mailboxes/{address}/messages", self.pages);
        let answer =
            output_of(Command::new("curl").args(["--silent", "--show-error", "--fail", &url])).json();
        answer.as_array().unwrap().clone()
    }

    /// Waits for a message with this subject, and gives its text.
    #[track_caller]
    pub(crate) fn await_subject(&self, address: &str, subject: &str) -> String {
        self.await_message(address, |it| it["subject"] == subject)
    }

    /// Waits for a message of this kind, and gives its text.
    #[track_caller]
    pub(crate) fn await_message(&self, address: &str, is_meant: impl Fn(&Value) -> bool) -> String {
        let found = wait_until(ARRIVES_WITHIN, || self.messages(address).into_iter().find(&is_meant));
        let Some(message) = found else { panic!("not there for {address}: {:?}", self.messages(address)) };
        let url = message["raw_url"].as_str().unwrap();
        output_of(Command::new("curl").args(["--silent", "--show-error", "--fail", url])).done()
    }

    /// Lets the sandbox misbehave, or behave again.
    pub(crate) fn fault(&self, fault: &str) {
        self.put("faults", fault);
    }

    /// What the sandbox answers.
    pub(crate) fn get(&self, what: &str) -> String {
        let url = format!("{}/api/{what}", self.pages);
        output_of(Command::new("curl").args(["--silent", "--show-error", "--fail", &url])).done()
    }

    /// Asks the sandbox for a change, in JSON.
    pub(crate) fn put(&self, what: &str, json: &str) {
        let url = format!("{}/api/{what}", self.pages);
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--request", "PUT", "--data-raw", json]);
        output_of(command.args(["--header", "Content-Type: application/json", &url])).done();
    }

    /// Asks the sandbox for something new, in JSON; gives its answer.
    pub(crate) fn post(&self, what: &str, json: &str) -> Value {
        let url = format!("{}/api/{what}", self.pages);
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--request", "POST", "--data-raw", json]);
        output_of(command.args(["--header", "Content-Type: application/json", &url])).json()
    }

    /// How many messages with this subject have come.
    pub(crate) fn count(&self, address: &str, subject: &str) -> usize {
        self.messages(address).iter().filter(|it| it["subject"] == subject).count()
    }
}
