//! Applications that may ask for access.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::{SecretText, World};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Digest;
use super::token::generate;
use crate::error::storage;
use crate::{SandboxError, durable};

/// Applications that can be registered.
const MOST_CLIENTS: usize = 1_000;

/// Letters of a name that are kept.
const NAME_AT_MOST: usize = 100;

/// The client that is there from the start, so that nothing has to be registered for a first try.
const BUILT_IN: &str = "gatepost-sandbox";

/// A registered application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) name: String,
    /// None for an application that cannot keep one: PKCE alone proves that it is the same (RFC 8252 §8.4).
    pub(crate) secret: Option<Digest>,
    pub(crate) redirects: Vec<String>,
    /// Milliseconds since 1970.
    created_at: i64,
}

/// What somebody wants to register.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClient {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) redirects: Vec<String>,
    /// Whether it gets a secret.
    #[serde(default)]
    pub(crate) has_secret: bool,
}

/// Why an application is not registered; a sentence for whoever does it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("Give the application a name; people see it when they are asked for their consent.")]
    NoName,
    #[error("Give at least one redirect address.")]
    NoRedirect,
    #[error(
        "{0:?} is no redirect address: it begins with https://, or with http:// on this computer (localhost, 127.0.0.1), and has no # and no sign-in name."
    )]
    BadRedirect(String),
    #[error("There are too many applications: remove one first.")]
    TooMany,
    #[error(transparent)]
    Storage(#[from] SandboxError),
}

impl Client {
    pub(crate) fn built_in() -> Self {
        Self {
            id: BUILT_IN.to_owned(),
            name: "Gatepost".to_owned(),
            secret: None,
            redirects: Vec::new(),
            created_at: 0,
        }
    }

    pub(crate) fn is_built_in(&self) -> bool {
        self.id == BUILT_IN
    }

    /// Whether answers may go to this address. RFC 9700 §2.1: it is one of those registered, letter by letter; but on this
    /// computer any port will do (RFC 8252 §7.3). The built-in client may be anywhere on this computer.
    pub(crate) fn takes(&self, redirect: &str) -> bool {
        let Some(url) = parse_redirect(redirect) else { return false };
        if self.is_built_in() {
            return is_loopback(&url);
        }
        self.redirects.iter().any(|it| it == redirect || is_same_but_for_port(it, &url))
    }
}

