//! The phone by its parts, by HTTP and over a restart.

use gatepost_core::{SecretText, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::SandboxError;
use crate::tests::Testbed;

/// The secret of the standard's test vectors, `12345678901234567890`.
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn read(uri: &str) -> Result<Account, AccountError> {
    Account::from_uri(&SecretText::new(uri.to_owned()))
}

fn typed(name: &str, key: &str) -> Result<Account, AccountError> {
    Account::from_key(name, &SecretText::new(key.to_owned()))
}

#[track_caller]
fn check_code(uri: &str, second: i64, figures: &str, seconds_left: u64) {
    let code = read(uri).unwrap_or_else(|error| panic!("{uri}: {error}")).code(at(second));
    assert_eq!((code.figures.as_str(), code.seconds_left), (figures, seconds_left), "{uri} at {second}");
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

#[test]
fn codes_are_those_of_the_standard() {
    // The standard, Appendix B.
    for (second, figures) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ] {
        let uri = format!("otpauth://totp/ana?digits=8&secret={KEY}");
        check_code(&uri, second, figures, 30 - second.unsigned_abs() % 30);
        check_code(
            &format!("otpauth://totp/ana?secret={KEY}"),
            second,
            &figures[2..],
            30 - second.unsigned_abs() % 30,
        );
    }
    check_code(&format!("otpauth://totp/ana?period=60&secret={KEY}"), 59, "755224", 1);
    // A clock before 1970 is no reason to fall over.
    check_code(&format!("otpauth://totp/ana?secret={KEY}"), -5, "755224", 30);
}

#[test]
fn names_come_from_the_address() {
    for (label, issuer, account) in [
        ("ana", "", "ana"),
        ("Practice:ana@practice.example", "Practice", "ana@practice.example"),
        ("Practice%20One%3A%20ana%40practice.example", "Practice One", "ana@practice.example"),
        ("Z%C3%A4hne:%C3%A4nne", "Zähne", "änne"),
    ] {
        let account_read = read(&format!("otpauth://totp/{label}?secret={KEY}")).unwrap();
        let want = Name { issuer: issuer.to_owned(), account: account.to_owned() };
        assert_eq!(*account_read.name(), want, "{label}");
    }
    let with_parameter = read(&format!("otpauth://totp/ana?issuer=Practice&secret={KEY}")).unwrap();
    assert_eq!(with_parameter.name().issuer, "Practice");
}

#[test]
fn what_is_no_account_is_refused_by_its_reason() {
    let long = "x".repeat(129);
    for (uri, want) in [
        ("", AccountError::NotOtpauth),
        ("https://practice.example/", AccountError::NotOtpauth),
        ("otpauth", AccountError::NotOtpauth),
        ("ötpauth://totp/ana", AccountError::NotOtpauth),
        (&format!("otpauth://hotp/ana?counter=1&secret={KEY}"), AccountError::NotOtpauth),
        (&format!("otpauth://totp/{}?secret={KEY}", "x".repeat(4_000)), AccountError::NotOtpauth),
        ("otpauth://totp/ana", AccountError::Incomplete),
        (&format!("otpauth://totp/?secret={KEY}"), AccountError::Incomplete),
        (&format!("otpauth://totp/A:ana?issuer=B&secret={KEY}"), AccountError::Incomplete),
        (&format!("otpauth://totp/A:b:c?secret={KEY}"), AccountError::Name),
        (&format!("otpauth://totp/{long}?secret={KEY}"), AccountError::Name),
        ("otpauth://totp/ana?secret=1818", AccountError::Key),
        ("otpauth://totp/ana?secret=GEZDGNBVGY3TQOJQ", AccountError::Key),
        (&format!("otpauth://totp/ana?digits=9&secret={KEY}"), AccountError::Kind),
        (&format!("otpauth://totp/ana?digits=many&secret={KEY}"), AccountError::Kind),
        (&format!("otpauth://totp/ana?period=0&secret={KEY}"), AccountError::Kind),
        (&format!("otpauth://totp/ana?period=18446744073709551615&secret={KEY}"), AccountError::Kind),
        (&format!("otpauth://totp/ana?algorithm=MD5&secret={KEY}"), AccountError::Kind),
    ] {
        assert_eq!(read(uri).err(), Some(want), "{uri}");
    }
    for (name, key, want) in [
        (" ", KEY, AccountError::NoName),
        ("ana", "", AccountError::Key),
        ("ana", "GEZD GNBV", AccountError::Key),
        ("ana", "not a key at all, by any means", AccountError::Key),
        ("a:b", KEY, AccountError::Name),
    ] {
        assert_eq!(typed(name, key).err(), Some(want), "{name:?} {key:?}");
    }
}

#[test]
fn a_key_may_be_typed_in_groups_and_in_any_case() {
    let want = typed("ana", KEY).unwrap().code(at(59)).figures;
    for key in [
        "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
        " GEZDGNBV-GY3TQOJQ-GEZDGNBV-GY3TQOJQ ",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ====",
    ] {
        assert_eq!(typed(" ana ", key).unwrap().code(at(59)).figures, want, "{key}");
    }
}

proptest! {
    #[test]
    fn nothing_shown_to_the_phone_makes_it_fall_over(
        label in ".{0,40}", query in "(secret=[A-Z2-7]{0,60}|digits=[0-9]{1,3}|period=[0-9]{1,20}|&|.){0,6}", second in any::<i32>(),
    ) {
        if let Ok(account) = read(&format!("otpauth://totp/{label}?{query}")) {
            let code = account.code(at(i64::from(second)));
            prop_assert!(code.seconds_left >= 1 && code.figures.bytes().all(|it| it.is_ascii_digit()));
            // What is kept is read again as the same account.
            let uri = account.to_uri().unwrap();
            let again = Account::from_uri(&uri).unwrap();
            prop_assert_eq!(again.code(at(i64::from(second))), code);
        }
        let _ = typed(&label, &query);
    }
}

fn put(uri: &str) -> String {
    json!({ "uri": uri }).to_string()
}

#[tokio::test]
async fn the_same_account_again_replaces_and_a_removed_one_is_gone() {
    let bed = Testbed::start().await;
    let path = "/api/phone/authenticators";
    for (uri, n_accounts) in [
        (format!("otpauth://totp/Practice:ana?secret={KEY}"), 1),
        (format!("otpauth://totp/Practice:ben?secret={KEY}"), 2),
        (format!("otpauth://totp/Elsewhere:ana?secret={KEY}"), 3),
        (format!("otpauth://totp/Practice:ana?digits=8&secret={KEY}"), 3),
    ] {
        let (status, answer) = bed.http("PUT", path, &put(&uri)).await;
        assert_eq!(status, 200, "{uri}: {answer}");
        assert_eq!(bed.json(path).await.as_array().unwrap().len(), n_accounts, "{uri}");
    }
    let shown = bed.json(path).await;
    let code = typed("ana", KEY).unwrap().code(bed.world.now());
    assert_eq!(
        shown[1],
        json!({"issuer": "Practice", "account": "ben", "code": code.figures, "seconds_left": code.seconds_left})
    );
    assert_eq!(shown[0]["code"].as_str().unwrap().len(), 8);
    let one = format!("{path}?issuer=Practice&account=ana");
    assert_eq!(bed.http("DELETE", &one, "").await.0, 204);
    assert_eq!(bed.http("DELETE", &one, "").await.0, 404);
    assert_eq!(bed.json(path).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_refused_account_is_told_in_words_and_without_its_secret() {
    let bed = Testbed::start().await;
    for (body, want) in [
        ("", "Send a JSON object with uri"),
        ("{}", "Send a JSON object with uri"),
        ("{\"uri\":\"otpauth://totp/a?secret=GEZDGNBVGY\",\"x\":1}", "Send a JSON object with uri"),
        ("{\"uri\":\"https://practice.example\"}", "begins with otpauth://totp/"),
        ("{\"uri\":\"otpauth://totp/ana?secret=GEZDGNBVGY\"}", "at least 26"),
    ] {
        let (status, answer) = bed.http("PUT", "/api/phone/authenticators", body).await;
        assert!(status == 400 && answer.contains(want) && !answer.contains("GEZDGNBVGY"), "{body}: {answer}");
    }
    assert_eq!(bed.json("/api/phone/authenticators").await, json!([]));
    assert_eq!(bed.json("/api/phone").await, json!([]), "texts and calls are something else");
}

#[tokio::test]
async fn another_process_gives_the_phone_an_account_that_survives_a_restart() {
    let bed = Testbed::start().await;
    let uri = SecretText::new(format!("otpauth://totp/Practice:ana%40practice.example?secret={KEY}"));
    let code = give_phone(bed.ready.pages, &uri).await.unwrap();
    assert!(code.reveal().len() == 6 && code.reveal().bytes().all(|it| it.is_ascii_digit()));
    let refused =
        give_phone(bed.ready.pages, &SecretText::new("otpauth://totp/ana?secret=AAAA".into())).await;
    let words = refused.err().unwrap().to_string();
    assert!(words.contains("at least 26") && !words.contains("AAAA"), "{words}");
    let before = bed.json("/api/phone/authenticators").await;
    let bed = bed.restart().await;
    assert_eq!(bed.json("/api/phone/authenticators").await, before);
    assert_eq!(before[0]["account"], "ana@practice.example");
    let pages = bed.ready.pages;
    bed.stop();
    let record = bed.data.path().join("sandbox/phone.json");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(record).unwrap().permissions().mode() & 0o777, 0o600);
    drop(bed.stopped().await);
    let nobody = give_phone(pages, &uri).await.err().unwrap();
    assert!(matches!(nobody, SandboxError::NoAnswer { pages: it } if it == pages), "{nobody}");
}

#[tokio::test]
async fn accounts_are_added_and_removed_by_form() {
    let bed = Testbed::start().await;
    assert!(bed.page("/phone").await.contains("No accounts yet"));
    assert!(bed.page("/").await.contains("href=\"/phone\""), "the start page leads there");
    let key = KEY.to_ascii_lowercase();
    assert_eq!(bed.http("POST", "/phone", &format!("key={key}&name=ana")).await.0, 303);
    let address = format!("key=otpauth%3A%2F%2Ftotp%2FPractice%3Aben%3Fsecret%3D{KEY}&name=");
    assert_eq!(bed.http("POST", "/phone", &address).await.0, 303);
    let page = bed.page("/phone").await;
    let figures = typed("ana", KEY).unwrap().code(bed.world.now()).figures;
    let shown = format!("{} {}", &figures[..3], &figures[3..]);
    assert_eq!(page.matches(&shown).count(), 2, "{page}");
    assert!(!page.to_ascii_lowercase().contains(&key), "{page}");
    // What was typed wrongly is still there, with what is wrong with it beside its field.
    let (status, page) = bed.http("POST", "/phone", "key=GEZD&name=%3Cb%3E").await;
    assert!(
        status == 400 && page.contains("at least 26") && page.contains("value=\"&#60;b&#62;\""),
        "{page}"
    );
    let (status, page) = bed.http("POST", "/phone", &format!("key={KEY}&name=")).await;
    assert!(status == 400 && page.contains("id=\"name-error\""), "{page}");
    for _ in 0..2 {
        assert_eq!(bed.http("POST", "/phone/remove", "issuer=&account=ana").await.0, 303);
    }
    assert_eq!(bed.page("/phone").await.matches(&shown).count(), 1);
}
