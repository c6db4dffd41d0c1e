//! What is read.

use std::path::Path;

/// How many messages the mailbox has.
pub(super) const N: usize = 2_000;
/// Octets of each.
pub(super) const BYTES: usize = 20 * 1_024;

/// Writes them into a Maildir.
pub(super) fn write(mailbox: &Path) -> anyhow::Result<()> {
    for part in ["cur", "new", "tmp"] {
        std::fs::create_dir_all(mailbox.join(part))?;
    }
    for n in 0..N {
        let name = format!("{}.M{n}.bench,S={BYTES},W={BYTES}:2,S", 1_700_000_000 + n);
        std::fs::write(mailbox.join("cur").join(name), letter(n))?;
    }
    Ok(())
}

/// Lines as attachments have them, with CRLF as they go over the wire.
fn letter(n: usize) -> Vec<u8> {
    let mut text = format!(
        "From: Registry <registry@bench.example>\r\nTo: reception@bench.example\r\nSubject: Findings {n}\r\n\
         Message-ID: <{n}@bench.example>\r\nMIME-Version: 1.0\r\nContent-Type: application/pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    while text.len() + 2 < BYTES {
        let n = (BYTES - text.len() - 2).min(76);
        text.extend((0..n).map(|at| b'A' + u8::try_from(at % 26).unwrap_or_default()));
        text.extend_from_slice(b"\r\n");
    }
    text.resize(BYTES, b'\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_letter_has_the_size_that_is_counted_with() {
        for n in [0, 9, 99, N - 1] {
            assert_eq!(letter(n).len(), BYTES);
            assert!(letter(n).ends_with(b"\n"));
        }
    }
}
