//! OAuth services.

use super::*;

pub(super) fn grant(kind: Option<&str>, error: &str, text: &str) -> Diagnosis {
    Catalogue::embedded().diagnose(&Evidence::OAuth { provider_kind: kind, error, text })
}

fn entries() -> Vec<ReplyEntry> {
    toml::from_str::<CatalogueFile>(Files::EMBEDDED.oauth).unwrap().reply
}

fn samples(entry: &ReplyEntry) -> impl Iterator<Item = &OAuthSample> {
    entry.samples.iter().map(|it| match it {
        Sample::OAuth(sample) => sample,
        Sample::Line(line) => panic!("{}: {line} has no word in error", entry.id),
    })
}

#[test]
fn every_sample_of_an_oauth_service_is_judged_by_its_own_rule() {
    let mut n_samples = 0;
    for entry in entries() {
        for sample in samples(&entry) {
            let kind =
                ["microsoft", "google"].into_iter().find(|it| *it == entry.provider).unwrap_or("custom");
            let text = sample.words();
            for text in [
                text.clone(),
                text.to_uppercase(),
                text.replace(' ', "\r\n"),
                format!("{text} Trace ID: 0f6b9d3c-53a1-4c7e-9b0e-8f1d2c3b4a59 Correlation ID: 1d2c3b4a"),
            ] {
                assert_eq!(
                    grant(Some(kind), &sample.error, &text).rule,
                    entry.id,
                    "{}: {text}",
                    sample.error
                );
                n_samples += 1;
            }
        }
    }
    assert!(n_samples > 200, "{n_samples}");
}

#[test]
fn the_word_in_error_decides_the_class_and_numbers_only_the_words() {
    for codes in ["50076", "90033", "50196", "7000222", "AADSTS53003", ""] {
        for (error, holds) in [
            ("invalid_grant", true),
            ("interaction_required", true),
            ("invalid_client", true),
            ("access_denied", true),
            ("temporarily_unavailable", false),
            ("server_error", false),
            ("slow_down", false),
            ("a_word_of_next_year", false),
            ("", false),
        ] {
            for kind in [None, Some("microsoft"), Some("google"), Some("custom")] {
                let got = grant(kind, error, codes);
                assert_eq!(got.retry == RetryClass::Hold, holds, "{kind:?} {error} {codes}: {}", got.rule);
            }
        }
    }
}

#[test]
fn one_providers_words_are_not_taken_for_anothers() {
    assert_eq!(grant(Some("google"), "invalid_grant", "AADSTS50076").rule, "x-generic-grant");
    assert_eq!(grant(None, "access_denied", "").rule, "oauth-denied");
    assert_eq!(grant(Some("google"), "access_denied", "").rule, "g-denied");
}
