use super::*;
use crate::testing::{NOON, host, world_at};
use crate::tls::{CertificateInfo, KeyKind};

#[test]
fn the_authority_comes_back_from_what_was_stored() {
    let world = world_at(NOON);
    let (made, key) = Authority::generate(&world).unwrap();
    let again = Authority::from_stored(made.certificate(), &key).unwrap();
    assert_eq!(again.certificate_pem(), made.certificate_pem());
    let issued = again.issue(&[host("mail.example.org")], &world).unwrap();
    let (_, leaf) = x509_parser::parse_x509_certificate(&issued.certificate).unwrap();
    let (_, root) = x509_parser::parse_x509_certificate(made.certificate()).unwrap();
    assert_eq!(leaf.issuer().as_raw(), root.subject().as_raw());
}

#[test]
fn damaged_or_mixed_up_parts_are_refused() {
    let world = world_at(NOON);
    let (one, one_key) = Authority::generate(&world).unwrap();
    let (_two, two_key) = Authority::generate(&world).unwrap();
    let refused = |certificate: &[u8], key: &SecretBytes| Authority::from_stored(certificate, key).is_err();
    assert!(refused(one.certificate(), &two_key));
    assert!(refused(&one.certificate()[1..], &one_key));
    assert!(refused(one.certificate(), &SecretBytes::new(vec![1, 2, 3])));
}

#[test]
fn certificates_have_p256_keys_names_and_a_year() {
    let world = world_at(NOON);
    let (authority, _) = Authority::generate(&world).unwrap();
    let names = [host("mail.example.org"), host("192.0.2.1"), host("[2001:db8::1]"), host("localhost")];
    let issued = authority.issue(&names, &world).unwrap();
    let info = CertificateInfo::read(&issued.certificate).unwrap();
    assert_eq!(info.names, ["mail.example.org", "192.0.2.1", "2001:db8::1", "localhost"]);
    assert_eq!(info.key, KeyKind::Ecdsa);
    assert_eq!(info.days_left(NOON), 396);
    assert!(info.not_before < NOON);
    assert!(info.warnings(NOON).is_empty());
    let root = CertificateInfo::read(authority.certificate()).unwrap();
    assert_eq!(root.days_left(NOON) / 365, 9);
}

#[test]
fn two_authorities_have_two_names() {
    let world = world_at(NOON);
    let subject = || {
        let (authority, _) = Authority::generate(&world).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(authority.certificate()).unwrap();
        parsed.subject().to_string()
    };
    assert_ne!(subject(), subject());
}

#[test]
fn the_pem_text_has_short_lines_and_reads_back() {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let (authority, _) = Authority::generate(&world_at(NOON)).unwrap();
    let text = authority.certificate_pem();
    assert!(text.lines().all(|line| line.len() <= 64));
    assert_eq!(CertificateDer::from_pem_slice(text.as_bytes()).unwrap().as_ref(), authority.certificate());
}
