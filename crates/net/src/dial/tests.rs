use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::*;
use crate::testing::{host, local_listener};

/// A name server on loopback that gives the n-th query for an IPv4 address the n-th answer (the last one from then on), and
/// knows no IPv6 addresses.
struct NameServer {
    address: SocketAddr,
    n_asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn name_server(answers: Vec<Vec<Ipv4Addr>>) -> NameServer {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let n_asked = Arc::new(AtomicUsize::new(0));
    let counter = n_asked.clone();
    let task = tokio::spawn(async move {
        let mut query = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut query).await.unwrap();
            let is_for_ipv4 = question_type(&query[..length]) == 1;
            let addresses = match is_for_ipv4 {
                true => {
                    let nth = counter.fetch_add(1, Ordering::SeqCst);
                    answers.get(nth).or(answers.last()).cloned().unwrap_or_default()
                }
                false => vec![],
            };
            socket.send_to(&answer(&query[..length], &addresses), from).await.unwrap();
        }
    });
    NameServer { address, n_asked, task }
}

/// Where the question (RFC 1035 §4.1.2) ends.
fn question_end(query: &[u8]) -> usize {
    let mut at = 12;
    while query[at] != 0 {
        at += usize::from(query[at]) + 1;
    }
    at + 5
}

fn question_type(query: &[u8]) -> u16 {
    let end = question_end(query);
    u16::from_be_bytes([query[end - 4], query[end - 3]])
}

/// An answer that may be kept for no time at all. Without addresses it says that the name does not exist.
fn answer(query: &[u8], addresses: &[Ipv4Addr]) -> Vec<u8> {
    let end = question_end(query);
    let is_missing = addresses.is_empty() && question_type(query) == 1;
    let flags = if is_missing { [0x81, 0x83] } else { [0x81, 0x80] };
    let count = u16::try_from(addresses.len()).unwrap().to_be_bytes();
    let mut answer = [&query[..2], &flags, &[0, 1], &count, &[0, 0, 0, 0], &query[12..end]].concat();
    for address in addresses {
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        answer.extend_from_slice(&address.octets());
    }
    answer
}

fn dialer(server: &NameServer, allowed: &[String]) -> Dialer {
    let guard = Guard::new(allowed.iter().map(|text| text.parse().unwrap()).collect());
    Dialer::new(Resolver::configured(server.address).unwrap(), Arc::new(guard))
}

/// WH-2, ssrf_connect_time: the address that was judged is dialled, and no second answer is asked for.
#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let (good, good_at) = local_listener().await;
    let evil = tokio::net::TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), good_at.port())).await.unwrap();
    let server = name_server(vec![vec![Ipv4Addr::LOCALHOST], vec![Ipv4Addr::new(127, 0, 0, 2)]]).await;
    let dialer = dialer(&server, &[format!("127.0.0.1/32:{}", good_at.port())]);

    let dialled = dialer.dial(&host("mail.example.org"), good_at.port()).await.unwrap();
    assert_eq!((dialled.address, dialled.permit), (good_at, Permit::Listed));
    assert_eq!(dialled.connection.peer(), good_at);
    good.accept().await.unwrap();
    assert_eq!(server.n_asked.load(Ordering::SeqCst), 1);

    let again = dialer.dial(&host("mail.example.org"), good_at.port()).await;
    assert!(matches!(again, Err(DialError::Forbidden { .. })), "the second answer is judged anew");
    let nobody = tokio::time::timeout(Duration::from_millis(50), evil.accept()).await;
    assert!(nobody.is_err(), "the forbidden address was never dialled");
}

#[tokio::test]
async fn one_forbidden_answer_among_several_forbids_the_host() {
    let public = Ipv4Addr::new(93, 184, 216, 34);
    let server = name_server(vec![vec![public, Ipv4Addr::new(169, 254, 169, 254)]]).await;
    let error = dialer(&server, &[]).dial(&host("mail.example.org"), 587).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "mail.example.org is not dialled: 169.254.169.254 is a link-local address: add it to allow_private_addresses if it is meant"
    );
}

#[tokio::test]
async fn all_addresses_of_a_name_are_judged_and_none_twice() {
    let public = Ipv4Addr::new(93, 184, 216, 34);
    let server = name_server(vec![vec![public, Ipv4Addr::new(93, 184, 216, 35), public]]).await;
    let vetted = dialer(&server, &[]).vet(&host("mail.example.org"), 465).await.unwrap();
    let addresses: Vec<String> = vetted.iter().map(|(address, _)| address.to_string()).collect();
    assert_eq!(addresses, ["93.184.216.34:465", "93.184.216.35:465"]);
    assert!(vetted.iter().all(|(_, permit)| *permit == Permit::Public));
}

