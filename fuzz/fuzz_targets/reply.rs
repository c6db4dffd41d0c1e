//! SMTP replies and EHLO: every reply keeps each byte, and its texts can be taken out whatever they hold.
#![no_main]

use gatepost_wire::smtp::{Capabilities, REPLY_BYTES, ReplyParser};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut parser = ReplyParser::new();
    let mut lines = Vec::new();
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        lines.push(line);
        match parser.push(line) {
            Err(_) => return,
            Ok(None) => {}
            Ok(Some(reply)) => {
                assert_eq!(reply.raw, lines.join(&b"\r\n"[..]));
                assert!(reply.raw.len() <= REPLY_BYTES);
                assert!(reply.lines().count() <= 100);
                _ = (reply.class(), reply.text_joined());
                assert!(!reply.to_string().contains(char::is_control));
                let can = Capabilities::from_reply(&reply);
                _ = can.to_reply("fuzz.test").to_bytes();
                lines.clear();
            }
        }
    }
});
