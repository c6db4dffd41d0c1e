//! Letters that nothing can send: accepted, held, and the reason is the one that `outbox explain` gave before.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gatepost::app::App;
use gatepost::config::Settings;
use gatepost::data_dir::DataDir;
use gatepost_core::World;
use gatepost_journal::Actor;
use gatepost_testkit::wait_until;
use harness::{AppPassword, Installation, Provider, Running, Smtp, trusting};
use serde_json::{Value, json};

const OLGA: &str = "olga@practice.example";
const BRANCH: &str = "North branch";
const RECEPTION: &str = "reception@sandbox.test";
const SPARE: &str = "spare@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
/// Long, because the machine may do other things.
const SOON: Duration = Duration::from_secs(60);

/// A location, as the portal adds one.
fn add_location(house: &Installation) {
    let add = async {
        let settings = Arc::new(Settings::load(Some(&house.config)).unwrap());
        let data_dir = DataDir::take(&settings.data_dir).unwrap();
        let (app, closing) = App::open(settings, data_dir, World::real()).await.unwrap();
        let organisation = app.identity.choose_organisation(None).await.unwrap().id;
        app.identity.add_location(organisation, BRANCH, Actor::Command).await.unwrap();
        drop(app);
        closing.finish().await;
    };
    tokio::runtime::Runtime::new().unwrap().block_on(add);
}

struct Office {
    provider: Provider,
    house: Installation,
    server: Running,
}

impl Office {
    fn new() -> Self {
        let provider = Provider::start();
        let house = Installation::towards(&provider.authority(), "");
        add_location(&house);
        let server = house.serve();
        // Whose link leads to the portal.
        house.command(&["person", "add", "--address", OLGA, "--name", "Olga", "--role", "operator"]).done();
        Self { provider, house, server }
    }

    fn app_password(&self, whose: [&str; 2]) -> AppPassword {
        let args = ["app-password", "create", whose[0], whose[1], "--name", "Test", "--json"];
        let made = self.house.command(&args).json();
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        AppPassword { id: text("id"), user_name: text("user_name"), password: text("password") }
    }

    fn explain(&self, whose: [&str; 2]) -> Value {
        self.house.command(&["outbox", "explain", whose[0], whose[1], "--json"]).json()
    }

    /// What the server says to a letter that it does not take.
    fn send_to_refusal(&self, with: &AppPassword, from: &str) -> String {
        let tls = trusting(Path::new(&self.server.text("certificate")));
        let mut application = Smtp::sign_in(&self.server.text("submission_tls"), &tls, with).unwrap();
        application.send(from, &[ANNA], "").unwrap().0
    }

    /// Sends a letter, and gives it as the outbox shows it.
    fn send(&self, with: &AppPassword, from: &str, subject: &str) -> Value {
        let tls = trusting(Path::new(&self.server.text("certificate")));
        let mut application = Smtp::sign_in(&self.server.text("submission_tls"), &tls, with).unwrap();
        let text = format!(
            "From: <{from}>\r\nTo: <{ANNA}>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@x.example>\r\n\r\nx"
        );
        let reply = application.send(from, &[ANNA], &text).unwrap();
        assert_eq!(reply.code(), 250, "accepted whatever becomes of it: {}", reply.0);
        let id = format!("<{subject}@x.example>");
        self.house.letters(&[]).into_iter().find(|it| it["message_id"] == json!(id)).unwrap()
    }

    /// What was explained comes true.
    #[track_caller]
    fn check_held(&self, whose: [&str; 2], with: &AppPassword, subject: &str, words: &str) {
        let explained = self.explain(whose);
        let held = explained["held"].as_str().unwrap_or_else(|| panic!("{explained:#}"));
        assert!(held.contains(words), "{held}");
        let from = explained["may_send_as"][0].as_str().unwrap();
        let letter = self.send(with, from, subject);
        assert_eq!((&letter["state"], &letter["because"]), (&json!("held"), &json!(held)), "{letter:#}");
        assert_eq!(letter["account"], explained["account"], "{letter:#}");
    }
}

/// C3.
#[test]
fn a_letter_is_held_for_the_reason_that_was_explained_before_and_leaves_once_it_is_gone() {
    let office = Office::new();
    let (olga, branch) = (["--person", OLGA], ["--location", BRANCH]);
    let none = "no mail account serves this sender: connect one, or choose a default";
    let (by_olga, by_branch) = (office.app_password(olga), office.app_password(branch));
    // An operator without an account sends as themselves meanwhile. A location has no address of its own.
    office.check_held(olga, &by_olga, "operator", none);
    let explained = office.explain(branch);
    assert_eq!((&explained["refused"], &explained["held"]), (&json!(none), &Value::Null));
    assert_eq!(office.send_to_refusal(&by_branch, OLGA), format!("550 5.7.1 {none}"));

    // An account comes, and the letter leaves.
    let smtp = office.provider.smtp();
    office.house.add_account(RECEPTION, "sandbox", &smtp, "starttls");
    let sent = || (office.house.letters(&["--state", "sent"]).len() == 1).then_some(());
    assert!(wait_until(SOON, sent).is_some(), "{:#?}", office.house.letters(&[]));
    // A default that never falls back: while it is paused, the other account sends nothing of it, neither for the operator nor
    // for the location that has no default of its own.
    office.house.add_account(SPARE, "sandbox", &smtp, "starttls");
    let edit = ["account", "edit", RECEPTION, "--for-organisation", "--never-falls-back", "true"];
    office.house.command(&edit).done();
    office.house.command(&["account", "pause", RECEPTION]).done();
    for (whose, with, subject) in [(olga, &by_olga, "paused-1"), (branch, &by_branch, "paused-2")] {
        office.check_held(whose, with, subject, "is paused since");
        assert_eq!(office.explain(whose)["account"], RECEPTION);
    }
    office.house.command(&["account", "resume", RECEPTION]).done();
    for subject in ["paused-1", "paused-2"] {
        office.provider.mailboxes().await_subject(ANNA, subject);
    }
    // Removed, it takes nothing else in its place either.
    office.house.command(&["account", "remove", RECEPTION]).done();
    let gone = "the organisation's default was removed and never falls back to another";
    office.check_held(olga, &by_olga, "removed", gone);
    assert_eq!(office.provider.mailboxes().count(ANNA, "removed"), 0);
    office.server.stop();
}
