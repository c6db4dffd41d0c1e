//! What passes between a client and a server that have signed in: however it is cut, both hear the same, and nothing is made up.
#![no_main]

use gatepost_wire::passage::{Follower, Lost, Passage};
use gatepost_wire::{imap, pop3};
use libfuzzer_sys::fuzz_target;

/// One side's octets on their way.
#[derive(Default)]
struct Way {
    at_hand: Vec<u8>,
    heard: Vec<u8>,
    n_passed: usize,
    n_dropped: usize,
}

impl Way {
    /// False if nothing can be done now.
    fn obey(&mut self, passage: Passage) -> bool {
        match passage {
            Passage::Pass(n) => {
                assert!(0 < n && n <= self.at_hand.len());
                self.n_passed += n;
                self.heard.extend(self.at_hand.drain(..n));
            }
            Passage::Drop(n) => {
                assert!(0 < n && n <= self.at_hand.len());
                self.n_dropped += n;
                drop(self.at_hand.drain(..n));
            }
            Passage::Say(words) => {
                // A line of ours, or one of the server's with its own end.
                assert!(words.ends_with(b"\n"));
                self.heard.extend(words);
            }
            Passage::More | Passage::Wait => return false,
        }
        true
    }
}

/// Octets to the server, to the client, and why it ended.
type Went = (Vec<u8>, Vec<u8>, Option<Lost>);

fn pass<F: Follower + Default>(client: &[u8], server: &[u8], piece: usize) -> Went {
    let (mut follower, mut up, mut down) = (F::default(), Way::default(), Way::default());
    let pieces = server.chunks(piece).map(|it| (false, it)).chain(client.chunks(piece).map(|it| (true, it)));
    for (is_client, piece) in pieces {
        if is_client { up.at_hand.extend(piece) } else { down.at_hand.extend(piece) }
        loop {
            let went_up = match follower.hear_client(&up.at_hand) {
                Ok(passage) => up.obey(passage),
                Err(lost) => return (up.heard, down.heard, Some(lost)),
            };
            let went_down = match follower.hear_server(&down.at_hand) {
                Ok(passage) => down.obey(passage),
                Err(lost) => return (up.heard, down.heard, Some(lost)),
            };
            if !went_up && !went_down {
                break;
            }
        }
    }
    assert_eq!(up.n_passed + up.n_dropped + up.at_hand.len(), client.len());
    assert_eq!(down.n_passed + down.n_dropped + down.at_hand.len(), server.len());
    (up.heard, down.heard, None)
}

fuzz_target!(|input: (bool, u8, &[u8], &[u8])| {
    let (is_imap, piece, client, server) = input;
    let pass = if is_imap { pass::<imap::Follower> } else { pass::<pop3::Follower> };
    let whole = pass(client, server, usize::MAX);
    let cut = pass(client, server, usize::from(piece) + 1);
    assert_eq!(whole, cut);
});
