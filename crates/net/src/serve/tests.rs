use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;
use crate::connection::LineEnd;
use crate::testing::{host, soon, trusting};
use crate::tls::ClientTls;

/// What is passed on before a panic: all of it has left, and a literal goes on.
const PASSED: &[u8] = b"* 1 FETCH (BODY[] {1000}\r\nSubject: x\r\n";

/// Answers each line with itself, in capitals; some lines do something else.
struct Echo {
    peers: Mutex<Vec<SocketAddr>>,
    saw_tls: AtomicBool,
}

impl Service for Echo {
    async fn talk(&self, connection: &mut Connection, ticket: &Ticket) {
        self.peers.lock().unwrap().push(connection.peer());
        self.saw_tls.store(connection.is_encrypted(), Ordering::SeqCst);
        while let Ok(line) = connection.read_line(100, LineEnd::Crlf, soon()).await {
            match &*line {
                b"panic" => panic!("a mistake"),
                b"panic while passing" => {
                    std::future::poll_fn(|context| connection.poll_send(context, PASSED)).await.unwrap();
                    std::future::poll_fn(|context| connection.poll_sent(context)).await.unwrap();
                    panic!("a mistake")
                }
                b"sign in" => ticket.mark_signed_in(),
                b"quit" => return connection.queue(b"bye\r\n"),
                _ => {}
            }
            connection.queue(&line.to_ascii_uppercase());
            connection.write_all(b"\r\n", soon()).await.unwrap();
        }
    }

    fn farewell(&self, why: Farewell) -> Cow<'static, [u8]> {
        Cow::Owned(format!("421 {why:?}\r\n").into_bytes())
    }
}

struct House {
    address: SocketAddr,
    service: Arc<Echo>,
    admission: Arc<Admission>,
    sessions: TaskTracker,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

fn open(limits: Limits, change: impl FnOnce(&mut Door)) -> House {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut door = Door { listener, implicit_tls: None, proxies: vec![] };
    change(&mut door);
    let address = door.address();
    let service = Arc::new(Echo { peers: Mutex::default(), saw_tls: AtomicBool::new(false) });
    let admission = Admission::new(limits);
    let (sessions, stop) = (TaskTracker::new(), CancellationToken::new());
    let task = tokio::spawn(serve(door, service.clone(), admission.clone(), sessions.clone(), stop.clone()));
    House { address, service, admission, sessions, stop, task }
}

impl House {
    async fn dial(&self) -> Connection {
        Connection::from_tcp(TcpStream::connect(self.address).await.unwrap()).unwrap()
    }

    /// Says `words` on a new connection and returns all that comes back.
    async fn say(&self, words: &[u8]) -> String {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        // A door that turned us away may be closed already.
        let _ignored = socket.write_all(words).await;
        let mut answer = String::new();
        let _reset = socket.read_to_string(&mut answer).await;
        answer
    }

