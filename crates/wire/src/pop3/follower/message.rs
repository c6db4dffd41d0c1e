//! The end of lines that are not kept: a dot alone (RFC 1939 §3).

use memchr::memmem;

const END: &[u8; 5] = b"\r\n.\r\n";

/// The last octets that have passed; the line before the first one counts.
pub(super) struct MessageEnd {
    last: [u8; 4],
    n_last: usize,
}

impl Default for MessageEnd {
    fn default() -> Self {
        Self { last: [b'\r', b'\n', 0, 0], n_last: 2 }
    }
}

impl MessageEnd {
    /// How much belongs to the message, and whether that was its end.
    pub(super) fn look(&mut self, bytes: &[u8]) -> (usize, bool) {
        if let Some(n) = self.end_across(bytes) {
            return (n, true);
        }
        if let Some(at) = memmem::find(bytes, END) {
            return (at + END.len(), true);
        }
        self.keep(bytes);
        (bytes.len(), false)
    }

    /// An end that began before these.
    fn end_across(&self, bytes: &[u8]) -> Option<usize> {
        let head = bytes.get(..4.min(bytes.len())).unwrap_or_default();
        let mut seam = [0; 8];
        let n_seam = self.n_last + head.len();
        seam.get_mut(..self.n_last)?.copy_from_slice(self.last.get(..self.n_last)?);
        seam.get_mut(self.n_last..n_seam)?.copy_from_slice(head);
        let at = memmem::find(seam.get(..n_seam)?, END)?;
        Some(at + END.len() - self.n_last)
    }

    fn keep(&mut self, bytes: &[u8]) {
        for byte in bytes.get(bytes.len().saturating_sub(4)..).unwrap_or_default() {
            if self.n_last == self.last.len() {
                self.last.rotate_left(1);
                self.n_last -= 1;
            }
            if let Some(place) = self.last.get_mut(self.n_last) {
                *place = *byte;
            }
            self.n_last += 1;
        }
    }
}
