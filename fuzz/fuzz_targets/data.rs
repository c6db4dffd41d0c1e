//! The end of a message: only `CRLF . CRLF` ends one, whatever the pieces, and what is written back is one message.
#![no_main]

use gatepost_wire::smtp::{BdatReader, DataProgress, DataReader, DataWriter, Flaws, LineEnds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((size, wire)) = input.split_first() else { return };
    let size = usize::from(*size).max(1);
    for line_ends in [LineEnds::Strict, LineEnds::Repair] {
        let Some(whole) = read(wire, usize::MAX, line_ends) else { return };
        assert_eq!(read(wire, size, line_ends).as_ref(), Some(&whole));
        assert_eq!(whole.2, true_end(wire));
        if line_ends == LineEnds::Repair && whole.2.is_some() {
            let sent = write(&whole.0, size);
            assert_eq!(true_end(&sent), Some(sent.len()));
            let back = read(&sent, size, LineEnds::Strict).expect("lines do not grow");
            assert!(!back.1.has_bare_line_end());
            assert!(back.0.starts_with(&whole.0));
        }
        let mut chunks = BdatReader::new(line_ends);
        for piece in wire.chunks(size) {
            if chunks.push(piece, |_| {}).is_err() {
                return;
            }
        }
        _ = chunks.finish(|_| {});
    }
    let sent = write(wire, size);
    assert_eq!(true_end(&sent), Some(sent.len()));
});

/// Content, flaws, and where the message ended; nothing if a line was too long.
fn read(wire: &[u8], size: usize, line_ends: LineEnds) -> Option<(Vec<u8>, Flaws, Option<usize>)> {
    let mut reader = DataReader::new(line_ends);
    let mut content = Vec::new();
    let mut n_taken = 0;
    for piece in wire.chunks(size) {
        match reader.push(piece, |slice| content.extend_from_slice(slice)).ok()? {
            DataProgress::More => n_taken += piece.len(),
            DataProgress::End { consumed } => {
                return Some((content, reader.flaws(), Some(n_taken + consumed)));
            }
        }
    }
    // Without an end, what is still held depends on nothing but the bytes, so it may be compared too.
    Some((content, reader.flaws(), None))
}

fn write(content: &[u8], size: usize) -> Vec<u8> {
    let mut writer = DataWriter::new();
    let mut wire = Vec::new();
    for piece in content.chunks(size) {
        writer.push(piece, |slice| wire.extend_from_slice(slice));
    }
    writer.finish(|slice| wire.extend_from_slice(slice));
    wire
}

/// RFC 5321 §4.1.1.4, in its own words.
fn true_end(wire: &[u8]) -> Option<usize> {
    let with_start = [b"\r\n", wire].concat();
    with_start.windows(5).position(|it| it == b"\r\n.\r\n").map(|at| at + 3)
}
