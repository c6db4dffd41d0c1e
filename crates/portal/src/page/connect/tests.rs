//! The pages from outside: what is refused, and that nothing is spent by it.

mod provider;
mod rights;

use std::time::Duration;

use gatepost_accounts::{
    Accounts, ApplicationKind, Details, Draft, DraftState, Endpoint, Endpoints, FlowOrigin, NewApplication,
    Serves, TlsMode, Whose,
};
use gatepost_core::{DraftId, MailAccountId, PersonId};
use gatepost_identity::{Person, Role};
use gatepost_journal::Actor;
use gatepost_providers::{OAuthClient, Overrule, Providers};

use crate::Rooms;
use crate::routes::table;
use crate::tests::{Browser, House, ROOMS, Reply, rooms, settings};
use provider::Provider;

const ADDRESS: &str = "reception@praxis.test";

/// A house whose provider is signed in to on a page.
struct Desk {
    house: House,
    provider: Provider,
    /// An administrator.
    chief: Browser,
}

impl Desk {
    async fn new() -> Self {
        let provider = Provider::start().await;
        let (base, port) = (&provider.base, provider.smtp_port);
        let server = format!("[{{ host = \"127.0.0.1\", port = {port}, tls = \"starttls\" }}]");
        let text = format!(
            "[praxis]\nname = \"Praxis\"\ndomains = [\"praxis.test\"]\nsmtp = {server}\napp_password = \"google\"\n\
             methods = [{{ method = \"sign_in\", place = \"first\", when = \"client\" }}, \
             {{ method = \"app_password\", place = \"first\" }}]\n\
             [praxis.oauth]\nauthorize = \"{base}/authorize\"\ntoken = \"{base}/token\"\nuserinfo = \"{base}/userinfo\"\n\
             scopes = {{ smtp = [\"send\"], lasting = [\"offline_access\"] }}\nscope_words = {{ send = \"Send mail\" }}\n\
             [other]\nname = \"Other\"\n[other.oauth]\nauthorize = \"{base}/authorize\"\ntoken = \"{base}/token\"\n\
             scopes = {{ smtp = [\"send\"] }}\n"
        );
        let tables = text.parse::<toml::Table>().unwrap();
        let providers = tables.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
        let overrule = Overrule { providers, allows_private_addresses: true, ..Overrule::default() };
        let providers = Providers::with(&overrule).unwrap_or_else(|why| panic!("{why:?}"));
        let it = gatepost_testkit::sqlite(ROOMS).await;
        let accounts = Accounts::new(&it.store, &it.keyring, providers);
        let all = rooms(&it).await;
        let (dialer, tls) = (all.reach.dialer.clone(), all.reach.tls.clone());
        accounts.reach_services(OAuthClient::new(dialer, tls, it.world.clone()));
        let house = House::of(it, Rooms { accounts, ..all }, settings(), table()).await;
        let chief = house.signed_in(Role::Administrator).await;
        house.prove().await;
        let desk = Self { house, provider, chief };
        desk.register("praxis").await;
        desk.register("other").await;
        desk
    }

    async fn register(&self, service: &str) {
        let new = NewApplication {
            service: service.into(),
            client_id: "client-1".into(),
            secret: None,
            tenant: None,
            kind: ApplicationKind::Web,
            is_verified: false,
            is_proven: true,
        };
        let of = self.house.organisation;
        self.house.rooms.accounts.put_application(Some(of), new, of, Actor::Command).await.unwrap();
    }

    async fn operator(&self, address: &str) -> (Person, Browser) {
        let person = self.house.person(address, Role::Operator).await;
        let mut browser = Browser::default();
        browser.keep("session", self.house.session(&person).await.token.reveal());
        self.house.prove().await;
        (person, browser)
    }

    async fn begins(&self, browser: &mut Browser, address: &str) -> DraftId {
        let fields = format!("address={}", address.replace('@', "%40"));
        let reply = self.house.post(browser, "/accounts/connect", "/accounts/connect", &fields).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
        let (path, _) = reply.location().split_once('?').unwrap_or((reply.location(), ""));
        path.rsplit('/').next().unwrap().parse().unwrap()
    }

    async fn draft(&self, browser: &Browser, id: DraftId) -> Draft {
        self.house.rooms.accounts.connecting(self.whose(browser).await).get(id).await.unwrap()
    }

    async fn whose(&self, browser: &Browser) -> Whose {
        let token = gatepost_identity::Token::parse(browser.find("session").unwrap()).unwrap();
        let session = self.house.rooms.people.find_session(&token, false).await.unwrap().unwrap();
        Whose { organisation: self.house.organisation, person: Some(session.person.id) }
    }

    /// What a form on a page of the draft does.
    async fn does(&self, browser: &mut Browser, id: DraftId, behind: &str, fields: &str) -> Reply {
        let path = super::path(id, behind);
        self.house.post(browser, "/accounts/connect", &path, fields).await
    }

    /// Goes to the provider's page; what comes back is the state.
    async fn goes(&self, browser: &mut Browser, id: DraftId) -> String {
        let revision = self.draft(browser, id).await.revision;
        let reply = self.does(browser, id, "/go", &format!("revision={revision}")).await;
        assert_eq!(reply.status, 200, "{}", reply.head);
        parameter(&reply.body, "state")
    }

    async fn answers(&self, browser: &mut Browser, service: &str, state: &str, code: &str) -> Reply {
        let path = format!("/oauth/callback/{service}?code={code}&state={state}");
        self.house.get(browser, &path).await
    }

