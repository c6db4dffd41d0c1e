//! IMAP responses: any pieces give the same, and no server makes the reader keep or give on more than it may.
#![no_main]

use gatepost_wire::imap::{Lift, Piece, RESPONSE_BYTES, Response, ResponseError, ResponseReader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((size, wire)) = input.split_first() else { return };
    for lift in [None, Some(Lift { at_most: 1_000 })] {
        let (whole, is_whole_read) = read(wire, usize::MAX, lift);
        let (pieces, is_read) = read(wire, usize::from(*size).max(1), lift);
        assert_eq!(whole, pieces);
        assert_eq!(is_whole_read, is_read);
    }
});

/// Texts joined, responses, and how it ended.
fn read(
    wire: &[u8],
    size: usize,
    lift: Option<Lift>,
) -> ((Vec<u8>, Vec<Response>), Result<(), ResponseError>) {
    let mut reader = ResponseReader::new();
    reader.set_lift(lift);
    let mut came = (Vec::new(), Vec::new());
    for piece in wire.chunks(size) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (n_taken, piece) = match reader.push(rest) {
                Ok(it) => it,
                Err(error) => return (came, Err(error)),
            };
            match piece {
                Piece::More => {}
                Piece::Text(text) => came.0.extend_from_slice(text),
                Piece::Response(response) => {
                    check(&response);
                    came.1.push(response);
                }
            }
            rest = &rest[n_taken..];
        }
    }
    (came, Ok(()))
}

fn check(response: &Response) {
    match response {
        Response::Status(status) => {
            assert!(!status.to_string().contains(char::is_control));
            _ = (status.text(), status.code.as_ref().and_then(|it| it.number()));
        }
        Response::Folder(folder) => assert!(!folder.name.chars().any(char::is_control)),
        Response::Fetch(fetched) => {
            assert!(fetched.text.as_ref().is_none_or(|it| it.len() <= RESPONSE_BYTES));
            assert!(fetched.lifted_bytes.is_none_or(|it| it <= 1_000));
        }
        _ => {}
    }
}
