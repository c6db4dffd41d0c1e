use base64::Engine as _;
use gatepost_store::Value;
use gatepost_testkit::on_both_engines;
use static_assertions::assert_not_impl_any;

use super::*;

// VA-6, checked while compiling: what holds the secret cannot be printed.
assert_not_impl_any!(SendingAccount: std::fmt::Debug, std::fmt::Display, Clone);
assert_not_impl_any!(NewAccount: std::fmt::Debug, std::fmt::Display, Clone);

on_both_engines!(
    ROOMS;
    the_secret_comes_back_for_its_own_server,
    a_secret_cannot_be_re_pointed_in_the_database,
    a_secret_does_not_open_in_another_row_account_or_organisation,
    editing_a_server_forgets_the_secret_and_asks_again,
    pointing_back_does_not_bring_the_secret_back,
    a_replaced_blanked_or_removed_secret_is_gone_from_its_row,
);

async fn the_secret_comes_back_for_its_own_server(it: TestStore) {
    let it = Fixture::new(it).await;
    for accounts in [it.accounts.clone(), it.restarted()] {
        let sending = accounts.sending(it.organisation, it.id).await.unwrap_or_else(|why| panic!("{why}"));
        assert!(sending.secret.as_ref().unwrap().matches(&SecretText::new("correct horse".into())));
        assert_eq!(sending.endpoint, starttls("smtp.example.org").dialled().unwrap());
        assert_eq!((sending.user_name.as_str(), sending.is_trial), ("reception@example.org", false));
        assert_eq!(sending.provider_kind.as_deref(), Some("custom"));
    }
}

/// OC-9, VA-2: whoever can write to the database still cannot have the secret sent to a server of their own.
async fn a_secret_cannot_be_re_pointed_in_the_database(it: TestStore) {
    let it = Fixture::new(it).await;
    let tampering: [(&'static gatepost_store::Statement, Vec<Value<'static>>); 4] = [
        (&tampering::POINT_ELSEWHERE, vec!["smtp.evil.example".into()]),
        (&tampering::POINT_TO_PORT, vec![2_525_i64.into()]),
        (&tampering::POINT_WITHOUT_TLS, vec![]),
        (&tampering::POINT_IMAP, vec!["imap.evil.example".into()]),
    ];
    let (log, _listening) = super::told::Log::listen();
    for (n, (statement, values)) in tampering.into_iter().enumerate() {
        let new = other(it.organisation, &format!("box{n}@example.org"));
        let id = it.accounts.add(new).await.unwrap().id;
        assert!(it.accounts.sending(it.organisation, id).await.is_ok());
        let values: Vec<Value<'static>> = std::iter::once(id.into()).chain(values).collect();
        it.tamper(statement, values).await;
        for purpose in [
            it.accounts.signing_in(it.organisation, id).await,
            it.accounts.sending(it.organisation, id).await,
        ] {
            assert!(matches!(purpose, Err(NotUsable::NoSecret)), "{}", statement.name);
        }
        let status = it.accounts.status(it.organisation, id).await.unwrap();
        assert_eq!(status.status, StatusName::NeedsSignIn);
        assert_eq!(status.sending.diagnosis.unwrap().rule, "password-missing");
        assert!(it.accounts.is_held(id), "its letters wait for the password");
        let warnings = log.lines().iter().filter(|it| it.contains(" WARN ")).count();
        assert_eq!(warnings, 1, "{}: told once", statement.name);
    }
    let entries = journalled(&it.it).await;
    assert_eq!(entries.iter().filter(|(actor, _)| actor == "system").count(), 4, "{entries:?}");
    assert!(it.sending().await.is_ok(), "the account that nobody touched still sends");
}

/// VA-2: with the same servers, so that nothing but the place differs.
async fn a_secret_does_not_open_in_another_row_account_or_organisation(it: TestStore) {
    let it = Fixture::new(it).await;
    let elsewhere = OrganisationId::new(&it.it.world);
    let copy = it.accounts.add(other(it.organisation, "copy@example.org")).await.unwrap().id;
    let given = it.accounts.add(other(it.organisation, "given@example.org")).await.unwrap().id;
    let foreign = it.accounts.add(reception(elsewhere)).await.unwrap().id;
    it.tamper(&tampering::COPY_SECRET, vec![it.id.into(), copy.into()]).await;
    it.tamper(&tampering::COPY_SECRET, vec![it.id.into(), foreign.into()]).await;
    it.tamper(&tampering::DROP_CREDENTIAL, vec![given.into()]).await;
    assert!(it.sending().await.is_ok());
    it.tamper(&tampering::GIVE_CREDENTIAL, vec![it.id.into(), given.into()]).await;
    for (organisation, id) in
        [(it.organisation, copy), (elsewhere, foreign), (it.organisation, given), (it.organisation, it.id)]
    {
        assert!(matches!(it.accounts.sending(organisation, id).await, Err(NotUsable::NoSecret)));
    }
}

