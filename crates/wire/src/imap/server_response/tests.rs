use gatepost_core::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::imap::{Lift, Piece, Response, ResponseReader, SectionOf, SpecialUse, Status};

/// What a client makes of it.
#[track_caller]
fn heard(bytes: &[u8]) -> Response {
    match ResponseReader::new().push(bytes) {
        Ok((n_taken, Piece::Response(response))) if n_taken == bytes.len() => response,
        other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
    }
}

#[test]
fn what_a_server_says_a_client_hears() {
    let mut can = Capabilities::default();
    ["IMAP4rev1", "SASL-IR", "AUTH=PLAIN"].into_iter().for_each(|it| can.add(it));
    assert_eq!(heard(ServerResponse::capability(&can).as_bytes()), Response::Capability(can.clone()));
    let Response::Status(greeting) = heard(ServerResponse::greeting(&can, "hello").as_bytes()) else {
        panic!()
    };
    assert_eq!(Capabilities::parse(&greeting.code.unwrap().argument), can);
    for (name, special_use) in [
        ("INBOX", None),
        ("[Gmail]/Sent \"Mail\"", Some(SpecialUse::Sent)),
        ("Entw&APw-rfe", Some(SpecialUse::Drafts)),
    ] {
        let folder = Folder {
            name: name.to_owned(),
            separator: Some('/'),
            is_selectable: special_use.is_none(),
            special_use,
        };
        assert_eq!(heard(ServerResponse::folder(&folder, false).as_bytes()), Response::Folder(folder));
    }
    assert_eq!(heard(ServerResponse::search(&[]).as_bytes()), Response::Search(vec![]));
    assert_eq!(heard(ServerResponse::search(&[3, 7]).as_bytes()), Response::Search(vec![3, 7]));
    assert_eq!(heard(ServerResponse::exists(4).as_bytes()), Response::Exists(4));
    assert_eq!(heard(ServerResponse::recent(0).as_bytes()), Response::Other);
    assert_eq!(heard(ServerResponse::flags(&["\\Seen", "x", "a b"]).as_bytes()), Response::Other);
    assert_eq!(heard(ServerResponse::id("a\"b", "1").as_bytes()), Response::Other);
    assert_eq!(heard(ServerResponse::expunge(2).as_bytes()), Response::Expunge(2));
    assert_eq!(
        heard(ServerResponse::namespace('/').as_bytes()),
        Response::Namespace(vec![(String::new(), Some('/'))])
    );
    assert_eq!(
        heard(
            ServerResponse::folder_status("a b", &[(StatusItem::Messages, 3), (StatusItem::UidNext, 9)])
                .as_bytes()
        ),
        Response::FolderStatus {
            name: "a b".to_owned(),
            n_messages: Some(3),
            n_unseen: None,
            uid_next: Some(9),
            uid_validity: None
        }
    );
    assert_eq!(heard(ServerResponse::go_on("").as_bytes()), Response::Continue(vec![]));
}

#[test]
fn data_of_a_message_streams_and_comes_back() {
    let at = Timestamp::from_millis(1_798_761_601_000);
    let mut writer = FetchWriter::new(5);
    writer.uid(77);
    writer.flags(&["\\Seen", "$Label"]);
    writer.arrived_at(at);
    writer.size(20);
    writer.text(&Section { part: vec![], of: SectionOf::All }, None, 20);
    let mut wire = writer.take();
    wire.extend_from_slice(b"Subject: x\r\n\r\n)\r\n..\r");
    wire.extend(writer.finish());
    let mut reader = ResponseReader::new();
    reader.set_lift(Some(Lift { at_most: 100 }));
    let (mut rest, mut text) = (&wire[..], Vec::new());
    let fetched = loop {
        let (n_taken, piece) = reader.push(rest).unwrap();
        match piece {
            Piece::More => {}
            Piece::Text(piece) => text.extend_from_slice(piece),
            Piece::Response(Response::Fetch(it)) => break it,
            Piece::Response(other) => panic!("{other:?}"),
        }
        rest = &rest[n_taken..];
    };
    assert_eq!(text, b"Subject: x\r\n\r\n)\r\n..\r");
    assert_eq!((fetched.number, fetched.uid, fetched.arrived_at), (5, Some(77), Some(at)));
    assert_eq!((fetched.size_bytes, fetched.lifted_bytes), (Some(20), Some(20)));
    assert_eq!(fetched.flags.unwrap(), ["\\Seen", "$Label"]);
}

#[test]
fn a_day_has_two_places() {
    assert_eq!(
        date_time(Timestamp::from_millis(1_798_761_601_000)),
        " 1-Jan-2027 00:00:01 +0000".replacen(" 1", "01", 1)
    );
}

#[test]
fn every_refusal_is_one_line() {
    use CommandError as E;
    for error in
        [E::TooLong, E::LiteralTooLarge, E::LiteralRefused, E::BareLineFeed, E::NestedTooDeep, E::NotACommand]
    {
        let Response::Status(status) = heard(ServerResponse::for_command(Some("a1"), error).as_bytes())
        else {
            panic!()
        };
        assert_eq!(status.kind == StatusKind::Bye, error.is_fatal());
    }
}

proptest! {
    #[test]
    fn every_status_is_one_line_that_parses_back(text: String, code in proptest::option::of(any::<String>())) {
        let response = ServerResponse::status(Some("a1"), StatusKind::No, code.as_deref(), &text);
        let line = response.as_bytes().strip_suffix(b"\r\n").unwrap();
        prop_assert!(line.iter().all(|b| matches!(b, b' '..=b'~')));
        let status = Status::parse(line).unwrap();
        prop_assert_eq!((status.tag.as_deref(), status.kind), (Some("a1"), StatusKind::No));
        if code.is_none() {
            prop_assert!(status.code.is_none());
        }
    }

    #[test]
    fn names_of_folders_come_back(name in "[ -~]{1,60}") {
        let folder = Folder { name: name.clone(), separator: None, is_selectable: true, special_use: None };
        let Response::Folder(back) = heard(ServerResponse::folder(&folder, false).as_bytes()) else { panic!() };
        prop_assert!(back.name == name || (back.name == "INBOX" && name.eq_ignore_ascii_case("inbox")));
    }
}
