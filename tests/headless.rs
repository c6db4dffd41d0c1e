//! Connecting mailboxes by command alone: the page of the provider is opened elsewhere, and its address pasted back.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use std::path::Path;
use std::time::Duration;

use gatepost_testkit::{free_port, wait_until};
use harness::{Dialogue, Gate, Outcome, Servers, SignInHouse, Smtp, Visitor, link_of, trusting, with_input};
use serde_json::{Value, json};

const RECEPTION: &str = "reception@sandbox.test";
const BILLING: &str = "billing@sandbox.test";
const ANNA: &str = "anna@sandbox.test";
/// Long, because the machine may do other things.
const SOON: Duration = Duration::from_secs(60);

/// A house with the sandbox's own application.
fn house() -> SignInHouse {
    let house = SignInHouse::start("", "");
    house.register();
    house
}

/// The link that a command without `--json` shows.
#[track_caller]
fn shown_link(command: &mut Dialogue) -> String {
    command.hear("/oauth2/auth?")
}

#[test]
fn a_mailbox_is_connected_by_a_link_that_is_opened_elsewhere_and_an_address_that_is_pasted() {
    let house = house();
    let server = house.it.serve();
    // So that nothing is read before the steps of sending were seen.
    let gate = Gate::before(&house.provider.imap());
    gate.shut();
    let imap = gate.address();
    let mut adding = house.adding(RECEPTION, Servers { imap: Some(&imap), ..Servers::default() }, &[]);
    adding.hear("sign in at Sandbox as reception@sandbox.test:");
    let link = shown_link(&mut adding);
    adding.hear("paste it here within ten minutes:");
    // What is no answer costs nothing, and is asked for again.
    adding.say("");
    adding.say("sandbox-code-0123456789");
    adding.hear("this is a part of the address only: paste the whole address");
    adding.hear("Paste the whole address:");
    adding.say("https://mail.example.org/inbox?code=1&state=2");
    adding.hear("this address is of another page");
    adding.hear("Paste the whole address:");
    adding.say(&format!("  {}  ", Visitor::new().allow(&link, RECEPTION, &[])));
    for step in ["✓ sign in", "✓ send a letter from the mailbox to itself"] {
        adding.hear(step);
    }
    // Now they are known to be shown as they are taken: nothing was read yet.
    gate.await_somebody();
    gate.open();
    for step in
        ["✓ for reading: sign in", "✓ for reading: open the mailbox", "✓ for reading: find the letter"]
    {
        adding.hear(step);
    }
    let shown = adding.end().done();
    assert!(shown.contains("✓ Connected since") && shown.contains(RECEPTION), "{shown}");
    let account = house.it.account(RECEPTION);
    assert_eq!(
        (&account["status"], &account["reading"]["status"]),
        (&json!("connected"), &json!("connected"))
    );

    // It sends, and the same again is refused.
    let with = house.it.app_password(RECEPTION, &[]);
    house.send(&server, &with, ANNA, &["By a token"]);
    house.mailboxes().await_subject(ANNA, "By a token");
    let again = house.adding(RECEPTION, Servers::default(), &[]).end();
    again.refused(&["the mailbox reception@sandbox.test is connected already"]);
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn programs_connect_a_mailbox_by_lines_of_json_also_without_a_running_server() {
    let house = house();
    let mut adding = house.adding(BILLING, Servers::default(), &["--json", "--short-name", "Billing"]);
    let first = adding.hear("\"link\"");
    let link = link_of(&first);
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["address"], &first["method"]), (&json!(BILLING), &json!("sign_in")));
    assert_eq!(first["service"], "Sandbox");
    adding.say("http://127.0.0.1/?code");
    let refused: Value = serde_json::from_str(&adding.hear("signed_in")).unwrap();
    assert_eq!(refused["signed_in"], false);
    assert!(refused["because"].as_str().unwrap().contains("paste"), "{refused}");
    // A terminal has cut its end off.
    let whole = Visitor::new().allow(&link, BILLING, &[]);
    adding.say(&whole[..whole.find("state=").unwrap() + 20]);
    let refused: Value = serde_json::from_str(&adding.hear("signed_in")).unwrap();
    assert!(
        refused["because"].as_str().unwrap().starts_with("the end of this address is missing"),
        "{refused}"
    );
    adding.say(&whole);
    let signed_in: Value = serde_json::from_str(&adding.hear("signed_in")).unwrap();
    assert_eq!(signed_in, json!({ "id": first["id"], "signed_in": true }));
    let lines = adding.end().json_lines();
    let (account, steps) = lines[4..].split_last().unwrap();
    assert!(steps.iter().all(|it| it["ok"] == true), "{steps:#?}");
    let names: Vec<_> = steps.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert!(names.contains(&"may_send") && names.contains(&"sign_in"), "{names:?}");
    assert_eq!((&account["status"], &account["short_name"]), (&json!("connected"), &json!("Billing")));
}

