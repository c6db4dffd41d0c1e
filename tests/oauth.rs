//! A real OpenID provider, and Postfix and Dovecot that take its tokens: signed in, sent, read, refreshed, taken back, signed in again.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::time::Duration;

use gatepost_testkit::wait_until;
use harness::{
    AppPassword, CLIENT_ID, CLIENT_SECRET, DOORS, Dialogue, Door, Installation, Letter, LineClient,
    MailboxHost, OidcProvider, Outcome, Running, application, trusting, with_input,
};
use serde_json::{Value, json};

const RECEPTION: &str = "reception@practice.example";
const ANNA: &str = "anna@practice.example";
/// What they sign in as there; no address tells it.
const PEOPLE: &[(&str, &str)] = &[("r-1001", RECEPTION), ("a-1002", ANNA)];

const PATIENCE: Duration = Duration::from_secs(30);

/// What the administrator writes into the configuration.
fn configuration(provider: &OidcProvider, host: &MailboxHost, mechanism: &str, client_auth: &str) -> String {
    let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
    let issuer = &provider.issuer;
    format!(
        "[providers.practice]
name = \"Practice mail\"
sasl_prefer = [\"{mechanism}\"]
smtp = [{{ host = \"127.0.0.1\", port = {smtp}, tls = \"starttls\" }}]
imap = [{{ host = \"127.0.0.1\", port = {imap}, tls = \"implicit\" }}]

[providers.practice.oauth]
authorize = \"{issuer}/auth\"
token = \"{issuer}/token\"
revoke = \"{issuer}/token/revocation\"
userinfo = \"{issuer}/me\"
issuers = [\"{issuer}\"]
sends_issuer = true
client_auth = \"{client_auth}\"
scopes = {{ smtp = [\"mail.send\"], imap = [\"mail.read\"], lasting = [\"offline_access\"], identity = [\"openid\", \"email\"] }}
parameters = {{ prompt = \"consent\" }}
refresh_rotates = true

[providers.practice.limits]
smtp_concurrent_connections = 1

{DOORS}",
        smtp = port(&host.starttls),
        imap = port(&host.imap),
    )
}

#[derive(Debug)]
struct RefreshTokens {
    saved: Vec<Value>,
    /// Those that were brought, and are over.
    consumed: Vec<Value>,
}

/// Asserts on a command that asked for a sign-in.
trait SignedIn {
    /// Somebody else has signed in.
    fn names_the_other(self);
}

impl SignedIn for Outcome {
    #[track_caller]
    fn names_the_other(self) {
        assert_eq!(self.code, Some(1), "{self:?}");
        let words = format!("You signed in as {ANNA}, but {RECEPTION} was expected.");
        assert!(self.stderr.contains(&words), "{self:?}");
    }
}

struct Practice {
    provider: OidcProvider,
    host: MailboxHost,
    house: Installation,
    server: Running,
}

impl Practice {
    fn start(mechanism: &str, client_auth: &str) -> Self {
        let provider = OidcProvider::start(PEOPLE, &format!("client_secret_{client_auth}"));
        let host = MailboxHost::of(&provider);
        let more = configuration(&provider, &host, mechanism, client_auth);
        let house = Installation::towards(&provider.authority(), &more);
        let server = house.serve();
        let this = Self { provider, host, house, server };
        let mut register = this.house.gatepost();
        register.args(["oauth-client", "add", "--service", "practice", "--kind", "desktop"]);
        register.args(["--client-id", CLIENT_ID, "--secret-stdin", "--json"]);
        let registered = with_input(&mut register, CLIENT_SECRET).json();
        assert!(registered["proven_at"].is_string(), "{registered}");
        this
    }

    /// A command that prints a link; somebody signs in there, and pastes the address where they end up.
    fn signing_in(&self, args: &[&str], login: &str) -> Outcome {
        let mut command = Dialogue::begin(self.house.gatepost().args(args).arg("--json"));
        let asked: Value = serde_json::from_str(&command.hear("\"link\"")).unwrap();
        command.say(&self.provider.sign_in(asked["link"].as_str().unwrap(), login));
        command.end()
    }

    fn connect(&self, login: &str) -> Outcome {
        self.signing_in(
            &["account", "add", "--provider", "practice", "--address", RECEPTION, "--sign-in"],
            login,
        )
    }

    fn send(&self, with: &AppPassword, subject: &str) {
        let letter = Letter { user_name: &with.user_name, password: &with.password, to: ANNA, subject };
        application("curl", &self.server, Door::Starttls, &letter).done();
    }

    /// An application at the IMAP door, and what its LOGIN is answered.
    fn reader(&self, with: &AppPassword) -> (LineClient, String) {
        let tls = trusting(self.server.text("certificate").as_ref());
        let mut client = LineClient::tls(&self.server.text("imap_tls"), &tls);
        client.hear();
        let answer = client.ask(&format!("l LOGIN {} \"{}\"", with.user_name, with.password));
        (client, answer)
    }

    /// Waits until Anna has a letter with each of these subjects; gives their places in Postfix's log.
    #[track_caller]
    fn arrived(&self, subjects: &[&str]) -> Vec<usize> {
        let letters = || -> Vec<String> {
            let all = self.host.letters(ANNA, subjects.len());
            all.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect()
        };
        let of_subject = |all: &[String], subject: &str| {
            all.iter().find(|it| it.contains(&format!("\nSubject: {subject}\r\n"))).cloned()
        };
        let found = wait_until(PATIENCE, || {
            let all = letters();
            subjects.iter().map(|it| of_subject(&all, it)).collect::<Option<Vec<_>>>()
        });
        let Some(found) = found else { panic!("not all of {subjects:?}: {}", self.told()) };
        let log = self.host.log();
        let place = |letter: &String| {
            let id = letter.lines().find_map(|it| it.strip_prefix("Message-ID: ")).unwrap();
            log.find(&format!("message-id={id}")).unwrap_or_else(|| panic!("{id}: {log}"))
        };
        found.iter().map(place).collect()
    }

    /// Lets Gatepost leave Postfix, which it otherwise does after some seconds without a letter: the next one signs in anew.
    #[track_caller]
    fn end_sessions(&self) {
        self.house.command(&["account", "pause", RECEPTION]).done();
        let n = |log: &str, what: &str| log.matches(&format!("]: {what} from unknown[")).count();
        let is_over = || {
            let log = self.host.log();
            (n(&log, "connect") == n(&log, "disconnect")).then_some(())
        };
        assert!(wait_until(PATIENCE, is_over).is_some(), "{}", self.told());
        self.house.command(&["account", "resume", RECEPTION]).done();
    }

    /// Sending and reading.
    fn status(&self) -> Value {
        let it = self.house.account(RECEPTION);
        json!([it["sending"]["status"], it["reading"]["status"]])
    }

    /// Refresh tokens that the provider gave and took, oldest first.
    fn refresh_tokens(&self) -> RefreshTokens {
        let events = self.provider.events();
        let of = |what: &str| -> Vec<Value> {
            events.iter().filter(|it| it["event"] == what).map(|it| it["token"].clone()).collect()
        };
        RefreshTokens { saved: of("refresh_token.saved"), consumed: of("refresh_token.consumed") }
    }

    fn refused_refreshes(&self) -> usize {
        let is_one = |it: &&Value| it["event"] == "refused" && it["by"] == "refresh_token";
        self.provider.events().iter().filter(is_one).count()
    }

    /// Waits until something has happened at the provider.
    #[track_caller]
    fn saw(&self, what: &str) {
        let seen = || self.provider.events().iter().any(|it| it["event"] == what).then_some(());
        assert!(wait_until(PATIENCE, seen).is_some(), "no {what}: {}", self.told());
    }

    /// Everything that helps whoever looks at a failed test.
    fn told(&self) -> String {
        format!(
            "{:?}\n{:#?}\n{:?}\n{:#?}\n{}\n{}\n{}",
            self.house.command(&["account", "show", RECEPTION]),
            self.house.letters(&[]),
            self.refresh_tokens(),
            self.provider.events(),
            self.provider.log(),
            self.host.log(),
            std::fs::read_to_string(&self.server.log).unwrap_or_default()
        )
    }
}

/// Steps of a check, all of them ticks.
#[track_caller]
fn ticks(at: &Practice, lines: &[Value]) -> Vec<(String, String)> {
    let steps: Vec<&Value> = lines.iter().filter(|it| it["step"].is_string()).collect();
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    for it in &steps {
        assert_eq!(it["ok"], true, "{it}\n{}", at.told());
    }
    steps.iter().map(|it| (text(it, "direction"), text(it, "step"))).collect()
}

fn walk(mechanism: &str, client_auth: &str) {
    let it = Practice::start(mechanism, client_auth);

    // Another mailbox than the expected one is named, given back at the provider, and not connected.
    it.connect("a-1002").names_the_other();
    assert!(it.house.command(&["account", "list", "--json"]).json_lines().is_empty());
    it.saw("grant.revoked");

    let lines = it.connect("r-1001").json_lines();
    let steps = ticks(&it, &lines);
    for (direction, step) in [
        ("sending", "sign_in"),
        ("sending", "may_send"),
        ("reading", "sign_in"),
        ("reading", "open"),
        ("reading", "arrival"),
    ] {
        assert!(steps.contains(&(direction.to_owned(), step.to_owned())), "{step} in {steps:?}");
    }
    assert_eq!(lines.last().unwrap()["status"], "connected");
    assert_eq!(it.status(), json!(["connected", "connected"]));
    // The first was asked for by whoever was not expected.
    let first = it.refresh_tokens().saved.split_off(1);
    assert_eq!((first.len(), it.refresh_tokens().consumed), (1, Vec::new()));

    let password = it.house.app_password(RECEPTION, &[]);
    it.send(&password, "by the first token");
    it.arrived(&["by the first token"]);
    let log = it.host.log();
    assert!(log.contains(&format!("sasl_method={mechanism}, sasl_username={RECEPTION}")), "{log}");
    assert!(log.contains(&format!("Login: user=<{RECEPTION}>, method={mechanism},")), "{log}");
    let other = if mechanism == "XOAUTH2" { "OAUTHBEARER" } else { "XOAUTH2" };
    assert!(!log.contains(&format!("method={other}")), "{log}");

    // A token whose time is over is replaced; each time by the refresh token that came last.
    for (n, subject) in [(1, "by the second token"), (2, "by the third token")] {
        it.end_sessions();
        it.provider.expire();
        it.send(&password, subject);
        it.arrived(&[subject]);
        let tokens = it.refresh_tokens();
        let ours = &tokens.saved[1..];
        assert_eq!((ours.len(), &tokens.consumed[..]), (n + 1, &ours[..n]), "{}", it.told());
        assert_eq!(it.status(), json!(["connected", "connected"]), "nobody hears of it");
    }
    assert_eq!(it.refused_refreshes(), 0);

    // What is taken back there holds the letters, and is asked about once.
    it.end_sessions();
    it.provider.revoke();
    it.send(&password, "waiting first");
    let parked = wait_until(PATIENCE, || {
        Some(it.house.account(RECEPTION)).filter(|it| it["status"] == "needs_sign_in")
    });
    let parked = parked.unwrap_or_else(|| panic!("{}", it.told()));
    assert_eq!(parked["diagnosis"]["rule"], "x-generic-grant", "{parked}");
    assert_eq!(parked["diagnosis"]["cure"], "Sign in again.", "{parked}");
    it.send(&password, "waiting second");
    let held = || it.house.letters(&["--state", "held"]).len();
    assert_eq!(wait_until(PATIENCE, || Some(held()).filter(|it| *it == 2)), Some(2), "{}", it.told());
    assert_eq!(it.house.command(&["account", "check", RECEPTION]).code, Some(1));
    assert_eq!(it.refused_refreshes(), 1, "{}", it.told());

    // Somebody else cannot stand in; then it is the right one, and what waited leaves by itself.
    let again = ["account", "reauthenticate", RECEPTION];
    it.signing_in(&again, "a-1002").names_the_other();
    assert_eq!((it.status(), held()), (json!(["needs_sign_in", "needs_sign_in"]), 2));
    let lines = it.signing_in(&again, "r-1001").json_lines();
    ticks(&it, &lines);
    assert_eq!(lines.last().unwrap()["status"], "connected");
    let places = it.arrived(&["waiting first", "waiting second"]);
    assert!(places[0] < places[1], "in order: {}", it.host.log());
    assert_eq!(it.host.letters(ANNA, 5).len(), 5, "each of them once");
    let all_sent = || Some(it.house.letters(&["--state", "sent"])).filter(|it| it.len() == 5);
    assert!(wait_until(PATIENCE, all_sent).is_some(), "{}", it.told());
    assert_eq!(it.status(), json!(["connected", "connected"]));
    assert_eq!(it.refused_refreshes(), 1, "{}", it.told());
    assert_eq!(it.server.stop().code(), Some(0));
}

#[test]
fn a_mailbox_of_an_openid_provider_is_connected_sent_from_refreshed_and_signed_in_to_again_by_xoauth2() {
    walk("XOAUTH2", "post");
}

#[test]
fn a_mailbox_of_an_openid_provider_is_connected_sent_from_refreshed_and_signed_in_to_again_by_oauthbearer() {
    walk("OAUTHBEARER", "basic");
}

/// The one letter of the mailbox.
#[track_caller]
fn reads(client: &mut LineClient, letter: &str) {
    client.command("s SELECT INBOX");
    client.say("f FETCH * BODY.PEEK[]");
    let first = client.until("* ").pop().unwrap();
    assert!(first.ends_with(&format!(" FETCH (BODY[] {{{}}}", letter.len())), "{first}");
    assert_eq!(client.octets(letter.len()), letter.as_bytes());
    assert!(client.until("f ").last().unwrap().starts_with("f OK"));
}

#[test]
fn a_mailbox_of_an_openid_provider_is_read_through_gatepost_by_tokens_that_are_refreshed() {
    for (mechanism, client_auth) in [("XOAUTH2", "post"), ("OAUTHBEARER", "basic")] {
        let it = Practice::start(mechanism, client_auth);
        it.connect("r-1001").done();
        let with = it.house.app_password(RECEPTION, &[]);
        let opened =
            |answer: &str| assert!(answer.starts_with("l OK [CAPABILITY "), "{answer}\n{}", it.told());
        let (mut first, answer) = it.reader(&with);
        opened(&answer);
        let letter = "Subject: by tokens\r\n\r\nAll of it.\r\n";
        first.say(&format!("a APPEND INBOX {{{}+}}\r\n{letter}", letter.len()));
        assert!(first.until("a ").last().unwrap().starts_with("a OK"));
        reads(&mut first, letter);
        let log = it.host.log();
        assert!(log.contains(&format!("Login: user=<{RECEPTION}>, method={mechanism},")), "{log}");

        // A token whose time is over is replaced for the next one, and disturbs nobody who is signed in.
        let n_before = it.refresh_tokens().consumed.len();
        it.provider.expire();
        let (mut second, answer) = it.reader(&with);
        opened(&answer);
        assert_eq!(it.refresh_tokens().consumed.len(), n_before + 1, "{}", it.told());
        reads(&mut second, letter);
        reads(&mut first, letter);
        assert_eq!(it.status(), json!(["connected", "connected"]));

        // What was taken back there is no wrong password here.
        it.provider.revoke();
        let (_, answer) = it.reader(&with);
        let account = it.house.account(RECEPTION);
        let cause = account["reading"]["diagnosis"]["cause"].as_str().unwrap();
        assert_eq!(account["reading"]["diagnosis"]["rule"], "x-generic-grant", "{account}");
        let words = format!("l NO [UNAVAILABLE] {RECEPTION} cannot be read: {cause} Look at it in Gatepost");
        assert_eq!(answer, words);
        assert_eq!(account["reading"]["status"], "needs_sign_in", "{account}");
        reads(&mut first, letter);
        assert_eq!(it.server.stop().code(), Some(0));
    }
}
