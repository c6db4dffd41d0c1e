//! What providers say when they refuse, said by the sandbox through the real protocols: command, status and outbox agree on what
//! it means. Mail interfaces over HTTP and what is no answer at all are held by tables beside the catalogue.

#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepost::app::App;
use gatepost::config::Settings;
use gatepost::data_dir::DataDir;
use gatepost_accounts::{
    ApplicationKind, Endpoint, Endpoints, NewAccount, NewApplication, NewGrant, NewSecret, Overrides, Serves,
};
use gatepost_core::{SecretText, TlsMode, World};
use gatepost_journal::Actor;
use gatepost_testkit::{fresh_folder, wait_until};
use harness::{Installation, Mailboxes, Running, Smtp, sandbox, trusting, with_input};
use serde_json::{Value, json};

/// Long, because the machine may do other things.
const SOON: Duration = Duration::from_secs(60);
/// Commands at the same time.
const AT_ONCE: usize = 4;
/// Everybody's at the sandbox, unless it is told otherwise.
const PASSWORD: &str = "sandbox";

/// The providers whose words the rules know, by their kind.
const PROVIDERS: [(&str, &str); 6] = [
    ("microsoft", "microsoft365"),
    ("google", "gmail"),
    ("yahoo", "yahoo"),
    ("icloud", "icloud"),
    ("fastmail", "fastmail"),
    ("zoho", "zoho"),
];

/// Answers that no client takes for a refusal, so that nothing reaches these rules.
const NO_REFUSALS: [&str; 2] = ["im-strange", "pop-strange"];

/// One rule of the data, with its first sample.
struct Rule {
    id: String,
    provider: &'static str,
    /// Where it is said, in the sandbox's words.
    phase: &'static str,
    sample: toml::Value,
    cause: String,
    cure: String,
    who: String,
    retry: String,
}

impl Rule {
    /// Those of one data file.
    fn all(file: &str, phase_of: fn(&str, Option<&str>, &toml::Value) -> &'static str) -> Vec<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers/data").join(file);
        let data: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        let text = |it: &toml::Value, key: &str| it[key].as_str().unwrap().to_owned();
        let rule = |it: &toml::Value| {
            let (id, kind) = (text(it, "id"), text(it, "provider"));
            let known = PROVIDERS.iter().find(|(word, _)| *word == kind);
            let sample = it["samples"][0].clone();
            let phase = it.get("phases").and_then(|it| it[0].as_str());
            Self {
                phase: phase_of(&id, phase, &sample),
                provider: known.map_or("custom", |(_, provider)| provider),
                cause: text(it, "cause"),
                cure: text(it, "cure"),
                who: text(it, "who"),
                retry: text(it, "retry"),
                sample,
                id,
            }
        };
        let all = data["reply"].as_array().unwrap().iter().map(rule);
        all.filter(|it| !NO_REFUSALS.contains(&it.id.as_str())).collect()
    }

    fn address(&self) -> String {
        format!("{}@sandbox.test", self.id)
    }

    fn text(&self) -> &str {
        self.sample.as_str().unwrap()
    }

    /// The sandbox's fault that says it: to this mailbox, or where nobody has signed in, once to whoever comes.
    fn fault(&self, door: &str) -> String {
        let account = (!self.is_before_sign_in()).then(|| self.address());
        let times = self.is_before_sign_in().then_some(1);
        json!({
            "fault": "reply", "door": door, "phase": self.phase, "account": account, "times": times, "text": self.text(),
        })
        .to_string()
    }

    fn is_before_sign_in(&self) -> bool {
        matches!(self.phase, "connect" | "starttls")
    }

    /// Whether a diagnosis, as JSON shows it, is this rule's.
    fn is_shown_by(&self, shown: &Value) -> bool {
        let want = json!({
            "rule": self.id, "cause": self.cause, "cure": self.cure, "who": self.who, "retry": self.retry,
        });
        want.as_object().unwrap().iter().all(|(key, it)| shown[key] == *it)
    }

    #[track_caller]
    fn assert_shown_by(&self, place: &str, shown: &Value) {
        assert!(self.is_shown_by(shown), "{place} shows another diagnosis for {}: {shown}", self.id);
    }
}

