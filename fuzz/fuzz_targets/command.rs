//! SMTP commands: none panics, none is written with a control character, and what is taken is taken again as the same.
#![no_main]

use gatepost_wire::smtp::{Command, is_http_verb};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    _ = is_http_verb(line);
    match Command::parse(line) {
        Err(refused) => check_reply(&refused.reply().to_bytes()),
        Ok(command) => {
            let mut written = Vec::new();
            command.write_to(&mut written);
            let text = written.strip_suffix(b"\r\n").expect("a command ends with CRLF");
            assert!(!text.iter().any(u8::is_ascii_control));
            // What we write may be longer than what we read, because escapes grow; then the limit may refuse it.
            if text.len() + 2 <= gatepost_wire::smtp::COMMAND_LINE {
                let mut again = Vec::new();
                Command::parse(text).expect("what we write is valid").write_to(&mut again);
                assert_eq!(again, written);
            }
        }
    }
});

fn check_reply(reply: &[u8]) {
    assert!(reply.ends_with(b"\r\n") && reply.len() <= 512);
    assert!(reply[..reply.len() - 2].iter().all(|b| matches!(b, b' '..=b'~')));
}
