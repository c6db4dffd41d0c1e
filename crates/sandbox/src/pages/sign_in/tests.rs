//! The way of a sign-in, page by page.

use serde_json::json;
use url::Url;

use crate::oauth::tests::{REDIRECT, VERIFIER, form};
use crate::tests::{Answer, Testbed};

const ANA: &str = "ana@sandbox.test";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SCOPES: &str = "mail.send mail.read.imap openid email offline_access";

/// A good request, with some fields in other words; an empty one is left out.
fn request(other: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", "gatepost-sandbox"),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", SCOPES),
        ("state", "s t&ate"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let mut fields: Vec<_> =
        usual.into_iter().filter(|(name, _)| other.iter().all(|(it, _)| it != name)).collect();
    fields.extend(other.iter().filter(|(_, value)| !value.is_empty()));
    format!("/oauth2/auth?{}", form(&fields))
}

/// A browser that keeps our cookie.
struct Visitor<'a> {
    bed: &'a Testbed,
    cookie: String,
}

impl<'a> Visitor<'a> {
    fn new(bed: &'a Testbed) -> Self {
        Self { bed, cookie: String::new() }
    }

    async fn ask(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let headers = format!("Cookie: other=1; {}\r\n", self.cookie);
        let answer = self.bed.ask(method, path, &headers, body).await;
        if let Some(cookie) = answer.header("set-cookie") {
            assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"), "{cookie}");
            cookie.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        answer
    }

    /// Where a request leads: a page of ours, or the application.
    async fn begin(&mut self, other: &[(&str, &str)]) -> String {
        let answer = self.ask("GET", &request(other), "").await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").unwrap().to_owned()
    }

    /// Sends a form of the page at `path`; where it leads.
    async fn send(&mut self, path: &str, form_name: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.ask("POST", &format!("{path}/{form_name}"), &form(fields)).await;
        assert_eq!(answer.status, 303, "{form_name}: {answer:?}");
        answer.header("location").unwrap().to_owned()
    }

    async fn see(&mut self, path: &str, words: &str) {
        let answer = self.ask("GET", path, "").await;
        assert!(answer.status == 200 && answer.body.contains(words), "{words:?}: {answer:?}");
    }

    /// Signs in with the password, to the page behind it.
    async fn sign_in(&mut self, address: &str) -> String {
        let path = self.begin(&[]).await;
        self.send(&path, "another", &[]).await;
        self.send(&path, "account", &[("address", address)]).await;
        self.send(&path, "password", &[("password", "sandbox")]).await
    }
}

/// What the application is told.
fn told(url: &str) -> Vec<(String, String)> {
    assert!(url.starts_with(REDIRECT), "{url}");
    let url: Url = url.parse().unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[track_caller]
fn field(url: &str, name: &str) -> String {
    let found = told(url).into_iter().find(|(it, _)| it == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1
}

#[tokio::test]
async fn a_person_walks_from_the_request_to_a_code_and_the_code_becomes_tokens() {
    let bed = Testbed::start().await;
    let body = r#"{"security":{"second_step":"codes"}}"#;
    assert_eq!(bed.http("PUT", "/api/mailboxes/ana@sandbox.test", body).await.0, 200);
    let mut visitor = Visitor::new(&bed);
    let path = visitor.begin(&[]).await;
    visitor.see(&path, "to continue to <strong><bdi>Gatepost</bdi></strong>").await;
    let wrong = visitor.ask("POST", &format!("{path}/account"), "address=%3Cb%3E").await;
    assert!(wrong.status == 400 && wrong.body.contains("value=\"&#60;b&#62;\""), "{wrong:?}");
    visitor.send(&path, "account", &[("address", ANA)]).await;
    let wrong = visitor.ask("POST", &format!("{path}/password"), "password=wrong").await;
    assert!(wrong.status == 400 && wrong.body.contains("Wrong password"), "{wrong:?}");
    visitor.send(&path, "password", &[("password", "sandbox")]).await;
    let wrong = visitor.ask("POST", &format!("{path}/second-step"), "code=000000x").await;
    assert!(wrong.status == 400 && wrong.body.contains("Wrong code"), "{wrong:?}");
    let phone = bed.json("/api/phone/authenticators").await;
    assert_eq!((&phone[0]["issuer"], &phone[0]["account"]), (&json!("Sandbox provider"), &json!(ANA)));
    visitor.send(&path, "second-step", &[("code", phone[0]["code"].as_str().unwrap())]).await;
    visitor.see(&path, "Gatepost</bdi> wants to access your account").await;
    // One permission is unticked.
    let back = visitor.send(&path, "consent", &[("scope", "mail.send"), ("answer", "allow")]).await;
    assert_eq!(field(&back, "state"), "s t&ate");
    assert_eq!(field(&back, "iss"), format!("http://{}", bed.ready.pages));
    assert_eq!(visitor.ask("GET", &path, "").await.status, 404, "the sign-in is over");

    let code = field(&back, "code");
    let redeem = async |verifier: &str, redirect: &str, code: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "gatepost-sandbox"),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
            ("code", code),
        ];
        bed.ask("POST", "/oauth2/token", "", &form(&fields)).await
    };
    let answer = redeem(VERIFIER, REDIRECT, &code).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let tokens = answer.json();
    assert_eq!(tokens["scope"], "mail.send openid email offline_access");
    use base64::Engine as _;
    let claims = tokens["id_token"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        (&claims["nonce"], &claims["email"], &claims["aud"]),
        (&json!("n1"), &json!(ANA), &json!("gatepost-sandbox"))
    );
    // A code that comes twice may have been stolen: what came of it ends.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(redeem(VERIFIER, REDIRECT, &code).await.json()["error"], "invalid_grant");
    assert_eq!(bed.refresh(refresh).await.json()["error"], "invalid_grant");
    // Nobody else can use one.
    for (verifier, redirect) in [
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx", REDIRECT),
        (CHALLENGE, REDIRECT),
        ("short", REDIRECT),
        (VERIFIER, "http://127.0.0.1:8025/other"),
    ] {
        let path = visitor.begin(&[("login_hint", ANA)]).await;
        let back = visitor.send(&path, "consent", &[("answer", "allow")]).await;
        let code = field(&back, "code");
        assert_eq!(redeem(verifier, redirect, &code).await.json()["error"], "invalid_grant", "{verifier}");
        assert_eq!(redeem(VERIFIER, REDIRECT, &code).await.status, 400, "one try is all");
    }
}

