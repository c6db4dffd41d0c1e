//! Taking out of a server's words what we said to it in confidence (OC-8): some repeat what they refuse.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use gatepost_core::SecretText;

/// A piece of a secret as long as this gives something away.
const PIECE: usize = 12;

/// Shorter ones could be part of any word.
const SHORTEST: usize = 6;

const REMOVED: &[u8] = b"[removed]";

/// What was said in confidence on one connection.
#[derive(Default)]
pub(crate) struct Scrub {
    hasher: RandomState,
    /// Hashes, so that no second copy of a secret lies about.
    pieces: HashSet<u64>,
    short: Vec<SecretText>,
}

impl Scrub {
    /// From here on the server knows this. A password that is an ordinary word is let be: taken out of "wrong password" it
    /// would be told, and the refusal not be understood.
    pub(crate) fn add(&mut self, secret: &SecretText) {
        let bytes = secret.reveal().as_bytes();
        if bytes.len() >= PIECE {
            self.pieces.extend(bytes.windows(PIECE).map(|it| self.hasher.hash_one(it)));
            return;
        }
        let is_word = bytes.iter().all(u8::is_ascii_alphabetic) || !bytes.iter().any(u8::is_ascii_alphabetic);
        if bytes.len() >= SHORTEST && !is_word {
            self.short.push(secret.clone());
        }
    }

    /// The same of the last word of a line that was said, such as `AUTH PLAIN AGFubmEAc2VjcmV0`.
    pub(crate) fn add_line(&mut self, line: &[u8]) {
        let word = line.trim_ascii_end().rsplit(|it| *it == b' ').next().unwrap_or_default();
        self.pieces.extend(word.windows(PIECE).map(|it| self.hasher.hash_one(it)));
    }

    /// The words without any of it.
    pub(crate) fn clean(&self, words: Vec<u8>) -> Vec<u8> {
        let mut hidden = vec![false; words.len()];
        if !self.pieces.is_empty() {
            for (at, window) in words.windows(PIECE).enumerate() {
                if self.pieces.contains(&self.hasher.hash_one(window)) {
                    hidden[at..at + PIECE].fill(true);
                }
            }
        }
        for secret in self.short.iter().map(|it| it.reveal().as_bytes()) {
            for (at, _) in words.windows(secret.len()).enumerate().filter(|(_, it)| *it == secret) {
                hidden[at..at + secret.len()].fill(true);
            }
        }
        if !hidden.contains(&true) {
            return words;
        }
        let mut kept = Vec::with_capacity(words.len());
        for (at, byte) in words.iter().enumerate() {
            match hidden[at] {
                false => kept.push(*byte),
                true if at == 0 || !hidden[at - 1] => kept.extend_from_slice(REMOVED),
                true => {}
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secrets: &[&str], words: &str, want: &str) {
        let mut scrub = Scrub::default();
        secrets.iter().for_each(|it| scrub.add(&SecretText::new((*it).to_owned())));
        assert_eq!(String::from_utf8(scrub.clean(words.into())).unwrap(), want);
    }

    #[test]
    fn what_was_said_in_confidence_and_any_piece_of_it_is_taken_out() {
        let token = "ya29.a0Af_long-token/with+signs==";
        check(&[token], &format!("535 5.7.8 {token} has expired"), "535 5.7.8 [removed] has expired");
        check(&[token], "535 ya29.a0Af_long has expired", "535 [removed] has expired");
        check(&[token], "535-ya29.a0Af_lo\r\n535 with+signs==", "535-[removed]\r\n535 [removed]");
        check(&[token, "AGFubmEAc2VjcmV0LTE="], "failed: AGFubmEAc2VjcmV0LTE=", "failed: [removed]");
        check(&["s3cr3t!"], "no s3cr3t!s3cr3t! here", "no [removed] here");
        check(&[], "535 5.7.8 no", "535 5.7.8 no");
    }

    #[test]
    fn lines_of_a_sign_in_are_taken_out_too() {
        let mut scrub = Scrub::default();
        for line in
            ["AUTH OAUTHBEARER\r\n", "AUTH PLAIN AGFubmEAc2VjcmV0LTE=\r\n", "dXNlcj1hbm5hQHByYWN0aWNl\r\n"]
        {
            scrub.add_line(line.as_bytes());
        }
        let words = b"535 OAUTHBEARER failed: AGFubmEAc2VjcmV0LTE= dXNlcj1hbm5h".to_vec();
        assert_eq!(scrub.clean(words), b"535 OAUTHBEARER failed: [removed] [removed]");
    }

    #[test]
    fn words_that_happen_to_be_a_password_stay() {
        for secret in ["Password", "535 5.7.8", "12345678", "a1", ""] {
            let words = "535 5.7.8 Username and Password not accepted 12345678 a1";
            check(&[secret], words, words);
        }
    }
}
