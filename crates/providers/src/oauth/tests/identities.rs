use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

fn token(claims: &Value) -> SecretText {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    secret(&format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(&claims.to_string()), part("signature")))
}

fn granted(id_token: Option<SecretText>, came_over_tls: bool) -> Granted {
    Granted {
        access_token: secret("access"),
        refresh_token: Some(secret("refresh")),
        lifetime: std::time::Duration::from_secs(3_600),
        scopes: None,
        id_token,
        came_over_tls,
    }
}

fn read(claims: &Value) -> Option<Identity> {
    let providers = providers("https://sso.praxis.example", "");
    let (application, state) = (application(), secret("the-state"));
    let check = IdentityCheck {
        service: providers.service("praxis").unwrap(),
        application: &application,
        state: Some(&state),
    };
    client().identity(&granted(Some(token(claims)), true), check).ok().map(|it| it.expect("there is a token"))
}

fn good() -> Value {
    json!({
        "iss": "https://sso.praxis.example", "aud": "client-1", "exp": NOW + 60, "sub": "u-1",
        "nonce": nonce_of(&secret("the-state")), "email": "info@praxis.example", "email_verified": true,
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

#[test]
fn an_id_token_tells_whose_mailbox_it_is() {
    let it = read(&good()).unwrap();
    assert_eq!((it.subject.as_str(), it.is_address_verified), ("u-1", true));
    assert_eq!(it.address.unwrap().to_string(), "info@praxis.example");
    assert!(!read(&with("email_verified", json!(false))).unwrap().is_address_verified);
    assert!(!read(&with("email_verified", Value::Null)).unwrap().is_address_verified);
    assert_eq!(read(&with("email", json!("no address"))).unwrap().address, None);
    assert!(read(&with("aud", json!(["client-1"]))).is_some());
}

#[test]
fn an_id_token_of_another_application_flow_time_or_service_proves_nothing() {
    for (name, value) in [
        ("aud", json!("client-2")),
        ("aud", json!(["client-1", "client-2"])),
        ("aud", json!(7)),
        ("azp", json!("client-2")),
        ("iss", json!("https://evil.example")),
        ("iss", json!("https://sso.praxis.example/")),
        ("exp", json!(NOW - 301)),
        ("exp", json!("soon")),
        ("exp", Value::Null),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("sub", Value::Null),
        ("sub", json!("")),
        ("sub", json!("a\r\nb")),
    ] {
        assert_eq!(read(&with(name, value.clone())), None, "{name} {value}");
    }
    let providers = providers("https://sso.praxis.example", "");
    let application = application();
    let check = IdentityCheck {
        service: providers.service("praxis").unwrap(),
        application: &application,
        state: None,
    };
    for bad in ["", "a.b", "a.!.c", "a.bnVsbA.c", "....", &"x".repeat(10_000)] {
        assert!(client().identity(&granted(Some(secret(bad)), true), check).is_err(), "{bad}");
    }
    // Without TLS anybody on the way may have written it.
    assert_eq!(client().identity(&granted(Some(token(&good())), false), check), Ok(None));
    assert_eq!(client().identity(&granted(None, true), check), Ok(None));
}

#[test]
fn microsofts_issuer_and_subject_hold_the_tenant() {
    let providers = Providers::embedded();
    let (service, state) = (providers.service("microsoft").unwrap(), secret("the-state"));
    let (tid, other) = ("9188040d-6c67-4c5b-b112-36a304b66dad", "11111111-2222-3333-4444-555555555555");
    let claims = json!({
        "iss": format!("https://login.microsoftonline.com/{tid}/v2.0"), "tid": tid, "oid": "o-1", "sub": "changes",
        "aud": "client-1", "exp": NOW + 60, "nonce": nonce_of(&state), "preferred_username": "Info@praxis.example",
    });
    let read = |claims: &Value, tenant: &str| {
        let application = Application { tenant: Some(tenant.into()), ..application() };
        let check = IdentityCheck { service, application: &application, state: Some(&state) };
        client().identity(&granted(Some(token(claims)), true), check)
    };
    for tenant in ["organizations", "common", tid, "praxis.onmicrosoft.com"] {
        let it = read(&claims, tenant).unwrap().unwrap();
        assert_eq!((it.subject, it.is_address_verified), (format!("{tid}/o-1"), false));
        assert_eq!(it.address.unwrap().to_string(), "Info@praxis.example");
    }
    assert!(read(&claims, other).is_err(), "another tenant than the application's");
    let mut mixed = claims;
    mixed["tid"] = json!(other);
    assert!(read(&mixed, "organizations").is_err(), "issuer and tenant contradict each other");
}
