//! Headers and address lists: any pieces give the same fields, and every address that is found stands on its own.
#![no_main]

use gatepost_wire::message::{HeaderBlock, HeaderProgress, HeaderScanner, HeaderSummary, parse_address_list};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_first() else { return };
    let size = usize::from(*size).max(1);
    let whole = HeaderBlock::parse(bytes);
    assert_eq!(scan(bytes, size), whole);
    if let Ok(block) = whole {
        assert_eq!(HeaderBlock::parse(block.as_bytes()).as_ref(), Ok(&block));
        match HeaderSummary::of(&block) {
            Ok(summary) => assert!(!summary.from.is_empty()),
            Err(fault) => assert!(fault.reply().to_bytes().len() <= 512),
        }
    }
    if let Ok(list) = parse_address_list(bytes) {
        for mailbox in list.iter().flat_map(|it| it.mailboxes()) {
            let text = mailbox.address.as_str();
            assert_eq!(text.parse().as_ref(), Ok(&mailbox.address));
            assert!(!text.contains(char::is_control));
        }
    }
});

fn scan(bytes: &[u8], size: usize) -> Result<HeaderBlock, gatepost_wire::message::HeaderError> {
    let mut scanner = HeaderScanner::new();
    for piece in bytes.chunks(size) {
        if let HeaderProgress::Complete { .. } = scanner.push(piece)? {
            break;
        }
    }
    scanner.finish()
}
