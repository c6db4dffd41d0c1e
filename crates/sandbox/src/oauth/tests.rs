//! The endpoints over real sockets.

use serde_json::{Value, json};

use super::Digest;
use crate::tests::{Answer, Testbed, base64};

const ANA: &str = "ana@sandbox.test";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:8025/oauth/callback/sandbox";

/// A form of these fields.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Testbed {
    async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        self.ask("POST", "/oauth2/token", "", &form(fields)).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Answer {
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "gatepost-sandbox")];
        self.token(&fields).await
    }

    /// Consent without a browser.
    pub(crate) async fn grant(&self, account: &str, scopes: &str) -> Value {
        let body = json!({"account": account, "client_id": "gatepost-sandbox", "scopes": scopes}).to_string();
        let answer = self.ask("POST", "/api/oauth/grants", "", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) async fn set_oauth(&self, settings: Value) {
        let (status, body) = self.http("PUT", "/api/oauth", &settings.to_string()).await;
        assert_eq!(status, 200, "{body}");
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (status, Some(error)), "{answer:?}");
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_the_standard() {
    let bed = Testbed::start().await;
    let good = text(&bed.grant(ANA, "mail.send offline_access").await, "refresh_token");
    let client = ("client_id", "gatepost-sandbox");
    let refresh = ("grant_type", "refresh_token");
    let code = ("grant_type", "authorization_code");
    for (fields, status, error) in [
        (vec![], 400, "invalid_request"),
        (vec![client], 400, "invalid_request"),
        (vec![client, ("grant_type", "password")], 400, "unsupported_grant_type"),
        (vec![refresh, ("refresh_token", &good)], 401, "invalid_client"),
        (vec![refresh, ("refresh_token", &good), ("client_id", "x")], 401, "invalid_client"),
        (vec![refresh, ("refresh_token", &good), client, ("client_secret", "x")], 401, "invalid_client"),
        (vec![refresh, client], 400, "invalid_request"),
        (vec![refresh, client, ("refresh_token", "x")], 400, "invalid_grant"),
        (vec![refresh, client, client, ("refresh_token", &good)], 400, "invalid_request"),
        (vec![refresh, client, ("refresh_token", &good), ("scope", "mail.read.imap")], 400, "invalid_scope"),
        (vec![refresh, client, ("refresh_token", &good), ("scope", "x")], 400, "invalid_scope"),
        (vec![code, client], 400, "invalid_request"),
        (vec![code, client, ("code", "x")], 400, "invalid_request"),
        (vec![code, client, ("code", "x"), ("code_verifier", VERIFIER)], 400, "invalid_grant"),
    ] {
        refused(&bed.token(&fields).await, status, error);
    }
    let answer = bed.refresh(&good).await;
    assert_eq!(answer.status, 200, "what was refused has changed nothing");
    assert_eq!(
        (answer.header("cache-control"), answer.header("pragma")),
        (Some("no-store"), Some("no-cache"))
    );
}

#[tokio::test]
async fn a_client_with_a_secret_proves_itself_by_header_or_body() {
    let bed = Testbed::start().await;
    let new = json!({"name": "Practice", "redirects": ["https://practice.example/back"], "has_secret": true});
    let answer = bed.ask("POST", "/api/oauth/clients", "", &new.to_string()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let (id, secret) = (text(&answer.json(), "client_id"), text(&answer.json(), "client_secret"));
    let body = json!({"account": ANA, "client_id": id}).to_string();
    let granted = bed.ask("POST", "/api/oauth/grants", "", &body).await.json();
    // Both survive a restart.
    let bed = bed.restart().await;
    let token = text(&granted, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    let basic = |text: &str| format!("Authorization: Basic {}\r\n", base64(text));
    for (header, more, want) in [
        (basic(&format!("{id}:{secret}")), vec![], 200),
        (basic(&format!("{id}:wrong")), vec![], 401),
        (basic("nonsense"), vec![], 401),
        ("Authorization: Bearer x\r\n".to_owned(), vec![], 401),
        (basic(&format!("{id}:{secret}")), vec![("client_secret", secret.as_str())], 400),
        (String::new(), vec![("client_id", id.as_str())], 401),
        (String::new(), vec![("client_id", id.as_str()), ("client_secret", secret.as_str())], 200),
    ] {
        let body = form(&fields.iter().chain(&more).copied().collect::<Vec<_>>());
        let answer = bed.ask("POST", "/oauth2/token", &header, &body).await;
        assert_eq!(answer.status, want, "{header} {more:?}: {answer:?}");
        let is_told = answer.header("www-authenticate").is_some();
        assert_eq!(is_told, want == 401 && !header.is_empty(), "{answer:?}");
    }
    refused(&bed.refresh(&token).await, 400, "invalid_grant");
}

#[tokio::test]
async fn tokens_survive_a_restart_and_rotate() {
    let bed = Testbed::start().await;
    let first = text(&bed.grant(ANA, "mail.send openid email offline_access").await, "refresh_token");
    let bed = bed.restart().await;
    let second = bed.refresh(&first).await.json();
    assert_eq!(second["token_type"], "Bearer");
    assert_eq!(second["expires_in"], 3_600);
    assert_eq!(second["scope"], "mail.send openid email offline_access");
    assert!(second["id_token"].is_string());
    let bed = bed.restart().await;
    let third = bed.refresh(&text(&second, "refresh_token")).await.json();
    refused(&bed.refresh(&first).await, 400, "invalid_grant");
    assert_eq!(bed.refresh(&text(&third, "refresh_token")).await.status, 200, "the grant lives on");
    let grants = bed.json("/api/tokens").await;
    assert_eq!((&grants[0]["n_refreshes"], &grants[0]["account"]), (&json!(3), &json!(ANA)));
    let name = format!("oauth/grants/{}.json", text(&grants[0], "id"));
    let kept = std::fs::read_to_string(bed.data.path().join("sandbox").join(name)).unwrap();
    assert!(!kept.contains("refresh-") && !kept.contains("access-"), "digests alone are kept: {kept}");
}

#[tokio::test]
async fn a_lost_answer_is_forgiven_where_rotation_is_lenient_and_ends_the_grant_where_it_is_strict() {
    let bed = Testbed::start().await;
    for (rotation, want) in [("lenient", 200), ("strict", 400), ("none", 200)] {
        bed.set_oauth(json!({"rotation": rotation, "outage": {"kind": "drop_after", "times": 1}})).await;
        let granted = bed.grant(ANA, "mail.send offline_access").await;
        let (id, token) = (text(&granted, "id"), text(&granted, "refresh_token"));
        let body = form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &token),
            ("client_id", "gatepost-sandbox"),
        ]);
        let answer = bed.raw("POST", "/oauth2/token", "", &body).await;
        assert!(!answer.contains("access_token"), "{answer}");
        let n_refreshes = |grants: Value| {
            grants
                .as_array()
                .unwrap()
                .iter()
                .find(|it| it["id"] == id.as_str())
                .map(|it| it["n_refreshes"].clone())
        };
        assert_eq!(n_refreshes(bed.json("/api/tokens").await), Some(json!(1)), "{rotation}: it was rotated");
        assert_eq!(bed.refresh(&token).await.status, want, "{rotation}");
        let left = n_refreshes(bed.json("/api/tokens").await);
        assert_eq!(left, (want == 200).then(|| json!(2)), "{rotation}");
    }
}

