//! Switches, app passwords and access, over real sockets.

use serde_json::json;

use crate::oauth::tests::form;
use crate::tests::{Testbed, plain};

const PAGE: &str = "/mailboxes/ana@sandbox.test";
const ANA: &str = "ana@sandbox.test";

async fn turn(bed: &Testbed, setting: &str, value: &str) {
    let body = form(&[("setting", setting), ("value", value)]);
    assert_eq!(bed.http("POST", &format!("{PAGE}/security"), &body).await.0, 303);
}

#[tokio::test]
async fn app_passwords_are_refused_for_each_of_the_four_reasons() {
    let bed = Testbed::start().await;
    let path = format!("{PAGE}/app-passwords");
    for (switches, words) in [
        (vec![], "Two-step verification is off"),
        (vec![("second_step", "keys")], "security keys only"),
        (vec![("second_step", "codes"), ("forbids_app_passwords", "on")], "organisation that forbids"),
        (vec![("forbids_app_passwords", "off"), ("is_advanced", "on")], "Advanced protection is on"),
    ] {
        for (setting, value) in switches {
            turn(&bed, setting, value).await;
        }
        let page = bed.page(&path).await;
        assert!(page.contains("not available for your account") && page.contains(words), "{words}: {page}");
        let (status, page) = bed.http("POST", &path, "name=Gatepost").await;
        assert!(status == 403 && page.contains("You have no app passwords"), "{page}");
    }
    turn(&bed, "is_advanced", "off").await;
    let (status, page) = bed.http("POST", &path, "name=+").await;
    assert!(status == 400 && page.contains("Give the app a name"), "{page}");
}

#[tokio::test]
async fn an_app_password_is_shown_once_and_opens_what_the_password_no_longer_does() {
    let bed = Testbed::start().await;
    bed.signed_in(ANA).await;
    turn(&bed, "second_step", "codes").await;
    let mut client = bed.encrypted().await;
    let refusal = client.ask(&plain(ANA, "sandbox"), 534).await;
    assert!(refusal.starts_with("534 5.7.9 Application-specific password required"), "{refusal}");
    let path = format!("{PAGE}/app-passwords");
    let (status, page) = bed.http("POST", &path, "name=%3Cb%3EGatepost").await;
    let secret = page.split_once("<p class=\"secret\">").unwrap().1.split_once('<').unwrap().0;
    let is_group = |it: &str| it.len() == 4 && it.bytes().all(|b| b.is_ascii_lowercase());
    assert!(status == 200 && secret.split(' ').count() == 4 && secret.split(' ').all(is_group), "{page}");
    let bed = bed.restart().await;
    let mut client = bed.encrypted().await;
    client.ask(&plain(ANA, secret), 235).await;
    let list = bed.page(&path).await;
    assert!(list.contains("&#60;b&#62;Gatepost") && !list.contains(secret), "{list}");
    let id = list.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0;
    assert_eq!(bed.http("POST", &format!("{path}/remove"), &form(&[("id", id)])).await.0, 303);
    client.expect(421).await;
    bed.encrypted().await.ask(&plain(ANA, secret), 535).await;
    assert!(bed.page(&path).await.contains("You have no app passwords"));
}

