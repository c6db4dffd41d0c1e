//! The portal over real sockets, with real rooms behind it.

use gatepost_identity::Role;

use super::*;
use crate::frame::{Form, Page, Signed};
use crate::tests::{Browser, House, ROOMS, rooms, settings};
use crate::{Access, Kind, RouteRow};

/// The address of a row, with an id that nobody has.
fn address(row: &RouteRow) -> String {
    let segment =
        |it: &'static str| if it.starts_with('{') { "0192f0c1-0000-7000-8000-000000000001" } else { it };
    row.path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn nobody_reaches_a_page_that_is_not_for_them() {
    let house = House::new().await;
    let mut operator = house.signed_in(Role::Operator).await;
    let (mut nobody, mut forged) = (Browser::default(), Browser::default());
    forged.keep("session", &"A".repeat(43));
    forged.keep("pre-session", &"A".repeat(43));
    for row in routes() {
        let path = address(&row);
        for (who, browser) in [("nobody", &mut nobody), ("forged", &mut forged), ("operator", &mut operator)]
        {
            let is_signed = who == "operator";
            let reply = house.ask(browser, row.method.as_str(), &path, "", "").await;
            let want: &[u16] = match row.access {
                Access::Public => continue,
                Access::SecondStep => &[303],
                Access::Signed | Access::Enrolling | Access::Administrator if !is_signed => &[303],
                Access::Administrator => &[404],
                // Without a form token nothing is done; what is no page is not found.
                Access::Signed | Access::Enrolling => &[200, 303, 403, 404],
            };
            assert!(want.contains(&reply.status), "{who} {row:?}: {}", reply.head);
            if !is_signed {
                assert!(reply.location().starts_with("/sign-in"), "{who} {row:?}: {}", reply.location());
            }
        }
    }
    house.end().await;
}

#[tokio::test]
async fn whoever_is_sent_to_sign_in_comes_back_to_where_they_wanted() {
    let house = House::new().await;
    for (path, location) in [
        ("/", "/sign-in"),
        ("/outbox?state=held", "/sign-in?then=/outbox%3Fstate%3Dheld"),
        ("/outbox?x=%2F%2Fevil", "/sign-in"),
        ("/home/board", "/sign-in"),
    ] {
        assert_eq!(house.get(&mut Browser::default(), path).await.location(), location, "{path}");
    }
    house.end().await;
}

#[tokio::test]
async fn an_administrator_without_two_step_verification_reaches_nothing_but_its_set_up() {
    let house = House::new().await;
    let person = house.person("a@practice.test", Role::Administrator).await;
    let mut browser = Browser::default();
    browser.keep("session", house.session(&person).await.token.reveal());
    for row in routes().iter().filter(|it| it.method == axum::http::Method::GET) {
        if matches!(row.access, Access::Signed | Access::Administrator) && !row.opens_before_factor {
            let reply = house.get(&mut browser, &address(row)).await;
            assert_eq!((reply.status, reply.location()), (303, "/two-step"), "{row:?}");
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_form_without_its_token_changes_nothing() {
    let house = House::new().await;
    let mut browser = Browser::default();
    house.get(&mut browser, "/nothing-here").await;
    for body in ["theme=dark", "theme=dark&form_token=", "theme=dark&form_token=AAAA"] {
        let reply = house.ask(&mut browser, "POST", "/theme", "", body).await;
        assert_eq!(reply.status, 403, "{body}");
        assert!(reply.body.contains("This page had become old"), "{}", reply.body);
        assert_eq!(browser.find("theme"), None);
    }
    // The token of one browser is nothing in another.
    let mut other = Browser::default();
    let token = house.get(&mut other, "/nothing-here").await.form_token();
    let body = format!("theme=dark&form_token={token}");
    assert_eq!(house.ask(&mut browser, "POST", "/theme", "", &body).await.status, 403);
    let reply = house.ask(&mut Browser::default(), "POST", "/theme", "", &body).await;
    assert_eq!(reply.status, 403);
    assert!(reply.body.contains("did not send a cookie back"), "{}", reply.body);
    house.end().await;
}

#[tokio::test]
async fn the_look_is_chosen_and_drawn_by_the_server() {
    let house = House::new().await;
    let mut browser = Browser::default();
    assert!(house.get(&mut browser, "/nothing-here").await.body.contains("data-theme=\"system\""));
    let reply = house.post(&mut browser, "/nothing-here", "/theme", "theme=dark&back=//evil.example").await;
    assert_eq!((reply.status, reply.location()), (303, "/"));
    assert_eq!(browser.find("theme"), Some("dark"));
    assert!(house.get(&mut browser, "/nothing-here").await.body.contains("data-theme=\"dark\""));
    house.end().await;
}

#[tokio::test]
async fn pages_escape_what_people_wrote_and_hold_nothing_inline_or_from_elsewhere() {
    let house = House::new().await;
    for role in [Role::Operator, Role::Administrator] {
        let mut browser = house.signed_in(role).await;
        for path in ["/", "/outbox", "/outbox?state=failed", "/nothing-here"] {
            let reply = house.get(&mut browser, path).await;
            assert!(matches!(reply.status, 200 | 404), "{path}: {}", reply.head);
            assert!(reply.body.contains("Praxis &#60;Süd&#62;"), "{}", reply.body);
            for bad in
                ["<b>", "<Süd>", "<style", " style=", " onclick", "http://", "https://", "{{", "<script>"]
            {
                assert!(!reply.body.contains(bad), "{path} has {bad}: {}", reply.body);
            }
            assert_eq!(reply.headers("cache-control"), ["no-store"]);
        }
    }
    house.end().await;
}

#[tokio::test]
async fn a_page_with_its_files_stays_below_sixty_kilobytes() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Administrator).await;
    let page = house.get(&mut browser, "/").await.body;
    let mut size = page.len();
    for behind in page.split("/assets/").skip(1) {
        let file = behind.split('"').next().unwrap();
        let reply = house.get(&mut browser, &format!("/assets/{file}")).await;
        assert_eq!(reply.headers("cache-control"), ["public, max-age=31536000, immutable"]);
        size += reply.body.len();
    }
    assert!(size < 60_000, "{size}");
    house.end().await;
}

#[tokio::test]
async fn what_is_no_letter_of_theirs_is_not_found() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Operator).await;
    for path in ["/outbox/x", "/outbox/0192f0c1-0000-7000-8000-000000000001", "/outbox/../etc", "/OUTBOX"] {
        assert_eq!(house.get(&mut browser, path).await.status, 404, "{path}");
    }
    let reply =
        house.post(&mut browser, "/", "/outbox/0192f0c1-0000-7000-8000-000000000001/cancel", "").await;
    assert_eq!(reply.status, 404);
    house.end().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_said_and_nobody_is_signed_out() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Operator).await;
    let before = browser.find("session").unwrap().to_owned();
    house.execute("FIND_SESSION", "ALTER TABLE {table} RENAME TO away").await;
    let reply = house.get(&mut browser, "/").await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("Nothing you typed is lost") && reply.body.contains("Number of this error"));
    assert!(!reply.body.contains("RENAME TO") && !reply.body.contains("no such table"), "{}", reply.body);
    assert_eq!(browser.find("session"), Some(before.as_str()));
    assert_eq!(house.get(&mut browser, "/healthz").await.body, "ok\n");
    house.end().await;
}

