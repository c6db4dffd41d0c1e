//! An application that can also misbehave.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatepost_net::{Connection, LineEnd, ReadError};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::house::House;

/// One connection to the server.
pub(crate) struct Client(pub(crate) Connection);

/// Long enough for a slow machine; a test that waits for it has failed.
pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn plain(user: &str, password: &str) -> String {
    base64(format!("\0{user}\0{password}"))
}

impl Client {
    /// To the STARTTLS door; the greeting is not read yet.
    pub(crate) async fn connect(house: &House) -> Self {
        Self(Connection::from_tcp(TcpStream::connect(house.starttls).await.unwrap()).unwrap())
    }

    /// To the TLS door, behind the greeting.
    pub(crate) async fn connect_tls(house: &House) -> Self {
        let mut client = Self(Connection::from_tcp(TcpStream::connect(house.tls).await.unwrap()).unwrap());
        client.begin_tls(house).await;
        client.expect("220 mail.example.test ESMTP Gatepost\r\n").await;
        client
    }

    pub(crate) async fn begin_tls(&mut self, house: &House) {
        let name = "mail.example.test".parse().unwrap();
        self.0.start_tls_client(&house.client_tls, &name, soon()).await.unwrap();
    }

    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) {
        self.send("EHLO client.test\r\n").await;
        assert!(self.reply().await.contains("AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER"));
        self.send(&format!("AUTH PLAIN {}\r\n", plain(user, password))).await;
        self.expect("235 2.7.0 Signed in\r\n").await;
    }

    /// Writes in one piece: one segment, one TLS record.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref(), soon()).await.unwrap();
    }

    /// Writes each piece as a segment or record of its own, so that the server reads them one by one. The server may close
    /// meanwhile; tells how many pieces it let in.
    pub(crate) async fn send_pieces<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>) -> usize {
        let mut n_sent = 0;
        for piece in pieces.into_iter().filter(|it| !it.is_empty()) {
            if self.0.write_all(piece, soon()).await.is_err() {
                break;
            }
            n_sent += 1;
        }
        n_sent
    }

    /// All lines of the next reply.
    pub(crate) async fn reply(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let line = self.0.read_line(2_048, LineEnd::Crlf, soon()).await.unwrap();
            let line = std::str::from_utf8(&line).unwrap();
            reply.push_str(line);
            reply.push_str("\r\n");
            if line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    /// The next reply as its code alone.
    pub(crate) async fn code(&mut self) -> u16 {
        self.reply().await[..3].parse().unwrap()
    }

    #[track_caller]
    pub(crate) fn expect<'a>(&'a mut self, want: &'a str) -> impl Future<Output = ()> + 'a {
        let here = std::panic::Location::caller();
        async move { assert_eq!(self.reply().await, want, "at {here}") }
    }

    /// Sends a line and reads the reply.
    pub(crate) async fn ask(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// From EHLO on, up to the 354.
    pub(crate) async fn open_data(&mut self) {
        self.send("MAIL FROM:<reception@example.test>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n").await;
        self.expect("250 2.1.0 OK\r\n").await;
        self.expect("250 2.1.5 OK\r\n").await;
        assert_eq!(self.code().await, 354);
    }

    /// A whole letter by DATA; the reply to it.
    pub(crate) async fn send_letter(&mut self, message: impl AsRef<[u8]>) -> String {
        self.open_data().await;
        self.send([message.as_ref(), b"\r\n.\r\n"].concat()).await;
        self.reply().await
    }

    /// Everything until the server closes.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        loop {
            match self.0.fill(soon()).await {
                Ok(bytes) => rest.extend_from_slice(bytes),
                Err(ReadError::TimedOut) => panic!("the server does not close; it said {rest:?}"),
                Err(_) => return String::from_utf8(rest).unwrap(),
            }
            self.0.consume(usize::MAX / 2);
        }
    }

    /// As [`Client::rest`], where TLS alerts may be among it.
    pub(crate) async fn rest_lossy(&mut self) -> String {
        let mut rest = Vec::new();
        while let Ok(bytes) = self.0.fill(soon()).await {
            rest.extend_from_slice(bytes);
            self.0.consume(usize::MAX / 2);
        }
        String::from_utf8_lossy(&rest).into_owned()
    }
}
