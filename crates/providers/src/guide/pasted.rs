//! What people paste into the field of an app password.

use gatepost_core::SecretText;
use zeroize::Zeroizing;

use super::Guide;

/// A pasted app password, cleaned.
pub struct Pasted {
    /// Without what does not count: white space, invisible characters and, where the provider shows them, hyphens.
    pub secret: SecretText,
    /// It does not look like the provider's app passwords: almost certainly it is the account's own password, which should
    /// go nowhere before somebody has said that it is meant.
    pub looks_wrong: bool,
}

impl Guide {
    /// Cleans what was pasted. Providers show groups of letters; clipboards add line ends, no-break spaces and marks that
    /// nobody sees; keyboards of telephones begin with a capital letter.
    #[must_use]
    pub fn pasted(&self, text: &SecretText) -> Pasted {
        let counts = |it: &char| is_seen(*it) && !(self.strips_hyphens && is_hyphen(*it));
        let mut cleaned: Zeroizing<String> = Zeroizing::new(text.reveal().chars().filter(counts).collect());
        let fits = |text: &str| self.shape.as_ref().is_none_or(|shape| shape.is_match(text));
        if self.warns && !fits(&cleaned) && has_capitals_of_a_keyboard(&cleaned) {
            let small = Zeroizing::new(cleaned.to_ascii_lowercase());
            if fits(&small) {
                cleaned = small;
            }
        }
        let is_right = fits(&cleaned);
        let looks_wrong = self.warns && !is_right;
        Pasted { secret: SecretText::new(cleaned.to_string()), looks_wrong }
    }
}

/// Cleans a pasted id, secret or tenant of an application, which are one word each: without white space and without what nobody
/// sees.
#[must_use]
pub fn cleaned_secret(text: &SecretText) -> SecretText {
    let cleaned: Zeroizing<String> =
        Zeroizing::new(text.reveal().chars().filter(|it| is_seen(*it)).collect());
    SecretText::new(cleaned.to_string())
}

/// The first letter alone is a capital, or all of them are.
fn has_capitals_of_a_keyboard(text: &str) -> bool {
    let mut capitals = text.bytes().map(|it| it.is_ascii_uppercase());
    let is_first = capitals.next().unwrap_or_default();
    is_first && (capitals.clone().all(|it| it) || !capitals.any(|it| it))
}

fn is_seen(it: char) -> bool {
    !(it.is_whitespace() || it.is_control() || is_invisible(it))
}

/// Characters of the class Cf that get into clipboards: soft hyphen, zero-width ones, direction marks, the byte order mark.
fn is_invisible(it: char) -> bool {
    matches!(it, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
}

/// The hyphen, and what word processors make of it.
fn is_hyphen(it: char) -> bool {
    matches!(it, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Providers;

    #[track_caller]
    fn check(guide: &str, text: &str, want: &str, looks_wrong: bool) {
        let providers = Providers::embedded();
        let it = providers.guide(guide).unwrap().pasted(&SecretText::new(text.to_owned()));
        assert_eq!((it.secret.reveal(), it.looks_wrong), (want, looks_wrong), "{guide}: {text:?}");
    }

    #[test]
    fn what_clipboards_add_is_taken_out() {
        check("google", "abcd efgh ijkl mnop", "abcdefghijklmnop", false);
        check("google", "  abcd\u{a0}efgh\u{202f}ijkl\tmnop\r\n", "abcdefghijklmnop", false);
        check("google", "\u{feff}abcd\u{200b}efgh\u{ad}ijklmnop\u{200e}", "abcdefghijklmnop", false);
        check("apple", "abcd-efgh-ijkl-mnop", "abcdefghijklmnop", false);
        check("apple", "abcd\u{2010}efgh\u{2013}ijkl-mnop ", "abcdefghijklmnop", false);
        check("fastmail", "a1b2 c3d4 e5f6 g7h8", "a1b2c3d4e5f6g7h8", false);
    }

    #[test]
    fn capitals_that_a_keyboard_put_there_become_small_where_the_shape_has_small_letters_alone() {
        for guide in ["google", "yahoo", "aol", "apple", "sandbox"] {
            check(guide, "Abcd efgh ijkl mnop", "abcdefghijklmnop", false);
            check(guide, "ABCD EFGH IJKL MNOP", "abcdefghijklmnop", false);
            check(guide, "AbcdEfghIjklMnop", "AbcdEfghIjklMnop", true);
            check(guide, "Sommer", "Sommer", true);
        }
        check("fastmail", "A1b2 c3d4 e5f6 g7h8", "A1b2c3d4e5f6g7h8", false);
        check("zoho", "ABC", "ABC", false);
    }

    #[test]
    fn a_pasted_client_secret_loses_what_nobody_sees_and_nothing_else() {
        for (text, want) in [
            ("GOCSPX-a_b~8Q.c", "GOCSPX-a_b~8Q.c"),
            ("  GOCSPX-a_b\u{a0}~8Q.c\r\n", "GOCSPX-a_b~8Q.c"),
            ("\u{feff}a\u{200b}b\u{2011}c", "ab\u{2011}c"),
            (" \n", ""),
        ] {
            assert_eq!(cleaned_secret(&SecretText::new(text.to_owned())).reveal(), want, "{text:?}");
        }
    }

    #[test]
    fn what_looks_like_the_accounts_own_password_is_warned_about() {
        for guide in ["google", "yahoo", "aol", "sandbox"] {
            check(guide, "Sommer2026!", "Sommer2026!", true);
            check(guide, "abcd-efgh-ijkl-mnop", "abcd-efgh-ijkl-mnop", true);
            check(guide, "abcdefghijklmno", "abcdefghijklmno", true);
            check(guide, "", "", true);
        }
        check("apple", "Sommer-2026", "Sommer2026", true);
        // Where nobody knows the shape for sure, nobody is warned.
        check("fastmail", "Sommer2026!", "Sommer2026!", false);
        check("zoho", "AbC123xyz789", "AbC123xyz789", false);
        check("entra", "Sommer2026!", "Sommer2026!", false);
    }
}
