use proptest::prelude::*;

use super::*;

const REDIRECT: &str = "https://gatepost.example.org/oauth/callback/praxis";

fn code(query: &str, more: &str) -> Result<String, OAuthFailure> {
    let providers = providers("https://sso.praxis.example", more);
    let (service, application) = (providers.service("praxis").unwrap(), application());
    let state = secret("the-state-of-this-flow");
    let flow = Flow { service, application: &application, state: &state };
    let callback = Callback::from_query(query).unwrap_or_else(|fault| panic!("{query}: {fault}"));
    callback.code_for(flow).map(|it| it.reveal().to_owned())
}

fn trouble(failure: &OAuthFailure) -> Option<OAuthTrouble> {
    match failure {
        OAuthFailure::Trouble { trouble, .. } => Some(*trouble),
        OAuthFailure::Refused(_) => None,
    }
}

// OC-3, RFC 9207.
#[test]
fn an_answer_counts_for_its_own_flow_and_from_its_own_service_alone() {
    let good = "state=the-state-of-this-flow&code=4%2F0Ab";
    let iss = "&iss=https%3A%2F%2Fsso.praxis.example";
    for (query, more, want) in [
        (good.to_owned(), "", Ok("4/0Ab")),
        (format!("{good}{iss}"), "", Ok("4/0Ab")),
        (format!("{good}{iss}"), "sends_issuer = true", Ok("4/0Ab")),
        (good.to_owned(), "sends_issuer = true", Err(OAuthTrouble::WrongIssuer)),
        (format!("{good}&iss=https%3A%2F%2Fevil.example"), "", Err(OAuthTrouble::WrongIssuer)),
        (format!("{good}&iss="), "", Err(OAuthTrouble::WrongIssuer)),
        ("state=another-flow&code=4".to_owned(), "", Err(OAuthTrouble::WrongIssuer)),
        (
            "state=the-state-of-this-flow&error=access_denied&iss=https%3A%2F%2Fevil.example".to_owned(),
            "",
            Err(OAuthTrouble::WrongIssuer),
        ),
    ] {
        let got = code(&query, more);
        assert_eq!(got.as_deref().map_err(|it| trouble(it).unwrap()), want, "{query}");
    }
}

#[test]
fn what_the_page_refuses_is_diagnosed_in_its_words() {
    let query = "error=access_denied&error_description=AADSTS65004%3A+declined+the-state-of-this-flow&state=the-state-of-this-flow";
    let Err(OAuthFailure::Refused(refusal)) = code(query, "kind = \"microsoft\"") else { panic!() };
    assert_eq!(
        (refusal.error.as_str(), refusal.text.as_str()),
        ("access_denied", "AADSTS65004: declined [removed]")
    );
    let providers = Providers::embedded();
    let diagnosis = refusal.diagnose(crate::Catalogue::embedded(), providers.service("microsoft").unwrap());
    assert_eq!(diagnosis.rule, "ms-65004");
    assert!(!refusal.ends_the_grant() && !refusal.is_of_the_application());
}

#[test]
fn what_is_no_whole_answer_is_refused() {
    for query in [
        "",
        "code=1",
        "state=&code=1",
        "state=1",
        "state=1&code=",
        "state=1&code=2&code=3",
        "state=1&state=2&code=3",
        "state=1&code=2&error=access_denied",
        "state=1&code=2&iss=a&iss=b",
    ] {
        assert_eq!(Callback::from_query(query).err(), Some(CallbackFault::NotWhole), "{query}");
    }
    let long = format!("state=1&code={}", "a".repeat(20_000));
    assert_eq!(Callback::from_query(&long).err(), Some(CallbackFault::NotWhole));
    // Microsoft's code is about 1,000 characters long.
    assert!(Callback::from_query(&format!("state=1&code={}", "a".repeat(2_000))).is_ok());
}

#[test]
fn the_whole_address_is_pasted_and_nothing_less() {
    let read = |text: &str, redirect: &str| {
        Callback::from_pasted(text, redirect).map(|it| it.state().reveal().to_owned())
    };
    let loopback = "http://127.0.0.1";
    for (text, redirect) in [
        (format!("{REDIRECT}?state=s1&code=c"), REDIRECT),
        (format!("  <{REDIRECT}?state=s1&code=c>\r\n"), REDIRECT),
        ("https://gatepost.example.org/oauth/callback/\n  praxis?state=s1&co\r\nde=c".to_owned(), REDIRECT),
        ("http://127.0.0.1/?state=s1&code=c".to_owned(), loopback),
        ("http://127.0.0.1:8421/?state=s1&code=c&scope=x".to_owned(), loopback),
        ("127.0.0.1/?state=s1&code=c".to_owned(), loopback),
        ("http://localhost/?code=c&state=s1#".to_owned(), "http://localhost"),
    ] {
        assert_eq!(read(&text, redirect).as_deref(), Ok("s1"), "{text}");
    }
    for (text, want) in [
        ("4/0AbCdEfGhIjKlMnOpQrStUvWxYz", CallbackFault::CodeAlone),
        ("M.C507_BAY.2.U.0123456789abcdef", CallbackFault::NotAnAddress),
        ("hello", CallbackFault::NotAnAddress),
        ("", CallbackFault::NotAnAddress),
        ("https://accounts.google.com/signin", CallbackFault::OtherAddress),
        ("https://evil.example/oauth/callback/praxis?state=s1&code=c", CallbackFault::OtherAddress),
        ("https://gatepost.example.org/oauth/callback/google?state=s1&code=c", CallbackFault::OtherAddress),
        ("https://gatepost.example.org/oauth/callback/praxis?state=s1", CallbackFault::NotWhole),
        ("https://gatepost.example.org/oauth/callback/praxis?", CallbackFault::NotWhole),
    ] {
        assert_eq!(read(text, REDIRECT), Err(want), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_an_answer_or_a_fault(text in "\\PC{0,200}", query in "(state|code|iss|error|x|=|&|%|[a-z0-9]){0,40}") {
        let _ = Callback::from_query(&query);
        let _ = Callback::from_pasted(&text, REDIRECT);
        if let Ok(it) = Callback::from_pasted(&format!("{REDIRECT}?{query}"), REDIRECT) {
            prop_assert!(!it.state().reveal().is_empty());
        }
    }
}
