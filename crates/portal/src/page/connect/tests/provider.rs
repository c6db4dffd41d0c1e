//! A provider on loopback: tokens for codes, who signed in, and a server that takes letters.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it says.
pub(super) struct Says {
    /// Who signs in: subject and address.
    pub(super) who: (&'static str, &'static str),
    /// What is granted, where it says so.
    pub(super) scope: Option<&'static str>,
    /// The answer to a sign-in at the server.
    pub(super) sign_in: &'static str,
    /// Codes that were exchanged.
    pub(super) codes: Vec<String>,
}

pub(super) struct Provider {
    pub(super) base: String,
    pub(super) smtp_port: u16,
    says: Arc<Mutex<Says>>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Provider {
    pub(super) async fn start() -> Self {
        let [web, smtp] = [
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        ];
        let base = format!("http://{}", web.local_addr().unwrap());
        let smtp_port = smtp.local_addr().unwrap().port();
        let says = Arc::new(Mutex::new(Says {
            who: ("7", "reception@praxis.test"),
            scope: None,
            sign_in: "235 2.7.0 welcome",
            codes: Vec::new(),
        }));
        let (for_web, for_smtp) = (Arc::clone(&says), Arc::clone(&says));
        let tasks = [
            tokio::spawn(async move {
                loop {
                    let (socket, _) = web.accept().await.unwrap();
                    tokio::spawn(answer(socket, Arc::clone(&for_web)));
                }
            }),
            tokio::spawn(async move {
                loop {
                    let (socket, _) = smtp.accept().await.unwrap();
                    tokio::spawn(take_letters(socket, Arc::clone(&for_smtp)));
                }
            }),
        ];
        Self { base, smtp_port, says, tasks }
    }

    pub(super) fn says(&self) -> MutexGuard<'_, Says> {
        self.says.lock().unwrap()
    }
}

async fn answer(mut socket: TcpStream, says: Arc<Mutex<Says>>) {
    let mut request = String::new();
    // What comes is short, and its last field is no longer than what stands before it.
    while !request.contains("\r\n\r\n") || (request.starts_with("POST") && !is_whole(&request)) {
        let mut bytes = [0; 4_096];
        let Ok(n @ 1..) = socket.read(&mut bytes).await else { return };
        request.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
    let said = said(&mut says.lock().unwrap(), &request);
    let length = said.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    let _ = socket.write_all(format!("{head}{said}").as_bytes()).await;
    let _ = socket.shutdown().await;
}

fn is_whole(request: &str) -> bool {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or_default()
}

fn said(says: &mut Says, request: &str) -> String {
    if request.contains("/userinfo") {
        return format!(r#"{{"sub":"{}","email":"{}"}}"#, says.who.0, says.who.1);
    }
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let code = body.split('&').find_map(|it| it.strip_prefix("code=")).unwrap_or("none");
    says.codes.push(code.to_owned());
    let n = says.codes.len();
    let scope = says.scope.map_or_else(String::new, |it| format!(r#","scope":"{it}""#));
    format!(
        r#"{{"access_token":"access-{n}","refresh_token":"refresh-{n}","token_type":"Bearer","expires_in":3600{scope}}}"#
    )
}

async fn take_letters(mut socket: TcpStream, says: Arc<Mutex<Says>>) {
    let (reading, mut writing) = socket.split();
    let mut lines = BufReader::new(reading).lines();
    let _ = writing.write_all(b"220 provider.test ESMTP\r\n").await;
    let mut is_letter = false;
    while let Ok(Some(line)) = lines.next_line().await {
        let reply = match line.as_str() {
            "." if is_letter => {
                is_letter = false;
                "250 2.0.0 taken".to_owned()
            }
            _ if is_letter => continue,
            "DATA" => {
                is_letter = true;
                "354 go on".to_owned()
            }
            "QUIT" => "221 2.0.0 bye".to_owned(),
            it if it.starts_with("EHLO") => {
                "250-provider.test\r\n250 AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER".to_owned()
            }
            it if it.starts_with("AUTH") => says.lock().unwrap().sign_in.to_owned(),
            _ => "250 2.1.0 well".to_owned(),
        };
        if writing.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