fn is_same_but_for_port(registered: &str, asked: &Url) -> bool {
    let without_port = |mut url: Url| {
        url.set_port(None).ok()?;
        Some(url)
    };
    let registered = parse_redirect(registered).filter(is_loopback).and_then(without_port);
    registered.is_some_and(|it| is_loopback(asked) && without_port(asked.clone()) == Some(it))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// RFC 6749 §3.1.2: absolute, without a fragment. Plain HTTP stays on this computer.
fn parse_redirect(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    let has_name = !url.username().is_empty() || url.password().is_some();
    (is_safe && !has_name && url.fragment().is_none() && text.len() <= 2_000).then_some(url)
}

impl NewClient {
    fn check(&self) -> Result<(), ClientError> {
        if self.name.trim().is_empty() {
            return Err(ClientError::NoName);
        }
        if self.redirects.is_empty() {
            return Err(ClientError::NoRedirect);
        }
        match self.redirects.iter().find(|it| parse_redirect(it).is_none()) {
            Some(bad) => Err(ClientError::BadRedirect(bad.clone())),
            None => Ok(()),
        }
    }
}

/// All applications, and the file that keeps them.
pub(crate) struct Clients {
    path: PathBuf,
    registered: Mutex<Vec<Client>>,
}

impl Clients {
    /// Blocks.
    pub(super) fn open(folder: &Path) -> Result<Self, SandboxError> {
        let path = folder.join("clients.json");
        let registered = match fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|_| SandboxError::Damaged { path: path.clone() })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(storage("read", &path)(error)),
        };
        Ok(Self { path, registered: Mutex::new(registered) })
    }

    pub(crate) fn find(&self, id: &str) -> Option<Client> {
        if id == BUILT_IN {
            return Some(Client::built_in());
        }
        self.registered().iter().find(|it| it.id == id).cloned()
    }

    /// The built-in one first, then in the order of registration.
    pub(crate) fn all(&self) -> Vec<Client> {
        std::iter::once(Client::built_in()).chain(self.registered().iter().cloned()).collect()
    }

    /// Keeps a new one durably, and gives it with its secret, which is nowhere else. Blocks.
    pub(crate) fn register(
        &self,
        new: &NewClient,
        world: &World,
    ) -> Result<(Client, Option<SecretText>), ClientError> {
        new.check()?;
        let secret = new.has_secret.then(|| generate(world, "secret-"));
        let number = u64::from_be_bytes(world.random());
        let client = Client {
            id: format!("{number:016x}.apps.sandbox.test"),
            name: new.name.trim().chars().take(NAME_AT_MOST).collect(),
            secret: secret.as_ref().map(|it| Digest::of(it.reveal())),
            redirects: new.redirects.clone(),
            created_at: world.now().millis(),
        };
        let mut registered = self.registered();
        if registered.len() >= MOST_CLIENTS {
            return Err(ClientError::TooMany);
        }
        let mut clients = registered.clone();
        clients.push(client.clone());
        self.write(&clients)?;
        *registered = clients;
        Ok((client, secret))
    }

    /// Forgets one durably; false if there is none with this id. Blocks.
    pub(crate) fn remove(&self, id: &str) -> Result<bool, SandboxError> {
        let mut registered = self.registered();
        let mut clients = registered.clone();
        clients.retain(|it| it.id != id);
        if clients.len() == registered.len() {
            return Ok(false);
        }
        self.write(&clients)?;
        *registered = clients;
        Ok(true)
    }

    fn write(&self, clients: &[Client]) -> Result<(), SandboxError> {
        let json = serde_json::to_vec_pretty(clients).expect("texts are always JSON");
        durable::replace(&self.path, &json, 0o600).map_err(storage("write", &self.path))
    }

    fn registered(&self) -> MutexGuard<'_, Vec<Client>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(registered: &str, asked: &str, want: bool) {
        let client =
            Client { id: "a".to_owned(), redirects: vec![registered.to_owned()], ..Client::built_in() };
        assert_eq!(client.takes(asked), want, "{registered} and {asked}");
    }

    #[test]
    fn an_answer_goes_only_where_it_was_registered() {
        let web = "https://mail.practice.example/oauth/callback/sandbox";
        check(web, web, true);
        check(web, "https://mail.practice.example:8443/oauth/callback/sandbox", false);
        check(web, "https://mail.practice.example/oauth/callback/sandbox/", false);
        check(web, "https://mail.practice.example/oauth/callback/sandbox?x=1", false);
        check(web, "http://mail.practice.example/oauth/callback/sandbox", false);
        check(web, "https://evil.example/oauth/callback/sandbox", false);
        let loopback = "http://127.0.0.1:8025/back";
        check(loopback, "http://127.0.0.1:9999/back", true);
        check(loopback, "http://127.0.0.1/back", true);
        check(loopback, "http://127.0.0.1:8025/other", false);
        check(loopback, "http://localhost:8025/back", false);
        check(loopback, "https://127.0.0.1:8025/back", false);
        check("http://localhost/", "http://localhost:1234/", true);
    }

    #[test]
    fn the_built_in_client_is_on_this_computer_alone() {
        let client = Client::built_in();
        for good in
            ["http://127.0.0.1:8025/x", "http://localhost/", "http://[::1]:1/y?z=1", "https://localhost:1/"]
        {
            assert!(client.takes(good), "{good}");
        }
        for bad in [
            "",
            "/x",
            "http://practice.example/",
            "http://localhost.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://a@127.0.0.1/",
            "http://127.0.0.1/#x",
            "javascript:alert(1)",
            "ftp://127.0.0.1/",
        ] {
            assert!(!client.takes(bad), "{bad}");
        }
    }
}