#[tokio::test]
async fn for_programs_there_are_health_and_readiness_without_cookies() {
    let house = House::new().await;
    for row in routes().iter().filter(|it| it.kind == Kind::Plain && !it.path.contains('{')) {
        let mut browser = Browser::default();
        assert_eq!(house.get(&mut browser, row.path).await.status, 200, "{row:?}");
        assert!(browser.cookies.is_empty(), "{row:?}");
    }
    house.end().await;
}

#[tokio::test]
async fn off_loopback_plain_http_is_refused_with_the_cure() {
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let rooms = rooms(&it).await;
    for (listen, public_url, want) in [
        ("0.0.0.0:0", None, "without TLS"),
        ("[::]:0", None, "without TLS"),
        ("127.0.0.1:0", Some("mail.practice.example"), "public_url"),
        ("127.0.0.1:0", Some("ftp://mail.practice.example"), "public_url"),
        ("127.0.0.1:0", Some("https://mail.practice.example/portal"), "public_url"),
        ("127.0.0.1:0", Some("http://mail.practice.example"), "says http"),
        ("127.0.0.1:0", Some("http://192.0.2.1:8026"), "says http"),
        ("127.0.0.1:0", Some("https://user@mail.practice.example"), "public_url"),
    ] {
        let settings = PortalSettings {
            listen: listen.parse().unwrap(),
            public_url: public_url.map(str::to_owned),
            ..settings()
        };
        let refused = Portal::bind(settings, rooms.clone()).err().unwrap().to_string();
        assert!(refused.contains(want), "{refused}");
    }
    let settings = PortalSettings { public_url: Some("https://Mail.Example/".into()), ..settings() };
    assert_eq!(Portal::bind(settings, rooms).unwrap().public_url(), "https://Mail.Example");
}

