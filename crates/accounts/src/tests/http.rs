//! An HTTP service on loopback that answers as a test says.

use std::future::Future;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a client wants.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) body: String,
}

/// A status and a body of JSON; none where the connection ends without an answer.
pub(super) type Answer = Option<(u16, String)>;

pub(super) struct Http {
    pub(super) base: String,
    task: JoinHandle<()>,
}

impl Drop for Http {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Http {
    pub(super) async fn start<F>(answer: impl Fn(Asked) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        let task = tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let Some(asked) = read(&mut socket).await else { return };
                    if let Some((status, body)) = answer(asked).await {
                        write(&mut socket, status, &body).await;
                    }
                    let _ = socket.shutdown().await;
                });
            }
        });
        Self { base, task }
    }
}

async fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut request = Vec::new();
    loop {
        let mut bytes = [0; 4_096];
        let Ok(n @ 1..) = socket.read(&mut bytes).await else { return None };
        request.extend_from_slice(&bytes[..n]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|it| it.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            return Some(Asked { path, body: body.to_owned() });
        }
    }
}

async fn write(socket: &mut TcpStream, status: u16, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nRetry-After: 7\r\nContent-Length: {length}\r\n\r\n"
    );
    let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
}