#[tokio::test]
async fn of_many_at_once_each_grant_counts_its_refreshes() {
    let bed = std::sync::Arc::new(Testbed::start().await);
    bed.set_oauth(json!({"rotation": "none"})).await;
    let token = text(&bed.grant(ANA, "mail.send offline_access").await, "refresh_token");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (bed, token) = (bed.clone(), token.clone());
        asking.spawn(async move { bed.refresh(&token).await.status });
    }
    assert_eq!(asking.join_all().await, [200; 20]);
    assert_eq!(bed.json("/api/tokens").await[0]["n_refreshes"], 20);
}

#[tokio::test]
async fn trouble_comes_as_it_was_asked_for_and_goes() {
    let bed = Testbed::start().await;
    let token = text(&bed.grant(ANA, "mail.send offline_access").await, "refresh_token");
    bed.set_oauth(json!({"outage": 503})).await;
    refused(&bed.refresh(&token).await, 503, "temporarily_unavailable");
    bed.set_oauth(json!({"outage": {"status": 429, "retry_after_s": 7, "times": 1}})).await;
    let answer = bed.refresh(&token).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert_eq!(bed.json("/api/oauth").await["outages"], json!([]), "once is over");
    bed.set_oauth(json!({"outage": {"error": "invalid_grant", "description": "AADSTS50173: x"}})).await;
    assert_eq!(bed.refresh(&token).await.json()["error_description"], "AADSTS50173: x");
    bed.set_oauth(json!({"outage": {"kind": "garbage"}})).await;
    assert!(bed.refresh(&token).await.body.starts_with("<html>"));
    bed.set_oauth(json!({"outage": {"kind": "huge"}})).await;
    assert!(bed.refresh(&token).await.body.len() > 1 << 20);
    bed.set_oauth(json!({"outage": {"kind": "redirect", "location": "http://192.0.2.1/"}})).await;
    let answer = bed.refresh(&token).await;
    assert_eq!((answer.status, answer.header("location")), (307, Some("http://192.0.2.1/")));
    bed.set_oauth(json!({"outage": {"at": "revoke", "status": 500, "body": "no"}})).await;
    bed.set_oauth(json!({"outage": {"kind": "slow", "milliseconds": 1}})).await;
    assert_eq!(bed.refresh(&token).await.status, 200);
    bed.set_oauth(json!({"outage": null})).await;
    assert_eq!(bed.json("/api/oauth").await["outages"], json!([]));
    for bad in [
        json!({"outage": 99}),
        json!({"outage": {"kind": "burn"}}),
        json!({"outage": {"times": 0}}),
        json!({"outage": {"kind": "slow", "milliseconds": 1_000_000}}),
        json!({"outage": {"at": "authorize", "kind": "drop"}}),
        json!({"rotation": "sometimes"}),
        json!({"access_lifetime_s": 0}),
        json!({"narrow_scopes": ["mail"]}),
        json!({"x": 1}),
    ] {
        assert_eq!(bed.http("PUT", "/api/oauth", &bad.to_string()).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn permissions_can_be_taken_back_and_settings_survive_a_restart() {
    let bed = Testbed::start().await;
    let token = text(&bed.grant(ANA, "mail.send mail.read.imap offline_access").await, "refresh_token");
    bed.set_oauth(json!({"narrow_scopes": ["mail.send"], "access_lifetime_s": 60})).await;
    let bed = bed.restart().await;
    let answer = bed.refresh(&token).await.json();
    assert_eq!(answer["scope"], "mail.read.imap offline_access");
    assert_eq!(answer["expires_in"], 60);
    bed.set_oauth(json!({"narrow_scopes": []})).await;
    let answer = bed.refresh(&text(&answer, "refresh_token")).await.json();
    assert_eq!(answer["scope"], "mail.send mail.read.imap offline_access");
}

#[tokio::test]
async fn a_revoked_grant_is_gone_by_either_token_and_nobody_elses_is() {
    let bed = Testbed::start().await;
    let revoke = async |token: &str, client: &str| {
        let body = form(&[("token", token), ("client_id", client)]);
        bed.ask("POST", "/oauth2/revoke", "", &body).await
    };
    let kept = bed.grant("bo@sandbox.test", "mail.send offline_access").await;
    for name in ["refresh_token", "access_token"] {
        let granted = bed.grant(ANA, "mail.send offline_access").await;
        let token = text(&granted, name);
        assert_eq!(revoke(&token, "gatepost-sandbox").await.status, 200);
        refused(&bed.refresh(&text(&granted, "refresh_token")).await, 400, "invalid_grant");
        assert_eq!(revoke(&token, "gatepost-sandbox").await.status, 200, "again is as good");
    }
    assert_eq!(revoke("never ours", "gatepost-sandbox").await.status, 200);
    refused(&revoke("x", "nobody").await, 401, "invalid_client");
    let new = r#"{"name":"Other","redirects":["https://other.example/"]}"#;
    let other = text(&bed.ask("POST", "/api/oauth/clients", "", new).await.json(), "client_id");
    refused(&revoke(&text(&kept, "refresh_token"), &other).await, 400, "invalid_grant");
    assert_eq!(bed.refresh(&text(&kept, "refresh_token")).await.status, 200);
}

#[tokio::test]
async fn userinfo_tells_whose_mailbox_it_is_as_far_as_was_granted() {
    let bed = Testbed::start().await;
    let ask = async |token: &str| {
        let header = format!("Authorization: bearer {token}\r\n");
        bed.ask("GET", "/oauth2/userinfo", &header, "").await
    };
    let sub = Digest::of(ANA).to_text();
    for (scopes, status, want) in [
        ("openid email", 200, json!({"sub": sub, "email": ANA, "email_verified": true})),
        ("openid", 200, json!({"sub": sub})),
        ("mail.send", 403, Value::Null),
    ] {
        let granted = bed.grant(ANA, scopes).await;
        assert_eq!(granted["refresh_token"], Value::Null, "offline_access was not granted");
        let answer = ask(&text(&granted, "access_token")).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 200 {
            assert_eq!(answer.json(), want);
        }
    }
    let answer = ask("nonsense").await;
    let told = answer.header("www-authenticate");
    assert_eq!((answer.status, told), (401, Some("Bearer error=\"invalid_token\"")));
}

#[tokio::test]
async fn tokens_sign_in_at_smtp_while_they_live_and_for_what_they_are_for() {
    let bed = Testbed::start().await;
    let granted = bed.grant(ANA, "mail.send offline_access").await;
    let reading = text(&bed.grant(ANA, "mail.read.imap").await, "access_token");
    let token = text(&granted, "access_token");
    let xoauth2 = |user: &str, token: &str| {
        format!("AUTH XOAUTH2 {}", base64(&format!("user={user}\x01auth=Bearer {token}\x01\x01")))
    };
    let bearer = |name: &str, token: &str| {
        let message = format!("n,{name},\x01host=localhost\x01port=1\x01auth=Bearer {token}\x01\x01");
        format!("AUTH OAUTHBEARER {}", base64(&message))
    };
    for line in [
        xoauth2(ANA, &token),
        xoauth2("Ana@SANDBOX.test", &token).replace("Ana", "ana"),
        bearer(&format!("a={ANA}"), &token),
        bearer("", &token),
    ] {
        let mut client = bed.encrypted().await;
        client.ask(&line, 235).await;
        client.deliver(ANA, ANA, "Subject: x\r\n\r\ny", 250).await;
    }
    for line in [
        xoauth2("bo@sandbox.test", &token),
        xoauth2("ana", &token),
        xoauth2(ANA, &reading),
        xoauth2(ANA, &text(&granted, "refresh_token")),
        bearer("a=bo@sandbox.test", &token),
        bearer("", "nonsense"),
    ] {
        let mut client = bed.encrypted().await;
        client.ask(&line, 334).await;
        let refusal = client.ask("", 535).await;
        assert!(refusal.starts_with("535 5.7.8 "), "{refusal}");
    }
    bed.fault(r#"{"fault":"expire_tokens"}"#).await;
    let mut client = bed.encrypted().await;
    client.ask(&xoauth2(ANA, &token), 334).await;
    client.ask("", 535).await;
    let fresh = bed.refresh(&text(&granted, "refresh_token")).await.json();
    client.ask(&xoauth2(ANA, &text(&fresh, "access_token")), 235).await;
}

/// As at Microsoft: `user=` names the shared mailbox, and the token is that of somebody who may open it.
#[tokio::test]
async fn a_mailbox_that_is_shared_opens_with_the_tokens_of_those_it_is_shared_with() {
    let bed = Testbed::start().await;
    let shared = "info@sandbox.test";
    let token = text(&bed.grant(ANA, "mail.send offline_access").await, "access_token");
    let line = format!("AUTH XOAUTH2 {}", base64(&format!("user={shared}\x01auth=Bearer {token}\x01\x01")));
    for (members, is_open) in [(json!([ANA]), true), (json!(["bo@sandbox.test"]), false), (json!([]), false)]
    {
        let body = json!({ "members": members }).to_string();
        assert_eq!(bed.http("PUT", &format!("/api/mailboxes/{shared}"), &body).await.0, 200);
        let mut client = bed.encrypted().await;
        client.ask(&line, if is_open { 235 } else { 334 }).await;
        if is_open {
            client.deliver(shared, ANA, "Subject: x\r\n\r\ny", 250).await;
        }
    }
    let (status, _) = bed.http("PUT", &format!("/api/mailboxes/{shared}"), r#"{"members":["ana"]}"#).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn what_ends_a_grant_ends_the_sessions_of_its_account() {
    let bed = Testbed::start().await;
    for (action, refresh_is) in [("expire", 200), ("revoke", 400)] {
        let granted = bed.grant(ANA, "mail.send offline_access").await;
        let token = text(&granted, "access_token");
        let line = format!("AUTH XOAUTH2 {}", base64(&format!("user={ANA}\x01auth=Bearer {token}\x01\x01")));
        let mut client = bed.encrypted().await;
        client.ask(&line, 235).await;
        let mut other = bed.signed_in("bo@sandbox.test").await;
        let body = json!({"account": ANA, "action": action}).to_string();
        assert_eq!(bed.http("PUT", "/api/tokens", &body).await.0, 200);
        client.expect(421).await;
        client.expect_end().await;
        other.ask("NOOP", 250).await;
        let mut client = bed.encrypted().await;
        client.ask(&line, 334).await;
        client.ask("", 535).await;
        assert_eq!(bed.refresh(&text(&granted, "refresh_token")).await.status, refresh_is, "{action}");
    }
}
