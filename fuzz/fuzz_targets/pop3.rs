//! POP3, both sides: no line panics, what is taken is written as one line and taken again, and every reply keeps each byte.
#![no_main]

use gatepost_wire::pop3::{
    Capabilities, Command, Reply, ServerReply, line_limit, parse_scan, parse_stat, parse_unique_id,
    push_line, unstuff,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut can = Capabilities::default();
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        command(line);
        if let Ok(reply) = Reply::parse(line) {
            assert_eq!(reply.raw, line);
            assert!(!reply.to_string().contains(char::is_control));
            _ = (reply.text(), parse_stat(reply.text()));
        }
        if let Some(content) = unstuff(line) {
            can.add(content);
            _ = (parse_scan(content), parse_unique_id(content));
        }
    }
    for line in can.to_lines() {
        let mut out = Vec::new();
        push_line(&mut out, &line);
        assert!(
            out.ends_with(b"\r\n") && out != b".\r\n" && out.iter().filter(|b| **b == b'\n').count() == 1
        );
    }
});

fn command(line: &[u8]) {
    match Command::parse(line) {
        Err(refused) => assert!(ServerReply::for_command(&refused).to_bytes().len() <= 512),
        Ok(command) => {
            assert!(line.len() + 2 <= line_limit(line) && command.is_writable());
            let mut written = Vec::new();
            command.write_to(&mut written);
            let text = written.strip_suffix(b"\r\n").expect("a command ends with CRLF");
            assert!(!text.iter().any(u8::is_ascii_control));
            let mut again = Vec::new();
            Command::parse(text).expect("what we write is valid").write_to(&mut again);
            assert_eq!(again, written);
        }
    }
}