    /// Ten minutes pass; whoever sits there has just proven again that it is them.
    async fn later(&self, browser: &mut Browser) {
        self.house.it.clock.advance(Duration::from_mins(10));
        self.house.get(browser, "/").await;
        self.house.prove().await;
    }

    fn codes(&self) -> usize {
        self.provider.says().codes.len()
    }
}

/// The value of a parameter of the address in a page.
fn parameter(body: &str, name: &str) -> String {
    let (_, behind) = body.split_once(&format!("{name}=")).unwrap();
    behind.split(['&', '"']).next().unwrap().to_owned()
}

/// What provider's pages bring carries the cookie of the sign-in alone: that of an administrator's session stays away.
fn led_by_the_provider(browser: &Browser) -> Browser {
    Browser { cookies: browser.cookies.iter().filter(|(name, _)| name == "sign-in").cloned().collect() }
}

/// OC-2.
#[tokio::test]
async fn an_answer_counts_once_in_its_own_browser_while_its_person_is_signed_in() {
    let mut it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, ADDRESS).await;
    let state = it.goes(&mut chief, id).await;
    let mut theirs = led_by_the_provider(&chief);
    assert_eq!(theirs.cookies.len(), 1);
    // Two cookie jars: another browser, one with a sign-in of its own, and one that knows the session alone.
    let (_, mut paul) = it.operator("paul@practice.test").await;
    let own = it.begins(&mut paul, "paul@praxis.test").await;
    it.goes(&mut paul, own).await;
    let mut of_session = Browser { cookies: vec![("session".into(), chief.find("session").unwrap().into())] };
    for (what, browser, service, state, words) in [
        ("another browser", &mut Browser::default(), "praxis", state.as_str(), "another browser"),
        ("another's browser", &mut led_by_the_provider(&paul), "praxis", &state, "another browser"),
        ("the session alone", &mut of_session, "praxis", &state, "another browser"),
        ("forged", &mut theirs.clone(), "praxis", "forged-forged-forged-forged-forged-forged-f", "is over"),
        ("another service", &mut theirs.clone(), "other", &state, "another service"),
        ("no service", &mut theirs.clone(), "nobody", &state, "another service"),
        ("nothing", &mut theirs.clone(), "praxis", "", "no whole answer"),
    ] {
        let reply = it.answers(browser, service, state, "code-1").await;
        assert_eq!(reply.status, 409, "{what}: {}", reply.head);
        assert!(reply.body.contains(words), "{what}: {}", reply.body);
        assert!(!reply.body.contains("code-1"), "{what} repeats the code");
    }
    assert_eq!(it.codes(), 0, "a mismatch spends nothing");
    let reply = it.answers(&mut theirs, "praxis", &state, "code-1").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains("You can close this tab"), "{}", reply.body);
    assert!(!reply.body.contains("code-1") && !reply.body.contains(&state));
    assert_eq!(reply.headers("referrer-policy"), ["no-referrer"]);
    assert!(reply.headers("cache-control")[0].contains("no-store"));
    let reply = it.answers(&mut theirs, "praxis", &state, "code-2").await;
    assert_eq!((reply.status, it.codes()), (409, 1), "twice");

    let late = it.goes(&mut chief, id).await;
    it.later(&mut chief).await;
    let reply = it.answers(&mut led_by_the_provider(&chief), "praxis", &late, "code-3").await;
    assert_eq!((reply.status, it.codes()), (409, 1), "late");

    let state = it.goes(&mut chief, id).await;
    let reply = it.house.post(&mut chief.clone(), "/", "/sign-out", "").await;
    assert_eq!(reply.status, 303);
    let reply = it.answers(&mut led_by_the_provider(&chief), "praxis", &state, "code-4").await;
    assert!(reply.status == 409 && reply.body.contains("You have signed out"), "{}", reply.body);
    assert_eq!(it.codes(), 1);
    it.chief = chief;
    it.house.end().await;
}

#[tokio::test]
async fn two_sign_ins_of_one_browser_do_not_disturb_each_other() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let first = it.begins(&mut chief, ADDRESS).await;
    let second = it.begins(&mut chief, "billing@praxis.test").await;
    let states = [it.goes(&mut chief, first).await, it.goes(&mut chief, second).await];
    let mut theirs = led_by_the_provider(&chief);
    assert_eq!(it.answers(&mut theirs, "praxis", &states[0], "code-1").await.status, 200);
    it.provider.says().who = ("8", "billing@praxis.test");
    assert_eq!(it.answers(&mut theirs, "praxis", &states[1], "code-2").await.status, 200);
    it.house.end().await;
}

