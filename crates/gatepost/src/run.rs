//! From the command line to an exit code.

use std::future::Future;
use std::process::ExitCode;

use clap::Parser as _;
use gatepost_core::World;
use tokio::runtime::{Builder, Runtime};

use crate::ask::Asking;
use crate::cli::{Command, CommandLine};
use crate::config::LogSettings;
use crate::control::Refusal;
use crate::output::{Output, refuse};
use crate::{check, demo, init, log, process, sandbox, serve};

/// Does what the command line says. 0 done, 1 refused or failed, 2 used wrongly.
#[must_use]
pub fn run() -> ExitCode {
    // Before anything is read.
    process::harden();
    // Ends the process by itself, with 2, when it is used wrongly.
    let line = CommandLine::parse();
    match obey(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            refuse(refusal);
            ExitCode::FAILURE
        }
    }
}

fn obey(line: CommandLine) -> Result<(), Refusal> {
    let world = World::real();
    let output = Output::new(line.json);
    let asking = Asking { config: line.config.as_deref(), output, world: world.clone() };
    match line.command {
        Command::Init(new) => command(&world, init::init(line.config.as_deref(), &new, output, &world)),
        Command::Serve => service(serve::serve(line.config.as_deref(), output, &world)),
        Command::Demo(given) => {
            log::start(LogSettings { level: tracing::Level::WARN, ..LogSettings::default() }, &world);
            service(demo::demo(&given, output, &world))
        }
        Command::Sandbox(given) => {
            log::start(LogSettings::default(), &world);
            service(sandbox::sandbox(&given, output, &world))
        }
        Command::Check => command(&world, check::check(line.config.as_deref(), output, &world)),
        Command::Account(scoped) => command(&world, asking.account(scoped)),
        Command::AppPassword(scoped) => command(&world, asking.app_password(scoped)),
        Command::OAuthClient(scoped) => command(&world, asking.oauth_client(scoped)),
        Command::Person(scoped) => command(&world, asking.person(scoped)),
        Command::Outbox(scoped) => command(&world, asking.outbox(scoped)),
    }
}

/// A command is soon over, and says by itself what matters: its log has warnings alone.
fn command<T>(world: &World, doing: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    log::start(LogSettings { level: tracing::Level::WARN, ..LogSettings::default() }, world);
    runtime(Builder::new_current_thread())?.block_on(doing)
}

/// What runs until it is stopped uses all processors.
fn service<T>(running: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    let runtime = runtime(Builder::new_multi_thread())?;
    let ended = runtime.block_on(running);
    // What has not ended by now was given its time.
    runtime.shutdown_background();
    ended
}

fn runtime(mut builder: Builder) -> Result<Runtime, Refusal> {
    builder.enable_all().build().map_err(|error| {
        Refusal::new(format!(
            "cannot start: {error}. Raise the limits of processes and open files (ulimit -u, ulimit -n)"
        ))
    })
}
