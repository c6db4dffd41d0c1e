//! What has arrived.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatepost_core::World;
use serde::Serialize;

use crate::latency::Latencies;
use crate::letter;

/// Message-IDs and times.
pub(super) struct Tally {
    world: World,
    ids: HashSet<Box<[u8]>>,
    duplicates: u64,
    without_id: u64,
    connections: u64,
    first_at: i64,
    last_at: i64,
    latencies: Latencies,
    witness: Option<File>,
}

/// What is printed. Times of day are milliseconds since 1970, 0 before the first letter.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Different Message-IDs.
    letters: usize,
    /// Letters whose Message-ID had been here before.
    duplicates: u64,
    /// Letters whose Message-ID was not found.
    without_id: u64,
    /// Connections made, whether or not a letter came.
    connections: u64,
    first_at: i64,
    last_at: i64,
    /// From the moment a letter was begun by its application to its end here.
    p50_ms: f64,
    p99_ms: f64,
}

impl Tally {
    pub(super) fn new(witness: Option<File>) -> Self {
        Self {
            world: World::real(),
            ids: HashSet::new(),
            duplicates: 0,
            without_id: 0,
            connections: 0,
            first_at: 0,
            last_at: 0,
            latencies: Latencies::default(),
            witness,
        }
    }

    pub(super) fn n_letters(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn add_connection(&mut self) {
        self.connections += 1;
    }

    /// Takes in a letter, of which the header must be in `head`. An error means that it must not be acknowledged.
    pub(super) fn add(&mut self, head: &[u8]) -> io::Result<()> {
        let Some(id) = letter::find_id(head) else {
            self.without_id += 1;
            return Ok(());
        };
        if let Some(file) = &mut self.witness {
            file.write_all(&[id, b"\n"].concat())?;
        }
        if !self.ids.insert(id.into()) {
            self.duplicates += 1;
            return Ok(());
        }
        let now = self.world.now().millis();
        if self.first_at == 0 {
            self.first_at = now;
        }
        self.last_at = now;
        if let Some(begun_at) = letter::begun_at(id) {
            #[expect(clippy::cast_precision_loss, reason = "no letter is on its way for 2^53 milliseconds")]
            self.latencies.push((now - begun_at) as f64);
        }
        Ok(())
    }

    pub(super) fn report(&mut self) -> Report {
        Report {
            letters: self.ids.len(),
            duplicates: self.duplicates,
            without_id: self.without_id,
            connections: self.connections,
            first_at: self.first_at,
            last_at: self.last_at,
            p50_ms: self.latencies.percentile(50),
            p99_ms: self.latencies.percentile(99),
        }
    }

    /// Starts anew; the witness keeps what it has.
    pub(super) fn reset(&mut self) -> Report {
        *self = Self::new(self.witness.take());
        self.report()
    }
}

pub(super) fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted_once_and_witnessed_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        let mut tally = Tally::new(Some(File::create(&path).unwrap()));
        for head in ["a: b\r\nMessage-ID: <1@x>\r\n", "a: b\r\nMessage-ID: <1@x>\r\n", "a: b\r\n"] {
            tally.add(head.as_bytes()).unwrap();
        }
        let report = tally.report();
        assert_eq!((report.letters, report.duplicates, report.without_id), (1, 1, 1));
        assert!(report.first_at > 0 && report.first_at == report.last_at);
        assert_eq!(tally.reset().letters, 0);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "1@x\n1@x\n");
    }
}