    /// Ends only if no session is left behind.
    async fn close(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.sessions.close();
        tokio::time::timeout_at(soon(), self.sessions.wait()).await.unwrap();
        assert_eq!(self.admission.counts().n_open, 0);
    }
}

async fn exchange(connection: &mut Connection, words: &str) -> String {
    connection.write_all(format!("{words}\r\n").as_bytes(), soon()).await.unwrap();
    String::from_utf8(connection.read_line(100, LineEnd::Crlf, soon()).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn sessions_talk_and_end() {
    let house = open(Limits::default(), |_| {});
    let mut client = house.dial().await;
    assert_eq!(exchange(&mut client, "hello").await, "HELLO");
    assert_eq!(exchange(&mut client, "sign in").await, "SIGN IN");
    let counts = house.admission.counts();
    assert_eq!((counts.n_open, counts.n_signed_in), (1, 1));
    assert_eq!(exchange(&mut client, "quit").await, "bye", "what was queued at the end is still sent");
    drop(client);
    house.close().await;
}

/// SS-13. Loopback is exempt, so the flood comes through a proxy that names another source.
#[tokio::test]
async fn a_flood_from_one_source_is_turned_away_with_a_reason() {
    let limits = Limits { open_per_source: 2, ..Limits::default() };
    let house = open(limits, |door| door.proxies = vec!["127.0.0.0/8".parse().unwrap()]);
    let from = |client: &str| format!("PROXY TCP4 {client} 127.0.0.1 4000 587\r\n");
    let mut inside = Vec::new();
    for _ in 0..2 {
        let mut client = house.dial().await;
        client.queue(from("203.0.113.7").as_bytes());
        assert_eq!(exchange(&mut client, "hello").await, "HELLO");
        inside.push(client);
    }
    assert_eq!(house.say(from("203.0.113.7").as_bytes()).await, "421 TooManyFromHere\r\n");
    assert_eq!(house.say(format!("{}quit\r\n", from("203.0.113.8")).as_bytes()).await, "bye\r\n");
    drop(inside);
    house.close().await;
}

#[tokio::test]
async fn a_full_house_says_so() {
    let house = open(Limits { open_in_all: 1, ..Limits::default() }, |_| {});
    let mut first = house.dial().await;
    exchange(&mut first, "hello").await;
    assert_eq!(house.say(b"").await, "421 Full\r\n");
    assert_eq!(house.admission.counts().n_refused, 1);
    drop(first);
    house.close().await;
}

/// SS-22.
#[tokio::test]
async fn a_panic_ends_one_session_with_a_farewell_and_nothing_else() {
    let house = open(Limits::default(), |_| {});
    let mut other = house.dial().await;
    exchange(&mut other, "hello").await;
    assert_eq!(house.say(b"panic\r\n").await, "421 Panicked\r\n");
    assert_eq!(house.admission.counts().n_panics, 1);
    assert_eq!(exchange(&mut other, "still here").await, "STILL HERE");
    assert_eq!(exchange(&mut other, "quit").await, "bye");
    drop(other);
    house.close().await;
}

/// E1: a word of ours within a message would become a part of it.
#[tokio::test]
async fn a_panic_while_something_is_passed_on_ends_it_without_a_word() {
    let house = open(Limits::default(), |_| {});
    assert_eq!(house.say(b"panic while passing\r\n").await.as_bytes(), PASSED);
    assert_eq!(house.admission.counts().n_panics, 1);
    house.close().await;
}

#[tokio::test]
async fn a_door_with_implicit_tls_speaks_it_from_the_first_byte() {
    let (server_tls, client_tls) = trusting("mail.example.org");
    let house = open(Limits::default(), |door| door.implicit_tls = Some((server_tls, &["smtp"])));
    let mut client = encrypted(&house, &client_tls).await;
    assert_eq!(exchange(&mut client, "quit").await, "bye");
    assert!(house.service.saw_tls.load(Ordering::SeqCst));
    client.close(soon()).await;
    // Whoever speaks without TLS hears nothing but the alert.
    assert!(!house.say(b"EHLO client\r\nMAIL FROM:<>\r\n").await.contains("MAIL"));
    house.close().await;
}

async fn encrypted(house: &House, tls: &ClientTls) -> Connection {
    let mut client = house.dial().await;
    client.start_tls_client(tls, &host("mail.example.org"), soon()).await.unwrap();
    client
}

/// SS-21.
#[tokio::test]
async fn a_proxy_header_is_believed_only_from_a_listed_proxy() {
    let listed = open(Limits::default(), |door| door.proxies = vec!["127.0.0.1".parse().unwrap()]);
    let header = b"PROXY TCP6 2001:db8::5 2001:db8::6 4000 587\r\nquit\r\n";
    assert_eq!(listed.say(header).await, "bye\r\n");
    assert_eq!(listed.service.peers.lock().unwrap()[..], ["[2001:db8::5]:4000".parse().unwrap()]);
    assert_eq!(listed.say(b"EHLO client\r\n").await, "", "without a header nothing is said");
    assert_eq!(listed.service.peers.lock().unwrap().len(), 1);
    listed.close().await;

    let unlisted = open(Limits::default(), |_| {});
    assert!(unlisted.say(header).await.starts_with("PROXY TCP6"), "an ordinary line of an ordinary client");
    assert!(unlisted.service.peers.lock().unwrap()[0].ip().is_loopback());
    unlisted.close().await;
}

#[tokio::test]
async fn stopping_ends_listening_and_leaves_sessions_to_their_end() {
    let house = open(Limits::default(), |_| {});
    let mut client = house.dial().await;
    exchange(&mut client, "hello").await;
    house.stop.cancel();
    let address = house.address;
    let House { task, sessions, admission, .. } = house;
    task.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(exchange(&mut client, "still here").await, "STILL HERE");
    assert_eq!(exchange(&mut client, "quit").await, "bye");
    drop(client);
    sessions.close();
    sessions.wait().await;
    assert_eq!(admission.counts().n_open, 0);
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let first = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let error = Listener::bind(first.address()).err().unwrap();
    assert_eq!(error.to_string(), format!("port {} on 127.0.0.1 is in use", first.address().port()));
    let elsewhere = Listener::bind("192.0.2.1:0".parse().unwrap()).err().unwrap();
    assert_eq!(elsewhere.to_string(), "this computer does not have the address 192.0.2.1");
}

#[test]
fn trouble_of_one_connection_is_told_from_trouble_of_all() {
    assert!(is_of_one_connection(&io::ErrorKind::ConnectionAborted.into()));
    // EMFILE, ENFILE, ENOMEM.
    for errno in [24, 23, 12] {
        assert!(!is_of_one_connection(&io::Error::from_raw_os_error(errno)));
    }
}