#[tokio::test]
async fn behind_a_proxy_on_this_computer_the_door_is_as_strict_as_its_public_address() {
    let public_url = Some("https://mail.practice.example".into());
    let house = House::with(PortalSettings { public_url, ..settings() }, table()).await;
    let person = house.person("o@practice.test", Role::Operator).await;
    let mut browser = Browser::default();
    browser.keep("__Host-session", house.session(&person).await.token.reveal());
    // As a proxy passes it on: plain HTTP from this computer.
    let proxied = "Host: mail.practice.example\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n";
    let page = house.ask(&mut browser, "GET", "/", proxied, "").await;
    assert_eq!(page.status, 200, "{}", page.head);
    let cookie = page.headers("set-cookie")[0];
    assert!(cookie.starts_with("__Host-visitor=") && cookie.contains("; Secure"), "{cookie}");
    assert!(page.headers("strict-transport-security")[0].starts_with("max-age=31536000"));
    // What a browser sends that says nothing of where a form comes from; the form token still has to fit.
    let token = page.form_token();
    for (said, form_token, status) in [
        ("Origin: null\r\n", token.as_str(), 303),
        ("Origin: null\r\n", "AAAA", 403),
        ("Origin: https://mail.practice.example\r\n", &token, 303),
        ("Origin: https://evil.example\r\n", &token, 403),
        ("Origin: http://mail.practice.example:8026\r\n", &token, 403),
        ("Origin: null\r\nSec-Fetch-Site: cross-site\r\n", &token, 403),
    ] {
        let (headers, body) = (format!("{proxied}{said}"), format!("form_token={form_token}&theme=dark"));
        let reply = house.ask(&mut browser, "POST", "/theme", &headers, &body).await;
        assert_eq!(reply.status, status, "{said} {}", reply.body);
    }
    // Without the prefix a cookie opens nothing there, and another name gets no page.
    let mut bare = Browser::default();
    bare.keep("session", browser.find("__Host-session").unwrap());
    assert_eq!(house.ask(&mut bare, "GET", "/", proxied, "").await.status, 303);
    assert_eq!(house.ask(&mut browser, "GET", "/", "Host: evil.example\r\n", "").await.status, 421);
    house.end().await;
}

/// Rows of a page that matters: its form, and what the form does.
fn rows_that_matter() -> Vec<Route> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Typed {
        name: String,
        note: String,
    }
    async fn page(page: Page, Form(typed): Form<Typed>) -> String {
        let alerts: Vec<_> = page.alerts.iter().map(|it| it.words.clone()).collect();
        format!(
            "<input name=\"form_token\" value=\"{}\">[{}] {}",
            page.form_token,
            typed.name,
            alerts.join(" ")
        )
    }
    async fn act(signed: Signed, Form(typed): Form<Typed>) -> String {
        format!("done by {} with {}/{}", signed.person().address, typed.name, typed.note)
    }
    async fn fall() -> String {
        panic!("a mistake of ours with a secret in it");
    }
    let mut rows = table();
    rows.push(Route::get("/matters", Access::Signed, page));
    rows.push(Route::get("/matters/more", Access::Signed, page).needs_proof());
    rows.push(Route::post("/matters", Access::Signed, act).needs_proof());
    rows.push(Route::get("/falls", Access::Public, fall));
    rows
}

