use proptest::prelude::*;

use super::*;

fn scan(bytes: &[u8], size: usize) -> Result<(HeaderBlock, Option<usize>), HeaderError> {
    let mut scanner = HeaderScanner::new();
    let mut n_taken = 0;
    for piece in bytes.chunks(size.max(1)) {
        match scanner.push(piece)? {
            HeaderProgress::More => n_taken += piece.len(),
            HeaderProgress::Complete { consumed } => {
                return Ok((scanner.finish()?, Some(n_taken + consumed)));
            }
        }
    }
    Ok((scanner.finish()?, None))
}

#[track_caller]
fn check(bytes: &[u8], want: Result<&[(&str, &str)], HeaderError>) {
    let got = scan(bytes, usize::MAX).map(|(block, _)| {
        block
            .fields()
            .map(|it| (it.name().to_owned(), String::from_utf8_lossy(&it.value()).into_owned()))
            .collect::<Vec<_>>()
    });
    let want = want.map(|it| it.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect());
    assert_eq!(got, want, "{}", bytes.escape_ascii());
}

#[test]
fn fields_are_cut_and_unfolded_as_rfc_5322_has_them() {
    check(b"From: a@b.test\r\nSubject:x\r\n\r\nbody", Ok(&[("From", "a@b.test"), ("Subject", "x")]));
    check(b"Subject: a\r\n b\r\n\tc\r\nX:\r\n\r\n", Ok(&[("Subject", "a b\tc"), ("X", "")]));
    check(b"X: a\r\n \r\n b\r\n\r\n", Ok(&[("X", "a  b")]));
    check(b"X: caf\xe9\r\n\r\n", Ok(&[("X", "caf\u{fffd}")]));
    check(b"X: \xc3\xa9:y\r\n\r\n", Ok(&[("X", "\u{e9}:y")]));
    check(b"\r\nFrom: not a header", Ok(&[]));
    check(b"", Ok(&[]));
    check(b"X: only\r\n", Ok(&[("X", "only")]));
    check(b"X: only", Ok(&[("X", "only")]));
}

/// SS-15.
#[test]
fn what_two_readers_could_see_differently_is_refused() {
    use HeaderError::{BareLineEnd, NotAField, Nul};
    for (bytes, why) in [
        (&b"X: a\0b\r\n\r\n"[..], Nul(1)),
        (b"X: a\r\nY: b\nFrom: c\r\n\r\n", BareLineEnd(2)),
        (b"X: a\rFrom: c\r\n\r\n", BareLineEnd(1)),
        (b"X: a\r\r\n\r\n", BareLineEnd(1)),
        (b"X: a\r\n\n", BareLineEnd(2)),
        (b" X: a\r\n\r\n", NotAField(1)),
        (b"X: a\r\nno field\r\n\r\n", NotAField(2)),
        (b"From a@b.test Sat Nov 21 2026\r\n\r\n", NotAField(1)),
        (b"From : a@b.test\r\n\r\n", NotAField(1)),
        (b": a\r\n\r\n", NotAField(1)),
        (b"Fr\xc3\xb6m: a\r\n\r\n", NotAField(1)),
        (b"X: a\r\nrest without colon", NotAField(2)),
    ] {
        check(bytes, Err(why));
        assert!(matches!(why.reply().code(), 550 | 554));
    }
}

/// SS-17: limit, limit + 1.
#[test]
fn a_header_longer_than_the_limits_is_refused() {
    let of = |len: usize| [&b"X:"[..], &vec![b'x'; len - 4], b"\r\n"].concat();
    let whole = [of(HEADER_BYTES), b"\r\nbody".to_vec()].concat();
    for size in [1_000, usize::MAX] {
        assert_eq!(scan(&whole, size).unwrap().1, Some(HEADER_BYTES + 2));
        assert_eq!(scan(&of(HEADER_BYTES + 1), size), Err(HeaderError::TooLong));
        assert_eq!(scan(&of(HEADER_BYTES * 2), size), Err(HeaderError::TooLong));
    }
    let fields = |n: usize| b"X:\r\n".repeat(n);
    assert_eq!(scan(&fields(HEADER_FIELDS), 7).unwrap().0.fields().count(), HEADER_FIELDS);
    assert_eq!(scan(&fields(HEADER_FIELDS + 1), 7), Err(HeaderError::TooManyFields));
}

/// SS-17: a folded field of a quarter million lines takes no longer than its bytes.
#[test]
fn many_lines_are_one_pass() {
    let bomb = [&b"X: a\r\n"[..], &b" \r\n".repeat(80_000), b"\r\n"].concat();
    let (block, end) = scan(&bomb, 3).unwrap();
    assert_eq!((block.fields().count(), end), (1, Some(bomb.len())));
}

/// SS-15.
#[test]
fn bcc_is_taken_out_with_its_continuation() {
    let block = HeaderBlock::parse(b"To: a\r\nBCC: b,\r\n c\r\nX: d\r\nbcc: e\r\n\r\n").unwrap();
    assert_eq!(block.without(&["Bcc"]), b"To: a\r\nX: d\r\n");
    assert_eq!(block.without(&[]), block.as_bytes());
    assert_eq!(block.named("bcc").count(), 2);
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same(text in "([A-Z]{1,3}: ?|[ -~]{0,9}|\\r\\n ?|[\\r\\n\\x00])*", size in 1_usize..9) {
        let whole = scan(text.as_bytes(), usize::MAX);
        prop_assert_eq!(&scan(text.as_bytes(), size), &whole);
        if let Ok((block, _)) = whole {
            // What was taken has the same fields when it is read again.
            prop_assert_eq!(HeaderBlock::parse(block.as_bytes()), Ok(block.clone()));
            prop_assert_eq!(block.without(&[]), block.as_bytes());
        }
    }
}
