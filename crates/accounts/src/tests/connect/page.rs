//! An OAuth service on loopback: exchanges codes, says who signed in, refreshes, and takes tokens back.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::tests::http::Http;

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
    _http: Http,
}

impl Page {
    pub(super) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            who: ("7", "reception@example.org"),
            scope: None,
            gives_refresh_token: true,
            refuses: None,
            used: Vec::new(),
            revoked: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let http = Http::start(move |asked| {
            let said = said(&mut shared.lock().unwrap(), &asked.path, &asked.body);
            async move { Some(said) }
        });
        let http = http.await;
        Self { base: http.base.clone(), state, _http: http }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
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
