//! What the configuration says over the rules.

use std::collections::BTreeMap;

use super::*;
use crate::{Mistake, Overrule, Providers, Wrong};

fn with(text: &str) -> Result<Catalogue, Vec<Mistake>> {
    let rules = text.parse::<toml::Table>().unwrap();
    let rules: BTreeMap<_, _> =
        rules.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
    overrule::with(&rules, &["google", "microsoft", "custom", "praxis"])
}

const OWN: &str = r#"
    [praxis-locked]
    where = "smtp"
    provider = "praxis"
    phases = ["auth"]
    pattern = 'locked by (Praxis|the house)'
    retry = "hold"
    who = "operator"
    cause = "The house has locked this mailbox."
    cure = "Call Ms Meier at extension 12."
    samples = ["535 5.7.8 Mailbox locked by Praxis"]
    [praxis-night]
    where = "imap"
    pattern = 'closed at night'
    retry = "backoff"
    at_least_minutes = 60
    who = "gatepost"
    cause = "The mailbox is closed at night."
    cure = "You need not do anything."
    samples = ["NO [UNAVAILABLE] closed at night"]
    [praxis-sso]
    where = "oauth"
    provider = "praxis"
    pattern = 'card expired'
    retry = "hold"
    who = "owner"
    cause = "Your card has expired."
    cure = "Fetch a new card from Ms Meier."
    samples = [{ error = "invalid_grant", text = "card expired" }]
"#;

#[test]
fn own_rules_are_asked_before_ours_and_speak_of_their_kind_alone() {
    let catalogue = with(OWN).unwrap();
    let rule = |kind, phase, pasted| catalogue.diagnose(&reply(Some(kind), phase, pasted)).rule;
    let locked = "535 5.7.8 Username and Password not accepted: LOCKED by\r\nthe house";
    assert_eq!(rule("praxis", Phase::Auth, locked), "praxis-locked");
    assert_eq!(rule("google", Phase::Auth, locked), "g-535-58");
    assert_eq!(rule("custom", Phase::Auth, locked), "g-535-58");
    // Guards hold for own rules too: no 4yz parks an account, nor anything said at another point.
    assert_eq!(rule("praxis", Phase::Auth, "454 4.7.0 locked by Praxis"), "x-sign-in-later");
    assert_eq!(rule("praxis", Phase::Message, "550 5.7.1 locked by Praxis"), "x-5xx");
    // A kind of one's own is no provider of ours: what others say is understood there.
    assert_eq!(rule("praxis", Phase::Auth, "535 5.7.8 Username and Password not accepted."), "g-535-58");
    let night = Evidence::Imap {
        provider_kind: Some("google"),
        phase: Phase::Upkeep,
        status: "NO",
        code: None,
        text: b"closed at night, come back",
    };
    let got = catalogue.diagnose(&night);
    assert_eq!(got.rule, "praxis-night");
    assert_eq!(got.retry, RetryClass::Backoff { at_least: Duration::from_secs(3_600) });
    assert_eq!(catalogue.find("praxis-sso").unwrap().who, Who::Owner);
}

#[test]
fn words_of_a_known_rule_change_and_the_rest_stays() {
    let catalogue =
        with("[g-535-58]\ncure = \"Call Ms Meier.\"\n[timed-out]\ncause = \"Slow again.\"").unwrap();
    let sample = reply(Some("google"), Phase::Auth, "535 5.7.8 Username and Password not accepted.");
    let (own, ours) = (catalogue.diagnose(&sample), Catalogue::embedded().diagnose(&sample));
    assert_eq!(own, Diagnosis { cure: "Call Ms Meier.".into(), ..ours });
    assert_eq!(catalogue.diagnose_trouble(Trouble::TimedOut).cause, "Slow again.");
    // The last rule keeps its place, and its words change like any other's.
    let catalogue = with("[x-strange]\ncure = \"Call Ms Meier.\"").unwrap();
    let got = catalogue.diagnose(&reply(None, Phase::Message, "299 nobody knows this"));
    assert_eq!((got.rule.as_str(), got.cure.as_str()), ("x-strange", "Call Ms Meier."));
}

#[test]
fn a_rule_that_is_off_judges_nothing_and_still_has_words_for_old_rows() {
    let catalogue = with("[g-535-58]\noff = true").unwrap();
    let got = catalogue.diagnose(&reply(
        Some("google"),
        Phase::Auth,
        "535 5.7.8 Username and Password not accepted.",
    ));
    assert_eq!(got.rule, "x-sign-in-refused");
    assert!(catalogue.find("g-535-58").is_some());
    assert!(with("[g-535-58]\noff = false").unwrap().all().any(|it| it.rule == "g-535-58"));
}