/// An operator with a password, whose last proof was more than five minutes ago.
async fn unproven(house: &House) -> Browser {
    let person = house.person("o@practice.test", Role::Operator).await;
    let (of, by) = (house.organisation, gatepost_journal::Actor::Command);
    let link = house
        .rooms
        .identity
        .hand_link(of, person.id, gatepost_identity::LinkKind::Invitation, by)
        .await
        .unwrap();
    let visitor =
        gatepost_identity::Visitor { source: "127.0.0.1".parse().unwrap(), device: "A test".into() };
    let password = gatepost_core::SecretText::new("a long sentence of my own".into());
    let entrance =
        house.rooms.people.choose_password(&link.token, &password, None, false, &visitor).await.unwrap();
    let gatepost_identity::Entrance::SignedIn(new) = entrance else { panic!("no second step is set up") };
    let mut browser = Browser::default();
    browser.keep("session", new.token.reveal());
    house.it.clock.advance(std::time::Duration::from_mins(6));
    browser
}

#[tokio::test]
async fn what_matters_asks_for_proof_and_then_goes_on_with_what_was_typed() {
    let house = House::with(settings(), rows_that_matter()).await;
    let mut browser = unproven(&house).await;
    let before = browser.find("session").unwrap().to_owned();
    assert_eq!(house.get(&mut browser, "/matters/more").await.location(), "/confirm");
    let asked = house
        .post(&mut browser, "/matters", "/matters", "name=A%26%22B&password_new=unseen-words&note=n")
        .await;
    assert!(asked.body.contains("Confirm that it is you") && asked.body.contains("name=\"proof_password\""));
    assert!(asked.body.contains("name=\"name\" value=\"A&#38;&#34;B\""), "{}", asked.body);
    assert!(!asked.body.contains("unseen-words") && !asked.body.contains("password_new"), "{}", asked.body);
    // Nothing is done by a wrong proof, and what was typed is still there.
    let token = asked.form_token();
    let wrong = format!("form_token={token}&name=A%26%22B&note=n&proof_password=wrong");
    let wrong = house.ask(&mut browser, "POST", "/matters", "", &wrong).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body.contains("name=\"note\" value=\"n\"") && wrong.body.contains("aria-invalid"),
        "{}",
        wrong.body
    );
    let right = format!("form_token={token}&name=A%26%22B&note=n&proof_password=a+long+sentence+of+my+own");
    let done = house.ask(&mut browser, "POST", "/matters", "", &right).await;
    assert_eq!(done.body, "done by o@practice.test with A&\"B/n");
    // WP-2: the session goes on under another token, and the one from before opens nothing.
    assert_ne!(browser.find("session").unwrap(), before);
    let mut old = Browser::default();
    old.keep("session", &before);
    assert_eq!(house.get(&mut old, "/matters").await.status, 303);
    assert_eq!(house.get(&mut browser, "/matters/more").await.status, 200);
    // Five minutes later it is asked again.
    house.it.clock.advance(std::time::Duration::from_mins(6));
    assert_eq!(house.get(&mut browser, "/matters/more").await.location(), "/confirm");
    house.end().await;
}

#[tokio::test]
async fn a_form_that_had_become_old_comes_again_with_what_was_typed() {
    let house = House::with(settings(), rows_that_matter()).await;
    let mut browser = house.signed_in(Role::Operator).await;
    house.get(&mut browser, "/matters").await;
    let reply = house.ask(&mut browser, "POST", "/matters", "", "form_token=old&name=TDO").await;
    assert_eq!(reply.status, 403);
    assert!(
        reply.body.contains("[TDO]") && reply.body.contains("This page had become old"),
        "{}",
        reply.body
    );
    house.end().await;
}

#[tokio::test]
async fn what_was_typed_when_the_session_had_ended_comes_back_for_the_same_person() {
    let house = House::with(settings(), rows_that_matter()).await;
    let (anna, bert) = (
        house.person("anna@practice.test", Role::Operator).await,
        house.person("bert@practice.test", Role::Operator).await,
    );
    for (who, is_hers) in [(&anna, true), (&bert, false)] {
        let mut browser = Browser::default();
        browser.keep("session", house.session(&anna).await.token.reveal());
        let token = house.get(&mut browser, "/matters").await.form_token();
        house.it.clock.advance(std::time::Duration::from_hours(2));
        let body = format!("form_token={token}&name=TDO&password_new=unseen-words");
        let late = house.ask(&mut browser, "POST", "/matters", "", &body).await;
        assert_eq!((late.status, late.location()), (303, "/sign-in"));
        let asked = house.get(&mut browser, "/sign-in").await;
        assert!(asked.body.contains("what you typed comes back"), "{}", asked.body);
        browser.keep("session", house.session(who).await.token.reveal());
        let page = house.get(&mut browser, "/matters").await.body;
        assert_eq!(page.contains("[TDO]"), is_hers, "{page}");
        assert_eq!(page.contains("You had been signed out before this was sent"), is_hers, "{page}");
        assert_eq!(page.contains("was dropped"), !is_hers, "{page}");
        assert!(!page.contains("unseen-words"), "{page}");
        // Once.
        browser.keep("session", house.session(&anna).await.token.reveal());
        assert!(house.get(&mut browser, "/matters").await.body.contains("[] "));
    }
    house.end().await;
}

