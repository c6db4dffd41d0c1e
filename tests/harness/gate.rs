//! A gate before a server: who comes while it is shut waits, and nothing of the connection is lost.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// Longer than anybody takes to come, also on a machine that does other things.
const COMES_WITHIN: Duration = Duration::from_secs(60);

/// Open from the start. Its threads end with the test.
pub(crate) struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_shut: bool,
    n_waiting: usize,
}

impl Gate {
    /// One before the server at `HOST:PORT`.
    pub(crate) fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let (server, at_gate) = (server.to_owned(), shared.clone());
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (server, at_gate) = (server.clone(), at_gate.clone());
                thread::spawn(move || {
                    at_gate.pass();
                    // Either side may be gone by then.
                    let _ = socket.and_then(|it| join(&it, &TcpStream::connect(server)?));
                });
            }
        });
        Self { address, shared }
    }

    /// Where to come, as `HOST:PORT`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn shut(&self) {
        self.shared.state.lock().unwrap().is_shut = true;
    }

    pub(crate) fn open(&self) {
        self.shared.state.lock().unwrap().is_shut = false;
        self.shared.changed.notify_all();
    }

    /// Waits until somebody stands before it.
    #[track_caller]
    pub(crate) fn await_somebody(&self) {
        let state = self.shared.state.lock().unwrap();
        let waited = self.shared.changed.wait_timeout_while(state, COMES_WITHIN, |it| it.n_waiting == 0);
        assert!(!waited.unwrap().1.timed_out(), "nobody came");
    }
}

impl Shared {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.n_waiting += 1;
        self.changed.notify_all();
        let mut state = self.changed.wait_while(state, |it| it.is_shut).unwrap();
        state.n_waiting -= 1;
    }
}

/// Both directions, until each has ended.
fn join(one: &TcpStream, other: &TcpStream) -> io::Result<()> {
    let back = (other.try_clone()?, one.try_clone()?);
    let backwards = thread::spawn(move || carry(&back.0, &back.1));
    carry(one, other);
    let _ = backwards.join();
    Ok(())
}

fn carry(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
