use super::*;
use crate::host::Host;

fn guard(allowed: &[&str]) -> Guard {
    Guard::new(allowed.iter().map(|text| text.parse().unwrap()).collect())
}

/// Every spelling that must not lead anywhere: each is either no host at all, or a forbidden address. (WH-2)
#[test]
fn no_spelling_of_a_forbidden_address_gets_through() {
    let spellings = [
        // Loopback and "this network".
        "127.0.0.1",
        "127.0.0.2",
        "127.1.2.3",
        "127.255.255.254",
        "127.255.255.255",
        "127.1",
        "127.0.1",
        "127",
        "0",
        "0.0.0.0",
        "0.0.0.1",
        "0.1.2.3",
        "0.255.255.255",
        // Numbers, octal, hexadecimal, and mixtures.
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7F000001",
        "0x7f.0.0.1",
        "0x7f.1",
        "0177.0.0.1",
        "0177.1",
        "127.0.0.0x1",
        "127.0.0.01",
        "127.0.0.1.",
        "127.0.0.001",
        "00000177.0.0.1",
        "3232235521",
        "0xc0a80001",
        "0300.0250.0.1",
        "192.168.257",
        "10.1",
        "0xa.0.0.1",
        "4294967295",
        "4294967296",
        // Private, link-local, carrier, protocol assignments, benchmarks, multicast, reserved.
        "10.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "172.16.0.1",
        "172.20.1.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.255.255",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "192.0.0.1",
        "192.0.0.170",
        "192.0.0.192",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "254.1.1.1",
        "255.255.255.255",
        // IPv6.
        "::",
        "::1",
        "[::1]",
        "[::]",
        "0:0:0:0:0:0:0:1",
        "0000:0000:0000:0000:0000:0000:0000:0001",
        "::0001",
        "fc00::1",
        "fd00::1",
        "fdff:ffff::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "feff::1",
        "ff00::1",
        "ff02::1",
        "ff0e::1",
        "100::1",
        "5f00::1",
        "4000::1",
        // IPv4 inside IPv6: mapped, compatible, translated, NAT64 (both), 6to4, Teredo.
        "::ffff:127.0.0.1",
        "[::ffff:127.0.0.1]",
        "::ffff:7f00:1",
        "0:0:0:0:0:ffff:7f00:1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "::7f00:1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:c0a8:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001::1",
        "2001:1::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        // Things that are not hosts.
        "localhost:25",
        "127.0.0.1:25",
        "127.0.0.1/8",
        "127.0.0.1 ",
        " 127.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "::1%lo",
        "fe80::1%1",
        "[127.0.0.1]",
        "127.0.0.1@example.org",
        "example.org#@127.0.0.1",
        "127..1",
        "0x",
        "..",
    ];
    assert!(spellings.len() >= 80);
    for spelling in spellings {
        match spelling.parse::<Host>() {
            Err(_) => {}
            Ok(Host::Name(name)) => panic!("{spelling:?} would be looked up as the name {name}"),
            Ok(Host::Address(address)) => {
                let verdict = guard(&[]).check(SocketAddr::new(address, 587));
                assert!(matches!(verdict, Err(Forbidden::NotPublic { .. })), "{spelling:?}: {verdict:?}");
            }
        }
    }
}

#[test]
fn ordinary_public_addresses_get_through_on_mail_ports_only() {
    for public in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.1.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:200::1",
        "2003::1",
        "2606:4700::1111",
        "2a00:1450:4001::6c",
    ] {
        let ip: IpAddr = public.parse().unwrap();
        for port in [110, 143, 465, 587, 993, 995] {
            assert_eq!(guard(&[]).check(SocketAddr::new(ip, port)), Ok(Permit::Public), "{public}");
        }
        // WH-3: no port scans through this program.
        for port in [0, 22, 25, 80, 443, 2525, 3306, 5432, 6379, 8080, 65535] {
            let address = SocketAddr::new(ip, port);
            assert_eq!(guard(&[]).check(address), Err(Forbidden::Port { address, service: "mail" }));
        }
    }
}

#[test]
fn each_errand_has_its_own_ports_and_the_same_addresses() {
    let public: IpAddr = "2606:4700::1111".parse().unwrap();
    for (port, errand, want) in [
        (443, Errand::Web, true),
        (443, Errand::Mail, false),
        (993, Errand::Web, false),
        (80, Errand::Web, false),
        (8443, Errand::Web, false),
    ] {
        let got = guard(&[]).check_for(errand, SocketAddr::new(public, port));
        assert_eq!(got.is_ok(), want, "{errand:?} {port}");
    }
    let inside = "10.0.0.7:443".parse().unwrap();
    assert!(matches!(guard(&[]).check_for(Errand::Web, inside), Err(Forbidden::NotPublic { .. })));
    assert_eq!(guard(&["10.0.0.7:443"]).check_for(Errand::Web, inside), Ok(Permit::Listed));
}

#[test]
fn listed_addresses_get_through_and_no_others() {
    let guard = guard(&["127.0.0.0/8:2587", "10.1.0.0/16", "[fd00::/8]:587", "93.184.216.34:2525"]);
    for (address, want) in [
        ("127.0.0.1:2587", true),
        ("[::ffff:127.0.0.1]:2587", true),
        ("127.0.0.1:2588", false),
        ("10.1.2.3:12345", true),
        ("10.2.2.3:587", false),
        ("[fd00::1]:587", true),
        ("[fd00::1]:465", false),
        ("93.184.216.34:2525", true),
        ("93.184.216.35:2525", false),
    ] {
        let verdict = guard.check(address.parse().unwrap());
        assert_eq!(verdict == Ok(Permit::Listed), want, "{address}: {verdict:?}");
    }
}

#[test]
fn our_own_listeners_are_never_dialled() {
    let guard = guard(&["127.0.0.0/8", "::1"]);
    guard.add_own_listener("127.0.0.1:1587".parse().unwrap());
    guard.add_own_listener("0.0.0.0:465".parse().unwrap());
    guard.add_own_listener("[::]:993".parse().unwrap());
    for own in [
        "127.0.0.1:1587",
        "[::ffff:127.0.0.1]:1587",
        "0.0.0.0:1587",
        "127.0.0.1:465",
        "127.9.9.9:465",
        "[::1]:993",
        "127.0.0.1:993",
    ] {
        let address: SocketAddr = own.parse().unwrap();
        let verdict = guard.check(address);
        assert_eq!(verdict, Err(Forbidden::OwnListener { address }), "{own}");
    }
    assert_eq!(guard.check("127.0.0.2:1587".parse().unwrap()), Ok(Permit::Listed));
    assert_eq!(guard.check("93.184.216.34:465".parse().unwrap()), Ok(Permit::Public));
}

#[test]
fn a_refusal_says_what_to_do() {
    let refused = |address: &str| guard(&[]).check(address.parse().unwrap()).unwrap_err().to_string();
    assert_eq!(
        refused("10.0.0.1:587"),
        "10.0.0.1 is a private address: add it to allow_private_addresses if it is meant"
    );
    assert_eq!(
        refused("93.184.216.34:25"),
        "port 25 is not a port of a mail service: add 93.184.216.34:25 to allow_private_addresses if it is meant"
    );
}
