use proptest::prelude::*;

use super::key::{ALL, Key};
use super::*;

fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Settings::from_text(Path::new("/etc/gatepost/gatepost.toml"), text, variables)
}

#[track_caller]
fn refused(text: &str, want: &str) {
    let text = format!("data_dir = \"/d\"\n{text}");
    let got = load(&text, &[]).err().expect("it is refused").to_string();
    assert_eq!(got, want, "in: {text}");
}

#[test]
fn an_unknown_key_names_file_line_known_keys_and_the_nearest() {
    let known = "starttls, tls, hostname, max_message_bytes, max_recipients, connections_total, connections_per_source, \
                 new_connections_per_minute, exempt_networks, trusted_proxies";
    refused(
        "[submission]\nstartls = \"0.0.0.0:587\"\n",
        &format!(
            "/etc/gatepost/gatepost.toml:3: unknown key \"startls\" in [submission]. Known here: {known}. Did you mean \"starttls\"?"
        ),
    );
    refused(
        "[outbox]\nresolvr = \"1.1.1.1\"\n",
        "/etc/gatepost/gatepost.toml:3: unknown key \"resolvr\" in [outbox]. Known here: keep_bodies_for. \
         Did you mean \"resolver\" in [upstream]?",
    );
    refused(
        "[log]\ndata_dri = \"/d\"\n",
        "/etc/gatepost/gatepost.toml:3: unknown key \"data_dri\" in [log]. Known here: level, format. \
         Did you mean \"data_dir\" at the top of the file?",
    );
    refused(
        "[submision]\ntls = \"0.0.0.0:465\"\n",
        "/etc/gatepost/gatepost.toml:2: unknown section [submision]. Known: portal, submission, imap, pop3, tls, upstream, outbox, log, providers, rules, guides. \
         Did you mean [submission]?",
    );
}

#[test]
fn a_key_at_the_top_is_not_known_in_a_section() {
    let found = load("data_dri = \"/d\"\n", &[]).err().unwrap().to_string();
    assert!(
        found.starts_with("/etc/gatepost/gatepost.toml:1: unknown key \"data_dri\". Known here: data_dir, "),
        "{found}"
    );
    assert!(found.ends_with("Did you mean \"data_dir\"?"), "{found}");
}

#[test]
fn a_value_that_does_not_fit_is_shown_with_what_was_expected() {
    for (text, want) in [
        (
            "[submission]\nstarttls = 587",
            r#"3: submission.starttls is 587; expected an address with a port, such as "0.0.0.0:587", or a list of them"#,
        ),
        (
            "[submission]\nstarttls = \"587\"",
            r#"3: submission.starttls is "587"; expected an address with a port, such as "0.0.0.0:587", or a list of them (invalid socket address syntax)"#,
        ),
        (
            "[submission]\nmax_recipients = 5",
            "3: submission.max_recipients is 5; expected a number from 100 to 10000",
        ),
        (
            "[submission]\nmax_recipients = 500.0",
            "3: submission.max_recipients is a number with a fraction; expected a number from 100 to 10000",
        ),
        (
            "[submission]\nmax_recipients = 99999999999999999999",
            "3: submission.max_recipients is a number too large; expected a number from 100 to 10000",
        ),
        (
            "[submission]\nexempt_networks = [\"10.1.2.3/8\"]",
            r#"3: submission.exempt_networks is ["10.1.2.3/8"]; expected a list of networks, such as ["192.168.1.0/24"] ("10.1.2.3/8" is not a network: the block that holds this address is 10.0.0.0/8)"#,
        ),
        (
            "submission = true",
            "2: submission is a boolean; expected a section: its name in brackets on a line of its own, its keys below",
        ),
        (
            "[outbox]\nkeep_bodies_for = \"5 days\"",
            r#"3: outbox.keep_bodies_for is "5 days"; expected a span such as "24h", "30m" or "7d""#,
        ),
        (
            "[log]\nlevel = \"loud\"",
            r#"3: log.level is "loud"; expected one of "error", "warn", "info", "debug", "trace""#,
        ),
        (
            "public_url = \"gatepost.example.org\"",
            r#"2: public_url is "gatepost.example.org"; expected an address such as "https://gatepost.example.org""#,
        ),
        (
            "bodies_url = \"s3://bucket\"",
            r#"2: bodies_url is "s3://bucket"; expected the path of a folder, such as "/var/lib/gatepost/bodies""#,
        ),
        (
            "master_key_command = \"pass gatepost\"",
            r#"2: master_key_command is "pass gatepost"; expected a list of a program and its arguments, such as ["/usr/bin/pass", "gatepost"]"#,
        ),
    ] {
        refused(text, &format!("/etc/gatepost/gatepost.toml:{want}"));
    }
}

