//! A door before the sandbox's token endpoint: it knows every token that passes, counts, holds requests and answers back, and
//! can answer as a provider that repeats what it was told.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Longer than anybody takes to come, also on a machine that does other things.
const COMES_WITHIN: Duration = Duration::from_secs(60);

/// Where a refresh stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The sandbox has not heard of it.
    Request,
    /// The sandbox has done its part.
    Answer,
}

/// Told of an access token before whoever asked for it has it.
type Hook = Arc<dyn Fn(&str) + Send + Sync>;

/// Open from the start. Its threads end with the test.
pub(crate) struct TokenDoor {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    sandbox: String,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Accounts by each refresh token that was handed out.
    owners: HashMap<String, String>,
    /// Accounts, with all tokens of both kinds.
    tokens: Vec<(String, String)>,
    n_refreshes: HashMap<String, usize>,
    hooks: HashMap<String, Hook>,
    /// What is to be held next.
    holds: HashMap<String, Hold>,
    held: Vec<String>,
    /// Whose last answer was read to its end.
    taken: Vec<String>,
    /// Codes that were exchanged for an error that repeats them.
    spoilt_codes: Option<Vec<String>>,
    /// Whose refreshes are answered with status and error, and the token that they brought.
    echoes: HashMap<String, (u16, &'static str)>,
}

impl TokenDoor {
    /// One before the pages of a sandbox.
    pub(crate) fn before(pages: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let sandbox = pages.strip_prefix("http://").unwrap().to_owned();
        let shared = Arc::new(Shared { sandbox, state: Mutex::default(), changed: Condvar::new() });
        let at_door = shared.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let at_door = at_door.clone();
                // Whoever was held may be gone when it is let go.
                thread::spawn(move || socket.and_then(|it| at_door.answer(&it)));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/oauth2/token", self.address)
    }

    /// The next refresh of this account stands still there.
    pub(crate) fn hold(&self, account: &str, at: Hold) {
        self.shared.state.lock().unwrap().holds.insert(account.to_owned(), at);
    }

    /// Waits until it does.
    #[track_caller]
    pub(crate) fn await_held(&self, account: &str) {
        let state = self.shared.state.lock().unwrap();
        let is_awaited = |it: &mut State| it.held.iter().all(|it| it != account);
        let waited = self.shared.changed.wait_timeout_while(state, COMES_WITHIN, is_awaited);
        assert!(!waited.unwrap().1.timed_out(), "no refresh of {account}");
    }

    pub(crate) fn let_go(&self, account: &str) {
        self.shared.state.lock().unwrap().held.retain(|it| it != account);
        self.shared.changed.notify_all();
    }

    /// Lets a held answer go, and waits until it was read: the client has all of it in hand.
    #[track_caller]
    pub(crate) fn hand_over(&self, account: &str) {
        let mut state = self.shared.state.lock().unwrap();
        state.taken.retain(|it| it != account);
        state.held.retain(|it| it != account);
        self.shared.changed.notify_all();
        let is_awaited = |it: &mut State| it.taken.iter().all(|it| it != account);
        let waited = self.shared.changed.wait_timeout_while(state, COMES_WITHIN, is_awaited);
        assert!(!waited.unwrap().1.timed_out(), "{account} did not read the answer");
    }

    /// From now on `hook` is told of each access token of this account, before whoever asked for it has it.
    pub(crate) fn on_access(&self, account: &str, hook: impl Fn(&str) + Send + Sync + 'static) {
        self.shared.state.lock().unwrap().hooks.insert(account.to_owned(), Arc::new(hook));
    }

    /// From now on codes are exchanged for errors that repeat them.
    pub(crate) fn echo_codes(&self) {
        self.shared.state.lock().unwrap().spoilt_codes = Some(Vec::new());
    }

    /// Those codes.
    pub(crate) fn spoilt_codes(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().spoilt_codes.clone().unwrap_or_default()
    }

    /// From now on refreshes of this account get an error whose text repeats the token.
    pub(crate) fn echo(&self, account: &str, status: u16, error: &'static str) {
        self.shared.state.lock().unwrap().echoes.insert(account.to_owned(), (status, error));
    }

    /// How many refreshes of this account have come.
    pub(crate) fn n_refreshes(&self, account: &str) -> usize {
        self.shared.state.lock().unwrap().n_refreshes.get(account).copied().unwrap_or_default()
    }

