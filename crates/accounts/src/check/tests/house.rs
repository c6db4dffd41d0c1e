//! A provider on loopback without encryption: one mailbox, to which what is sent arrives when and where a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost_core::{CredentialId, MailAccountId, OrganisationId, SecretText, TlsMode, World};
use gatepost_net::{ClientTls, Dialer, Guard, Resolver};
use gatepost_providers::Limits;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::super::*;
use crate::credential::CredentialKind;
use crate::sending::{ReadingProtocol, ReadingServer};

/// Takes what was sent.
pub(crate) type HandsOn = Box<dyn Fn(&str) + Send>;

/// What the provider does, and what it was told.
#[derive(Default)]
pub(crate) struct State {
    /// What it says to a command that begins so, in place of yes; by IMAP without the tag. `.` is the end of a text sent by
    /// SMTP. Nothing: it hangs up, there.
    pub(crate) says: Vec<(&'static str, &'static str)>,
    /// By SMTP it greets nobody before this rings.
    pub(crate) greets_at: Option<Arc<Notify>>,
    /// So many sign-ins by SMTP are refused before one is taken.
    pub(crate) n_refused_sign_ins: u32,
    /// Which folder letters arrive in, if they do.
    pub(crate) arrives_in: Option<&'static str>,
    /// At which look into the mailbox they are there; by IMAP the first is before the search.
    pub(crate) at_look: u32,
    pub(crate) n_looks: u32,
    /// By POP3.
    pub(crate) has_top: bool,
    pub(crate) sent: Vec<String>,
    /// Is given what was sent, for a server elsewhere.
    pub(crate) hands_on: Option<HandsOn>,
    /// Name, attributes, letters. A letter that was removed is empty.
    pub(crate) folders: Vec<(&'static str, &'static str, Vec<String>)>,
    pub(crate) heard: Vec<String>,
}

impl State {
    fn look(&mut self) {
        self.n_looks += 1;
        if self.n_looks < self.at_look {
            return;
        }
        let Some(wanted) = self.arrives_in.take_if(|_| !self.sent.is_empty()) else { return };
        let letters = self.sent.clone();
        let folder = self.folders.iter_mut().find(|it| it.0 == wanted).expect("there is such a folder");
        folder.2.extend(letters);
    }

    /// The letters of a folder that are left.
    pub(crate) fn left_in(&self, folder: &str) -> usize {
        let folder = self.folders.iter().find(|it| it.0 == folder).expect("there is such a folder");
        folder.2.iter().filter(|it| !it.is_empty()).count()
    }
}

#[derive(Clone)]
pub(crate) struct House(Arc<Mutex<State>>);