#[test]
fn one_port_for_two_doors_is_refused_with_both_keys() {
    refused(
        "[imap]\ntls = \"0.0.0.0:995\"\n[pop3]\ntls = \"0.0.0.0:995\"\n",
        "/etc/gatepost/gatepost.toml:5: pop3.tls listens at 0.0.0.0:995, and imap.tls at 0.0.0.0:995: one port is for one of them. \
         Choose another port for pop3.tls",
    );
    refused(
        "[portal]\nlisten = \"127.0.0.1:587\"\n[submission]\nstarttls = [\"[::1]:587\", \"0.0.0.0:587\"]\n",
        "/etc/gatepost/gatepost.toml:5: submission.starttls listens at 0.0.0.0:587, and portal.listen at 127.0.0.1:587: one port is for \
         one of them. Choose another port for submission.starttls",
    );
    let several = "data_dir = \"/d\"\n[submission]\ntls = [\"127.0.0.1:465\", \"127.0.0.2:465\", \"[::1]:465\"]\n\
                   [imap]\ntls = \"127.0.0.1:0\"\n[pop3]\ntls = \"127.0.0.1:0\"\n";
    assert!(load(several, &[]).is_ok(), "one port of several addresses, and ports that the system chooses");
}

#[test]
fn a_section_for_reading_is_known_to_be_there_without_a_key() {
    let mentioned = |text: &str, variables: &[(&str, &str)]| {
        let it = load(&format!("data_dir = \"/d\"\n{text}"), variables).ok().unwrap();
        [it.imap.is_mentioned, it.pop3.is_mentioned]
    };
    assert_eq!(mentioned("", &[]), [false, false]);
    assert_eq!(mentioned("[imap]\n", &[]), [true, false]);
    assert_eq!(mentioned("", &[("GATEPOST_POP3_CONNECTIONS_TOTAL", "10")]), [false, true]);
}

#[test]
fn a_syntax_error_names_line_and_column() {
    refused(
        "[submission]\ntls = 0.0.0.0:465\n",
        "/etc/gatepost/gatepost.toml:3:10: invalid float, expected nothing. Correct this line; text stands in double quotes",
    );
    let found = load("data_dir = \"/d\n", &[]).err().unwrap().to_string();
    assert!(found.starts_with("/etc/gatepost/gatepost.toml:1:"), "{found}");
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = "data_dir = \"/d\"\nport = 1\n[log]\nlevel = 3\ncolour = true\n";
    let found = load(text, &[("GATEPOST_DATADIR", "/x")]).err().unwrap().to_string();
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines.len(), 4, "{found}");
    assert!(found.contains("gatepost.toml:2: unknown key \"port\""), "{found}");
    assert!(found.contains("gatepost.toml:5: unknown key \"colour\""), "{found}");
    assert!(found.contains("gatepost.toml:4: log.level is 3"), "{found}");
    assert!(found.contains("GATEPOST_DATADIR"), "{found}");
}

#[test]
fn a_password_in_the_database_address_is_never_shown() {
    for text in ["database_url = \"mysql://root:hunter2@db\"", "database_url = [\"hunter2\"]"] {
        let found = load(&format!("data_dir = \"/d\"\n{text}"), &[]).err().unwrap().to_string();
        assert!(!found.contains("hunter2") && found.contains("database_url is not shown here"), "{found}");
    }
}

