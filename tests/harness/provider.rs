//! The sandbox provider alone, in a process of its own that outlives what is done to Gatepost.

use std::path::PathBuf;

use gatepost_testkit::fresh_folder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Mailboxes, Running, sandbox};

/// A running sandbox provider. Every address is a mailbox there, with the password `sandbox`.
pub(crate) struct Provider {
    // Ends before its folder goes.
    running: Running,
    _folder: TempDir,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let folder = fresh_folder();
        Self { running: sandbox(&folder.path().join("provider")), _folder: folder }
    }

    /// Where it takes letters, as `HOST:PORT`.
    pub(crate) fn smtp(&self) -> String {
        self.running.text("sandbox_smtp")
    }

    /// Where letters are read by IMAP, as `HOST:PORT`.
    pub(crate) fn imap(&self) -> String {
        self.running.text("sandbox_imap")
    }

    /// The same by POP3.
    pub(crate) fn pop3(&self) -> String {
        self.running.text("sandbox_pop3")
    }

    /// Where its pages are.
    pub(crate) fn pages(&self) -> String {
        self.running.text("sandbox_pages")
    }

    /// The authority that Gatepost must trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.running.text("certificate").into()
    }

    pub(crate) fn mailboxes(&self) -> Mailboxes {
        self.running.mailboxes()
    }

    /// Gives a mailbox another password.
    pub(crate) fn set_password(&self, address: &str, password: &str) {
        self.mailboxes().put(&format!("mailboxes/{address}"), &json!({ "password": password }).to_string());
    }

    /// Asks for a fault, as the API takes it.
    pub(crate) fn fault(&self, fault: &Value) {
        self.mailboxes().fault(&fault.to_string());
    }
}
