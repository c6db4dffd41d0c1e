use gatepost_core::TlsMode;
use gatepost_wire::sasl::Mechanism;

use super::*;
use crate::{
    Asked, Client, Copied, Limits, Method, OAuthService, OwnValues, RedirectTo, Server, UserNameRule, Uses,
};

fn preset(word: &str) -> Preset {
    Providers::embedded().find(word).unwrap_or_else(|| panic!("{word}")).clone()
}

#[test]
fn the_embedded_providers_are_whole() {
    let providers = Providers::embedded();
    for word in [
        "gmail",
        "google_workspace",
        "google_workspace_relay",
        "microsoft365",
        "outlook_com",
        "yahoo",
        "aol",
        "icloud",
        "fastmail",
        "zoho",
        "mandrill",
        "sandbox",
        "custom",
    ] {
        let it = preset(word);
        assert!(!it.name.is_empty() && !it.mechanisms.is_empty(), "{word}");
        let is_given_with_the_account = matches!(word, "custom" | "sandbox");
        assert_eq!(it.smtp.is_empty(), is_given_with_the_account, "{word}");
        let reads = !matches!(word, "custom" | "sandbox" | "mandrill" | "google_workspace_relay");
        assert_eq!(it.imap.is_empty(), !reads, "{word}");
    }
    assert_eq!(providers.iter().count(), 13);
    // Every fact is used: no service, guide or note that nothing leads to.
    let of_presets =
        |word: fn(&Preset) -> Option<&String>| providers.iter().filter_map(word).cloned().collect::<Vec<_>>();
    let (services, guides) = (of_presets(|it| it.oauth.as_ref()), of_presets(|it| it.app_password.as_ref()));
    assert!(providers.services().all(|it| services.contains(&it.word)));
    assert!(providers.guides.app_passwords.keys().all(|it| guides.contains(it)));
    let noted: Vec<String> =
        providers.iter().flat_map(|it| it.methods.iter().filter_map(|it| it.note.clone())).collect();
    assert!(providers.guides.notes.keys().all(|it| noted.contains(it)));
    // The sandbox's service is where a sandbox runs, and those of a configuration name none.
    let registered = providers.services().filter_map(|it| it.register.as_deref());
    let registered: Vec<&str> = registered.chain(["sandbox", "other"]).collect();
    assert!(providers.guides.registrations.keys().all(|it| registered.contains(&it.as_str())));
}

#[test]
fn servers_and_figures_are_the_providers_own() {
    let gmail = preset("gmail");
    let server = |host: &str, port, tls| Server { host: host.into(), port, tls };
    assert_eq!(gmail.smtp[0], server("smtp.gmail.com", 465, TlsMode::Implicit));
    assert_eq!(gmail.imap[0], server("imap.gmail.com", 993, TlsMode::Implicit));
    assert_eq!(gmail.pop3[0], server("pop.gmail.com", 995, TlsMode::Implicit));
    assert_eq!((gmail.kind.as_str(), gmail.user_names.smtp), ("google", UserNameRule::Address));
    let microsoft = preset("microsoft365");
    assert_eq!(microsoft.smtp[0].tls, TlsMode::StartTls);
    assert_eq!(microsoft.user_names.imap, UserNameRule::PrincipalName);
    assert!(microsoft.is_pop3_auth_in_two_lines && !gmail.is_pop3_auth_in_two_lines);
    assert_eq!(microsoft.mechanisms, [Mechanism::XOAuth2, Mechanism::Login]);
    let icloud = preset("icloud");
    let address = "ana.lopez@me.com".parse().unwrap();
    assert_eq!(icloud.user_names.smtp.suggestion(&address).as_deref(), Some("ana.lopez@me.com"));
    assert_eq!(icloud.user_names.imap.suggestion(&address).as_deref(), Some("ana.lopez"));
    let limits = Limits {
        n_connections: 2,
        n_messages_per_minute: Some(25),
        n_recipients_per_transaction: 90,
        max_message_bytes: Some(157_286_400),
        n_imap_connections: 10,
        n_pop3_connections: 1,
    };
    assert_eq!(microsoft.limits, limits);
    assert_eq!(icloud.limits.max_message_bytes, Some(20_000_000));
    for word in ["custom", "sandbox"] {
        assert_eq!(preset(word).limits, Limits::UNKNOWN_HOST);
    }
}

