//! Folders of one test, and waiting for what appears in them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// An empty folder of mode 0700, removed with everything in it when dropped.
#[must_use]
pub fn fresh_folder() -> TempDir {
    let closed = std::fs::Permissions::from_mode(0o700);
    let folder = tempfile::Builder::new().prefix("gatepost-test-").permissions(closed).tempdir();
    folder.expect("a test may make folders in the temporary folder")
}

/// Asks `find` until it finds something, at most `patience`; `None` when it never did. For events that announce
/// themselves nowhere, such as a file written by another process.
pub fn wait_until<T>(patience: Duration, mut find: impl FnMut() -> Option<T>) -> Option<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = find() {
            return Some(found);
        }
        if started.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
