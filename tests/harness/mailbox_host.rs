//! A mailbox host as providers run them: Postfix takes letters in, Dovecot knows the passwords and keeps the mailboxes.
//!
//! Both run with a configuration of their own beside whatever the machine has. They need root, or `sudo` without a question.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use gatepost_testkit::{Process, free_port, fresh_folder, wait_until};
use tempfile::TempDir;

use super::OidcProvider;
use super::certificates::write_certificates;

/// From the LMTP door to the file.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);
/// Stopping both.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A running host for the mailboxes of `practice.example`.
pub(crate) struct MailboxHost {
    folder: TempDir,
    /// Where letters are taken with STARTTLS, and with TLS from the first byte: `HOST:PORT`.
    pub(crate) starttls: String,
    pub(crate) tls: String,
    /// Where letters are read, with TLS from the first byte: `HOST:PORT`. With tokens alone.
    pub(crate) imap: String,
    process: Process,
    leash: Option<ChildStdin>,
}

/// Starts both, says so, and stops both when whoever holds the other end of standard input lets go or dies.
const RUN: &str = r#"
    cd "$1" || exit 1
    mkdir -p queue data mail log && chown postfix data && chown nobody mail || exit 1
    dovecot -c "$1/dovecot.conf" >log/start 2>&1 || { cat log/*; exit 1; }
    postfix -c "$1/postfix" start >>log/start 2>&1 || { cat log/*; dovecot -c "$1/dovecot.conf" stop; exit 1; }
    echo ready
    read -r _
    postfix -c "$1/postfix" stop; dovecot -c "$1/dovecot.conf" stop
    # The test may not be root, and removes its folder.
    chmod -R a+rwX "$1"; rm -rf "$1"/*
"#;

impl MailboxHost {
    /// Starts one that knows this mailbox.
    pub(crate) fn start(address: &str, password: &str) -> Self {
        let host = Self::start_with(None);
        host.set_password(address, password);
        host
    }

    /// Starts one whose mailboxes open by tokens of this provider alone, and which has the provider's certificate.
    pub(crate) fn of(provider: &OidcProvider) -> Self {
        Self::start_with(Some(provider))
    }

    fn start_with(provider: Option<&OidcProvider>) -> Self {
        let folder = fresh_folder();
        // Postfix and Dovecot give up their rights, and still have to come here.
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        match provider {
            None => write_certificates(folder.path()),
            Some(provider) => {
                for name in ["authority.pem", "certificate.pem", "key.pem"] {
                    std::fs::copy(provider.authority().with_file_name(name), folder.path().join(name))
                        .unwrap();
                }
            }
        }
        let address = || format!("127.0.0.1:{}", free_port());
        let (starttls, tls, imap) = (address(), address(), address());
        std::fs::create_dir(folder.path().join("postfix")).unwrap();
        let here = folder.path().to_str().unwrap();
        let mut files =
            vec![("postfix/main.cf", main_cf(here)), ("postfix/master.cf", master_cf(&starttls, &tls))];
        match provider {
            None => files.push(("dovecot.conf", dovecot_conf(here, &by_password(here)))),
            Some(provider) => {
                files.push(("dovecot.conf", dovecot_conf(here, &by_token(here, &imap))));
                files.push(("oauth2.conf", oauth2_conf(here, &provider.introspection_url())));
            }
        }
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::set_permissions(folder.path().join("key.pem"), PermissionsExt::from_mode(0o600)).unwrap();
        // Until somebody says which mailboxes there are.
        std::fs::write(folder.path().join("users"), "").unwrap();
        let mut command = as_root();
        command.args(["/bin/sh", "-c", RUN, "host", here]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command)
            .expect("Postfix and Dovecot need root: run this test as root, or install sudo");
        let leash = process.child().stdin.take();
        let mut said = BufReader::new(process.child().stdout.take().unwrap()).lines();
        let first = said.next().map(Result::unwrap).unwrap_or_default();
        if first != "ready" {
            let rest: Vec<_> = said.map_while(Result::ok).collect();
            panic!(
                "Postfix and Dovecot do not start (is all there? `cargo xtask install`): {first}\n{}",
                rest.join("\n")
            );
        }
        Self { folder, starttls, tls, imap, process, leash }
    }

    /// From now on the mailbox has this password alone.
    pub(crate) fn set_password(&self, address: &str, password: &str) {
        // Whole or not at all: Dovecot reads it at any moment.
        let new = self.folder.path().join("users.new");
        std::fs::write(&new, format!("{address}:{{PLAIN}}{password}\n")).unwrap();
        std::fs::set_permissions(&new, PermissionsExt::from_mode(0o644)).unwrap();
        std::fs::rename(new, self.folder.path().join("users")).unwrap();
    }

    /// The authority that Gatepost must trust.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Waits until the mailbox holds so many letters, and gives them as they lie there, in any order.
    #[track_caller]
    pub(crate) fn letters(&self, address: &str, n: usize) -> Vec<Vec<u8>> {
        let mailbox = self.folder.path().join("mail").join(address);
        let list = || -> Vec<PathBuf> {
            // Whoever reads by IMAP moves letters from the one to the other.
            let parts = ["new", "cur"].map(|part| std::fs::read_dir(mailbox.join(part)));
            parts.into_iter().flatten().flatten().map(|it| it.unwrap().path()).collect()
        };
        let found = wait_until(ARRIVES_WITHIN, || Some(list()).filter(|it| it.len() >= n));
        let Some(found) = found else { panic!("{} letters instead of {n}: {}", list().len(), self.log()) };
        found.iter().map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// What Postfix and Dovecot say about what they do.
    pub(crate) fn log(&self) -> String {
        let logs = std::fs::read_dir(self.folder.path().join("log")).into_iter().flatten();
        logs.map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap_or_default()).collect()
    }
}

impl Drop for MailboxHost {
    fn drop(&mut self) {
        drop(self.leash.take());
        self.process.wait(ENDS_WITHIN);
    }
}

/// Runs what follows as root: these two cannot do without.
fn as_root() -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let mut command = Command::new("sudo");
    command.arg("--non-interactive");
    command
}

/// Mailboxes that open by the passwords in `users`.
fn by_password(here: &str) -> String {
    format!(
        "\
protocols = lmtp
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = {here}/users
}}
"
    )
}

/// Mailboxes that open by tokens alone, and are read by IMAP.
fn by_token(here: &str, imap: &str) -> String {
    format!(
        "\
protocols = lmtp imap
ssl = required
ssl_cert = <{here}/certificate.pem
ssl_key = <{here}/key.pem
auth_mechanisms = xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {here}/oauth2.conf
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
# No one waits longer after others have failed.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
",
        port = imap.rsplit(':').next().unwrap_or_default(),
    )
}

/// The provider is asked about every token (RFC 7662), so that what it takes back is over at once.
fn oauth2_conf(here: &str, introspection_url: &str) -> String {
    format!(
        "\
introspection_mode = post
introspection_url = {introspection_url}
tls_ca_cert_file = {here}/authority.pem
active_attribute = active
active_value = true
username_attribute = email
"
    )
}

fn dovecot_conf(here: &str, signing_in: &str) -> String {
    format!(
        "\
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/log/dovecot
instance_name = {instance}
listen = 127.0.0.1
first_valid_uid = 1
first_valid_gid = 1
mail_uid = nobody
mail_gid = nogroup
mail_location = maildir:{here}/mail/%u
# As it came over the wire, to compare it byte by byte.
mail_save_crlf = yes
auth_failure_delay = 0
{signing_in}\
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={here}/mail/%u allow_all_users=yes
}}
service auth {{
  unix_listener {here}/auth {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {here}/lmtp {{
    mode = 0666
  }}
}}
",
        instance = here.rsplit('/').next().unwrap_or("gatepost-test"),
    )
}

fn main_cf(here: &str) -> String {
    format!(
        "\
compatibility_level = 3.6
queue_directory = {here}/queue
data_directory = {here}/data
maillog_file = {here}/log/postfix
maillog_file_prefixes = {here}
myhostname = mail.practice.example
mydestination =
alias_maps =
alias_database =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtpd_tls_chain_files = {here}/key.pem, {here}/certificate.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {here}/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
virtual_mailbox_domains = practice.example
virtual_mailbox_maps = static:all
virtual_transport = lmtp:unix:{here}/lmtp
"
    )
}

fn master_cf(starttls: &str, tls: &str) -> String {
    format!(
        "\
{starttls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"
    )
}
