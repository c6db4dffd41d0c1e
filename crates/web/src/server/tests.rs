//! Over real sockets, spoken by hand.

use std::net::SocketAddr;

use axum::body::Body;
use axum::routing::get;
use gatepost_net::{Authority, ClientTls, Connection, Listener};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio_util::io::ReaderStream;

use super::*;
use crate::{Caller, Reach};

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

fn start(reach: Reach) -> Server {
    start_door(|door| WebDoor { reach, ..door })
}

fn start_door(change: impl FnOnce(WebDoor) -> WebDoor) -> Server {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, stop) = (listener.address(), CancellationToken::new());
    let router = Router::new()
        .route("/", get(|| async { "hello" }).post(|body: String| async move { body.len().to_string() }))
        .route("/large", get(|| async { "x".repeat(64 * 1024) }))
        .route("/endless", get(|| async { Body::from_stream(ReaderStream::new(tokio::io::repeat(b'x'))) }))
        .route("/caller", get(|Extension(Caller(it)): Extension<Caller>| async move { it.to_string() }));
    let serving = tokio::spawn(serve(change(WebDoor::on_loopback(listener)), router, stop.clone()));
    Server { address, stop, serving }
}

impl Server {
    /// Sends `request` as it is and reads until the server closes.
    async fn ask(&self, request: &str) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // The server may refuse and close before it has taken everything.
        let _ = socket.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    }

    /// The status of a request with these header lines.
    async fn status(&self, method: &str, headers: &str) -> u16 {
        let answer = self.ask(&format!("{method} / HTTP/1.1\r\n{headers}Connection: close\r\n\r\n")).await;
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_it_may_do() {
    let server = start(Reach::Loopback);
    for path in ["/", "/nothing-here"] {
        let answer =
            server.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await;
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{path} lacks {header}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_loopback_door_answers_only_to_names_of_this_computer() {
    let server = start(Reach::Loopback);
    for (host, status) in [
        ("Host: localhost:8026\r\n", 200),
        ("Host: LOCALHOST\r\n", 200),
        ("Host: 127.0.0.1:8026\r\n", 200),
        ("Host: [::1]:8026\r\n", 200),
        ("Host: evil.example\r\n", 421),
        ("Host: localhost.evil.example\r\n", 421),
        ("Host: 127.0.0.1.evil.example\r\n", 421),
        ("Host: 192.0.2.1\r\n", 421),
        ("Host: \r\n", 421),
        ("", 421),
    ] {
        assert_eq!(server.status("GET", host).await, status, "{host:?}");
    }
    assert_eq!(start(Reach::Any).status("GET", "Host: mail.example\r\n").await, 200);
}

#[tokio::test]
async fn a_change_asked_for_by_another_site_is_refused() {
    let server = start(Reach::Loopback);
    let host = "Host: localhost:8026\r\nContent-Length: 0\r\n";
    for (headers, status) in [
        ("", 200),
        ("Origin: http://localhost:8026\r\n", 200),
        ("Sec-Fetch-Site: same-origin\r\n", 200),
        ("Sec-Fetch-Site: none\r\n", 200),
        ("Origin: http://evil.example\r\n", 403),
        ("Origin: http://localhost:9999\r\n", 403),
        ("Origin: null\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Sec-Fetch-Site: same-site\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost:8026\r\n", 403),
    ] {
        assert_eq!(server.status("POST", &format!("{host}{headers}")).await, status, "{headers:?}");
    }
    // With forms that carry tokens it says nothing; without them it is all there is.
    let server = start_door(|door| WebDoor { checks_forms: true, ..door });
    assert_eq!(server.status("POST", &format!("{host}Origin: null\r\n")).await, 200);
    let both = format!("{host}Origin: null\r\nSec-Fetch-Site: cross-site\r\n");
    assert_eq!(server.status("POST", &both).await, 403);
    // Reading is what a link from elsewhere does.
    assert_eq!(server.status("GET", "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n").await, 200);
}

#[tokio::test]
async fn too_many_too_long_headers_and_too_large_bodies_are_refused() {
    let server = start(Reach::Loopback);
    let many = "X: y\r\n".repeat(120);
    assert_eq!(server.status("GET", &format!("Host: localhost\r\n{many}")).await, 431);
    let long = format!("Host: localhost\r\nX: {}\r\n", "y".repeat(100 * 1024));
    assert_eq!(server.status("GET", &long).await, 431);
    let large = format!("Host: localhost\r\nContent-Length: {}\r\n", MOST_BODY_BYTES + 1);
    assert_eq!(server.status("POST", &large).await, 413);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_cut_off() {
    let server = start(Reach::Loopback);
    let started = tokio::time::Instant::now();
    // The header never ends: hyper closes without a word.
    assert_eq!(server.ask("GET / HTTP/1.1\r\nHost: localhost\r\n").await, "");
    assert!((10..15).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    let answer = server.ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn after_the_stop_nobody_is_let_in() {
    let server = start(Reach::Loopback);
    assert_eq!(server.status("GET", "Host: localhost\r\n").await, 200);
    server.stop.cancel();
    server.serving.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "the port is still open");
}

#[tokio::test]
async fn a_door_behind_a_proxy_answers_to_its_name_too_and_says_https_only() {
    let server = start(Reach::Named("https://mail.practice.example".into()));
    for (host, status) in [
        ("Host: mail.practice.example\r\n", 200),
        ("Host: MAIL.practice.example:443\r\n", 200),
        ("Host: localhost\r\n", 200),
        ("Host: practice.example\r\n", 421),
        ("Host: x.mail.practice.example\r\n", 421),
    ] {
        assert_eq!(server.status("GET", host).await, status, "{host:?}");
    }
    let answer =
        server.ask("GET / HTTP/1.1\r\nHost: mail.practice.example\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("strict-transport-security: max-age=31536000; includeSubDomains"), "{answer}");
    let plain =
        start(Reach::Loopback).ask("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(!plain.contains("strict-transport-security"), "{plain}");
}

#[tokio::test]
async fn behind_a_proxy_that_passes_another_name_forms_come_from_the_name_that_people_know() {
    let server = start(Reach::Named("https://mail.practice.example:443".into()));
    let host = "Host: 127.0.0.1:8026\r\nContent-Length: 0\r\n";
    for (origin, status) in [
        ("https://mail.practice.example", 200),
        ("https://MAIL.practice.example", 200),
        ("http://127.0.0.1:8026", 200),
        ("http://mail.practice.example", 403),
        ("https://mail.practice.example:8443", 403),
        ("https://evil.example", 403),
        ("mail.practice.example", 403),
    ] {
        assert_eq!(server.status("POST", &format!("{host}Origin: {origin}\r\n")).await, status, "{origin}");
    }
    // The address says by itself whether browsers come by HTTPS.
    let plain = start(Reach::Named("http://localhost:8026".into()));
    let answer = plain.ask("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("strict-transport"), "{answer}");
}

#[tokio::test]
async fn an_unlisted_proxy_is_told_of_once() {
    let rules = |proxies: &[&str]| Rules {
        reach: Reach::Loopback,
        is_encrypted: false,
        trusted_proxies: proxies.iter().map(|it| it.parse().unwrap()).collect(),
        checks_forms: false,
        always_open: &[],
        has_told: AtomicBool::new(false),
    };
    let written = Written::default();
    let subscriber = tracing_subscriber::fmt().with_writer(written.clone()).finish();
    let mut headers = axum::http::HeaderMap::new();
    headers.insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
    tracing::subscriber::with_default(subscriber, || {
        let peer = "127.0.0.1".parse().unwrap();
        rules(&["127.0.0.0/8"]).tell_of_proxy(peer, &headers);
        rules(&[]).tell_of_proxy(peer, &axum::http::HeaderMap::new());
        assert_eq!(written.text(), "");
        let rules = rules(&["192.0.2.0/24"]);
        rules.tell_of_proxy(peer, &headers);
        rules.tell_of_proxy(peer, &headers);
    });
    let text = written.text();
    assert_eq!(text.matches("X-Forwarded-For").count(), 1, "{text}");
    assert!(text.contains("127.0.0.1") && !text.contains("192.0.2.7"), "{text}");
}

/// What was logged.
#[derive(Clone, Default)]
struct Written(Arc<std::sync::Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn programs_that_watch_are_answered_when_all_places_are_taken() {
    let server = start_door(|door| WebDoor { most_connections: 3, always_open: &["/caller"], ..door });
    let mut taken = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        // Once it is answered, it has its place.
        socket.read_u8().await.unwrap();
        taken.push(socket);
    }
    for _ in 0..3 {
        let watched = server.ask("GET /caller HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(watched.starts_with("HTTP/1.1 200") && watched.contains("connection: close"), "{watched}");
        let refused = server.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 3"), "{refused}");
    }
    // A place that is free again is anybody's.
    drop(taken);
    while server.status("GET", "Host: localhost\r\n").await != 200 {}
}

#[tokio::test(start_paused = true)]
async fn a_spare_place_is_not_held_for_long() {
    let server = start_door(|door| WebDoor { most_connections: 2, always_open: &["/"], ..door });
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    socket.read_u8().await.unwrap();
    let started = tokio::time::Instant::now();
    assert_eq!(server.ask("GET / HTTP/1.1\r\nHost: localhost\r\n").await, "");
    assert!((5..9).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

/// Whoever came when all usual places were taken left a spare one for the next, who was told that too many are here.
#[tokio::test]
async fn the_next_visitor_after_a_full_moment_has_a_usual_place() {
    let server = start_door(|door| WebDoor { most_connections: 3, always_open: &["/caller"], ..door });
    let mut taken = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        socket.read_u8().await.unwrap();
        taken.push(socket);
    }
    for mut socket in taken {
        socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        // Once the server has closed, the place is free: this test runs on one thread.
        socket.read_to_end(&mut Vec::new()).await.unwrap();
    }
    assert_eq!(server.status("GET", "Host: localhost\r\n").await, 200);
}

/// A client that takes in little at a time.
async fn connect_narrowly(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1024).unwrap();
    socket.connect(address).await.unwrap()
}

/// A connection whose answers nobody read stayed for ever, past every other limit.
#[tokio::test]
async fn a_client_that_never_reads_is_let_go() {
    let hundred = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(100);
    for (what, requests) in [("many answers", hundred("/large")), ("a stream", hundred("/endless"))] {
        let unread_for = Duration::from_millis(200);
        let server = start_door(|door| WebDoor { most_connections: 1, unread_for, ..door });
        let mut deaf = connect_narrowly(server.address).await;
        deaf.write_all(requests.as_bytes()).await.unwrap();
        // Something of the answer is there, so it has the only place.
        deaf.readable().await.unwrap();
        let next = tokio::time::timeout(Duration::from_secs(60), server.status("GET", "Host: localhost\r\n"));
        assert_eq!(next.await, Ok(200), "{what} that nobody reads");
        drop(deaf);
    }
}

#[tokio::test]
async fn a_client_of_a_door_with_a_certificate_that_never_reads_is_let_go() {
    let world = gatepost_core::World::real();
    let (authority, _) = Authority::generate(&world).unwrap();
    let issued = authority.issue(&["localhost".parse().unwrap()], &world).unwrap();
    let tls = ServerTls::from_issued(&issued, &world).unwrap();
    let unread_for = Duration::from_millis(200);
    let reach = Reach::Any;
    let server =
        start_door(|door| WebDoor { tls: Some(tls), most_connections: 1, unread_for, reach, ..door });
    let client = ClientTls::new(&[authority.certificate_pem().as_bytes()], &world).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let begin = async || {
        let mut connection = Connection::from_tcp(connect_narrowly(server.address).await).unwrap();
        connection.start_tls_client(&client, &"localhost".parse().unwrap(), deadline).await.unwrap();
        connection
    };
    let mut deaf = begin().await;
    let request = b"GET /endless HTTP/1.1\r\nHost: any.example\r\n\r\n";
    deaf.write_all(request, deadline).await.unwrap();
    // There is one place: the next handshake succeeds when it is free.
    begin().await;
    drop(deaf);
}

#[tokio::test]
async fn handlers_know_who_calls_and_only_a_trusted_proxy_says_otherwise() {
    for (proxies, said, want) in [
        (&[][..], "192.0.2.7", "127.0.0.1"),
        (&["127.0.0.0/8"][..], "192.0.2.7", "192.0.2.7"),
        (&["127.0.0.0/8"][..], "rubbish", "cannot be read"),
        (&[][..], "rubbish", "127.0.0.1"),
    ] {
        let trusted_proxies = proxies.iter().map(|it| it.parse().unwrap()).collect();
        let server = start_door(|door| WebDoor { trusted_proxies, ..door });
        let request = format!(
            "GET /caller HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {said}\r\nConnection: close\r\n\r\n"
        );
        let answer = server.ask(&request).await;
        assert!(answer.contains(want), "{proxies:?} {said}: {answer}");
        assert_eq!(answer.starts_with("HTTP/1.1 400"), want.contains("read"), "{answer}");
    }
}

#[tokio::test]
async fn a_door_with_a_certificate_speaks_https_and_nothing_else() {
    let world = gatepost_core::World::real();
    let (authority, _) = Authority::generate(&world).unwrap();
    let issued = authority.issue(&["localhost".parse().unwrap()], &world).unwrap();
    let tls = ServerTls::from_issued(&issued, &world).unwrap();
    let server = start_door(|door| WebDoor { tls: Some(tls), reach: Reach::Any, ..door });
    let client = ClientTls::new(&[authority.certificate_pem().as_bytes()], &world).unwrap();
    let mut connection = Connection::from_tcp(TcpStream::connect(server.address).await.unwrap()).unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    connection.start_tls_client(&client, &"localhost".parse().unwrap(), deadline).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n";
    connection.write_all(request, deadline).await.unwrap();
    let mut answer = Vec::new();
    while let Ok(bytes) = connection.fill(deadline).await {
        let n = bytes.len();
        if n == 0 {
            break;
        }
        answer.extend_from_slice(bytes);
        connection.consume(n);
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000; includeSubDomains"), "{answer}");
    // Plain HTTP gets no page there.
    assert!(!server.ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.contains("HTTP/1.1"));
}

#[tokio::test]
async fn a_file_has_an_address_that_changes_with_what_it_holds() {
    let (one, two) = (crate::Asset::new("text/css", &["a{}"]), crate::Asset::new("text/css", &["b{}"]));
    assert_ne!(one.address("style.css"), two.address("style.css"));
    assert!(
        one.address("style.css").starts_with("/assets/style-") && one.address("style.css").ends_with(".css")
    );
}