#[tokio::test]
async fn a_person_who_may_no_longer_is_not_heard() {
    let it = Desk::new().await;
    let (paul, mut browser) = it.operator("paul@practice.test").await;
    let id = it.begins(&mut browser, "paul@praxis.test").await;
    let state = it.goes(&mut browser, id).await;
    // Serves everybody by now, which an operator may not connect.
    let connecting = it.house.rooms.accounts.connecting(it.whose(&browser).await);
    let draft = connecting.get(id).await.unwrap();
    let details = Details { serves: Serves::Organisation, ..draft.details.clone() };
    connecting.change(id, draft.revision, details).await.unwrap();
    let reply = it.answers(&mut led_by_the_provider(&browser), "praxis", &state, "code-1").await;
    assert_eq!((reply.status, it.codes()), (409, 0));
    for path in ["", "/waiting", "/password", "/servers", "/check"] {
        let reply = it.house.get(&mut browser, &super::path(id, path)).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    // It is nobody else's to give up, so it gives way to another one.
    let anew = it.begins(&mut browser, "paul@praxis.test").await;
    assert_ne!(anew, id);
    assert_eq!(it.draft(&browser, anew).await.details.serves, Serves::Person(paul.id));
    it.house.end().await;
}

#[tokio::test]
async fn what_a_command_waits_for_is_copied_to_the_terminal() {
    let it = Desk::new().await;
    let whose = Whose { organisation: it.house.organisation, person: None };
    let connecting = it.house.rooms.accounts.connecting(whose);
    let draft = connecting.begin(details(&it, ADDRESS)).await.unwrap();
    let portal = Some("http://localhost");
    let begun = connecting.begin_sign_in(draft.id, draft.revision, FlowOrigin::Command, portal).await;
    let Ok(begun) = begun else { panic!("it begins") };
    let state = parameter(&begun.url, "state");
    let reply = it.answers(&mut it.chief.clone(), "praxis", &state, "code-1").await;
    assert!(reply.status == 409 && reply.body.contains("paste it into the terminal"), "{}", reply.body);
    assert_eq!(it.codes(), 0);
    it.house.end().await;
}

fn details(it: &Desk, address: &str) -> Details {
    let smtp = Endpoint { host: "127.0.0.1".into(), port: it.provider.smtp_port, tls: TlsMode::None };
    Details {
        address: address.parse().unwrap(),
        provider: "praxis".into(),
        found_at: None,
        method: None,
        user_name: address.into(),
        opens: None,
        endpoints: Some(Endpoints { smtp, imap: None, pop3: None }),
        short_name: "Reception".into(),
        author_name: String::new(),
        author_address: None,
        serves: Serves::Organisation,
        is_default: false,
        same_as: None,
    }
}

/// A database that is away loses nothing that a provider's page has brought.
#[tokio::test]
async fn an_answer_that_meets_a_broken_database_can_be_loaded_again() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, ADDRESS).await;
    let state = it.goes(&mut chief, id).await;
    let mut theirs = led_by_the_provider(&chief);
    it.house.execute("FIND_SESSION", "ALTER TABLE {table} RENAME TO away").await;
    let reply = it.answers(&mut theirs, "praxis", &state, "code-1").await;
    assert!(reply.status >= 500, "{}", reply.head);
    assert_eq!(it.codes(), 0);
    it.house.execute("FIND_SESSION", "ALTER TABLE away RENAME TO {table}").await;
    assert_eq!(it.answers(&mut theirs, "praxis", &state, "code-1").await.status, 200);
    it.house.end().await;
}

/// C7.
#[tokio::test]
async fn another_mailbox_is_refused_naming_both_and_only_administrators_may_say_that_it_is_the_same() {
    let it = Desk::new().await;
    it.provider.says().who = ("8", "dr.ana@praxis.test");
    let (_, paul) = it.operator("paul@practice.test").await;
    for (mut browser, address, may) in [(it.chief.clone(), ADDRESS, true), (paul, "paul@praxis.test", false)]
    {
        let id = it.begins(&mut browser, address).await;
        let state = it.goes(&mut browser, id).await;
        let reply = it.answers(&mut led_by_the_provider(&browser), "praxis", &state, "code-1").await;
        assert!(reply.status == 409 && reply.body.contains("not connected yet"), "{}", reply.body);
        let page = it.house.get(&mut browser, &super::path(id, "/waiting")).await;
        assert!(page.body.contains(address) && page.body.contains("dr.ana@praxis.test"), "{}", page.body);
        assert_eq!(page.body.contains("This is the same mailbox"), may, "{address}");
        let reply = it.does(&mut browser, id, "/go", "revision=2&same=1").await;
        assert_eq!(reply.status, 200, "{}", reply.head);
        assert_eq!(it.draft(&browser, id).await.details.same_as.is_some(), may);
        let page = it.house.get(&mut browser, &super::path(id, "/waiting")).await;
        assert!(page.body.contains("Finish in the other tab"), "a newer sign-in is waited for");
        let state = parameter(&reply.body, "state");
        it.answers(&mut led_by_the_provider(&browser), "praxis", &state, "code-2").await;
        assert_eq!(it.draft(&browser, id).await.state == DraftState::Open, !may);
    }
    it.house.end().await;
}

/// C7, C15.
#[tokio::test]
async fn signing_in_again_in_vain_is_not_said_to_be_connecting() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let account = it.connected(&mut chief).await;
    let reply = it.house.post(&mut chief, "/", &format!("/accounts/{account}/reauthenticate"), "").await;
    let draft: DraftId = reply.location().split('/').nth(3).unwrap().parse().unwrap();
    it.provider.says().who = ("8", "dr.ana@praxis.test");
    let state = it.goes(&mut chief, draft).await;
    let reply = it.answers(&mut led_by_the_provider(&chief), "praxis", &state, "code-1").await;
    assert!(reply.status == 409 && reply.body.contains("Nobody has signed in again yet"), "{}", reply.body);
    assert!(!reply.body.contains("not connected yet"), "{}", reply.body);
    it.house.end().await;
}

