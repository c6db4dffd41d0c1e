//! Applications of one's own by command: the guide, a secret that is refused, one that is taken, and what stays of it.
#![allow(clippy::unwrap_used, reason = "a test may stop wherever something is not as it should be")]

mod harness;

use gatepost_testkit::fresh_folder;
use harness::{Running, demo, gatepost_command, with_input};
use serde_json::{Value, json};

/// The application of a service in the list; null where there is none.
fn listed(at: &Running, service: &str) -> Value {
    let all = at.command(&["oauth-client", "list", "--json"]).json_lines();
    all.into_iter().find(|it| it["service"] == service).unwrap()
}

/// `oauth-client add` with a secret on standard input.
fn add(at: &Running, client_id: &str, secret: &str, more: &[&str]) -> harness::Outcome {
    let mut command = gatepost_command();
    command.args(["oauth-client", "add", "--service", "sandbox", "--client-id", client_id, "--secret-stdin"]);
    with_input(command.args(more).args(["--config", &at.text("config")]), secret)
}

#[test]
fn an_application_of_ones_own_is_guided_verified_listed_and_removed_by_command() {
    let folder = fresh_folder();
    let at = demo(&folder.path().join("demo"));
    // The guide names what this installation needs.
    let guide = at.command(&["oauth-client", "guide", "--service", "google", "--json"]).json();
    let redirect = format!("{}/oauth/callback/google", at.text("portal"));
    assert_eq!((guide["redirect_uri"].as_str(), &guide["pasted"]), (Some(redirect.as_str()), &json!(false)));
    let values: Vec<&str> = guide["steps"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|it| it["copy"].as_array().unwrap())
        .map(|it| it["value"].as_str().unwrap())
        .collect();
    assert!(values.contains(&redirect.as_str()), "{values:?}");
    let text = at.command(&["oauth-client", "guide", "--service", "microsoft", "--kind", "desktop"]).done();
    for words in [
        "two years at most",
        "Redirect URI (mobile and desktop):\n       http://localhost\n",
        "pastes the address",
        "gatepost oauth-client add --service microsoft --kind desktop --client-id ID --tenant ID",
    ] {
        assert!(text.contains(words), "{words} is missing in {text}");
    }

    let new = at.mailboxes().post(
        "oauth/clients",
        &format!(
            r#"{{"name":"Lakeside","redirects":["{}/oauth/callback/sandbox"],"has_secret":true}}"#,
            at.text("portal")
        ),
    );
    let (id, secret) = (new["client_id"].as_str().unwrap(), new["client_secret"].as_str().unwrap());
    let before = listed(&at, "sandbox");
    assert_eq!(before["client_id"], "gatepost-sandbox");
    // A wrong secret is refused with cause and cure, is not repeated, and changes nothing.
    let refused = add(&at, id, "not-the-secret", &[]);
    refused.refused(&["Cure: ", "invalid_client"]);
    assert!(!format!("{refused:?}").contains("not-the-secret"));
    assert_eq!(listed(&at, "sandbox"), before);
    // The right one is taken, with what pasting adds to it.
    let added = add(&at, id, &format!("  {secret}\u{200b}\r\n"), &["--verified", "--json"]);
    assert!(!added.stdout.contains(secret));
    let added = added.json();
    assert_eq!(
        (&added["client_id"], &added["of"], &added["kind"]),
        (&json!(id), &json!("organisation"), &json!("web"))
    );
    assert!(
        added["proven_at"].is_string() && added["verified"] == true && added["has_secret"] == true,
        "{added}"
    );
    assert_eq!(listed(&at, "sandbox"), added);
    // What is there already goes on for the same id alone.
    let args = ["oauth-client", "add", "--service", "sandbox", "--client-id"];
    let again = |id: &str| at.command(&[&args[..], &[id, "--no-secret"]].concat());
    assert!(again(id).done().contains("has taken the application"));
    again("gatepost-sandbox").refused(&["enter it again"]);
    // The installation's serves where the organisation has none.
    add(&at, id, secret, &["--installation"]).done();
    assert_eq!(listed(&at, "sandbox")["of"], "organisation");
    let removed = at.command(&["oauth-client", "remove", "--service", "sandbox"]).done();
    assert!(removed.contains("No mailbox was connected with it."), "{removed}");
    assert_eq!(listed(&at, "sandbox")["of"], "installation");
    at.command(&["oauth-client", "remove", "--service", "sandbox"]).refused(&["has no application"]);
    at.command(&["oauth-client", "remove", "--service", "sandbox", "--installation"]).done();
    assert!(listed(&at, "sandbox")["client_id"].is_null());
    at.command(&["oauth-client", "guide", "--service", "nowhere"]).refused(&["Known: ", "google"]);
    let list = at.command(&["oauth-client", "list"]).done();
    assert!(list.contains("SERVICE") && list.contains("Google Workspace"), "{list}");
    let log = std::fs::read_to_string(&at.log).unwrap();
    assert!(!log.contains(secret) && !log.contains("not-the-secret"), "{log}");
    assert_eq!(at.stop().code(), Some(0));
}