/// OC-9, by the door: each of host, port and TLS mode, and a server more.
async fn editing_a_server_forgets_the_secret_and_asks_again(it: TestStore) {
    let it = Fixture::new(it).await;
    let (organisation, id, actor) = (it.organisation, it.id, Actor::Command);
    let same = servers("SMTP.example.org.");
    it.accounts.edit_endpoints(organisation, id, same, actor).await.unwrap();
    assert!(it.sending().await.is_ok(), "the same servers keep the secret");
    let smtp = |host: &str, port, tls| Endpoint { host: host.to_owned(), port, tls };
    for (n, endpoints) in [
        servers("smtp.evil.example"),
        Endpoints { smtp: smtp("smtp.evil.example", 465, TlsMode::StartTls), imap: None, pop3: None },
        Endpoints { smtp: smtp("smtp.evil.example", 465, TlsMode::None), imap: None, pop3: None },
        Endpoints {
            smtp: smtp("smtp.evil.example", 465, TlsMode::None),
            imap: Some(starttls("x.example")),
            pop3: None,
        },
        Endpoints { smtp: smtp("smtp.evil.example", 465, TlsMode::None), imap: None, pop3: None },
    ]
    .into_iter()
    .enumerate()
    {
        it.accounts.edit_endpoints(organisation, id, endpoints.clone(), actor).await.unwrap();
        assert!(matches!(it.sending().await, Err(NotUsable::NoSecret)), "{n}");
        assert!(matches!(it.restarted().signing_in(organisation, id).await, Err(NotUsable::NoSecret)), "{n}");
        assert_eq!(it.status().await.sending.diagnosis.unwrap().rule, "password-missing");
        assert_eq!(
            it.accounts
                .due_probes(it.now() + std::time::Duration::from_hours(1_000), Direction::Sending)
                .await
                .unwrap(),
            []
        );
        let secret = SecretText::new(format!("password {n}"));
        let change = it.accounts.replace_secret(organisation, id, secret, actor).await.unwrap();
        assert_eq!(
            change,
            Change { before: StatusName::NeedsSignIn, after: StatusName::Unchecked, released: true }
        );
        let sending = it.sending().await.unwrap_or_else(|why| panic!("{why}"));
        assert!(sending.secret.as_ref().unwrap().matches(&SecretText::new(format!("password {n}"))));
        assert_eq!(sending.endpoint, endpoints.smtp.dialled().unwrap());
    }
}

/// OC-9: forgotten is forgotten, also for the server it was meant for.
async fn pointing_back_does_not_bring_the_secret_back(it: TestStore) {
    let it = Fixture::new(it).await;
    for host in ["smtp.evil.example", "smtp.example.org"] {
        it.accounts.edit_endpoints(it.organisation, it.id, servers(host), Actor::Command).await.unwrap();
        assert!(matches!(it.accounts.signing_in(it.organisation, it.id).await, Err(NotUsable::NoSecret)));
    }
}

async fn a_replaced_blanked_or_removed_secret_is_gone_from_its_row(it: TestStore) {
    let it = Fixture::new(it).await;
    let id = it.id;
    let sealed = || async {
        let rows = it.it.store.read(move |tx| tx.rows(&tampering::SEALED, &[id.into()])).await.unwrap();
        rows.iter()
            .map(|row| row.get::<Vec<u8>>(0).unwrap())
            .map(|sealed| !sealed.is_empty())
            .collect::<Vec<_>>()
    };
    assert_eq!(sealed().await, [true]);
    let secret = SecretText::new("new".into());
    it.accounts.replace_secret(it.organisation, id, secret, Actor::Command).await.unwrap();
    assert_eq!(sealed().await, [false, true]);
    let elsewhere = servers("smtp.example.net");
    it.accounts.edit_endpoints(it.organisation, id, elsewhere, Actor::Command).await.unwrap();
    assert_eq!(sealed().await, [false, false]);
    let secret = SecretText::new("newer".into());
    it.accounts.replace_secret(it.organisation, id, secret, Actor::Command).await.unwrap();
    assert_eq!(sealed().await, [false, false, true]);
    it.accounts.remove(it.organisation, id, Actor::Command).await.unwrap();
    assert_eq!(sealed().await, [false, false, false]);
}

/// VA-1: what lies on the disk holds no secret, in any spelling that a careless log or row could give it.
#[tokio::test]
async fn no_secret_lies_readable_in_the_database_file() {
    const CANARY: &str = "canary-5f1d-Zq7-horse-battery";
    let it = gatepost_testkit::sqlite(ROOMS).await;
    let accounts = Accounts::new(&it.store, &it.keyring, gatepost_providers::Providers::embedded());
    let secret = || SecretText::new(CANARY.to_owned());
    let new = NewAccount {
        user_name: "visible-user-name".into(),
        secret: secret().into(),
        ..reception(it.organisation)
    };
    let id = accounts.add(new).await.unwrap().id;
    accounts.replace_secret(it.organisation, id, secret(), Actor::Command).await.unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(it.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    assert!(names.iter().any(|name| name.ends_with("-wal")), "the log is looked at too: {names:?}");
    let found = |text: &str| {
        let spellings = spellings(text.as_bytes());
        files.iter().any(|(_, bytes)| {
            spellings.iter().any(|it| bytes.windows(it.len()).any(|window| window == it.as_slice()))
        })
    };
    assert!(found("visible-user-name"), "the search finds what is there");
    assert!(!found(CANARY));
}

/// As it is, in hexadecimal, and in Base64 wherever it may begin within three bytes.
fn spellings(text: &[u8]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> Vec<u8> {
        let digits = text.iter().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") });
        digits.collect::<String>().into_bytes()
    };
    let base64 = (0..3).map(|n_before| {
        let shifted = [&[0; 2][..n_before], text].concat();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(shifted).into_bytes();
        // What depends on the neighbours is left out: two characters at the beginning, two at the end.
        encoded[n_before * 2..encoded.len() - 2].to_vec()
    });
    [text.to_vec(), hex(false), hex(true)].into_iter().chain(base64).collect()
}

#[test]
fn the_spellings_are_found_at_any_offset() {
    for n_before in 0..6 {
        let text = [&b"xxxxxx"[..n_before], b"canary", b"yyyy"].concat();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text).into_bytes();
        let hit = spellings(b"canary")
            .iter()
            .any(|it| encoded.windows(it.len()).any(|window| window == it.as_slice()));
        assert!(hit, "{n_before}");
    }
}
