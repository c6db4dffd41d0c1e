use proptest::prelude::*;

use super::*;
use crate::imap::{Fetched, StatusKind};

/// Everything that comes of these bytes, given in pieces of this size: texts joined, then responses.
fn read(wire: &[u8], size: usize, lift: Option<Lift>) -> Result<(Vec<u8>, Vec<Response>), ResponseError> {
    let mut reader = ResponseReader::new();
    reader.set_lift(lift);
    let (mut text, mut responses) = (Vec::new(), Vec::new());
    for piece in wire.chunks(size.max(1)) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (n_taken, came) = reader.push(rest)?;
            assert!(n_taken > 0 || matches!(came, Piece::Response(_)), "it goes on");
            match came {
                Piece::More => {}
                Piece::Text(it) => text.extend_from_slice(it),
                Piece::Response(it) => responses.push(it),
            }
            rest = &rest[n_taken..];
        }
    }
    Ok((text, responses))
}

fn all(wire: &[u8]) -> Vec<Response> {
    let whole = read(wire, usize::MAX, None).unwrap();
    assert_eq!(read(wire, 1, None).unwrap(), whole, "in any pieces");
    whole.1
}

#[test]
fn real_responses_are_understood() {
    let responses = all(
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN \r\n\
          * LIST (\\HasNoChildren \\Junk) \"/\" \"[Gmail]/Spam\"\r\n\
          * LIST (\\Noselect) NIL {5}\r\na b c\r\n\
          * STATUS INBOX (MESSAGES 3 UIDNEXT 5) \r\n\
          * SEARCH 2 4 \r\n\
          * SEARCH\r\n\
          * 3 EXISTS\r\n\
          * 2 EXPUNGE\r\n\
          * 7 FETCH (FLAGS (\\Seen \\Recent $x) UID 12 RFC822.SIZE 300 INTERNALDATE \" 1-Jan-2027 01:00:01 +0100\")\r\n\
          * NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n\
          * XWHATEVER (nobody knows)\r\n\
          * ENABLED\r\n\
          + \r\n\
          +\r\n\
          + aGk=\r\n\
          a1 OK [READ-WRITE] done\r\n",
    );
    let shown: Vec<String> = responses.iter().map(|it| format!("{it:?}")).collect();
    let folder = |nth: usize| match &responses[nth] {
        Response::Folder(it) => it.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(&responses[0], Response::Capability(it) if it.has("AUTH=PLAIN")), "{shown:#?}");
    assert_eq!(
        (folder(1).name.as_str(), folder(1).special_use),
        ("[Gmail]/Spam", Some(crate::imap::SpecialUse::Junk))
    );
    assert_eq!((folder(2).name.as_str(), folder(2).is_selectable), ("a b c", false));
    assert!(matches!(&responses[3], Response::FolderStatus { n_messages: Some(3), uid_next: Some(5), .. }));
    assert_eq!(
        responses[4..8],
        [Response::Search(vec![2, 4]), Response::Search(vec![]), Response::Exists(3), Response::Expunge(2)]
    );
    let Response::Fetch(fetched) = &responses[8] else { panic!("{shown:#?}") };
    assert_eq!((fetched.number, fetched.uid, fetched.size_bytes), (7, Some(12), Some(300)));
    assert_eq!(fetched.arrived_at.unwrap().millis(), 1_798_761_601_000);
    assert_eq!(fetched.flags.as_deref().unwrap(), ["\\Seen", "\\Recent", "$x"]);
    assert_eq!(responses[9], Response::Namespace(vec![("INBOX.".to_owned(), Some('.'))]));
    assert_eq!(responses[10], Response::Other);
    assert_eq!(
        responses[12..15],
        [Response::Continue(vec![]), Response::Continue(vec![]), Response::Continue(b"aGk=".to_vec())]
    );
    assert!(
        matches!(&responses[15], Response::Status(it) if it.kind == StatusKind::Ok && it.has_code("READ-WRITE"))
    );
    assert_eq!(responses.len(), 16);
}

#[test]
fn words_of_a_status_announce_nothing() {
    let responses = all(b"* OK see {5}\r\na1 NO [ALERT] {18446744073709551616}\r\n+ {7}\r\n");
    assert_eq!(responses.len(), 3);
}

