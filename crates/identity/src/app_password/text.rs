//! The sixteen letters: made, shown once, read back however they were typed, and hashed.

use gatepost_core::{LoginId, SecretText, World};
use gatepost_vault::{Digest, PurposeKey, keyed_hash};
use zeroize::Zeroizing;

/// The letters of an app password in their canonical form: 16 of a–z, 75.2 bits (AP-1). Lives only between its making and its
/// being shown, or between a sign-in and its check. No `Debug`, no `Display`, no comparison, no copy (AP-3).
pub struct AppPasswordText(SecretText);

/// How many letters.
const LENGTH: usize = 16;

/// Longer texts are not looked at: no paste of an app password is.
const LONGEST_ENTRY_BYTES: usize = 256;

impl AppPasswordText {
    /// New letters, each as likely as any other.
    #[must_use]
    pub fn generate(world: &World) -> Self {
        let mut letters = Zeroizing::new(String::with_capacity(LENGTH));
        while letters.len() < LENGTH {
            let drawn = Zeroizing::new(world.random::<32>());
            // 234 is the largest multiple of 26 in a byte. Taking the rest as well would make a to v likelier than w to z.
            for byte in drawn.iter().filter(|byte| **byte < 234).take(LENGTH - letters.len()) {
                letters.push(char::from(b'a' + byte % 26));
            }
        }
        Self(SecretText::new(std::mem::take(&mut *letters)))
    }

    /// Reads what somebody typed or pasted: in any case, with or without spaces, hyphens, line ends and the invisible
    /// characters that pages and word processors put in. `None` if that leaves anything but sixteen letters.
    #[must_use]
    pub fn parse(entry: &str) -> Option<Self> {
        if entry.len() > LONGEST_ENTRY_BYTES {
            return None;
        }
        let mut letters = Zeroizing::new(String::with_capacity(LENGTH));
        for c in entry.chars().filter(|c| !is_ornament(*c)) {
            if !c.is_ascii_alphabetic() || letters.len() == LENGTH {
                return None;
            }
            letters.push(c.to_ascii_lowercase());
        }
        (letters.len() == LENGTH).then(|| Self(SecretText::new(std::mem::take(&mut *letters))))
    }

    /// As it is shown, once: `abcd efgh ijkl mnop`.
    #[must_use]
    pub fn grouped(&self) -> SecretText {
        let letters = self.0.reveal();
        let mut grouped = String::with_capacity(LENGTH + 3);
        for (n, c) in letters.chars().enumerate() {
            if n > 0 && n % 4 == 0 {
                grouped.push(' ');
            }
            grouped.push(c);
        }
        SecretText::new(grouped)
    }
}

/// What is between the letters and means nothing.
fn is_ornament(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// What the database keeps, and what an entry is looked up by: the keyed hash over the login and the letters (AP-2).
///
/// An entry that is no app password at all gives the digest of nothing that was ever made, after the same work.
pub(crate) fn digest(key: &PurposeKey, login: LoginId, text: Option<&AppPasswordText>) -> Digest {
    let letters = text.map_or("not an app passw", |it| it.0.reveal());
    keyed_hash(key, &[login.uuid().as_bytes(), letters.as_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use static_assertions::assert_not_impl_any;

    use super::*;

    // AP-3, checked while compiling: nothing can print, copy or compare it.
    assert_not_impl_any!(AppPasswordText: std::fmt::Debug, std::fmt::Display, Clone, PartialEq, ToString);

    #[track_caller]
    fn check(entry: &str, want: Option<&str>) {
        let got = AppPasswordText::parse(entry);
        assert_eq!(got.as_ref().map(|it| it.0.reveal()), want, "{entry:?}");
    }

    #[test]
    fn what_is_typed_or_pasted_is_understood() {
        let letters = Some("abcdefghijklmnop");
        for entry in [
            "abcdefghijklmnop",
            "abcd efgh ijkl mnop",
            "ABCD EFGH IJKL MNOP",
            "Abcd Efgh Ijkl Mnop",
            "  abcd efgh ijkl mnop\r\n",
            "abcd-efgh-ijkl-mnop",
            "abcd\u{2013}efgh\u{2011}ijkl\u{2014}mnop",
            "abcd\u{a0}efgh\u{202f}ijkl\u{a0}mnop",
            "abcd\tefgh\nijkl\r\nmnop",
            "\u{feff}abcd\u{200b}efgh\u{2060}ijkl\u{ad}mnop",
            "a b c d e f g h i j k l m n o p",
        ] {
            check(entry, letters);
        }
    }

    #[test]
    fn what_is_no_app_password_is_not_taken_for_one() {
        for entry in [
            "",
            " ",
            "abcd",
            "abcd efgh ijkl mno",
            "abcd efgh ijkl mnopq",
            "abcd efgh ijkl mno1",
            "abcd_efgh_ijkl_mnop",
            "ａbcdefghijklmnop",
            "абвгдежзийклмноп",
            "abcd efgh ijkl mnö",
            "\"abcdefghijklmnop\"",
            "abcdefghijklmnop\0",
        ] {
            check(entry, None);
        }
        check(&" ".repeat(1_000_000), None);
        check(&"a".repeat(1_000_000), None);
    }

    #[test]
    fn it_is_shown_in_four_groups() {
        let text = AppPasswordText::parse("abcdefghijklmnop").unwrap();
        assert_eq!(text.grouped().reveal(), "abcd efgh ijkl mnop");
    }

    /// Pearson's statistic over 26 letters that should be equally likely.
    fn chi_square(counts: &[u32; 26]) -> f64 {
        let expected = f64::from(counts.iter().sum::<u32>()) / 26.0;
        counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum()
    }

    // AP-1: chi-square on a million symbols. Beyond 80 lies one in 10 million fair draws (25 degrees of freedom).
    #[test]
    fn every_letter_is_equally_likely() {
        let (world, _) = gatepost_testkit::world();
        let mut counts = [0; 26];
        for _ in 0..62_500 {
            for letter in AppPasswordText::generate(&world).0.reveal().bytes() {
                counts[usize::from(letter - b'a')] += 1;
            }
        }
        assert_eq!(counts.iter().sum::<u32>(), 1_000_000);
        assert!(chi_square(&counts) < 80.0, "{counts:?}");

        // Negative control: the usual mistake, a byte modulo 26, is found by the same measure.
        let mut biased = [0; 26];
        for _ in 0..31_250 {
            for byte in world.random::<32>() {
                biased[usize::from(byte % 26)] += 1;
            }
        }
        assert!(chi_square(&biased) > 80.0, "{biased:?}");
    }

    proptest! {
        #[test]
        fn what_is_shown_parses_back_however_it_is_spaced(gaps in proptest::collection::vec(0_usize..4, 16), upper in any::<u16>()) {
            let (world, _) = gatepost_testkit::world();
            let text = AppPasswordText::generate(&world);
            let mut entry = String::new();
            for (n, c) in text.0.reveal().chars().enumerate() {
                entry.push(if upper & (1 << n) == 0 { c } else { c.to_ascii_uppercase() });
                entry.push_str(&" -\u{a0}"[..gaps[n].min(2)]);
            }
            let parsed = AppPasswordText::parse(&entry).unwrap();
            prop_assert_eq!(parsed.0.reveal(), text.0.reveal());
            prop_assert!(AppPasswordText::parse(text.grouped().reveal()).is_some());
        }

        #[test]
        fn no_entry_makes_it_panic(entry in "\\PC{0,300}") {
            let _ = AppPasswordText::parse(&entry);
        }
    }
}
