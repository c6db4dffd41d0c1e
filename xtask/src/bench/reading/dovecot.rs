//! Dovecot as the mailbox's host, and as a proxy in front of it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::ensure;

use super::{PASSWORD, Server, letters};
use crate::bench::process::{Process, free_address, output_of, wait_for_listener};
use crate::bench::tools::Tools;

/// The mailbox's host.
pub(super) struct Host {
    pub(super) server: Server,
    /// IMAP without TLS, for who cannot do better.
    pub(super) plain: SocketAddr,
}

/// A mailbox with everything in it.
pub(super) fn start_host(tools: &Tools) -> anyhow::Result<Host> {
    let plain = free_address()?;
    letters::write(&tools.path("mail"))?;
    output_of(Command::new("chown").args(["-R", "nobody:nogroup"]).arg(tools.path("mail")), "")?;
    let mail = tools.text("mail");
    let plain_port = plain.port();
    let more = format!(
        "\
mail_location = maildir:{mail}
mail_uid = nobody
mail_gid = nogroup
mail_max_userip_connections = 0
first_valid_uid = 1
first_valid_gid = 1
auth_mechanisms = plain login xoauth2
disable_plaintext_auth = no
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={mail} allow_all_users=yes
}}
service imap-login {{
  process_min_avail = 2
  service_count = 0
  inet_listener imap {{
    port = {plain_port}
  }}
}}
"
    );
    Ok(Host { server: start(tools, "dovecot", &more)?, plain })
}

/// Takes whoever comes, and asks `host` who it is, with TLS. Its processes for sign-in, which pass the bytes, live on, one for each
/// processor.
pub(super) fn start_proxy(tools: &Tools, name: &'static str, host: SocketAddr) -> anyhow::Result<Server> {
    let (ip, port) = (host.ip(), host.port());
    let more = format!(
        "\
auth_mechanisms = plain login
passdb {{
  driver = static
  args = nopassword=y proxy=y host={ip} port={port} ssl=any-cert
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home=/nonexistent
}}
service imap-login {{
  process_min_avail = 2
  service_count = 0
  client_limit = 9000
  inet_listener imap {{
    port = 0
  }}
}}
service auth {{
  client_limit = 20000
}}
service anvil {{
  client_limit = 20000
}}
"
    );
    start(tools, name, &more)
}

fn start(tools: &Tools, name: &'static str, more: &str) -> anyhow::Result<Server> {
    let program = Path::new("/usr/sbin/dovecot");
    ensure!(program.exists(), "Dovecot is missing: run `cargo xtask install` first");
    let address = free_address()?;
    let (folder, port) = (tools.text(name), address.port());
    std::fs::create_dir(tools.path(name))?;
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|it| tools.text(it));
    let configuration = format!(
        "\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = bench-{name}
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
{more}service imap-login {{
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
"
    );
    let file = tools.text(&format!("{name}/dovecot.conf"));
    std::fs::write(&file, configuration)?;
    let args = ["-F", "-c", &file];
    let process = Process::start(program, &args, [Stdio::null(), Stdio::null(), Stdio::inherit()])?;
    wait_for_listener(address, &tools.path(&format!("{name}/log")))?;
    Ok(Server::with_the_mailboxs_own(name, tools, address, process))
}
