use proptest::prelude::*;

use super::*;
use crate::smtp::TEXT_LINE;

/// Content, flaws, and what was left behind the end; `None` if the end was not found.
#[derive(Debug, PartialEq)]
struct Read {
    content: Vec<u8>,
    flaws: Flaws,
    rest: Option<Vec<u8>>,
}

fn read(pieces: &[&[u8]], line_ends: LineEnds) -> Read {
    let mut reader = DataReader::new(line_ends);
    let mut content = Vec::new();
    let mut rest = None;
    for piece in pieces {
        if let Some(rest) = &mut rest {
            Vec::extend_from_slice(rest, piece);
            continue;
        }
        match reader.push(piece, |slice| content.extend_from_slice(slice)).unwrap() {
            DataProgress::More => {}
            DataProgress::End { consumed } => rest = Some(piece[consumed..].to_vec()),
        }
    }
    Read { content, flaws: reader.flaws(), rest }
}

fn write(pieces: &[&[u8]]) -> Vec<u8> {
    let mut writer = DataWriter::new();
    let mut wire = Vec::new();
    for piece in pieces {
        writer.push(piece, |slice| wire.extend_from_slice(slice));
    }
    writer.finish(|slice| wire.extend_from_slice(slice));
    wire
}

/// Where a message ends, in the words of RFC 5321 §4.1.1.4 and nothing else.
fn true_end(wire: &[u8]) -> Option<usize> {
    let with_start = [b"\r\n", wire].concat();
    memchr::memmem::find(&with_start, b"\r\n.\r\n").map(|at| at + 3)
}

fn has_bare_line_end(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| match bytes[at] {
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        _ => false,
    })
}

#[track_caller]
fn check(wire: &[u8], strict: &[u8], repaired: &[u8]) {
    assert_eq!(
        read(&[wire], LineEnds::Strict).content,
        strict,
        "strict: {:?}",
        wire.escape_ascii().to_string()
    );
    assert_eq!(
        read(&[wire], LineEnds::Repair).content,
        repaired,
        "repair: {:?}",
        wire.escape_ascii().to_string()
    );
}