impl House {
    pub(crate) fn new(set: impl FnOnce(&mut State)) -> Self {
        let folders = vec![
            ("INBOX", "", vec!["Message-ID: <other@x.test>\r\n\r\n".to_owned()]),
            ("Spam", "\\Junk", vec![]),
            ("All", "\\All", vec![]),
            ("Sent", "\\Sent", vec![]),
        ];
        let mut state = State { arrives_in: Some("INBOX"), has_top: true, folders, ..State::default() };
        set(&mut state);
        Self(Arc::new(Mutex::new(state)))
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap())
    }

    /// Opens a door; one connection after the other goes through it.
    pub(crate) async fn door(&self, protocol: Option<ReadingProtocol>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let house = self.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Whoever leaves in the middle has had enough.
                let _gone = match protocol {
                    None => house.smtp(socket).await,
                    Some(ReadingProtocol::Imap) => house.imap(socket).await,
                    Some(ReadingProtocol::Pop3) => house.pop3(socket).await,
                };
            }
        });
        port
    }

    async fn smtp(&self, socket: TcpStream) -> std::io::Result<()> {
        let (reading, mut writing) = socket.into_split();
        let mut lines = BufReader::new(reading).lines();
        if let Some(bell) = self.with(|it| it.greets_at.clone()) {
            bell.notified().await;
        }
        writing.write_all(b"220 provider.example ESMTP\r\n").await?;
        let mut text: Option<String> = None;
        while let Some(line) = lines.next_line().await? {
            if let Some(text) = text.as_mut().filter(|_| line != ".") {
                text.push_str(&format!("{line}\r\n"));
                continue;
            }
            let told = self.with(|it| {
                it.heard.push(line.clone());
                if line.starts_with("AUTH") && it.n_refused_sign_ins > 0 {
                    it.n_refused_sign_ins -= 1;
                    return Some("535 5.7.8 Username and Password not accepted\r\n");
                }
                it.says.iter().find(|(begin, _)| line.starts_with(begin)).map(|(_, say)| *say)
            });
            let say = match (told, line.split(' ').next().unwrap_or_default()) {
                (Some(say), _) => say,
                (None, "EHLO") => "250-provider.example\r\n250-SIZE 10000\r\n250 AUTH PLAIN XOAUTH2\r\n",
                (None, "AUTH") => "235 2.7.0 welcome\r\n",
                (None, "DATA") => "354 go on\r\n",
                (None, "QUIT") => "221 bye\r\n",
                (None, _) => "250 2.0.0 yes\r\n",
            };
            if say.is_empty() {
                return Ok(());
            }
            let ended = text.take();
            if line == "DATA" && say.starts_with("354") {
                text = Some(String::new());
            }
            if let Some(letter) = ended.filter(|_| say.starts_with("250")) {
                self.with(|it| {
                    if let Some(hand_on) = &it.hands_on {
                        hand_on(&letter);
                    }
                    it.sent.push(letter);
                });
            }
            writing.write_all(say.as_bytes()).await?;
        }
        Ok(())
    }

    async fn imap(&self, socket: TcpStream) -> std::io::Result<()> {
        let (reading, mut writing) = socket.into_split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS] ready\r\n").await?;
        let mut open = String::new();
        while let Some(line) = lines.next_line().await? {
            let (tag, command) = line.split_once(' ').unwrap_or((&line, ""));
            let words: Vec<&str> = command.split(' ').collect();
            let uid = words.get(2).and_then(|it| it.parse::<usize>().ok());
            let told = self.with(|it| {
                let told = it.says.iter().find(|(begin, _)| command.starts_with(begin));
                told.map(|(_, say)| format!("{tag} {say}"))
            });
            if let Some(told) = told {
                writing.write_all(told.as_bytes()).await?;
                continue;
            }
            let said = self.with(|it| {
                it.heard.push(command.to_owned());
                let folder = it.folders.iter_mut().find(|it| it.0 == open);
                match (words.as_slice(), uid) {
                    (["CAPABILITY", ..], _) => {
                        "* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS\r\n".to_owned()
                    }
                    (["LIST", ..], _) => {
                        let line = |it: &(&str, &str, _)| format!("* LIST ({}) \"/\" {}\r\n", it.1, it.0);
                        it.folders.iter().map(line).collect()
                    }
                    (["SELECT", name, ..], _) => {
                        open = name.trim_matches('"').to_owned();
                        if open == "INBOX" {
                            it.look();
                        }
                        "* 1 EXISTS\r\n".to_owned()
                    }
                    // Every letter may be it, as some servers see it.
                    (["UID", "SEARCH", ..], _) => {
                        let letters = folder.iter().flat_map(|it| it.2.iter().enumerate());
                        let uids =
                            letters.filter(|(_, text)| !text.is_empty()).map(|(n, _)| format!(" {}", n + 1));
                        format!("* SEARCH{}\r\n", uids.collect::<String>())
                    }
                    (["UID", "FETCH", ..], Some(uid)) => {
                        let text = folder.and_then(|it| it.2.get(uid - 1)).cloned().unwrap_or_default();
                        let header = format!("{}\r\n\r\n", text.split("\r\n\r\n").next().unwrap_or_default());
                        format!("* {uid} FETCH (UID {uid} BODY[HEADER] {{{}}}\r\n{header})\r\n", header.len())
                    }
                    (["UID", "EXPUNGE", ..], Some(uid)) => {
                        if let Some(letter) = folder.and_then(|it| it.2.get_mut(uid - 1)) {
                            letter.clear();
                        }
                        String::new()
                    }
                    (["LOGOUT"], _) => "* BYE\r\n".to_owned(),
                    _ => String::new(),
                }
            });
            writing.write_all(format!("{said}{tag} OK done\r\n").as_bytes()).await?;
        }
        Ok(())
    }

    async fn pop3(&self, socket: TcpStream) -> std::io::Result<()> {
        let (reading, mut writing) = socket.into_split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(b"+OK ready\r\n").await?;
        self.with(State::look);
        while let Some(line) = lines.next_line().await? {
            let words: Vec<&str> = line.split(' ').collect();
            let said = self.with(|it| {
                it.heard.push(line.clone());
                let letters = &it.folders[0].2;
                match words.as_slice() {
                    ["CAPA"] => "+OK\r\nUSER\r\n.\r\n".to_owned(),
                    ["STAT"] => format!("+OK {} 1000\r\n", letters.len()),
                    ["TOP", n, _] if it.has_top => {
                        let letter = n.parse::<usize>().ok().and_then(|n| letters.get(n - 1));
                        let header = letter.and_then(|it| it.split("\r\n\r\n").next()).unwrap_or_default();
                        format!("+OK\r\n{header}\r\n\r\n.\r\n")
                    }
                    ["TOP", ..] => "-ERR what?\r\n".to_owned(),
                    _ => "+OK\r\n".to_owned(),
                }
            });
            writing.write_all(said.as_bytes()).await?;
        }
        Ok(())
    }

    /// A mailbox here that is no account yet.
    pub(crate) async fn mailbox(&self, reading: Option<ReadingProtocol>) -> SendingAccount {
        let (world, _) = gatepost_testkit::world();
        let at = |port| gatepost_upstream::Endpoint {
            host: "127.0.0.1".parse().unwrap(),
            port,
            tls: TlsMode::None,
        };
        let user_name = "reception@practice.example".to_owned();
        let mut mailbox = SendingAccount {
            id: MailAccountId::new(&world),
            organisation: OrganisationId::new(&world),
            address: user_name.parse().unwrap(),
            opens: None,
            short_name: "Reception".into(),
            author_name: String::new(),
            provider_kind: None,
            endpoint: at(self.door(None).await),
            imap: None,
            pop3: None,
            user_name: user_name.clone(),
            preferred: Vec::new(),
            secret: Some(SecretText::new("correct horse".into())),
            kind: CredentialKind::Password,
            used: Used { grant: CredentialId::new(&world), serial: 0 },
            limits: Limits::UNKNOWN_HOST,
            is_trial: false,
            is_unproven: false,
        };
        if let Some(protocol) = reading {
            let endpoint = at(self.door(Some(protocol)).await);
            mailbox.reads_at(ReadingServer { protocol, endpoint, user_name, is_granted: true });
        }
        mailbox
    }
}

/// Looks often, and so long that no test comes to the end of it unless it is told to.
pub(crate) fn reach(world: &World, looks_for: Duration) -> Reach {
    Reach {
        dialer: Dialer::new(Resolver::system(), Arc::new(Guard::new(vec!["127.0.0.1".parse().unwrap()]))),
        tls: ClientTls::new(&[], world).unwrap(),
        own_name: "gatepost.example".parse().unwrap(),
        arrival: Arrival { looks_every: Duration::from_millis(1), looks_for },
    }
}
