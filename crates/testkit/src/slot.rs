//! Two places on this machine for tests that start servers or browsers.

use std::fs::{File, OpenOptions};
use std::time::Duration;

use crate::wait_until;

/// How many such tests run at a time, over all processes of this user.
const N_SLOTS: usize = 2;

/// A place held; given back when dropped, also by a process that dies.
pub struct Slot {
    _lock: File,
}

/// Waits for one of two places. Take one at the start of each test that starts real servers or a browser: a small
/// machine running ten of them at once makes every deadline a lie.
#[must_use]
pub fn take_slot() -> Slot {
    let user = rustix::process::getuid().as_raw();
    let folder = std::env::temp_dir().join(format!("gatepost-test-slots-{user}"));
    std::fs::create_dir_all(&folder).expect("a test may make folders in the temporary folder");
    let files: Vec<File> = (0..N_SLOTS)
        .map(|n| {
            let mut options = OpenOptions::new();
            options.create(true).truncate(false).write(true).open(folder.join(format!("{n}.lock")))
        })
        .collect::<Result<_, _>>()
        .expect("the places of this user are this user's files");
    let free =
        wait_until(Duration::from_secs(1800), || files.iter().position(|file| file.try_lock().is_ok()));
    let free = free.expect("a place becomes free within half an hour");
    Slot { _lock: files.into_iter().nth(free).expect("the place is one of the files") }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_than_two_places_are_held_at_once() {
        static HELD: AtomicUsize = AtomicUsize::new(0);
        let threads: Vec<_> = (0..6)
            .map(|_| {
                std::thread::spawn(|| {
                    let _slot = take_slot();
                    assert!(HELD.fetch_add(1, Ordering::SeqCst) < N_SLOTS);
                    std::thread::yield_now();
                    HELD.fetch_sub(1, Ordering::SeqCst);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