/// In SMTP by the point that the rule names; else where servers say such things.
fn of_smtp(_: &str, phase: Option<&str>, sample: &toml::Value) -> &'static str {
    match (phase, &sample.as_str().unwrap()[..3]) {
        (Some("greeting"), _) => "connect",
        (Some("starttls"), _) => "starttls",
        (Some("auth"), _) | (None, "454" | "530" | "534" | "535") => "auth",
        (Some("mail"), _) => "mail",
        (Some("recipient"), _) => "rcpt",
        _ => "final",
    }
}

fn of_reading(id: &str, phase: Option<&str>, _: &toml::Value) -> &'static str {
    match phase {
        Some("starttls") => "starttls",
        _ if id.ends_with("-refused") && phase.is_none() || id == "im-nonexistent" => "read",
        _ => "auth",
    }
}

fn of_oauth(_: &str, _: Option<&str>, _: &toml::Value) -> &'static str {
    "token"
}

/// An installation beside a sandbox, as whose provider each account takes it.
struct House {
    sandbox: Running,
    /// After the sandbox, which writes there while it runs.
    _provider: tempfile::TempDir,
    it: Installation,
}

impl House {
    fn new(more: impl Fn(&Running) -> String) -> Self {
        let provider = fresh_folder();
        let sandbox = sandbox(&provider.path().join("provider"));
        let authority = sandbox.text("certificate");
        let it = Installation::towards(Path::new(&authority), &more(&sandbox));
        Self { sandbox, _provider: provider, it }
    }

    fn mailboxes(&self) -> Mailboxes {
        self.sandbox.mailboxes()
    }

    /// Connects the mailbox of a rule as one of its provider, with the sandbox's servers.
    fn add(&self, rule: &Rule, reads_by: Option<&str>) {
        let mut command = self.it.gatepost();
        command.args(["account", "add", "--provider", rule.provider, "--address", &rule.address()]);
        // At iCloud the user name for reading is another, which the sandbox does not know.
        command.args(["--smtp", &self.sandbox.text("sandbox_smtp"), "--smtp-tls", "starttls"]);
        if let Some(protocol) = reads_by {
            let server = self.sandbox.text(&format!("sandbox_{protocol}"));
            command.args([&format!("--{protocol}"), &server, &format!("--{protocol}-tls"), "starttls"]);
        }
        with_input(command.args(["--password-stdin", "--unchecked", "--json"]), PASSWORD).json();
    }

    /// The crosses of a check, in their order.
    fn crosses(&self, rule: &Rule) -> Vec<Value> {
        let checked = self.it.command(&["account", "check", &rule.address(), "--json"]);
        let lines = checked.stdout.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
        lines.filter(|it| it["ok"] == json!(false)).collect()
    }

    /// A check says it, at one step of this direction alone.
    fn check(&self, rule: &Rule, direction: &str) {
        let crosses = self.crosses(rule);
        assert!(
            matches!(&crosses[..], [one] if one["direction"] == direction),
            "{} brings one cross: {crosses:?}",
            rule.id
        );
        rule.assert_shown_by("the command", &crosses[0]["diagnosis"]);
    }

    /// All accounts as `account list --json` tells them, by their addresses.
    fn accounts(&self) -> BTreeMap<String, Value> {
        let all = self.it.command(&["account", "list", "--json"]).json_lines();
        all.into_iter().map(|it| (it["address"].as_str().unwrap().to_owned(), it)).collect()
    }

    /// The status of each says the same.
    fn check_statuses(&self, rules: &[&Rule], direction: &str) {
        let shown = self.accounts();
        for rule in rules {
            let it = &shown[&rule.address()];
            rule.assert_shown_by("the status", &it[direction]["diagnosis"]);
            rule.assert_shown_by("the account", &it["diagnosis"]);
        }
    }
}

/// Does it for all, several at a time.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(it) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    work(it);
                }
            });
        }
    });
}

