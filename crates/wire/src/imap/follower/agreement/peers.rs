//! A client and a server that read with `imap-codec`, on both sides of the follower.

use imap_codec::CommandCodec;
use imap_codec::decode::Decoder as _;
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer};
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::LiteralMode;

use super::super::Follower;
use crate::passage::Lost;
use crate::passage::mover::Mover;

/// What the server makes of a literal or of IDLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whim {
    Grants,
    /// It answers instead of asking.
    Denies,
    /// It grants, and ends IDLE by itself.
    EndsIdle,
}

pub(super) struct Session {
    pub(super) mover: Mover<Follower>,
    pub(super) server: Server,
    piece: usize,
    /// What the server has said and nobody has heard yet.
    on_the_way: Vec<u8>,
}

/// What the server says to ask for a literal.
const ASKS: &str = "+ go on {3}\r\n";

impl Session {
    pub(super) fn new(piece: usize, whims: Vec<Whim>) -> Self {
        Self { mover: Mover::new(piece), server: Server::new(whims), piece, on_the_way: Vec::new() }
    }

    /// The client says this in pieces, and behind each the server answers for as long as it hears something.
    pub(super) fn say(&mut self, words: &[u8]) -> Result<(), Lost> {
        for piece in words.chunks(self.piece) {
            self.mover.client(piece)?;
            loop {
                let answers = self.server.read(&self.mover.heard.server);
                if answers.is_empty() {
                    break;
                }
                self.mover.server(answers)?;
            }
        }
        Ok(())
    }

    /// The client says this without waiting for anything, and of the server's answers so many octets arrive behind it.
    pub(super) fn say_early(&mut self, words: &[u8], n_arrive: usize) -> Result<(), Lost> {
        let n_heard = self.mover.heard.server.len();
        self.mover.client(words)?;
        if self.on_the_way.windows(ASKS.len()).any(|it| it == ASKS.as_bytes()) {
            assert_eq!(self.mover.heard.server.len(), n_heard, "nobody knows yet that the server asks");
        }
        self.on_the_way.extend(self.server.read(&self.mover.heard.server));
        let arriving: Vec<u8> = self.on_the_way.drain(..n_arrive.min(self.on_the_way.len())).collect();
        self.mover.server(arriving)?;
        self.on_the_way.extend(self.server.read(&self.mover.heard.server));
        Ok(())
    }

    /// All answers arrive.
    pub(super) fn catch_up(&mut self) -> Result<(), Lost> {
        while !self.on_the_way.is_empty() {
            self.say_early(b"", usize::MAX)?;
        }
        Ok(())
    }
}

/// Obeys nothing, and answers everything.
pub(super) struct Server {
    reader: Fragmentizer,
    n_read: usize,
    /// Where the message at hand has begun.
    begun: usize,
    /// Where the last command has ended.
    pub(super) end: usize,
    /// It has refused so many literals.
    pub(super) n_denied: usize,
    /// By the command with this tag.
    idling: Option<String>,
    whims: std::vec::IntoIter<Whim>,
}

impl Server {
    fn new(whims: Vec<Whim>) -> Self {
        let (reader, whims) = (Fragmentizer::without_max_message_size(), whims.into_iter());
        Self { reader, n_read: 0, begun: 0, end: 0, n_denied: 0, idling: None, whims }
    }

    /// It has answered all that it has heard.
    pub(super) const fn is_at_rest(&self) -> bool {
        self.end == self.n_read && self.idling.is_none()
    }

    fn read(&mut self, heard: &[u8]) -> Vec<u8> {
        self.reader.enqueue_bytes(&heard[self.n_read..]);
        self.n_read = heard.len();
        let mut says = String::new();
        while let Some(fragment) = self.reader.progress() {
            let FragmentInfo::Line { end, announcement, .. } = fragment else { continue };
            if let Some(it) = announcement {
                assert_eq!(it.mode, LiteralMode::Sync, "towards the server every literal waits");
                assert_eq!(self.begun + end, self.n_read, "and nothing is said before it is asked for");
                let whim = self.whims.next().unwrap_or(Whim::Grants);
                match self.reader.decode_tag().map(|it| it.inner().to_owned()) {
                    Some(tag) if whim == Whim::Denies => {
                        self.reader.skip_message();
                        self.begun += end;
                        self.n_denied += 1;
                        says += &format!("{tag} NO no {{3}}\r\n");
                    }
                    _ => says += &format!("* 5 EXISTS\r\n{ASKS}"),
                }
            } else {
                self.begun += end;
                self.end = self.begun;
                let message = self.reader.message_bytes().to_vec();
                says += &self.obey(&message);
            }
        }
        says.into_bytes()
    }

    fn obey(&mut self, message: &[u8]) -> String {
        if let Some(tag) = self.idling.take() {
            assert!(message.eq_ignore_ascii_case(b"DONE\r\n"), "{}", message.escape_ascii());
            return format!("{tag} OK over\r\n");
        }
        assert!(!is_forbidden_to_anybody(message), "{}", message.escape_ascii());
        let Ok((rest, command)) = CommandCodec::new().decode(message) else {
            let tag = self.reader.decode_tag();
            return format!("{} BAD what?\r\n", tag.as_ref().map_or("*", |it| it.inner()));
        };
        assert!(rest.is_empty(), "{}", message.escape_ascii());
        let tag = command.tag.inner();
        if !matches!(command.body, CommandBody::Idle) {
            return format!("{tag} OK done\r\n");
        }
        match self.whims.next().unwrap_or(Whim::Grants) {
            Whim::Denies => format!("{tag} BAD no\r\n"),
            Whim::EndsIdle => format!("+ idling\r\n{tag} OK you were quiet for long\r\n"),
            Whim::Grants => {
                self.idling = Some(tag.to_owned());
                "+ idling\r\n".to_owned()
            }
        }
    }
}

/// Another sign-in or compression, also to a server that takes anything for a blank (MP-7, MP-8).
fn is_forbidden_to_anybody(message: &[u8]) -> bool {
    let line = message.split(|it| *it == b'\n').next().unwrap_or_default();
    let is_blank = |it: &u8| !it.is_ascii_graphic() || matches!(it, b'"' | b'(' | b')');
    let mut words = line.split(is_blank).filter(|it| !it.is_empty());
    words.nth(1).is_some_and(is_name_kept_back)
}

pub(super) fn is_name_kept_back(name: &[u8]) -> bool {
    ["LOGIN", "AUTHENTICATE", "STARTTLS", "COMPRESS"]
        .iter()
        .any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
}
