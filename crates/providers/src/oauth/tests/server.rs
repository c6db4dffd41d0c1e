//! A real HTTP server on loopback that says what a test wants.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

/// Bytes as they go out, or a way to misbehave.
#[derive(Clone)]
pub(super) enum Says {
    Bytes(Vec<u8>),
    /// These, and then the connection stays open without another byte.
    ThenSilence(Vec<u8>),
    /// A body that never ends.
    Endless,
}

pub(super) struct Server {
    pub(super) base: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn that_says(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(socket, says.clone(), log.clone()));
            }
        });
        Self { base, asked, task }
    }

    pub(super) async fn with(status: u16, headers: &str, body: &str) -> Self {
        Self::that_says(Says::Bytes(response(status, headers, body))).await
    }

    /// A JSON answer.
    pub(super) async fn json(status: u16, body: &str) -> Self {
        Self::with(status, "Content-Type: application/json\r\n", body).await
    }

    /// What was sent to it, whole requests.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

pub(super) fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn answer(mut socket: TcpStream, says: Says, log: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    loop {
        let mut bytes = [0; 4_096];
        let Ok(n @ 1..) = socket.read(&mut bytes).await else { return };
        request.extend_from_slice(&bytes[..n]);
        // RFC 8446 §5.1: a handshake, which this server does not speak.
        if request[0] == 22 {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            return;
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|it| it.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                log.lock().unwrap().push(text);
                break;
            }
        }
    }
    match says {
        Says::Bytes(bytes) => {
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
        }
        Says::ThenSilence(bytes) => {
            let _ = socket.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Says::Endless => {
            let head =
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = socket.write_all(head).await;
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
            while socket.write_all(chunk.as_bytes()).await.is_ok() {}
        }
    }
}
