//! Posted forms: none panics, no secret may stand in a page again, and what is kept is read again as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(kept) = gatepost_portal::fuzz::form(bytes) else { return };
    assert!(kept.len() <= 500);
    let mut again = String::new();
    for (name, value) in &kept {
        assert!(!name.contains('\0') && !value.contains('\0'));
        assert!(
            !["password", "code", "proof_", "form_token", "recovery"].iter().any(|it| name.starts_with(it))
        );
        again.push_str(&format!("{}={}&", escaped(name), escaped(value)));
    }
    assert_eq!(gatepost_portal::fuzz::form(again.as_bytes()), Some(kept));
});

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