/// C8.
#[tokio::test]
async fn missing_permissions_are_named_with_another_try() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    it.provider.says().scope = Some("offline_access");
    let id = it.begins(&mut chief, ADDRESS).await;
    let state = it.goes(&mut chief, id).await;
    it.answers(&mut led_by_the_provider(&chief), "praxis", &state, "code-1").await;
    let page = it.house.get(&mut chief, &super::path(id, "/waiting")).await;
    assert!(page.body.contains("<li>Send mail</li>") && page.body.contains("Try again"), "{}", page.body);
    it.house.end().await;
}

#[tokio::test]
async fn what_is_pasted_counts_only_for_the_sign_in_that_waits_here() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, ADDRESS).await;
    let state = it.goes(&mut chief, id).await;
    let (_, mut paul) = it.operator("paul@practice.test").await;
    let own = it.begins(&mut paul, "paul@praxis.test").await;
    let pauls = it.goes(&mut paul, own).await;
    let base = it.house.get(&mut chief, &super::path(id, "/waiting")).await;
    assert!(!base.body.contains("id=\"paste\" open"), "a redirect comes here by itself");
    let address = |service: &str, state: &str| {
        let uri =
            format!("http://{}/oauth/callback/{service}", it.house.address).replace("127.0.0.1", "localhost");
        format!("code_address={}", encoded(&format!("{uri}?code=code-1&state={state}")))
    };
    for (fields, status, words) in [
        ("code_address=".to_owned(), 422, "from http to its end"),
        (format!("code_address={state}"), 422, "only a part of the address"),
        ("code_address=hello".to_owned(), 422, "not the address"),
        (address("other", &state), 422, "another page"),
        (address("praxis", &pauls), 303, ""),
        (address("praxis", "forged-forged-forged-forged-forged-forged-f"), 303, ""),
    ] {
        let reply = it.does(&mut chief, id, "/waiting", &fields).await;
        assert_eq!(reply.status, status, "{fields}: {}", reply.body);
        assert!(reply.body.contains(words), "{fields}: {}", reply.body);
        assert!(!reply.body.contains(&state), "what was pasted does not come back");
    }
    assert_eq!(it.codes(), 0);
    let reply = it.does(&mut chief, id, "/waiting", &address("praxis", &state)).await;
    assert!(reply.location().ends_with("/check"), "{}", reply.head);
    assert_eq!(it.codes(), 1);
    it.house.end().await;
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// C10.
#[tokio::test]
async fn what_looks_like_the_accounts_own_password_goes_nowhere_before_it_is_meant() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, ADDRESS).await;
    let page = it.house.get(&mut chief, &super::path(id, "/password?method=app_password")).await;
    assert!(page.body.contains("https://myaccount.google.com/apppasswords"), "{}", page.body);
    assert!(page.body.contains(&format!("Make an app password at Praxis for {ADDRESS}")), "{}", page.body);
    let reply = it.does(&mut chief, id, "/password", "revision=1&method=app_password&password=").await;
    assert_eq!(reply.status, 422);
    let typed = "revision=1&method=app_password&password=Sommer2026!";
    let reply = it.does(&mut chief, id, "/password", typed).await;
    assert_eq!(reply.status, 422);
    assert!(reply.body.contains("Try it anyway") && !reply.body.contains("Sommer2026!"), "{}", reply.body);
    assert_eq!(it.draft(&chief, id).await.state, DraftState::Open);
    // Another session's password waits for nobody else.
    let (_, mut paul) = it.operator("paul@practice.test").await;
    let reply = it.does(&mut paul, id, "/password", "revision=1&method=app_password&anyway=1").await;
    assert_eq!(reply.status, 404);
    let reply = it.does(&mut chief, id, "/password", "revision=1&method=app_password&anyway=1").await;
    assert!(reply.location().ends_with("/check"), "{} {}", reply.head, reply.body);
    assert_ne!(it.draft(&chief, id).await.state, DraftState::Open);
    let reply = it.does(&mut chief, id, "/password", "revision=9&method=password&password=x").await;
    assert_eq!(reply.location(), super::path(id, ""), "somebody has changed it meanwhile");
    it.house.end().await;
}

/// OC-12.
#[tokio::test]
async fn servers_that_were_found_get_no_password_before_their_names_are_confirmed() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let connecting = it.house.rooms.accounts.connecting(it.whose(&chief).await);
    let found =
        Details { found_at: Some("mx1.praxis.test".into()), ..details(&it, "reception@elsewhere.test") };
    let id = connecting.begin(found).await.unwrap().id;
    let page = it.house.get(&mut chief, &super::path(id, "/password?method=app_password")).await;
    assert!(page.body.contains("mx1.praxis.test") && page.body.contains("127.0.0.1"), "{}", page.body);
    let typed = "revision=1&method=app_password&password=abcd+efgh+ijkl+mnop";
    let reply = it.does(&mut chief, id, "/password", typed).await;
    assert!(reply.status == 422 && reply.body.contains("Confirm the names"), "{}", reply.body);
    assert_eq!(it.draft(&chief, id).await.state, DraftState::Open);
    let reply = it.does(&mut chief, id, "/password", &format!("{typed}&confirmed=1")).await;
    assert!(reply.location().ends_with("/check"), "{}", reply.head);
    it.house.end().await;
}

