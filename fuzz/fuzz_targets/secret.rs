//! Tokens of cookies and links, and typed recovery codes: one spelling of a token, one meaning of a code.
#![no_main]

use gatepost_core::SecretText;
use gatepost_identity::Token;
use gatepost_identity::fuzz::recovery_code;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(token) = Token::parse(text) {
        assert_eq!(token.reveal(), text);
        assert!(
            text.len() == 43
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }
    if let Some(shown) = recovery_code(&SecretText::new(text.to_owned())) {
        assert_eq!(shown.reveal().len(), 15);
        for spelling in
            [shown.reveal().to_owned(), shown.reveal().to_lowercase(), shown.reveal().replace('-', " ")]
        {
            let again = recovery_code(&SecretText::new(spelling)).expect("what is shown is read");
            assert_eq!(again.reveal(), shown.reveal());
        }
    }
});
