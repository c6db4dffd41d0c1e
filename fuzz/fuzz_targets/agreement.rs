//! What passes by IMAP, to another reader (MP-17): responses end where the follower says, and no sign-in and no compression gets through.
//! Differences that are meant stand in `imap::follower::agreement`.
#![no_main]

use gatepost_wire::imap;
use gatepost_wire::passage::{Follower, Lost, Passage};
use imap_codec::decode::{Decoder, ResponseDecodeError};
use imap_codec::fragmentizer::{FragmentInfo, Fragmentizer};
use imap_codec::imap_types::command::CommandBody;
use imap_codec::imap_types::core::LiteralMode;
use imap_codec::imap_types::response::{Response, Status};
use imap_codec::{CommandCodec, ResponseCodec};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Between {
    follower: imap::Follower,
    from_client: Vec<u8>,
    from_server: Vec<u8>,
    client_heard: Vec<u8>,
    server_heard: Vec<u8>,
}

impl Between {
    /// Until neither side can go on.
    fn go(&mut self) -> Result<(), Lost> {
        loop {
            let went_up = obey(
                self.follower.hear_client(&self.from_client)?,
                &mut self.from_client,
                &mut self.server_heard,
            );
            let went_down = obey(
                self.follower.hear_server(&self.from_server)?,
                &mut self.from_server,
                &mut self.client_heard,
            );
            if !went_up && !went_down {
                return Ok(());
            }
        }
    }
}

fn obey(passage: Passage, from: &mut Vec<u8>, to: &mut Vec<u8>) -> bool {
    match passage {
        Passage::Pass(n) => to.extend(from.drain(..n)),
        Passage::Drop(n) => drop(from.drain(..n)),
        Passage::Say(words) => to.extend(words),
        Passage::More | Passage::Wait => return false,
    }
    true
}

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (whims, client, server) = input;
    say_to_client(server);
    say_to_server(client, whims);
});

fn say_to_client(server: &[u8]) {
    let (mut between, mut places) = (Between::default(), Vec::new());
    for octet in server {
        between.from_server.push(*octet);
        if between.go().is_err() {
            break;
        }
        if between.follower.is_at_boundary() {
            places.push(between.client_heard.len());
        }
    }
    let (heard, mut at) = (&between.client_heard, 0);
    while at < heard.len() {
        let next = places.iter().copied().find(|it| *it > at);
        match ResponseCodec::new().decode(&heard[at..]) {
            Ok((_, Response::Status(Status::Bye(_)))) => assert_eq!(next, None),
            Ok((rest, _)) => assert_eq!(next, Some(heard.len() - rest.len())),
            Err(ResponseDecodeError::Incomplete)
                if next.is_some_and(|it| !heard[..it].ends_with(b"\r\n")) => {}
            Err(ResponseDecodeError::Incomplete | ResponseDecodeError::LiteralFound { .. }) => {
                assert_eq!(next, None)
            }
            Err(ResponseDecodeError::Failed) => {}
        }
        let Some(next) = next else { break };
        at = next;
    }
}

/// The server grants or refuses literals and IDLE by its whims.
fn say_to_server(client: &[u8], mut whims: u8) {
    let (mut between, mut reader) = (Between::default(), Fragmentizer::without_max_message_size());
    let (mut n_read, mut idling) = (0, None);
    for octet in client {
        between.from_client.push(*octet);
        loop {
            if between.go().is_err() {
                return;
            }
            if n_read == between.server_heard.len() {
                break;
            }
            reader.enqueue_bytes(&between.server_heard[n_read..]);
            n_read = between.server_heard.len();
            while let Some(fragment) = reader.progress() {
                let FragmentInfo::Line { announcement, .. } = fragment else { continue };
                whims = whims.rotate_left(1);
                let is_granted = whims & 1 == 0;
                let tag = reader.decode_tag().map(|it| it.inner().to_owned());
                let answer = match (announcement, tag) {
                    (Some(it), tag) => {
                        assert_eq!(it.mode, LiteralMode::Sync, "every literal waits");
                        match tag {
                            Some(tag) if !is_granted => {
                                reader.skip_message();
                                format!("{tag} NO no\r\n")
                            }
                            _ => "+ go on\r\n".to_owned(),
                        }
                    }
                    (None, tag) => obey_command(reader.message_bytes(), &mut idling, is_granted, tag),
                };
                between.from_server.extend(answer.into_bytes());
            }
        }
    }
}

fn obey_command(
    message: &[u8],
    idling: &mut Option<String>,
    is_granted: bool,
    tag: Option<String>,
) -> String {
    if let Some(tag) = idling.take() {
        assert!(message.eq_ignore_ascii_case(b"DONE\r\n"));
        return format!("{tag} OK over\r\n");
    }
    let tag = tag.unwrap_or_else(|| "*".to_owned());
    let Ok((rest, command)) = CommandCodec::new().decode(message) else {
        return format!("{tag} BAD what?\r\n");
    };
    assert!(rest.is_empty());
    match command.body {
        CommandBody::Login { .. }
        | CommandBody::Authenticate { .. }
        | CommandBody::StartTLS
        | CommandBody::Compress { .. } => panic!("{}", message.escape_ascii()),
        CommandBody::Idle if is_granted => {
            *idling = Some(tag);
            "+ idling\r\n".to_owned()
        }
        _ => format!("{tag} OK done\r\n"),
    }
}