/// C1, C11.
#[tokio::test]
async fn servers_are_read_field_by_field_and_plain_text_goes_to_named_addresses_alone() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, "reception@custom.test").await;
    let page = it.house.get(&mut chief, &super::path(id, "/servers")).await;
    assert!(page.body.contains("mail.custom.test") && page.body.contains("guesses"), "{}", page.body);
    let fields = |host: &str, port: &str, tls: &str, user_name: &str, opens: &str| {
        format!(
            "revision=1&smtp_host={host}&smtp_port={port}&smtp_tls={tls}&user_name={user_name}&opens={opens}"
        )
    };
    for (typed, words) in [
        (fields("", "465", "implicit", "me", ""), "Type the name of the server"),
        (fields("a+b", "465", "implicit", "me", ""), "This is not a server"),
        (fields("https://mail.custom.test", "465", "implicit", "me", ""), "the address of a web page"),
        (fields("mail.custom.test:465", "465", "implicit", "me", ""), "the port into its own field"),
        (fields("[::1]:465", "465", "implicit", "me", ""), "the port into its own field"),
        (fields("a:b", "465", "implicit", "me", ""), "This is not a server"),
        (fields("mail.custom.test", "0", "implicit", "me", ""), "from 1 to 65535"),
        (fields("mail.custom.test", "70000", "implicit", "me", ""), "from 1 to 65535"),
        (fields("mail.custom.test", "x", "implicit", "me", ""), "from 1 to 65535"),
        (fields("192.0.2.1", "587", "none", "me", ""), "allow_private_addresses"),
        (fields("127.0.0.1", "587", "none", "", ""), "1 to 320 characters"),
        (fields("127.0.0.1", "587", "none", &"x".repeat(321), ""), "1 to 320 characters"),
        (fields("127.0.0.1", "587", "none", "me", "nobody"), "not an e-mail address"),
    ] {
        let reply = it.does(&mut chief, id, "/servers", &typed).await;
        assert_eq!(reply.status, 422, "{typed}: {}", reply.head);
        assert!(reply.body.contains(words), "{typed}: {}", reply.body);
    }
    let typed = fields("127.0.0.1", "587", "none", "me", "office%40custom.test");
    let reply = it.does(&mut chief, id, "/servers", &typed).await;
    assert_eq!(reply.location(), super::path(id, "/password?method=password"), "{}", reply.body);
    let draft = it.draft(&chief, id).await;
    assert_eq!(draft.details.opens.unwrap().as_str(), "office@custom.test");
    let page = it.house.get(&mut chief, &super::path(id, "/servers")).await.body;
    assert!(page.contains("typed by hand") && !page.contains("right for most"), "{page}");
    // Operators open no other mailbox, and sign in as nobody else.
    let (_, mut paul) = it.operator("paul@practice.test").await;
    let id = it.begins(&mut paul, "paul@custom.test").await;
    let typed = fields("127.0.0.1", "587", "none", "paul", "office%40custom.test");
    assert_eq!(it.does(&mut paul, id, "/servers", &typed).await.status, 303);
    assert_eq!(it.draft(&paul, id).await.details.opens, None);
    let typed =
        fields("127.0.0.1", "587", "none", "eva%40custom.test", "").replace("revision=1", "revision=2");
    let reply = it.does(&mut paul, id, "/servers", &typed).await;
    assert!(reply.status == 422 && reply.body.contains("another mailbox"), "{}", reply.body);
    it.house.end().await;
}

/// Waits for what goes on in the background.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(30), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("it happens within half a minute");
}

impl Desk {
    /// A draft with a password that was checked.
    async fn checked(&self, browser: &mut Browser, address: &str) -> DraftId {
        let id = self.begins(browser, address).await;
        let smtp = format!("smtp_host=127.0.0.1&smtp_port={}&smtp_tls=none", self.provider.smtp_port);
        let user_name = address.replace('@', "%40");
        let typed = format!("revision=1&{smtp}&user_name={user_name}");
        assert_eq!(self.does(browser, id, "/servers", &typed).await.status, 303);
        let typed = "revision=2&method=password&password=secret";
        assert_eq!(self.does(browser, id, "/password", typed).await.status, 303);
        until(async || matches!(self.draft(browser, id).await.state, DraftState::Checked(_))).await;
        id
    }

    /// Reception, by a password.
    async fn connected(&self, browser: &mut Browser) -> MailAccountId {
        let id = self.checked(browser, ADDRESS).await;
        let revision = self.draft(browser, id).await.revision;
        let typed = format!("revision={revision}&short_name=Reception&serves=organisation");
        self.does(browser, id, "/check", &typed).await;
        self.account(ADDRESS).await.unwrap()
    }

    async fn account(&self, address: &str) -> Option<MailAccountId> {
        let found = self.house.rooms.accounts.find(self.house.organisation, &address.parse().unwrap()).await;
        found.unwrap().map(|it| it.id)
    }
}

