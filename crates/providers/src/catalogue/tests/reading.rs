//! IMAP and POP3.

use super::sample::apart;
use super::*;

const KINDS: [&str; 6] = ["microsoft", "google", "yahoo", "icloud", "fastmail", "zoho"];

pub(super) fn imap(kind: Option<&str>, phase: Phase, line: &str) -> Diagnosis {
    let (status, code, text) = apart(line);
    let text = text.as_bytes();
    Catalogue::embedded().diagnose(&Evidence::Imap { provider_kind: kind, phase, status, code, text })
}

pub(super) fn pop3(kind: Option<&str>, phase: Phase, line: &str) -> Diagnosis {
    let (status, code, text) = apart(line);
    assert!(status.eq_ignore_ascii_case("-err") || !line.starts_with('-'), "{line}");
    // What is not even an error is judged by its words.
    let text = if status.starts_with('-') { text } else { line };
    Catalogue::embedded().diagnose(&Evidence::Pop3 {
        provider_kind: kind,
        phase,
        code,
        text: text.as_bytes(),
    })
}

fn phase_of(entry: &ReplyEntry) -> Phase {
    entry.phases().first().copied().unwrap_or(
        if entry.id.contains("strange") || entry.id.ends_with("refused") {
            Phase::Upkeep
        } else {
            Phase::Auth
        },
    )
}

#[test]
fn every_sample_of_a_reading_protocol_is_judged_by_its_own_rule() {
    let mut n_samples = 0;
    type Ask = fn(Option<&str>, Phase, &str) -> Diagnosis;
    for (file, ask) in [(Files::EMBEDDED.imap, imap as Ask), (Files::EMBEDDED.pop3, pop3 as Ask)] {
        for entry in toml::from_str::<CatalogueFile>(file).unwrap().reply {
            // POP3 knows no status but -ERR, so nothing else reaches its rules.
            if entry.id == "pop-strange" {
                continue;
            }
            for sample in lines(&entry) {
                let kind = KINDS.into_iter().find(|it| *it == entry.provider).unwrap_or("custom");
                for line in [
                    sample.to_owned(),
                    sample.to_uppercase(),
                    sample.to_lowercase(),
                    sample.replace(' ', "  "),
                    format!("{sample} [imap-7.example.net 1a2b3c]"),
                ] {
                    let got = ask(Some(kind), phase_of(&entry), &line);
                    assert_eq!(got.rule, entry.id, "{kind}: {line}");
                    n_samples += 1;
                }
            }
        }
    }
    assert!(n_samples > 200, "{n_samples}");
}

#[test]
fn a_refusal_that_nobody_knows_holds_at_the_sign_in_and_nowhere_else() {
    for (phase, holds) in
        [(Phase::Greeting, false), (Phase::StartTls, false), (Phase::Auth, true), (Phase::Upkeep, false)]
    {
        for line in ["NO never heard of", "BAD never heard of", "NO [SOMETHING new] never heard of"] {
            assert_eq!(imap(None, phase, line).retry == RetryClass::Hold, holds, "{phase:?}: {line}");
        }
        let got = pop3(None, phase, "-ERR never heard of");
        assert_eq!(got.retry == RetryClass::Hold, holds, "{phase:?}: {}", got.rule);
    }
}

// AP-11, OC-7: trouble on the other side is never taken for a wrong password.
#[test]
fn a_code_that_says_for_the_moment_holds_no_account_whatever_the_text_says() {
    for text in
        ["Invalid credentials", "Application-specific password required", "AuthFailed BasicAuthBlocked"]
    {
        for code in ["UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "OVERQUOTA", "unavailable"] {
            let got = imap(Some("google"), Phase::Auth, &format!("NO [{code}] {text}"));
            assert!(got.retry != RetryClass::Hold, "{code} {text}: {}", got.rule);
        }
        let got = imap(Some("microsoft"), Phase::Auth, &format!("BYE {text}"));
        assert!(got.retry != RetryClass::Hold, "{text}: {}", got.rule);
        for code in ["SYS/TEMP", "IN-USE", "LOGIN-DELAY"] {
            let got = pop3(Some("google"), Phase::Auth, &format!("-ERR [{code}] {text}"));
            assert!(got.retry != RetryClass::Hold, "{code} {text}: {}", got.rule);
        }
    }
}

#[test]
fn a_wait_that_the_words_name_is_kept_up_to_a_quarter_of_an_hour() {
    for (millis, want) in [("92415", 92_415), ("1", 1), ("999999999", 900_000)] {
        let got = imap(
            Some("microsoft"),
            Phase::Upkeep,
            &format!("BAD Request is throttled. Suggested Backoff Time: {millis} milliseconds"),
        );
        assert_eq!(got.retry, RetryClass::Backoff { at_least: Duration::from_millis(want) });
    }
}

#[test]
fn untagged_words_in_front_of_the_answer_count() {
    let text = b"Web login required. [ALERT] Please log in (Failure)";
    let got = Catalogue::embedded().diagnose(&Evidence::Imap {
        provider_kind: Some("google"),
        phase: Phase::Auth,
        status: "NO",
        code: Some("WEBALERT https://accounts.google.com/signin/continue?sarp=1"),
        text,
    });
    assert_eq!(got.rule, "im-g-web");
}

proptest! {
    #[test]
    fn any_words_of_a_mail_server_get_an_answer(
        status in "\\PC{0,6}",
        code in proptest::option::of("\\PC{0,40}"),
        text in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        for phase in [Phase::Greeting, Phase::Auth, Phase::Upkeep] {
            let (provider_kind, code) = (Some("microsoft"), code.as_deref());
            let catalogue = Catalogue::embedded();
            let imap = catalogue.diagnose(&Evidence::Imap { provider_kind, phase, status: &status, code, text: &text });
            let pop3 = catalogue.diagnose(&Evidence::Pop3 { provider_kind, phase, code, text: &text });
            prop_assert!(imap.rule.starts_with("im-") && pop3.rule.starts_with("pop-"));
        }
    }
}
