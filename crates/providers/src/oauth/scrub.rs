//! Taking secrets out of what a provider says (OC-8).

use std::collections::HashSet;

use gatepost_core::SecretText;

/// How much of a provider's words is kept.
const KEPT_BYTES: usize = 2 * 1024;

/// How much is looked at; what comes behind is cut off unseen.
const LOOKED_AT: usize = 8 * 1024;

/// A piece of a secret as long as this gives something away.
const PIECE: usize = 12;

/// Runs of letters, digits and signs as long as this are tokens, whoever's they are. Ids and addresses of pages are shorter
/// between their separators.
const LONG_RUN: usize = 48;

const REMOVED: &str = "[removed]";

/// The text without these secrets, without any piece of them, and without anything that looks like a token; cut to 2 KiB.
pub(super) fn scrub(text: &str, secrets: &[&SecretText]) -> String {
    let text = cut(text, LOOKED_AT);
    let bytes = text.as_bytes();
    let mut hidden = vec![false; bytes.len()];
    for secret in secrets {
        for form in forms(secret.reveal()) {
            hide_pieces(bytes, form.as_bytes(), &mut hidden);
        }
    }
    hide_runs(bytes, &mut hidden);
    let mut kept = String::new();
    let mut was_hidden = false;
    for (at, character) in text.char_indices() {
        let is_hidden = hidden[at];
        if is_hidden && !was_hidden {
            kept.push_str(REMOVED);
        }
        if !is_hidden {
            kept.push(character);
        }
        was_hidden = is_hidden;
    }
    cut(&kept, KEPT_BYTES).to_owned()
}

/// As it is, and as it stands in addresses and forms.
fn forms(secret: &str) -> [String; 2] {
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    [secret.to_owned(), encoded]
}

fn hide_pieces(text: &[u8], secret: &[u8], hidden: &mut [bool]) {
    let length = secret.len().min(PIECE);
    // A secret of a letter or two would take the text apart and hide nothing.
    if length < 4 || text.len() < length {
        return;
    }
    let pieces: HashSet<&[u8]> = secret.windows(length).collect();
    for (at, window) in text.windows(length).enumerate() {
        if pieces.contains(window) {
            hidden[at..at + length].fill(true);
        }
    }
}

fn hide_runs(text: &[u8], hidden: &mut [bool]) {
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/=%".contains(byte);
    let mut at = 0;
    while at < text.len() {
        let length = text[at..].iter().take_while(|byte| is_of_token(byte)).count();
        if length >= LONG_RUN {
            hidden[at..at + length].fill(true);
        }
        at += length.max(1);
    }
}

fn cut(text: &str, at_most: usize) -> &str {
    let mut end = text.len().min(at_most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, secret: &str, want: &str) {
        assert_eq!(scrub(text, &[&SecretText::new(secret.to_owned())]), want);
    }

    #[test]
    fn secrets_and_their_pieces_are_taken_out() {
        let token = "ya29.a0Af_long-token/with+signs==";
        check(&format!("token {token} is bad"), token, "token [removed] is bad");
        check("token ya29.a0Af_long is bad", token, "token [removed] is bad");
        check("ends in with+signs==", token, "ends in [removed]");
        check("code=4%2F0AbCdEfGhIjK&x=1", "4/0AbCdEfGhIjK", "code=[removed]&x=1");
        check("secret s3cr3t.", "s3cr3t", "secret [removed].");
        let jwt = format!("eyJ{}", "aB3_".repeat(30));
        check(&format!("got {jwt}"), "nothing-of-it", "got [removed]");
        let plain = "AADSTS50076: Trace ID: 0f6b9d3c-53a1-4c7e-9b0e-8f1d2c3b4a59 see https://login.example/error?code=50076";
        check(plain, "unrelated-secret-text", plain);
    }

    #[test]
    fn what_is_kept_is_short_and_whole() {
        assert_eq!(scrub(&"é ".repeat(9_000), &[]).len(), 2_048);
        assert_eq!(scrub(&"€ ".repeat(9_000), &[]).len(), 2_048);
        assert_eq!(scrub(&"€".repeat(9_000), &[]).len(), 2_046);
    }

    proptest! {
        #[test]
        fn no_piece_of_a_secret_is_left(
            before in "\\PC{0,40}", secret in "[a-zA-Z0-9/+=_-]{16,60}", after in "\\PC{0,40}", from in 0usize..4,
        ) {
            let told = format!("{before}{}{after}", &secret[from..]);
            let kept = scrub(&told, &[&SecretText::new(secret.clone())]);
            let leaks = secret.as_bytes().windows(PIECE).any(|piece| kept.as_bytes().windows(PIECE).any(|it| it == piece));
            prop_assert!(!leaks, "{kept}");
        }
    }
}