/// C12, and what is asked at the end.
#[tokio::test]
async fn a_mailbox_that_works_is_named_and_connected_once() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.checked(&mut chief, ADDRESS).await;
    let page = it.house.get(&mut chief, &super::path(id, "/check")).await;
    assert!(
        page.body.contains("The mailbox works") && page.body.contains("value=\"Reception\""),
        "{}",
        page.body
    );
    let revision = it.draft(&chief, id).await.revision;
    let fields = |name: &str, author: &str, from: &str, serves: &str| {
        format!(
            "revision={revision}&short_name={name}&author_name={author}&author_address={from}&serves={serves}"
        )
    };
    for (typed, status, words) in [
        (fields("", "", "", "organisation"), 422, "1 to 60 characters"),
        (fields("R", &"x".repeat(201), "", "organisation"), 422, "at most 200 characters"),
        (fields("R", "", "nobody", "organisation"), 422, "not an e-mail address"),
        (fields("R", "", "", "person-0192f0c1-0000-7000-8000-000000000001"), 404, "Nothing here"),
    ] {
        let reply = it.does(&mut chief, id, "/check", &typed).await;
        assert_eq!(reply.status, status, "{typed}: {}", reply.head);
        assert!(reply.body.contains(words), "{typed}: {}", reply.body);
    }
    assert_eq!(it.account(ADDRESS).await, None);
    let typed = fields("Front+desk", "Practice", "office%40praxis.test", "organisation");
    for _ in 0..2 {
        let reply = it.does(&mut chief, id, "/check", &typed).await;
        assert_eq!(reply.status, 303, "{}", reply.body);
    }
    let account = it.account(ADDRESS).await.unwrap();
    let account = it.house.rooms.accounts.get(it.house.organisation, account).await.unwrap();
    assert_eq!((&*account.short_name, &*account.author_name), ("Front desk", "Practice"));
    assert_eq!(account.further_addresses[0].as_str(), "office@praxis.test");
    let target = gatepost_identity::Target::Account(account.id);
    let login = it.house.rooms.identity.find_login_of(it.house.organisation, target).await.unwrap();
    assert!(login.is_some(), "applications can have app passwords of it");
    // From now on the address leads to the account.
    let reply = it
        .house
        .post(&mut chief, "/accounts/connect", "/accounts/connect", "address=Reception%40praxis.test")
        .await;
    assert!(reply.status == 409 && reply.body.contains("connected already"), "{}", reply.body);
    it.house.end().await;
}

#[tokio::test]
async fn a_check_of_long_ago_is_done_once_more_before_the_end() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.checked(&mut chief, ADDRESS).await;
    it.later(&mut chief).await;
    let revision = it.draft(&chief, id).await.revision;
    let typed = format!("revision={revision}&short_name=Reception&serves=organisation");
    let reply = it.does(&mut chief, id, "/check", &typed).await;
    assert!(reply.location().ends_with("/check"), "{}", reply.head);
    let now = it.house.it.world.now();
    until(async || it.draft(&chief, id).await.state == DraftState::Checked(now)).await;
    assert_eq!(it.does(&mut chief, id, "/check", &typed).await.status, 303);
    assert!(it.account(ADDRESS).await.is_some());
    it.house.end().await;
}

#[tokio::test]
async fn a_mailbox_that_does_not_work_says_why_and_is_not_connected() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    it.provider.says().sign_in = "535 5.7.8 <b>wrong</b>";
    let id = it.checked(&mut chief, ADDRESS).await;
    let page = it.house.get(&mut chief, &super::path(id, "/check")).await;
    assert!(
        page.body.contains("Cannot send") && page.body.contains("Type the password again"),
        "{}",
        page.body
    );
    assert!(page.body.contains("535 5.7.8") && !page.body.contains("<b>wrong</b>"), "{}", page.body);
    let revision = it.draft(&chief, id).await.revision;
    let typed = format!("revision={revision}&short_name=Reception&serves=organisation");
    assert_eq!(it.does(&mut chief, id, "/check", &typed).await.status, 303);
    assert_eq!(it.account(ADDRESS).await, None);
    it.provider.says().sign_in = "235 2.7.0 welcome";
    let reply = it.does(&mut chief, id, "/check/again", &format!("revision={revision}")).await;
    assert!(reply.location().ends_with("/check"));
    until(async || it.draft(&chief, id).await.is_proven()).await;
    it.house.end().await;
}

/// C15.
#[tokio::test]
async fn signing_in_again_keeps_the_account_and_says_what_leaves_now() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let account = it.connected(&mut chief).await;
    it.house.it.clock.advance(Duration::from_secs(1));
    let again = format!("/accounts/{account}/reauthenticate");
    let (paul, mut browser) = it.operator("paul@practice.test").await;
    assert_eq!(it.house.post(&mut browser, "/", &again, "").await.status, 404, "it is not theirs");
    // It is refused for long enough to be parked, and a letter waits.
    park(&it, account).await;
    let login = it.house.rooms.identity.ensure_person_login(&paul).await.unwrap();
    it.house.letter(login.id, Some(account), &["patient@example.test"]).await;
    let reply = it.house.post(&mut chief, "/", &again, "").await;
    assert!(reply.location().ends_with("/password?method=password"), "{}", reply.head);
    let draft: DraftId = reply.location().split('/').nth(3).unwrap().parse().unwrap();
    let page = it.house.get(&mut chief, &super::path(draft, "")).await;
    assert!(page.body.contains("Sign in again to Reception"), "{}", page.body);
    let typed = "revision=1&method=password&password=another";
    assert_eq!(it.does(&mut chief, draft, "/password", typed).await.status, 303);
    until(async || matches!(it.draft(&chief, draft).await.state, DraftState::Finished(_))).await;
    until(async || {
        it.house.get(&mut chief, &super::path(draft, "/check")).await;
        it.house
            .get(&mut chief, "/")
            .await
            .body
            .contains("Reception is connected again. 1 letter leaves now.")
    })
    .await;
    assert_eq!(it.account(ADDRESS).await, Some(account), "the account stays");
    it.house.end().await;
}

