//! Moves bytes as the gateway does, for tests of followers.

use super::{Follower, Lost, Passage};

/// What each side has heard.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) client: Vec<u8>,
    pub(crate) server: Vec<u8>,
}

/// What a follower may want to see at once, or say (MP-5).
const AT_ONCE: usize = 64 * 1024;

/// Moves bytes as the gateway does, in pieces of so many octets.
pub(crate) struct Mover<F> {
    pub(crate) follower: F,
    from_client: Vec<u8>,
    from_server: Vec<u8>,
    pub(crate) heard: Heard,
    piece: usize,
}

impl<F: Follower + Default> Mover<F> {
    pub(crate) fn new(piece: usize) -> Self {
        let (follower, heard) = (F::default(), Heard::default());
        Self { follower, from_client: Vec::new(), from_server: Vec::new(), heard, piece }
    }

    pub(crate) fn client(&mut self, text: impl AsRef<[u8]>) -> Result<(), Lost> {
        for piece in text.as_ref().chunks(self.piece) {
            self.from_client.extend_from_slice(piece);
            self.go()?;
        }
        Ok(())
    }

    pub(crate) fn server(&mut self, text: impl AsRef<[u8]>) -> Result<(), Lost> {
        for piece in text.as_ref().chunks(self.piece) {
            self.from_server.extend_from_slice(piece);
            self.go()?;
        }
        Ok(())
    }

    /// Until neither side can go on.
    fn go(&mut self) -> Result<(), Lost> {
        loop {
            let by_client = self.follower.hear_client(&self.from_client)?;
            let has_client_moved = apply(by_client, &mut self.from_client, &mut self.heard.server);
            let by_server = self.follower.hear_server(&self.from_server)?;
            let has_server_moved = apply(by_server, &mut self.from_server, &mut self.heard.client);
            if !has_client_moved && !has_server_moved {
                return Ok(());
            }
        }
    }

    pub(crate) fn heard_by_client(&self) -> String {
        String::from_utf8_lossy(&self.heard.client).into_owned()
    }

    pub(crate) fn heard_by_server(&self) -> String {
        String::from_utf8_lossy(&self.heard.server).into_owned()
    }
}

fn apply(passage: Passage, from: &mut Vec<u8>, to: &mut Vec<u8>) -> bool {
    match passage {
        Passage::Pass(n) => to.extend(from.drain(..n)),
        Passage::Drop(n) => drop(from.drain(..n)),
        Passage::Say(words) => {
            assert!(words.len() <= AT_ONCE, "{} octets are said", words.len());
            to.extend(words);
        }
        Passage::More => {
            assert!(from.len() < AT_ONCE, "more is wanted than {} octets", from.len());
            return false;
        }
        Passage::Wait => return false,
    }
    true
}
