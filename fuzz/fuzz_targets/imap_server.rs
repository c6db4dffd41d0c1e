//! IMAP commands: any pieces give the same, and whatever a client says is answered by one line that a client understands.
#![no_main]

use gatepost_wire::imap::{
    Command, CommandLimits, CommandReader, FetchItem, Heard, Piece, Response, ResponseReader, ServerResponse,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((size, wire)) = input.split_first() else { return };
    for limits in [CommandLimits::BEFORE_SIGN_IN, CommandLimits::signed_in(1_000)] {
        assert_eq!(hear(wire, usize::MAX, limits), hear(wire, usize::from(*size).max(1), limits));
    }
});

/// What was heard, in short.
fn hear(wire: &[u8], size: usize, limits: CommandLimits) -> Vec<String> {
    let mut reader = CommandReader::new(limits);
    let mut heard = Vec::new();
    for piece in wire.chunks(size) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (n_taken, came) = reader.push(rest);
            rest = &rest[n_taken..];
            match came {
                None => {}
                Some(Heard::Continue) => heard.push("+".to_owned()),
                Some(Heard::Command { tag, command }) => heard.push(format!("{tag} {}", short(&command))),
                Some(Heard::Refused { tag, because }) => {
                    let answer = ServerResponse::for_command(tag.as_deref(), because);
                    let (_, piece) =
                        ResponseReader::new().push(answer.as_bytes()).expect("an answer of ours");
                    assert!(matches!(piece, Piece::Response(Response::Status(_))));
                    heard.push(because.to_string());
                    if because.is_fatal() {
                        return heard;
                    }
                }
            }
        }
    }
    heard
}

fn short(command: &Command) -> String {
    match command {
        Command::Fetch { set, items, .. } => {
            for item in items {
                if let FetchItem::Section { section, .. } = item {
                    assert!(!section.to_string().contains(['\r', '\n']));
                }
            }
            format!("fetch {set} {items:?}")
        }
        Command::Search { key, .. } => format!("search {key:?}"),
        Command::Append { message, .. } => {
            assert!(message.len() <= 1_000);
            "append".to_owned()
        }
        Command::Login { user_name, password } => format!("login {user_name} {}", password.reveal()),
        Command::Select(folder)
        | Command::Examine(folder)
        | Command::Create(folder)
        | Command::Delete(folder) => {
            assert!(!folder.chars().any(char::is_control));
            folder.clone()
        }
        _ => "other".to_owned(),
    }
}
