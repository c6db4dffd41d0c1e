//! Dovecot, as many providers run it: IMAP and POP3 with passwords and with tokens.
//!
//! It runs with a configuration of its own beside whatever the machine has. It needs root, or `sudo` without a question.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{Process, free_port, fresh_folder};

/// Stopping it.
const ENDS_WITHIN: Duration = Duration::from_secs(30);

/// A running server.
pub struct Dovecot {
    folder: TempDir,
    /// Port of IMAP with STARTTLS.
    pub imap: u16,
    /// Port of IMAP with TLS from the first byte.
    pub imaps: u16,
    /// Port of POP3 with STLS.
    pub pop3: u16,
    /// Port of POP3 with TLS from the first byte.
    pub pop3s: u16,
    process: Process,
    leash: Option<ChildStdin>,
}

/// What it is to know.
pub struct DovecotSetup<'a> {
    /// Its certificate and its authority's, PEM.
    pub certificate: &'a str,
    /// The certificate's key, PEM.
    pub key: &'a str,
    /// Its mailboxes: names and passwords.
    pub users: &'a [(&'a str, &'a str)],
    /// In base64, the secret that signs the tokens it takes: JWT with HS256, whose claim `email` names the mailbox.
    pub token_secret: &'a str,
}

/// A message as it lies there.
#[derive(Clone, Debug)]
pub struct StoredLetter {
    /// Letters of Maildir, in their order: `F` flagged, `R` answered, `S` seen, `T` deleted.
    pub flags: String,
    /// All of it.
    pub text: Vec<u8>,
}

