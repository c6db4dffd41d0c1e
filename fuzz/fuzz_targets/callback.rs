//! What comes back from sign-in pages: a pasted address says the same as the redirect that it was, however it is wrapped.
#![no_main]

use gatepost_providers::Callback;
use libfuzzer_sys::fuzz_target;

const PAGE: &str = "https://mail.practice.test/oauth/callback/praxis";

fuzz_target!(|text: &str| {
    let _ = Callback::from_pasted(text, PAGE);
    let Ok(came) = Callback::from_query(text) else { return };
    assert!(!came.state().reveal().is_empty());
    // What a browser would show: anything else it would have written with percent signs.
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"'<>\\`".contains(&byte)) {
        let wrapped: String = text.chars().flat_map(|it| [it, '\n']).collect();
        for (query, around) in [(text, ""), (&wrapped, "\u{feff}")] {
            let pasted = Callback::from_pasted(&format!("{around}{PAGE}?{query}{around}"), PAGE);
            let pasted = pasted.expect("it is the same answer");
            assert!(pasted.state().matches(came.state()));
        }
        assert!(Callback::from_pasted(&format!("https://mail.practice.test/oauth/callback/other?{text}"), PAGE).is_err());
    }
});