#[test]
fn mistakes_are_named_with_rule_and_key() {
    let changed = |from: &str, to: &str| {
        assert!(OWN.contains(from), "{from}");
        OWN.replacen(from, to, 1)
    };
    for (text, path, want) in [
        (changed("who = \"operator\"", "whom = \"operator\""), "rules.praxis-locked.whom", "Unknown"),
        (
            changed("\"The house has locked this mailbox.\"", "\"locked\""),
            "rules.praxis-locked.cause",
            "full sentences",
        ),
        (changed("Call Ms Meier", &"Call Ms Meier. ".repeat(30)), "rules.praxis-locked.cure", "330"),
        (changed("Call Ms Meier", "Call Ms Meier!"), "rules.praxis-locked.cure", "full sentences"),
        (
            changed("'locked by (Praxis|the house)'", "'('"),
            "rules.praxis-locked.pattern",
            "regular expression",
        ),
        (changed("'locked by (Praxis|the house)'", "'.*'"), "rules.praxis-locked.pattern", "every answer"),
        (changed("retry = \"hold\"", "retry = \"halt\""), "rules.praxis-locked.retry", "permanent"),
        (changed("where = \"smtp\"", "where = \"mail\""), "rules.praxis-locked.where", "imap"),
        (changed("where = \"smtp\"", ""), "rules.praxis-locked", "lacks where"),
        (
            changed("provider = \"praxis\"", "provider = \"prakis\""),
            "rules.praxis-locked",
            "no provider is of the kind",
        ),
        (
            changed("Mailbox locked by Praxis", "Mailbox is shut"),
            "rules.praxis-locked",
            "judged by the rule x-sign-in-refused",
        ),
        (changed("535 5.7.8 Mailbox", "5x5 Mailbox"), "rules.praxis-locked", "no answer in smtp"),
        (
            changed("535 5.7.8 Mailbox", "454 4.7.0 Mailbox"),
            "rules.praxis-locked",
            "judged by the rule x-sign-in-later",
        ),
        (changed("You need not do anything.", "Wait."), "rules.praxis-night", "need not do anything"),
        (
            changed("retry = \"backoff\"\n    at_least_minutes = 60", "retry = \"permanent\""),
            "rules.praxis-night",
            "fails a letter",
        ),
        (changed("retry = \"backoff\"", "retry = \"hold\""), "rules.praxis-night", "names a wait"),
        (changed("[praxis-sso]", "[Praxis-SSO]"), "rules.Praxis-SSO", "small letters"),
        ("[g-535-58]\nprovider = \"any\"".into(), "rules.g-535-58", "stays as it is"),
        ("[g-535-58]\npattern = 'another text'".into(), "rules.g-535-58", "judged by the rule"),
        ("[g-535-85]\ncure = \"Call Ms Meier.\"".into(), "rules.g-535-85", "no rule has this name"),
        ("[timed-out]\noff = true".into(), "rules.timed-out.off", "Unknown"),
        ("[timed-out]\nretry = \"hold\"".into(), "rules.timed-out.retry", "Unknown"),
        ("[x-strange]\noff = true".into(), "rules.x-strange", "answers where no other does"),
    ] {
        let mistakes = with(&text).err().unwrap();
        let found =
            mistakes.iter().any(|it| it.path.join(".") == path && format!("{:?}", it.wrong).contains(want));
        assert!(found, "{path}, {want}: {mistakes:?}");
    }
}

#[test]
fn providers_hand_down_the_catalogue_of_the_configuration() {
    let rules: toml::Table = "[timed-out]\ncause = \"Slow again.\"".parse().unwrap();
    let rules = rules.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
    let providers = Providers::with(&Overrule { rules, ..Overrule::default() }).unwrap();
    assert_eq!(providers.catalogue().find("timed-out").unwrap().cause, "Slow again.");
    assert_ne!(Providers::embedded().catalogue().find("timed-out").unwrap().cause, "Slow again.");
    // All mistakes of all sections at once.
    let text = |text: &str| -> BTreeMap<String, toml::Table> {
        let table: toml::Table = text.parse().unwrap();
        table.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect()
    };
    let overrule = Overrule {
        providers: text("[gmail]\noauth = \"googel\""),
        rules: text("[g-535-58]\ncure = 7"),
        guides: text("[notes]\nx = 7"),
        ..Overrule::default()
    };
    let mistakes = Providers::with(&overrule).unwrap_err();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    let overrule = Overrule { guides: BTreeMap::new(), ..overrule };
    let mistakes = Providers::with(&overrule).unwrap_err();
    assert!(matches!(&mistakes[..], [one, two] if one.path[0] == "providers" && two.path[0] == "rules"));
    assert!(matches!(mistakes[0].wrong, Wrong::Together(_)));
}
