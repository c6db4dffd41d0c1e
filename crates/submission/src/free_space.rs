//! Whether there is room for another letter (QS-5).

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::KeepFree;

/// How long a figure is believed.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// Looks at the disk once a second at most, when somebody asks.
pub(crate) struct FreeSpace {
    folder: PathBuf,
    percent: u64,
    /// At least this much stays free.
    floor_bytes: u64,
    seen: Mutex<Option<(Instant, bool)>>,
}

impl FreeSpace {
    pub(crate) fn new(keep: &KeepFree, max_message_bytes: u64) -> Self {
        Self {
            folder: keep.folder.clone(),
            percent: u64::from(keep.percent),
            floor_bytes: max_message_bytes.saturating_mul(2),
            seen: Mutex::new(None),
        }
    }

    /// Whether a letter would eat into what is kept free. Recovers by itself.
    pub(crate) fn is_low(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((at, is_low)) if at.elapsed() < BELIEVED_FOR => is_low,
            _ => {
                let is_low = self.look();
                *seen = Some((Instant::now(), is_low));
                is_low
            }
        }
    }

    /// A disk that cannot be asked may still take letters; whether it does, accepting them shows.
    fn look(&self) -> bool {
        let Ok(disk) = rustix::fs::statvfs(&self.folder) else { return false };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let total = disk.f_blocks.saturating_mul(disk.f_frsize);
        free < self.floor_bytes.max((total / 100).saturating_mul(self.percent))
            // Some file systems have no fixed number of files, and say 0.
            || (disk.f_files > 0 && disk.f_favail == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_low(percent: u8, max_message_bytes: u64) -> bool {
        let keep = KeepFree { folder: std::env::temp_dir(), percent };
        FreeSpace::new(&keep, max_message_bytes).is_low()
    }

    /// QS-5.
    #[test]
    fn letters_leave_a_share_of_the_disk_and_twice_the_largest_message() {
        assert!(!is_low(0, 0));
        assert!(is_low(101, 0));
        assert!(is_low(0, 1 << 60));
        assert!(is_low(0, u64::MAX));
    }

    #[test]
    fn a_disk_that_cannot_be_asked_is_not_called_full() {
        let keep = KeepFree { folder: "/no/such/folder".into(), percent: 101 };
        assert!(!FreeSpace::new(&keep, u64::MAX).is_low());
    }
}