#[test]
fn what_belongs_together_is_asked_for_and_what_excludes_itself_is_refused() {
    refused(
        "[tls]\nkey = \"k.pem\"",
        "/etc/gatepost/gatepost.toml:3: tls.key needs tls.certificate beside it: set both, or neither",
    );
    refused(
        "[tls]\ncertificate = \"c.pem\"",
        "/etc/gatepost/gatepost.toml:3: tls.certificate needs tls.key beside it: set both, or neither",
    );
    refused(
        "master_key_file = \"k\"\nmaster_key_command = [\"pass\"]",
        "/etc/gatepost/gatepost.toml:3: master_key_command and master_key_file are both set: remove one",
    );
    let found = load("", &[]).err().unwrap().to_string();
    assert!(found.starts_with("data_dir is not set: add a line such as data_dir ="), "{found}");
}

#[test]
fn a_portal_that_others_reach_needs_the_address_that_they_type() {
    let cure = "where others reach it; links need the address that they type. Add a line such as \
                public_url = \"https://gatepost.example.org\" at the top of the file, or let the portal listen at 127.0.0.1:8025 alone";
    refused(
        "[portal]\nlisten = [\"127.0.0.1:8024\", \"0.0.0.0:8025\"]\n",
        &format!("/etc/gatepost/gatepost.toml:3: portal.listen is 0.0.0.0:8025, {cure}"),
    );
    for (url, listen) in [
        ("http://gatepost.example.org", "127.0.0.1:8025"),
        ("http://gatepost.example.org", "0.0.0.0:8025"),
        ("http://192.168.1.5:8025", "[::1]:8025"),
        ("http://localhost:8025", "0.0.0.0:8025"),
    ] {
        refused(
            &format!("public_url = \"{url}\"\n[portal]\nlisten = \"{listen}\"\n"),
            &format!(
                "/etc/gatepost/gatepost.toml:2: public_url is \"{url}\"; nobody could sign in there, because browsers keep the \
                 portal's cookies over encrypted connections alone. Begin it with https://, or use http://localhost for a portal on this machine"
            ),
        );
    }
    // Who runs no portal may call the machine anything.
    assert!(load("data_dir = \"d\"\npublic_url = \"http://192.168.1.5\"", &[]).is_ok());
    // One mistake is named once.
    refused(
        "public_url = \"gatepost\"\n[portal]\nlisten = \"0.0.0.0:8025\"\n",
        r#"/etc/gatepost/gatepost.toml:2: public_url is "gatepost"; expected an address such as "https://gatepost.example.org""#,
    );
}

#[test]
fn links_begin_with_the_public_address_or_this_machines_name() {
    for (text, want) in [
        ("", None),
        ("public_url = \"https://gatepost.example.org\"", None),
        ("[portal]\nlisten = \"127.0.0.1:8025\"", Some("http://localhost:8025")),
        ("[portal]\nlisten = [\"[::1]:81\", \"127.0.0.1:82\"]", Some("http://localhost:81")),
        (
            "public_url = \"https://gatepost.example.org:8443/\"\n[portal]\nlisten = \"0.0.0.0:8443\"",
            Some("https://gatepost.example.org:8443"),
        ),
        (
            "public_url = \"http://localhost:9000\"\n[portal]\nlisten = \"127.0.0.1:8025\"",
            Some("http://localhost:9000"),
        ),
    ] {
        let settings = load(&format!("data_dir = \"d\"\n{text}"), &[]).ok().unwrap();
        assert_eq!(settings.portal_url().as_deref(), want, "{text}");
    }
}

#[test]
fn an_empty_file_with_a_data_dir_has_safe_defaults() {
    let settings = load("data_dir = \"data\"", &[]).ok().unwrap();
    assert_eq!(settings.data_dir, Path::new("/etc/gatepost/data"), "relative to the file");
    assert_eq!(settings.bodies, Path::new("/etc/gatepost/data/bodies"));
    assert!(
        matches!(&settings.database, DatabasePlace::Sqlite(it) if it == Path::new("/etc/gatepost/data/gatepost.db"))
    );
    assert!(
        settings.submission.starttls.is_empty() && settings.submission.tls.is_empty(),
        "nothing listens unasked"
    );
    assert_eq!(
        settings.portal,
        PortalSettings {
            listen: Vec::new(),
            administration_networks: Vec::new(),
            trusted_proxies: Vec::new()
        }
    );
    assert!(settings.upstream.allow_private_addresses.is_empty());
    assert_eq!(settings.outbox.keep_bodies_for.as_secs(), 86_400);
    assert_eq!(settings.log, LogSettings::default());
}