#[tokio::test]
async fn a_request_is_refused_to_the_person_or_to_the_application_as_the_standard_says() {
    let bed = Testbed::start().await;
    let mut visitor = Visitor::new(&bed);
    for (other, status, code) in [
        (("client_id", ""), 400, "invalid_request"),
        (("client_id", "nobody"), 401, "invalid_client"),
        (("redirect_uri", ""), 400, "redirect_uri_mismatch"),
        (("redirect_uri", "https://evil.example/<b>"), 400, "redirect_uri_mismatch"),
    ] {
        let answer = visitor.ask("GET", &request(&[other]), "").await;
        assert_eq!((answer.status, answer.header("location")), (status, None), "{other:?}");
        assert!(answer.body.contains(code) && !answer.body.contains("<b>"), "{answer:?}");
    }
    for (other, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "token"), "unsupported_response_type"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("scope", ""), "invalid_scope"),
        (("scope", "mail.send admin"), "invalid_scope"),
        (("prompt", "always"), "invalid_request"),
        (("prompt", "none login"), "invalid_request"),
        (("prompt", "none"), "login_required"),
    ] {
        let back = visitor.begin(&[other]).await;
        assert_eq!(field(&back, "error"), error, "{other:?}");
        assert_eq!(field(&back, "state"), "s t&ate");
        assert_eq!(field(&back, "iss"), format!("http://{}", bed.ready.pages));
    }
    let twice = format!("{}&nonce=n2", request(&[]));
    let answer = visitor.ask("GET", &twice, "").await;
    assert_eq!(field(answer.header("location").unwrap(), "error"), "invalid_request");
    bed.set_oauth(json!({"outage": {"at": "authorize", "error": "server_error", "description": "x"}})).await;
    let back = visitor.begin(&[]).await;
    assert_eq!(
        (field(&back, "error"), field(&back, "error_description")),
        ("server_error".into(), "x".into())
    );
}

