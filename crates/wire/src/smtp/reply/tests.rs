use proptest::prelude::*;

use super::*;

fn parse(bytes: &[u8]) -> Result<Vec<Reply>, ReplyError> {
    let mut parser = ReplyParser::new();
    let mut replies = Vec::new();
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        replies.extend(parser.push(line.strip_suffix(b"\r\n").unwrap_or(line))?);
    }
    Ok(replies)
}

#[track_caller]
fn one(bytes: &[u8]) -> Reply {
    let mut replies = parse(bytes).unwrap();
    assert_eq!(replies.len(), 1);
    replies.remove(0)
}

#[test]
fn a_reply_keeps_every_byte_and_every_digit() {
    let raw = b"550-5.7.509 Access denied \xff\x1b[31m\r\n550 5.7.509 see https://example.org";
    let reply = one(&[raw, &b"\r\n"[..]].concat());
    assert_eq!((reply.code, reply.enhanced), (550, Some((5, 7, 509))));
    assert_eq!(reply.raw, raw);
    assert_eq!(reply.class(), ReplyClass::Permanent);
    assert_eq!(
        reply.to_string(),
        "550 5.7.509 Access denied \\xff\\u{1b}[31m / 5.7.509 see https://example.org"
    );
}

#[test]
fn lines_are_joined_before_matching() {
    for (bytes, joined) in [
        (
            &b"535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/ x\r\n"[..],
            "535 5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/ x",
        ),
        (b"421 4.3.2 Service not available\r\n", "421 4.3.2 Service not available"),
        (b"250\r\n", "250"),
        (b"250-\r\n250 x\r\n", "250 x"),
        (b"220 2.2.2.2 ESMTP\r\n", "220 2.2.2.2 ESMTP"),
        (b"554-5.7.1 a\r\n554 5.7.2 b\r\n", "554 5.7.1 a 5.7.2 b"),
        (b"535-Authentication\r\n535 failed\r\n", "535 Authentication failed"),
    ] {
        assert_eq!(one(bytes).text_joined(), joined);
    }
}

#[test]
fn enhanced_codes_are_only_what_rfc_3463_has() {
    for (bytes, want) in [
        (&b"250 2.1.5 OK\r\n"[..], Some((2, 1, 5))),
        (b"550 5.1.1\r\n", Some((5, 1, 1))),
        (b"550 5.999.999 x\r\n", Some((5, 999, 999))),
        (b"550 5.7.1000 x\r\n", None),
        (b"550 3.1.1 x\r\n", None),
        (b"550 5.1 x\r\n", None),
        (b"550 5.1.1.1 x\r\n", None),
        (b"550 5..1 x\r\n", None),
        (b"550 x\r\n", None),
    ] {
        assert_eq!(one(bytes).enhanced, want, "{bytes:?}");
    }
}

#[test]
fn what_is_no_reply_is_refused() {
    use ReplyError::{CodesDiffer, NotAReply};
    for (bytes, why) in [
        (&b"\r\n"[..], NotAReply),
        (b"25\r\n", NotAReply),
        (b"2500 x\r\n", NotAReply),
        (b"250x\r\n", NotAReply),
        (b"150 x\r\n", NotAReply),
        (b"600 x\r\n", NotAReply),
        (b"2\xb20 x\r\n", NotAReply),
        (b" 250 x\r\n", NotAReply),
        (b"HTTP/1.1 400 Bad Request\r\n", NotAReply),
        (b"250-a\r\n550 b\r\n", CodesDiffer),
        (b"250-a\r\nb\r\n", NotAReply),
    ] {
        assert_eq!(parse(bytes), Err(why), "{bytes:?}");
    }
}

/// SC-6: limit, and limit + 1.
#[test]
fn a_reply_without_end_is_refused_at_the_limits() {
    let line = |len: usize| [&b"250 "[..], &vec![b'x'; len - 6], b"\r\n"].concat();
    assert!(parse(&line(REPLY_LINE)).is_ok());
    assert_eq!(parse(&line(REPLY_LINE + 1)), Err(ReplyError::TooLong));

    let lines = |n: usize| [b"250-x\r\n".repeat(n - 1), b"250 x\r\n".to_vec()].concat();
    assert_eq!(parse(&lines(REPLY_LINES)).unwrap().len(), 1);
    assert_eq!(parse(&lines(REPLY_LINES + 1)), Err(ReplyError::TooLong));

    let long = [&b"250-"[..], &vec![b'x'; 2042], b"\r\n"].concat();
    assert!(parse(&long.repeat(32)).is_ok());
    assert_eq!(parse(&long.repeat(33)), Err(ReplyError::TooLong));
}

#[test]
fn a_parser_is_ready_for_the_next_reply() {
    let replies = parse(b"250-a\r\n250 b\r\n354 go\r\n").unwrap();
    assert_eq!(replies.iter().map(|it| it.code).collect::<Vec<_>>(), [250, 354]);
    assert_eq!(replies[0].lines().collect::<Vec<_>>(), [b"a", b"b"]);
}

proptest! {
    #[test]
    fn hostile_lines_never_panic_and_are_kept_whole(lines in proptest::collection::vec("(2[0-9]{2}[- ]?)?[\\x00-\\xff]{0,30}", 0..6)) {
        let mut parser = ReplyParser::new();
        let mut sent = Vec::new();
        for line in &lines {
            sent.push(line.as_bytes().to_vec());
            match parser.push(line.as_bytes()) {
                Ok(None) => {}
                Ok(Some(reply)) => {
                    prop_assert_eq!(&reply.raw, &sent.join(&b"\r\n"[..]));
                    sent.clear();
                    _ = (reply.text_joined(), reply.to_string());
                }
                Err(_) => break,
            }
        }
    }
}
