//! What the tests of all doors stand on: a sandbox on free ports, with clients that say exactly what a test tells them.

use std::net::SocketAddr;
use std::time::Duration;

use gatepost_core::World;
use gatepost_net::{ClientTls, Connection, LineEnd, ReadError};
use gatepost_testkit::fresh_folder;
use gatepost_wire::smtp::{Reply, ReplyParser};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Lifetime, Sandbox, SandboxError, SandboxReady, SandboxSettings};

pub(crate) struct Testbed {
    pub(crate) data: TempDir,
    pub(crate) ready: SandboxReady,
    pub(crate) world: World,
    stop: CancellationToken,
    running: JoinHandle<Result<(), SandboxError>>,
}

pub(crate) fn settings(data: &TempDir) -> SandboxSettings {
    let free = "127.0.0.1:0".parse().unwrap();
    SandboxSettings {
        data: data.path().to_owned(),
        pages: free,
        smtp: free,
        imap: free,
        pop3: free,
        lifetime: Lifetime::Unlimited,
    }
}

impl Testbed {
    pub(crate) async fn start() -> Self {
        Self::start_in(fresh_folder(), gatepost_testkit::world().0).await
    }

    async fn start_in(data: TempDir, world: World) -> Self {
        let sandbox = Sandbox::start(settings(&data), &world).await.unwrap();
        let (ready, stop) = (sandbox.ready().clone(), CancellationToken::new());
        let running = tokio::spawn(sandbox.run(stop.clone()));
        Self { data, ready, world, stop, running }
    }

    /// Ends it, waits, and starts it again in the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        Self::start_in(self.data, self.world).await
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends it and waits; gives the folder.
    pub(crate) async fn stopped(self) -> TempDir {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        self.data
    }

    /// One request; the status and the body.
    pub(crate) async fn http(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let answer = self.ask(method, path, "", body).await;
        (answer.status, answer.body)
    }

    /// One request with more headers, each with its line end.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let answer = self.raw(method, path, headers, body).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// One request; all that comes until the connection ends.
    pub(crate) async fn raw(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let kind = if method == "POST" { "Content-Type: application/x-www-form-urlencoded\r\n" } else { "" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{kind}{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut socket = TcpStream::connect(self.ready.pages).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let (status, body) = self.http("GET", path, "").await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.page(path).await).unwrap()
    }

    pub(crate) async fn fault(&self, json: &str) {
        let (status, body) = self.http("PUT", "/api/faults", json).await;
        assert_eq!(status, 200, "{body}");
    }

    /// How many messages an address has.
    pub(crate) async fn n_messages(&self, address: &str) -> usize {
        self.json(&format!("/api/mailboxes/{address}/messages")).await.as_array().unwrap().len()
    }

    /// Connected, nothing read yet.
    pub(crate) async fn connect(&self) -> SmtpClient {
        self.connect_to(self.ready.smtp).await
    }

    /// The same at another door.
    pub(crate) async fn connect_to(&self, door: SocketAddr) -> SmtpClient {
        let pem = std::fs::read(&self.ready.certificate).unwrap();
        let tls = ClientTls::new(&[&pem], &self.world).unwrap();
        let socket = TcpStream::connect(door).await.unwrap();
        SmtpClient { connection: Connection::from_tcp(socket).unwrap(), tls }
    }

    /// Greeted, under TLS, EHLO said.
    pub(crate) async fn encrypted(&self) -> SmtpClient {
        let mut client = self.connect().await;
        client.expect(220).await;
        client.ask("EHLO app.test", 250).await;
        client.ask("STARTTLS", 220).await;
        client.start_tls().await;
        client.ask("EHLO app.test", 250).await;
        client
    }

    /// Signed in with the password `sandbox`.
    pub(crate) async fn signed_in(&self, address: &str) -> SmtpClient {
        let mut client = self.encrypted().await;
        client.ask(&plain(address, "sandbox"), 235).await;
        client
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.split("\r\n").filter_map(|it| it.split_once(": "));
        lines.into_iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// `AUTH PLAIN` with an initial response.
pub(crate) fn plain(user: &str, password: &str) -> String {
    format!("AUTH PLAIN {}", base64(&format!("\0{user}\0{password}")))
}

pub(crate) fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) struct SmtpClient {
    connection: Connection,
    tls: ClientTls,
}

impl SmtpClient {
    /// One line, of whatever protocol, without its end.
    pub(crate) async fn line(&mut self) -> Result<String, ReadError> {
        let line = self.connection.read_line(2_048, LineEnd::Crlf, Self::patience()).await?;
        Ok(String::from_utf8(line.to_vec()).unwrap())
    }

    fn patience() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    pub(crate) async fn start_tls(&mut self) {
        let host = "localhost".parse().unwrap();
        self.connection.start_tls_client(&self.tls, &host, Self::patience()).await.unwrap();
    }

    pub(crate) async fn send(&mut self, bytes: &str) {
        self.connection.queue(bytes.as_bytes());
        self.connection.flush(Self::patience()).await.unwrap();
    }

    pub(crate) async fn reply(&mut self) -> Result<Reply, ReadError> {
        let mut parser = ReplyParser::new();
        loop {
            let line = self.connection.read_line(2_048, LineEnd::Crlf, Self::patience()).await?;
            if let Some(reply) = parser.push(&line).unwrap() {
                return Ok(reply);
            }
        }
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, code: u16) -> impl Future<Output = String> {
        let asked = std::panic::Location::caller();
        async move {
            let reply = self.reply().await.unwrap_or_else(|error| panic!("{asked}: {error}"));
            assert_eq!(reply.code, code, "{asked}: {reply}");
            String::from_utf8(reply.raw).unwrap()
        }
    }

    /// Says a line and expects this code; gives the reply as it came.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str, code: u16) -> impl Future<Output = String> {
        let (asked, line) = (std::panic::Location::caller(), format!("{line}\r\n"));
        async move {
            self.send(&line).await;
            let reply = self.reply().await.unwrap_or_else(|error| panic!("{asked}: {line}: {error}"));
            assert_eq!(reply.code, code, "{asked}: {line}: {reply}");
            String::from_utf8(reply.raw).unwrap()
        }
    }

    /// Nothing more comes.
    pub(crate) async fn expect_end(&mut self) {
        let ended = self.reply().await;
        assert!(
            matches!(&ended, Err(ReadError::Closed | ReadError::Truncated | ReadError::Broken(_))),
            "{ended:?}"
        );
    }

    /// Sends a whole message, expecting this code at its end.
    #[track_caller]
    pub(crate) fn deliver(
        &mut self,
        from: &str,
        to: &str,
        message: &str,
        code: u16,
    ) -> impl Future<Output = String> {
        let lines = [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), "DATA".to_owned()];
        let message = format!("{message}\r\n.");
        async move {
            self.ask(&lines[0], 250).await;
            self.ask(&lines[1], 250).await;
            self.ask(&lines[2], 354).await;
            self.ask(&message, code).await
        }
    }
}
