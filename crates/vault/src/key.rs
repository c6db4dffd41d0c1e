//! Key bytes in memory.

use std::sync::atomic::{AtomicBool, Ordering};

use gatepost_core::World;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Set once a page could not be locked.
static LOCK_REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether some key could not be locked against swapping, because the limit of locked memory (`ulimit -l`) is too low.
/// Asked once at start, to warn the operator; sealing works all the same.
#[must_use]
pub fn keys_may_be_swapped() -> bool {
    LOCK_REFUSED.load(Ordering::Relaxed)
}

/// 32 key bytes in a page of their own: locked against swapping where the limit allows, wiped when dropped, not copied,
/// printed or compared (VA-6).
pub struct Key {
    // Fields drop in this order, after `Drop::drop` has wiped the bytes: the page is unlocked before it is freed.
    _lock: Option<region::LockGuard>,
    page: Box<Page>,
}

/// Aligned and sized so that no two keys share a page of 4 KiB: pages are locked whole and locks are not counted, so
/// dropping one key would unlock its neighbours.
#[repr(align(4096))]
struct Page([u8; Key::BYTES]);

impl Key {
    /// Length of every key: 256 bits.
    pub const BYTES: usize = 32;

    /// A new random key.
    #[must_use]
    pub fn generate(world: &World) -> Self {
        let mut key = Self::empty();
        world.fill_random(&mut key.page.0);
        key
    }

    /// A key from its bytes. The caller's copy is the caller's to wipe.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let mut key = Self::empty();
        key.page.0.copy_from_slice(bytes);
        key
    }

    /// The page is locked while it is still empty, so that the key never lies in a page that could be swapped.
    fn empty() -> Self {
        let page = Box::new(Page([0; Self::BYTES]));
        let lock = region::lock(std::ptr::from_ref::<Page>(&page), size_of::<Page>());
        if lock.is_err() {
            LOCK_REFUSED.store(true, Ordering::Relaxed);
        }
        Self { _lock: lock.ok(), page }
    }

    /// Shown to the ciphers and hashes of this room only.
    pub(crate) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.page.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

impl ZeroizeOnDrop for Key {}

#[cfg(test)]
mod tests {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    use super::*;

    // VA-6, checked while compiling.
    assert_not_impl_any!(Key: std::fmt::Debug, std::fmt::Display, Clone, PartialEq);
    assert_impl_all!(Key: ZeroizeOnDrop, Send, Sync);

    #[test]
    fn two_keys_never_share_a_page() {
        let keys: Vec<Key> = (0..8).map(|n| Key::from_bytes(&[n; 32])).collect();
        let mut pages: Vec<usize> = keys.iter().map(|key| key.bytes().as_ptr() as usize).collect();
        assert!(pages.iter().all(|page| page % 4096 == 0));
        pages.sort_unstable();
        pages.dedup();
        assert_eq!(pages.len(), 8);
    }

    /// The kernel counts locked pages of this process; where locking is refused, the getter says so.
    #[test]
    fn a_key_is_locked_in_memory_or_the_getter_tells() {
        let locked_kib = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find(|line| line.starts_with("VmLck:")).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
        };
        let keys: Vec<Key> = (0..16).map(|_| Key::generate(&World::real())).collect();
        assert!(locked_kib() >= 16 * 4 || keys_may_be_swapped());
        drop(keys);
    }

    #[test]
    fn generated_keys_differ() {
        let world = World::real();
        assert_ne!(Key::generate(&world).bytes(), Key::generate(&world).bytes());
    }
}
