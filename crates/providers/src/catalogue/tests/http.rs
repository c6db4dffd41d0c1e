//! Mail interfaces over HTTP.

use super::*;

fn request(kind: Option<&str>, status: u16, text: &str) -> Diagnosis {
    Catalogue::embedded().diagnose(&Evidence::Http { provider_kind: kind, status, text: text.as_bytes() })
}

#[test]
fn every_sample_of_a_mail_interface_is_judged_by_its_own_rule() {
    let mut n_samples = 0;
    for entry in toml::from_str::<CatalogueFile>(Files::EMBEDDED.http).unwrap().reply {
        let kind = ["microsoft", "google"].into_iter().find(|it| *it == entry.provider).unwrap_or("custom");
        for sample in lines(&entry) {
            let (status, words) = sample.split_once(' ').unwrap();
            let status = status.parse().unwrap();
            for text in [
                words.to_owned(),
                words.to_uppercase(),
                words.replace(' ', "\r\n"),
                format!("{words} client-request-id 0f6b9d3c-53a1-4c7e-9b0e-8f1d2c3b4a59"),
            ] {
                assert_eq!(request(Some(kind), status, &text).rule, entry.id, "{status} {text}");
                n_samples += 1;
            }
        }
    }
    assert!(n_samples > 120, "{n_samples}");
}

#[test]
fn unknown_words_of_a_mail_interface_get_the_general_answer() {
    for kind in [None, Some("microsoft"), Some("google"), Some("custom")] {
        assert_eq!(request(kind, 400, "Nobody ever said this").rule, "http-refused");
        assert_eq!(request(kind, 401, "").rule, "http-401");
        assert_eq!(request(kind, 403, "no").rule, "http-403");
        for status in [408, 429, 501, 599] {
            let it = request(kind, status, "invalid_grant ErrorMystery");
            assert!(matches!(it.retry, RetryClass::Backoff { .. }), "{status}: {}", it.rule);
        }
    }
    // One provider's words say nothing where another is asked.
    assert_eq!(request(Some("google"), 403, "ErrorSendAsDenied").rule, "http-403");
}
