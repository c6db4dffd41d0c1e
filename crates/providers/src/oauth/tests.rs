use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use gatepost_core::{Clock, OsRandom, SecretText, Timestamp, World};
use gatepost_net::{ClientTls, Dialer, Guard, Resolver};

use super::*;
use crate::{OAuthTrouble, Overrule, Providers, Uses};

mod answers;
mod callbacks;
mod identities;
mod server;

const USES: Uses = Uses { smtp: true, imap: true, pop3: false };

/// A quarter past nine on the first of November 2026.
const NOW: i64 = 1_793_524_500;

struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst) * 1_000)
    }
}

fn world() -> World {
    World::new(Arc::new(Still(AtomicI64::new(NOW))), Arc::new(OsRandom))
}

fn client_allowing(allowed: &[&str]) -> OAuthClient {
    let guard = Guard::new(allowed.iter().map(|it| it.parse().unwrap()).collect());
    let dialer = Dialer::new(Resolver::system(), Arc::new(guard));
    OAuthClient::new(dialer, ClientTls::new(&[], &world()).unwrap(), world())
}

fn client() -> OAuthClient {
    client_allowing(&["127.0.0.0/8"])
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

fn application() -> Application {
    Application { client_id: "client-1".into(), secret: Some(secret("hunter2-hunter2")), tenant: None }
}

/// Providers with one named `praxis`, whose service is at this address.
fn providers(base: &str, more: &str) -> Arc<Providers> {
    let text = format!(
        r#"
        [praxis.oauth]
        authorize = "{base}/authorize"
        token = "{base}/token"
        revoke = "{base}/revoke"
        userinfo = "{base}/userinfo"
        scopes = {{ smtp = ["send"], imap = ["read"], lasting = ["offline_access"], identity = ["openid", "email"] }}
        scope_words = {{ send = "Send mail", read = "Read mail" }}
        login_hint = true
        parameters = {{ prompt = "select_account", access_type = "offline" }}
        again = {{ prompt = "consent" }}
        issuers = ["https://sso.praxis.example"]
        {more}
        "#
    );
    let table = text.parse::<toml::Table>().unwrap();
    let providers = table.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
    Providers::with(&Overrule { providers, allows_private_addresses: true, ..Overrule::default() }).unwrap()
}

#[test]
fn the_sign_in_page_is_asked_with_state_nonce_and_s256() {
    let providers = providers("https://sso.praxis.example", "");
    let service = providers.service("praxis").unwrap();
    let (application, mailbox) = (application(), "info@praxis.example".parse().unwrap());
    let asked = SignIn {
        service,
        application: &application,
        redirect_uri: "https://gatepost.example.org/oauth/callback/praxis",
        uses: USES,
        mailbox: Some(&mailbox),
        again: false,
    };
    let begun = client().begin(asked).unwrap();
    let url: url::Url = begun.url.parse().unwrap();
    let value = |name: &str| {
        let found: Vec<String> =
            url.query_pairs().filter(|(it, _)| it == name).map(|(_, it)| it.into_owned()).collect();
        assert!(found.len() <= 1, "{name} stands there once");
        found.into_iter().next().unwrap_or_default()
    };
    assert_eq!((url.host_str(), url.path()), (Some("sso.praxis.example"), "/authorize"));
    assert_eq!(value("response_type"), "code");
    assert_eq!(value("client_id"), "client-1");
    assert_eq!(value("redirect_uri"), asked.redirect_uri);
    assert_eq!(value("scope"), "send read offline_access openid email");
    assert_eq!(value("state"), begun.state.reveal());
    assert_eq!(value("code_challenge_method"), "S256");
    let verifier = oauth2::PkceCodeVerifier::new(begun.verifier.reveal().to_owned());
    assert_eq!(
        value("code_challenge"),
        oauth2::PkceCodeChallenge::from_code_verifier_sha256(&verifier).as_str()
    );
    assert_eq!(value("nonce"), nonce_of(&begun.state));
    assert_eq!(value("login_hint"), "info@praxis.example");
    assert_eq!((value("prompt"), value("access_type")), ("select_account".into(), "offline".into()));
    assert!(!begun.url.contains("hunter2") && !begun.url.contains(begun.verifier.reveal()));
    assert_eq!(begun.token_url, "https://sso.praxis.example/token");
    // 256 bits each, never twice.
    let other = client().begin(SignIn { again: true, ..asked }).unwrap();
    assert_eq!(begun.state.reveal().len(), 43);
    assert!(!other.state.matches(&begun.state) && !other.verifier.matches(&begun.verifier));
    assert!(other.url.contains("prompt=consent") && other.url.contains("access_type=offline"));
}

#[test]
fn a_service_with_tenants_is_not_asked_without_one() {
    let providers = Providers::embedded();
    let mut application = application();
    let begin = |application: &Application| {
        let service = providers.service("microsoft").unwrap();
        let redirect_uri = "https://gatepost.example.org/oauth/callback/microsoft";
        client().begin(SignIn { service, application, redirect_uri, uses: USES, mailbox: None, again: false })
    };
    assert!(begin(&application).is_none());
    application.tenant = Some("../evil".into());
    assert!(begin(&application).is_none());
    application.tenant = Some("organizations".into());
    let begun = begin(&application).unwrap();
    assert!(begun.url.starts_with("https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?"));
    assert_eq!(begun.token_url, "https://login.microsoftonline.com/organizations/oauth2/v2.0/token");
}

#[test]
fn an_issuer_with_a_tenant_names_a_real_one() {
    let providers = Providers::embedded();
    let microsoft = providers.service("microsoft").unwrap();
    let tid = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let issuer = |tid: &str| format!("https://login.microsoftonline.com/{tid}/v2.0");
    for (text, tenant, want) in [
        (issuer(tid), None, true),
        (issuer(tid), Some("organizations"), true),
        (issuer(tid), Some(tid), true),
        (issuer(tid), Some("11111111-2222-3333-4444-555555555555"), false),
        (issuer("common"), None, false),
        (issuer("x/../y"), None, false),
        (issuer(""), None, false),
        (format!("{}/", issuer(tid)), None, false),
        ("https://accounts.google.com".into(), None, false),
    ] {
        assert_eq!(is_issuer_of(microsoft, &text, tenant), want, "{text} {tenant:?}");
    }
}