#[test]
fn what_is_inherited_stays_unless_it_is_said_anew() {
    let (gmail, workspace) = (preset("gmail"), preset("google_workspace"));
    assert_eq!((workspace.smtp, workspace.kind), (gmail.smtp, gmail.kind));
    assert_eq!(workspace.name, "Google Workspace");
    assert!(workspace.domains.is_empty());
}

#[test]
fn services_are_at_their_own_addresses() {
    let providers = Providers::embedded();
    let service = |word| providers.service(word).unwrap();
    let shown = |url: Option<url::Url>| url.map(String::from).unwrap_or_default();
    assert_eq!(shown(service("google").token_url(None)), "https://oauth2.googleapis.com/token");
    let microsoft = service("microsoft");
    assert_eq!(
        shown(microsoft.authorize_url(Some("organizations"))),
        "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize"
    );
    for bad in [None, Some(""), Some(".."), Some("a/../../x"), Some("a?b"), Some("a%2fb")] {
        assert_eq!(microsoft.token_url(bad), None, "{bad:?}");
    }
    for it in providers.services() {
        let tenant = it.has_tenants.then_some("common");
        for url in [it.authorize_url(tenant), it.token_url(tenant)] {
            assert_eq!(url.unwrap().scheme(), "https", "{}", it.word);
        }
    }
    assert_eq!(microsoft.error_help(50_076).unwrap(), "https://login.microsoftonline.com/error?code=50076");
}

