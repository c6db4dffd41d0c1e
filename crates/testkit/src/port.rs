//! Ports nobody listens on.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

/// Ports given out by this process, so that two tests do not get the same one.
static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);

/// A port on loopback that was free a moment ago. Another process may take it first: prefer letting a server choose
/// (port 0) where it can say what it chose.
#[must_use]
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    loop {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("loopback always has a free port")
            .port();
        if given.insert(port) {
            return port;
        }
    }
}
