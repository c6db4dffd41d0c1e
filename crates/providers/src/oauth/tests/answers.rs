//! A service that is hostile, broken or merely strange, on a real HTTP server.

use std::time::Duration;

use super::server::{Says, Server, response};
use super::*;
use crate::Catalogue;

const TOKEN: &str = "ya29.a0AfB_byC-the-refresh-token-of-this-mailbox";

async fn refresh_with(client: &OAuthClient, server: &Server) -> Result<Granted, OAuthFailure> {
    let providers = providers(&server.base, "");
    let service = providers.service("praxis").unwrap();
    let token_url = service.token_url(None).unwrap();
    client.refresh(service, &application(), token_url.as_str(), &secret(TOKEN)).await
}

async fn refresh(server: &Server) -> Result<Granted, OAuthFailure> {
    refresh_with(&client(), server).await
}

async fn granted(body: &str) -> Granted {
    let server = Server::json(200, body).await;
    refresh(&server).await.unwrap_or_else(|it| panic!("{body}: {it:?}"))
}

async fn failure(server: Server) -> OAuthFailure {
    refresh(&server).await.err().expect("nothing is granted")
}

fn kind(failure: &OAuthFailure) -> Option<OAuthTrouble> {
    match failure {
        OAuthFailure::Trouble { trouble, .. } => Some(*trouble),
        OAuthFailure::Refused(_) => None,
    }
}