#[test]
fn needed_scopes_are_compared_and_others_are_not() {
    let providers = Providers::embedded();
    let microsoft = providers.service("microsoft").unwrap();
    let uses = Uses { smtp: true, imap: true, pop3: false };
    let needed = microsoft.needed_scopes(uses);
    assert_eq!(
        needed,
        ["https://outlook.office.com/SMTP.Send", "https://outlook.office.com/IMAP.AccessAsUser.All"]
    );
    assert!(microsoft.asked_scopes(uses).contains(&"offline_access"));
    let missing = |granted: &str| {
        let granted: Vec<String> = granted.split(' ').map(str::to_owned).collect();
        microsoft.missing_scopes(&needed, &granted).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // As Microsoft answers: without openid and offline_access, and under the other name of the same resource.
    assert!(
        missing("https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send")
            .is_empty()
    );
    assert!(
        missing("https://outlook.office365.com/IMAP.AccessAsUser.All https://outlook.office.com/smtp.send")
            .is_empty()
    );
    let lacking = missing("openid email https://outlook.office.com/IMAP.AccessAsUser.All");
    assert_eq!(lacking, ["https://outlook.office.com/SMTP.Send"]);
    assert_eq!(microsoft.scope_in_words(&lacking[0]), "Send emails from your mailbox");
    let google = providers.service("google").unwrap();
    let all = Uses { smtp: true, imap: true, pop3: true };
    assert_eq!(google.needed_scopes(all), ["https://mail.google.com/"]);
    // Every scope of mail has words.
    let pop3 = Uses { smtp: false, imap: false, pop3: true };
    let words = |it: &OAuthService| {
        [all, pop3]
            .iter()
            .flat_map(|uses| it.needed_scopes(*uses))
            .all(|scope| it.scope_in_words(scope) != scope)
    };
    assert!(providers.services().all(words));
}

#[test]
fn pop3_beside_imap_is_asked_for_and_not_needed() {
    let providers = Providers::embedded();
    let microsoft = providers.service("microsoft").unwrap();
    let pop3 = "https://outlook.office.com/POP.AccessAsUser.All";
    let uses = |imap, pop3| Uses { smtp: true, imap, pop3 };
    assert!(microsoft.asked_scopes(uses(true, true)).contains(&pop3));
    assert_eq!(microsoft.needed_scopes(uses(true, true)), microsoft.needed_scopes(uses(true, false)));
    assert!(microsoft.needed_scopes(uses(false, true)).contains(&pop3));
    assert!(!microsoft.asked_scopes(uses(true, false)).contains(&pop3));
}

#[test]
fn the_recommended_method_follows_provider_and_application() {
    use Client::{None as Nothing, Registered, Verified};
    use Method::{AppPassword, Password, SignIn};
    type Row = (&'static str, Client, Method, &'static [Method], &'static [Method]);
    let rows: &[Row] = &[
        ("gmail", Nothing, AppPassword, &[SignIn], &[Password]),
        ("gmail", Registered, AppPassword, &[SignIn], &[Password]),
        ("gmail", Verified, SignIn, &[AppPassword], &[Password]),
        ("google_workspace", Nothing, AppPassword, &[SignIn], &[Password]),
        ("google_workspace", Registered, SignIn, &[AppPassword], &[Password]),
        ("google_workspace", Verified, SignIn, &[AppPassword], &[Password]),
        ("google_workspace_relay", Nothing, AppPassword, &[SignIn], &[]),
        ("google_workspace_relay", Registered, SignIn, &[AppPassword], &[]),
        ("microsoft365", Nothing, SignIn, &[Password, AppPassword], &[]),
        ("microsoft365", Registered, SignIn, &[Password, AppPassword], &[]),
        ("microsoft365", Verified, SignIn, &[Password, AppPassword], &[]),
        ("outlook_com", Nothing, SignIn, &[], &[Password, AppPassword]),
        ("outlook_com", Registered, SignIn, &[], &[Password, AppPassword]),
        ("yahoo", Nothing, AppPassword, &[], &[SignIn, Password]),
        ("yahoo", Registered, SignIn, &[AppPassword], &[Password]),
        ("aol", Nothing, AppPassword, &[], &[SignIn, Password]),
        ("aol", Registered, SignIn, &[AppPassword], &[Password]),
        ("icloud", Nothing, AppPassword, &[], &[SignIn, Password]),
        ("icloud", Verified, AppPassword, &[], &[SignIn, Password]),
        ("fastmail", Nothing, AppPassword, &[], &[Password]),
        ("fastmail", Registered, AppPassword, &[SignIn], &[Password]),
        ("zoho", Nothing, AppPassword, &[Password], &[]),
        ("custom", Nothing, Password, &[], &[]),
        ("custom", Verified, Password, &[], &[]),
        ("sandbox", Nothing, AppPassword, &[Password], &[]),
        ("sandbox", Registered, SignIn, &[AppPassword, Password], &[]),
        ("mandrill", Nothing, Password, &[], &[]),
    ];
    let providers = Providers::embedded();
    for (word, client, first, also, explained) in rows {
        let it = providers.methods(providers.find(word).unwrap(), *client);
        let got_also: Vec<Method> = it.also.iter().map(|it| it.method).collect();
        let got_explained: Vec<Method> = it.explained.iter().map(|it| it.method).collect();
        assert_eq!(
            (it.first.method, &got_also[..], &got_explained[..]),
            (*first, *also, *explained),
            "{word} {client:?}"
        );
        for offer in it.also.iter().chain([&it.first]) {
            assert_eq!(offer.needs_client, offer.method == SignIn && *client == Nothing, "{word}");
            assert_eq!(offer.guide.is_some(), offer.method == AppPassword, "{word}");
        }
        assert!(it.explained.iter().all(|it| it.note.is_some()), "{word}: what is not offered is explained");
    }
}

#[test]
fn withdrawn_methods_say_since_when_and_what_to_do_instead() {
    let providers = Providers::embedded();
    let methods = providers.methods(providers.find("outlook_com").unwrap(), Client::None);
    for it in &methods.explained {
        let note = it.note.unwrap();
        assert_eq!(note.since.as_deref(), Some("2024-09-16"));
        assert!(note.instead.as_deref().unwrap().contains("Microsoft sign-in"));
    }
    let methods = providers.methods(providers.find("microsoft365").unwrap(), Client::Registered);
    for it in &methods.also {
        let note = it.note.unwrap();
        assert!(note.is_for_sending_only && note.since.is_some(), "{}", note.word);
    }
}

#[test]
fn guides_are_in_plain_sentences_with_whole_links() {
    let guides = &Providers::embedded().guides;
    let steps = guides.app_passwords.values().flat_map(|it| &it.steps);
    let of_registrations = guides.registrations.values().flat_map(|it| &it.steps).map(|it| &it.step);
    let steps: Vec<_> = steps.chain(of_registrations).collect();
    let texts = steps.iter().map(|it| &it.text);
    let texts = texts.chain(guides.registrations.values().flat_map(|it| &it.know));
    let texts = texts.chain(
        guides
            .app_passwords
            .values()
            .flat_map(|it| it.missing_because.iter().chain([&it.needs, &it.ends_when])),
    );
    let texts =
        texts.chain(guides.notes.values().flat_map(|it| [&it.text].into_iter().chain(it.instead.as_ref())));
    for text in texts {
        assert!(text.ends_with('.') && text.starts_with(|it: char| it.is_uppercase() || it == '2'), "{text}");
        assert!(!text.contains(['›', '→', '!', '\n', ';', '&']) && text.len() <= 400, "{text}");
    }
    for link in steps.iter().filter_map(|it| it.link.as_deref()) {
        assert!(link.parse::<url::Url>().is_ok_and(|it| it.scheme() == "https"), "{link}");
    }
}

#[test]
fn a_registration_shows_this_installations_own_values() {
    let providers = Providers::embedded();
    for service in providers.services() {
        let scopes = service.asked_scopes(Uses { smtp: true, imap: true, pop3: true });
        let portal = service.redirect_to_portal("https://gatepost.example.org").unwrap();
        let registration = providers.registration_at(service);
        let copied = |redirect: &RedirectTo| -> Vec<Copied> {
            let steps = registration.steps_with(OwnValues { redirect, scopes: &scopes });
            steps.into_iter().flat_map(|it| it.copy).collect()
        };
        for (label, value) in copied(&portal).iter().map(|it| (&it.label, &it.value)) {
            assert!(!value.contains(['{', '}']) && !value.is_empty(), "{} {label}: {value}", service.word);
        }
        let is_there = |all: &[Copied], value: &str| all.iter().any(|it| it.value == value);
        assert!(is_there(&copied(&portal), &portal.uri), "{}", service.word);
        let pasted = service.redirect_to_paste();
        assert!(!is_there(&copied(&pasted), &portal.uri), "{}", service.word);
        // Google's desktop applications need no redirect address.
        assert_eq!(is_there(&copied(&pasted), &pasted.uri), service.word != "google", "{}", service.word);
        assert!(registration.asks.contains(&Asked::ClientId));
        assert!(!service.has_tenants || registration.asks.contains(&Asked::Tenant), "{}", service.word);
        assert_eq!(service.has_tenants, providers.usual_tenant(service).is_some(), "{}", service.word);
        if service.word == "google" {
            assert!(is_there(&copied(&portal), "https://mail.google.com/\nopenid\nemail"));
        }
    }
}

#[test]
fn data_that_contradicts_itself_is_refused() {
    let fails = |files: Files<'_>| {
        let Err(error) = Providers::read(files) else { return "it is taken".to_owned() };
        std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
    };
    let presets = |from: &str, to: &str| {
        assert!(Files::EMBEDDED.presets.contains(from), "{from}");
        fails(Files { presets: &Files::EMBEDDED.presets.replacen(from, to, 1), ..Files::EMBEDDED })
    };
    assert!(presets("saves_sent_copy", "saves_send_copy").contains("saves_send_copy"));
    assert!(presets("\n[defaults]", "\n[default]").contains("default"));
    assert!(presets("tls = \"implicit\"", "tls = \"maybe\"").contains("smtp"));
    assert!(presets("username = \"upn\"", "username = \"uppn\"").contains("username"));
    assert!(presets("limits = \"icloud\"", "limits = \"iclod\"").contains("iclod"));
    assert!(presets("inherits = \"gmail\"", "inherits = \"gmial\"").contains("gmial"));
    assert!(presets("oauth = \"google\"", "oauth = \"googel\"").contains("googel"));
    assert!(presets("app_password = \"apple\"", "app_password = \"aple\"").contains("aple"));
    assert!(presets("note = \"outlook-password\"", "note = \"outlok\"").contains("outlok"));
    assert!(presets("tenant = \"consumers\"", "").contains("needs a tenant"));
    assert!(presets("zones = [", "mx_suffixes_ = [").contains("mx_suffixes_"));
    assert!(
        presets("smtp_messages_per_minute = 30", "smtp_messages_a_minute = 30")
            .contains("smtp_messages_a_minute")
    );
    let first = "methods = [ { method = \"password\", place = \"first\" } ]";
    assert!(presets(first, &first.replace("first", "also")).contains("must be the first"));
    let services = |from: &str, to: &str| {
        assert!(Files::EMBEDDED.services.contains(from), "{from}");
        fails(Files { services: &Files::EMBEDDED.services.replacen(from, to, 1), ..Files::EMBEDDED })
    };
    assert!(services("issuers = [", "isuers = [").contains("isuers"));
    assert!(services("register = \"google\"", "register = \"gogle\"").contains("gogle"));
    assert!(services("tenants = true", "tenants = false").contains("holds a tenant"));
    assert!(services("https://oauth2.googleapis.com/token", "oauth2.googleapis.com/token").contains("token"));
    let guides = |from: &str, to: &str| {
        assert!(Files::EMBEDDED.guides.contains(from), "{from}");
        fails(Files { guides: &Files::EMBEDDED.guides.replacen(from, to, 1), ..Files::EMBEDDED })
    };
    assert!(guides("ends_when = ", "end_when = ").contains("end_when"));
    assert!(guides("'^[a-z]{16}$'", "'['").contains("regex"));
}

mod over {
    use super::*;

    fn over(text: &str) -> Result<Arc<Providers>, Vec<Mistake>> {
        let providers = text.parse::<toml::Table>().unwrap();
        let providers =
            providers.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
        Providers::with(&Overrule { providers, ..Overrule::default() })
    }

    /// docs/connecting.md: its permission is asked for where there is a server alone.
    #[test]
    fn pop3_is_taken_away_by_an_empty_list() {
        let providers = over("[microsoft365]\npop3 = []").unwrap();
        let microsoft = providers.find("microsoft365").unwrap();
        assert!(microsoft.pop3.is_empty() && !microsoft.imap.is_empty());
    }

    #[test]
    fn a_provider_is_added_with_an_oauth_service_of_its_own() {
        let providers = over(
            r#"
            [praxis]
            name = "Praxis mail"
            domains = ["praxis.example"]
            smtp = [{ host = "smtp.praxis.example", port = 465, tls = "implicit" }]
            imap = [{ host = "imap.praxis.example", port = 993, tls = "implicit" }]
            [praxis.oauth]
            authorize = "https://sso.praxis.example/authorize"
            token = "https://sso.praxis.example/token"
            scopes = { smtp = ["send"], imap = ["read"], lasting = ["offline_access"], identity = ["openid", "email"] }
            issuers = ["https://sso.praxis.example"]
            sends_issuer = true
            [praxis.limits]
            smtp_messages_per_minute = 10
            "#,
        );
        let providers = providers.unwrap();
        let it = providers.find_by_domain("praxis.example").unwrap();
        assert_eq!(
            (it.word.as_str(), it.name.as_str(), it.kind.as_str()),
            ("praxis", "Praxis mail", "custom")
        );
        assert_eq!(it.limits, Limits { n_messages_per_minute: Some(10), ..Limits::UNKNOWN_HOST });
        let service = providers.service_of(it).unwrap();
        assert_eq!((service.word.as_str(), service.name.as_str()), ("praxis", "Praxis mail"));
        assert!(service.sends_issuer);
        let methods = providers.methods(it, Client::Registered);
        assert_eq!(methods.first.method, Method::SignIn);
        assert_eq!(providers.methods(it, Client::None).first.method, Method::Password);
        assert_eq!(providers.iter().count(), 14);
    }

    #[test]
    fn keys_of_a_known_provider_are_overruled_and_the_others_stay() {
        let providers = over(
            r#"
            [microsoft365]
            tenant = "praxis.onmicrosoft.com"
            imap = [{ host = "outlook.office365.us", port = 993, tls = "implicit" }]
            [microsoft365.oauth]
            authorize = "https://login.microsoftonline.us/{tenant}/oauth2/v2.0/authorize"
            token = "https://login.microsoftonline.us/{tenant}/oauth2/v2.0/token"
            [microsoft365.limits]
            recipients_per_message = 20
            "#,
        );
        let providers = providers.unwrap();
        let it = providers.find("microsoft365").unwrap();
        assert_eq!(it.imap[0].host, "outlook.office365.us");
        assert_eq!(it.smtp[0].host, "smtp.office365.com");
        assert_eq!((it.limits.n_recipients_per_transaction, it.limits.n_messages_per_minute), (20, Some(25)));
        let own = providers.service_of(it).unwrap();
        assert_eq!(own.word, "microsoft365");
        assert_eq!(
            own.token_url(it.tenant.as_deref()).unwrap().as_str(),
            "https://login.microsoftonline.us/praxis.onmicrosoft.com/oauth2/v2.0/token"
        );
        assert_eq!(own.kind, "microsoft");
        // Who shares the service is not touched.
        let outlook = providers.service_of(providers.find("outlook_com").unwrap()).unwrap();
        assert_eq!(
            (outlook.word.as_str(), outlook),
            ("microsoft", Providers::embedded().service("microsoft").unwrap())
        );
    }

    #[test]
    fn a_provider_that_inherits_gets_its_own_copy_of_the_service() {
        let providers = over(
            "[google_workspace.oauth]\ntoken = \"https://token.praxis.example/\"\n[eu]\ninherits = \"gmail\"\nname = \"EU\"",
        );
        let providers = providers.unwrap();
        let workspace = providers.service_of(providers.find("google_workspace").unwrap()).unwrap();
        assert_eq!(workspace.token_url(None).unwrap().as_str(), "https://token.praxis.example/");
        assert_eq!(
            workspace.authorize_url(None),
            Providers::embedded().service("google").unwrap().authorize_url(None)
        );
        let eu = providers.find("eu").unwrap();
        assert_eq!((eu.smtp[0].host.as_str(), eu.kind.as_str()), ("smtp.gmail.com", "google"));
    }

    #[test]
    fn all_mistakes_are_named_with_their_place() {
        let mistakes = over(
            r#"
            [praxis]
            nmae = "Praxis"
            smtp = [{ host = "smtp.praxis.example", port = 465, tls = "none" }]
            [praxis.oauth]
            token = "http://sso.praxis.example/token"
            tokn = 1
            parameters = { state = "x" }
            [praxis.limits]
            message_mb = "many"
            [Praxis]
            "#,
        );
        let mistakes = mistakes.unwrap_err();
        let paths: Vec<String> = mistakes.iter().map(|it| it.path[1..].join(".")).collect();
        assert!(mistakes.iter().all(|it| it.path[0] == "providers"));
        assert_eq!(
            paths,
            [
                "Praxis",
                "praxis.oauth.parameters",
                "praxis.oauth.tokn",
                "praxis.limits.message_mb",
                "praxis.nmae",
                "praxis.smtp",
                "praxis.oauth.token"
            ]
        );
        assert!(
            matches!(&mistakes[4].wrong, Wrong::Unknown { known } if known.contains(&"name") && known.contains(&"oauth"))
        );
    }

    #[test]
    fn what_does_not_fit_together_is_said_in_words() {
        for (text, path, want) in [
            ("[praxis]\noauth = \"sso\"", "praxis", "there is no OAuth service \"sso\""),
            ("[praxis]\napp_password = \"apples\"", "praxis", "there is no guide \"apples\""),
            ("[praxis]\ninherits = \"gmial\"", "praxis", "gmial"),
            ("[praxis]\ndomains = [\"no domain\"]", "praxis", "a domain of praxis"),
            ("[praxis.oauth]\ntoken = \"https://sso.example/token\"", "praxis.oauth", "missing field"),
            (
                "[outlook_com]\nmethods = [{ method = \"password\", place = \"also\" }]",
                "outlook_com",
                "must be the first",
            ),
        ] {
            let mistakes = over(text).unwrap_err();
            let found = mistakes.iter().any(|it| {
                it.path[1..].join(".") == path
                    && matches!(&it.wrong, Wrong::Together(text) if text.contains(want))
            });
            assert!(found, "{text}: {mistakes:?}");
        }
    }

    #[test]
    fn addresses_without_encryption_need_a_listed_network() {
        let text = "[praxis.oauth]\nauthorize = \"http://127.0.0.1:9000/a\"\ntoken = \"http://127.0.0.1:9000/t\"\nscopes = { smtp = [\"s\"] }";
        assert_eq!(over(text).unwrap_err().len(), 2);
        let table = text.parse::<toml::Table>().unwrap();
        let providers = table.into_iter().map(|(name, it)| (name, it.as_table().unwrap().clone())).collect();
        assert!(
            Providers::with(&Overrule { providers, allows_private_addresses: true, ..Overrule::default() })
                .is_ok()
        );
    }

    fn guides(text: &str) -> Result<Arc<Providers>, Vec<Mistake>> {
        let table = text.parse::<toml::Table>().unwrap();
        let section = |name: &str| match table.get(name) {
            Some(it) => it
                .as_table()
                .unwrap()
                .iter()
                .map(|(k, v)| (k.clone(), v.as_table().unwrap().clone()))
                .collect(),
            None => std::collections::BTreeMap::new(),
        };
        let (providers, guides) = (section("providers"), section("guides"));
        Providers::with(&Overrule { providers, guides, ..Overrule::default() })
    }

    #[test]
    fn a_guide_is_added_and_a_known_one_overruled() {
        let providers = guides(
            r#"
            [providers.praxis]
            app_password = "praxis"
            [guides.app_passwords.praxis]
            name = "device password"
            steps = [{ text = "Call Ms Meier at extension 12." }, { text = "Paste it here.", link = "https://praxis.example/" }]
            needs = "Nothing is needed first."
            missing_because = []
            ends_when = "It ends after a year."
            strip = "spaces"
            on_mismatch = "ignore"
            [guides.app_passwords.google]
            needs = "Ms Meier turns 2-Step Verification on at extension 12."
            [guides.notes.yahoo-sign-in]
            instead = "Ask Ms Meier."
            "#,
        );
        let providers = providers.unwrap();
        let praxis = providers.find("praxis").unwrap();
        let guide = providers.methods(praxis, Client::None).first.guide.unwrap();
        assert_eq!((guide.name.as_str(), guide.steps.len()), ("device password", 2));
        let (own, ours) =
            (providers.guide("google").unwrap(), Providers::embedded().guide("google").unwrap().clone());
        assert!(own.needs.starts_with("Ms Meier"));
        assert_eq!((&own.steps, &own.ends_when), (&ours.steps, &ours.ends_when), "what is not said stays");
    }

    #[test]
    fn mistakes_in_guides_are_named_with_their_place() {
        for (text, path, want) in [
            ("[guides.app_password.google]\nneeds = \"X.\"", "guides.app_password", "Unknown"),
            ("[guides.app_passwords.google]\nned = \"X.\"", "guides.app_passwords.google.ned", "Unknown"),
            ("[guides.app_passwords]\ngoogle = 7", "guides.app_passwords.google", "Value"),
            (
                "[guides.app_passwords.google]\nneeds = \"no sentence\"",
                "guides.app_passwords.google.needs",
                "full sentences",
            ),
            (
                "[guides.app_passwords.google]\nsteps = [{ text = \"Go there.\", link = \"http://x.example\" }]",
                "guides.app_passwords.google.steps",
                "https://",
            ),
            ("[guides.app_passwords.google]\nshape = \"(\"", "guides.app_passwords.google", "regex"),
            ("[guides.app_passwords.praxis]\nname = \"x\"", "guides.app_passwords.praxis", "missing field"),
            ("[guides.notes.Praxis]\ntext = \"X.\"", "guides.notes.Praxis", "small letters"),
        ] {
            let mistakes = guides(text).unwrap_err();
            assert_eq!(mistakes.len(), 1, "{mistakes:?}");
            assert_eq!(mistakes[0].path.join("."), path);
            assert!(format!("{:?}", mistakes[0].wrong).contains(want), "{text}: {:?}", mistakes[0].wrong);
        }
        // A provider that names a guide with a mistake is not said to be wrong as well.
        let both = "[providers.praxis]\napp_password = \"praxis\"\n[guides.app_passwords.praxis]\nname = 7";
        let mistakes = guides(both).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    }
}
