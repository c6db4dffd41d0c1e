use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Name servers that say this of every domain.
struct Names {
    says: Says,
    n_asked: AtomicUsize,
}

enum Says {
    Exchangers(&'static [(u16, &'static str)]),
    NotFound,
    Nothing,
    Failure,
}

impl Names {
    fn that_say(says: Says) -> Self {
        Self { says, n_asked: AtomicUsize::new(0) }
    }
}

impl MailExchangers for Names {
    fn mail_exchangers<'a>(
        &'a self,
        domain: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<MailExchanger>, DialError>> + Send + 'a>> {
        self.n_asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match self.says {
                Says::Exchangers(found) => {
                    let found = found.iter();
                    Ok(found
                        .map(|(preference, host)| MailExchanger {
                            preference: *preference,
                            host: (*host).into(),
                        })
                        .collect())
                }
                Says::NotFound => Err(DialError::NotFound { host: domain.to_owned() }),
                Says::Failure => {
                    Err(DialError::Lookup { host: domain.to_owned(), reason: "no network".into() })
                }
                Says::Nothing => std::future::pending().await,
            }
        })
    }
}

async fn recognised(address: &str, says: Says) -> (String, How, SuggestedServers) {
    let providers = Providers::embedded();
    let it = providers.recognise(&address.parse().unwrap(), &Names::that_say(says)).await;
    (it.preset.word.clone(), it.how, it.servers)
}