/// C7, C8: what the provider's page brought instead is said, and nothing is connected.
#[test]
fn another_mailbox_an_unticked_permission_a_refusal_and_a_used_address_connect_nothing() {
    let house = house();
    let server = house.it.serve();
    let add = |answer: &dyn Fn(&str) -> String| {
        let mut adding = house.adding(RECEPTION, Servers::default(), &["--json"]);
        let link = link_of(&adding.hear("\"link\""));
        adding.say(&answer(&link));
        let ended = adding.end();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(house.it.command(&["account", "list", "--json"]).done(), "", "nothing is connected");
        ended.stderr
    };
    let visitor = Visitor::new;
    let other = add(&|link| visitor().allow(link, BILLING, &[]));
    assert!(
        other.contains("signed in as billing@sandbox.test, but reception@sandbox.test was expected"),
        "{other}"
    );
    let tokens: Vec<Value> = serde_json::from_str(&house.mailboxes().get("tokens")).unwrap();
    assert!(tokens.is_empty(), "what was given for another mailbox was given back: {tokens:?}");

    let unticked = add(&|link| visitor().allow(link, RECEPTION, &["mail.send"]));
    assert!(unticked.contains("Not allowed were: Send mail as you."), "{unticked}");
    assert!(unticked.contains("Cure: "), "{unticked}");

    let denied = add(&|link| visitor().deny(link, RECEPTION));
    assert!(denied.contains("Cure: ") && denied.contains("Who can do this: "), "{denied}");
    assert!(!denied.contains("Not allowed were"), "{denied}");

    // Everything is right once, and then the same address is pasted into another sign-in.
    let mut adding = house.adding(RECEPTION, Servers::default(), &["--json"]);
    let address = visitor().allow(&link_of(&adding.hear("\"link\"")), RECEPTION, &[]);
    adding.say(&address);
    adding.end().done();
    let before = house.it.account(RECEPTION);
    let mut again = house.signing_in_again(RECEPTION, &["--json"]);
    again.hear("\"link\"");
    again.say(&address);
    let again = again.end();
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("it was used already"), "{}", again.stderr);
    assert_eq!(house.it.account(RECEPTION), before, "nothing has changed");
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn without_an_application_the_refusal_names_the_command_that_enters_one() {
    let house = SignInHouse::start("", "");
    house.adding(RECEPTION, Servers::default(), &[]).end().refused(&["gatepost oauth-client add"]);
    house.register();
    house.connect(RECEPTION, Servers::default());
}

