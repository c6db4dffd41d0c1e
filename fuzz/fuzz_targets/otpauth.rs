//! What is shown to the pretend phone: whatever it takes shows codes, and is the same account when it is read from its file.
#![no_main]

use gatepost_core::{SecretText, Timestamp};
use gatepost_sandbox::fuzz::{Understood, key, uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, i64)| {
    let (text, millis) = input;
    let at = Timestamp::from_millis(millis);
    check(uri(&SecretText::new(text.to_owned()), at), at);
    // Most of the inputs do not find the scheme by themselves.
    check(uri(&SecretText::new(format!("otpauth://totp/{text}")), at), at);
    let (name, typed) = text.split_once('|').unwrap_or(("name", text));
    check(key(name, &SecretText::new(typed.to_owned()), at), at);
});

fn check(it: Option<Understood>, at: Timestamp) {
    let Some(it) = it else { return };
    assert!((6..=8).contains(&it.figures.len()) && it.figures.bytes().all(|byte| byte.is_ascii_digit()));
    assert!((1..=3_600).contains(&it.seconds_left));
    assert!(!it.names.1.is_empty());
    let kept = it.uri.clone().expect("it can be kept");
    let again = uri(&SecretText::new(kept), at).expect("what is kept is read again");
    assert_eq!((again.names, again.figures, again.seconds_left), (it.names, it.figures, it.seconds_left));
}
