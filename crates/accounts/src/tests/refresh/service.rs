//! An OAuth service on loopback that rotates its refresh tokens, and misbehaves as a test wants.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does with the next refresh.
#[derive(Clone, Debug, Default)]
pub(super) enum Mood {
    /// A new access token and a new refresh token.
    #[default]
    Rotates,
    /// A new access token alone.
    Keeps,
    /// The token is used up, and the answer never arrives.
    LosesItsAnswer,
    /// This status and body.
    Says(u16, &'static str),
}

#[derive(Default)]
struct State {
    /// Refresh tokens that are taken, the newest last.
    living: Vec<String>,
    n_refreshes: usize,
    mood: Mood,
    /// An older refresh token lives until the newer one was used.
    is_lenient: bool,
    asked: Vec<String>,
}

pub(super) struct Service {
    pub(super) base: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            living: vec!["refresh-0".to_owned()],
            is_lenient: true,
            ..State::default()
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

    pub(super) fn feels(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// Reuse of a refresh token that was rotated is refused.
    pub(super) fn is_strict(&self) {
        self.state.lock().unwrap().is_lenient = false;
    }

    /// Somebody has taken the permission back.
    pub(super) fn revoke(&self) {
        self.state.lock().unwrap().living.clear();
    }

    pub(super) fn n_refreshes(&self) -> usize {
        self.state.lock().unwrap().n_refreshes
    }

    /// What was asked last.
    pub(super) fn asked(&self) -> String {
        self.state.lock().unwrap().asked.last().cloned().unwrap_or_default()
    }

    /// How often anything was asked.
    pub(super) fn n_asked(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }
}

async fn answer(mut socket: TcpStream, state: Arc<Mutex<State>>) {
    let Some(body) = request(&mut socket).await else { return };
    let reply = reply(&mut state.lock().unwrap(), body);
    if let Some((status, body)) = reply {
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nRetry-After: 7\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(format!("{head}{body}").as_bytes()).await;
    }
    let _ = socket.shutdown().await;
}

async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        let mut bytes = [0; 4_096];
        let Ok(n @ 1..) = socket.read(&mut bytes).await else { return None };
        request.extend_from_slice(&bytes[..n]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|it| it.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(body.to_owned());
        }
    }
}

/// The status and the body; none where the connection ends without an answer.
fn reply(state: &mut State, body: String) -> Option<(u16, String)> {
    let token = body.split('&').find_map(|it| it.strip_prefix("refresh_token=")).map(str::to_owned);
    state.asked.push(body);
    if let Mood::Says(status, words) = state.mood {
        return Some((status, words.to_owned()));
    }
    let place = state.living.iter().position(|it| Some(it) == token.as_ref());
    let Some(place) = place else {
        return Some((
            400,
            r#"{"error":"invalid_grant","error_description":"The token was revoked"}"#.into(),
        ));
    };
    // Whoever uses a token has got it: what came before it is over.
    state.living.drain(..place);
    state.n_refreshes += 1;
    let n = state.n_refreshes;
    let access = format!(r#""access_token":"access-{n}","token_type":"Bearer","expires_in":3600"#);
    if matches!(state.mood, Mood::Keeps) {
        return Some((200, format!("{{{access}}}")));
    }
    state.living.push(format!("refresh-{n}"));
    if !state.is_lenient {
        state.living.remove(0);
    }
    if matches!(state.mood, Mood::LosesItsAnswer) {
        return None;
    }
    Some((200, format!(r#"{{{access},"refresh_token":"refresh-{n}"}}"#)))
}
