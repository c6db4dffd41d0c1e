//! Bodies: sealed and opened in one pass, with one chunk in memory.
//!
//! A sealed body is a row of chunks, each 64 KiB of ciphertext (the last may be shorter, also empty) and its tag. Each body
//! has a random key of its own, so a chunk's nonce is simply its number and a last-chunk mark: a chunk that was swapped,
//! dropped, repeated, cut or added has the wrong nonce and does not open (VA-9; the STREAM construction of Hoang,
//! Reyhanitabar, Rogaway and Vizár, 2015). The wrapped key carries version, algorithm and key id for the whole body.

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use gatepost_core::World;
use zeroize::{Zeroize, Zeroizing};

use crate::binding::BodyPlace;
use crate::cipher::{self, TAG};
use crate::error::VaultError;
use crate::key::Key;
use crate::ring::DayKey;

/// Plaintext bytes of every chunk but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Length of a sealed body whose plaintext has `plain_bytes`.
#[must_use]
pub const fn sealed_len(plain_bytes: u64) -> u64 {
    let chunks = plain_bytes.div_ceil(CHUNK_BYTES as u64);
    plain_bytes + TAG as u64 * if chunks == 0 { 1 } else { chunks }
}

/// Numbers chunks and ciphers them, whichever way.
struct Chunks {
    cipher: LessSafeKey,
    associated_data: Vec<u8>,
    next: u32,
}

impl Chunks {
    fn new(key: &[u8; Key::BYTES], day_key: &DayKey, place: &BodyPlace) -> Self {
        let context = place.context("body chunk").part(day_key.id().uuid().as_bytes());
        Self { cipher: cipher::cipher(key), associated_data: context.bytes().to_vec(), next: 0 }
    }

