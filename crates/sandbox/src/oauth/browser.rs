//! Which browser has signed in as whom.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};
use gatepost_core::{EmailAddress, SecretText, World};

use super::Digest;
use super::token::generate;

/// Browsers share cookies between the ports of one name, so this one must not look like Gatepost's own.
const COOKIE: &str = "sandbox_browser";

/// Browsers that are remembered.
const MOST: usize = 10_000;

/// The accounts that are signed in, by browser.
#[derive(Default)]
pub(crate) struct Browsers(Mutex<HashMap<Digest, Vec<EmailAddress>>>);

impl Browsers {
    /// The accounts that are signed in in this browser, the latest first.
    pub(crate) fn accounts(&self, headers: &HeaderMap) -> Vec<EmailAddress> {
        let Some(key) = key(headers) else { return Vec::new() };
        self.browsers().get(&key).cloned().unwrap_or_default()
    }

    pub(crate) fn is_signed_in(&self, headers: &HeaderMap, account: &EmailAddress) -> bool {
        self.accounts(headers).iter().any(|it| it.is_same_mailbox(account))
    }

    /// Remembers that `account` has signed in there. A browser that is not known yet gets the cookie.
    pub(crate) fn sign_in(
        &self,
        headers: &HeaderMap,
        account: &EmailAddress,
        world: &World,
    ) -> Option<HeaderValue> {
        let mut browsers = self.browsers();
        if browsers.len() >= MOST {
            browsers.clear();
        }
        let known = key(headers).filter(|it| browsers.contains_key(it));
        let (key, new) = match known {
            Some(key) => (key, None),
            None => {
                let word = generate(world, "");
                (Digest::of(word.reveal()), Some(cookie(&word)))
            }
        };
        let accounts = browsers.entry(key).or_default();
        accounts.retain(|it| !it.is_same_mailbox(account));
        accounts.insert(0, account.clone());
        new
    }

    pub(crate) fn sign_out(&self, headers: &HeaderMap, account: &EmailAddress) {
        let Some(key) = key(headers) else { return };
        if let Some(accounts) = self.browsers().get_mut(&key) {
            accounts.retain(|it| !it.is_same_mailbox(account));
        }
    }

    fn browsers(&self) -> MutexGuard<'_, HashMap<Digest, Vec<EmailAddress>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(headers: &HeaderMap) -> Option<Digest> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| Digest::of(value))
}

/// Lax, so that it comes along when an application sends the browser here.
fn cookie(word: &SecretText) -> HeaderValue {
    let text = format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000", word.reveal());
    text.parse().expect("base64url fits into a header")
}
