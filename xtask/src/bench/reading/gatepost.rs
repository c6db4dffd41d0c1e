//! Gatepost in front of the mailbox's host.

use std::net::SocketAddr;
use std::path::Path;

use super::{PASSWORD, Server, USER};
use crate::bench::gatepost::Installation;
use crate::bench::process::{free_address, wait_for_listener};
use crate::bench::tools::Tools;

/// An installation of its own in `folder`, which lets so many connections read the mailbox: one app password has them all, which the
/// usual limits of a provider and of an app password would not allow.
pub(super) fn start(
    root: &Path,
    tools: &Tools,
    folder: &str,
    host: SocketAddr,
    connections: usize,
) -> anyhow::Result<Server> {
    let address = free_address()?;
    let doors = format!(
        "\
[submission]
connections_total = 10

[imap]
tls = \"{address}\"
connections_total = {connections}
connections_per_app_password = {connections}

[providers.custom.limits]
imap_connections = {}
",
        connections + 1
    );
    let installation = Installation::set_up(root, tools, folder, &doors, host)?;
    let host = host.to_string();
    let account = ["account", "add", "--provider", "custom", "--address", USER, "--short-name", "Reception"];
    // Nothing is sent.
    let servers =
        ["--smtp", "127.0.0.1:1", "--smtp-tls", "starttls", "--imap", &host, "--imap-tls", "implicit"];
    let args = [&account[..], &servers[..], &["--password-stdin", "--unchecked"]].concat();
    installation.command(&args, &format!("{PASSWORD}\n"))?;
    let (user, password_file) = installation.app_password(USER, "imap")?;
    let process = installation.start()?;
    wait_for_listener(address, &tools.path(folder).join("log"))?;
    Ok(Server { name: "gatepost", address, user, password_file, process })
}
