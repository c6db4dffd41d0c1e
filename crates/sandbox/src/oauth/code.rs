//! Authorization codes (RFC 6749 §4.1.2): good once, for ten minutes, for whoever asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gatepost_core::{EmailAddress, SecretText, Timestamp, World};

use super::token::generate;
use super::{AuthorizationRequest, Digest, GrantId, Scope};

const GOOD_FOR: Duration = Duration::from_secs(600);

/// Codes that nobody has come for.
const MOST: usize = 10_000;

/// What a code stands for.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(super) client_id: String,
    pub(super) redirect: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
    pub(super) account: EmailAddress,
    pub(super) scopes: Vec<Scope>,
}

impl Code {
    pub(crate) fn new(request: &AuthorizationRequest, account: EmailAddress, scopes: Vec<Scope>) -> Self {
        Self {
            client_id: request.client.id.clone(),
            redirect: request.redirect_text.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            account,
            scopes,
        }
    }
}

/// The codes that are out.
pub(crate) struct Codes {
    world: World,
    issued: Mutex<HashMap<Digest, Issued>>,
}

struct Issued {
    expires_at: Timestamp,
    state: State,
}

enum State {
    Waiting(Code),
    /// Somebody has it, and no grant came of it.
    Taken,
    Used(GrantId),
}

/// What comes of a code.
pub(super) enum Redeemed {
    Code(Code),
    /// It was used before, for this grant, which must end (RFC 6749 §4.1.2).
    Again(GrantId),
    Unknown,
}

impl Codes {
    pub(super) fn new(world: &World) -> Self {
        Self { world: world.clone(), issued: Mutex::default() }
    }

    pub(crate) fn issue(&self, code: Code) -> SecretText {
        let text = generate(&self.world, "code-");
        let now = self.world.now();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued.retain(|_, it| now < it.expires_at);
        if issued.len() < MOST {
            let new = Issued { expires_at: now + GOOD_FOR, state: State::Waiting(code) };
            issued.insert(Digest::of(text.reveal()), new);
        }
        text
    }

    /// Takes a code out: nobody else gets it.
    pub(super) fn redeem(&self, text: &str) -> Redeemed {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.world.now();
        let found = issued.get_mut(&Digest::of(text)).filter(|it| now < it.expires_at);
        let Some(found) = found else { return Redeemed::Unknown };
        match std::mem::replace(&mut found.state, State::Taken) {
            State::Waiting(code) => Redeemed::Code(code),
            State::Used(grant) => {
                found.state = State::Used(grant);
                Redeemed::Again(grant)
            }
            State::Taken => Redeemed::Unknown,
        }
    }

    /// Remembers what came of a code, until it would have ended.
    pub(super) fn note(&self, text: &str, grant: GrantId) {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = issued.get_mut(&Digest::of(text)) {
            found.state = State::Used(grant);
        }
    }
}