#[tokio::test]
async fn a_code_is_exchanged_with_its_verifier() {
    let server = Server::json(
        200,
        r#"{"access_token":"at","refresh_token":"rt","token_type":"Bearer","expires_in":3599,"scope":"send read openid"}"#,
    )
    .await;
    let providers = providers(&server.base, "");
    let service = providers.service("praxis").unwrap();
    let (application, code, verifier) = (application(), secret("the code"), secret(&"v".repeat(43)));
    let token_url = service.token_url(None).unwrap();
    let exchange = Exchange {
        service,
        application: &application,
        token_url: token_url.as_str(),
        redirect_uri: "https://gatepost.example.org/oauth/callback/praxis",
        code: &code,
        verifier: &verifier,
    };
    let got = client().exchange(exchange).await.ok().unwrap();
    assert_eq!((got.access_token.reveal(), got.lifetime.as_secs()), ("at", 3_599));
    assert!(got.lacks(service, USES).is_none());
    let asked = &server.asked()[0];
    assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
    for part in [
        "grant_type=authorization_code",
        "code=the+code",
        "client_id=client-1",
        "client_secret=hunter2-hunter2",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert!(asked.contains(&format!("code_verifier={}", "v".repeat(43))));
    assert!(asked.contains("redirect_uri=https%3A%2F%2Fgatepost.example.org%2Foauth%2Fcallback%2Fpraxis"));
}

#[tokio::test]
async fn the_application_proves_itself_as_the_service_wants() {
    for (auth, has_header, has_body) in
        [("basic", true, false), ("post", false, true), ("none", false, false)]
    {
        let server = Server::json(200, r#"{"access_token":"at"}"#).await;
        let providers = providers(&server.base, &format!("client_auth = \"{auth}\""));
        let service = providers.service("praxis").unwrap();
        let token_url = service.token_url(None).unwrap();
        client().refresh(service, &application(), token_url.as_str(), &secret(TOKEN)).await.ok().unwrap();
        let asked = server.asked()[0].to_ascii_lowercase();
        assert_eq!(asked.contains("authorization: basic"), has_header, "{auth}");
        assert_eq!(asked.contains("client_secret="), has_body, "{auth}");
    }
}

#[tokio::test]
async fn strange_answers_are_read_as_far_as_they_can_be() {
    for (body, seconds) in [
        (r#"{"access_token":"at","expires_in":"3600"}"#, 3_600),
        (r#"{"access_token":"at","expires_in":1}"#, 60),
        (r#"{"access_token":"at","expires_in":0}"#, 3_600),
        (r#"{"access_token":"at","expires_in":-5}"#, 3_600),
        (r#"{"access_token":"at","expires_in":1e300}"#, 3_600),
        (r#"{"access_token":"at","expires_in":18446744073709551615}"#, 100_800),
        (r#"{"access_token":"at","expires_in":"soon","token_type":"BEARER"}"#, 3_600),
        (r#"{"access_token":"at"}"#, 3_600),
    ] {
        assert_eq!(granted(body).await.lifetime.as_secs(), seconds, "{body}");
    }
    let it =
        granted(r#"{"access_token":"at","scope":["send","read"],"refresh_token":7,"id_token":null}"#).await;
    assert_eq!(it.scopes.unwrap(), ["send", "read"]);
    assert!(it.refresh_token.is_none());
}

// OC-1.
#[tokio::test]
async fn a_grant_that_is_too_narrow_or_does_not_last_is_named() {
    let providers = providers("https://sso.praxis.example", "");
    let service = providers.service("praxis").unwrap();
    let narrow = granted(r#"{"access_token":"at","refresh_token":"rt","scope":"read openid"}"#).await;
    assert_eq!(narrow.lacks(service, USES), Some(Lacking::Scopes(vec!["Send mail".into()])));
    let short = granted(r#"{"access_token":"at","scope":"read send"}"#).await;
    assert_eq!(short.lacks(service, USES), Some(Lacking::RefreshToken));
    assert_eq!(short.lacks_scopes(service, USES), None, "after a refresh the token that was used goes on");
    let silent = granted(r#"{"access_token":"at","refresh_token":"rt"}"#).await;
    assert_eq!(silent.lacks(service, USES), None, "RFC 6749 §5.1: what was asked for");
}

// OC-7.
#[tokio::test]
async fn only_a_refusal_in_json_says_anything_about_the_grant() {
    let json = "Content-Type: application/json\r\n";
    for (status, headers, body) in [
        (500, json, r#"{"error":"invalid_grant"}"#),
        (503, json, r#"{"error":"temporarily_unavailable"}"#),
        (429, "", "slow down"),
        (502, "Content-Type: text/html\r\n", "<html>invalid_grant</html>"),
    ] {
        assert_eq!(
            kind(&failure(Server::with(status, headers, body).await).await),
            Some(OAuthTrouble::Busy),
            "{status}"
        );
    }
    for (status, headers, body) in [
        (400, "Content-Type: text/html\r\n", "<html>invalid_grant</html>"),
        (400, json, r#"{"error":{"code":400,"message":"invalid_grant"}}"#),
        (400, json, r#"["invalid_grant"]"#),
        (400, json, r#"{"error":""}"#),
        (404, json, ""),
        (200, json, ""),
        (200, json, "{"),
        (200, json, r#"{"refresh_token":"rt"}"#),
        (200, json, r#"{"access_token":""}"#),
        (200, json, r#"{"access_token":"a b"}"#),
        (200, json, "{\"access_token\":\"a\\u0001auth=Bearer b\"}"),
        (200, json, r#"{"access_token":"at","token_type":"DPoP"}"#),
        (200, json, r#"{"access_token":{"a":1}}"#),
        (200, "Content-Type: text/html\r\n", r#"{"access_token":"at"}"#),
        (200, "", r#"{"access_token":"at"}"#),
        (204, json, ""),
    ] {
        let got = failure(Server::with(status, headers, body).await).await;
        assert_eq!(kind(&got), Some(OAuthTrouble::NotUnderstood), "{status} {headers}{body}: {got:?}");
    }
    for status in [200, 400, 401, 403] {
        let got =
            failure(Server::json(status, r#"{"error":"invalid_grant","error_description":"over"}"#).await)
                .await;
        let OAuthFailure::Refused(refusal) = got else { panic!("{status}: {got:?}") };
        assert!(refusal.ends_the_grant() && refusal.text == "over");
    }
}

#[tokio::test]
async fn a_refusal_is_diagnosed_with_its_numbers() {
    let body = r#"{"error":"invalid_grant","suberror":"bad_token","error_codes":[50173],
        "error_description":"AADSTS50173: The provided grant has expired due to it being revoked.","correlation_id":"c"}"#;
    let got = failure(Server::json(400, body).await).await;
    let providers = Providers::embedded();
    let diagnosis = got.diagnose(Catalogue::embedded(), providers.service("microsoft").unwrap());
    assert_eq!(diagnosis.rule, "ms-50173");
    assert!(got.words().starts_with("invalid_grant: bad_token 50173 AADSTS50173: "), "{}", got.words());
    let OAuthFailure::Refused(refusal) = got else { panic!() };
    assert_eq!(refusal.codes, [50_173]);
}

#[tokio::test]
async fn a_wait_that_the_service_asks_for_is_kept_up_to_a_day() {
    for (header, seconds) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("99999999", Some(86_400)),
        ("Sun, 01 Nov 2026 09:25:00 GMT", Some(600)),
        ("Sun, 01 Nov 2020 09:25:00 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
    ] {
        let server = Server::with(429, &format!("Retry-After: {header}\r\n"), "").await;
        let OAuthFailure::Trouble { retry_after, .. } = failure(server).await else { panic!() };
        assert_eq!(retry_after, seconds.map(Duration::from_secs), "{header}");
    }
}

// OC-8.
#[tokio::test]
async fn a_service_that_echoes_secrets_gets_none_of_them_stored() {
    let echo = format!("token {TOKEN} of client-1 with hunter2-hunter2 and {} refused", &TOKEN[5..25]);
    for body in [
        format!(r#"{{"error":"invalid_grant","error_description":"{echo}"}}"#),
        format!(r#"{{"error":"{TOKEN}","suberror":"{TOKEN}","error_description":"{}"}}"#, echo.repeat(100)),
    ] {
        for status in [400, 503] {
            let got = failure(Server::json(status, &body).await).await;
            let told = format!("{got:?} {}", got.words());
            for piece in [TOKEN, &TOKEN[5..25], "hunter2", "refresh-token"] {
                assert!(!told.contains(piece), "{piece}: {told}");
            }
            assert!(got.words().len() <= 2 * 1024 + 200);
        }
    }
}

// OC-5.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::json(200, r#"{"access_token":"stolen"}"#).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("Location: {}/token\r\nContent-Type: application/json\r\n", other.base);
        let got = failure(Server::with(status, &to, r#"{"error":"invalid_grant"}"#).await).await;
        assert_eq!(kind(&got), Some(OAuthTrouble::NotUnderstood), "{status}");
    }
    assert!(other.asked().is_empty(), "nothing was sent on");
}

#[tokio::test]
async fn an_answer_that_is_too_long_or_never_ends_is_let_go() {
    let long = format!(r#"{{"access_token":"at","x":"{}"}}"#, "x".repeat(70_000));
    assert_eq!(kind(&failure(Server::json(200, &long).await).await), Some(OAuthTrouble::NotUnderstood));
    let announced = Says::ThenSilence(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n".to_vec());
    assert_eq!(kind(&failure(Server::that_says(announced).await).await), Some(OAuthTrouble::NotUnderstood));
    assert_eq!(
        kind(&failure(Server::that_says(Says::Endless).await).await),
        Some(OAuthTrouble::NotUnderstood)
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_does_not_come_says_nothing() {
    let whole = response(200, "Content-Type: application/json\r\n", r#"{"access_token":"at"}"#);
    let half = Server::that_says(Says::Bytes(whole[..whole.len() - 5].to_vec())).await;
    assert_eq!(kind(&failure(half).await), Some(OAuthTrouble::Unreachable));
    let nothing = Server::that_says(Says::Bytes(Vec::new())).await;
    assert_eq!(kind(&failure(nothing).await), Some(OAuthTrouble::Unreachable));
    let mut patient = client();
    patient.carrier.within = Duration::from_millis(200);
    for silence in [Vec::new(), whole[..40].to_vec(), whole[..whole.len() - 5].to_vec()] {
        let server = Server::that_says(Says::ThenSilence(silence)).await;
        assert_eq!(
            kind(&refresh_with(&patient, &server).await.err().unwrap()),
            Some(OAuthTrouble::Unreachable)
        );
    }
    let rubbish = Server::that_says(Says::Bytes(b"220 mail.example.org ESMTP\r\n".to_vec())).await;
    assert!(kind(&failure(rubbish).await).is_some());
    let gone = Server::json(200, "").await;
    let base = gone.base.clone();
    drop(gone);
    tokio::task::yield_now().await;
    let providers = providers(&base, "");
    let service = providers.service("praxis").unwrap();
    let got = client()
        .refresh(service, &application(), &format!("{base}/token"), &secret(TOKEN))
        .await
        .err()
        .unwrap();
    assert!(kind(&got).is_some(), "{got:?}");
}

// OC-5, WH-2: the literal address, the name and the port are all judged.
#[tokio::test]
async fn addresses_that_are_not_allowed_are_not_dialled() {
    let server = Server::json(200, r#"{"access_token":"at"}"#).await;
    let port = server.base.rsplit(':').next().unwrap().to_owned();
    let own_port = format!("127.0.0.1/32:{port}");
    for (allowed, base, want) in [
        (&[][..], server.base.clone(), Some(OAuthTrouble::AddressNotAllowed)),
        (&[], format!("http://localhost:{port}"), Some(OAuthTrouble::AddressNotAllowed)),
        (&[], format!("https://127.0.0.1:{port}"), Some(OAuthTrouble::AddressNotAllowed)),
        (&[], format!("https://[::ffff:127.0.0.1]:{port}"), Some(OAuthTrouble::AddressNotAllowed)),
        (&[], format!("https://2130706433:{port}"), Some(OAuthTrouble::AddressNotAllowed)),
        (&[], "https://169.254.169.254".to_owned(), Some(OAuthTrouble::AddressNotAllowed)),
        // Public, but neither the port of the web nor encrypted.
        (&[], "https://93.184.216.34:22".to_owned(), Some(OAuthTrouble::AddressNotAllowed)),
        (&[], "http://93.184.216.34:443".to_owned(), Some(OAuthTrouble::AddressNotAllowed)),
        (&["127.0.0.1:1"], server.base.clone(), Some(OAuthTrouble::AddressNotAllowed)),
        // What is listed may be spoken to without TLS, and with it only if it has a certificate.
        (&[own_port.as_str()], server.base.clone(), None),
        (&[own_port.as_str()], format!("https://127.0.0.1:{port}"), Some(OAuthTrouble::NotEncrypted)),
    ] {
        let providers = providers("https://sso.praxis.example", "");
        let service = providers.service("praxis").unwrap();
        let before = server.asked().len();
        let got = client_allowing(allowed)
            .refresh(service, &application(), &format!("{base}/token"), &secret(TOKEN))
            .await;
        assert_eq!(got.as_ref().err().and_then(kind), want, "{allowed:?} {base}: {:?}", got.as_ref().err());
        assert_eq!(server.asked().len() - before, usize::from(want.is_none()), "{base}");
    }
}

#[tokio::test]
async fn a_name_is_dialled_at_the_address_that_was_judged() {
    let server = Server::json(200, r#"{"access_token":"at"}"#).await;
    let base = server.base.replace("127.0.0.1", "localhost");
    let providers = providers(&base, "");
    let service = providers.service("praxis").unwrap();
    let client = client_allowing(&["127.0.0.0/8", "::1"]);
    let got = client.refresh(service, &application(), &format!("{base}/token"), &secret(TOKEN)).await;
    assert_eq!(got.ok().unwrap().access_token.reveal(), "at");
}

#[tokio::test]
async fn a_token_is_taken_back() {
    let server = Server::with(200, "", "").await;
    let providers = providers(&server.base, "");
    let service = providers.service("praxis").unwrap();
    client().revoke(service, &application(), &secret(TOKEN)).await.unwrap();
    assert!(server.asked()[0].starts_with("POST /revoke ") && server.asked()[0].contains(TOKEN));
    assert!(!server.asked()[0].lines().next().unwrap().contains(TOKEN), "not in the address");
    // A service without such an address has nothing to be asked.
    let fastmail = Providers::embedded();
    client().revoke(fastmail.service("fastmail").unwrap(), &application(), &secret(TOKEN)).await.unwrap();
}

/// RFC 7009 §2.1: the application proves itself as it does for tokens.
#[tokio::test]
async fn an_application_takes_a_token_back_as_the_service_wants_it_to_prove_itself() {
    let known = || Application { secret: Some(secret("a:b c")), ..application() };
    let public = || Application { secret: None, ..application() };
    // `client-1:a%3Ab+c`
    let header = Some("authorization: basic y2xpzw50lte6ysuzqwiryw==");
    for (auth, application, header, has_secret) in [
        ("basic", known(), header, false),
        ("basic", public(), None, false),
        ("post", known(), None, true),
        ("post", public(), None, false),
        ("none", known(), None, false),
    ] {
        let server = Server::with(200, "", "").await;
        let providers = providers(&server.base, &format!("client_auth = \"{auth}\""));
        let service = providers.service("praxis").unwrap();
        client().revoke(service, &application, &secret(TOKEN)).await.unwrap();
        let asked = server.asked()[0].clone();
        let headers = asked.to_ascii_lowercase();
        let found = headers.lines().find(|it| it.starts_with("authorization:"));
        assert_eq!(found, header, "{auth}");
        assert_eq!(asked.contains("client_secret=a%3Ab+c"), has_secret, "{auth}: {asked}");
        assert_eq!(asked.contains("client_secret"), has_secret, "{auth}: {asked}");
        assert!(asked.contains(&format!("token={TOKEN}&token_type_hint=refresh_token&client_id=client-1")));
    }
}

// OC-7.
#[tokio::test]
async fn a_service_that_is_busy_has_refused_nothing() {
    for status in [408, 425, 429, 500, 501, 502, 503, 504, 599] {
        for body in [r#"{"error":"invalid_grant"}"#, r#"{"error":"invalid_client"}"#] {
            let got = failure(Server::json(status, body).await).await;
            assert_eq!(kind(&got), Some(OAuthTrouble::Busy), "{status} {body}");
        }
    }
}

#[tokio::test]
async fn a_service_that_says_no_lifetime_has_its_own() {
    for (body, seconds) in [
        (r#"{"access_token":"at"}"#, 600),
        (r#"{"access_token":"at","expires_in":0}"#, 600),
        (r#"{"access_token":"at","expires_in":1800}"#, 1_800),
    ] {
        let server = Server::json(200, body).await;
        let providers = providers(&server.base, "access_lifetime_s = 600");
        let (service, url) = (providers.service("praxis").unwrap(), format!("{}/token", server.base));
        let got = client().refresh(service, &application(), &url, &secret(TOKEN)).await.ok().unwrap();
        assert_eq!(got.lifetime.as_secs(), seconds, "{body}");
    }
}

// OC-1.
#[test]
fn what_was_granted_is_compared_word_for_word_in_any_case_and_order() {
    let providers =
        providers("https://sso.praxis.example", "scope_aliases = { \"urn:praxis:send\" = \"send\" }");
    let service = providers.service("praxis").unwrap();
    for (granted, missing) in [
        ("send read", &[][..]),
        ("read openid send email", &[]),
        ("READ Send", &[]),
        ("urn:praxis:send read", &[]),
        ("send.all read", &["send"]),
        ("resend read.own", &["send", "read"]),
        ("read", &["send"]),
        ("", &["send", "read"]),
    ] {
        let granted: Vec<String> = granted.split_ascii_whitespace().map(str::to_owned).collect();
        let needed = service.needed_scopes(USES);
        assert_eq!(service.missing_scopes(&needed, &granted), missing, "{granted:?}");
    }
    let embedded = Providers::embedded();
    let microsoft = embedded.service("microsoft").unwrap();
    let needs = |smtp, imap, pop3| microsoft.needed_scopes(Uses { smtp, imap, pop3 }).join(" ");
    for (found, want) in [
        (needs(true, false, false), ["SMTP.Send"].as_slice()),
        (needs(false, true, false), &["IMAP.AccessAsUser.All"]),
        (needs(false, false, true), &["POP.AccessAsUser.All"]),
        (needs(true, false, true), &["SMTP.Send", "POP.AccessAsUser.All"]),
    ] {
        assert_eq!(found.split(' ').count(), want.len(), "{found}");
        assert!(want.iter().all(|it| found.contains(it)), "{found}");
    }
}

#[tokio::test]
async fn whoever_is_named_in_a_refusal_has_not_signed_in() {
    for status in [201, 400, 401, 403, 503] {
        let server = Server::json(status, r#"{"sub":"u-1","email":"info@praxis.example"}"#).await;
        let providers = providers(&server.base, "");
        let service = providers.service("praxis").unwrap();
        let got = client().userinfo(service, &application(), &secret("at")).await;
        assert!(got.is_err(), "{status}");
    }
}

#[tokio::test]
async fn an_application_is_proven_by_how_a_code_of_nobody_is_refused() {
    for (body, is_known) in [
        (r#"{"error":"invalid_grant","error_description":"Malformed auth code."}"#, true),
        (r#"{"error":"invalid_request","error_description":"AADSTS9002313"}"#, true),
        (r#"{"error":"invalid_client"}"#, false),
        (r#"{"error":"unauthorized_client"}"#, false),
        (r#"{"error":"redirect_uri_mismatch"}"#, false),
        (r#"{"access_token":"at"}"#, false),
        ("nonsense", false),
    ] {
        let status = if body.contains("access_token") { 200 } else { 400 };
        let server = Server::json(status, body).await;
        let providers = providers(&server.base, "");
        let service = providers.service("praxis").unwrap();
        let got =
            client().prove_application(service, &application(), "https://gatepost.example.org/cb").await;
        assert_eq!(got.is_ok(), is_known, "{body}: {got:?}");
    }
}

#[tokio::test]
async fn a_service_without_id_tokens_is_asked_who_it_is() {
    let server =
        Server::json(200, r#"{"sub":"u-1","email":"info@praxis.example","email_verified":"true"}"#).await;
    let providers = providers(&server.base, "");
    let service = providers.service("praxis").unwrap();
    let it = client().userinfo(service, &application(), &secret("at")).await.unwrap().unwrap();
    assert_eq!((it.subject.as_str(), it.is_address_verified), ("u-1", true));
    assert!(server.asked()[0].to_ascii_lowercase().contains("authorization: bearer at"));
    for body in ["{}", "[]", r#"{"sub":7}"#] {
        let server = Server::json(200, body).await;
        let providers = super::providers(&server.base, "");
        let got =
            client().userinfo(providers.service("praxis").unwrap(), &application(), &secret("at")).await;
        assert_eq!(kind(&got.unwrap_err()), Some(OAuthTrouble::NotUnderstood), "{body}");
    }
}
