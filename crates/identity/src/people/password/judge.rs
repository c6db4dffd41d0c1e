//! Whether a new password will do (ID-1, ID-2, ID-4).

use gatepost_core::SecretText;
use zeroize::Zeroizing;

use super::blocklist::is_common;
use super::hash::Password;
use crate::PasswordProblem;

/// The fewest code points of a password: it can be the only factor of somebody (ID-1).
const LEAST: usize = 15;
/// What this program is called.
const PRODUCT: &str = "gatepost";

/// Reads a new password, or says what is wrong with it. `names`: the person's name, address and organisation.
pub(crate) fn judge(entry: &SecretText, names: &[&str]) -> Result<Password, PasswordProblem> {
    let password = Password::read(entry).ok_or(PasswordProblem::TooLong)?;
    let n = password.reveal().chars().count();
    if n < LEAST {
        return Err(PasswordProblem::TooShort { n, least: LEAST });
    }
    let small = Zeroizing::new(password.reveal().to_lowercase());
    let word = word(&small);
    // "Gatepost2026!!" is as good as "gatepost", and a word said twice is as good as said once.
    let forms = [small.as_str(), &word, bare(&small), bare(&word)];
    let forms: Vec<&str> = forms.into_iter().flat_map(|it| [it, repeated(it)]).collect();
    if forms.iter().any(|it| is_common(it)) || is_simple(repeated(&small)) {
        return Err(PasswordProblem::Common);
    }
    if is_made_of(&forms, PRODUCT) || names.iter().any(|name| parts(name).any(|it| is_made_of(&forms, it))) {
        return Err(PasswordProblem::Name);
    }
    Ok(password)
}

fn is_made_of(forms: &[&str], name: &str) -> bool {
    let name = word(name);
    let names = [&name, bare(&name)];
    forms.iter().any(|it| !it.is_empty() && names.contains(it))
}

/// A name as a whole and each of its words; of an address also what is on either side of the sign.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    let sides = name.split_once('@');
    let sides = sides.into_iter().flat_map(|(local, domain)| [local, domain]);
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|it| it.chars().count() > 2);
    std::iter::once(name).chain(sides).chain(words)
}

/// In small letters and without what stands between words.
fn word(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect())
}

/// Without the digits and signs that are put behind a word, and guessed along with it.
fn bare(text: &str) -> &str {
    text.trim_end_matches(|c: char| !c.is_alphabetic())
}

/// What the text is a repetition of; the text itself if it is none. "abcabcab" repeats "abc".
fn repeated(text: &str) -> &str {
    let ends = text.char_indices().map(|(at, _)| at).skip(1);
    let is_repeated = |end: &usize| text.as_bytes()[*end..] == text.as_bytes()[..text.len() - end];
    ends.take_while(|end| *end <= text.len() / 2).find(is_repeated).map_or(text, |end| &text[..end])
}

/// Up to three characters again and again, whatever they are.
fn is_simple(unit: &str) -> bool {
    unit.chars().nth(3).is_none() && !unit.is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: &[&str] = &["Anna Berg-Sørensen", "anna.berg@praxis-sued.example", "Praxis Süd 24"];

    fn judged(text: &str) -> Result<(), String> {
        let judged = judge(&SecretText::new(text.into()), NAMES);
        judged.map(drop).map_err(|problem| problem.to_string())
    }

    #[test]
    fn fifteen_to_two_hundred_and_fifty_six_code_points_are_taken() {
        let of = |n: usize| "gx🐎wé".chars().chain("plum".chars()).cycle().take(n).collect::<String>();
        for (n, is_taken) in
            [(0, false), (7, false), (8, false), (14, false), (15, true), (64, true), (256, true)]
        {
            assert_eq!(judged(&of(n)).is_ok(), is_taken, "{n}");
        }
        assert_eq!(judged(&of(14)), Err("has 14 characters, and needs at least 15".into()));
        assert_eq!(judged(&of(257)), Err("has more than 256 characters".into()));
    }

    #[test]
    fn what_is_guessed_first_is_refused_with_the_reason() {
        let common = Err("is one of those that are guessed first".to_owned());
        for it in [
            "passwordpassword",
            "PasswordPassword",
            "Password123456789!",
            "12345678901234567890",
            "aaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "111111111111111111",
            "!!!!!!!!!!!!!!!!",
            "１２３４５６７８９０９８７６５４３２１",
        ] {
            assert_eq!(judged(it), common, "{it}");
        }
    }

    #[test]
    fn names_that_others_know_are_refused() {
        let name = Err("is made of a name that others know".to_owned());
        for it in [
            "Gatepost2026!!!!",
            "gatepostgatepost",
            "gatepost gatepost",
            "Anna Berg-Sørensen",
            "annabergsørensen1984",
            "Sørensen1234567890",
            "anna.berg@praxis-sued.example",
            "praxis-sued.example",
            "Praxis Süd 24!!!",
            "PraxisSüd242424",
        ] {
            assert_eq!(judged(it), name, "{it}");
        }
        for it in ["gatepost keeps the horses in", "my password is a phrase", "anna berg likes plums"] {
            assert_eq!(judged(it), Ok(()), "{it}");
        }
    }

    proptest! {
        /// ID-2: no rules of composition. Of a text that begins and ends with unlikely words, nothing can be on a list.
        #[test]
        fn every_printable_text_of_legal_length_is_taken(text in "[\\PC]{0,200}") {
            let text = format!("zebra {text} quince plum");
            prop_assume!(Password::read(&SecretText::new(text.clone())).is_some());
            prop_assert_eq!(judged(&text), Ok(()));
        }

        #[test]
        fn whatever_is_typed_is_judged(text in "\\PC{0,300}") {
            let _ = judged(&text);
        }
    }
}
