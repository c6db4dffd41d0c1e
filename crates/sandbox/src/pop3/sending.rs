//! RETR and TOP: a message on its way out.

use gatepost_wire::pop3::{DataWriter, ServerReply};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::reply;
use super::session::Session;
use crate::error::storage;
use crate::session::{Conversation as _, Ending, Step};

/// Octets that are read at once.
const PIECE: usize = 64 << 10;

impl Session<'_> {
    /// All of a message, or its header and so many lines of its body.
    pub(super) async fn cmd_retr(&mut self, number: u64, lines: Option<u64>) -> Step {
        let Some(maildrop) = self.maildrop() else { return self.complain(&reply::sign_in_first()) };
        let owner = maildrop.owner.clone();
        let Some(id) = maildrop.find(number).map(|it| it.summary.id) else {
            return self.complain(&reply::no_such_message());
        };
        // Another session may have removed it.
        let Some((summary, path)) = self.provider.mailboxes.find_message(&owner, id) else {
            return self.complain(&reply::no_such_message());
        };
        let mut file = match File::open(&path).await {
            Ok(file) => file,
            Err(error) => return self.complain(&reply::storage_failed(&storage("read", &path)(error))),
        };
        self.say(&ServerReply::ok(format!("{} octets", summary.size_bytes)));
        let mut writer = DataWriter::new();
        let mut cutter = lines.map(Cutter::new);
        let mut piece = vec![0; PIECE];
        loop {
            // Whoever reads cannot tell a broken message from a whole one but by the connection.
            let n = file.read(&mut piece).await.map_err(|error| {
                tracing::error!(%error, "a message could not be read");
                Ending::Cut
            })?;
            let taken = cutter.as_mut().map_or(n, |it| it.take(piece.get(..n).unwrap_or_default()));
            writer.push(piece.get(..taken).unwrap_or_default(), |bytes| self.connection.queue(bytes));
            self.flush().await?;
            if n == 0 || taken < n {
                break;
            }
        }
        writer.finish(|bytes| self.connection.queue(bytes));
        Ok(())
    }
}

/// Finds the end of the header and of so many lines behind it, piece by piece.
struct Cutter {
    is_in_header: bool,
    /// Whether nothing but CR has come since the last line end.
    is_line_empty: bool,
    n_left: u64,
}

impl Cutter {
    const fn new(n_lines: u64) -> Self {
        Self { is_in_header: true, is_line_empty: true, n_left: n_lines }
    }

    /// How many octets of the piece belong to what is sent.
    fn take(&mut self, piece: &[u8]) -> usize {
        for (at, byte) in piece.iter().enumerate() {
            if !self.is_in_header && self.n_left == 0 {
                return at;
            }
            match byte {
                b'\n' if self.is_in_header => self.is_in_header = !self.is_line_empty,
                b'\n' => self.n_left -= 1,
                b'\r' => continue,
                _ => {}
            }
            self.is_line_empty = *byte == b'\n';
        }
        piece.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(n_lines: u64, want: &str) {
        let message = "A: b\r\n c\r\n\r\none\r\n\r\nthree";
        for size in 1..=message.len() {
            let mut cutter = Cutter::new(n_lines);
            let mut taken = Vec::new();
            for piece in message.as_bytes().chunks(size) {
                let n = cutter.take(piece);
                taken.extend_from_slice(&piece[..n]);
                if n < piece.len() {
                    break;
                }
            }
            assert_eq!(String::from_utf8(taken).unwrap(), want, "in pieces of {size}");
        }
    }

    #[test]
    fn the_header_and_so_many_lines_are_taken_however_it_is_read() {
        check(0, "A: b\r\n c\r\n\r\n");
        check(1, "A: b\r\n c\r\n\r\none\r\n");
        check(2, "A: b\r\n c\r\n\r\none\r\n\r\n");
        check(9, "A: b\r\n c\r\n\r\none\r\n\r\nthree");
    }
}