#[tokio::test]
async fn a_form_of_which_nothing_is_known_says_that_nothing_was_changed() {
    let house = House::with(settings(), rows_that_matter()).await;
    let mut browser = house.signed_in(Role::Operator).await;
    let page = house.get(&mut browser, "/").await;
    browser.keep("session", &"A".repeat(43));
    let body = format!("form_token={}", page.form_token());
    let path = "/outbox/0192f0c1-0000-7000-8000-000000000001";
    let late = house.ask(&mut browser, "POST", &format!("{path}/cancel"), "", &body).await;
    assert_eq!(late.location(), format!("/sign-in?then={path}"), "back to the page of the button");
    browser.keep("session", "");
    let late = house.ask(&mut browser, "POST", "/matters", "", &body).await;
    let asked = house.get(&mut browser, late.location()).await.body;
    assert!(asked.contains("nothing was changed"), "{asked}");
    house.end().await;
}

#[tokio::test]
async fn a_form_that_was_sent_twice_around_a_proof_does_not_come_back() {
    let house = House::with(settings(), rows_that_matter()).await;
    let mut browser = unproven(&house).await;
    let asked = house.post(&mut browser, "/matters", "/matters", "name=TDO").await;
    let right =
        format!("form_token={}&name=TDO&proof_password=a+long+sentence+of+my+own", asked.form_token());
    let stale = browser.clone();
    assert!(house.ask(&mut browser, "POST", "/matters", "", &right).await.body.starts_with("done by"));
    // The second click still carries the cookie from before, and its answer is the one that is shown.
    let again = house.ask(&mut stale.clone(), "POST", "/matters", "", &right).await;
    assert!(again.body.starts_with("done by"), "it goes on as the first did: {}", again.head);
    // Another proof says nothing of the session that goes on.
    let other = right.replace("my+own", "another");
    let again = house.ask(&mut stale.clone(), "POST", "/matters", "", &other).await;
    assert!(again.headers("set-cookie").is_empty(), "an unknown cookie is left alone: {}", again.head);
    assert_eq!(again.location(), "/sign-in");
    assert_eq!(house.get(&mut browser, again.location()).await.location(), "/");
    let page = house.get(&mut browser, "/matters").await.body;
    assert!(page.contains("[] ") && !page.contains("signed out"), "{page}");
    house.end().await;
}

#[tokio::test]
async fn a_link_in_a_letter_is_led_on_once_so_that_the_cookie_comes() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Administrator).await;
    let session = browser.find("session").unwrap().to_owned();
    // A strict cookie does not come along from another site.
    browser.keep("session", "");
    let elsewhere = "Sec-Fetch-Site: cross-site\r\n";
    let led = house.ask(&mut browser, "GET", "/outbox?state=held", elsewhere, "").await;
    assert_eq!(led.status, 200, "{}", led.head);
    for part in
        ["http-equiv=\"refresh\" content=\"0; url=/outbox?state=held\"", "<a href=\"/outbox?state=held\">"]
    {
        assert!(led.body.contains(part), "{}", led.body);
    }
    // Once, whatever the browser says the second time.
    let again = house.ask(&mut browser, "GET", "/outbox?state=held", elsewhere, "").await;
    assert_eq!(again.location(), "/sign-in?then=/outbox%3Fstate%3Dheld");
    assert_eq!(browser.find("onward"), None, "the next link is led on again");
    assert_eq!(house.ask(&mut browser, "GET", "/outbox", elsewhere, "").await.status, 200);
    browser.keep("session", &session);
    let own = house.ask(&mut browser, "GET", "/outbox", "Sec-Fetch-Site: same-origin\r\n", "").await;
    assert!(own.status == 200 && !own.body.contains("http-equiv"), "{}", own.body);
    assert!(!house.ask(&mut browser, "GET", "/outbox", elsewhere, "").await.body.contains("http-equiv"));
    // Nobody is led to what is no page, or to another site.
    for path in
        ["/nothing-here", "//evil.example/", "/outbox?x=%2F%2Fevil.example", "/home/board", "/sign-in"]
    {
        let reply = house.ask(&mut Browser::default(), "GET", path, elsewhere, "").await;
        assert!(!reply.body.contains("http-equiv"), "{path}: {}", reply.body);
    }
    house.end().await;
}