#[tokio::test]
async fn a_name_without_address_is_said_to_be_misspelt() {
    let server = name_server(vec![vec![]]).await;
    let error = dialer(&server, &[]).dial(&host("smpt.example.org"), 587).await.err().unwrap();
    assert!(matches!(error, DialError::NotFound { .. }), "{error}");
    assert_eq!(error.to_string(), "there is no host named smpt.example.org: check its spelling");
}

#[tokio::test]
async fn a_port_nobody_listens_on_is_told_from_a_forbidden_one() {
    let (listener, address) = local_listener().await;
    drop(listener);
    let server = name_server(vec![]).await;
    let dialer = dialer(&server, &["127.0.0.1".into()]);
    let error = dialer.dial(&Host::Address(address.ip()), address.port()).await.err().unwrap();
    assert!(
        matches!(&error, DialError::Unreachable { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused),
        "{error}"
    );
    let own = Ipv4Addr::new(127, 0, 0, 3);
    assert!(matches!(dialer.dial(&own.into(), 25).await, Err(DialError::Forbidden { .. })));
}

#[tokio::test]
async fn a_dead_address_does_not_hide_the_next() {
    let (listener, address) = local_listener().await;
    // Nobody listens on 127.0.0.9 at that port.
    let server = name_server(vec![vec![Ipv4Addr::new(127, 0, 0, 9), Ipv4Addr::LOCALHOST]]).await;
    let dialer = dialer(&server, &["127.0.0.0/8".into()]);
    let dialled = dialer.dial(&host("mail.example.org"), address.port()).await.unwrap();
    assert_eq!(dialled.address, address);
    listener.accept().await.unwrap();
}

#[tokio::test]
async fn dialling_gives_up_in_time() {
    // A name server that never answers.
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let resolver = Resolver::configured(silent.local_addr().unwrap()).unwrap();
    let dialer = Dialer::new(resolver, Arc::default()).with_patience(Duration::from_millis(100));
    let error = dialer.dial(&host("mail.example.org"), 587).await.err().unwrap();
    assert!(matches!(error, DialError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn the_hosts_file_of_the_system_is_read() {
    let localhost: IpAddr = Ipv4Addr::LOCALHOST.into();
    assert!(Resolver::system().look_up("localhost").await.unwrap().contains(&localhost));
}

/// An answer with one mail exchanger (RFC 1035 §3.3.9), whose name is `mx` before the name that was asked for, or the root.
fn mx_answer(query: &[u8], preference: u16, is_null: bool) -> Vec<u8> {
    let end = question_end(query);
    let name: &[u8] = if is_null { &[0] } else { b"\x02MX\xc0\x0c" };
    let length = u16::try_from(2 + name.len()).unwrap().to_be_bytes();
    let head = [&query[..2], &[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], &query[12..end]].concat();
    [&head, &[0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 0][..], &length, &preference.to_be_bytes(), name].concat()
}

async fn exchangers(is_null: bool) -> Result<Vec<MailExchanger>, DialError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut query = [0; 512];
        loop {
            let (length, from) = socket.recv_from(&mut query).await.unwrap();
            let query = &query[..length];
            assert_eq!(question_type(query), 15);
            socket.send_to(&mx_answer(query, 10, is_null), from).await.unwrap();
        }
    });
    let dialer = Dialer::new(Resolver::configured(address).unwrap(), Arc::default());
    let found = dialer.mail_exchangers("praxis.example").await;
    task.abort();
    found
}

#[tokio::test]
async fn the_mail_exchangers_of_a_domain_are_found() {
    let want = MailExchanger { preference: 10, host: "mx.praxis.example".into() };
    assert_eq!(exchangers(false).await.unwrap(), [want]);
}

/// RFC 7505 §3.
#[tokio::test]
async fn a_domain_that_takes_no_mail_has_no_exchanger() {
    assert_eq!(exchangers(true).await.unwrap(), []);
}

#[tokio::test]
async fn a_domain_without_exchanger_is_not_found() {
    let server = name_server(vec![vec![]]).await;
    let found = dialer(&server, &[]).mail_exchangers("praxis.example").await;
    assert!(matches!(found, Err(DialError::NotFound { .. })), "{found:?}");
}