#[test]
fn what_sending_servers_say_means_the_same_to_command_status_and_outbox() {
    let house = House::new(|_| String::new());
    let serving = house.it.serve();
    let rules = Rule::all("smtp.toml", of_smtp);
    assert!(rules.len() > 60);
    let mailboxes = house.mailboxes();
    // Nobody has signed in there, so these strike whoever comes: one after the other, while nothing is to be sent.
    let (before, later): (Vec<_>, Vec<_>) = rules.iter().partition(|it| it.is_before_sign_in());
    for rule in &before {
        house.add(rule, None);
        mailboxes.fault(&rule.fault("smtp"));
        house.check(rule, "sending");
    }
    house.check_statuses(&before, "sending");
    let tls = trusting(Path::new(&serving.text("certificate")));
    let door = serving.text("submission_tls");
    each(&later, |rule| {
        house.add(rule, None);
        let login = house.it.app_password(&rule.address(), &[]);
        mailboxes.fault(&rule.fault("smtp"));
        if rule.phase == "auth" {
            house.check(rule, "sending");
        }
        let text =
            format!("From: {}\r\nTo: a@sandbox.test\r\nSubject: {}\r\n\r\nx\r\n", rule.address(), rule.id);
        let mut application = Smtp::sign_in(&door, &tls, &login).unwrap();
        let reply = application.send(&rule.address(), &["a@sandbox.test"], &text).unwrap();
        assert_eq!(reply.code(), 250, "{}: {}", rule.id, reply.0);
    });
    // The outbox, as soon as each letter was tried.
    let shown = wait_until(SOON, || {
        let letters: BTreeMap<String, Value> = house
            .it
            .letters(&["--limit", "1000"])
            .into_iter()
            .filter_map(|it| Some((it["account"].as_str()?.to_owned(), it)))
            .filter(|(_, it)| !it["from"].is_null() && !it["diagnosis"].is_null())
            .collect();
        (letters.len() == later.len()).then_some(letters)
    });
    let shown =
        shown.unwrap_or_else(|| panic!("not all letters have a diagnosis: {:?}", house.it.letters(&[])));
    let accounts = house.accounts();
    for rule in &later {
        let letter = &shown[&rule.address()];
        rule.assert_shown_by("the outbox", &letter["diagnosis"]);
        let words = letter["because"].as_str().unwrap();
        assert!(words.contains(&rule.cause) && words.contains(&rule.cure), "{}: {words}", rule.id);
        let want: &[&str] = match rule.retry.as_str() {
            "permanent" => &["failed"],
            "hold" => &["held", "waiting"],
            // Behind a check that was told to wait, nothing is dialled for the letter.
            _ => &["deferred", "waiting"],
        };
        assert!(want.contains(&letter["state"].as_str().unwrap()), "{} is {}", rule.id, letter["state"]);
        let status = &accounts[&rule.address()];
        if rule.retry == "hold" {
            rule.assert_shown_by("the status behind the letter", &status["sending"]["diagnosis"]);
        } else if rule.retry == "permanent" {
            assert_eq!(status["sending"]["diagnosis"], Value::Null, "{} speaks of the letter alone", rule.id);
        }
    }
    serving.stop();
}

#[test]
fn what_reading_servers_say_means_the_same_to_command_and_status() {
    let house = House::new(|_| String::new());
    let serving = house.it.serve();
    let mailboxes = house.mailboxes();
    for (protocol, file, least) in [("imap", "imap.toml", 20), ("pop3", "pop3.toml", 10)] {
        let rules = Rule::all(file, of_reading);
        assert!(rules.len() > least, "{protocol}");
        let (before, later): (Vec<_>, Vec<_>) = rules.iter().partition(|it| it.is_before_sign_in());
        for rule in before {
            house.add(rule, Some(protocol));
            mailboxes.fault(&rule.fault(protocol));
            house.check(rule, "reading");
        }
        each(&later, |rule| {
            house.add(rule, Some(protocol));
            mailboxes.fault(&rule.fault(protocol));
            house.check(rule, "reading");
        });
        house.check_statuses(&rules.iter().collect::<Vec<_>>(), "reading");
    }
    serving.stop();
}

/// As if the sandbox were the sign-in page of each provider.
fn services(sandbox: &Running) -> String {
    let pages = sandbox.text("sandbox_pages");
    let scopes = r#"{ smtp = ["mail.send"], imap = ["mail.read.imap"], pop3 = ["mail.read.pop3"], lasting = ["offline_access"] }"#;
    let one = |provider: &str| {
        format!(
            "[providers.{provider}.oauth]\nauthorize = \"{pages}/oauth2/auth\"\ntoken = \"{pages}/oauth2/token\"\ntenants = false\n\
             client_auth = \"post\"\nscopes = {scopes}\n"
        )
    };
    ["microsoft365", "gmail", "custom"].map(one).join("\n")
}