#[test]
fn dots_and_line_ends_are_read_as_rfc_5321_has_them() {
    check(b"a\r\n.\r\n", b"a\r\n", b"a\r\n");
    check(b".\r\n", b"", b"");
    check(b"..\r\n.\r\n", b".\r\n", b".\r\n");
    check(b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n", b".a\r\n..\r\n");
    check(b".a\r\n.\r\n", b"a\r\n", b"a\r\n");
    check(b"a\r\n\r\n\r\n.\r\n", b"a\r\n\r\n\r\n", b"a\r\n\r\n\r\n");
    // Line ends that are none.
    check(b"a\nb\r\n.\r\n", b"a\nb\r\n", b"a\r\nb\r\n");
    check(b"a\rb\r\n.\r\n", b"a\rb\r\n", b"a\r\nb\r\n");
    check(b"a\r\r\nb\r\n.\r\n", b"a\r\r\nb\r\n", b"a\r\nb\r\n");
    check(b"a\r\r\rb\r\n.\r\n", b"a\r\r\rb\r\n", b"a\r\n\r\n\r\nb\r\n");
    check(b"a\n..b\n.\nc\r\n.\r\n", b"a\n..b\n.\nc\r\n", b"a\r\n.b\r\n.\r\nc\r\n");
    check(b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", b"a\r\n.\r\nb\r\n");
    check(b".\nb\r\n.\r\n", b"\nb\r\n", b".\r\nb\r\n");
    check(b".\rb\r\n.\r\n", b"\rb\r\n", b".\r\nb\r\n");
    check(b".\r\r\nb\r\n.\r\n", b"\r\r\nb\r\n", b".\r\nb\r\n");
}

#[test]
fn what_follows_the_end_is_left_alone() {
    let read = read(&[b"a\r\n.\r\nQUIT\r\n"], LineEnds::Strict);
    assert_eq!(read.rest.as_deref(), Some(&b"QUIT\r\n"[..]));
    let mut reader = DataReader::new(LineEnds::Strict);
    assert_eq!(reader.push(b".\r\n", |_| {}), Ok(DataProgress::End { consumed: 3 }));
    assert_eq!(reader.push(b"QUIT\r\n", |_| panic!("no content")), Ok(DataProgress::End { consumed: 0 }));
}

#[test]
fn flaws_are_told_one_by_one() {
    for (wire, bare_cr, bare_lf, nul) in [
        (&b"a\r\n.\r\n"[..], false, false, false),
        (b"a\nb\r\n.\r\n", false, true, false),
        (b"a\rb\r\n.\r\n", true, false, false),
        (b"a\0b\r\n.\r\n", false, false, true),
        (b"\n\r\r\n\0\r\n.\r\n", true, true, true),
        (b".\n\r\n.\r\n", false, true, false),
        (b".\r.\r\n.\r\n", true, false, false),
    ] {
        for line_ends in [LineEnds::Strict, LineEnds::Repair] {
            let read = read(&[wire], line_ends);
            assert_eq!(read.flaws, Flaws { bare_cr, bare_lf, nul }, "{}", wire.escape_ascii());
            assert_eq!(read.rest, Some(Vec::new()));
        }
    }
}

/// SS-5, `smuggle_eod_matrix`: every pair of line ends around a dot, at the start, in the middle and at the end of a
/// message that carries a second one, split at every byte. A server that sees an end where there is none would run the
/// commands that follow.
#[test]
fn smuggle_eod_matrix() {
    const ENDS: [&[u8]; 6] = [b"\n", b"\r", b"\r\n", b"\0\r\n", b"\r\r\n", b""];
    const SECOND: &[u8] = b"MAIL FROM:<x@evil.test>\r\nRCPT TO:<y@evil.test>\r\nDATA\r\nsmuggled\r\n";
    for before in ENDS {
        for after in ENDS {
            for head in [&b""[..], b"head", b"head\r\n"] {
                for tail in [SECOND, b"", b"\n", b"\r\n"] {
                    let wire = [head, before, b".", after, tail, b"\r\n.\r\nQUIT\r\n"].concat();
                    check_smuggling(&wire);
                }
            }
        }
    }
}

#[track_caller]
fn check_smuggling(wire: &[u8]) {
    let end = true_end(wire).expect("each case has an end");
    for line_ends in [LineEnds::Strict, LineEnds::Repair] {
        let whole = read(&[wire], line_ends);
        assert_eq!(whole.rest.as_deref(), Some(&wire[end..]), "{}", wire.escape_ascii());
        for split in 0..=wire.len() {
            assert_eq!(
                read(&[&wire[..split], &wire[split..]], line_ends),
                whole,
                "{} at {split}",
                wire.escape_ascii()
            );
        }
        // What a strict reader does not refuse, and what a repairing one gives on, leaves as one message for everyone:
        // also for a receiver that takes a bare CR or LF for a line end.
        if line_ends == LineEnds::Repair || !whole.flaws.has_bare_line_end() {
            let sent = write(&[&whole.content]);
            assert!(!has_bare_line_end(&sent));
            assert_eq!(true_end(&sent), Some(sent.len()));
        }
    }
}

/// SS-7: limit, limit + 1, and the end of a long line forgotten before the next.
#[test]
fn a_line_without_end_is_stopped_at_a_mebibyte() {
    let piece = vec![b'x'; TEXT_LINE / 4];
    for line_ends in [LineEnds::Strict, LineEnds::Repair] {
        let mut reader = DataReader::new(line_ends);
        for _ in 0..2 {
            for _ in 0..4 {
                assert_eq!(reader.push(&piece, |_| {}), Ok(DataProgress::More));
            }
            assert_eq!(reader.push(b"\r\n", |_| {}), Ok(DataProgress::More));
        }
        for _ in 0..4 {
            assert_eq!(reader.push(&piece, |_| {}), Ok(DataProgress::More));
        }
        assert_eq!(reader.push(b"x", |_| {}), Err(DataError::LineTooLong));
    }
    let mut reader = DataReader::new(LineEnds::Strict);
    assert_eq!(reader.push(&vec![0; TEXT_LINE + 1], |_| {}), Err(DataError::LineTooLong), "NULs count too");
}

#[test]
fn a_message_is_written_with_its_dots_doubled_and_its_end() {
    for (content, wire) in [
        (&b""[..], &b".\r\n"[..]),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a\r", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".a\r\n..\r\n", b"..a\r\n...\r\n.\r\n"),
        (b"a.b\r\n\r\n", b"a.b\r\n\r\n.\r\n"),
        // Never stored, and harmless all the same.
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
    ] {
        assert_eq!(write(&[content]), wire, "{}", content.escape_ascii());
    }
}

#[test]
fn bdat_content_keeps_its_dots_and_shows_its_flaws() {
    let run = |pieces: &[&[u8]], line_ends| {
        let mut reader = BdatReader::new(line_ends);
        let mut content = Vec::new();
        for piece in pieces {
            reader.push(piece, |slice| content.extend_from_slice(slice)).unwrap();
        }
        let flaws = reader.finish(|slice| content.extend_from_slice(slice));
        (content, flaws)
    };
    let clean: &[&[u8]] = &[b".\r\n..a\r", b"\n.\r\n"];
    assert_eq!(run(clean, LineEnds::Strict), (clean.concat(), Flaws::default()));
    assert_eq!(run(clean, LineEnds::Repair), (clean.concat(), Flaws::default()));
    let (content, flaws) = run(&[b"a\n.\nb\r"], LineEnds::Repair);
    assert_eq!(
        (content, flaws),
        (b"a\r\n.\r\nb\r\n".to_vec(), Flaws { bare_cr: true, bare_lf: true, nul: false })
    );
    let (content, flaws) = run(&[b"a\r\r"], LineEnds::Strict);
    assert_eq!((content, flaws.bare_cr), (b"a\r\r".to_vec(), true));
    assert_eq!(run(&[b"a\r\r"], LineEnds::Repair).0, b"a\r\n\r\n");
}

/// Bytes that meet every transition often.
fn tricky() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![3 => Just(b'\r'), 3 => Just(b'\n'), 3 => Just(b'.'), 1 => Just(0), 2 => any::<u8>()];
    proptest::collection::vec(byte, 0..60)
}

fn clean_text() -> impl Strategy<Value = Vec<u8>> {
    let word = proptest::sample::select(vec!["\r\n", ".", "a", "\0", "longer text"]);
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

fn split(bytes: &[u8], size: usize) -> Vec<&[u8]> {
    bytes.chunks(size).collect()
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same(wire in tricky(), size in 1_usize..9, repair: bool) {
        let line_ends = if repair { LineEnds::Repair } else { LineEnds::Strict };
        prop_assert_eq!(read(&split(&wire, size), line_ends), read(&[&wire], line_ends));
        prop_assert_eq!(write(&split(&wire, size)), write(&[&wire]));
    }

    #[test]
    fn only_the_true_end_ends(wire in tricky()) {
        for line_ends in [LineEnds::Strict, LineEnds::Repair] {
            let got = read(&[&wire], line_ends);
            prop_assert_eq!(got.rest, true_end(&wire).map(|at| wire[at..].to_vec()));
            let message = &wire[..true_end(&wire).unwrap_or(0)];
            if !message.is_empty() {
                prop_assert_eq!(got.flaws.has_bare_line_end(), has_bare_line_end(message));
            }
        }
    }

    #[test]
    fn a_repaired_message_has_no_bare_line_end(wire in tricky()) {
        let mut wire = wire;
        wire.extend_from_slice(b"\r\n.\r\n");
        prop_assert!(!has_bare_line_end(&read(&[&wire], LineEnds::Repair).content));
    }

    /// SC-5: what one side sends, the other receives; one message, the same bytes.
    #[test]
    fn what_is_sent_is_received(content in clean_text(), size in 1_usize..9) {
        let wire = write(&split(&content, size));
        let mut want = content;
        if !want.is_empty() && !want.ends_with(b"\r\n") {
            want.extend_from_slice(b"\r\n");
        }
        for line_ends in [LineEnds::Strict, LineEnds::Repair] {
            let got = read(&[&wire], line_ends);
            prop_assert_eq!(&got.content, &want);
            prop_assert_eq!(got.rest, Some(Vec::new()));
            prop_assert!(!got.flaws.has_bare_line_end());
        }
    }

    #[test]
    fn no_content_can_write_a_second_message(content in tricky()) {
        let wire = write(&[&content]);
        prop_assert_eq!(true_end(&wire), Some(wire.len()));
        prop_assert!(!has_bare_line_end(&wire));
    }
}

#[test]
fn what_needs_no_change_is_given_without_a_copy() {
    let input = b"a\r\nb\r\n.\r\n".to_vec();
    let mut kept = Vec::new();
    DataReader::new(LineEnds::Strict).push(&input, |slice| kept.push(slice)).unwrap();
    assert_eq!(kept.concat(), b"a\r\nb\r\n");
    assert!(kept.iter().all(|slice| input.as_ptr_range().contains(&slice.as_ptr())));
}
