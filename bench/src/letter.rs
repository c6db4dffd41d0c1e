//! Letters: alike but for their Message-ID.

use std::sync::atomic::{AtomicU64, Ordering};

use gatepost_core::World;
use memchr::memmem;

/// Domain of the Message-IDs made here.
const DOMAIN: &str = "bench.example";

/// How the line begins that the sink looks for. Servers add lines above it, but leave it as it is.
const MESSAGE_ID: &[u8] = b"\r\nMessage-ID: <";

/// A number of letters, each handed out once.
pub(crate) struct Letters {
    world: World,
    /// Tells the letters of one run from those of all others.
    run: String,
    next: AtomicU64,
    n_letters: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Letters {
    /// `n_letters` letters of `size_bytes` each, or a little more if that is less than their header.
    pub(crate) fn new(n_letters: u64, size_bytes: usize, from: &str, to: &str) -> Self {
        let world = World::real();
        let run: String = world.random::<6>().iter().map(|byte| format!("{byte:02x}")).collect();
        let head = format!(
            "From: Bench <{from}>\r\nTo: <{to}>\r\nSubject: A letter to measure with\r\n\
             Date: Thu, 01 Jan 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8"
        );
        let id_bytes = format!("\r\nMessage-ID: <{run}.00000000.0000000000000@{DOMAIN}>\r\n\r\n").len();
        let tail = text(size_bytes.saturating_sub(head.len() + id_bytes));
        Self { world, run, next: AtomicU64::new(0), n_letters, head: head.into_bytes(), tail }
    }

    /// The Message-ID of the next letter, without its angle brackets; it says when it was taken. `None` when all are gone.
    pub(crate) fn take(&self) -> Option<String> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let now = self.world.now().millis();
        (number < self.n_letters).then(|| format!("{}.{number:08}.{now}@{DOMAIN}", self.run))
    }

    /// Appends the letter with its final dot, ready for the wire.
    pub(crate) fn write_to(&self, id: &str, out: &mut Vec<u8>) {
        for piece in [&self.head, MESSAGE_ID, id.as_bytes(), b">\r\n\r\n", &self.tail, b".\r\n"] {
            out.extend_from_slice(piece);
        }
    }
}

/// About so many bytes of lines, none of which begins with a dot.
pub(crate) fn text(bytes: usize) -> Vec<u8> {
    const LINE: &[u8] = b"The quick brown fox jumps over the lazy dog, and again over the lazy dog 0123.\r\n";
    let mut text = LINE.repeat(bytes.div_ceil(LINE.len()));
    text.truncate(bytes.saturating_sub(2));
    // The cut may have left half a line end.
    while text.last().is_some_and(|it| matches!(it, b'\r' | b'\n')) {
        text.pop();
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// The Message-ID in a letter's header, without its angle brackets.
pub(crate) fn find_id(letter: &[u8]) -> Option<&[u8]> {
    let start = memmem::find(letter, MESSAGE_ID)? + MESSAGE_ID.len();
    let rest = letter.get(start..)?;
    rest.get(..memchr::memchr(b'>', rest)?)
}

/// When a letter with this Message-ID was begun, in milliseconds since 1970; `None` for letters not made here.
pub(crate) fn begun_at(id: &[u8]) -> Option<i64> {
    let (left, domain) = std::str::from_utf8(id).ok()?.rsplit_once('@')?;
    (domain == DOMAIN).then(|| left.rsplit_once('.')?.1.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_their_size_and_an_id_that_is_found_again() {
        for size in [600, 4_096, 4_097, 4_098, 65_536] {
            let letters = Letters::new(2, size, "a@bench.example", "b@bench.example");
            let id = letters.take().unwrap();
            let mut wire = Vec::new();
            letters.write_to(&id, &mut wire);
            let letter = wire.strip_suffix(b".\r\n").unwrap();
            assert!(letter.len().abs_diff(size) <= 2, "{} for {size}", letter.len());
            assert!(letter.ends_with(b"\r\n") && !memmem::find_iter(letter, b"\r\n.").any(|_| true));
            assert_eq!(find_id(letter), Some(id.as_bytes()));
            let age = World::real().now().millis() - begun_at(id.as_bytes()).unwrap();
            assert!((0..60_000).contains(&age), "{age}");
            assert_ne!(letters.take().unwrap(), id);
            assert_eq!(letters.take(), None);
        }
    }

    #[test]
    fn other_peoples_ids_have_no_time() {
        assert_eq!(begun_at(b"a.12@else.example"), None);
        assert_eq!(begun_at(b"none"), None);
        assert_eq!(find_id(b"Subject: x\r\n\r\n"), None);
    }
}