/// C15.
#[tokio::test]
async fn an_account_that_was_changed_meanwhile_says_so_and_stays_as_it_is() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let account = it.connected(&mut chief).await;
    let again = format!("/accounts/{account}/reauthenticate");
    let reply = it.house.post(&mut chief, "/", &again, "").await;
    let draft: DraftId = reply.location().split('/').nth(3).unwrap().parse().unwrap();
    let (accounts, of) = (&it.house.rooms.accounts, it.house.organisation);
    let settings = accounts.get(of, account).await.unwrap().settings();
    let settings = gatepost_accounts::Settings { user_name: "somebody".into(), ..settings };
    accounts.edit(of, account, settings, Actor::Command).await.unwrap();
    let typed = "revision=1&method=password&password=another";
    assert_eq!(it.does(&mut chief, draft, "/password", typed).await.status, 303);
    let path = super::path(draft, "/check");
    until(async || it.house.get(&mut chief, &path).await.body.contains("This mail account was changed"))
        .await;
    assert_eq!(accounts.get(of, account).await.unwrap().user_name, "somebody");
    it.house.end().await;
}

/// The provider refuses the account's sign-in.
async fn park(it: &Desk, account: MailAccountId) {
    let (accounts, of) = (&it.house.rooms.accounts, it.house.organisation);
    let Ok(handed) = accounts.signing_in(of, account).await else { panic!("it has a secret") };
    let diagnosis =
        it.house.rooms.accounts.providers().catalogue().find("oauth-other-mailbox").unwrap().clone();
    let what = gatepost_accounts::What::SignInRefused { diagnosis, reply: None };
    let event = gatepost_accounts::Event { used: handed.used, began_at: it.house.it.world.now(), what };
    accounts.report(of, account, gatepost_accounts::Direction::Sending, event).await.unwrap();
}

#[tokio::test]
async fn operators_connect_for_themselves_alone() {
    let it = Desk::new().await;
    let (paul, mut browser) = it.operator("paul@practice.test").await;
    let id = it.checked(&mut browser, "paul@praxis.test").await;
    let page = it.house.get(&mut browser, &super::path(id, "/check")).await;
    assert!(!page.body.contains("name=\"serves\"") && !page.body.contains("name=\"author_address\""));
    let revision = it.draft(&browser, id).await.revision;
    let typed =
        format!("revision={revision}&short_name=Paul&serves=organisation&author_address=eva%40praxis.test");
    assert_eq!(it.does(&mut browser, id, "/check", &typed).await.status, 303);
    let account = it.account("paul@praxis.test").await.unwrap();
    let account = it.house.rooms.accounts.get(it.house.organisation, account).await.unwrap();
    assert_eq!(account.serves, Serves::Person(paul.id));
    assert!(account.further_addresses.is_empty());
    it.house.end().await;
}

#[tokio::test]
async fn drafts_of_others_are_not_there_and_what_is_given_up_is_gone() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, ADDRESS).await;
    let (eva, mut browser) = it.operator("eva@practice.test").await;
    for (method, behind) in [
        ("GET", ""),
        ("GET", "/waiting"),
        ("GET", "/waiting/now"),
        ("GET", "/check/steps"),
        ("POST", "/go"),
        ("POST", "/discard"),
        ("POST", "/check/again"),
        ("POST", "/waiting"),
    ] {
        let path = super::path(id, behind);
        let reply = match method {
            "GET" => it.house.get(&mut browser, &path).await,
            _ => it.does(&mut browser, id, behind, "revision=1").await,
        };
        assert_eq!(reply.status, 404, "{method} {behind}");
    }
    let _: PersonId = eva.id;
    assert!(it.house.get(&mut chief, "/accounts/connect").await.body.contains(ADDRESS), "to go on with");
    assert_eq!(it.does(&mut chief, id, "/discard", "").await.status, 303);
    assert_eq!(it.house.get(&mut chief, &super::path(id, "")).await.status, 404);
    it.house.end().await;
}

/// C5.
#[tokio::test]
async fn what_was_withdrawn_is_explained_and_what_needs_an_application_leads_there() {
    let it = Desk::new().await;
    let (_, paul) = it.operator("paul@practice.test").await;
    for (mut browser, link) in [(it.chief.clone(), true), (paul, false)] {
        let id = it.begins(&mut browser, "reception@outlook.com").await;
        let page = it.house.get(&mut browser, &super::path(id, "")).await.body;
        assert!(page.contains("reception@outlook.com is a mailbox at Outlook.com"), "{page}");
        assert!(page.contains("Microsoft ended passwords for mail programs"), "{page}");
        assert!(page.contains("not possible") && !page.contains("/password?method"), "{page}");
        assert_eq!(page.contains("href=\"/accounts/applications/microsoft\""), link, "{page}");
        assert_eq!(
            page.contains("Ask an administrator: it is done once, under Mail accounts, OAuth"),
            !link,
            "{page}"
        );
        let reply = it.does(&mut browser, id, "/go", "revision=1").await;
        assert_eq!(reply.status, 409, "{}", reply.head);
        assert!(reply.body.contains("lets only registered applications in"), "{}", reply.body);
    }
    let mut chief = it.chief.clone();
    let id = it.begins(&mut chief, "practice@gmail.com").await;
    let page = it.house.get(&mut chief, &super::path(id, "")).await.body;
    let main = page.split("button main wide").nth(1).unwrap();
    assert!(
        main.contains("Use an app password"),
        "recommended where no verified application is there: {page}"
    );
    it.house.end().await;
}

