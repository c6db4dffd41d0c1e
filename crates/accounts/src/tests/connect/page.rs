//! An OAuth service on loopback: exchanges codes, says who signed in, refreshes, and takes tokens back.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it says next.
pub(super) struct State {
    /// Who signs in: subject and address.
    pub(super) who: (&'static str, &'static str),
    /// What is granted, where it says so.
    pub(super) scope: Option<&'static str>,
    /// Without one a grant lasts an hour.
    pub(super) gives_refresh_token: bool,
    /// This status and body instead of a token.
    pub(super) refuses: Option<(u16, &'static str)>,
    /// Codes and refresh tokens that were used, in their order.
    pub(super) used: Vec<String>,
    /// Tokens that were taken back.
    pub(super) revoked: Vec<String>,
}

pub(super) struct Page {
    pub(super) base: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Page {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            who: ("7", "reception@example.org"),
            scope: None,
            gives_refresh_token: true,
            refuses: None,
            used: Vec::new(),
            revoked: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(socket, Arc::clone(&shared)));
            }
        });
        Self { base, state, task }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

async fn answer(mut socket: TcpStream, state: Arc<Mutex<State>>) {
    let mut request = Vec::new();
    let (head, body) = loop {
        let mut bytes = [0; 4_096];
        let Ok(n @ 1..) = socket.read(&mut bytes).await else { return };
        request.extend_from_slice(&bytes[..n]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|it| it.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, said) = said(&mut state.lock().unwrap(), &path, &body);
    let reply = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{said}",
        said.len()
    );
    let _ = socket.write_all(reply.as_bytes()).await;
    let _ = socket.shutdown().await;
}

fn said(state: &mut State, path: &str, body: &str) -> (u16, String) {
    let field = |name: &str| {
        let prefix = format!("{name}=");
        body.split('&').find_map(|it| it.strip_prefix(&prefix)).map(str::to_owned)
    };
    match path {
        "/userinfo" => (200, format!(r#"{{"sub":"{}","email":"{}"}}"#, state.who.0, state.who.1)),
        "/revoke" => {
            state.revoked.extend(field("token"));
            (200, "{}".into())
        }
        _ => {
            if let Some((status, body)) = state.refuses {
                return (status, body.to_owned());
            }
            let Some(used) = field("code").or_else(|| field("refresh_token")) else {
                return (400, "{}".into());
            };
            if state.used.contains(&used) {
                return (400, r#"{"error":"invalid_grant"}"#.into());
            }
            state.used.push(used);
            let n = state.used.len();
            let scope = state.scope.map_or_else(String::new, |it| format!(r#","scope":"{it}""#));
            let refresh = if state.gives_refresh_token {
                format!(r#","refresh_token":"refresh-{n}""#)
            } else {
                String::new()
            };
            let token = format!(r#""access_token":"access-{n}","token_type":"Bearer","expires_in":3600"#);
            (200, format!("{{{token}{scope}{refresh}}}"))
        }
    }
}