#[tokio::test]
async fn who_has_signed_in_and_consented_is_asked_no_more_than_needed() {
    let bed = Testbed::start().await;
    let mut visitor = Visitor::new(&bed);
    let path = visitor.sign_in(ANA).await;
    let back = visitor.send(&path, "cancel", &[]).await;
    assert_eq!(field(&back, "error"), "access_denied");
    assert_eq!(field(&visitor.begin(&[("prompt", "none")]).await, "error"), "consent_required");
    bed.grant(ANA, SCOPES).await;
    assert!(!field(&visitor.begin(&[("prompt", "none")]).await, "code").is_empty());
    // With the account named, nothing is left to be asked.
    assert!(!field(&visitor.begin(&[("login_hint", ANA)]).await, "code").is_empty());
    // Without it, one press.
    let path = visitor.begin(&[]).await;
    visitor.see(&path, "Choose an account").await;
    visitor.see(&path, "Use another account").await;
    assert!(!field(&visitor.send(&path, "account", &[("address", ANA)]).await, "code").is_empty());
    for (prompt, words) in [
        ("consent", "wants to access your account"),
        ("login", "Password"),
        ("select_account", "Choose an account"),
    ] {
        let path = visitor.begin(&[("login_hint", ANA), ("prompt", prompt)]).await;
        visitor.see(&path, words).await;
    }
    let path = visitor.begin(&[("login_hint", "bo@sandbox.test")]).await;
    visitor.see(&path, "Welcome").await;
    // Somebody else's browser knows nobody.
    let mut stranger = Visitor::new(&bed);
    let path = stranger.begin(&[("prompt", "select_account")]).await;
    stranger.see(&path, "Email address").await;
}

#[tokio::test]
async fn an_organisation_can_demand_the_approval_of_an_administrator() {
    let bed = Testbed::start().await;
    let set = async |needs: bool| {
        let body = json!({"security": {"needs_approval": needs}}).to_string();
        assert_eq!(bed.http("PUT", "/api/mailboxes/ana@sandbox.test", &body).await.0, 200);
    };
    set(true).await;
    let mut visitor = Visitor::new(&bed);
    let path = visitor.sign_in(ANA).await;
    visitor.see(&path, "Need admin approval").await;
    assert_eq!(visitor.send(&path, "consent", &[("answer", "allow")]).await, path, "there is no way round");
    let back = visitor.send(&path, "cancel", &[]).await;
    assert_eq!(field(&back, "error"), "access_denied");
    assert!(field(&back, "error_description").starts_with("AADSTS90094"));
    assert_eq!(field(&visitor.begin(&[("prompt", "none")]).await, "error"), "interaction_required");
    let path = visitor.begin(&[("login_hint", ANA)]).await;
    set(false).await;
    let answer = visitor.ask("GET", &path, "").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some(path.as_str())));
    visitor.see(&path, "wants to access your account").await;
}

#[tokio::test]
async fn a_key_takes_the_place_of_a_code() {
    let bed = Testbed::start().await;
    let body = r#"{"security":{"is_advanced":true}}"#;
    assert_eq!(bed.http("PUT", "/api/mailboxes/ana@sandbox.test", body).await.0, 200);
    let mut visitor = Visitor::new(&bed);
    let path = visitor.sign_in(ANA).await;
    visitor.see(&path, "Touch the security key").await;
    visitor.send(&path, "second-step", &[("code", "")]).await;
    visitor.see(&path, "wants to access your account").await;
}

#[tokio::test]
async fn the_policy_of_a_page_lets_the_browser_go_back_to_the_application_alone() {
    let bed = Testbed::start().await;
    let mut visitor = Visitor::new(&bed);
    for (redirect, target) in [
        (REDIRECT, "http://127.0.0.1:8025"),
        ("http://localhost/x", "http://localhost"),
        ("http://[::1]:8025/x", "http:"),
    ] {
        let path = visitor.begin(&[("redirect_uri", redirect)]).await;
        let answer = visitor.ask("GET", &path, "").await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.ends_with(&format!("; form-action 'self' {target}")), "{policy}");
    }
}