#[test]
fn the_text_of_a_message_is_given_on_and_not_kept() {
    let lift = Some(Lift { at_most: 1 << 40 });
    for (name, is_kept) in
        [("BODY[]", false), ("body[header]", false), ("BODY[TEXT]", true), ("BODY[]<0>", true)]
    {
        let wire = format!("* 1 FETCH (UID 2 {name} {{6}}\r\nab)\r\nc FLAGS ())\r\na OK\r\n");
        for size in [1, 2, 7, 1_000] {
            let (text, responses) = read(wire.as_bytes(), size, lift).unwrap();
            assert_eq!(text, if is_kept { &b""[..] } else { b"ab)\r\nc" }, "{name}");
            let Response::Fetch(fetched) = &responses[0] else { panic!("{responses:?}") };
            assert_eq!((fetched.uid, fetched.lifted_bytes), (Some(2), (!is_kept).then_some(6)));
            assert_eq!(responses.len(), 2);
        }
    }
    // Short texts come in quotes or as nothing at all.
    for (wire, want) in [("* 1 FETCH (BODY[] \"hi\")\r\n", "hi"), ("* 1 FETCH (BODY[] NIL)\r\n", "")] {
        let (_, responses) = read(wire.as_bytes(), 9, lift).unwrap();
        assert!(
            matches!(&responses[0], Response::Fetch(Fetched { text: Some(it), lifted_bytes: None, .. }) if it == want.as_bytes())
        );
    }
    let empty = read(b"* 1 FETCH (BODY[] {0}\r\n)\r\n", 3, lift).unwrap();
    assert!(matches!(&empty.1[0], Response::Fetch(Fetched { lifted_bytes: Some(0), .. })));
}

#[test]
fn nothing_is_kept_or_given_on_beyond_its_limit() {
    use ResponseError::{BareLineFeed, LiteralTooLarge, NotAResponse, TooLong};
    let lift = Some(Lift { at_most: 100 });
    for (wire, lift, want) in [
        (&b"* 1 FETCH (BODY[] {18446744073709551615}\r\n"[..], lift, LiteralTooLarge),
        (b"* 1 FETCH (BODY[] {18446744073709551616}\r\n", lift, LiteralTooLarge),
        (b"* 1 FETCH (BODY[] {101}\r\n", lift, LiteralTooLarge),
        (b"* 1 FETCH (BODY[] {1}\r\nx BODY[] {1}\r\ny)\r\n", lift, LiteralTooLarge),
        (b"* LIST () \"/\" {18446744073709551615}\r\n", lift, LiteralTooLarge),
        (b"* LIST () \"/\" {65536}\r\n", None, LiteralTooLarge),
        (b"* 1 FETCH (BODY[] {70000}\r\n", None, LiteralTooLarge),
        (b"a FETCH (BODY[] {70000}\r\n", lift, LiteralTooLarge),
        (b"* x FETCH (BODY[] {70000}\r\n", lift, LiteralTooLarge),
        (b"* OK hi\n", None, BareLineFeed),
        (b"220 mail ESMTP\r\n", None, NotAResponse),
        (b"\r\n", None, NotAResponse),
        (b"*\r\n", None, NotAResponse),
        (b"a1\r\n", None, NotAResponse),
    ] {
        for size in [1, 1_000] {
            assert_eq!(read(wire, size, lift).unwrap_err(), want, "{}", String::from_utf8_lossy(wire));
        }
    }
    for flood in ["* OK and no end ", "x"] {
        let wire = flood.repeat(80_000 / flood.len());
        assert_eq!(read(wire.as_bytes(), 4_096, lift).unwrap_err(), TooLong, "{flood}");
    }
    let literals = "* LIST () NIL {3}\r\nabc ".repeat(4_000);
    assert_eq!(read(literals.as_bytes(), 4_096, lift).unwrap_err(), TooLong);
}

proptest! {
    #[test]
    fn any_pieces_give_the_same(wire in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..20) {
        let whole = read(&wire, usize::MAX, None);
        let pieces = read(&wire, size, None);
        if let (Ok(whole), Ok(pieces)) = (whole, pieces) {
            prop_assert_eq!(whole, pieces);
        }
    }

    #[test]
    fn texts_come_through_as_they_are(body in proptest::collection::vec(any::<u8>(), 0..300), size in 1_usize..40) {
        let mut wire = format!("* 9 FETCH (BODY[] {{{}}}\r\n", body.len()).into_bytes();
        wire.extend_from_slice(&body);
        wire.extend_from_slice(b" UID 4)\r\n");
        let (text, responses) = read(&wire, size, Some(Lift { at_most: 1_000 })).unwrap();
        prop_assert_eq!(text, body);
        prop_assert!(matches!(&responses[..], [Response::Fetch(it)] if it.uid == Some(4)));
    }
}