#[tokio::test]
async fn a_known_domain_is_recognised_without_asking_anybody() {
    let providers = Providers::embedded();
    let names = Names::that_say(Says::Nothing);
    for (address, word) in [
        ("ana@gmail.com", "gmail"),
        ("ana@GoogleMail.com", "gmail"),
        ("ana@hotmail.co.uk", "outlook_com"),
        ("ana@yahoo.de", "yahoo"),
        ("ana@aol.com", "aol"),
        ("ana@me.com", "icloud"),
        ("ana@fastmail.fm", "fastmail"),
        ("ana@zohomail.com", "zoho"),
        ("ana@sandbox.test", "sandbox"),
    ] {
        let it = providers.recognise(&address.parse().unwrap(), &names).await;
        assert_eq!((it.preset.word.as_str(), &it.how), (word, &How::Domain), "{address}");
    }
    assert_eq!(names.n_asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn other_domains_are_recognised_by_their_mail_exchanger() {
    for (found, word, host) in [
        (
            &[(1, "aspmx.l.google.com"), (5, "alt1.aspmx.l.google.com")][..],
            "google_workspace",
            "aspmx.l.google.com",
        ),
        (
            &[(0, "praxis-example.mail.protection.outlook.com.")],
            "microsoft365",
            "praxis-example.mail.protection.outlook.com",
        ),
        (&[(2, "EU.olc.protection.Outlook.com")], "outlook_com", "eu.olc.protection.outlook.com"),
        (&[(1, "mta5.am0.yahoodns.net")], "yahoo", "mta5.am0.yahoodns.net"),
        (&[(10, "mx01.mail.icloud.com")], "icloud", "mx01.mail.icloud.com"),
        (&[(10, "in1-smtp.messagingengine.com")], "fastmail", "in1-smtp.messagingengine.com"),
        // The best preference decides, whatever the order of the answer.
        (&[(20, "aspmx.l.google.com"), (10, "mx01.mail.icloud.com")], "icloud", "mx01.mail.icloud.com"),
        // A filter in front of the mailbox is nobody's; what stands behind it tells.
        (
            &[(10, "mx.filter.example.net"), (20, "x.mail.protection.outlook.com")],
            "microsoft365",
            "x.mail.protection.outlook.com",
        ),
    ] {
        let (got, how, _) = recognised("info@praxis.example", Says::Exchangers(found)).await;
        assert_eq!((got.as_str(), how), (word, How::MailExchanger(host.into())));
    }
    // An ending begins at a dot.
    let (got, how, _) = recognised("info@praxis.example", Says::Exchangers(&[(1, "mx.notgoogle.com")])).await;
    assert_eq!((got.as_str(), how), ("custom", How::NotKnown));
}

#[tokio::test]
async fn of_two_providers_the_longer_ending_is_the_more_particular_one() {
    for (outer, inner) in [("a", "b"), ("b", "a")] {
        let table = |suffix: &str| format!("mx_suffixes = [\"{suffix}\"]").parse::<toml::Table>().unwrap();
        let providers =
            [(outer.to_owned(), table("host.example")), (inner.to_owned(), table("eu.host.example"))];
        let overrule = crate::Overrule { providers: providers.into(), ..crate::Overrule::default() };
        let providers = Providers::with(&overrule).unwrap();
        for (host, want) in
            [("mx.host.example", outer), ("mx.eu.host.example", inner), ("eu.host.example", inner)]
        {
            let says = Says::Exchangers(Box::leak(Box::new([(1, host)])));
            let address = "info@praxis.example".parse().unwrap();
            let names = Names::that_say(says);
            assert_eq!(providers.recognise(&address, &names).await.preset.word, want, "{host}");
        }
    }
}

#[tokio::test]
async fn the_region_of_a_mail_exchanger_decides_about_the_servers() {
    let (word, _, servers) =
        recognised("info@praxis.example", Says::Exchangers(&[(10, "mx2.zoho.eu")])).await;
    assert_eq!(word, "zoho");
    assert_eq!(servers.smtp.unwrap().host, "smtp.zoho.eu");
    assert_eq!(servers.imap.unwrap().host, "imap.zoho.eu");
    let (_, _, servers) = recognised("ana@zoho.com", Says::Nothing).await;
    assert_eq!(servers.smtp.unwrap().host, "smtp.zoho.com");
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_servers_are_guessed_within_three_seconds() {
    for (says, want) in [
        (Says::NotFound, How::NotKnown),
        (Says::Exchangers(&[]), How::NotKnown),
        (Says::Failure, How::NoAnswer),
        (Says::Nothing, How::NoAnswer),
    ] {
        let began = tokio::time::Instant::now();
        let (word, how, servers) = recognised("info@Praxis.example", says).await;
        assert_eq!((word.as_str(), how), ("custom", want));
        assert!(began.elapsed() <= LOOK_UP_WITHIN + Duration::from_millis(10));
        let smtp = servers.smtp.unwrap();
        assert_eq!(
            (smtp.host.as_str(), smtp.port, smtp.tls),
            ("mail.praxis.example", 465, TlsMode::Implicit)
        );
        assert_eq!(servers.imap.unwrap().port, 993);
    }
}

#[test]
fn a_provider_that_is_named_is_known_with_its_servers_and_one_without_is_not() {
    let providers = Providers::embedded();
    for (word, smtp) in [
        ("microsoft365", Some("smtp.office365.com")),
        ("google_workspace", Some("smtp.gmail.com")),
        ("zoho", Some("smtp.zoho.com")),
        ("custom", None),
        ("nobody", None),
    ] {
        let it = providers.named(word);
        assert_eq!(it.as_ref().and_then(|it| it.servers.smtp.as_ref()).map(|it| it.host.as_str()), smtp);
        assert!(it.is_none_or(|it| it.preset.word == word && it.how == How::Named));
    }
}

#[test]
fn a_server_shows_the_provider_it_belongs_to() {
    let providers = Providers::embedded();
    for (host, word, smtp, imap) in [
        ("smtp.office365.com", "microsoft365", "smtp.office365.com:587", "outlook.office365.com:993"),
        ("SMTP.Office365.com.", "microsoft365", "smtp.office365.com:587", "outlook.office365.com:993"),
        // Reading servers are often typed where letters are sent.
        ("outlook.office365.com", "microsoft365", "smtp.office365.com:587", "outlook.office365.com:993"),
        ("smtp-mail.outlook.com", "outlook_com", "smtp-mail.outlook.com:587", "outlook.office365.com:993"),
        ("smtp.gmail.com", "google_workspace", "smtp.gmail.com:465", "imap.gmail.com:993"),
        ("smtp.mail.yahoo.com", "yahoo", "smtp.mail.yahoo.com:465", "imap.mail.yahoo.com:993"),
        ("smtp.aol.com", "aol", "smtp.aol.com:465", "imap.aol.com:993"),
        ("smtppro.zoho.eu", "zoho", "smtppro.zoho.eu:465", "imap.zoho.eu:993"),
    ] {
        let it = providers.named_by_server(host).unwrap_or_else(|| panic!("{host}"));
        let shown = |it: &Option<Server>| it.as_ref().map(|it| format!("{}:{}", it.host, it.port)).unwrap();
        assert_eq!(it.preset.word, word, "{host}");
        assert_eq!((shown(&it.servers.smtp).as_str(), shown(&it.servers.imap).as_str()), (smtp, imap));
        assert!(it.preset.has_server(host));
    }
    for host in ["", "mail.praxis.example", "office365.com", "{zone}", "smtp.{zone}", "127.0.0.1"] {
        assert_eq!(providers.named_by_server(host), None, "{host}");
    }
}
