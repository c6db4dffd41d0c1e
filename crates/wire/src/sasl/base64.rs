//! Base64 as RFC 4954 §4 has it: the standard alphabet, padded, canonical, no line breaks. Every buffer is wiped.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use gatepost_core::{SecretBytes, SecretText};
use zeroize::{Zeroize as _, Zeroizing};

/// Decodes; `None` for anything a strict decoder refuses.
pub(crate) fn decode(text: &[u8]) -> Option<SecretBytes> {
    // In a buffer of ours, because the crate's own would be freed unwiped on error.
    let mut bytes = Zeroizing::new(vec![0; ::base64::decoded_len_estimate(text.len())]);
    let n_bytes = STANDARD.decode_slice(text, &mut bytes).ok()?;
    bytes.get_mut(n_bytes..)?.zeroize();
    bytes.truncate(n_bytes);
    Some(SecretBytes::new(std::mem::take(&mut *bytes)))
}

/// Encodes on one line.
pub(crate) fn encode(bytes: &[u8]) -> SecretText {
    SecretText::new(STANDARD.encode(bytes))
}