    /// All tokens that were handed out to this account, the newest last.
    pub(crate) fn tokens(&self, account: &str) -> Vec<String> {
        let state = self.shared.state.lock().unwrap();
        state.tokens.iter().filter(|(owner, _)| owner == account).map(|(_, it)| it.clone()).collect()
    }
}

impl Shared {
    fn answer(&self, mut socket: &TcpStream) -> io::Result<()> {
        let body = read_request(socket)?;
        let field = |wanted: &str| {
            let mut fields = url::form_urlencoded::parse(&body);
            fields.find(|(name, _)| name == wanted).map(|(_, it)| it.into_owned())
        };
        if let Some(code) = field("code").filter(|it| self.spoil(it)) {
            let verifier = field("code_verifier").unwrap_or_default();
            return refuse(socket, 400, "invalid_request", &format!("{code} {verifier}"));
        }
        let refreshed = field("refresh_token");
        let account = refreshed.as_ref().and_then(|it| self.come(it));
        if let Some((account, presented)) = account.as_ref().zip(refreshed)
            && let Some((status, error)) = self.echo_of(account)
        {
            return refuse(socket, status, error, &presented);
        }
        if let Some(account) = &account {
            self.stand_still(account, Hold::Request);
        }
        let answer = self.ask_sandbox(&body)?;
        self.note(&answer);
        if let Some(account) = &account {
            self.stand_still(account, Hold::Answer);
        }
        socket.write_all(&answer)?;
        // RFC 9112 §9.6: whoever was told that the connection closes does so once the answer is read.
        let is_read = socket.read(&mut [0]).is_ok_and(|n| n == 0);
        if let Some(account) = account.filter(|_| is_read) {
            self.state.lock().unwrap().taken.push(account);
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Whether this code is exchanged for an error; from now on it is known.
    fn spoil(&self, code: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        state.spoilt_codes.as_mut().map(|it| it.push(code.to_owned())).is_some()
    }

    /// Counts a refresh, and says whose it is.
    fn come(&self, presented: &str) -> Option<String> {
        let mut state = self.state.lock().unwrap();
        let account = state.owners.get(presented).cloned()?;
        *state.n_refreshes.entry(account.clone()).or_default() += 1;
        Some(account)
    }

    fn echo_of(&self, account: &str) -> Option<(u16, &'static str)> {
        self.state.lock().unwrap().echoes.get(account).copied()
    }

    fn stand_still(&self, account: &str, at: Hold) {
        let mut state = self.state.lock().unwrap();
        if state.holds.get(account) != Some(&at) {
            return;
        }
        state.holds.remove(account);
        state.held.push(account.to_owned());
        self.changed.notify_all();
        let is_held = |it: &mut State| it.held.iter().any(|it| it == account);
        drop(self.changed.wait_while(state, is_held).unwrap());
    }

    fn ask_sandbox(&self, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut socket = TcpStream::connect(&self.sandbox)?;
        write!(
            socket,
            "POST /oauth2/token HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.sandbox,
            body.len()
        )?;
        socket.write_all(body)?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        Ok(answer)
    }

    /// The ID token beside them says whose tokens these are.
    fn note(&self, answer: &[u8]) {
        let text = String::from_utf8_lossy(answer);
        let Some((_, body)) = text.split_once("\r\n\r\n") else { return };
        let Ok(body) = serde_json::from_str::<Value>(body) else { return };
        let Some(id_token) = body["id_token"].as_str() else { return };
        let claims = URL_SAFE_NO_PAD.decode(id_token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let account = claims["email"].as_str().unwrap().to_owned();
        let mut state = self.state.lock().unwrap();
        for key in ["access_token", "refresh_token"] {
            if let Some(token) = body[key].as_str() {
                state.tokens.push((account.clone(), token.to_owned()));
            }
        }
        let hook = state.hooks.get(&account).cloned();
        if let Some(token) = body["refresh_token"].as_str() {
            state.owners.insert(token.to_owned(), account);
        }
        drop(state);
        if let Some((hook, token)) = hook.zip(body["access_token"].as_str()) {
            hook(token);
        }
    }
}

/// An error that repeats a secret.
fn refuse(mut socket: &TcpStream, status: u16, error: &str, secret: &str) -> io::Result<()> {
    let said = format!("What you sent ({secret}) is not welcome; write to help@sandbox.test");
    let text = json!({ "error": error, "error_description": said }).to_string();
    let length = text.len();
    write!(
        socket,
        "HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

/// The form that a client sends.
fn read_request(socket: &TcpStream) -> io::Result<Vec<u8>> {
    let mut lines = BufReader::new(socket);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body)?;
    Ok(body)
}