/// Starts it, says so, and stops it when whoever holds the other end of standard input lets go or dies.
const RUN: &str = r#"
    cd "$1" || exit 1
    mkdir -p log
    dovecot -c "$1/dovecot.conf" >log/start 2>&1 || { cat log/*; exit 1; }
    echo ready
    read -r _
    dovecot -c "$1/dovecot.conf" stop
    # The test may not be root, and removes its folder.
    chmod -R a+rwX "$1"; rm -rf "$1"/*
"#;

impl Dovecot {
    /// Starts one. Blocks for about a second.
    #[must_use]
    pub fn start(setup: &DovecotSetup<'_>) -> Self {
        let folder = fresh_folder();
        let here = folder.path();
        // It gives up its rights, and still has to come here.
        open_to_all(here);
        let ports = [free_port(), free_port(), free_port(), free_port()];
        let write = |name: &str, text: &str| fs::write(here.join(name), text).expect("the folder is ours");
        let shown = here.to_str().expect("temporary folders have plain names");
        write("dovecot.conf", &configuration(shown, &ports));
        write("oauth2.conf", &oauth2(shown));
        write("certificate.pem", setup.certificate);
        write("key.pem", setup.key);
        let users: String =
            setup.users.iter().map(|(name, word)| format!("{name}:{{PLAIN}}{word}\n")).collect();
        write("users", &users);
        let keys = here.join("keys/default/HS256");
        fs::create_dir_all(&keys).expect("the folder is ours");
        fs::write(keys.join("default"), setup.token_secret).expect("the folder is ours");
        for (name, _) in setup.users {
            for folder in ["cur", "new", "tmp"] {
                let folder = here.join("mail").join(name).join(folder);
                fs::create_dir_all(&folder).expect("the folder is ours");
                folder.ancestors().take(3).for_each(open_to_all);
            }
        }
        let mut command = as_root();
        command.args(["/bin/sh", "-c", RUN, "dovecot", shown]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            Process::start(&mut command).expect("Dovecot needs root: run this test as root, or install sudo");
        let leash = process.child().stdin.take();
        let out = process.child().stdout.take().expect("it was asked for");
        let mut said = BufReader::new(out).lines().map_while(Result::ok);
        let first = said.next().unwrap_or_default();
        if first != "ready" {
            let rest: Vec<_> = said.collect();
            panic!(
                "Dovecot does not start (is all there? `cargo xtask install`): {first}\n{}",
                rest.join("\n")
            );
        }
        let [imap, imaps, pop3, pop3s] = ports;
        Self { folder, imap, imaps, pop3, pop3s, process, leash }
    }

    /// Puts a message into INBOX, or into a folder below it.
    pub fn deliver(&self, user: &str, folder: Option<&str>, message: &[u8]) {
        self.put(user, folder, "new", "", message);
    }

    /// Puts a message into INBOX that somebody has marked as deleted, and that lies there all the same.
    pub fn deliver_deleted(&self, user: &str, message: &[u8]) {
        self.put(user, None, "cur", ":2,T", message);
    }

    /// `part` and `flags` as Maildir has them.
    fn put(&self, user: &str, folder: Option<&str>, part: &str, flags: &str, message: &[u8]) {
        let mut place = self.folder.path().join("mail").join(user);
        if let Some(name) = folder {
            place.push(format!(".{name}"));
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(place.join(part)).expect("the folder is open to all");
                open_to_all(&place.join(part));
            }
            open_to_all(&place);
        }
        static N_DELIVERED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let n = N_DELIVERED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Its name orders it behind all others.
        let name = format!("{:010}.M{n}.test", 1_700_000_000 + n);
        let written = place.join("tmp").join(&name);
        fs::write(&written, message).expect("the folder is open to all");
        fs::set_permissions(&written, Permissions::from_mode(0o666)).expect("the file is ours");
        let placed = place.join(part).join(format!("{name}{flags}"));
        fs::rename(&written, placed).expect("the folder is open to all");
    }

    /// What a mailbox holds in INBOX, or in a folder below it, the oldest first.
    #[must_use]
    pub fn letters(&self, user: &str, folder: Option<&str>) -> Vec<StoredLetter> {
        let mut place = self.folder.path().join("mail").join(user);
        place.extend(folder.map(|name| format!(".{name}")));
        let parts = ["new", "cur"].map(|part| fs::read_dir(place.join(part)));
        let mut all: Vec<_> = parts.into_iter().flatten().flatten().flatten().map(|it| it.path()).collect();
        all.sort_by_key(|it| it.file_name().map(ToOwned::to_owned));
        let letter = |path: PathBuf| {
            let name = path.file_name()?.to_str()?.to_owned();
            let flags = name.split_once(":2,").map_or("", |(_, flags)| flags).to_owned();
            // It may be renamed in the meantime.
            Some(StoredLetter { flags, text: fs::read(&path).ok()? })
        };
        all.into_iter().filter_map(letter).collect()
    }

    /// From now on the mailbox has this password alone.
    pub fn set_password(&self, user: &str, word: &str) {
        // Whole or not at all: Dovecot reads it at any moment.
        let users = self.folder.path().join("users");
        let new = users.with_extension("new");
        fs::write(&new, format!("{user}:{{PLAIN}}{word}\n")).expect("the folder is ours");
        fs::rename(new, users).expect("the folder is ours");
    }

    /// Stops it, and every session with it. Its mailboxes go, too.
    pub fn stop(&mut self) {
        drop(self.leash.take());
        self.process.wait(ENDS_WITHIN);
    }

    /// What it has to say about itself.
    #[must_use]
    pub fn log(&self) -> String {
        let logs = fs::read_dir(self.folder.path().join("log")).into_iter().flatten().flatten();
        logs.map(|it| fs::read_to_string(it.path()).unwrap_or_default()).collect()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o777)).expect("the folder is ours");
}

/// Runs what follows as root: it cannot do without.
fn as_root() -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new("env");
    }
    let mut command = Command::new("sudo");
    command.arg("--non-interactive");
    command
}

fn configuration(here: &str, [imap, imaps, pop3, pop3s]: &[u16; 4]) -> String {
    format!(
        "\
base_dir = {here}/run
state_dir = {here}/state
log_path = {here}/log/dovecot
instance_name = {instance}
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{here}/certificate.pem
ssl_key = <{here}/key.pem
first_valid_uid = 1
first_valid_gid = 1
mail_uid = nobody
mail_gid = nogroup
mail_location = maildir:{here}/mail/%u
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
disable_plaintext_auth = yes
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {here}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {here}/users
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={here}/mail/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
# No one waits longer after others have failed.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
",
        instance = here.rsplit('/').next().unwrap_or("gatepost-test"),
    )
}

fn oauth2(here: &str) -> String {
    format!(
        "\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={here}/keys/
username_attribute = email
"
    )
}