    /// The next chunk's nonce. One key never sees a nonce twice: the number only rises, and at its end sealing stops.
    fn nonce(&mut self, is_last: bool) -> Result<Nonce, VaultError> {
        let mut nonce = [0; NONCE_LEN];
        nonce[7..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(is_last);
        self.next = self.next.checked_add(1).ok_or(VaultError::BodyTooLong)?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    fn seal(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> Result<(), VaultError> {
        let nonce = self.nonce(is_last)?;
        self.cipher
            .seal_in_place_append_tag(nonce, Aad::from(&self.associated_data), chunk)
            .map_err(|_| VaultError::BodyTooLong)
    }

    fn open(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> Result<(), VaultError> {
        let nonce = self.nonce(is_last).map_err(|_| VaultError::DoesNotOpen)?;
        let opened = self.cipher.open_in_place(nonce, Aad::from(&self.associated_data), chunk);
        let length = opened.map(|plain| plain.len()).map_err(|_| VaultError::DoesNotOpen);
        // On failure the buffer holds nothing that may be shown.
        chunk.truncate(length.unwrap_or(0));
        length.map(|_| ())
    }
}

/// Collects bytes until a chunk is full *and* more follow, because only then it is not the last.
struct Collector {
    buffer: Vec<u8>,
    full: usize,
    /// The buffer's content was handed out and is not wanted any more.
    is_spent: bool,
}

impl Collector {
    fn new(full: usize) -> Self {
        Self { buffer: Vec::new(), full, is_spent: false }
    }

    /// Takes from `bytes`; true when the buffer is a full chunk that is not the last.
    fn take(&mut self, bytes: &mut &[u8]) -> bool {
        if std::mem::take(&mut self.is_spent) {
            self.buffer.clear();
        }
        let room = self.full - self.buffer.len();
        let (head, tail) = bytes.split_at(room.min(bytes.len()));
        self.reserve(head.len());
        self.buffer.extend_from_slice(head);
        *bytes = tail;
        self.buffer.len() == self.full && !tail.is_empty()
    }

    /// Doubles the buffer as needed, so that a short letter takes little, but never beyond one sealed chunk.
    fn reserve(&mut self, more: usize) {
        let wanted = self.buffer.len() + more + TAG;
        if wanted > self.buffer.capacity() {
            let target = wanted.max(2 * self.buffer.capacity()).min(CHUNK_BYTES + 2 * TAG).max(wanted);
            self.buffer.reserve_exact(target - self.buffer.len());
        }
    }

    fn hand_out(&mut self) -> &[u8] {
        self.is_spent = true;
        &self.buffer
    }

    fn into_last(mut self) -> Vec<u8> {
        if self.is_spent {
            self.buffer.clear();
        }
        std::mem::take(&mut self.buffer)
    }
}

impl Drop for Collector {
    /// A letter that was given up half-way leaves no text behind.
    fn drop(&mut self) {
        self.buffer.zeroize();
    }
}

/// Seals one body as it comes in.
///
/// ```text
/// let mut rest = piece;
/// while let Some(chunk) = sealer.write(&mut rest)? { file.write_all(chunk).await?; }
/// …
/// file.write_all(&sealer.finish()?).await?;
/// ```
pub struct BodySealer {
    chunks: Chunks,
    collector: Collector,
}

impl BodySealer {
    /// A sealer with a new random key, and that key wrapped by `day_key`, to be stored beside the body. Nothing else ever
    /// holds the key.
    #[must_use]
    pub fn begin(day_key: &DayKey, place: &BodyPlace, world: &World) -> (Self, Vec<u8>) {
        let key = Zeroizing::new(world.random::<{ Key::BYTES }>());
        let context = place.context("body key");
        let wrapped = cipher::seal(&day_key.key, day_key.id(), &context, &*key, world);
        let chunks = Chunks::new(&key, day_key, place);
        (Self { chunks, collector: Collector::new(CHUNK_BYTES) }, wrapped)
    }

    /// Takes from `plain` and returns a sealed chunk when one is complete. Call until it returns none; `plain` is empty
    /// then.
    pub fn write(&mut self, plain: &mut &[u8]) -> Result<Option<&[u8]>, VaultError> {
        if !self.collector.take(plain) {
            return Ok(None);
        }
        self.chunks.seal(&mut self.collector.buffer, false)?;
        Ok(Some(self.collector.hand_out()))
    }

    /// Seals what is left as the last chunk. For a body of up to [`CHUNK_BYTES`] that is the whole sealed body.
    pub fn finish(mut self) -> Result<Vec<u8>, VaultError> {
        let mut last = self.collector.into_last();
        self.chunks.seal(&mut last, true)?;
        Ok(last)
    }
}

/// Opens one body as it is read back. What [`BodyOpener::write`] returns is authentic, but only [`BodyOpener::finish`] tells
/// that nothing is missing at the end.
pub struct BodyOpener {
    chunks: Chunks,
    collector: Collector,
}

impl BodyOpener {
    /// `wrapped` is the body's key as [`BodySealer::begin`] returned it.
    pub fn begin(day_key: &DayKey, place: &BodyPlace, wrapped: &[u8]) -> Result<Self, VaultError> {
        let secret = cipher::open(&day_key.key, day_key.id(), &place.context("body key"), wrapped)?;
        let key = secret.reveal().try_into().map_err(|_| VaultError::DoesNotOpen)?;
        let chunks = Chunks::new(key, day_key, place);
        Ok(Self { chunks, collector: Collector::new(CHUNK_BYTES + TAG) })
    }

    /// Takes from `sealed` and returns the plaintext of a chunk when one is complete. Call until it returns none;
    /// `sealed` is empty then.
    pub fn write(&mut self, sealed: &mut &[u8]) -> Result<Option<&[u8]>, VaultError> {
        if !self.collector.take(sealed) {
            return Ok(None);
        }
        self.chunks.open(&mut self.collector.buffer, false)?;
        Ok(Some(self.collector.hand_out()))
    }

    /// Opens the last chunk; fails if the end of the body is missing or something follows it.
    pub fn finish(mut self) -> Result<Vec<u8>, VaultError> {
        let mut last = self.collector.into_last();
        self.chunks.open(&mut last, true)?;
        Ok(last)
    }

    /// Opens a body that fits one chunk in the buffer it lies in.
    pub fn open_small(mut self, mut sealed: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        self.chunks.open(&mut sealed, true)?;
        Ok(sealed)
    }
}

#[cfg(test)]
mod tests;
