use std::time::Duration;

use gatepost_core::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SanType, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::authority::Authority;
use crate::connection::{LineEnd, StartTlsError};
use crate::host::Host;
use crate::testing::{NOON, half_pair, host, pair, soon, tls_pair, trusting, world_at};

/// SS-2: what is offered, now and after an update of the library.
#[test]
fn only_forward_secret_aead_suites_are_offered() {
    for suite in &provider().cipher_suites {
        let name = format!("{:?}", suite.suite());
        let is_aead = name.contains("_GCM_") || name.contains("CHACHA20_POLY1305");
        let is_forward_secret = name.starts_with("TLS13_") || name.starts_with("TLS_ECDHE_");
        assert!(is_aead && is_forward_secret, "{name}");
    }
}

/// A ClientHello of TLS 1.1 gets the alert protocol_version (70).
#[tokio::test]
async fn older_versions_are_refused() {
    let body = [
        // TLS 1.1, random, no session, ECDHE-ECDSA-AES128-SHA, no compression.
        &[3, 2][..],
        &[7; 32],
        &[0, 0, 2, 0xc0, 0x09, 1, 0],
        // Extensions: ecdsa_secp256r1_sha256, secp256r1.
        &[0, 16, 0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23],
    ]
    .concat();
    let length = u8::try_from(body.len()).unwrap();
    let hello = [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat();
    let (server_tls, _) = trusting("mail.example.org");
    let (mut server, mut client) = half_pair().await;
    client.write_all(&hello).await.unwrap();
    let begun = server.start_tls_server(&server_tls, &[], soon()).await;
    assert!(matches!(begun, Err(StartTlsError::Handshake(HandshakeError::NothingInCommon))), "{begun:?}");
    drop(server);
    let mut alert = Vec::new();
    client.read_to_end(&mut alert).await.unwrap();
    assert_eq!(alert.last_chunk::<2>(), Some(&[2, 70]), "{alert:?}");
}

/// SS-12, alpaca_http_on_mail: a browser that was led here is turned away before it can say anything.
#[tokio::test]
async fn an_offer_of_only_web_protocols_is_refused() {
    let (server_tls, client_tls) = trusting("mail.example.org");
    for (offered, is_welcome) in
        [(&["h2", "http/1.1"][..], false), (&["http/1.1", "smtp"], true), (&["smtp"], true), (&[], true)]
    {
        let (mut server, client) = half_pair().await;
        let mut config = (*client_tls.config).clone();
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let name = ClientTls::server_name(&host("mail.example.org")).unwrap();
        let (ours, theirs) = tokio::join!(
            server.start_tls_server(&server_tls, &["smtp"], soon()),
            connector.connect(name, client),
        );
        assert_eq!((ours.is_ok(), theirs.is_ok()), (is_welcome, is_welcome), "{offered:?}");
    }
}

struct Bad {
    params: CertificateParams,
    signed_by: Signer,
    dial: Host,
}

enum Signer {
    Authority,
    Stranger,
    Itself,
    AuthorityWithSha1,
}

fn sound() -> Bad {
    let mut params = CertificateParams::new(vec!["mail.example.org".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Bad { params, signed_by: Signer::Authority, dial: host("mail.example.org") }
}

fn changed(change: impl FnOnce(&mut Bad)) -> Bad {
    let mut bad = sound();
    change(&mut bad);
    bad
}

fn names(bad: &mut Bad, names: &[&str]) {
    bad.params.subject_alt_names =
        names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
}

/// What a client that trusts the authority says to a server with that certificate.
async fn verdict(bad: Bad) -> Result<(), HandshakeError> {
    verdict_naming(bad, false).await
}

/// The same of a client that was given the certificate itself instead.
async fn verdict_naming(bad: Bad, is_named: bool) -> Result<(), HandshakeError> {
    let authority = |name: &str, key: KeyPair| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        (certificate.pem(), Issuer::new(params, key))
    };
    let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let root_key = match bad.signed_by {
        Signer::AuthorityWithSha1 => KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap(),
        _ => key(),
    };
    let (root_pem, root) = authority("Root", root_key);
    let (_, stranger) = authority("Stranger", key());
    let leaf_key = key();
    let certificate = match bad.signed_by {
        Signer::Authority => bad.params.signed_by(&leaf_key, &root).unwrap().der().to_vec(),
        Signer::Stranger => bad.params.signed_by(&leaf_key, &stranger).unwrap().der().to_vec(),
        Signer::Itself => bad.params.self_signed(&leaf_key).unwrap().der().to_vec(),
        Signer::AuthorityWithSha1 => with_sha1(bad.params.signed_by(&leaf_key, &root).unwrap().der()),
    };
    let trusted = if is_named { crate::authority::pem(&certificate) } else { root_pem };
    handshake(certificate, &leaf_key, &trusted, &bad.dial).await
}

async fn handshake(
    certificate: Vec<u8>,
    key: &KeyPair,
    trusted: &str,
    dial: &Host,
) -> Result<(), HandshakeError> {
    let server = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let client_tls = ClientTls::new(&[trusted.as_bytes()], &world_at(NOON)).unwrap();
    let (mut client, socket) = half_pair().await;
    let (_server, begun) = tokio::join!(
        TlsAcceptor::from(Arc::new(server)).accept(socket),
        client.start_tls_client(&client_tls, dial, soon()),
    );
    match begun {
        Ok(()) => Ok(()),
        Err(StartTlsError::Handshake(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

/// sha256WithRSAEncryption (1.2.840.113549.1.1.11) becomes sha1WithRSAEncryption (….5) wherever it stands. The signature is
/// wrong then, too; that it is not even looked at is the point.
fn with_sha1(certificate: &[u8]) -> Vec<u8> {
    const SHA256: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
    let mut certificate = certificate.to_vec();
    let places: Vec<usize> =
        (0..certificate.len()).filter(|at| certificate[*at..].starts_with(&SHA256)).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        certificate[at + 10] = 5;
    }
    certificate
}

/// SC-2: the ten bad certificates, each refused for what is wrong with it, and the sound one taken.
#[tokio::test]
async fn ten_bad_certificates_are_refused_by_name() {
    use CertificateProblem as P;
    assert!(verdict(sound()).await.is_ok());
    let wrong_name = |problem: &P| matches!(problem, P::WrongName { .. });
    type IsRight = fn(&P) -> bool;
    let cases: [(&str, Bad, IsRight); 10] = [
        ("expired", changed(|it| it.params.not_after = date_time_ymd(2026, 11, 20)), |it| *it == P::Expired),
        ("early", changed(|it| it.params.not_before = date_time_ymd(2026, 11, 22)), |it| {
            *it == P::NotYetValid
        }),
        ("wrong name", changed(|it| names(it, &["mail.example.net"])), wrong_name),
        ("self-signed", changed(|it| it.signed_by = Signer::Itself), |it| *it == P::SelfSigned),
        ("unknown authority", changed(|it| it.signed_by = Signer::Stranger), |it| *it == P::UnknownAuthority),
        (
            "wrong usage",
            changed(|it| it.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            |it| *it == P::WrongUsage,
        ),
        ("SHA-1", changed(|it| it.signed_by = Signer::AuthorityWithSha1), |it| *it == P::WeakSignature),
        (
            "wildcard for two labels",
            changed(|it| {
                names(it, &["*.org", "*.*.org", "m*.example.org"]);
            }),
            wrong_name,
        ),
        (
            "another address",
            changed(|it| {
                it.params.subject_alt_names = vec![SanType::IpAddress([192, 0, 2, 2].into())];
                it.dial = host("192.0.2.1");
            }),
            wrong_name,
        ),
        (
            "no name but the common one",
            changed(|it| {
                it.params.subject_alt_names.clear();
                it.params.distinguished_name.push(rcgen::DnType::CommonName, "mail.example.org");
            }),
            wrong_name,
        ),
    ];
    for (what, bad, is_right) in cases {
        match verdict(bad).await {
            Err(HandshakeError::Certificate(problem)) if is_right(&problem) => {}
            other => panic!("{what}: {other:?}"),
        }
    }
}

/// The certificate that `openssl req -x509` makes is one of an authority that has signed itself.
#[tokio::test]
async fn a_self_signed_authority_at_the_door_is_called_self_signed() {
    let bad = changed(|it| {
        it.signed_by = Signer::Itself;
        it.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    assert!(matches!(verdict(bad).await, Err(HandshakeError::Certificate(CertificateProblem::SelfSigned))));
}

/// SC-2: with and without the mark of an authority, which `openssl req -x509` sets.
#[tokio::test]
async fn a_certificate_that_has_signed_itself_is_taken_where_it_is_named_itself() {
    for is_ca in [IsCa::NoCa, IsCa::ExplicitNoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let itself = || {
            changed(|it| {
                it.signed_by = Signer::Itself;
                it.params.is_ca = is_ca;
            })
        };
        let went = verdict_naming(itself(), true).await;
        assert!(went.is_ok(), "{is_ca:?}: {went:?}");
        // And another one of the same name is not.
        let went = verdict(itself()).await;
        assert!(
            matches!(went, Err(HandshakeError::Certificate(CertificateProblem::SelfSigned))),
            "{is_ca:?}: {went:?}"
        );
    }
    let of_a_stranger = changed(|it| it.signed_by = Signer::Stranger);
    assert!(verdict_naming(of_a_stranger, true).await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_is_named_itself_must_still_be_right() {
    use CertificateProblem as P;
    let itself = |change: fn(&mut Bad)| {
        changed(|it| {
            it.signed_by = Signer::Itself;
            change(it);
        })
    };
    type IsRight = fn(&P) -> bool;
    let cases: [(Bad, IsRight); 4] = [
        (itself(|it| it.params.not_after = date_time_ymd(2026, 11, 20)), |it| *it == P::Expired),
        (itself(|it| it.params.not_before = date_time_ymd(2026, 11, 22)), |it| *it == P::NotYetValid),
        (itself(|it| names(it, &["mail.example.net"])), |it| matches!(it, P::WrongName { .. })),
        (itself(|it| it.params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]), |it| {
            *it == P::WrongUsage
        }),
    ];
    for (bad, is_right) in cases {
        match verdict_naming(bad, true).await {
            Err(HandshakeError::Certificate(problem)) if is_right(&problem) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Else the key of one office's server would open the mail of every provider.
#[tokio::test]
async fn a_certificate_that_is_named_itself_speaks_for_no_other() {
    let key = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let (named_key, other_key) = (key(), key());
    let Bad { params, dial, .. } = sound();
    let named = params.self_signed(&named_key).unwrap();
    let other = changed(|it| it.params.distinguished_name.push(rcgen::DnType::CommonName, "Another"));
    let other = other.params.signed_by(&other_key, &Issuer::new(params, named_key)).unwrap();
    let went = handshake(other.der().to_vec(), &other_key, &named.pem(), &dial).await;
    assert!(
        matches!(went, Err(HandshakeError::Certificate(CertificateProblem::UnknownAuthority))),
        "{went:?}"
    );
}

/// As `openssl x509 -req -signkey` makes it: neither an authority for everything nor any server's.
#[test]
fn a_certificate_that_cannot_say_what_it_is_for_is_refused_at_once() {
    const OF_VERSION_1: &str = "-----BEGIN CERTIFICATE-----
MIIBMjCB2QIURjbnNtsK6tUT3xJEWzRXkk7We5AwCgYIKoZIzj0EAwIwGzEZMBcG
A1UEAwwQbWFpbC5leGFtcGxlLm9yZzAgFw0yNjExMjIxODU1NDVaGA8yMTI2MTAy
OTE4NTU0NVowGzEZMBcGA1UEAwwQbWFpbC5leGFtcGxlLm9yZzBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABCCFjc0PokTjXXwiE6UlQ3vMPNGm8e4bjHHEbRD2mhdl
IV0MOZWs/Kbm3so+ErI5UXQ8QTwF4pQotPbXsbPOu18wCgYIKoZIzj0EAwIDSAAw
RQIgUidXIwQUiFcCIyticethu4GU3awdVKjxzdQaHDfuD2QCIQDBlv2ccNEZrkaR
INcLvVZrVcaO0Z4939TUBrFHp3LirQ==
-----END CERTIFICATE-----";
    let made = ClientTls::new(&[OF_VERSION_1.as_bytes()], &world_at(NOON));
    assert!(matches!(made, Err(CertificateError::OldVersion)));
}

#[tokio::test]
async fn an_address_can_be_named_in_a_certificate() {
    let good = changed(|it| {
        it.params.subject_alt_names = vec![SanType::IpAddress([192, 0, 2, 1].into())];
        it.dial = host("192.0.2.1");
    });
    assert!(verdict(good).await.is_ok());
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_a_bad_certificate() {
    let (_, client_tls) = trusting("mail.example.org");
    for (greeting, is_right) in [
        (
            &b"220 mail.example.org ESMTP\r\n"[..],
            (|it| matches!(it, HandshakeError::NotTls)) as fn(&HandshakeError) -> bool,
        ),
        (b"", |it| matches!(it, HandshakeError::Closed)),
    ] {
        let (mut client, mut server) = half_pair().await;
        server.write_all(greeting).await.unwrap();
        server.shutdown().await.unwrap();
        match client.start_tls_client(&client_tls, &host("mail.example.org"), soon()).await {
            Err(StartTlsError::Handshake(error)) => assert!(is_right(&error), "{error:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let (_, client_tls) = trusting("mail.example.org");
    let (mut client, _server) = half_pair().await;
    let deadline = tokio::time::Instant::now() + Duration::from_millis(30);
    let begun = client.start_tls_client(&client_tls, &host("mail.example.org"), deadline).await;
    assert!(matches!(begun, Err(StartTlsError::Handshake(HandshakeError::TimedOut))));
}

#[tokio::test]
async fn the_second_connection_to_a_host_resumes_the_first() {
    let (server_tls, client_tls) = trusting("mail.example.org");
    for kind in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
        let (mut server, client) = half_pair().await;
        let name = ClientTls::server_name(&host("mail.example.org")).unwrap();
        let connector = client_tls.connector();
        let (begun, stream) =
            tokio::join!(server.start_tls_server(&server_tls, &[], soon()), connector.connect(name, client));
        begun.unwrap();
        let mut stream = stream.unwrap();
        // The tickets travel in front of the first bytes.
        server.write_all(b"220\r\n", soon()).await.unwrap();
        stream.read_exact(&mut [0; 5]).await.unwrap();
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(kind));
    }
}

/// A certificate and its key in two files.
struct OnDisk {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl OnDisk {
    fn new(name: &str) -> Self {
        let (authority, _) = Authority::generate(&world_at(NOON)).unwrap();
        let on_disk = Self { folder: tempfile::tempdir().unwrap(), authority };
        let (certificate, key) = on_disk.issue(name);
        on_disk.write("cert.pem", &certificate);
        on_disk.write("key.pem", &key);
        on_disk
    }

    fn issue(&self, name: &str) -> (String, String) {
        let issued = self.authority.issue(&[host(name)], &world_at(NOON)).unwrap();
        let key = KeyPair::try_from(issued.key.reveal()).unwrap().serialize_pem();
        (crate::authority::pem(&issued.certificate), key)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn load(&self) -> Result<ServerTls, CertificateError> {
        let path = |file| self.folder.path().join(file);
        ServerTls::from_files(&path("cert.pem"), &path("key.pem"), &world_at(NOON))
    }

    fn client(&self) -> ClientTls {
        ClientTls::new(&[self.authority.certificate_pem().as_bytes()], &world_at(NOON)).unwrap()
    }
}

async fn greets(server_tls: &ServerTls, client_tls: &ClientTls, name: &str) -> bool {
    let (mut server, mut client) = pair().await;
    let name = host(name);
    let (one, two) = tokio::join!(
        server.start_tls_server(server_tls, &[], soon()),
        client.start_tls_client(client_tls, &name, soon()),
    );
    one.is_ok() && two.is_ok()
}

/// OP-9.
#[tokio::test]
async fn a_new_certificate_is_served_without_dropping_sessions() {
    let disk = OnDisk::new("old.example.org");
    let (tls, client_tls) = (disk.load().unwrap(), disk.client());
    let (mut server, mut client) = pair().await;
    let old = host("old.example.org");
    let (one, two) = tokio::join!(
        server.start_tls_server(&tls, &[], soon()),
        client.start_tls_client(&client_tls, &old, soon())
    );
    one.and(two).unwrap();

    assert_eq!(tls.reload().unwrap(), Reload::Unchanged);
    let (certificate, key) = disk.issue("a-new-name.example.org");
    disk.write("cert.pem", &certificate);
    disk.write("key.pem", &key);
    assert_eq!(tls.clone().reload().unwrap(), Reload::Replaced);
    assert_eq!(tls.info().names, ["a-new-name.example.org"]);
    assert!(greets(&tls, &client_tls, "a-new-name.example.org").await);
    client.write_all(b"still here\r\n", soon()).await.unwrap();
    assert_eq!(&*server.read_line(20, LineEnd::Crlf, soon()).await.unwrap(), b"still here");
}

#[tokio::test]
async fn a_broken_new_pair_is_reported_and_the_old_one_stays() {
    let disk = OnDisk::new("mail.example.org");
    let tls = disk.load().unwrap();
    let (certificate, _key) = disk.issue("a-longer-name.example.org");
    disk.write("cert.pem", &certificate);
    assert!(matches!(tls.reload(), Err(CertificateError::KeyMismatch)));
    assert!(greets(&tls, &disk.client(), "mail.example.org").await);
    assert_eq!(tls.reload().unwrap(), Reload::Unchanged, "reported once");
    disk.write("cert.pem", "nothing");
    assert!(matches!(tls.reload(), Err(CertificateError::NotPem)));
    std::fs::remove_file(disk.folder.path().join("key.pem")).unwrap();
    disk.write("cert.pem", &certificate);
    assert!(matches!(tls.reload(), Err(CertificateError::Unreadable { .. })));
    assert_eq!(tls.info().names, ["mail.example.org"]);
}

#[tokio::test]
async fn the_watch_finds_a_new_certificate_by_itself() {
    let disk = OnDisk::new("mail.example.org");
    let tls = disk.load().unwrap();
    let stop = CancellationToken::new();
    let watch = tokio::spawn({
        let (tls, stop) = (tls.clone(), stop.clone());
        async move { tls.watch(Duration::from_millis(5), stop).await }
    });
    let (certificate, key) = disk.issue("a-longer-name.example.org");
    disk.write("key.pem", &key);
    disk.write("cert.pem", &certificate);
    let deadline = soon();
    while tls.info().names != ["a-longer-name.example.org"] {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    watch.await.unwrap();
}

#[test]
fn unusable_files_are_named_with_the_cure() {
    let disk = OnDisk::new("mail.example.org");
    let says = |disk: &OnDisk| disk.load().err().unwrap().to_string();
    let (_, other_key) = disk.issue("mail.example.org");
    disk.write("key.pem", &other_key);
    assert!(says(&disk).contains("replace both files together"));
    disk.write("key.pem", "");
    assert!(says(&disk).contains("BEGIN PRIVATE KEY"));
    disk.write("cert.pem", "");
    assert!(says(&disk).contains("BEGIN CERTIFICATE"));
    disk.write("cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    disk.write("key.pem", &other_key);
    assert!(says(&disk).contains("cannot be used"));
    std::fs::remove_file(disk.folder.path().join("cert.pem")).unwrap();
    assert!(says(&disk).contains("cert.pem: "));
}

#[test]
fn an_extra_authority_must_be_one() {
    let refused = |text: &[u8]| ClientTls::new(&[text], &world_at(NOON)).err().map(|error| error.to_string());
    assert!(refused(b"").unwrap().contains("BEGIN CERTIFICATE"));
    assert!(refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_some());
}

/// OP-9: warnings begin 14 days ahead.
#[test]
fn the_end_of_a_certificate_is_foretold() {
    let (server_tls, _) = trusting("mail.example.org");
    let info = server_tls.info();
    let days_before_end = |days: i64| Timestamp::from_millis(info.not_after.millis() - days * 86_400_000);
    let warning = |at: Timestamp| info.warnings(at).join("; ");
    assert_eq!(warning(days_before_end(14)), "");
    assert!(warning(days_before_end(13)).contains("expires in 13 days"));
    assert!(warning(days_before_end(-1)).contains("has expired"));
    assert!(warning(Timestamp::EPOCH).contains("not valid yet"));
    assert!(server_tls.warnings().is_empty());
}

#[test]
fn an_rsa_key_is_warned_about() {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate =
        CertificateParams::new(vec!["mail.example.org".to_owned()]).unwrap().self_signed(&key).unwrap();
    let info = CertificateInfo::read(certificate.der()).unwrap();
    assert_eq!(info.key, KeyKind::Rsa);
    assert!(info.warnings(NOON).iter().any(|it| it.contains("ECDSA P-256")));
}

#[tokio::test]
async fn both_sides_agree_on_the_newest_version() {
    let (server, client) = tls_pair().await;
    assert_eq!(server.tls_description(), client.tls_description());
    assert!(client.tls_description().unwrap().starts_with("TLSv1.3"));
}