#[tokio::test]
async fn the_page_of_a_mailbox_shows_and_turns_its_switches() {
    let bed = Testbed::start().await;
    let page = bed.page(PAGE).await;
    assert!(
        page.contains("Two-step verification: off") && page.contains("Advanced protection: off"),
        "{page}"
    );
    turn(&bed, "second_step", "codes").await;
    turn(&bed, "needs_approval", "on").await;
    let bed = bed.restart().await;
    let page = bed.page(PAGE).await;
    for words in ["Two-step verification: codes from the phone", "Approval by an administrator: on"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(bed.json("/api/phone/authenticators").await[0]["account"], ANA);
    let answer = bed.ask("POST", &format!("{PAGE}/browser"), "", "action=in").await;
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let signed_in = bed.ask("GET", PAGE, &format!("Cookie: {cookie}\r\n"), "").await;
    assert!(signed_in.body.contains("Sign out"), "{signed_in:?}");
    let mine = bed.ask("GET", "/app-passwords", &format!("Cookie: {cookie}\r\n"), "").await;
    assert_eq!(mine.header("location"), Some("/mailboxes/ana@sandbox.test/app-passwords"));
    bed.ask("POST", &format!("{PAGE}/browser"), &format!("Cookie: {cookie}\r\n"), "action=out").await;
    let signed_out = bed.ask("GET", PAGE, &format!("Cookie: {cookie}\r\n"), "").await;
    assert!(signed_out.body.contains("Sign in here"), "{signed_out:?}");
}

#[tokio::test]
async fn access_is_listed_expired_and_revoked_by_button() {
    let bed = Testbed::start().await;
    let granted = bed.grant(ANA, "mail.send offline_access").await;
    let (id, refresh) = (granted["id"].as_str().unwrap(), granted["refresh_token"].as_str().unwrap());
    let path = format!("{PAGE}/access");
    let page = bed.page(&path).await;
    assert!(page.contains("Send mail as you (SMTP)") && page.contains("good until"), "{page}");
    let press = async |action: &str| {
        assert_eq!(bed.http("POST", &path, &form(&[("grant", id), ("action", action)])).await.0, 303);
    };
    press("expire").await;
    assert!(bed.page(&path).await.contains("expired"));
    assert_eq!(bed.refresh(refresh).await.status, 200);
    assert!(bed.page(&path).await.contains("1 time, last"));
    press("revoke").await;
    press("revoke").await;
    assert!(bed.page(&path).await.contains("No applications"));
    assert_eq!(bed.refresh(refresh).await.status, 400);
    assert_eq!(bed.json("/api/tokens").await, json!([]));
}

#[tokio::test]
async fn an_application_is_registered_used_and_removed_on_its_page() {
    let bed = Testbed::start().await;
    let fields = [
        ("name", "<b>Practice"),
        ("redirects", "https://practice.example/oauth/callback/sandbox\r\n\r\n http://127.0.0.1/x "),
        ("kind", "web"),
    ];
    let (status, page) = bed.http("POST", "/applications", &form(&fields)).await;
    assert!(status == 200 && page.contains("secret-") && page.contains("&#60;b&#62;Practice"), "{page}");
    let id =
        page.split_once("<p class=\"label\">Client ID</p><p><code>").unwrap().1.split_once('<').unwrap().0;
    let listed = bed.page("/applications").await;
    assert!(listed.contains(id) && !listed.contains("secret-"), "{listed}");
    for (fields, words) in [
        ([("name", ""), ("redirects", "https://x.example/")], "Give the application a name"),
        ([("name", "x"), ("redirects", " ")], "at least one redirect address"),
        ([("name", "x"), ("redirects", "http://practice.example/")], "is no redirect address"),
    ] {
        let (status, page) = bed.http("POST", "/applications", &form(&fields)).await;
        assert!(status == 400 && page.contains(words), "{words}: {page}");
    }
    for _ in 0..2 {
        assert_eq!(bed.http("POST", "/applications/remove", &form(&[("id", id)])).await.0, 303);
    }
    assert!(!bed.page("/applications").await.contains(id));
    let tokens = form(&[("lifetime", "90"), ("rotation", "strict")]);
    assert_eq!(bed.http("POST", "/applications/tokens", &tokens).await.0, 303);
    let settings = bed.json("/api/oauth").await;
    assert_eq!((&settings["access_lifetime_s"], &settings["rotation"]), (&json!(90), &json!("strict")));
    let (status, page) =
        bed.http("POST", "/applications/tokens", &form(&[("lifetime", "soon"), ("rotation", "none")])).await;
    assert!(
        status == 400 && page.contains("whole number of seconds") && page.contains("value=\"soon\""),
        "{page}"
    );
}