/// C1, C5.
#[tokio::test]
async fn a_provider_that_nobody_could_look_up_is_chosen_and_its_way_recommended() {
    let it = Desk::new().await;
    let (_, paul) = it.operator("paul@practice.test").await;
    for (mut browser, address) in [(it.chief.clone(), "reception@own.test"), (paul, "paul@own.test")] {
        let id = it.begins(&mut browser, address).await;
        let page = it.house.get(&mut browser, &super::path(id, "")).await.body;
        assert!(page.contains("Where is this mailbox?") && page.contains("Gatepost does not know"), "{page}");
        assert!(page.contains("value=\"microsoft365\"") && !page.contains("value=\"custom\""), "{page}");
        assert!(!page.contains("value=\"mandrill\""), "it has no mailboxes: {page}");
        let page = it.house.get(&mut browser, &super::path(id, "?unanswered=1")).await.body;
        assert!(page.contains("did not answer") && page.contains("Look it up again"), "{page}");
        for (fields, status) in [
            ("revision=1&provider=nobody", 400),
            ("revision=1&provider=", 400),
            // Another window chose meanwhile.
            ("revision=9&provider=microsoft365", 303),
        ] {
            let reply = it.does(&mut browser, id, "/provider", fields).await;
            assert_eq!(reply.status, status, "{fields}");
        }
        assert_eq!(it.draft(&browser, id).await.details.provider, "custom");
        let reply = it.does(&mut browser, id, "/provider", "revision=1&provider=microsoft365").await;
        assert_eq!(reply.location(), super::path(id, ""), "{}", reply.body);
        let details = it.draft(&browser, id).await.details;
        assert_eq!((&*details.provider, &*details.user_name), ("microsoft365", address));
        assert_eq!(details.endpoints.unwrap().smtp.host, "smtp.office365.com");
        let page = it.house.get(&mut browser, &super::path(id, "")).await.body;
        assert!(page.contains("is a mailbox at Microsoft 365") && page.contains("Sign in with"), "{page}");
        assert!(page.contains("It is at another provider") && !page.contains("value=\"microsoft365\""));
        // One that is nobody's has servers to be typed.
        let reply = it.does(&mut browser, id, "/provider", "revision=2&provider=custom").await;
        assert_eq!(reply.location(), super::path(id, "/servers"), "{}", reply.body);
        let details = it.draft(&browser, id).await.details;
        assert_eq!((&*details.provider, details.endpoints), ("custom", None));
    }
    it.house.end().await;
}

/// C5.
#[tokio::test]
async fn typed_servers_of_a_known_provider_lead_to_its_way_and_not_to_a_password() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    for (address, host, word, name, words) in [
        ("a@own.test", "smtp.office365.com", "microsoft365", "Microsoft 365", "Sign in with Microsoft"),
        ("b@own.test", "smtp-mail.outlook.com", "outlook_com", "Outlook.com", "Microsoft ended passwords"),
        ("c@own.test", "imap.mail.yahoo.com", "yahoo", "Yahoo Mail", "Use an app password"),
    ] {
        let id = it.begins(&mut chief, address).await;
        let typed = format!(
            "revision=1&smtp_host={host}&smtp_port=25&smtp_tls=starttls&imap_host=mail.own.test&imap_port=993\
             &imap_tls=implicit&user_name=somebody"
        );
        let reply = it.does(&mut chief, id, "/servers", &typed).await;
        assert_eq!(reply.location(), super::path(id, ""), "{}", reply.body);
        let page = it.house.get(&mut chief, &super::path(id, "")).await.body;
        assert!(page.contains(&format!("{host} belongs to {name}")) && page.contains(words), "{page}");
        let details = it.draft(&chief, id).await.details;
        assert_eq!((&*details.provider, &*details.user_name), (word, "somebody"));
        let (preset, endpoints) = (it.house.rooms.accounts.providers(), details.endpoints.unwrap());
        let preset = preset.find(word).unwrap();
        assert!(preset.has_server(&endpoints.smtp.host) && preset.has_server(&endpoints.imap.unwrap().host));
        assert!(preset.has_server(&endpoints.pop3.unwrap().host), "POP3 goes with IMAP");
    }
    it.house.end().await;
}

/// C15.
#[tokio::test]
async fn the_provider_of_an_account_is_corrected_by_signing_in_again() {
    let it = Desk::new().await;
    let mut chief = it.chief.clone();
    let account = it.connected(&mut chief).await;
    let accounts = it.house.rooms.accounts.clone();
    let provider = async || accounts.get(it.house.organisation, account).await.unwrap().provider;
    assert_eq!(provider().await, "praxis");
    let reply = it.house.post(&mut chief, "/", &format!("/accounts/{account}/reauthenticate"), "").await;
    let draft: DraftId = reply.location().split('/').nth(3).unwrap().parse().unwrap();
    let reply = it.does(&mut chief, draft, "/provider", "revision=1&provider=custom").await;
    assert_eq!(reply.location(), super::path(draft, "/servers"), "{}", reply.body);
    let smtp = format!("smtp_host=127.0.0.1&smtp_port={}&smtp_tls=none", it.provider.smtp_port);
    let typed = format!("revision=2&{smtp}&user_name=somebody");
    assert_eq!(it.does(&mut chief, draft, "/servers", &typed).await.status, 303);
    assert_eq!(provider().await, "praxis", "nothing changes before it is proven");
    let typed = "revision=3&method=password&password=secret";
    assert_eq!(it.does(&mut chief, draft, "/password", typed).await.status, 303);
    until(async || it.draft(&chief, draft).await.state == DraftState::Finished(account)).await;
    // Readings are a second old at most.
    until(async || provider().await == "custom").await;
    it.house.end().await;
}