#[test]
fn the_environment_overrules_the_file_for_every_kind_of_value() {
    let text = "data_dir = \"/d\"\n[submission]\nstarttls = \"127.0.0.1:1\"\nmax_recipients = 100\n";
    let settings = load(
        text,
        &[
            ("GATEPOST_SUBMISSION_STARTTLS", "127.0.0.1:2, [::1]:3"),
            ("GATEPOST_SUBMISSION_MAX_RECIPIENTS", "200"),
            ("GATEPOST_UPSTREAM_ALLOW_PRIVATE_ADDRESSES", "10.0.0.0/8:25"),
            ("GATEPOST_PORTAL_LISTEN", "127.0.0.1:4"),
            ("GATEPOST_PORTAL_ADMINISTRATION_NETWORKS", "10.0.0.0/8,::1"),
            ("GATEPOST_DATABASE_URL", "postgres://u:p@h/d"),
            ("GATEPOST_MASTER_KEY", "read elsewhere"),
            ("GATEPOSTAGE", "someone else's"),
        ],
    );
    let settings = settings.ok().unwrap();
    assert_eq!(settings.submission.starttls, ["127.0.0.1:2".parse().unwrap(), "[::1]:3".parse().unwrap()]);
    assert_eq!(settings.submission.max_recipients, 200);
    assert_eq!(settings.portal.listen, ["127.0.0.1:4".parse().unwrap()]);
    assert_eq!(settings.portal.administration_networks.len(), 2);
    assert_eq!(settings.upstream.allow_private_addresses, ["10.0.0.0/8:25".parse().unwrap()]);
    assert!(
        matches!(&settings.database, DatabasePlace::Postgres(url) if url.reveal() == "postgres://u:p@h/d")
    );
}

#[test]
fn an_unknown_or_wrong_variable_is_refused() {
    let refused = |name, value| load("data_dir = \"/d\"", &[(name, value)]).err().unwrap().to_string();
    assert_eq!(
        refused("GATEPOST_SUBMISSION_STARTLS", "x"),
        "unknown environment variable GATEPOST_SUBMISSION_STARTLS: names that begin with GATEPOST_ are Gatepost's own. \
         Did you mean GATEPOST_SUBMISSION_STARTTLS?"
    );
    assert_eq!(
        refused("GATEPOST_LOG_FORMAT", "xml"),
        "the environment variable GATEPOST_LOG_FORMAT: log.format is \"xml\"; expected \"human\" or \"json\""
    );
}

#[test]
fn a_provider_is_added_and_a_known_one_overruled() {
    let text = r#"
        data_dir = "/d"
        [providers.praxis]
        name = "Praxis mail"
        domains = ["praxis.example"]
        smtp = [{ host = "smtp.praxis.example", port = 465, tls = "implicit" }]
        [providers.praxis.oauth]
        authorize = "https://sso.praxis.example/authorize"
        token = "https://sso.praxis.example/token"
        scopes = { smtp = ["send"] }
        [providers.zoho.limits]
        smtp_messages_per_minute = 5
    "#;
    let providers =
        load(text, &[("GATEPOST_PROVIDERS", "[praxis]\nname = \"Praxis\"")]).ok().unwrap().providers;
    let praxis = providers.find_by_domain("praxis.example").unwrap();
    assert_eq!(
        (praxis.word.as_str(), praxis.name.as_str()),
        ("praxis", "Praxis"),
        "the environment is on top"
    );
    assert!(providers.service_of(praxis).is_some());
    assert_eq!(providers.find("zoho").unwrap().limits.n_messages_per_minute, Some(5));
}

