//! Tricks with return links.

use super::*;
use crate::frame::Access;

fn thens() -> Thens {
    let row = |method: Method, path, kind| RouteRow {
        method,
        path,
        access: Access::Signed,
        needs_proof: false,
        spares_operators: false,
        kind,
        opens_before_factor: false,
    };
    Thens::of(&[
        row(Method::GET, "/", Kind::Page),
        row(Method::GET, "/outbox", Kind::Page),
        row(Method::GET, "/outbox/{id}", Kind::Page),
        row(Method::POST, "/outbox/{id}/cancel", Kind::Page),
        row(Method::POST, "/sign-out", Kind::Page),
        row(Method::GET, "/sign-in", Kind::Page),
        row(Method::GET, "/home/accounts", Kind::Part),
        row(Method::GET, "/healthz", Kind::Plain),
    ])
}

#[test]
fn pages_of_the_table_are_followed() {
    for path in [
        "/",
        "/outbox",
        "/outbox?state=held",
        "/outbox?state=held&before=0192f0c1-0000-7000-8000-000000000001",
        "/outbox/0192f0c1-0000-7000-8000-000000000001",
    ] {
        assert_eq!(thens().find(path).as_ref().map(Then::as_str), Some(path));
    }
    assert_eq!(
        thens().find("/outbox?a=b&c=d").unwrap().behind("/sign-in"),
        "/sign-in?then=/outbox%3Fa%3Db%26c%3Dd"
    );
    assert_eq!(thens().find("/").unwrap().behind("/sign-in"), "/sign-in");
}

#[test]
fn forty_tricks_lead_home() {
    let tricks = [
        "",
        " ",
        "//evil.example",
        "///evil.example",
        "////evil.example/outbox",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        "http://evil.example",
        "https://evil.example/outbox",
        "https:evil.example",
        "https:/evil.example",
        "HTTPS://evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "/%2f/evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "%2f%2fevil.example",
        "/outbox/../../evil",
        "/outbox/..",
        "/outbox/.",
        "/outbox/%2e%2e",
        "/outbox/",
        "/outbox//",
        "/outbox#@evil.example",
        "/outbox@evil.example",
        "@evil.example",
        "evil.example",
        "/outbox\r\nLocation: https://evil.example",
        "/outbox?x=\r\nSet-Cookie: a=b",
        "/outbox?next=//evil.example",
        "/outbox?next=https%3A%2F%2Fevil.example",
        "/outbox/x/cancel",
        "/sign-out",
        "/sign-in?then=/outbox",
        "/home/accounts",
        "/healthz",
        "/nothing-here",
        "/OUTBOX",
        "/outbox\u{0}",
        "/outbox\u{2028}",
        "/\u{ff0f}evil.example",
        "/outbox;evil",
        "http:///evil.example",
        "//[::1]/",
        "/outbox?\"><script>",
    ];
    assert!(tricks.len() >= 40);
    for trick in tricks {
        assert_eq!(thens().find_or_home(trick).as_str(), "/", "{trick:?}");
    }
    assert_eq!(thens().find_or_home(&format!("/outbox?{}", "a".repeat(600))).as_str(), "/");
}