/// A mailbox whose sign-in was taken back while letters were waiting for it.
#[test]
fn after_a_revocation_signing_in_again_keeps_what_there_is_and_what_waited_leaves_in_order() {
    for way in ["sign in", "password"] {
        // Over several connections letters leave side by side.
        let house = SignInHouse::start("", "[providers.sandbox.limits]\nsmtp_concurrent_connections = 1");
        house.register();
        let server = house.it.serve();
        house.connect(RECEPTION, Servers::default());
        let with = house.it.app_password(RECEPTION, &[]);
        house.send(&server, &with, ANNA, &["First"]);
        house.mailboxes().await_subject(ANNA, "First");
        let passwords = house.it.command(&["app-password", "list", "--json"]).json_lines();

        house.tokens(RECEPTION, "revoke");
        let waiting = ["Second", "Third", "Fourth", "Fifth"];
        house.send(&server, &with, ANNA, &waiting);
        let needs_sign_in = wait_until(SOON, || {
            let it = house.it.account(RECEPTION);
            (it["sending"]["status"] == "needs_sign_in" && it["waiting"] == 4).then_some(it)
        });
        let before = needs_sign_in.unwrap_or_else(|| panic!("{}", house.it.account(RECEPTION)));
        assert_eq!(before["reading"]["status"], "needs_sign_in", "a dead grant reads nothing either");
        assert_eq!(house.it.letters(&["--state", "sent"]).len(), 1);
        let held = house.it.letters(&["--limit", "1"])[0]["id"].as_str().unwrap().to_owned();
        let shown = house.it.command(&["outbox", "show", &held]).done();
        assert!(shown.contains(&format!("Next: gatepost account reauthenticate {RECEPTION}")), "{shown}");

        let checked = house.it.command(&["account", "check", RECEPTION]);
        assert_eq!(checked.code, Some(1), "{checked:?}");
        assert!(checked.stdout.contains("✗ sign in\n"), "{}", checked.stdout);
        let next = format!("\nNext: gatepost account reauthenticate {RECEPTION} --config ");
        assert!(checked.stdout.contains(&next), "{}", checked.stdout);

        let after = match way {
            "sign in" => {
                let done = house.finish(house.signing_in_again(RECEPTION, &["--json"]), RECEPTION);
                done.json_lines().pop().unwrap()
            }
            _ => {
                let shown = with_password(&house, &["reauthenticate", RECEPTION], "sandbox").done();
                let leave = "The 4 letters that waited leave now by themselves, in their order.";
                assert!(shown.contains(leave), "{shown}");
                house.it.account(RECEPTION)
            }
        };
        assert_eq!((&after["id"], &after["status"]), (&before["id"], &json!("connected")), "{way}: {after}");
        house.mailboxes().await_subject(ANNA, "Fifth");
        let arrived: Vec<Value> =
            house.mailboxes().messages(ANNA).into_iter().map(|it| it["subject"].clone()).collect();
        assert_eq!(arrived, ["First", "Second", "Third", "Fourth", "Fifth"], "{way}");
        // What an application signed in with before opens the door as it did.
        let now: Vec<Value> = house.it.command(&["app-password", "list", "--json"]).json_lines();
        let ids = |all: &[Value]| all.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&now), ids(&passwords), "{way}");
        let tls = trusting(Path::new(&server.text("certificate")));
        Smtp::sign_in(&server.text("submission_tls"), &tls, &with).unwrap();
        assert_eq!(server.stop().code(), Some(0));
    }
}

/// A command on the house that reads the mailbox's password.
fn with_password(house: &SignInHouse, args: &[&str], password: &str) -> Outcome {
    let mut command = house.it.gatepost();
    with_input(command.args(["account"]).args(args).arg("--password-stdin"), password)
}

#[test]
fn by_password_nothing_is_added_before_the_mailbox_is_proven() {
    let house = SignInHouse::start("", "");
    let (smtp, imap) = (house.provider.smtp(), house.provider.imap());
    let add = |smtp: &str, password: &str, more: &[&str]| {
        let args = ["add", "--provider", "custom", "--address", RECEPTION, "--smtp", smtp, "--imap", &imap];
        with_password(&house, &[&args[..], more].concat(), password)
    };
    let nothing = || assert_eq!(house.it.command(&["account", "list", "--json"]).done(), "");

    let wrong = add(&smtp, "not the password", &[]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stdout.contains("✓ encrypt the connection\n✗ sign in\n"), "{}", wrong.stdout);
    assert!(wrong.stderr.contains("nothing was changed") && wrong.stderr.contains("Cure: "), "{wrong:?}");
    nothing();
    let absent = add("127.0.0.1:9", "sandbox", &["--json"]);
    assert_eq!(absent.code, Some(1), "{absent:?}");
    let last: Value =
        serde_json::from_str(absent.stdout.lines().find(|it| it.contains("false")).unwrap()).unwrap();
    assert_eq!((&last["step"], &last["ok"]), (&json!("connect"), &json!(false)));
    nothing();

    let lines = add(&smtp, "sandbox", &["--json"]).json_lines();
    let (account, steps) = lines.split_last().unwrap();
    assert!(steps.iter().all(|it| it["ok"] == true), "{steps:#?}");
    assert!(steps.iter().any(|it| it["step"] == "arrival"), "{steps:#?}");
    assert_eq!(
        (&account["status"], &account["reading"]["status"]),
        (&json!("connected"), &json!("connected"))
    );
    assert_eq!(account["author_name"], "", "recipients see no name that nobody has chosen");
    add(&smtp, "sandbox", &[]).refused(&[
        "the mailbox reception@sandbox.test is connected already",
        "gatepost account reauthenticate reception@sandbox.test",
    ]);
}

