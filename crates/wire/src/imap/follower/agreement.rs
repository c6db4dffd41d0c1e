//! MP-17: an independent reader of the same bytes sees commands and responses begin where the follower does.
//!
//! That reader is `imap-codec`: its grammar says where a command or response ends that it takes, its fragmentizer where lines and
//! literals of a client end that nobody takes. Differences that are meant:
//!
//! - it counts literals in 32 bits, and takes `{4294967296}` for the end of a line; we count in 64, and end the session beyond;
//! - its fragmentizer knows no text for people, so it is not asked about servers;
//! - we end the session where a client ends a line by LF alone or says NUL, or anything but DONE while it idles;
//! - behind a server's BYE there is no boundary any more: nothing of ours follows.

mod peers;
mod words;

use imap_codec::ResponseCodec;
use imap_codec::decode::{Decoder as _, ResponseDecodeError};
use imap_codec::encode::Fragment;
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer};
use imap_codec::imap_types::core::LiteralMode;
use imap_codec::imap_types::response::{Response, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use self::peers::{Session, Whim, is_name_kept_back};
use self::words::{command, response};
use super::Follower;
use crate::passage::mover::Mover;
use crate::passage::{Follower as _, Lost};

/// What tells whether a command may begin: it is kept back there, and nowhere else.
const PROBE: &str = "zz LOGIN x y\r\n";
const KEPT_BACK: &str =
    " BAD This command is not possible here: you are signed in already, and nothing is compressed\r\n";

fn whims() -> impl Strategy<Value = Vec<Whim>> {
    vec(select(vec![Whim::Grants, Whim::Denies, Whim::EndsIdle]), 0..6)
}

/// Says a command as a client does that waits where it has to, and gives what the server should have heard of it.
fn say(session: &mut Session, command: &[Fragment]) -> Result<Vec<u8>, TestCaseError> {
    let (mut want, n_denied) = (Vec::new(), session.server.n_denied);
    let mut said = command.iter().peekable();
    while let Some(fragment) = said.next() {
        let (Fragment::Line { data } | Fragment::Literal { data, .. }) = fragment;
        let (n_heard, is_denied) = (session.mover.heard.client.len(), n_denied < session.server.n_denied);
        session.say(data).map_err(|lost| TestCaseError::fail(lost.to_string()))?;
        if !is_denied {
            want.extend_from_slice(data);
        }
        let Some(Fragment::Literal { mode, .. }) = said.peek() else { continue };
        if *mode == LiteralMode::NonSync {
            if let Some(line) = want.strip_suffix(b"+}\r\n") {
                want = [line, b"}\r\n"].concat();
            }
        } else if !String::from_utf8_lossy(&session.mover.heard.client[n_heard..]).contains("+ go on") {
            break;
        }
    }
    Ok(want)
}

/// How many times our answer was heard.
fn n_kept_back(session: &Session) -> usize {
    session.mover.heard_by_client().matches(KEPT_BACK).count()
}

/// Where the client's own commands end, to somebody who hears the client alone and the answers to it.
struct ClientEnds {
    reader: Fragmentizer,
    is_at_end: bool,
    waits: bool,
}

impl ClientEnds {
    fn new() -> Self {
        Self { reader: Fragmentizer::without_max_message_size(), is_at_end: true, waits: false }
    }

    fn hear(&mut self, octet: u8) {
        self.is_at_end = false;
        self.reader.enqueue_bytes(&[octet]);
        while let Some(fragment) = self.reader.progress() {
            self.is_at_end = self.reader.is_message_complete();
            match fragment {
                FragmentInfo::Line { announcement, .. } => {
                    self.waits = announcement.is_some_and(|it| it.mode == LiteralMode::Sync);
                }
                // One of nothing is over before anybody has asked for it.
                FragmentInfo::Literal { start, end } => self.waits &= start == end,
            }
        }
    }

    /// Its command was answered before its end: what it was about to say it says no more.
    fn is_answered(&mut self) {
        if self.waits {
            self.reader.skip_message();
            (self.is_at_end, self.waits) = (true, false);
        }
    }
}

/// Where the client may be told something, in what it hears.
fn boundaries(wire: &[u8], piece: usize) -> (Result<(), Lost>, Vec<u8>, Vec<usize>) {
    let mut mover = Mover::<Follower>::new(piece);
    let mut places = Vec::new();
    for piece in wire.chunks(piece) {
        let ended = mover.server(piece);
        if ended.is_err() {
            return (ended, mover.heard.client, places);
        }
        if mover.follower.is_at_boundary() {
            places.push(mover.heard.client.len());
        }
    }
    places.dedup();
    (Ok(()), mover.heard.client, places)
}

/// Each response that the independent reader takes ends at a boundary, and has none within. Gives how many it has taken.
fn compare(heard: &[u8], places: &[usize]) -> Result<usize, TestCaseError> {
    let (mut at, mut n_taken) = (0, 0);
    while at < heard.len() {
        let mut behind = places.iter().copied().filter(|it| *it > at);
        let next = behind.next();
        let shown = heard[at..].escape_ascii();
        match ResponseCodec::new().decode(&heard[at..]) {
            Ok((_, Response::Status(Status::Bye(_)))) => {
                prop_assert_eq!(next, None, "behind BYE: {}", shown);
                return Ok(n_taken + 1);
            }
            Ok((rest, _)) => {
                prop_assert_eq!(next, Some(heard.len() - rest.len()), "{}", shown);
                n_taken += 1;
            }
            // It may be waiting for the CRLF of a line that has ended by LF alone.
            Err(ResponseDecodeError::Incomplete)
                if next.is_some_and(|it| !heard[..it].ends_with(b"\r\n")) => {}
            Err(ResponseDecodeError::Incomplete | ResponseDecodeError::LiteralFound { .. }) => {
                prop_assert_eq!(next, None, "{}", shown);
            }
            Err(ResponseDecodeError::Failed) => {}
        }
        let Some(next) = next else { break };
        at = next;
    }
    Ok(n_taken)
}

/// What somebody who wants to be misunderstood says.
fn rubbish() -> impl Strategy<Value = Vec<u8>> {
    let parts: Vec<&[u8]> = vec![
        b"\r\n",
        b"\n",
        b"\r",
        b"{3}",
        b"{3}\r\n",
        b"{2+}\r\n",
        b"{0}\r\n",
        b"{0+}\r\n",
        b"~{1}\r\n",
        b"{",
        b"}",
        b"\"",
        b"\\",
        b"(",
        b")",
        b" ",
        b"+",
        b"+ ",
        b"* ",
        b"a OK ",
        b"* OK ",
        b"* BYE",
        b"NO ",
        b"x",
        b"\0",
        b"\t",
        b"\xff",
        b"[",
        b"]",
        b"DONE",
    ];
    select(parts).prop_map(<[u8]>::to_vec)
}

/// What somebody says who waits for nothing. Each announcement is of as many octets as the line has, and as a sign-in behind a line's
/// end has.
fn early() -> impl Strategy<Value = String> {
    let words =
        ["NOOP\r\n", "IDLE\r\n", "APPEND x {17}\r\n", "APPEND x {17+}\r\n", "SEARCH {3}\r\nabc {0+}\r\n"];
    prop_oneof![
        5 => (select(vec!["a", "b"]), select(words.to_vec())).prop_map(|(tag, words)| format!("{tag} {words}")),
        1 => Just("DONE\r\n".to_owned()),
        1 => Just("\r\nzzz LOGIN x y\r\n".to_owned()),
    ]
}

proptest! {
    /// Whatever a server makes of literals and of IDLE, it hears each command whole or up to what it refuses, and none that is kept back.
    #[test]
    fn commands_are_heard_by_another_reader_as_they_were_said(
        commands in vec(command(), 0..8), whims in whims(), piece in 1_usize..40,
    ) {
        let mut session = Session::new(piece, whims);
        for command in &commands {
            let Some(Fragment::Line { data }) = command.first() else { panic!() };
            let name = data.split(|it| matches!(it, b' ' | b'\r')).nth(1).unwrap_or_default().to_vec();
            let (n_heard, n_answers) = (session.mover.heard.server.len(), n_kept_back(&session));
            let n_heard_by_client = session.mover.heard.client.len();
            let n_denied = session.server.n_denied;
            let mut want = say(&mut session, command)?;
            if is_name_kept_back(&name) {
                want.clear();
            }
            let answer = String::from_utf8_lossy(&session.mover.heard.client[n_heard_by_client..]).into_owned();
            if name == b"IDLE" && answer.contains("+ idling") {
                session.say(b"DONE\r\n").unwrap();
                want.extend_from_slice(b"DONE\r\n");
            }
            let heard = &session.mover.heard.server[n_heard..];
            prop_assert_eq!(heard.escape_ascii().to_string(), want.escape_ascii().to_string());
            prop_assert_eq!(n_kept_back(&session), n_answers + usize::from(is_name_kept_back(&name)));
            prop_assert!(session.mover.follower.is_at_boundary() && !session.mover.follower.is_within());
            if !want.is_empty() && n_denied == session.server.n_denied {
                prop_assert_eq!(session.server.end, session.mover.heard.server.len(), "it ends for the server, too");
            }
        }
    }

    /// However late the answers come, and whatever they are to: a tag may be another's, too.
    #[test]
    fn early_commands_are_heard_as_they_were_said_however_late_the_answers_are(
        said in vec((early(), 0_usize..40), 0..16), whims in whims(), piece in prop_oneof![1_usize..20, Just(usize::MAX)],
    ) {
        let mut session = Session::new(piece, whims);
        let mut went = Ok(());
        for (words, n_arrive) in &said {
            went = session.say_early(words.as_bytes(), *n_arrive);
            if went.is_err() {
                break;
            }
        }
        if went.and_then(|()| session.catch_up()).is_ok() && session.server.is_at_rest() {
            prop_assert!(session.mover.follower.between.unanswered.is_empty());
        }
    }

    /// A sign-in is found wherever a command may begin, and is none anywhere else; and whatever passes is none to the server.
    #[test]
    fn a_command_begins_where_another_reader_sees_it_begin(
        parts in vec(prop_oneof![
            4 => rubbish(),
            2 => select(vec!["a NOOP", "b IDLE\r\n", "c LOGIN ", "d APPEND x ", "f ", "LOGIN", "NOOP\r\n", "DONE\r\n"])
                .prop_map(|it| it.as_bytes().to_vec()),
            1 => command().prop_map(|it| it.into_iter().flat_map(|it| match it {
                Fragment::Line { data } | Fragment::Literal { data, .. } => data,
            }).collect()),
        ], 0..12),
    ) {
        for n in 0..=parts.len() {
            let (mut session, mut ends) = (Session::new(usize::MAX, Vec::new()), ClientEnds::new());
            let mut went = Ok(());
            for octet in parts[..n].concat() {
                let n_answers = n_kept_back(&session);
                went = session.say(&[octet]);
                if went.is_err() {
                    break;
                }
                ends.hear(octet);
                if n_kept_back(&session) > n_answers {
                    ends.is_answered();
                }
            }
            // Strictly refusing is allowed.
            if went.is_ok() && session.say(PROBE.as_bytes()).is_ok() {
                let heard = session.mover.heard_by_client();
                let is_kept_back = heard.split_inclusive('\n').next_back() == Some(&format!("zz{KEPT_BACK}"));
                prop_assert_eq!(is_kept_back, ends.is_at_end, "{}", parts[..n].concat().escape_ascii());
            }
        }
    }

    /// However it is cut, also in text that looks like a literal.
    #[test]
    fn responses_end_where_another_reader_sees_them_end(responses in vec(response(), 0..8), piece in 1_usize..40) {
        let wire = responses.concat();
        let (ended, heard, places) = boundaries(&wire, 1);
        prop_assert_eq!(ended, Ok(()));
        let n_bye = responses.iter().position(|it| it.starts_with(b"* BYE"));
        prop_assert_eq!(compare(&heard, &places)?, n_bye.map_or(responses.len(), |it| it + 1));
        let (_, heard_cut, places_cut) = boundaries(&wire, piece);
        prop_assert_eq!(heard_cut, heard);
        prop_assert!(places_cut.iter().all(|it| places.contains(it)));
    }

    #[test]
    fn responses_with_rubbish_in_them_end_nowhere_else(
        responses in vec(response(), 1..6), rubbish in vec((any::<Index>(), rubbish(), any::<bool>()), 1..4), piece in 1_usize..40,
    ) {
        let mut wire = responses.concat();
        for (at, rubbish, replaces) in rubbish {
            let at = at.index(wire.len());
            let n_gone = if replaces { rubbish.len().min(wire.len() - at) } else { 0 };
            wire.splice(at..at + n_gone, rubbish);
        }
        let (ended, heard, places) = boundaries(&wire, 1);
        compare(&heard, &places)?;
        let (ended_cut, heard_cut, places_cut) = boundaries(&wire, piece);
        prop_assert_eq!((ended_cut, heard_cut), (ended, heard));
        prop_assert!(places_cut.iter().all(|it| places.contains(it)));
    }
}