#[test]
fn rules_and_guides_are_added_changed_and_switched_off() {
    let text = r#"
        data_dir = "/d"
        [rules.g-535-58]
        cure = "Ask Ms Meier for another app password."
        [rules.im-g-web]
        off = true
        [rules.praxis-locked]
        where = "smtp"
        pattern = 'locked by the house'
        retry = "hold"
        who = "operator"
        cause = "The house has locked this mailbox."
        cure = "Call Ms Meier."
        samples = ["535 5.7.8 Locked by the house"]
        [guides.app_passwords.google]
        needs = "Ms Meier turns 2-Step Verification on."
    "#;
    let variables = [
        ("GATEPOST_RULES", "[praxis-locked]\ncure = \"Call Mr Huber.\""),
        ("GATEPOST_GUIDES", "[app_passwords.google]\nends_when = \"It never ends.\""),
    ];
    let providers = load(text, &variables).ok().unwrap().providers;
    let catalogue = providers.catalogue();
    assert_eq!(catalogue.find("g-535-58").unwrap().cure, "Ask Ms Meier for another app password.");
    let locked = catalogue.find("praxis-locked").unwrap();
    assert_eq!(locked.cure, "Call Mr Huber.", "the environment is on top");
    let guide = providers.guide("google").unwrap();
    assert!(guide.needs.starts_with("Ms Meier") && guide.ends_when == "It never ends.");
}

#[test]
fn mistakes_about_rules_and_guides_name_line_table_and_key() {
    refused(
        "[rules.g-535-58]\ncures = \"Call Ms Meier.\"\n",
        "/etc/gatepost/gatepost.toml:3: unknown key \"cures\" in [rules.g-535-58]. Known here: where, provider, elsewhere, phases, \
         pattern, retry, at_least_minutes, who, cause, cure, samples, off. Did you mean \"cure\"?",
    );
    refused(
        "[rules.g-535-58]\n\ncure = \"call Ms Meier\"\n",
        "/etc/gatepost/gatepost.toml:4: rules.g-535-58.cure is \"call Ms Meier\"; expected one or more full sentences of at most 330 \
         characters: a capital letter in front, a full stop at the end, on one line, without ! ; or arrows",
    );
    refused(
        "[rules.g-535-85]\ncure = \"Call Ms Meier.\"\n",
        "/etc/gatepost/gatepost.toml:2: [rules.g-535-85]: no rule has this name, and a new one lacks where, pattern, retry, who, cause, \
         samples. Correct its keys, or remove the section",
    );
    refused(
        "[rules.g-535-58]\nsamples = [\"535 5.7.8 Something else\"]\n",
        "/etc/gatepost/gatepost.toml:2: [rules.g-535-58]: its sample \"535 5.7.8 Something else\" is judged by the rule \
         x-sign-in-refused. Correct its keys, or remove the section",
    );
    refused(
        "[rules]\ng-535-58 = \"off\"\n",
        "/etc/gatepost/gatepost.toml:3: rules.g-535-58 is a text; expected a section: its name in brackets on a line of its own, its \
         keys below",
    );
    refused(
        "[guides.app_passwords.google]\nneed = \"X.\"\n",
        "/etc/gatepost/gatepost.toml:3: unknown key \"need\" in [guides.app_passwords.google]. Known here: name, steps, needs, \
         missing_because, ends_when, shape, shape_words, strip, on_mismatch. Did you mean \"needs\"?",
    );
    refused(
        "[guides.app_password.google]\nneeds = \"X.\"\n",
        "/etc/gatepost/gatepost.toml:2: unknown key \"app_password\" in [guides]. Known here: app_passwords, notes, registrations. Did \
         you mean \"app_passwords\"?",
    );
    let found =
        load("data_dir = \"/d\"", &[("GATEPOST_RULES", "[g-535-58]\ncure = 7")]).err().unwrap().to_string();
    assert!(
        found.starts_with("the environment variable GATEPOST_RULES: rules.g-535-58.cure is 7;"),
        "{found}"
    );
}