/// Connects mailboxes by sign-ins that took place elsewhere; their access tokens are over.
async fn add_grants(house: &House, rules: &[Rule]) {
    let settings = Arc::new(Settings::load(Some(&house.it.config)).unwrap());
    let data_dir = DataDir::take(&settings.data_dir).unwrap();
    let (app, closing) = App::open(settings, data_dir, World::real()).await.unwrap();
    let organisation = app.identity.choose_organisation(None).await.unwrap().id;
    let mut applications = BTreeMap::new();
    for provider in ["microsoft365", "gmail", "custom"] {
        let new = NewApplication {
            service: provider.into(),
            client_id: "gatepost".into(),
            secret: None,
            tenant: None,
            kind: ApplicationKind::Web,
            is_verified: true,
            is_proven: true,
        };
        let put = app.accounts.put_application(Some(organisation), new, organisation, Actor::Command).await;
        applications.insert(provider, put.unwrap());
    }
    let smtp: std::net::SocketAddr = house.sandbox.text("sandbox_smtp").parse().unwrap();
    let token_url = format!("{}/oauth2/token", house.sandbox.text("sandbox_pages"));
    for rule in rules {
        let granted =
            house.mailboxes().post("oauth/grants", &json!({ "account": rule.address() }).to_string());
        let token = |key: &str| SecretText::new(granted[key].as_str().unwrap().to_owned());
        let grant = NewGrant {
            client: applications[rule.provider],
            token_url: token_url.clone(),
            refresh_token: token("refresh_token"),
            access_token: token("access_token"),
            lifetime: Duration::ZERO,
            scopes: None,
            subject: None,
        };
        let endpoint = Endpoint { host: smtp.ip().to_string(), port: smtp.port(), tls: TlsMode::StartTls };
        let new = NewAccount {
            organisation,
            address: rule.address().parse().unwrap(),
            short_name: rule.id.clone(),
            author_name: rule.id.clone(),
            provider: rule.provider.into(),
            user_name: rule.address(),
            endpoints: Endpoints { smtp: endpoint, imap: None, pop3: None },
            opens: None,
            further_addresses: Vec::new(),
            serves: Serves::Organisation,
            overrides: Overrides::default(),
            secret: NewSecret::Grant(Box::new(grant)),
            actor: Actor::Command,
        };
        let added = app.accounts.add(new).await.unwrap();
        app.identity.ensure_account_login(organisation, added.id, &added.address, None).await.unwrap();
    }
    drop(app);
    closing.finish().await;
}

#[test]
fn what_sign_in_services_say_means_the_same_to_command_and_status() {
    let house = House::new(services);
    let rules = Rule::all("oauth_errors.toml", of_oauth);
    assert!(rules.len() > 40);
    tokio::runtime::Runtime::new().unwrap().block_on(add_grants(&house, &rules));
    let mailboxes = house.mailboxes();
    // All are due when the server starts. They are told to come back in an hour, so that each is asked when its turn comes.
    mailboxes.put("oauth", r#"{"outage":{"at":"token","kind":"answer","status":503,"retry_after_s":3600}}"#);
    let serving = house.it.serve();
    let was_asked = |it: &Value| it["sending"]["diagnosis"]["rule"] == "oauth-busy";
    let all_were_asked = || house.accounts().values().all(was_asked).then_some(());
    wait_until(SOON, all_were_asked).unwrap_or_else(|| panic!("{:?}", house.accounts()));
    // The service answers whoever asks, so one account after the other asks; none in between.
    for rule in &rules {
        let sample = rule.sample.as_table().unwrap();
        let mut body =
            json!({ "error": sample["error"].as_str(), "error_description": sample["text"].as_str() });
        if let Some(suberror) = sample.get("suberror") {
            body["suberror"] = suberror.as_str().into();
        }
        if let Some(codes) = sample.get("codes").and_then(toml::Value::as_array) {
            body["error_codes"] = codes.iter().filter_map(toml::Value::as_integer).collect();
        }
        let outage =
            json!({ "outage": { "at": "token", "kind": "answer", "status": 400, "body": body.to_string() } });
        mailboxes.put("oauth", &outage.to_string());
        let refused = house.it.command(&["account", "check", &rule.address(), "--json"]);
        let words = format!("{}{}", refused.stdout, refused.stderr);
        assert!(refused.code != Some(0) && words.contains(&rule.cause), "{}: {words}", rule.id);
    }
    house.check_statuses(&rules.iter().collect::<Vec<_>>(), "sending");
    serving.stop();
}