#[tokio::test]
async fn forms_that_were_carried_out_ring_for_the_notices_that_they_wrote() {
    let n = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let rung = n.clone();
    let ring: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        rung.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let house = House::with(PortalSettings { ring: Some(ring), ..settings() }, table()).await;
    let mut browser = house.signed_in(Role::Operator).await;
    house.get(&mut browser, "/").await;
    house.ask(&mut browser, "POST", "/theme", "", "form_token=old").await;
    assert_eq!(n.load(std::sync::atomic::Ordering::Relaxed), 0);
    house.post(&mut browser, "/", "/theme", "theme=dark").await;
    assert_eq!(n.load(std::sync::atomic::Ordering::Relaxed), 1);
    house.end().await;
}

#[tokio::test]
async fn the_token_of_a_link_is_sent_nowhere_but_to_its_own_page() {
    async fn page(page: Page) -> crate::frame::Answer {
        Ok(crate::page::error::old(page, String::new()))
    }
    let mut rows: Vec<_> = table().into_iter().filter(|it| it.row.path != "/link").collect();
    rows.push(Route::get("/link", Access::Public, page));
    let house = House::with(settings(), rows).await;
    let mut browser = house.signed_in(Role::Operator).await;
    for browser in [&mut browser, &mut Browser::default()] {
        let page = house.get(browser, "/link?token=secret-token").await.body;
        assert!(!page.contains("secret-token"), "{page}");
        let page = house.get(browser, "/link").await.body;
        assert!(page.contains("name=\"back\" value=\"/link\""), "{page}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_mistake_of_ours_is_a_page_with_a_number_and_nothing_else() {
    let house = House::with(settings(), rows_that_matter()).await;
    let reply = house.get(&mut Browser::default(), "/falls").await;
    assert_eq!(reply.status, 500);
    assert!(
        reply.body.contains("Number of this error: ") && !reply.body.contains("secret"),
        "{}",
        reply.body
    );
    house.end().await;
}

#[tokio::test]
async fn what_is_no_form_or_too_large_is_refused() {
    let house = House::with(settings(), rows_that_matter()).await;
    let mut browser = house.signed_in(Role::Operator).await;
    for body in ["name=%ff".to_owned(), "a=b&".repeat(1_000), format!("name={}", "x".repeat(200_000))] {
        assert_eq!(house.ask(&mut browser, "POST", "/matters", "", &body).await.status, 400);
    }
    house.end().await;
}

#[tokio::test]
async fn administrators_come_from_their_networks_only() {
    let networks = PortalSettings {
        administration_networks: vec!["192.0.2.0/24".parse().unwrap()],
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..settings()
    };
    let rows = || {
        let mut rows = table();
        rows.push(Route::get("/rules", Access::Administrator, async || "ruled"));
        rows
    };
    let house = House::with(networks, rows()).await;
    let mut browser = house.signed_in(Role::Administrator).await;
    for (from, status) in [("192.0.2.7", 200), ("198.51.100.7", 404), ("rubbish", 400)] {
        let header = format!("X-Forwarded-For: {from}\r\n");
        assert_eq!(house.ask(&mut browser, "GET", "/rules", &header, "").await.status, status, "{from}");
    }
    house.end().await;
}

#[tokio::test]
async fn a_panel_that_renews_itself_keeps_nobody_signed_in() {
    let house = House::new().await;
    let mut browser = house.signed_in(Role::Operator).await;
    for _ in 0..4 {
        house.it.clock.advance(std::time::Duration::from_mins(10));
        house.ask(&mut browser, "GET", "/home/board", "Gatepost-Live: 1\r\n", "").await;
    }
    assert_eq!(house.get(&mut browser, "/").await.location(), "/sign-in");
    house.end().await;
}
