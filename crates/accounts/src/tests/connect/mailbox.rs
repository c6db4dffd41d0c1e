//! A mailbox's server for sending, on loopback and without encryption.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

#[derive(Default)]
struct State {
    /// Whoever brings one of these signs in.
    takes: Vec<String>,
    /// What it answers to a letter instead of taking it.
    refuses_letters: Option<&'static str>,
    letters: Vec<String>,
}

pub(super) struct Mailbox {
    pub(super) port: u16,
    state: Arc<Mutex<State>>,
    /// Greetings it may say; a server that hangs has none.
    pub(super) greetings: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Mailbox {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let greetings = Arc::new(Semaphore::new(1_000));
        let shared = (Arc::clone(&state), Arc::clone(&greetings));
        let task = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (state, greetings) = shared.clone();
                tokio::spawn(async move {
                    greetings.acquire().await.unwrap().forget();
                    let _ = serve(socket, state).await;
                });
            }
        });
        Self { port, state, greetings, task }
    }

    pub(super) fn takes(&self, secret: &str) {
        self.state.lock().unwrap().takes.push(secret.to_owned());
    }

    pub(super) fn refuses_letters(&self, reply: &'static str) {
        self.state.lock().unwrap().refuses_letters = Some(reply);
    }

    pub(super) fn letters(&self) -> Vec<String> {
        self.state.lock().unwrap().letters.clone()
    }
}

async fn serve(mut socket: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let (reading, mut writing) = socket.split();
    let mut lines = BufReader::new(reading).lines();
    writing.write_all(b"220 provider.example ESMTP\r\n").await?;
    let mut letter: Option<String> = None;
    while let Some(line) = lines.next_line().await? {
        if let Some(text) = &mut letter {
            if line != "." {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            let taken = letter.take().unwrap_or_default();
            state.lock().unwrap().letters.push(taken);
            writing.write_all(b"250 2.0.0 taken\r\n").await?;
            continue;
        }
        let reply = reply(&line, &state);
        letter = reply.starts_with("354").then(String::new);
        writing.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn reply(line: &str, state: &Mutex<State>) -> String {
    let state = state.lock().unwrap();
    let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    match word.as_str() {
        "EHLO" => "250-provider.example\r\n250 AUTH PLAIN XOAUTH2".into(),
        "AUTH" => {
            let initial = line.rsplit(' ').next().unwrap_or_default();
            let said = String::from_utf8_lossy(&STANDARD.decode(initial).unwrap_or_default()).into_owned();
            let is_taken = state.takes.iter().any(|it| said.contains(it.as_str()));
            if is_taken { "235 2.7.0 welcome".into() } else { "535 5.7.8 Bad credentials".into() }
        }
        "MAIL" => state.refuses_letters.unwrap_or("250 2.1.0 ok").to_owned(),
        "DATA" => "354 go on".into(),
        "QUIT" => "221 bye".into(),
        _ => "250 2.0.0 ok".into(),
    }
}
