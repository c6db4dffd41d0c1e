//! What the tests of this room share.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gatepost_core::{Clock, OsRandom, Timestamp, World};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::authority::Authority;
use crate::connection::Connection;
use crate::host::Host;
use crate::tls::{ClientTls, ServerTls};

/// The time of day in these tests: 2026-11-21, noon.
pub(crate) const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);

struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(crate) fn world_at(now: Timestamp) -> World {
    World::new(Arc::new(Stopped(now)), Arc::new(OsRandom))
}

/// Long enough for a slow machine; a test that waits for it has failed.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(crate) async fn local_listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The two ends of one connection: ours, and a bare socket.
pub(crate) async fn half_pair() -> (Connection, TcpStream) {
    let (listener, address) = local_listener().await;
    let (theirs, ours) = tokio::join!(TcpStream::connect(address), listener.accept());
    let theirs = theirs.unwrap();
    theirs.set_nodelay(true).unwrap();
    (Connection::from_tcp(ours.unwrap().0).unwrap(), theirs)
}

/// The two ends of one connection.
pub(crate) async fn pair() -> (Connection, Connection) {
    let (ours, theirs) = half_pair().await;
    (ours, Connection::from_tcp(theirs).unwrap())
}

pub(crate) fn host(text: &str) -> Host {
    text.parse().unwrap()
}

/// A server for `name` and a client that trusts its authority.
pub(crate) fn trusting(name: &str) -> (ServerTls, ClientTls) {
    let world = world_at(NOON);
    let (authority, _key) = Authority::generate(&world).unwrap();
    let server = ServerTls::from_issued(&authority.issue(&[host(name)], &world).unwrap(), &world).unwrap();
    let client = ClientTls::new(&[authority.certificate_pem().as_bytes()], &world).unwrap();
    (server, client)
}

/// Server and client end of one connection under TLS.
pub(crate) async fn tls_pair() -> (Connection, Connection) {
    let (server_tls, client_tls) = trusting("mail.example.org");
    let (mut server, mut client) = pair().await;
    let name = host("mail.example.org");
    let (one, two) = tokio::join!(
        server.start_tls_server(&server_tls, &[], soon()),
        client.start_tls_client(&client_tls, &name, soon()),
    );
    one.unwrap();
    two.unwrap();
    (server, client)
}
