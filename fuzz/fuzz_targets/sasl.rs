//! SASL: whatever a client answers, an exchange ends with an error or with credentials that are not empty.
#![no_main]

use gatepost_core::SecretBytes;
use gatepost_wire::sasl::{Mechanism, ServerExchange, ServerStep};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else { return };
    let mechanism = Mechanism::ALL[usize::from(*choice) % Mechanism::ALL.len()];
    // One half of the inputs as lines of base64, the other decoded already: base64 hides the grammar from the fuzzer.
    if choice & 0x80 == 0 {
        check(ServerExchange::start(mechanism, Some(SecretBytes::new(rest.to_vec()))).ok());
        return;
    }
    let mut step = ServerExchange::start(mechanism, None).ok();
    for line in rest.split(|b| *b == b'\n') {
        let Some(ServerStep::Challenge(_, exchange)) = step else { break };
        step = exchange.respond(line).ok();
    }
    check(step);
});

fn check(step: Option<ServerStep>) {
    if let Some(ServerStep::Done(credentials)) = step {
        let secret = credentials.secret.text().reveal();
        assert!(!secret.is_empty() && !secret.contains('\0') && !credentials.user_name.contains('\0'));
    }
}
