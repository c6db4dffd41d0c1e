//! An installation in front of Dovecot, with one mailbox that applications read through it.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use gatepost_testkit::{Dovecot, DovecotSetup, fresh_folder};
use rustls::ClientConfig;
use tempfile::TempDir;

use super::certificates::write_certificates;
use super::{AppPassword, Installation, LineClient, Running, trusting, with_input};

/// Whose mailbox it is.
pub(crate) const READER: &str = "reception@practice.example";
/// Its password at Dovecot.
pub(crate) const READERS_PASSWORD: &str = "Lakeside 7 \"Anemones\" \\";

/// Somebody else's, at the same provider.
pub(crate) const OTHER_READER: &str = "billing@practice.example";
/// Its password there.
const OTHER_READERS_PASSWORD: &str = "ninety pelicans";

/// The doors for reading, on ports that the system chooses.
pub(crate) const DOORS: &str = "[imap]\nstarttls = \"127.0.0.1:0\"\ntls = \"127.0.0.1:0\"\n[pop3]\nstarttls = \"127.0.0.1:0\"\ntls = \"127.0.0.1:0\"\n";

/// A running Gatepost, and a running Dovecot behind it.
pub(crate) struct ReadingHouse {
    pub(crate) server: Running,
    pub(crate) it: Installation,
    pub(crate) dovecot: Dovecot,
    /// With `authority.pem` of Dovecot.
    pub(crate) folder: TempDir,
}

/// Where an application reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadingDoor {
    /// `imap` or `pop3`.
    pub(crate) protocol: &'static str,
    /// `starttls` or `tls`.
    pub(crate) tls: &'static str,
}

impl ReadingDoor {
    pub(crate) const ALL: [Self; 4] = [
        Self { protocol: "imap", tls: "starttls" },
        Self { protocol: "imap", tls: "tls" },
        Self { protocol: "pop3", tls: "starttls" },
        Self { protocol: "pop3", tls: "tls" },
    ];

    pub(crate) const IMAP: [Self; 2] = [Self::ALL[0], Self::ALL[1]];
    pub(crate) const POP3: [Self; 2] = [Self::ALL[2], Self::ALL[3]];

    /// Its port at this server.
    pub(crate) fn port(self, at: &Running) -> String {
        let address = at.text(&format!("{}_{}", self.protocol, self.tls));
        address.rsplit_once(':').unwrap().1.to_owned()
    }
}

impl ReadingHouse {
    /// Starts both, and connects the mailbox.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// The same; `more` ends the configuration.
    pub(crate) fn start_with(more: &str) -> Self {
        let folder = fresh_folder();
        write_certificates(folder.path());
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let dovecot = Dovecot::start(&DovecotSetup {
            certificate: &text("certificate.pem"),
            key: &text("key.pem"),
            users: &[(READER, READERS_PASSWORD), (OTHER_READER, OTHER_READERS_PASSWORD)],
            token_secret: "",
        });
        let it = Installation::towards(&folder.path().join("authority.pem"), &format!("{DOORS}{more}"));
        let server = it.serve();
        let house = Self { server, it, dovecot, folder };
        house.connect_account(READER, READERS_PASSWORD);
        house
    }

    /// Connects the mailbox of somebody else.
    pub(crate) fn connect_other(&self) {
        self.connect_account(OTHER_READER, OTHER_READERS_PASSWORD);
    }

    fn connect_account(&self, address: &str, password: &str) {
        let mut command = self.it.gatepost();
        command.args(["account", "add", "--provider", "custom", "--address", address]);
        // Nothing is sent.
        command.args(["--smtp", "127.0.0.1:1", "--smtp-tls", "starttls"]);
        command.args(["--imap", &format!("127.0.0.1:{}", self.dovecot.imap), "--imap-tls", "starttls"]);
        command.args(["--pop3", &format!("127.0.0.1:{}", self.dovecot.pop3s), "--pop3-tls", "implicit"]);
        with_input(command.args(["--password-stdin", "--unchecked", "--json"]), password).json();
    }

    /// An app password of the mailbox.
    pub(crate) fn app_password(&self, options: &[&str]) -> AppPassword {
        self.it.app_password(READER, options)
    }

    /// How applications trust this installation.
    pub(crate) fn tls(&self) -> Arc<ClientConfig> {
        trusting(self.server.text("certificate").as_ref())
    }

    /// A connection that has heard the greeting.
    pub(crate) fn connect(&self, door: ReadingDoor) -> LineClient {
        let address = self.server.text(&format!("{}_{}", door.protocol, door.tls));
        let mut client;
        match (door.protocol, door.tls) {
            (_, "tls") => client = LineClient::tls(&address, &self.tls()),
            ("imap", _) => {
                client = LineClient::plain(&address);
                client.hear();
                assert_eq!(client.ask("s STARTTLS"), "s OK Begin TLS now");
                return client.encrypted(&self.tls());
            }
            _ => {
                client = LineClient::plain(&address);
                client.hear();
                assert_eq!(client.ask("STLS"), "+OK Begin TLS now");
                return client.encrypted(&self.tls());
            }
        }
        client.hear();
        client
    }

    /// One that has signed in.
    #[track_caller]
    pub(crate) fn signed_in(&self, door: ReadingDoor, with: &AppPassword) -> LineClient {
        let mut client = self.connect(door);
        let AppPassword { user_name, password, .. } = with;
        let answer = if door.protocol == "imap" {
            client.ask(&format!("l LOGIN {user_name} \"{password}\""))
        } else {
            client.ask(&format!("USER {user_name}"));
            client.ask(&format!("PASS {password}"))
        };
        assert!(answer.starts_with("l OK ") || answer.starts_with("+OK"), "{answer}\n{}", self.told());
        client
    }

    /// The most memory that the program has had in RAM so far.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.process_id())).unwrap();
        let line = status.lines().find(|it| it.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Everything that helps whoever looks at a failed test.
    pub(crate) fn told(&self) -> String {
        let log = fs::read_to_string(&self.server.log).unwrap_or_default();
        format!("{log}\n{}\n{:#}", self.dovecot.log(), self.it.account(READER))
    }

    /// A program that keeps its files in this folder alone.
    pub(crate) fn program(&self, name: &str, home: &TempDir) -> Command {
        let mut command = Command::new(name);
        command.current_dir(home.path()).env("HOME", home.path());
        command
    }
}