#[test]
fn a_password_that_the_provider_has_ended_is_refused_with_the_way_on() {
    let house = SignInHouse::start("", "");
    let add = |provider: &str, more: &[&str]| {
        let args = ["add", "--provider", provider, "--address", "anna@example.org"];
        with_password(&house, &[&args[..], more].concat(), "correct horse")
    };
    add("outlook_com", &[]).refused(&[
        "Microsoft ended passwords for mail programs",
        "gatepost account add --provider outlook_com --address anna@example.org --sign-in",
    ]);
    add("gmail", &[]).refused(&["Google no longer accepts", "is 16 small letters", "what was given is not"]);
    add("icloud", &[]).refused(&["Use an app-specific password."]);
    let added = add("outlook_com", &["--unchecked"]).done();
    assert!(added.contains("Whether it works was not asked."), "{added}");
    assert_eq!(house.it.account("anna@example.org")["status"], "unchecked");
}

#[test]
fn wrong_servers_are_corrected_by_command_and_nothing_changes_before_they_work() {
    let house = SignInHouse::start("", "");
    let (smtp, imap) = (house.provider.smtp(), house.provider.imap());
    let add = ["add", "--provider", "custom", "--address", RECEPTION, "--user-name", "nobody", "--unchecked"];
    with_password(&house, &[&add[..], &["--smtp", "127.0.0.1:9"]].concat(), "wrong").done();
    let before = house.it.account(RECEPTION);
    let with = house.it.app_password(RECEPTION, &[]);
    let again = |more: &[&str], password: &str| {
        let servers = ["--smtp", &smtp, "--imap", &imap, "--user-name", RECEPTION];
        with_password(&house, &[&["reauthenticate", RECEPTION], &servers[..], more].concat(), password)
    };
    let wrong = again(&[], "wrong as well");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert_eq!(house.it.account(RECEPTION), before);

    let lines = again(&["--json"], "sandbox").json_lines();
    let after = lines.last().unwrap();
    assert_eq!((&after["id"], &after["status"]), (&before["id"], &json!("connected")));
    assert_eq!((&after["user_name"], &after["reading"]["status"]), (&json!(RECEPTION), &json!("connected")));
    let server = house.it.serve();
    house.send(&server, &with, ANNA, &["By other servers"]);
    house.mailboxes().await_subject(ANNA, "By other servers");
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn an_account_is_shown_with_both_directions_and_told_what_ends_before_it_is_removed() {
    let house = SignInHouse::start("", "");
    house.register();
    house.connect(RECEPTION, Servers::default());
    let more = ["--smtp", &house.provider.smtp(), "--unchecked"];
    with_password(&house, &[&["add", "--provider", "custom", "--address", BILLING][..], &more].concat(), "x")
        .done();
    let shown = house.it.command(&["account", "show", RECEPTION]).done();
    for line in [
        "  Sending          ✓ Connected since ",
        "  Reading          ✓ Connected since ",
        "  Default of       the organisation",
    ] {
        assert!(shown.lines().any(|it| it.starts_with(line)), "{line:?} is missing in: {shown}");
    }
    assert!(shown.contains("  Signs in by      sign-in at Sandbox\n"), "{shown}");
    let edited = house.it.command(&["account", "edit", BILLING, "--never-falls-back", "true"]).done();
    assert!(edited.contains("  Signs in by      password\n"), "{edited}");
    assert!(
        edited.contains("  Sending          ? Not checked yet\n") && !edited.contains("Reading"),
        "{edited}"
    );
    assert!(edited.contains("  Falls back       never"), "{edited}");
    let listed = house.it.command(&["account", "list"]).done();
    let billing = listed.lines().find(|it| it.contains(BILLING)).unwrap();
    assert!(listed.contains("SENDING") && listed.contains("READING"), "{listed}");
    assert!(billing.contains("? Not checked yet") && billing.ends_with("–"), "{listed}");

    house.it.app_password(BILLING, &[]);
    let removed = house.it.command(&["account", "remove", BILLING]).done();
    let (before, after) = removed.split_once("Removed").unwrap();
    assert!(
        before.contains("Letters waiting  0") && before.contains("App passwords that stop: Test\n"),
        "{removed}"
    );
    assert!(after.contains("its app passwords"), "{removed}");
    let json = house.it.command(&["account", "remove", RECEPTION, "--yes", "--json"]).json();
    assert_eq!(json["address"], RECEPTION);
}

#[test]
fn a_check_says_that_the_running_server_has_another_configuration() {
    let house = SignInHouse::start("", "");
    let server = house.it.serve();
    let check = || house.it.command(&["check"]).stdout;
    assert!(!check().contains("restart it"), "{}", check());
    let text = std::fs::read_to_string(&house.it.config).unwrap();
    std::fs::write(&house.it.config, format!("{text}# Another text.\n")).unwrap();
    let checked = check();
    assert!(checked.contains("the running server was started with another text of"), "{checked}");
    assert_eq!(server.stop().code(), Some(0));
    assert!(!check().contains("restart it"));
}

#[test]
fn a_pop3_server_that_does_not_answer_beside_imap_is_a_warning() {
    let house = SignInHouse::start("", "");
    let mut command = house.it.gatepost();
    command.args(["account", "add", "--provider", "sandbox", "--address", RECEPTION]);
    command.args(["--smtp", &house.provider.smtp(), "--smtp-tls", "starttls"]);
    command.args(["--imap", &house.provider.imap(), "--imap-tls", "starttls"]);
    command.args(["--pop3", &format!("127.0.0.1:{}", free_port()), "--pop3-tls", "implicit"]);
    with_input(command.args(["--password-stdin", "--unchecked"]), "sandbox").done();
    let checked = house.it.command(&["check"]).stdout;
    let line = checked.lines().find(|it| it.contains(RECEPTION)).unwrap_or_else(|| panic!("{checked}"));
    assert!(line.starts_with("! mail account"), "{checked}");
    assert!(line.contains("its servers answer, but not for POP3: "), "{checked}");
}

#[test]
fn a_pop3_server_beside_imap_is_asked_by_whatever_signs_in_and_turns_nothing_red() {
    let house = SignInHouse::start("", "");
    let (smtp, imap, nobody) =
        (house.provider.smtp(), house.provider.imap(), format!("127.0.0.1:{}", free_port()));
    let servers = |pop3: &str| {
        ["--smtp", &smtp, "--imap", &imap, "--pop3", pop3, "--pop3-tls", "starttls"].map(str::to_owned)
    };
    let with = |first: &[&str], pop3: &str| {
        let servers = servers(pop3);
        let args: Vec<&str> = first.iter().copied().chain(servers.iter().map(String::as_str)).collect();
        with_password(&house, &args, "sandbox").done()
    };
    let step = "for reading by POP3: be greeted by the server\n";
    let warned = |shown: &str| {
        assert!(shown.contains(&format!("! {step}  Only programs that read by POP3")), "{shown}");
        assert!(
            shown.contains("Cure: Check the port") && shown.contains("110 with STARTTLS for POP3"),
            "{shown}"
        );
        assert_eq!(house.it.account(RECEPTION)["status"], "connected");
    };
    let check = || house.it.command(&["account", "check", RECEPTION]).done();
    warned(&with(&["add", "--provider", "custom", "--address", RECEPTION], &nobody));
    warned(&check());
    let answers = with(&["reauthenticate", RECEPTION], &house.provider.pop3());
    for shown in [answers, check()] {
        assert!(shown.contains(&format!("✓ {step}")), "{shown}");
    }
    warned(&with(&["reauthenticate", RECEPTION], &nobody));
}

#[test]
fn a_check_that_ends_at_the_sign_in_service_shows_its_cross_and_the_next_command() {
    let house = SignInHouse::start("", "");
    house.register();
    // So short that each check needs a new token.
    house.mailboxes().put("oauth", &json!({ "access_lifetime_s": 1 }).to_string());
    house.connect(RECEPTION, Servers::default());
    house.tokens(RECEPTION, "revoke");
    let checked = house.it.command(&["account", "check", RECEPTION]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(
        checked.stdout.starts_with("✗ sign in\n\nNext: gatepost account reauthenticate"),
        "{}",
        checked.stdout
    );
    assert!(
        checked.stderr.contains("cannot sign in: ") && checked.stderr.contains("Cure: "),
        "{}",
        checked.stderr
    );
}
