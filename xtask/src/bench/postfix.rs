//! A Postfix of its own beside whatever Postfix the machine has, set up for speed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Server;
use super::process::{Process, cpu_of_family, free_address, output_of, wait_for_greeting};
use super::tools::{Door, Tools};

const NAME: &str = "postfix";
const USER: &str = "reception";
const DOMAIN: &str = "bench.example";
const PASSWORD: &str = "a password for the length of a run";

/// Behind `postconf`: what a build for Debian has put there.
const DAEMONS: &str = "/usr/lib/postfix/sbin";

/// A running instance.
pub(super) struct Postfix {
    process: Process,
    door: Door,
}

impl Postfix {
    pub(super) fn start(tools: &Tools, sink: SocketAddr) -> anyhow::Result<Self> {
        let is_root = output_of(Command::new("id").arg("-u"), "")?.trim_end() == "0";
        ensure!(is_root, "Postfix starts as root alone: run this as root, or with --only gatepost");
        let master = PathBuf::from(DAEMONS).join("master");
        ensure!(master.exists(), "Postfix is missing: run `cargo xtask install` first");

        let address = free_address()?;
        for folder in ["postfix", "postfix/sasl", "postfix/queue", "postfix/data"] {
            std::fs::create_dir(tools.path(folder))?;
        }
        output_of(Command::new("chown").arg("postfix").arg(tools.path("postfix/data")), "")?;
        let write = |name: &str, text: String| {
            std::fs::write(tools.path(name), text).with_context(|| format!("cannot write {name}"))
        };
        write("postfix/main.cf", main_cf(tools, sink))?;
        write("postfix/master.cf", master_cf(address))?;
        write("postfix/upstream", format!("[localhost]:{} upstream:{PASSWORD}\n", sink.port()))?;
        write("postfix/sasl/smtpd.conf", sasl_conf(tools))?;
        add_user(tools)?;
        write("postfix/password", PASSWORD.to_owned())?;

        let config = tools.text("postfix");
        // Makes the folders of the queue.
        output_of(Command::new("postfix").args(["-c", &config, "check"]), "")?;
        let process =
            Process::start(&master, &["-c", &config], [Stdio::null(), Stdio::null(), Stdio::inherit()])?;
        wait_for_greeting(address, Duration::from_secs(20))
            .with_context(|| format!("Postfix did not start; its log ends with:\n{}", log_tail(tools)))?;
        let door = Door {
            address,
            user: format!("{USER}@{DOMAIN}"),
            password_file: tools.path("postfix/password"),
            from: format!("{USER}@{DOMAIN}"),
        };
        Ok(Self { process, door })
    }
}

impl Server for Postfix {
    fn name(&self) -> &'static str {
        NAME
    }

    fn door(&self) -> &Door {
        &self.door
    }

    fn cpu(&self) -> anyhow::Result<Duration> {
        // Every daemon is a child of the master.
        cpu_of_family(self.process.id())
    }
}

/// Defaults of Debian stay where nothing is said. Each line that is not needed for the job is there for speed.
fn main_cf(tools: &Tools, sink: SocketAddr) -> String {
    let folder = tools.text("postfix");
    let run = tools.text("");
    let run = run.trim_end_matches('/');
    let port = sink.port();
    format!(
        "\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.{DOMAIN}
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
message_size_limit = 52428800

# The door: STARTTLS and sign-in are demanded; nothing else is checked.
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/chain.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = {DOMAIN}
cyrus_sasl_config_path = {folder}/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_peername_lookup = no
receive_override_options = no_header_body_checks, no_address_mappings
# Processes live longer than their usual 100 connections.
max_use = 1000

# The provider: one relay host with verified TLS and sign-in, over connections that are used again.
relayhost = [localhost]:{port}
smtp_host_lookup = native
smtp_tls_security_level = secure
smtp_tls_secure_cert_match = localhost
smtp_tls_CAfile = {run}/authority.pem
smtp_sasl_auth_enable = yes
smtp_sasl_security_options = noanonymous
smtp_sasl_password_maps = texthash:{folder}/upstream
smtp_tls_connection_reuse = yes
smtp_connection_cache_destinations = localhost
smtp_destination_concurrency_limit = 20
initial_destination_concurrency = 20
"
    )
}

fn master_cf(address: SocketAddr) -> String {
    format!(
        "\
{address} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
tlsproxy unix - - n - 0 tlsproxy
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    )
}

fn sasl_conf(tools: &Tools) -> String {
    let users = tools.text("postfix/sasldb2");
    format!("pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {users}\nmech_list: PLAIN LOGIN\n")
}

/// Makes the one who signs in, and the files only root and Postfix may read.
fn add_user(tools: &Tools) -> anyhow::Result<()> {
    let users = tools.text("postfix/sasldb2");
    let mut command = Command::new("saslpasswd2");
    output_of(command.args(["-p", "-c", "-f", &users, "-u", DOMAIN, USER]), PASSWORD)
        .context("saslpasswd2 is missing or failed: `cargo xtask install` installs sasl2-bin")?;
    output_of(Command::new("chown").args(["postfix", &users]), "")?;
    let chain = std::fs::read_to_string(tools.path("key.pem"))?
        + &std::fs::read_to_string(tools.path("certificate.pem"))?;
    std::fs::write(tools.path("postfix/chain.pem"), chain)?;
    output_of(Command::new("chmod").args(["600", &tools.text("postfix/chain.pem")]), "").map(drop)
}

fn log_tail(tools: &Tools) -> String {
    let log = std::fs::read_to_string(tools.path("postfix/log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}
