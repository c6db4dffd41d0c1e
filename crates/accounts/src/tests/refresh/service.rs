//! An OAuth service on loopback that rotates its refresh tokens, and misbehaves as a test wants.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::oneshot;

use crate::tests::http::{Answer, Http};

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
    /// Holds the next answer.
    held: Option<Held>,
}

/// Says that the service has done what it was asked for; its answer leaves when it is let go.
struct Held {
    is_done: oneshot::Sender<()>,
    let_go: oneshot::Receiver<()>,
}

pub(super) struct Service {
    pub(super) base: String,
    state: Arc<Mutex<State>>,
    _http: Http,
}

impl Service {
    pub(super) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            living: vec!["refresh-0".to_owned()],
            is_lenient: true,
            ..State::default()
        }));
        let shared = Arc::clone(&state);
        let http = Http::start(move |asked| {
            let (reply, held) = {
                let mut state = shared.lock().unwrap();
                (reply(&mut state, asked.body), state.held.take())
            };
            async move {
                if let Some(it) = held {
                    it.is_done.send(()).unwrap();
                    let _ = it.let_go.await;
                }
                reply
            }
        });
        let http = http.await;
        Self { base: http.base.clone(), state, _http: http }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn feels(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Reuse of a refresh token that was rotated is refused.
    pub(super) fn is_strict(&self) {
        self.state().is_lenient = false;
    }

    /// Somebody has taken the permission back.
    pub(super) fn revoke(&self) {
        self.state().living.clear();
    }

    /// The newest refresh token is gone, as after a backup was restored there.
    pub(super) fn forget_the_newest(&self) {
        self.state().living.pop();
    }

    /// The next refresh is done, and answered when the second one is sent: the first one tells of it.
    pub(super) fn hold_the_next_answer(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (is_done, done) = oneshot::channel();
        let (go, let_go) = oneshot::channel();
        self.state().held = Some(Held { is_done, let_go });
        (done, go)
    }

    pub(super) fn n_refreshes(&self) -> usize {
        self.state().n_refreshes
    }

    /// What was asked last.
    pub(super) fn asked(&self) -> String {
        self.state().asked.last().cloned().unwrap_or_default()
    }

    /// How often anything was asked.
    pub(super) fn n_asked(&self) -> usize {
        self.state().asked.len()
    }
}

fn reply(state: &mut State, body: String) -> Answer {
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