#[test]
fn mistakes_about_providers_name_line_key_and_what_was_meant() {
    let known = "name, kind, inherits, domains, mx_suffixes, zones, username, username_imap, username_pop3, smtp, imap, pop3, \
                 sasl_prefer, pop3_auth_two_lines, saves_sent_copy, methods, tenant, app_password, oauth, limits";
    refused(
        "[providers.praxis]\nnmae = \"Praxis\"\n",
        &format!(
            "/etc/gatepost/gatepost.toml:3: unknown key \"nmae\" in [providers.praxis]. Known here: {known}. Did you mean \"name\"?"
        ),
    );
    refused(
        "[providers.praxis]\ninherits = \"custom\"\n\n[providers.praxis.oauth]\ntoken = \"sso.praxis.example\"\n",
        r#"/etc/gatepost/gatepost.toml:6: providers.praxis.oauth.token is "sso.praxis.example"; expected an address such as "https://sso.example.org/token""#,
    );
    refused(
        "[providers.praxis]\noauth = { token = \"http://127.0.0.1:9/t\" }\n",
        r#"/etc/gatepost/gatepost.toml:3: providers.praxis.oauth.token is "http://127.0.0.1:9/t"; expected an address that begins with https://; http:// is only for addresses named in allow_private_addresses"#,
    );
    refused(
        "[providers.praxis]\nimap = [{ host = \"imap.praxis.example\" }]\n",
        r#"/etc/gatepost/gatepost.toml:3: providers.praxis.imap is a list that does not fit; expected a list of servers, such as [{ host = "imap.example.org", port = 993, tls = "implicit" }]; tls is "implicit" or "starttls""#,
    );
    refused(
        "[providers.gmail]\noauth = \"googel\"\n",
        "/etc/gatepost/gatepost.toml:2: [providers.gmail]: gmail: there is no OAuth service \"googel\". Correct its keys, or remove the section",
    );
    refused(
        "[providers]\npraxis = 7\n",
        "/etc/gatepost/gatepost.toml:3: providers.praxis is a number; expected a section: its name in brackets on a line of its own, its keys below",
    );
    let found = load("data_dir = \"/d\"", &[("GATEPOST_PROVIDERS", "[praxis")]).err().unwrap().to_string();
    assert!(
        found.starts_with("the environment variable GATEPOST_PROVIDERS: providers is not TOML;"),
        "{found}"
    );
}

#[test]
fn every_key_has_a_variable_of_its_own() {
    let mut variables: Vec<String> = ALL.iter().map(Key::variable).collect();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), ALL.len());
    assert!(!variables.iter().any(|it| it == MASTER_KEY_VARIABLE));
}

/// A value of each kind that TOML has.
const KINDS: [&str; 7] = ["\"?\"", "-1", "1.5", "true", "1979-05-27", "[1]", "{ a = 1 }"];

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "(\\PC|\n){0,80}") {
        if let Err(error) = load(&text, &[]) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused_at_its_line(key in 0..ALL.len(), kind in 0..KINDS.len()) {
        let key = &ALL[key];
        let section = if key.section.is_empty() { String::new() } else { format!("[{}]\n", key.section) };
        let text = format!("{section}{} = {}\n", key.name, KINDS[kind]);
        // Paths and a few others take any text.
        if let Err(error) = load(&text, &[]) {
            let error = error.to_string();
            prop_assert!(error.contains(key.name) || error.contains("data_dir is not set"), "{}", error);
        } else {
            prop_assert!(KINDS[kind].starts_with('"') && key.name == "data_dir");
        }
    }

    #[test]
    fn a_misspelt_key_is_led_back_to_the_right_one(key in 0..ALL.len(), at in 0usize..40, letter in "[qxz]") {
        let key = &ALL[key];
        let mut name = key.name.to_owned();
        name.insert_str(at.min(name.len()), &letter);
        let section = if key.section.is_empty() { String::new() } else { format!("[{}]\n", key.section) };
        let error = load(&format!("{section}{name} = 1\n"), &[]).err().unwrap().to_string();
        let line = if section.is_empty() { 1 } else { 2 };
        let nearest = format!("Did you mean \"{}\"?", key.name);
        let start = format!("/etc/gatepost/gatepost.toml:{line}: unknown key \"{name}\"");
        prop_assert!(error.starts_with(&start) && error.contains(&nearest), "{}", error);
    }
}
