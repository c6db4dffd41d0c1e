//! An installation of one test: its configuration, its key, its database, and the commands that fill it.

use std::path::{Path, PathBuf};
use std::process::Command;

use gatepost_testkit::fresh_folder;
use serde_json::Value;
use tempfile::TempDir;

use super::{Outcome, Running, gatepost_command, output_of, serve, with_input};

/// A fresh installation, with one organisation and its administrator. Removed when dropped.
pub(crate) struct Installation {
    folder: TempDir,
    pub(crate) config: PathBuf,
}

/// What an application signs in with.
#[derive(Clone)]
pub(crate) struct AppPassword {
    pub(crate) id: String,
    pub(crate) user_name: String,
    pub(crate) password: String,
}

impl Installation {
    /// One that may dial loopback and trusts the authority of the providers there. `more` ends the configuration.
    pub(crate) fn towards(authority: &Path, more: &str) -> Self {
        Self::in_folder(fresh_folder(), authority, "", more)
    }

    /// The same with keys at the top of the configuration, such as `database_url`.
    pub(crate) fn with_top(authority: &Path, top: &str) -> Self {
        Self::in_folder(fresh_folder(), authority, top, "")
    }

    /// The same with both.
    pub(crate) fn with(authority: &Path, top: &str, more: &str) -> Self {
        Self::in_folder(fresh_folder(), authority, top, more)
    }

    fn in_folder(folder: TempDir, authority: &Path, top: &str, more: &str) -> Self {
        let config = folder.path().join("gatepost.toml");
        let data = if top.contains("data_dir") { "" } else { "data_dir = \"data\"\n" };
        let text = format!(
            "{data}master_key_file = \"gatepost.key\"\n{top}\n[submission]\nstarttls = \"127.0.0.1:0\"\ntls = \"127.0.0.1:0\"\n\
             [upstream]\nextra_authorities = [\"{}\"]\nallow_private_addresses = [\"127.0.0.0/8\"]\n{more}\n",
            authority.display()
        );
        std::fs::write(&config, text).unwrap();
        let this = Self { folder, config };
        this.command(&["init", "--admin", "anna@practice.example", "--json"]).json();
        this
    }

    /// The folder of the configuration, with `data` in it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server.
    pub(crate) fn serve(&self) -> Running {
        serve(&self.config)
    }

    /// A command on this installation, to its end.
    pub(crate) fn command(&self, args: &[&str]) -> Outcome {
        output_of(self.gatepost().args(args))
    }

    /// The program, told which configuration is meant.
    pub(crate) fn gatepost(&self) -> Command {
        let mut command = gatepost_command();
        command.arg("--config").arg(&self.config);
        command
    }

    /// Adds a mailbox of any server, by password, without asking it.
    pub(crate) fn add_account(&self, address: &str, password: &str, smtp: &str, tls: &str) -> Value {
        let mut command = self.gatepost();
        command.args(["account", "add", "--provider", "custom", "--address", address, "--smtp", smtp]);
        command.args(["--smtp-tls", tls, "--password-stdin", "--unchecked", "--json"]);
        with_input(&mut command, password).json()
    }

    /// Makes an app password of a mail account.
    pub(crate) fn app_password(&self, account: &str, options: &[&str]) -> AppPassword {
        let mut args = vec!["app-password", "create", "--account", account, "--name", "Test", "--json"];
        args.extend(options);
        let made = self.command(&args).json();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        AppPassword { id: text("id"), user_name: text("user_name"), password: text("password") }
    }

    /// All letters of the outbox, as `outbox list --json` tells them.
    pub(crate) fn letters(&self, options: &[&str]) -> Vec<Value> {
        let mut args = vec!["outbox", "list", "--json"];
        args.extend(options);
        self.command(&args).json_lines()
    }

    /// One letter with its attempts.
    pub(crate) fn letter(&self, id: &str) -> Value {
        self.command(&["outbox", "show", id, "--json"]).json()
    }

    /// How a mail account fares.
    pub(crate) fn account(&self, address: &str) -> Value {
        self.command(&["account", "show", address, "--json"]).json()
    }
}
